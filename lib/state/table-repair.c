// SPDX-License-Identifier: GPL-2.0-or-later

/* What a dead writer has left is removed, and what follows from the entries is counted again. */

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "state/table-internal.h"

int table_count_one(struct table *t, const struct target *target, struct raw *raw, void *userdata)
{
	uint64_t lists = raw->entry.lists[FW_INGRESS] | raw->entry.lists[FW_EGRESS];
	struct census_walk *w = userdata;

	if (target->kind == TARGET_PREFIX) {
		if (target->prefix.family == AF_INET)
			w->census.v4[target->prefix.length]++;
		else
			w->census.v6[target->prefix.length]++;
	}
	for (unsigned i = 0; i < FW_LISTS_MAX; i++) {
		uint32_t until = raw->entry.until == FW_UNTIL_MIXED ? raw->ends.until[i] : raw->entry.until;

		if (!(lists & 1ull << i))
			continue;
		w->n_entries[i]++;
		if (until != FW_UNTIL_NEVER && until < w->census.next_end)
			w->census.next_end = until;
	}
	return 0;
}

/*
 * Ends whose entry has gone or needs none any more: left by a writer that died between the two. Those of a port are needed
 * until packets have an index without them. Counts the others.
 */
int table_remove_stale_ends(struct table_writer *w)
{
	struct table *t = w->t;
	struct fw_ends_key key, next;
	uint64_t n_ends = 0;
	struct raw raw;
	int more, r = 0;

	if (w->ports_changed)
		r = table_exchange_port_index(w);
	if (r >= 0)
		r = table_ends_repair(w);
	if (r < 0)
		return r;
	more = table_ends_next(t, NULL, &next);
	while (more >= 0) {
		struct target target = { .kind = TARGET_PREFIX };

		key = next;
		more = table_ends_next(t, &key, &next); /* while the key is there: after one that is gone the kernel starts over */
		if (key.kind == FW_KIND_PORT) {
			raw.entry.until = t->ports[key.prefixlen % FW_PORT_ENTRIES_MAX].entry.until;
			r = t->ports[key.prefixlen % FW_PORT_ENTRIES_MAX].is_used ? 0 : -ENOENT;
		} else {
			target.prefix = prefix_from_bytes(key.kind == FW_KIND_IPV4 ? AF_INET : AF_INET6, key.addr,
							  key.prefixlen);
			r = table_raw_get(t, &target, &raw);
		}
		if (r < 0 && r != -ENOENT)
			return r;
		if (r == -ENOENT || raw.entry.until != FW_UNTIL_MIXED)
			table_ends_remove(w, &key);
		else
			n_ends++;
	}
	t->census->n_ends = n_ends;
	return 0;
}

static int repair_chains(struct table *t)
{
	struct chains *c;
	int r = 0;

	for (enum fw_kind kind = FW_KIND_IPV4; kind <= FW_KIND_IPV6 && r >= 0; kind++) {
		r = table_current(t, kind, &c);
		if (r >= 0)
			r = chains_repair(c);
	}
	return r;
}

int table_count_anew(struct table_writer *w)
{
	struct table *t = w->t;

	/* if this process is killed below, nothing is repaired: the mark stays until table_commit() */
	struct census_walk walk = { .census = { .next_end = FW_UNTIL_MAX, .is_changing = 1 } };
	struct fw_list list;
	int r;

	table_drop_left_behind(w);
	w->ports_changed = true; /* for the exchange below: the killed writer may have changed ports after the last one */
	r = repair_chains(t);
	if (r >= 0)
		r = table_remove_stale_ends(w);
	if (r >= 0)
		r = table_walk_raw(t, table_count_one, &walk);
	if (r < 0)
		return r;

	memcpy(walk.census.n_keys, t->census->n_keys, sizeof(walk.census.n_keys));
	walk.census.n_ends = t->census->n_ends;
	*t->census = walk.census;
	for (unsigned i = 0; i <= 32; i++)
		table_set_length(w, AF_INET, i, walk.census.v4[i] > 0);
	for (unsigned i = 0; i <= 128; i++)
		table_set_length(w, AF_INET6, i, walk.census.v6[i] > 0);
	memset(w->n_more_entries, 0, sizeof(w->n_more_entries));
	for (unsigned i = 0; i < FW_LISTS_MAX; i++) {
		r = table_get_list(t, i, &list);
		if (r >= 0 && list.n_entries != walk.n_entries[i]) {
			list.n_entries = walk.n_entries[i];
			list.file_stamp = 0; /* the count differs, so the file may differ, too */
			r = table_put_list(w, i, &list);
		}
		if (r < 0)
			return r;
	}
	for (enum fw_kind kind = FW_KIND_IPV4; kind <= FW_KIND_IPV6; kind++) {
		if (table_count(t, kind) == 0)
			continue;
		r = table_rebuild_filter(w, kind, 0);
		if (r < 0)
			return r;
	}
	return 0;
}
