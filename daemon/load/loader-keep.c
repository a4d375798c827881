// SPDX-License-Identifier: GPL-2.0-or-later

/* Pins that somebody removes are put back from what the daemon holds: see loader.h. */

#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "kernel/pins.h"
#include "load/loader-internal.h"
#include "load/repin.h"
#include "log/log.h"
#include "state/table.h"

static uint32_t map_id(int fd)
{
	struct bpf_map_info info = {};
	__u32 size = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &size) < 0 ? 0 : info.id;
}

/* Where a map in use is: below maps/, and in which place of which outer map. */
static const struct bpf_map *inner_place(const struct loader *l, const struct fw_policy *p, enum inner inner,
					 uint32_t *ret_index, char name[static NAME_MAX_PIN])
{
	bool is_filter = inner == INNER_FILTER4 || inner == INNER_FILTER6;
	bool is_ip4 = inner == INNER_TABLE4 || inner == INNER_FILTER4;
	enum fw_kind kind = is_ip4 ? FW_KIND_IPV4 : FW_KIND_IPV6;
	uint32_t slot = fw_slot(is_filter ? p->filter_generation[kind] : p->table_generation[kind]);

	if (inner == INNER_ENDS) {
		*ret_index = 0;
		(void) snprintf(name, NAME_MAX_PIN, "%s", TABLE_ENDS_PIN);
		return l->skel->maps.ends_slot;
	}
	*ret_index = kind * FW_TABLE_SLOTS + slot;
	(void) snprintf(name, NAME_MAX_PIN, "maps/%s%c_%u", is_filter ? "filter" : "table", is_ip4 ? '4' : '6', slot);
	return is_filter ? l->skel->maps.filters : l->skel->maps.tables;
}

/* Holds the map that is pinned as the one in use, or pins the one held if it still is that. */
static int keep_inner(struct loader *l, const struct fw_policy *policy, enum inner inner)
{
	int *held = &l->inner_fds[inner], fd;
	char name[NAME_MAX_PIN];
	const struct bpf_map *outer;
	uint32_t index, id = 0;

	outer = inner_place(l, policy, inner, &index, name);
	fd = pins_open(l->maps_dir, name);
	if (fd >= 0) {
		closep(held);
		*held = fd;
		return 0;
	}
	if (fd != -ENOENT || *held < 0)
		return fd == -ENOENT ? 0 : fd; /* a filter is made with its first entry */
	if (bpf_map_lookup_elem(bpf_map__fd(outer), &index, &id) < 0 || id != map_id(*held))
		return 0; /* exchanged since, and lost before we could hold it */
	return repin(l->maps_dir, name, *held);
}

static int keep_inner_maps(struct loader *l)
{
	struct fw_policy policy;
	__u32 first = 0;
	int r, n = 0;

	r = bpf_map_lookup_elem(bpf_map__fd(l->skel->maps.policy), &first, &policy);
	if (r < 0)
		return r;
	for (enum inner i = 0; i < _INNER_MAX; i++) {
		r = keep_inner(l, &policy, i);
		if (r < 0)
			return r;
		n += r;
	}
	return n;
}

int loader_keep_pinned(struct loader *l)
{
	struct bpf_program *program;
	char name[NAME_MAX_PIN];
	struct bpf_map *map;
	int r, n;

	n = keep_inner_maps(l);
	if (n < 0)
		return n;
	r = repin(l->maps_dir, SCHEMA_PIN, l->schema_fd);
	if (r < 0)
		return r;
	n += r;
	bpf_object__for_each_map(map, l->skel->obj) {
		if (bpf_map__is_internal(map))
			continue;
		r = repin(l->maps_dir, loader_map_name(map, name), bpf_map__fd(map));
		if (r < 0)
			return r;
		n += r;
	}
	bpf_object__for_each_program(program, l->skel->obj) {
		(void) snprintf(name, sizeof(name), "progs/%s", bpf_program__name(program));
		r = repin(l->pin_dir, name, bpf_program__fd(program));
		if (r < 0)
			return r;
		n += r;
	}
	return n;
}
