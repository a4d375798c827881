// SPDX-License-Identifier: GPL-2.0-or-later

/* Open the skeleton, reuse pinned maps, load, pin: see loader.h. */

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/vfs.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <linux/magic.h>

#include "cleanup.h"
#include "fw.skel.h"
#include "loader.h"
#include "log.h"
#include "pins.h"
#include "probe.h"
#include "repin.h"

#ifndef BPF_FS_MAGIC
#define BPF_FS_MAGIC 0xcafe4a11
#endif

#define NAME_MAX_PIN 64

/* Maps in maps are made and exchanged by whoever makes entries: held only to be pinned again. */
enum inner {
	INNER_TABLE,
	INNER_FILTER,
	_INNER_MAX,
};

struct loader {
	char *pin_dir;
	struct fw *skel;
	bool is_fresh;
	uint32_t *owned; /* ids of programs pinned by us, now or in a run before */
	size_t n_owned;
	int inner_fds[_INNER_MAX][2]; /* of those in use, by enum fw_kind */
};

static void loader_freep(struct loader **l)
{
	*l = loader_free(*l);
}

struct loader *loader_free(struct loader *l)
{
	if (!l)
		return NULL;
	for (enum inner i = 0; i < _INNER_MAX; i++)
		for (enum fw_kind kind = FW_KIND_IPV4; kind <= FW_KIND_IPV6; kind++)
			closep(&l->inner_fds[i][kind]);
	fw__destroy(l->skel);
	free(l->owned);
	free(l->pin_dir);
	free(l);
	return NULL;
}

/* Is what dir is to be made in on a bpffs? mkdir() does not ask. */
static int check_parent(const char *dir)
{
	char path[PATH_MAX];
	struct statfs fs;
	char *slash;

	(void) snprintf(path, sizeof(path), "%s", dir);
	slash = strrchr(path, '/');
	if (!slash)
		strcpy(path, ".");
	else
		slash[slash == path ? 1 : 0] = '\0';
	if (statfs(path, &fs) < 0)
		return -errno;
	if ((unsigned long)fs.f_type != BPF_FS_MAGIC)
		return -ENODEV;
	return 0;
}

/* A bpffs refuses names with dots, in the same words in which it would refuse us. */
static bool has_dot(const char *dir)
{
	const char *slash = strrchr(dir, '/');

	return strchr(slash ? slash : dir, '.');
}

static int explain_pin_dir(const char *pin_dir, int r)
{
	switch (r) {
	case -ENODEV:
		return log_error(r, "'%s' is not on a bpffs: run 'mount -t bpf bpf /sys/fs/bpf', or give a --pin-dir "
				    "below a bpffs", pin_dir);
	case -EPERM:
		return log_error(r, "'%s' belongs to another user or others may write to it, its pins cannot be "
				    "trusted: remove it, or make it root's with mode 0700", pin_dir);
	case -ENOTDIR:
		return log_error(r, "'%s' exists and is not a directory: remove it", pin_dir);
	case -EDOM:
		return log_error(r, "Cannot create '%s': a bpffs takes no names with dots", pin_dir);
	case -ENOENT:
		return log_error(r, "Cannot create '%s': the directory above it does not exist", pin_dir);
	case -EACCES:
		return log_error(r, "Cannot create or read '%s': no permission; it must belong to the user of this "
				    "program (see tmpfiles.d(5))", pin_dir);
	case -EROFS:
		return log_error(r, "Cannot create '%s': read-only here, the unit needs ReadWritePaths= for it",
				 pin_dir);
	default:
		return log_error(r, "Cannot use the pin directory '%s': %m", pin_dir);
	}
}

int loader_check_pins(const char *pin_dir)
{
	struct fw_meta meta = {};
	int r;

	r = has_dot(pin_dir) ? -EDOM : pins_check_dir(pin_dir);
	if (r == -ENOENT)
		r = check_parent(pin_dir);
	if (r >= 0)
		r = pins_make_dir(pin_dir);
	if (r < 0)
		return explain_pin_dir(pin_dir, r);

	r = pins_read_meta(pin_dir, &meta);
	if (r == -EPROTO)
		return log_error(r, "'%s' holds pins of another version (ebpf-fw '%.*s', layout %u where ours is "
				    "%u): run 'fwctl unload' first", pin_dir, (int)sizeof(meta.version), meta.version,
				 meta.abi_version, FW_ABI_VERSION);
	if (r == -EPERM || r == -EACCES)
		return log_error(r, "Not permitted to open pins in '%s': CAP_BPF is needed", pin_dir);
	if (r < 0 && r != -ENOENT)
		return log_error(r, "Cannot read '%s/meta': %m", pin_dir);
	return 0;
}

