// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * A second copy of a program, for the moment in which two links of it have to be on one hook: there the kernel takes a
 * program once. See loader.h.
 */

#include <errno.h>
#include <fcntl.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "load/loader-internal.h"

static void skeleton_destroyp(struct fw **skel)
{
	fw__destroy(*skel);
}

/* rodata too: what the probes have found is in it. */
static int share_maps(const struct loader *l, struct fw *copy)
{
	struct bpf_map *map;
	int r;

	bpf_object__for_each_map(map, copy->obj) {
		const struct bpf_map *ours = bpf_object__find_map_by_name(l->skel->obj, bpf_map__name(map));

		r = ours ? bpf_map__reuse_fd(map, bpf_map__fd(ours)) : -ENOENT;
		if (r < 0)
			return r;
	}
	return 0;
}

int loader_copy_program(const struct loader *l, enum fw_hook hook, enum fw_direction d, bool is_l3, int *ret_fd)
{
	_cleanup_(skeleton_destroyp) struct fw *copy = fw__open();
	struct bpf_program *program, *wanted;
	int r;

	if (!copy)
		return -errno;
	wanted = loader_find_program(copy, hook, d, is_l3);
	bpf_object__for_each_program(program, copy->obj)
		(void) bpf_program__set_autoload(program, program == wanted); /* fails only once it is loaded */
	r = share_maps(l, copy);
	if (r >= 0)
		r = fw__load(copy);
	if (r < 0)
		return r;
	r = fcntl(bpf_program__fd(wanted), F_DUPFD_CLOEXEC, 3);
	if (r < 0)
		return -errno;
	*ret_fd = r;
	return 0;
}
