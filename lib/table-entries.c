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

#include <bpf/bpf.h>

#include "cleanup.h"
#include "table-internal.h"
#include "tick.h"

struct fw_ends_key table_ends_key(const struct target *target, unsigned port_index)
{
	struct fw_ends_key key = { .kind = target_fw_kind(target) };

	if (key.kind == FW_KIND_PORT) {
		key.prefixlen = port_index;
	} else {
		key.prefixlen = target->prefix.length;
		memcpy(key.addr, target->prefix.bytes, prefix_full_length(target->prefix.family) / 8);
	}
	return key;
}

__u64 *table_census_of(struct table *t, const struct prefix *p)
{
	return p->family == AF_INET ? &t->census->v4[p->length] : &t->census->v6[p->length];
}

void table_set_length(struct table *t, int family, unsigned length, bool in_use)
{
	unsigned position = prefix_full_length(family) - length;
	__u64 *word = family == AF_INET ? &t->policy->lengths4 : &t->policy->lengths6[position / 64];
	uint64_t bit = 1ull << (position % 64);

	if (in_use)
		__atomic_fetch_or(word, bit, __ATOMIC_SEQ_CST);
	else
		__atomic_fetch_and(word, ~bit, __ATOMIC_SEQ_CST);
}

int table_current(struct table *t, enum fw_kind kind, struct chains **ret)
{
	const uint32_t *generation = &t->policy->table_generation[kind];
	char name[TABLE_PIN_MAX];
	struct chains *c;
	int r = -ENOENT;

	for (int i = 0; i < 3; i++) { /* it may change between reading its number and opening it */
		uint32_t now = __atomic_load_n(generation, __ATOMIC_ACQUIRE);
		_cleanup_close_ int fd = -1;

		if (t->chains[kind] && t->table_generation[kind] == now) {
			*ret = t->chains[kind];
			return 0;
		}
		r = fd = pins_open(t->pin_dir, table_pin_name(kind, fw_slot(now), name));
		if (r == -ENOENT)
			continue;
		if (r >= 0)
			r = chains_open(fd, &c);
		if (r < 0)
			return r;
		TAKE_FD(fd);
		chains_free(t->chains[kind]);
		t->chains[kind] = c;
		t->table_generation[kind] = now;
	}
	if (r < 0)
		return r;
	*ret = t->chains[kind];
	return 0;
}

int table_raw_get(struct table *t, const struct target *target, struct raw *ret)
{
	struct fw_ends_key key;
	struct chains *c;
	int r;

	memset(ret, 0, sizeof(*ret));
	if (target->kind == TARGET_PORT) {
		r = table_get_port(t, target, ret);
		if (r < 0)
			return r;
	} else {
		r = table_current(t, target_fw_kind(target), &c);
		if (r >= 0)
			r = chains_read(c, &target->prefix, &ret->entry);
		if (r < 0)
			return r;
	}

	if (ret->entry.until == FW_UNTIL_MIXED) {
		key = table_ends_key(target, ret->port_index);
		r = table_ends_get(t, &key, &ret->ends);
		if (r < 0 && r != -ENOENT)
			return r;
	}
	return 0;
}

void table_raw_to_entry(const struct target *target, const struct raw *raw, uint32_t now, struct table_entry *ret)
{
	uint64_t all = raw->entry.lists[FW_INGRESS] | raw->entry.lists[FW_EGRESS];

	*ret = (struct table_entry){
		.target = *target,
		.hits = raw->entry.hits & ~FW_HITS_PENDING,
		.last_hit = raw->entry.last_hit,
	};
	for (unsigned i = 0; i < FW_LISTS_MAX; i++) {
		uint64_t bit = 1ull << i;
		uint32_t until;

		if (!(all & bit))
			continue;
		until = raw->entry.until == FW_UNTIL_MIXED ? raw->ends.until[i] : raw->entry.until;
		if (until != FW_UNTIL_NEVER && until <= now)
			continue;
		ret->until[i] = until;
		for (unsigned d = 0; d < _FW_DIRECTION_MAX; d++)
			ret->lists[d] |= raw->entry.lists[d] & bit;
	}
}

