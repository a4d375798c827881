// SPDX-License-Identifier: GPL-2.0-or-later

/* Addresses seen: see seen.h. */

#include "inspect/seen.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define BATCH 1024 /* addresses a system call moves; more than one bucket of the map ever has */

void seen_done(struct seen *s)
{
	free(s->items);
	*s = (struct seen){};
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct fw_seen_key)); /* an item begins with its key */
}

static int make_room(struct seen *s, size_t n_more)
{
	struct seen_item *items;

	if (s->n_items + n_more <= s->n_allocated)
		return 0;
	items = reallocarray(s->items, 2 * (s->n_items + n_more), sizeof(*items));
	if (!items)
		return -ENOMEM;
	s->items = items;
	s->n_allocated = 2 * (s->n_items + n_more);
	return 0;
}

int seen_read(struct seen *s, int map_fd)
{
	_cleanup_free_ struct fw_seen_key *keys = calloc(BATCH, sizeof(*keys));
	_cleanup_free_ struct fw_seen *values = calloc(BATCH, sizeof(*values));
	uint32_t cursor, n;
	void *in = NULL;
	int end = 0, r;

	if (!keys || !values)
		return -ENOMEM;
	s->n_items = 0;
	while (end == 0) {
		n = BATCH;
		if (bpf_map_lookup_batch(map_fd, in, &cursor, keys, values, &n, NULL) < 0)
			end = -errno;
		if (end < 0 && end != -ENOENT)
			return end;
		r = make_room(s, n);
		if (r < 0)
			return r;
		for (uint32_t i = 0; i < n; i++)
			s->items[s->n_items++] = (struct seen_item){ keys[i], values[i] };
		in = &cursor;
	}
	if (s->n_items > 0)
		qsort(s->items, s->n_items, sizeof(*s->items), compare);
	return 0;
}

static struct fw_seen_at subtract(const struct fw_seen_at *a, const struct fw_seen_at *b)
{
	return (struct fw_seen_at){
		.packets = a->packets - b->packets,
		.bytes = a->bytes - b->bytes,
		.syn = a->syn - b->syn,
		.dropped = a->dropped - b->dropped,
	};
}

/* Does one come after the other in the same life of an address? Nothing ever counts down. */
static bool is_later(const struct fw_seen *now, const struct fw_seen *then)
{
	for (size_t i = 0; i < FW_SEEN_MAX; i++)
		if (now->at[i].packets < then->at[i].packets || now->at[i].bytes < then->at[i].bytes ||
		    now->at[i].syn < then->at[i].syn || now->at[i].dropped < then->at[i].dropped)
			return false;
	return true;
}

struct seen_flow seen_since(const struct seen_item *now, const struct seen *before)
{
	static const struct fw_seen nothing;
	const struct fw_seen *then = &nothing;
	const struct seen_item *found = NULL;
	struct seen_flow flow = {};

	if (before->n_items > 0)
		found = bsearch(now, before->items, before->n_items, sizeof(*found), compare);
	if (found && is_later(&now->value, &found->value))
		then = &found->value;

	for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++) {
		struct fw_seen_at other = subtract(&now->value.at[FW_SEEN_OTHER_NETNS + d], &then->at[FW_SEEN_OTHER_NETNS + d]);
		uint64_t dropped = 0;

		flow.other_netns.packets += other.packets;
		flow.other_netns.dropped += other.dropped;

		for (enum fw_hook h = 0; h < _FW_HOOK_MAX; h++) {
			size_t i = fw_counters_index(h, d);
			struct fw_seen_at at = subtract(&now->value.at[i], &then->at[i]);

			dropped += at.dropped;
			if (at.packets > flow.at[d].packets)
				flow.at[d] = at;
		}
		flow.at[d].dropped = dropped;
	}
	return flow;
}
