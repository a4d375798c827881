/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The addresses that top shows, as the kernel has them at one moment; and the difference between two moments. The counters
 * of an address start from zero if others have taken its place in between. What was counted before is then lost.
 */

#include <stdbool.h>
#include <stddef.h>

#include "abi/abi.h"

struct seen_item {
	struct fw_seen_key key;
	struct fw_seen value;
};

/* Zero-initialise; free with seen_done(). */
struct seen {
	struct seen_item *items; /* by key */
	size_t n_items;
	size_t n_allocated;
};

void seen_done(struct seen *s);

/* Reads the map into *s, over what it had. */
int seen_read(struct seen *s, int map_fd);

/*
 * What came since: folded over the hooks, for a packet that passes several is noted at each. In either direction
 * the hook that noted most speaks for all, but drops add up: a packet is dropped once.
 */
struct seen_flow {
	struct fw_seen_at at[_FW_DIRECTION_MAX];
	struct fw_seen_at other_netns; /* packets and dropped, in neither: of both directions, in other network namespaces */
};

struct seen_flow seen_since(const struct seen_item *now, const struct seen *before);
