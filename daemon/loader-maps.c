// SPDX-License-Identifier: GPL-2.0-or-later

/* Maps that are pinned already are proved and reused, new ones pinned: see loader.h. */

#include <errno.h>
#include <limits.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "cleanup.h"
#include "loader-internal.h"
#include "log.h"
#include "pins.h"
#include "repin.h"

const char *loader_map_name(const struct bpf_map *map, char name[static NAME_MAX_PIN])
{
	const char *plain = bpf_map__name(map);

	(void) snprintf(name, NAME_MAX_PIN, "%s%s", strcmp(plain, "meta") == 0 ? "" : "maps/", plain);
	return name;
}

/* Takes over a pinned map if it is exactly the one that we would create. -ENOENT: it is not pinned. */
static int reuse_map(const char *pin_dir, struct bpf_map *map)
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

	r = pins_open_map(pin_dir, &want, false, &fd);
	if (r >= 0)
		r = bpf_obj_get_info_by_fd(fd, &info, &size);
	if (r >= 0 && (info.max_entries != bpf_map__max_entries(map) ||
		       info.map_flags != bpf_map__map_flags(map)))
		r = -EPROTO;
	if (r == -EPROTO)
		return log_error(r, "'%s/%s' is not the map of this version: run 'fwctl unload' first", pin_dir,
				 name);
	if (r == -ENOENT)
		return r;
	if (r >= 0)
		r = bpf_map__reuse_fd(map, fd);
	if (r < 0)
		return log_error(r, "Cannot take over '%s/%s': %m", pin_dir, name);
	return 0;
}

/* Is the pin of a map of ours there, whatever it is? meta holds no state, and does not count. */
static int is_pinned(const struct loader *l, const struct bpf_map *map)
{
	char name[NAME_MAX_PIN];
	_cleanup_close_ int fd = -1;

	fd = pins_open(l->pin_dir, loader_map_name(map, name), false);
	return fd >= 0 ? 1 : fd == -ENOENT ? 0 : fd;
}

static int remove_map(const char *name, void *userdata)
{
	const struct loader *l = userdata;
	char path[PATH_MAX];

	(void) snprintf(path, sizeof(path), "maps/%s", name);
	return pins_remove(l->pin_dir, path);
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
			return log_error(r, "Cannot look for pins in '%s/maps': %m", l->pin_dir);
		n_maps++;
		n_pinned += r;
	}

	l->is_fresh = n_pinned < n_maps;
	if (l->is_fresh && n_pinned > 0) {
		(void) log_warning(0, "%zu of %zu pins of maps are missing in '%s': starting with new maps, filled from "
				      "the list files; counters begin at 0, changes with --runtime are lost",
				   n_maps - n_pinned, n_maps, l->pin_dir);
		r = pins_foreach(l->pin_dir, "maps", remove_map, l);
		if (r < 0)
			return log_error(r, "Cannot remove the old pins in '%s/maps': %m", l->pin_dir);
	}
	bpf_object__for_each_map(map, l->skel->obj) {
		if (bpf_map__is_internal(map) || (l->is_fresh && map != l->skel->maps.meta))
			continue;
		r = reuse_map(l->pin_dir, map);
		if (r < 0 && r != -ENOENT)
			return r;
	}
	return 0;
}

int loader_pin_maps(struct loader *l)
{
	char name[NAME_MAX_PIN];
	struct bpf_map *map;
	int r;

	bpf_object__for_each_map(map, l->skel->obj) {
		if (bpf_map__is_internal(map) || map == l->skel->maps.meta) /* meta comes last */
			continue;
		r = repin(l->pin_dir, loader_map_name(map, name), bpf_map__fd(map));
		if (r < 0)
			return log_error(r, "Cannot pin '%s/%s': %m", l->pin_dir, name);
	}
	return 0;
}
