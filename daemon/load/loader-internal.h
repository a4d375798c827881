/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Shared by the files of loader.h, and included by no others: the skeleton is in here. */

#include "fw.skel.h"
#include "load/loader.h"

#define NAME_MAX_PIN 64
#define SCHEMA_PIN "maps/schema"

/* Maps in maps. The code that makes entries also makes and exchanges these: held only to be pinned again. */
enum inner {
	INNER_TABLE4,
	INNER_TABLE6,
	INNER_FILTER4,
	INNER_FILTER6,
	INNER_ENDS,
	_INNER_MAX,
};

struct loader {
	char *pin_dir;
	char *maps_dir; /* the same, but while an upgrade is under way */
	struct fw *skel;
	bool is_fresh;
	int schema_fd;
	uint32_t *owned; /* ids of programs pinned by us, now or in a run before */
	size_t n_owned;
	int inner_fds[_INNER_MAX]; /* of those in use */
};

/* Below maps_dir: meta is pinned at the top, everything else below maps/. Returns name. */
const char *loader_map_name(const struct bpf_map *map, char name[static NAME_MAX_PIN]);

/* Takes over all pinned maps, or none. Before the object is loaded. */
int loader_reuse_maps(struct loader *l);

/* After it is: gives a pin to each map but meta, with the description of them, and to each program. */
int loader_pin_maps(struct loader *l);
int loader_pin_programs(struct loader *l);

struct bpf_program *loader_find_program(const struct fw *skel, enum fw_hook hook, enum fw_direction d, bool is_l3);
