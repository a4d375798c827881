// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Going through all entries, or all that cover something; and what needs that: counting anew after a
 * crash, and sweeping out what has ended.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "cleanup.h"
#include "table-internal.h"
#include "tick.h"

/* Told of each raw entry, whether it has ended or not. */
typedef int (*raw_fn)(struct table *t, const struct target *target, struct raw *raw, void *userdata);

struct walk {
	struct table *t;
	int family;
	raw_fn fn;
	void *userdata;
};

static int walk_one(const struct fw_slot *slot, void *userdata)
{
	const struct walk *w = userdata;
	struct target target = { .kind = TARGET_PREFIX, .prefix = chains_prefix(w->family, slot) };
	struct raw raw = { .entry = slot->entry };

	if (raw.entry.until == FW_UNTIL_MIXED) {
		struct fw_ends_key where = table_ends_key(&target, 0);

		(void) table_ends_get(w->t, &where, &raw.ends); /* gone: as the kernel, take it as without an end */
	}
	return w->fn(w->t, &target, &raw, w->userdata);
}

static int walk_table(struct table *t, enum fw_kind kind, raw_fn fn, void *userdata)
{
	struct walk w = {
		.t = t,
		.family = kind == FW_KIND_IPV4 ? AF_INET : AF_INET6,
		.fn = fn,
		.userdata = userdata,
	};
	struct chains *c;
	int r;

	r = table_current(t, kind, &c);
	return r < 0 ? r : chains_read_each(c, walk_one, &w);
}

static int walk_ports(struct table *t, raw_fn fn, void *userdata)
{
	int r = 0;

	for (unsigned i = 0; i < FW_PORT_ENTRIES_MAX && r >= 0; i++) {
		const struct fw_port *p = &t->ports[i];
		struct target target = {
			.kind = TARGET_PORT,
			.port = { .protocol = p->protocol, .first = p->first, .last = p->last },
		};
		struct raw raw = { .entry = p->entry, .port_index = i };

		if (!p->is_used)
			continue;
		if (raw.entry.until == FW_UNTIL_MIXED) {
			struct fw_ends_key where = table_ends_key(&target, i);

			(void) table_ends_get(t, &where, &raw.ends); /* gone: as the kernel, take it as without an end */
		}
		r = fn(t, &target, &raw, userdata);
	}
	return r;
}

static int walk_raw(struct table *t, raw_fn fn, void *userdata)
{
	int r;

	r = walk_table(t, FW_KIND_IPV4, fn, userdata);
	if (r >= 0)
		r = walk_table(t, FW_KIND_IPV6, fn, userdata);
	if (r >= 0)
		r = walk_ports(t, fn, userdata);
	return r;
}

struct live_walk {
	table_fn fn;
	void *userdata;
	uint32_t now;
	const struct target *covered; /* NULL: all; else ports that cover this one */
};

static int walk_live_one(struct table *t, const struct target *target, struct raw *raw, void *userdata)
{
	const struct live_walk *w = userdata;
	struct table_entry e;

	table_raw_to_entry(target, raw, w->now, &e);
	return table_entry_lists(&e) ? w->fn(&e, w->userdata) : 0;
}

int table_walk(struct table *t, table_fn fn, void *userdata)
{
	struct live_walk w = { .fn = fn, .userdata = userdata, .now = tick_now() };

	return walk_raw(t, walk_live_one, &w);
}

int table_walk_ports(struct table *t, table_fn fn, void *userdata)
{
	struct live_walk w = { .fn = fn, .userdata = userdata, .now = tick_now() };

	return walk_ports(t, walk_live_one, &w);
}

static int covering_ports(struct table *t, const struct target *target, table_fn fn, void *userdata)
{
	struct table_entry found[FW_PORT_OVERLAP_MAX], e;
	unsigned n_found = 0, at;
	uint32_t now = tick_now();
	int r = 0;

	for (unsigned i = 0; i < FW_PORT_ENTRIES_MAX; i++) {
		const struct fw_port *p = &t->ports[i];
		struct target t_port = {
			.kind = TARGET_PORT,
			.port = { .protocol = p->protocol, .first = p->first, .last = p->last },
		};
		struct raw raw;

		if (!p->is_used || p->protocol != target->port.protocol || p->first > target->port.first ||
		    p->last < target->port.last || table_raw_get(t, &t_port, &raw) < 0)
			continue;
		table_raw_to_entry(&t_port, &raw, now, &e);
		if (!table_entry_lists(&e) || n_found == FW_PORT_OVERLAP_MAX)
			continue;
		for (at = n_found++; at > 0; at--) {
			const struct target *before = &found[at - 1].target;

			if (before->port.last - before->port.first <= p->last - p->first)
				break;
			found[at] = found[at - 1];
		}
		found[at] = e;
	}
	for (unsigned i = 0; i < n_found && r >= 0; i++)
		r = fn(&found[i], userdata);
	return r;
}

int table_covering(struct table *t, const struct target *target, table_fn fn, void *userdata)
{
	struct target covering = { .kind = TARGET_PREFIX };
	struct table_entry e;
	int r;

	if (target->kind == TARGET_PORT)
		return covering_ports(t, target, fn, userdata);

	for (int length = target->prefix.length; length >= 0; length--) {
		covering.prefix = prefix_from_bytes(target->prefix.family, target->prefix.bytes, length);
		if (*table_census_of(t, &covering.prefix) == 0)
			continue;
		r = table_get(t, &covering, &e);
		if (r == -ENOENT)
			continue;
		if (r >= 0)
			r = fn(&e, userdata);
		if (r < 0)
			return r;
	}
	return 0;
}

struct prefix_walk {
	int (*fn)(const struct prefix *p, void *userdata);
	void *userdata;
};

