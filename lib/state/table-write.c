// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Entries of the pinned tables. Every change goes through table_entry_put(), which takes an entry from
 * what it is to what it shall be in steps of which each leaves the kernel with a right answer:
 *
 *   a length's bit is set before its first entry comes, and cleared after its last has gone;
 *   ends are written before the entry that points to them, and removed after;
 *   a larger table is filled aside, pinned, put into its slot, and then named by one store (table-grow.c).
 */

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "kernel/tick.h"
#include "state/table-internal.h"

/* The reverse. True if the lists have different ends, which then are in raw->ends. */
static bool entry_to_raw(const struct table_entry *e, struct raw *raw)
{
	uint64_t all = table_entry_lists(e);
	bool is_mixed = false, is_first = true;

	raw->entry.lists[FW_INGRESS] = e->lists[FW_INGRESS];
	raw->entry.lists[FW_EGRESS] = e->lists[FW_EGRESS];
	raw->entry.until = FW_UNTIL_NEVER;
	for (unsigned i = 0; i < FW_LISTS_MAX; i++) /* ends are written before the entry: a list that is not in it has ended */
		raw->ends.until[i] = FW_UNTIL_MIXED;
	for (unsigned i = 0; i < FW_LISTS_MAX; i++) {
		if (!(all & 1ull << i))
			continue;
		raw->ends.until[i] = e->until[i];
		if (!is_first && e->until[i] != raw->entry.until)
			is_mixed = true;
		raw->entry.until = e->until[i];
		is_first = false;
	}
	if (is_mixed)
		raw->entry.until = FW_UNTIL_MIXED;
	return is_mixed;
}

int table_put_prefix(struct table_writer *w, const struct prefix *p, const struct fw_entry *entry)
{
	struct table *t = w->t;
	enum fw_kind kind = p->family == AF_INET ? FW_KIND_IPV4 : FW_KIND_IPV6;
	struct chains *c;
	int r;

	for (;;) {
		r = table_current(t, kind, &c);
		if (r < 0)
			return r;
		r = chains_put(c, p, entry);
		if (r == -E2BIG) {
			r = table_grow(w, kind, 0);
		} else if (r == -EXFULL) {
			r = table_reseed(w, kind);
		} else if (r == -EAGAIN) {
			r = table_wait(w, kind);
			if (r >= 0)
				r = chains_settle(c);
		} else {
			return r;
		}
		if (r < 0)
			return r;
	}
}

static int put_prefix(struct table_writer *w, const struct target *target, const struct fw_entry *entry, bool was_there)
{
	struct table *t = w->t;
	bool is_there = entry->lists[FW_INGRESS] | entry->lists[FW_EGRESS];
	__u64 *n = table_census_of(t, &target->prefix);
	struct chains *c;
	int r = 0;

	if (is_there) {
		if (!was_there) { /* the bit first: a writer killed here leaves one too many, not one too few */
			table_set_length(w, target->prefix.family, target->prefix.length, true);
			(*n)++;
			r = table_filter_add(w, target_fw_kind(target), &target->prefix);
		}
		if (r >= 0)
			r = table_put_prefix(w, &target->prefix, entry);
		if (r >= 0 || was_there)
			return r;
	} else {
		if (!was_there)
			return 0;
		r = table_current(t, target_fw_kind(target), &c);
		if (r >= 0)
			r = chains_remove(c, &target->prefix);
		if (r < 0)
			return r;
	}

	/* one less, or the one that could not be added after all */
	if (--*n == 0)
		table_set_length(w, target->prefix.family, target->prefix.length, false);
	return r;
}

/*
 * Has the end of one of its lists passed already? A packet that has just read the entry still needs the ends to see that;
 * otherwise an expired exception would let it pass. They stay until the next sweep or repair.
 */
static bool has_ended(const struct target *target, const struct raw *raw)
{
	struct table_entry e;

	table_raw_to_entry(target, raw, tick_now(), &e);
	return table_entry_lists(&e) != (raw->entry.lists[FW_INGRESS] | raw->entry.lists[FW_EGRESS]);
}

int table_entry_put(struct table_writer *w, const struct table_entry *want, bool was_there, const struct raw *was)
{
	bool is_port = want->target.kind == TARGET_PORT, was_mixed, is_mixed;
	struct raw raw = *was;
	struct fw_ends_key key;
	int r;

	was_mixed = was_there && was->entry.until == FW_UNTIL_MIXED;
	is_mixed = entry_to_raw(want, &raw) && table_entry_lists(want);
	key = table_ends_key(&want->target, raw.port_index);
	if (is_port && was_there)
		table_keep_ends(&raw, was);
	r = table_set_allow(w, table_entry_lists(want));
	if (r >= 0)
		r = table_publish_ports(w, &want->target, &raw, was_there, is_mixed);
	if (r < 0)
		return r;

	table_note_ends(w, want);
	if (is_mixed)
		r = table_ends_put(w, &key, &raw.ends);
	if (r < 0)
		return r;
	if (is_port)
		r = table_put_port(w, &want->target, &raw, was_there);
	else
		r = put_prefix(w, &want->target, &raw.entry, was_there);
	if (r >= 0 && was_mixed && !is_mixed && !is_port && !has_ended(&want->target, was))
		table_ends_remove(w, &key);
	if (r < 0) {
		if (is_mixed && !was_mixed)
			table_ends_remove(w, &key);
		else if (is_mixed)
			(void) table_ends_put(w, &key, &was->ends); /* it is there: this takes no room */
		return r;
	}

	table_count_in_lists(w, was_there ? was->entry.lists[FW_INGRESS] | was->entry.lists[FW_EGRESS] : 0,
			     table_entry_lists(want));
	return 0;
}
