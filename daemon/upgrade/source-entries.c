// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Entries of any version, and their hits: see source.h. Tables are read from end to end, in the order of their slots. Only
 * that version needs to know how an entry is found in one.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "kernel/room.h"
#include "upgrade/source-internal.h"

#define BATCH 4096

uint32_t source_room(const struct source *s, enum fw_kind kind)
{
	return s->headers[kind].n_entries;
}

/* One element of a table. Is it an entry? -EPROTO: it is none of any version. */
static int read_element(const struct source *s, enum fw_kind kind, const char *value, struct prefix *ret,
			struct fw_entry *ret_entry)
{
	int family = kind == FW_KIND_IPV4 ? AF_INET : AF_INET6;
	struct fw_slot slot;

	schema_convert(&s->maps[MAP_TABLE4 + kind].read_value, value, &slot);
	if (!slot.is_used)
		return 0;
	if (slot.prefixlen > prefix_full_length(family))
		return -EPROTO;
	*ret = prefix_from_halves(family, (struct prefix_halves){ slot.high, slot.low }, slot.prefixlen);
	*ret_entry = slot.entry;
	return 1;
}

int source_each_entry(const struct source *s, enum fw_kind kind, source_entry_fn fn, void *userdata)
{
	enum map m = MAP_TABLE4 + kind;
	const struct bpf_map_info *info = &s->maps[m].info;
	_cleanup_free_ char *keys = NULL, *values = NULL;
	uint32_t cursor = s->headers[kind].first_slot - 1, n; /* the index before the next one */
	struct fw_entry entry;
	struct prefix p;
	int r = 0, end = 0;

	if (s->maps[m].fd < 0)
		return 0;
	keys = calloc(BATCH, info->key_size);
	values = calloc(BATCH, info->value_size);
	if (!keys || !values)
		return -ENOMEM;
	while (end == 0 && r >= 0) {
		n = BATCH;
		if (bpf_map_lookup_batch(s->maps[m].fd, &cursor, &cursor, keys, values, &n, NULL) < 0)
			end = -errno;
		if (end < 0 && end != -ENOENT) /* the end of the table; n came all the same */
			return end;
		for (uint32_t i = 0; i < n && r >= 0; i++) {
			r = read_element(s, kind, values + i * info->value_size, &p, &entry);
			if (r > 0)
				r = fn(&p, &entry, userdata);
		}
	}
	return r;
}

/* Hits of the source below, sorted: a pending entry finds its own in there. */
struct hit {
	struct prefix prefix; /* first: what is sought is compared as a prefix */
	uint32_t last_hit;
	uint64_t hits;
};

struct hits {
	struct hit *all;
	size_t n, n_allocated;
};

static int compare_hits(const void *a, const void *b)
{
	return prefix_compare(a, b);
}

/* For source_each_hits(). */
static int keep_hits(const struct prefix *p, uint64_t hits, uint32_t last_hit, void *userdata)
{
	struct hits *h = userdata;
	size_t n_more = h->n_allocated + BATCH;
	struct hit *all;

	if (h->n == h->n_allocated) {
		all = room_ask(n_more * sizeof(*all)) < 0 ? NULL :
			      reallocarray(h->all, h->n_allocated + n_more, sizeof(*all));
		if (!all)
			return -ENOMEM;
		h->all = all;
		h->n_allocated += n_more;
	}
	h->all[h->n++] = (struct hit){ .prefix = *p, .hits = hits, .last_hit = last_hit };
	return 0;
}

struct hits_walk {
	struct hits below;
	source_hits_fn fn;
	void *userdata;
};

static void hits_walk_done(struct hits_walk *w)
{
	free(w->below.all);
}

/* For source_each_entry(). */
static int tell_hits(const struct prefix *p, const struct fw_entry *entry, void *userdata)
{
	uint64_t hits = entry->hits & ~FW_HITS_PENDING;
	const struct hits_walk *w = userdata;
	uint32_t last_hit = entry->last_hit;
	const struct hit *below = NULL;

	if (entry->hits & FW_HITS_PENDING && w->below.n > 0)
		below = bsearch(p, w->below.all, w->below.n, sizeof(*below), compare_hits);
	if (below) {
		hits += below->hits;
		if (last_hit < below->last_hit)
			last_hit = below->last_hit;
	}
	return hits == 0 ? 0 : w->fn(p, hits, last_hit, w->userdata);
}

/* Each set has an array of hits for as long as the one above it makes its own: two at a time, however many sets. */
int source_each_hits(const struct source *s, source_hits_fn fn, void *userdata)
{
	_cleanup_(hits_walk_done) struct hits_walk w = { .fn = fn, .userdata = userdata };
	int r = 0;

	if (s->below)
		r = source_each_hits(s->below, keep_hits, &w.below);
	if (w.below.n > 0)
		qsort(w.below.all, w.below.n, sizeof(*w.below.all), compare_hits);
	for (enum fw_kind kind = FW_KIND_IPV4; kind <= FW_KIND_IPV6 && r >= 0; kind++)
		r = source_each_entry(s, kind, tell_hits, &w);
	return r;
}
