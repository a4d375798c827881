// SPDX-License-Identifier: GPL-2.0-or-later

/* Entries that have ended go from the maps. */

#include "base/cleanup.h"
#include "kernel/tick.h"
#include "state/table-internal.h"

struct sweep {
	struct targets ended;
	uint32_t now;
	int r;
};

static int find_ended(struct table *t, const struct target *target, struct raw *raw, void *userdata)
{
	struct sweep *s = userdata;
	struct table_entry e;

	if (raw->entry.until == FW_UNTIL_NEVER)
		return 0;
	table_raw_to_entry(target, raw, s->now, &e);
	if (table_entry_lists(&e) != (raw->entry.lists[FW_INGRESS] | raw->entry.lists[FW_EGRESS]))
		return targets_add(&s->ended, target);
	return 0;
}

int table_sweep(struct table_writer *w, void (*fn)(const struct target *target, uint64_t lists, void *userdata),
		void *userdata)
{
	struct table *t = w->t;
	_cleanup_(targets_done) struct targets ended = {};
	struct sweep s = { .now = tick_now() };
	struct census_walk walk = { .census.next_end = FW_UNTIL_MAX };
	struct table_entry e;
	struct raw raw;
	bool was_there;
	int r;

	if (table_next_end(t) > s.now)
		return 0;

	table_mark(w);
	r = table_remove_stale_ends(w); /* before others become stale: no packet can have read those of a sweep ago */
	if (r >= 0)
		r = table_walk_raw(t, find_ended, &s);
	ended = s.ended;
	for (size_t i = 0; i < ended.n_items && r >= 0; i++) {
		r = table_entry_read(t, &ended.items[i], &raw, &was_there, &e);
		if (r < 0)
			break;
		r = table_entry_put(w, &e, was_there, &raw);
		if (r >= 0 && fn)
			fn(&ended.items[i],
			   (raw.entry.lists[FW_INGRESS] | raw.entry.lists[FW_EGRESS]) & ~table_entry_lists(&e), userdata);
	}
	if (r >= 0)
		r = table_walk_raw(t, table_count_one, &walk);
	if (r >= 0)
		t->census->next_end = walk.census.next_end;
	return r;
}