/* The reverse. True if the lists have different ends, which then are in raw->ends. */
static bool entry_to_raw(const struct table_entry *e, struct raw *raw)
{
	uint64_t all = table_entry_lists(e);
	bool is_mixed = false, is_first = true;

	raw->entry.lists[FW_INGRESS] = e->lists[FW_INGRESS];
	raw->entry.lists[FW_EGRESS] = e->lists[FW_EGRESS];
	raw->entry.until = FW_UNTIL_NEVER;
	for (unsigned i = 0; i < FW_LISTS_MAX; i++) /* ends are written before the entry: who is not in it has ended */
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

int table_put_prefix(struct table *t, const struct prefix *p, const struct fw_entry *entry)
{
	enum fw_kind kind = p->family == AF_INET ? FW_KIND_IPV4 : FW_KIND_IPV6;
	struct chains *c;
	int r;

	for (;;) {
		r = table_current(t, kind, &c);
		if (r < 0)
			return r;
		r = chains_put(c, p, entry);
		if (r == -E2BIG) {
			r = table_grow(t, kind, 0);
		} else if (r == -EXFULL) {
			r = table_reseed(t, kind);
		} else if (r == -EAGAIN) {
			r = table_wait(t, kind);
			if (r >= 0)
				r = chains_settle(c);
		} else {
			return r;
		}
		if (r < 0)
			return r;
	}
}

static int put_prefix(struct table *t, const struct target *target, const struct fw_entry *entry, bool was_there)
{
	bool is_there = entry->lists[FW_INGRESS] | entry->lists[FW_EGRESS];
	__u64 *n = table_census_of(t, &target->prefix);
	struct chains *c;
	int r = 0;

	if (is_there) {
		if (!was_there) { /* the bit first: whoever dies here leaves one too many, not one too few */
			table_set_length(t, target->prefix.family, target->prefix.length, true);
			(*n)++;
			r = table_filter_add(t, target_fw_kind(target), &target->prefix);
		}
		if (r >= 0)
			r = table_put_prefix(t, &target->prefix, entry);
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
		table_set_length(t, target->prefix.family, target->prefix.length, false);
	return r;
}

void table_count_in_lists(struct table *t, uint64_t was, uint64_t is)
{
	for (unsigned i = 0; i < FW_LISTS_MAX && was != is; i++) {
		uint64_t bit = 1ull << i;

		if ((was ^ is) & bit)
			t->n_more_entries[i] += is & bit ? 1 : -1;
	}
}

static void note_ends(struct table *t, const struct table_entry *e)
{
	for (unsigned i = 0; i < FW_LISTS_MAX; i++)
		if (table_entry_lists(e) & 1ull << i && e->until[i] != FW_UNTIL_NEVER &&
		    (t->census->next_end == 0 || e->until[i] < t->census->next_end))
			t->census->next_end = e->until[i];
}

/*
 * Has a list let go of it already? A packet that has just read the entry still needs the ends to see that; an
 * exception that is over would let it pass. They stay until the next sweep or repair.
 */
static bool has_ended(const struct target *target, const struct raw *raw)
{
	struct table_entry e;

	table_raw_to_entry(target, raw, tick_now(), &e);
	return table_entry_lists(&e) != (raw->entry.lists[FW_INGRESS] | raw->entry.lists[FW_EGRESS]);
}

int table_entry_put(struct table *t, const struct table_entry *want, bool was_there, const struct raw *was)
{
	bool is_port = want->target.kind == TARGET_PORT, was_mixed, is_mixed;
	struct raw raw = *was;
	struct fw_ends_key key;
	int r;

	if (!was_there && !table_entry_lists(want))
		return 0;
	r = table_begin(t);
	if (r < 0)
		return r;
	was_mixed = was_there && was->entry.until == FW_UNTIL_MIXED;
	is_mixed = entry_to_raw(want, &raw) && table_entry_lists(want);
	key = table_ends_key(&want->target, raw.port_index);
	if (is_port && was_there)
		table_keep_ends(&raw, was);
	r = table_set_allow(t, table_entry_lists(want));
	if (r >= 0)
		r = table_publish_ports(t, &want->target, &raw, was_there, is_mixed);
	if (r < 0)
		return r;

	note_ends(t, want);
	if (is_mixed)
		r = table_ends_put(t, &key, &raw.ends);
	if (r < 0)
		return r;
	if (is_port)
		r = table_put_port(t, &want->target, &raw, was_there);
	else
		r = put_prefix(t, &want->target, &raw.entry, was_there);
	if (r >= 0 && was_mixed && !is_mixed && !is_port && !has_ended(&want->target, was))
		table_ends_remove(t, &key);
	if (r < 0) {
		if (is_mixed && !was_mixed)
			table_ends_remove(t, &key);
		else if (is_mixed)
			(void) table_ends_put(t, &key, &was->ends); /* it is there: this takes no room */
		return r;
	}

	table_count_in_lists(t, was_there ? was->entry.lists[FW_INGRESS] | was->entry.lists[FW_EGRESS] : 0,
			     table_entry_lists(want));
	return 0;
}

int table_get(struct table *t, const struct target *target, struct table_entry *ret)
{
	struct raw raw;
	int r;

	r = table_raw_get(t, target, &raw);
	if (r < 0 && r != -ENOENT)
		return r;
	if (r == -ENOENT)
		memset(&raw.entry, 0, sizeof(raw.entry));
	table_raw_to_entry(target, &raw, tick_now(), ret);
	return table_entry_lists(ret) ? 0 : -ENOENT;
}

bool table_holds(struct table *t, const struct target *target)
{
	struct raw raw;

	if (target->kind == TARGET_PREFIX && !table_may_hold(t, target_fw_kind(target), &target->prefix))
		return false;
	return table_raw_get(t, target, &raw) != -ENOENT;
}

int table_entry_read(struct table *t, const struct target *target, struct raw *ret_raw, bool *ret_was_there,
		      struct table_entry *ret)
{
	int r = table_raw_get(t, target, ret_raw);

	if (r < 0 && r != -ENOENT)
		return r;
	*ret_was_there = r >= 0;
	table_raw_to_entry(target, ret_raw, tick_now(), ret);
	return 0;
}

/* A table may have room beyond MaxEntries=, which was set lower since. list: that which the entry comes into. */
static int put_within_limit(struct table *t, unsigned list, const struct table_entry *want, bool was_there,
			    const struct raw *was)
{
	enum fw_kind kind = target_fw_kind(&want->target);
	int r;

	r = table_begin(t); /* what a dead writer has counted is not to be believed */
	if (r < 0)
		return r;
	/* the lists are asked only when it matters: there may be a million to come. Ports are counted by their places */
	if (!was_there && table_count(t, kind) >= t->meta.max_entries &&
	    table_count(t, kind) >= table_limit_for(t, kind, list))
		return -E2BIG;
	return table_entry_put(t, want, was_there, was);
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

int table_add(struct table *t, const struct target *target, unsigned list, unsigned directions, uint32_t until,
	      bool *ret_is_new)
{
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
	r = put_within_limit(t, list, &e, was_there, &raw);
	if (r == -E2BIG && table_next_end(t) <= tick_now()) { /* what has ended still takes room */
		struct table_entry swept;

		r = table_sweep(t, NULL, NULL);
		if (r >= 0)
			r = table_entry_read(t, target, &raw, &was_there, &swept);
		if (r >= 0)
			r = put_within_limit(t, list, &e, was_there, &raw);
	}
	if (r < 0)
		return r;
	if (ret_is_new)
		*ret_is_new = is_new;
	return 0;
}

int table_put_back(struct table *t, const struct target *target, unsigned list, unsigned directions)
{
	struct table_entry e;
	struct raw raw;
	bool was_there;
	int r;

	r = table_entry_read(t, target, &raw, &was_there, &e);
	if (r < 0)
		return r;
	put_in_list(&e, list, directions, FW_UNTIL_NEVER);
	return table_entry_put(t, &e, was_there, &raw);
}

int table_remove(struct table *t, const struct target *target, unsigned list)
{
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
	return table_entry_put(t, &e, was_there, &raw);
}

int table_restore(struct table *t, const struct table_entry *before)
{
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
	return table_entry_put(t, before, was_there, &raw);
}

uint64_t table_count(struct table *t, enum fw_kind kind)
{
	uint64_t n = 0;

	if (kind == FW_KIND_IPV4)
		for (unsigned i = 0; i <= 32; i++)
			n += t->census->v4[i];
	else if (kind == FW_KIND_IPV6)
		for (unsigned i = 0; i <= 128; i++)
			n += t->census->v6[i];
	else
		for (unsigned i = 0; i < FW_PORT_ENTRIES_MAX; i++)
			n += t->ports[i].is_used;
	return n;
}

/* Of all lists that allow. An entry that a list blocks as well counts, too: then there is a little more room. */
static uint64_t count_exceptions(struct table *t)
{
	struct fw_list list;
	uint64_t n = 0;

	for (unsigned i = 0; i < FW_LISTS_MAX; i++)
		if (table_get_list(t, i, &list) >= 0 && list.action == FW_ACTION_ALLOW)
			n += list.n_entries + t->n_more_entries[i];
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