/* meta is pinned at the top, everything else below maps/. */
static const char *map_pin_name(const struct bpf_map *map, char name[static NAME_MAX_PIN])
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
		.name = map_pin_name(map, name),
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

	fd = pins_open(l->pin_dir, map_pin_name(map, name), false);
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
static int reuse_maps(struct loader *l)
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

static int pin_maps(struct loader *l)
{
	char name[NAME_MAX_PIN];
	struct bpf_map *map;
	int r;

	bpf_object__for_each_map(map, l->skel->obj) {
		if (bpf_map__is_internal(map) || map == l->skel->maps.meta) /* meta comes last */
			continue;
		r = repin(l->pin_dir, map_pin_name(map, name), bpf_map__fd(map));
		if (r < 0)
			return log_error(r, "Cannot pin '%s/%s': %m", l->pin_dir, name);
	}
	return 0;
}

static int program_id(int fd, uint32_t *ret)
{
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);
	int r;

	r = bpf_obj_get_info_by_fd(fd, &info, &size);
	if (r < 0)
		return r;
	*ret = info.id;
	return 0;
}

static int own(struct loader *l, int fd, uint32_t *ret_id)
{
	uint32_t *owned;
	int r;

	owned = reallocarray(l->owned, l->n_owned + 1, sizeof(*owned));
	if (!owned)
		return -ENOMEM;
	l->owned = owned;

	r = program_id(fd, &l->owned[l->n_owned]);
	if (r < 0)
		return r;
	*ret_id = l->owned[l->n_owned++];
	return 0;
}

/* For pins_foreach(): a program of a run before. */
static int own_pinned(const char *name, void *userdata)
{
	_cleanup_close_ int fd = -1;
	struct loader *l = userdata;
	char path[NAME_MAX_PIN];
	uint32_t unused;

	(void) snprintf(path, sizeof(path), "progs/%s", name);
	fd = pins_open(l->pin_dir, path, false);
	return fd < 0 ? fd : own(l, fd, &unused);
}

/*
 * The new programs, as progs/NAME-ID beside the old ones: dying anywhere between here and loader_retire()
 * leaves no program of ours, which a filter may carry, without a pin that proves it.
 */
static int pin_programs(struct loader *l)
{
	struct bpf_program *program;
	char name[NAME_MAX_PIN];
	uint32_t id;
	int r;

	r = pins_foreach(l->pin_dir, "progs", own_pinned, l);
	if (r < 0)
		return log_error(r, "Cannot read the pins in '%s/progs': %m", l->pin_dir);

	bpf_object__for_each_program(program, l->skel->obj) {
		(void) snprintf(name, sizeof(name), "progs/%s", bpf_program__name(program));
		r = repin(l->pin_dir, name, bpf_program__fd(program)); /* 1: there was none to keep */
		if (r == 0) {
			r = own(l, bpf_program__fd(program), &id);
			if (r >= 0) {
				(void) snprintf(name, sizeof(name), "progs/%s-%u", bpf_program__name(program), id);
				r = pins_put(l->pin_dir, name, bpf_program__fd(program));
			}
		} else if (r > 0) {
			r = own(l, bpf_program__fd(program), &id);
		}
		if (r < 0)
			return log_error(r, "Cannot pin '%s/%s': %m", l->pin_dir, name);
	}
	return 0;
}

/* For pins_foreach(): no program's name has a dash, but the pins beside do. */
static int remove_beside(const char *name, void *userdata)
{
	struct loader *l = userdata;
	char path[NAME_MAX_PIN];

	if (!strchr(name, '-'))
		return 0;
	(void) snprintf(path, sizeof(path), "progs/%s", name);
	return pins_remove(l->pin_dir, path);
}

int loader_retire(struct loader *l)
{
	struct bpf_program *program;
	char name[NAME_MAX_PIN];
	int r;

	bpf_object__for_each_program(program, l->skel->obj) {
		(void) snprintf(name, sizeof(name), "progs/%s", bpf_program__name(program));
		r = pins_put(l->pin_dir, name, bpf_program__fd(program));
		if (r < 0)
			return log_error(r, "Cannot pin '%s/%s': %m", l->pin_dir, name);
	}
	r = pins_foreach(l->pin_dir, "progs", remove_beside, l);
	if (r < 0)
		return log_error(r, "Cannot remove old pins from '%s/progs': %m", l->pin_dir);
	return 0;
}

