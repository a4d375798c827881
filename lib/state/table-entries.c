// SPDX-License-Identifier: GPL-2.0-or-later

/* Changes of single entries, within MaxEntries=: see table.h. */

#include <errno.h>

#include "base/cleanup.h"
#include "kernel/tick.h"
#include "state/table-internal.h"

bool table_holds(struct table *t, const struct target *target)
{
	struct raw raw;

	if (target->kind == TARGET_PREFIX && !table_may_hold(t, target_fw_kind(target), &target->prefix))
		return false;
	return table_raw_get(t, target, &raw) != -ENOENT;
}

/* To want, within a series of changes that table_commit() ends. */
static int change_entry(struct table_writer *w, const struct table_entry *want, bool was_there, const struct raw *was)
{
	if (!was_there && !table_entry_lists(want))
		return 0;
	table_mark(w);
	return table_entry_put(w, want, was_there, was);
}

/* A table may have room beyond MaxEntries=, which was set lower since. list: that which the entry comes into. */
static int put_within_limit(struct table_writer *w, unsigned list, const struct table_entry *want, bool was_there,
			    const struct raw *was)
{
	struct table *t = w->t;
	enum fw_kind kind = target_fw_kind(&want->target);
	int r;

	if (kind == FW_KIND_PORT) {
		r = table_admit_port(t, &want->target, list, was, was_there);
		if (r < 0)
			return r;
	}
	/* the lists are asked only when it matters: there may be a million to come. Ports are counted by their places */
	if (!was_there && table_count(t, kind) >= t->meta.max_entries &&
	    table_count(t, kind) >= table_limit_for(t, kind, list))
		return -E2BIG;
	table_mark(w);
	return table_entry_put(w, want, was_there, was);
}

static void put_in_list(struct table_entry *e, unsigned list, unsigned directions, uint32_t until)
{
	uint64_t bit = 1ull << list;

	for (unsigned d = 0; d < _FW_DIRECTION_MAX; d++) {
		e->lists[d] &= ~bit;
		if (directions & 1u << d)
			e->lists[d] |= bit;
	}
	e->until[list] = until;
}

int table_add(struct table_writer *w, const struct target *target, unsigned list, unsigned directions, uint32_t until,
	      bool *ret_is_new)
{
	struct table *t = w->t;
	struct table_entry e;
	bool was_there, is_new;
	struct raw raw;
	int r;

	if (list >= FW_LISTS_MAX || !(directions & FW_BOTH) || directions & ~FW_BOTH)
		return -EINVAL;
	r = table_entry_read(t, target, &raw, &was_there, &e);
	if (r < 0)
		return r;

	is_new = !(table_entry_lists(&e) & 1ull << list);
	put_in_list(&e, list, directions, until);
	r = put_within_limit(w, list, &e, was_there, &raw);
	if (r == -E2BIG && table_next_end(t) <= tick_now()) { /* what has ended still takes room */
		struct table_entry swept;

		r = table_sweep(w, NULL, NULL);
		if (r >= 0)
			r = table_entry_read(t, target, &raw, &was_there, &swept);
		if (r >= 0)
			r = put_within_limit(w, list, &e, was_there, &raw);
	}
	if (r < 0)
		return r;
	if (ret_is_new)
		*ret_is_new = is_new;
	return 0;
}

int table_put_back(struct table_writer *w, const struct target *target, unsigned list, unsigned directions)
{
	struct table *t = w->t;
	struct table_entry e;
	struct raw raw;
	bool was_there;
	int r;

	r = table_entry_read(t, target, &raw, &was_there, &e);
	if (r < 0)
		return r;
	put_in_list(&e, list, directions, FW_UNTIL_NEVER);
	return change_entry(w, &e, was_there, &raw);
}

int table_remove(struct table_writer *w, const struct target *target, unsigned list)
{
	struct table *t = w->t;
	uint64_t bit = 1ull << list;
	struct table_entry e;
	struct raw raw;
	bool was_there;
	int r;

	if (list >= FW_LISTS_MAX)
		return -EINVAL;
	r = table_entry_read(t, target, &raw, &was_there, &e);
	if (r < 0)
		return r;
	if (!(table_entry_lists(&e) & bit))
		return -ENOENT;
	for (unsigned d = 0; d < _FW_DIRECTION_MAX; d++)
		e.lists[d] &= ~bit;
	return change_entry(w, &e, was_there, &raw);
}

int table_restore(struct table_writer *w, const struct table_entry *before)
{
	struct table *t = w->t;
	struct table_entry now;
	struct raw raw;
	bool was_there;
	int r;

	r = table_entry_read(t, &before->target, &raw, &was_there, &now);
	if (r < 0)
		return r;
	if (!was_there) { /* its counters come back with it */
		raw.entry.hits = before->hits;
		raw.entry.last_hit = before->last_hit;
	}
	return change_entry(w, before, was_there, &raw);
}

/* Of all lists that allow. An entry that a list blocks as well counts, too: then there is a little more room. */
static uint64_t count_exceptions(struct table *t)
{
	struct fw_list list;
	uint64_t n = 0;

	for (unsigned i = 0; i < FW_LISTS_MAX; i++)
		if (table_get_list(t, i, &list) >= 0 && list.action == FW_ACTION_ALLOW)
			n += list.n_entries + t->writer.n_more_entries[i];
	return n < FW_EXCEPTIONS_MAX ? n : FW_EXCEPTIONS_MAX;
}

uint64_t table_limit(struct table *t, enum fw_kind kind)
{
	return kind == FW_KIND_PORT ? FW_PORT_ENTRIES_MAX : t->meta.max_entries + count_exceptions(t);
}

uint64_t table_limit_for(struct table *t, enum fw_kind kind, unsigned list)
{
	struct fw_list l;

	if (kind != FW_KIND_PORT && table_get_list(t, list, &l) >= 0 && l.action == FW_ACTION_ALLOW)
		return t->meta.max_entries + FW_EXCEPTIONS_MAX;
	return table_limit(t, kind);
}

int table_reserve(struct table_writer *w, enum fw_kind kind, uint64_t n_more)
{
	struct table *t = w->t;
	int r;

	if (n_more == 0)
		return 0;
	table_mark(w);
	r = table_filter_reserve(w, kind, n_more); /* first: it is small. Short prefixes take more, when they come */
	return r < 0 ? r : table_grow(w, kind, table_count(t, kind) + n_more);
}