static int walk_prefix_one(struct table *t, const struct target *target, struct raw *raw, void *userdata)
{
	const struct prefix_walk *w = userdata;

	return w->fn(&target->prefix, w->userdata);
}

int table_walk_prefixes(struct table *t, enum fw_kind kind, int (*fn)(const struct prefix *p, void *userdata),
			void *userdata)
{
	struct prefix_walk w = { .fn = fn, .userdata = userdata };

	return walk_table(t, kind, walk_prefix_one, &w);
}

uint64_t table_count_keys(struct table *t, enum fw_kind kind)
{
	struct prefix p = { .family = kind == FW_KIND_IPV4 ? AF_INET : AF_INET6 };
	uint64_t n = 0;

	for (unsigned length = 0; length <= prefix_full_length(p.family); length++) {
		p.length = length;
		n += filter_keys(&p) * *table_census_of(t, &p);
	}
	return n;
}

struct census_walk {
	struct fw_census census;
	uint64_t n_entries[FW_LISTS_MAX];
};

static int count_one(struct table *t, const struct target *target, struct raw *raw, void *userdata)
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
static int remove_stale_ends(struct table *t)
{
	struct fw_ends_key key, next;
	uint64_t n_ends = 0;
	struct raw raw;
	int more, r = 0;

	if (t->ports_changed)
		r = table_exchange_port_index(t);
	if (r >= 0)
		r = table_ends_repair(t);
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
			table_ends_remove(t, &key);
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

static int count_anew(struct table *t)
{
	/* who dies below has not repaired it: the mark stays until table_commit() */
	struct census_walk w = { .census = { .next_end = FW_UNTIL_MAX, .is_changing = 1 } };
	struct fw_list list;
	int r;

	table_drop_left_behind(t);
	t->ports_changed = true; /* to be exchanged by what follows: who died may have changed ports after the last exchange */
	r = repair_chains(t);
	if (r >= 0)
		r = remove_stale_ends(t);
	if (r >= 0)
		r = walk_raw(t, count_one, &w);
	if (r < 0)
		return r;

	memcpy(w.census.n_keys, t->census->n_keys, sizeof(w.census.n_keys));
	w.census.n_ends = t->census->n_ends;
	*t->census = w.census;
	for (unsigned i = 0; i <= 32; i++)
		table_set_length(t, AF_INET, i, w.census.v4[i] > 0);
	for (unsigned i = 0; i <= 128; i++)
		table_set_length(t, AF_INET6, i, w.census.v6[i] > 0);
	memset(t->n_more_entries, 0, sizeof(t->n_more_entries));
	for (unsigned i = 0; i < FW_LISTS_MAX; i++) {
		r = table_get_list(t, i, &list);
		if (r >= 0 && list.n_entries != w.n_entries[i]) {
			list.n_entries = w.n_entries[i];
			list.file_stamp = 0; /* whatever has become of them: the file may say something else */
			r = table_set_list(t, i, &list);
		}
		if (r < 0)
			return r;
	}
	for (enum fw_kind kind = FW_KIND_IPV4; kind <= FW_KIND_IPV6; kind++) {
		if (table_count(t, kind) == 0)
			continue;
		r = table_rebuild_filter(t, kind, 0);
		if (r < 0)
			return r;
	}
	return table_commit(t);
}

int table_repair(struct table *t)
{
	int r;

	t->is_changing = true; /* for table_commit(), which would repair first */
	__atomic_store_n(&t->census->is_changing, 1, __ATOMIC_SEQ_CST);
	r = count_anew(t);
	if (r < 0)
		table_abandon(t); /* and the next one tries again */
	return r;
}

void table_abandon(struct table *t)
{
	free(TAKE_PTR(t->port_index));
	t->ports_changed = false;
	memset(t->n_more_entries, 0, sizeof(t->n_more_entries));
	t->is_changing = false;
}

bool table_is_damaged(struct table *t)
{
	return t->census->is_changing && !t->is_changing;
}

int table_begin(struct table *t)
{
	int r;

	if (t->is_changing)
		return 0;
	if (table_is_damaged(t)) {
		r = table_repair(t);
		if (r < 0)
			return r;
	}
	t->is_changing = true;
	t->lists_checked = 0;
	__atomic_store_n(&t->census->is_changing, 1, __ATOMIC_SEQ_CST);
	return 0;
}

uint32_t table_next_end(struct table *t)
{
	return t->census->next_end ?: FW_UNTIL_MAX;
}

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

int table_sweep(struct table *t, void (*fn)(const struct target *target, uint64_t lists, void *userdata),
		void *userdata)
{
	_cleanup_(targets_done) struct targets ended = {};
	struct sweep s = { .now = tick_now() };
	struct census_walk w = { .census.next_end = FW_UNTIL_MAX };
	struct table_entry e;
	struct raw raw;
	bool was_there;
	int r;

	if (table_next_end(t) > s.now)
		return 0;

	r = table_begin(t);
	if (r >= 0)
		r = remove_stale_ends(t); /* before others become stale: no packet can have read those of a sweep ago */
	if (r >= 0)
		r = walk_raw(t, find_ended, &s);
	ended = s.ended;
	for (size_t i = 0; i < ended.n_items && r >= 0; i++) {
		r = table_entry_read(t, &ended.items[i], &raw, &was_there, &e);
		if (r < 0)
			break;
		r = table_entry_put(t, &e, was_there, &raw);
		if (r >= 0 && fn)
			fn(&ended.items[i],
			   (raw.entry.lists[FW_INGRESS] | raw.entry.lists[FW_EGRESS]) & ~table_entry_lists(&e), userdata);
	}
	if (r >= 0)
		r = walk_raw(t, count_one, &w);
	if (r >= 0)
		t->census->next_end = w.census.next_end;
	return r;
}
