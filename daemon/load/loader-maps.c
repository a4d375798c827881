// SPDX-License-Identifier: GPL-2.0-or-later

/* Maps that are pinned already are proved and reused, new ones pinned: see loader.h. */

#include <errno.h>
#include <limits.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "kernel/pins.h"
#include "load/loader-internal.h"
#include "load/repin.h"
#include "load/schema.h"
#include "log/log.h"
#include "state/table.h"

const char *loader_map_name(const struct bpf_map *map, char name[static NAME_MAX_PIN])
{
	const char *plain = bpf_map__name(map);

	(void) snprintf(name, NAME_MAX_PIN, "%s%s", strcmp(plain, "meta") == 0 ? "" : "maps/", plain);
	return name;
}

/* Takes over a pinned map if it is exactly the one that we would create. -ENOENT: it is not pinned. */
static int reuse_map(const char *maps_dir, struct bpf_map *map)
{
	char name[NAME_MAX_PIN];
	struct map_shape want = {
		.name = loader_map_name(map, name),
		.type = bpf_map__type(map),
		.key_size = bpf_map__key_size(map),
		.value_size = bpf_map__value_size(map),
	};
	struct bpf_map_info info = {};
	__u32 size = sizeof(info);
	_cleanup_close_ int fd = -1;
	int r;

	r = pins_open_map(maps_dir, &want, &fd);
	if (r >= 0)
		r = bpf_obj_get_info_by_fd(fd, &info, &size);
	if (r >= 0 && (info.max_entries != bpf_map__max_entries(map) ||
		       info.map_flags != bpf_map__map_flags(map)))
		r = -EPROTO;
	if (r == -EPROTO)
		return log_error(r, "'%s/%s' is not the map of this version: run 'fwctl unload' first", maps_dir,
				 name);
	if (r == -ENOENT)
		return r;
	if (r >= 0)
		r = bpf_map__reuse_fd(map, fd);
	if (r < 0)
		return log_error(r, "Cannot take over '%s/%s': %m", maps_dir, name);
	return 0;
}

/* Is there a pin with the name of a map of ours, valid or not? meta holds no state, and does not count. */
static int is_pinned(const struct loader *l, const struct bpf_map *map)
{
	char name[NAME_MAX_PIN];
	_cleanup_close_ int fd = -1;

	fd = pins_open(l->maps_dir, loader_map_name(map, name));
	return fd >= 0 || fd == -EPROTO ? 1 : fd == -ENOENT ? 0 : fd;
}

/*
 * The map of ends is not one of the object's, but what is in it is needed as much. -ENOENT: a map is in use, and its pin is
 * missing.
 */
static int check_ends(const struct loader *l)
{
	static const struct map_shape want = { TABLE_ENDS_PIN, BPF_MAP_TYPE_HASH, sizeof(struct fw_ends_key),
					       sizeof(struct fw_ends) };
	_cleanup_close_ int outer_fd = -1, fd = -1;
	uint32_t first = 0, id;
	int r;

	outer_fd = pins_open(l->maps_dir, "maps/ends_slot");
	if (outer_fd < 0 || bpf_map_lookup_elem(outer_fd, &first, &id) < 0)
		return 0;
	r = pins_open_map(l->maps_dir, &want, &fd);
	return r == -ENOENT || r == -EPROTO ? r : 0;
}

/*
 * All or none: maps belong together, and the programs that are still attached use the old ones until they
 * are replaced. Taking over some of them would change those under their feet.
 */
int loader_reuse_maps(struct loader *l)
{
	size_t n_maps = 0, n_pinned = 0;
	struct bpf_map *map;
	int r;

	bpf_object__for_each_map(map, l->skel->obj) {
		if (bpf_map__is_internal(map) || map == l->skel->maps.meta) /* rodata goes with the programs */
			continue;
		r = is_pinned(l, map);
		if (r < 0)
			return log_error(r, "Cannot look for pins in '%s/maps': %m", l->maps_dir);
		n_maps++;
		n_pinned += r;
	}

	r = check_ends(l);
	if (r == -EPROTO)
		return log_error(r, "'%s/" TABLE_ENDS_PIN "' is not the map of this version: run 'fwctl unload' first", l->maps_dir);
	n_maps += r == -ENOENT;

	l->is_fresh = n_pinned < n_maps;
	if (l->is_fresh) { /* another firewall, to a process that has opened the previous one: see table_is_current() */
		r = pins_remove(l->maps_dir, "meta");
		if (r < 0)
			return log_error(r, "Cannot remove '%s/meta': %m", l->maps_dir);
	}
	if (l->is_fresh && n_pinned > 0) {
		(void) log_warning(0, "%zu of %zu pins of maps are missing in '%s': starting with new maps, filled from "
				      "the list files; counters begin at 0, changes with --runtime are lost",
				   n_maps - n_pinned, n_maps, l->maps_dir);
		r = pins_remove_maps(l->maps_dir);
		if (r < 0)
			return log_error(r, "Cannot remove the old pins in '%s/maps': %m", l->maps_dir);
	}
	bpf_object__for_each_map(map, l->skel->obj) {
		if (bpf_map__is_internal(map) || l->is_fresh)
			continue;
		r = reuse_map(l->maps_dir, map);
		if (r < 0 && r != -ENOENT)
			return r;
	}
	return 0;
}

/* For pins_foreach(): what a crash left between the two steps of pins_put(). */
static int remove_leftover(const char *name, void *userdata)
{
	const struct loader *l = userdata;
	size_t n = strlen(name);
	char path[PATH_MAX];

	if (n <= 4 || strcmp(name + n - 4, "-new") != 0)
		return 0;
	(void) snprintf(path, sizeof(path), "maps/%s", name);
	return pins_remove(l->maps_dir, path);
}

/* For versions to come: where in our maps what is. */
static int pin_schema(struct loader *l)
{
	_cleanup_free_ char *text = schema_format(&schema_own);
	__u32 first = 0;

	if (!text)
		return -ENOMEM;
	l->schema_fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "schema", sizeof(first), strlen(text) + 1, 1, NULL);
	if (l->schema_fd < 0 || bpf_map_update_elem(l->schema_fd, &first, text, BPF_ANY) < 0)
		return -errno;
	return pins_put(l->maps_dir, SCHEMA_PIN, l->schema_fd);
}

int loader_pin_maps(struct loader *l)
{
	char name[NAME_MAX_PIN];
	struct bpf_map *map;
	int r;

	bpf_object__for_each_map(map, l->skel->obj) {
		if (bpf_map__is_internal(map) || map == l->skel->maps.meta) /* meta comes last */
			continue;
		r = repin(l->maps_dir, loader_map_name(map, name), bpf_map__fd(map));
		if (r < 0)
			return log_error(r, "Cannot pin '%s/%s': %m", l->maps_dir, name);
	}
	r = pins_foreach(l->maps_dir, "maps", remove_leftover, l);
	if (r < 0)
		return log_error(r, "Cannot remove leftovers from '%s/maps': %m", l->maps_dir);
	r = pin_schema(l);
	if (r < 0)
		return log_error(r, "Cannot pin '%s/" SCHEMA_PIN "': %m", l->maps_dir);
	return 0;
}
