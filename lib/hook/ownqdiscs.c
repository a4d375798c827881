// SPDX-License-Identifier: GPL-2.0-or-later

/* Marks of clsact qdiscs that we have made, and their removal: see ownqdiscs.h. */

#include "hook/ownqdiscs.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "hook/filters.h"
#include "kernel/netns.h"
#include "kernel/pins.h"

static uint64_t own_netns(void)
{
	struct netns own;

	netns_read_own(&own);
	return own.inode;
}

static int mark_path(const char *pin_dir, unsigned ifindex, char path[static PATH_MAX])
{
	int n = snprintf(path, PATH_MAX, "%s/" OWNQDISCS_DIR "/%" PRIu64 "_%u", pin_dir, own_netns(), ifindex);

	return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

static int dir_path(const char *pin_dir, char path[static PATH_MAX])
{
	int n = snprintf(path, PATH_MAX, "%s/" OWNQDISCS_DIR, pin_dir);

	return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

int ownqdiscs_mark(const char *pin_dir, unsigned ifindex)
{
	char dir[PATH_MAX], path[PATH_MAX];
	int r;

	r = dir_path(pin_dir, dir);
	if (r >= 0)
		r = mark_path(pin_dir, ifindex, path);
	if (r < 0)
		return r;
	if ((mkdir(dir, 0700) < 0 && errno != EEXIST) || (mkdir(path, 0700) < 0 && errno != EEXIST))
		return -errno;
	return 0;
}

bool ownqdiscs_is_marked(const char *pin_dir, unsigned ifindex)
{
	char path[PATH_MAX];

	return mark_path(pin_dir, ifindex, path) >= 0 && access(path, F_OK) == 0;
}

void ownqdiscs_forget(const char *pin_dir, unsigned ifindex)
{
	char path[PATH_MAX];

	if (mark_path(pin_dir, ifindex, path) >= 0)
		(void) rmdir(path); /* there may be none */
	if (dir_path(pin_dir, path) >= 0)
		(void) rmdir(path); /* unless there are others */
}

/* -ENOENT: it is gone already. */
static int destroy(unsigned ifindex)
{
	struct bpf_tc_hook hook = {
		.sz = sizeof(hook),
		.ifindex = (int)ifindex,
		.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS,
	};
	libbpf_print_fn_t print = libbpf_set_print(NULL);
	int r = bpf_tc_hook_destroy(&hook);

	(void) libbpf_set_print(print);
	return r == -EINVAL || r == -ENODEV ? -ENOENT : r; /* EINVAL: a qdisc of another kind is in its place */
}

int ownqdiscs_remove(const char *pin_dir, unsigned ifindex)
{
	int r;

	if (!ownqdiscs_is_marked(pin_dir, ifindex))
		return 0;
	r = filters_is_empty(ifindex);
	if (r == 0)
		return 0;
	if (r == -ENODEV || r == -EINVAL) /* the interface or its qdisc is gone */
		r = -ENOENT;
	else if (r > 0)
		r = destroy(ifindex);
	if (r == 0 || r == -ENOENT)
		ownqdiscs_forget(pin_dir, ifindex);
	return r == 0 ? 1 : r == -ENOENT ? 0 : r;
}

/* For pins_foreach(). */
static int remove_marked(const char *name, void *userdata)
{
	const char *pin_dir = userdata;
	char path[PATH_MAX];
	uint64_t netns;
	unsigned ifindex;
	int r = 0;

	if (sscanf(name, "%" SCNu64 "_%u", &netns, &ifindex) == 2 && netns == own_netns())
		r = ownqdiscs_remove(pin_dir, ifindex);
	if (r < 0)
		return r;
	(void) snprintf(path, sizeof(path), OWNQDISCS_DIR "/%s", name);
	return pins_remove(pin_dir, path);
}

struct search {
	uint64_t netns;
	bool is_found;
};

/* For pins_foreach(). */
static int look_at_mark(const char *name, void *userdata)
{
	struct search *s = userdata;
	uint64_t netns;
	unsigned ifindex;

	s->is_found = s->is_found || (sscanf(name, "%" SCNu64 "_%u", &netns, &ifindex) == 2 && netns == s->netns);
	return 0;
}

bool ownqdiscs_are_in(const char *pin_dir, uint64_t netns)
{
	struct search s = { .netns = netns };

	(void) pins_foreach(pin_dir, OWNQDISCS_DIR, look_at_mark, &s); /* without the directory there are none */
	return s.is_found;
}

int ownqdiscs_remove_all(const char *pin_dir)
{
	int r;

	r = pins_foreach(pin_dir, OWNQDISCS_DIR, remove_marked, (void *)pin_dir);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	return pins_remove(pin_dir, OWNQDISCS_DIR);
}