/* What depends on the kernel. The object's own answers are those of the oldest one. */
static int prepare_programs(struct loader *l)
{
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

int loader_load(const char *pin_dir, const struct fw_meta *meta, struct loader **ret)
{
	_cleanup_(loader_freep) struct loader *l = NULL;
	int r;

	l = calloc(1, sizeof(*l));
	if (!l)
		return log_error(-ENOMEM, "Cannot load: %m");
	for (enum inner i = 0; i < _INNER_MAX; i++)
		l->inner_fds[i][FW_KIND_IPV4] = l->inner_fds[i][FW_KIND_IPV6] = -1;
	l->pin_dir = strdup(pin_dir);
	if (!l->pin_dir)
		return log_error(-ENOMEM, "Cannot load: %m");

	l->skel = fw__open();
	if (!l->skel)
		return log_error(-errno, "Cannot open the BPF object in this program: %m");

	r = reuse_maps(l);
	if (r < 0)
		return r;
	r = prepare_programs(l);
	if (r < 0)
		return log_error(r, "Cannot prepare the programs: %m");
	r = fw__load(l->skel);
	if (r < 0)
		return explain_load(r);
	r = pin_maps(l);
	if (r < 0)
		return r;
	r = pin_programs(l);
	if (r < 0)
		return r;

	r = loader_write_meta(l, meta);
	if (r < 0)
		return r;
	r = repin(pin_dir, "meta", bpf_map__fd(l->skel->maps.meta));
	if (r < 0)
		return log_error(r, "Cannot pin '%s/meta': %m", pin_dir);

	*ret = TAKE_PTR(l);
	return 0;
}

bool loader_is_fresh(const struct loader *l)
{
	return l->is_fresh;
}

static uint32_t map_id(int fd)
{
	struct bpf_map_info info = {};
	__u32 size = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &size) < 0 ? 0 : info.id;
}

uint32_t loader_counters_id(const struct loader *l)
{
	return map_id(bpf_map__fd(l->skel->maps.counters));
}

int loader_program(const struct loader *l, enum fw_hook hook, enum fw_direction d, bool is_l3)
{
	const struct bpf_program *program;

	if (hook == FW_HOOK_XDP)
		program = l->skel->progs.fw_xdp_in; /* there is no egress */
	else if (hook == FW_HOOK_CGROUP)
		program = d == FW_INGRESS ? l->skel->progs.fw_cgroup_in
					  : l->skel->progs.fw_cgroup_out;
	else if (is_l3)
		program = d == FW_INGRESS ? l->skel->progs.fw_tc_l3_in : l->skel->progs.fw_tc_l3_out;
	else
		program = d == FW_INGRESS ? l->skel->progs.fw_tc_in : l->skel->progs.fw_tc_out;
	return bpf_program__fd(program);
}

bool loader_owns(uint32_t prog_id, void *loader)
{
	const struct loader *l = loader;

	for (size_t n = 0; n < l->n_owned; n++)
		if (l->owned[n] == prog_id)
			return true;
	return false;
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

/* Where a map in use is: below maps/, and in which place of which outer map. */
static const struct bpf_map *inner_place(const struct loader *l, const struct fw_policy *p,
					 enum inner inner, enum fw_kind kind, uint32_t *ret_index,
					 char name[static NAME_MAX_PIN])
{
	char family = kind == FW_KIND_IPV4 ? '4' : '6';
	uint32_t slot;

	if (inner == INNER_FILTER) {
		slot = fw_slot(p->filter_generation[kind]);
		*ret_index = kind * FW_TABLE_SLOTS + slot;
		(void) snprintf(name, NAME_MAX_PIN, "maps/filter%c_%u", family, slot);
		return l->skel->maps.filters;
	}
	*ret_index = slot = fw_slot(p->table_generation[kind]);
	(void) snprintf(name, NAME_MAX_PIN, "maps/table%c_%u", family, slot);
	return kind == FW_KIND_IPV4 ? l->skel->maps.tables4 : l->skel->maps.tables6;
}

/* Holds the map that is pinned as the one in use, or pins the one held if it still is that. */
static int keep_inner(struct loader *l, const struct fw_policy *policy, enum inner inner,
		      enum fw_kind kind)
{
	int *held = &l->inner_fds[inner][kind], fd;
	char name[NAME_MAX_PIN];
	const struct bpf_map *outer;
	uint32_t index, id = 0;

	outer = inner_place(l, policy, inner, kind, &index, name);
	fd = pins_open(l->pin_dir, name, false);
	if (fd >= 0) {
		closep(held);
		*held = fd;
		return 0;
	}
	if (fd != -ENOENT || *held < 0)
		return fd == -ENOENT ? 0 : fd; /* a filter is made with its first entry */
	if (bpf_map_lookup_elem(bpf_map__fd(outer), &index, &id) < 0 || id != map_id(*held))
		return 0; /* exchanged since, and lost before we could hold it */
	return repin(l->pin_dir, name, *held);
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
		for (enum fw_kind kind = FW_KIND_IPV4; kind <= FW_KIND_IPV6; kind++) {
			r = keep_inner(l, &policy, i, kind);
			if (r < 0)
				return r;
			n += r;
		}
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
	bpf_object__for_each_map(map, l->skel->obj) {
		if (bpf_map__is_internal(map))
			continue;
		r = repin(l->pin_dir, map_pin_name(map, name), bpf_map__fd(map));
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
