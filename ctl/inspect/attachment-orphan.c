// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Links of a firewall of this kind that no pin of ours holds, as they are left where a second bpffs was mounted over the
 * first: see attachment.h. The kernel is asked for all its links by id, which takes CAP_SYS_ADMIN.
 */

#include "inspect/attachment.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "hook/cgroup.h"
#include "hook/footprint.h"
#include "hook/lineup.h"
#include "hook/xdpquery.h"
#include "inspect/owner.h"
#include "output/output.h"

#define LINK_TYPE_TCX 11 /* as in attachment.c */
#define TCX_INGRESS   46
#define PROGRAM_MAPS_MAX 64

static const char *const program_names[] = {
	"fw_xdp_in", "fw_tc_in", "fw_tc_out", "fw_tc_l3_in", "fw_tc_l3_out", "fw_cgroup_in", "fw_cgroup_out",
};

/* A program of that name which uses these maps belongs to a firewall of this kind, of any version. */
static const char *const map_names[] = { "policy", "counters", "list_counters" };

struct walk {
	const struct ctl *ctl;
	attachment_fn fn;
	void *userdata;
	uint32_t *pinned; /* ids of links */
	size_t n_pinned;
	struct footprint footprint;
};

static int note_pinned(const struct attachment *a, void *userdata)
{
	struct walk *w = userdata;
	uint32_t *pinned;

	if (!a->link_name)
		return 0;
	pinned = reallocarray(w->pinned, w->n_pinned + 1, sizeof(*pinned));
	if (!pinned)
		return -ENOMEM;
	w->pinned = pinned;
	w->pinned[w->n_pinned++] = a->link_id;
	return 0;
}

static bool is_pinned(const struct walk *w, uint32_t link_id)
{
	for (size_t i = 0; i < w->n_pinned; i++)
		if (w->pinned[i] == link_id)
			return true;
	return false;
}

static bool has_program_name(const char *name)
{
	for (size_t i = 0; i < ELEMENTSOF(program_names); i++)
		if (strcmp(name, program_names[i]) == 0)
			return true;
	return false;
}

/* Which one of ours the map is called like, as a bit; 0 = none. */
static unsigned map_bit(uint32_t id)
{
	struct bpf_map_info info = {};
	uint32_t size = sizeof(info);
	_cleanup_close_ int fd = -1;

	fd = bpf_map_get_fd_by_id(id);
	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		return 0;
	for (size_t i = 0; i < ELEMENTSOF(map_names); i++)
		if (strcmp(info.name, map_names[i]) == 0)
			return 1u << i;
	return 0;
}

bool attachment_is_like_ours(uint32_t program_id)
{
	uint32_t ids[PROGRAM_MAPS_MAX], size = sizeof(struct bpf_prog_info);
	struct bpf_prog_info info = { .map_ids = (uintptr_t)ids, .nr_map_ids = PROGRAM_MAPS_MAX };
	_cleanup_close_ int fd = -1;
	unsigned found = 0;

	fd = bpf_prog_get_fd_by_id(program_id);
	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size) < 0 || !has_program_name(info.name))
		return false;
	for (uint32_t i = 0; i < info.nr_map_ids && i < PROGRAM_MAPS_MAX; i++)
		found |= map_bit(ids[i]);
	return found == (1u << ELEMENTSOF(map_names)) - 1;
}

/* The root, which is every process's, and those that daemons have attached to. */
static const char *find_cgroup(const struct walk *w, uint64_t id)
{
	for (size_t i = 0; i <= w->footprint.n_cgroups; i++) {
		const char *path = i == 0 ? "/" : w->footprint.cgroups[i - 1];
		_cleanup_close_ int fd = -1;
		uint64_t found;

		if (cgroup_open(path, &fd, &found) >= 0 && found == id)
			return path;
	}
	return NULL;
}

