// SPDX-License-Identifier: GPL-2.0-or-later

/* Going through all entries, or all that cover something. */

#include <errno.h>

#include "base/cleanup.h"
#include "kernel/tick.h"
#include "state/table-internal.h"

struct walk {
	struct table *t;
	int family;
	table_raw_fn fn;
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

static int walk_table(struct table *t, enum fw_kind kind, table_raw_fn fn, void *userdata)
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

static int walk_ports(struct table *t, table_raw_fn fn, void *userdata)
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

int table_walk_raw(struct table *t, table_raw_fn fn, void *userdata)
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

	return table_walk_raw(t, walk_live_one, &w);
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
