// SPDX-License-Identifier: GPL-2.0-or-later

/* Opens the skeleton, has maps reused, loads, has all pinned: see loader.h. */

#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include "base/cleanup.h"
#include "kernel/netns.h"
#include "kernel/pins.h"
#include "kernel/probe.h"
#include "load/loader-internal.h"
#include "load/repin.h"
#include "log/log.h"

static void loader_freep(struct loader **l)
{
	*l = loader_free(*l);
}

struct loader *loader_free(struct loader *l)
{
	if (!l)
		return NULL;
	for (enum inner i = 0; i < _INNER_MAX; i++)
		closep(&l->inner_fds[i]);
	fw__destroy(l->skel);
	closep(&l->schema_fd);
	free(l->owned);
	free(l->maps_dir);
	free(l->pin_dir);
	free(l);
	return NULL;
}

/* What depends on the kernel. The object's own answers are those of the oldest one. */
static int prepare_programs(struct loader *l)
{
	struct netns own;

	netns_read_own(&own);
	if (probe_netns_cookie() && own.cookie != 0) {
		l->skel->rodata->has_netns_cookie = true;
		l->skel->rodata->own_netns = own.cookie;
	}
	if (!probe_xdp_buffers())
		return 0;
	l->skel->rodata->has_xdp_buffers = true;
	return bpf_program__set_flags(l->skel->progs.fw_xdp_in, BPF_F_XDP_HAS_FRAGS);
}

static int explain_load(int r)
{
	switch (r) {
	case -EPERM:
	case -EACCES:
		return log_error(r, "The kernel refuses to load the programs: %m. CAP_BPF, CAP_NET_ADMIN and "
				    "CAP_PERFMON are needed, and SELinux may object ('ausearch -m avc')");
	case -ENOSYS:
		return log_error(r, "The kernel has no bpf() system call (CONFIG_BPF_SYSCALL)");
	case -ENOMEM:
		return log_error(r, "No memory for the maps: raise MemoryMax= or LimitMEMLOCK= of the unit");
	default:
		return log_error(r, "The kernel refuses to load the programs: %m; --debug tells more");
	}
}

int loader_load(const char *pin_dir, const char *maps_dir, const struct fw_meta *meta, struct loader **ret)
{
	_cleanup_(loader_freep) struct loader *l = NULL;
	int r;

	l = calloc(1, sizeof(*l));
	if (!l)
		return log_error(-ENOMEM, "Cannot load: %m");
	for (enum inner i = 0; i < _INNER_MAX; i++)
		l->inner_fds[i] = -1;
	l->schema_fd = -1;
	l->pin_dir = strdup(pin_dir);
	l->maps_dir = strdup(maps_dir);
	if (!l->pin_dir || !l->maps_dir)
		return log_error(-ENOMEM, "Cannot load: %m");

	l->skel = fw__open();
	if (!l->skel)
		return log_error(-errno, "Cannot open the BPF object in this program: %m");

	r = loader_reuse_maps(l);
	if (r < 0)
		return r;
	r = prepare_programs(l);
	if (r < 0)
		return log_error(r, "Cannot prepare the programs: %m");
	r = fw__load(l->skel);
	if (r < 0)
		return explain_load(r);
	r = loader_pin_maps(l);
	if (r < 0)
		return r;
	r = loader_pin_programs(l);
	if (r < 0)
		return r;

	r = loader_write_meta(l, meta);
	if (r < 0)
		return r;
	r = repin(maps_dir, "meta", bpf_map__fd(l->skel->maps.meta));
	if (r < 0)
		return log_error(r, "Cannot pin '%s/meta': %m", maps_dir);

	*ret = TAKE_PTR(l);
	return 0;
}

bool loader_tells_netns(const struct loader *l)
{
	return l->skel->rodata->has_netns_cookie;
}

bool loader_is_fresh(const struct loader *l)
{
	return l->is_fresh;
}

int loader_write_meta(struct loader *l, const struct fw_meta *meta)
{
	__u32 first = 0;
	int r;

	r = bpf_map_update_elem(bpf_map__fd(l->skel->maps.meta), &first, meta, BPF_ANY);
	if (r < 0)
		return log_error(r, "Cannot write the map 'meta': %m");
	return 0;
}

int loader_move_maps(struct loader *l, const char *maps_dir)
{
	char *copy = strdup(maps_dir);

	if (!copy)
		return log_error(-ENOMEM, "Cannot go on with the maps in '%s': %m", maps_dir);
	free(l->maps_dir);
	l->maps_dir = copy;
	return 0;
}

int loader_put_in_force(struct loader *l)
{
	int r;

	r = pins_put(l->pin_dir, "meta", bpf_map__fd(l->skel->maps.meta));
	if (r < 0)
		return log_error(r, "Cannot pin '%s/meta': %m", l->pin_dir);
	return 0;
}