/* Fills in where the link is; false: at no place of ours, or in another network namespace. */
static bool locate(const struct walk *w, const struct bpf_link_info *info, struct attachment *a)
{
	struct xdp_programs xdp = {};
	struct lineup l;

	switch (info->type) {
	case LINK_TYPE_TCX: /* info->tcx begins as netns does */
		a->hook = FW_HOOK_TC;
		a->direction = info->netns.attach_type == TCX_INGRESS ? FW_INGRESS : FW_EGRESS;
		a->mechanism = FW_MECHANISM_TCX;
		a->ifindex = info->netns.netns_ino;
		if (a->ifindex == 0)
			return false;
		lineup_read_tcx(a->ifindex, a->direction, &l);
		return lineup_position(&l, info->prog_id) > 0;
	case BPF_LINK_TYPE_XDP:
		a->hook = FW_HOOK_XDP;
		a->ifindex = info->xdp.ifindex;
		if (a->ifindex == 0 || xdp_query(a->ifindex, &xdp) < 0)
			return false;
		a->mechanism = xdp_mechanism_of(&xdp, info->prog_id);
		return a->mechanism != FW_MECHANISM_NONE;
	case BPF_LINK_TYPE_CGROUP:
		a->hook = FW_HOOK_CGROUP;
		a->direction = info->cgroup.attach_type == BPF_CGROUP_INET_INGRESS ? FW_INGRESS : FW_EGRESS;
		a->mechanism = FW_MECHANISM_CGROUP;
		a->cgroup = info->cgroup.cgroup_id != 0 ? find_cgroup(w, info->cgroup.cgroup_id) : NULL;
		return a->cgroup;
	default:
		return false;
	}
}

static int visit_link(uint32_t id, const struct walk *w)
{
	struct attachment a = { .is_live = true };
	struct bpf_link_info info = {};
	uint32_t size = sizeof(info);
	_cleanup_close_ int fd = -1;
	struct owner owner;

	fd = bpf_link_get_fd_by_id(id);
	if (fd < 0)
		return errno == ENOENT || errno == EAGAIN ? 0 : -errno; /* gone since its number was told, or not complete yet */
	if (bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		return -errno;
	if (is_pinned(w, info.id) || !locate(w, &info, &a) || !attachment_is_like_ours(info.prog_id))
		return 0;
	if (owner_find(info.prog_id, &owner)) /* another firewall of this kind, or a daemon of ours that puts its pins back */
		return 0;
	a.link_id = info.id;
	a.program_id = info.prog_id;
	return w->fn(&a, w->userdata);
}

static int foreach_orphan_link(const struct ctl *ctl, attachment_fn fn, void *userdata)
{
	struct walk w = { .ctl = ctl, .fn = fn, .userdata = userdata };
	uint32_t id = 0;
	int r;

	footprint_read(ctl->run_dir, &w.footprint);
	r = attachment_foreach(ctl->pin_dir, note_pinned, &w);
	while (r >= 0 && bpf_link_get_next_id(id, &id) == 0)
		r = visit_link(id, &w);
	if (r >= 0 && errno != ENOENT) /* which is the end */
		r = errno == EINVAL ? 0 : -errno; /* a kernel that does not tell */
	free(w.pinned);
	return r;
}

int attachment_foreach_orphan(const struct ctl *ctl, attachment_fn fn, void *userdata)
{
	int r = attachment_foreach_orphan_filter(ctl->pin_dir, fn, userdata);

	return r < 0 ? r : foreach_orphan_link(ctl, fn, userdata);
}

static int count(const struct attachment *a, void *userdata)
{
	size_t *n = userdata;

	(*n)++;
	return 0;
}

size_t attachment_count_orphans(const struct ctl *ctl)
{
	size_t n = 0;

	(void) attachment_foreach_orphan(ctl, count, &n); /* without a right to ask there is no answer */
	return n;
}

void attachment_note_orphans(struct ctl *ctl, size_t n)
{
	if (n > 0)
		output_note(ctl, "%zu more programs of a firewall are attached without a pin that can be seen: they judge packets, "
				 "too; 'fwctl doctor' names them and says what to do", n);
}
