/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Names under the pin directory, and proof that what is pinned there is ours. Nothing in this
 * project uses a kernel object that it found in another way: a search by id needs CAP_SYS_ADMIN, and is
 * for telling of what has lost its pins.
 *
 *   meta                     map; says which version wrote the rest
 *   progs/NAME               programs, by their name in fw.bpf.c
 *   maps/NAME                maps, by their name in maps.h
 *   maps/table4_SLOT         the IPv4 entry table in that slot; likewise table6_SLOT
 *   links/HOOK_DIRECTION[_IFINDEX]   "tc_ingress_2", "cgroup_egress"
 *   filling/, next-N/        meta and maps/ of an upgrade that is under way: "sets", see daemon/upgrade/upgrade.h
 */

#include <stdbool.h>
#include <stdint.h>

#include "abi/abi.h"

#define PINS_DIR_DEFAULT "/sys/fs/bpf/fw"

/* What a map must look like to be taken for ours. */
struct map_shape {
	const char *name; /* below the pin directory */
	uint32_t type;    /* enum bpf_map_type */
	uint32_t key_size;
	uint32_t value_size;
};

/*
 * Is dir on a bpffs, owned by us or root, and closed to everyone else? -ENOENT: no such directory (yet); -ENODEV: its file
 * system is not bpffs; -EPERM: another user owns it or may write to it.
 */
int pins_check_dir(const char *dir);
int pins_check_fs(const char *path); /* the first half of it alone */

/* Creates dir and its three parts, 0700; what exists is checked as above and kept. Errors as above. */
int pins_make_dir(const char *dir);

/* A directory with meta and maps/ in it, below a pin directory: made, 0700, and removed if it is there. */
#define PINS_FILLING "filling"
#define PINS_NEXT    "next-"
int pins_make_set(const char *dir);
int pins_remove_set(const char *dir);

/* Has an upgrade got as far as that programs of another version may be attached, and not to its end? */
bool pins_is_upgrading(const char *dir);

/* Is anything there under this name? */
bool pins_exists(const char *dir, const char *name);

/* Opens a pinned object: -ENOENT, -EACCES, -EPERM as bpf(2) has them; -EPROTO: it is a directory. */
int pins_open(const char *dir, const char *name);

/* Opens a pinned map and proves it is ours: -EPROTO if type or sizes differ. */
int pins_open_map(const char *dir, const struct map_shape *want, int *ret_fd);

/* Maps all values of such an array, which is mmapable, into memory. munmap() ends it. */
int pins_map_array(const char *dir, const char *name, uint32_t value_size, uint32_t n_values, void **ret);

/* The kernel's number of a pinned map. Errors as above; -EPROTO: it is none. */
int pins_map_id(const char *dir, const char *name, uint32_t *ret);

/* Pins fd under name; what is there already is replaced in one step, but an empty directory in two. */
int pins_put(const char *dir, const char *name, int fd);

/* Removes a name, be it that of an empty directory. One that is absent is no error. */
int pins_remove(const char *dir, const char *name);
int pins_remove_maps(const char *dir); /* all below maps/ */

/* Calls fn for each name in a part ("links"), sorted; stops at a negative return, which is returned. */
int pins_foreach(const char *dir, const char *part, int (*fn)(const char *name, void *userdata), void *userdata);

/*
 * Opens meta and checks its version. -ENOENT: nothing is loaded; -EPROTO: it is another version's, of
 * which *ret_meta holds as much as could be read.
 */
int pins_read_meta(const char *dir, struct fw_meta *ret_meta);
