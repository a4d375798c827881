/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The BPF object into the kernel: maps that are pinned already are proved and reused, so that entries and
 * counters stay; programs are always new. Only the files loader*.c see the skeleton. Logs what is wrong.
 */

#include <stdbool.h>
#include <stdint.h>

#include "abi/abi.h"

struct loader;

/*
 * Loads, and pins maps, with meta, below maps_dir and programs below pin_dir; the two differ while an upgrade is under way
 * (upgrade.h). The programs of the previous run stay pinned in addition to the new ones until loader_retire(): a filter that
 * still carries one of them must be known as ours. meta is written as given.
 */
int loader_load(const char *pin_dir, const char *maps_dir, const struct fw_meta *meta, struct loader **ret);
struct loader *loader_free(struct loader *l); /* accepts NULL, returns NULL; what is pinned stays */

/* Do the cgroup programs know our network namespace from others? */
bool loader_tells_netns(const struct loader *l);

/* Were there no counters and entries before? */
bool loader_is_fresh(const struct loader *l);

/* Descriptor of the program for a hook; is_l3 is about tc. */
int loader_program(const struct loader *l, enum fw_hook hook, enum fw_direction d, bool is_l3);

/* The kernel's id of it; 0 = it does not say. */
uint32_t loader_program_id(const struct loader *l, enum fw_hook hook, enum fw_direction d, bool is_l3);

/*
 * Loads the same program once more, with the same maps, and without a pin: it is to be replaced by the first one as soon
 * as possible. Silent.
 */
int loader_copy_program(const struct loader *l, enum fw_hook hook, enum fw_direction d, bool is_l3, int *ret_fd);

/* Is this a program of ours, of this run or one before? In the form of clsact_owns_fn. */
bool loader_owns(uint32_t prog_id, void *loader);

/* Everything runs the new programs: the old ones lose their pins. */
int loader_retire(struct loader *l);

int loader_write_meta(struct loader *l, const struct fw_meta *meta);

/* The directory of the maps has another name now. */
int loader_move_maps(struct loader *l, const char *maps_dir);

/* Makes our meta that of the pin directory, in one step. */
int loader_put_in_force(struct loader *l);

/* Puts back pins that somebody removed. Number of those put back, or negative. */
int loader_keep_pinned(struct loader *l);
