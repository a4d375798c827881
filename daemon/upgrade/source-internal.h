/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Shared by the files of source.h, and included by no others. */

#include <stdbool.h>

#include <bpf/bpf.h>

#include "upgrade/source.h"

enum map {
	MAP_LISTS,
	MAP_PORTS,
	MAP_ENDS,
	MAP_COUNTERS,
	MAP_LIST_COUNTERS,
	MAP_BASE_COUNTERS,
	MAP_BASE_LISTS,
	MAP_POLICY,
	MAP_TABLE4, /* the tables in use */
	MAP_TABLE6,
	_MAP_MAX,
};

struct source {
	char *dir;
	struct schema schema;
	const struct source *below;
	const char *missing;
	struct {
		int fd; /* -1 = somebody has removed it, or that version has none */
		struct bpf_map_info info;
		struct schema_plan read_key, read_value;
	} maps[_MAP_MAX];
	struct fw_table headers[2]; /* by enum fw_kind */
};
