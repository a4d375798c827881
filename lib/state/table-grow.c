// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Replaces the entry table in use by a larger or a smaller one: fills it aside, pins it, puts it into the other slot, and
 * names it with one store. If a writer is killed on the way, the old table is still active and complete.
 */

#include <errno.h>

#include <bpf/bpf.h>

#include "base/cleanup.h"
#include "kernel/room.h"
#include "state/table-internal.h"

#define SHORT_MAX   16384
#define GROWTH_MIN  16 /* growing by less than this part, where memory is short, would copy the table all the time */
#define GROWTH_STEP 1024
#define SEEDS_MAX   8 /* tries to find one with which no chain is too long: the second is good already */

/*
 * From one table to another. Packets count hits in the old one until it is out of use. So each slot says which of its hits
 * were copied, and later hits are added then; if this process is killed, by the next one that finds the old table.
 */
struct exchange {
	int family;
	struct chains *to;
};

static int copy_one(struct fw_slot *slot, void *userdata)
{
	const struct exchange *x = userdata;
	struct prefix p = chains_prefix(x->family, slot);
	struct fw_entry entry = slot->entry;

	slot->copied_hits = entry.hits;
	return chains_put(x->to, &p, &entry);
}

void table_add_hits(struct fw_entry *entry, uint64_t hits, uint32_t last_hit)
{
	if (entry->last_hit < last_hit)
		entry->last_hit = last_hit;
	__atomic_fetch_add(&entry->hits, hits, __ATOMIC_SEQ_CST);
}

/* Noted first: to die in between loses those of one entry, and counts none twice. */
static int add_late_hits(struct fw_slot *slot, void *userdata)
{
	uint64_t late = slot->entry.hits - slot->copied_hits;
	const struct exchange *x = userdata;
	struct prefix p = chains_prefix(x->family, slot);
	struct fw_slot *to;

	slot->copied_hits += late;
	if (late && chains_find(x->to, &p, &to) >= 0)
		table_add_hits(&to->entry, late, slot->entry.last_hit);
	return 0;
}

static int family_of(enum fw_kind kind)
{
	return kind == FW_KIND_IPV4 ? AF_INET : AF_INET6;
}

static int copy_all(struct chains *from, enum fw_kind kind, uint32_t n_entries, struct exchange *ret)
{
	struct exchange x = { .family = family_of(kind) };
	int r = -EXFULL;

	for (unsigned n = 0; n < SEEDS_MAX && r == -EXFULL; n++) {
		r = chains_new(n_entries, &x.to);
		if (r < 0)
			return r;
		r = chains_each(from, copy_one, &x);
		if (r < 0)
			x.to = chains_free(x.to);
	}
	if (r >= 0)
		*ret = x;
	return r;
}

/* A table takes its memory at once: short ones double, long ones grow by a part. */
static uint64_t next_size(uint64_t at_least)
{
	uint64_t size = 1;

	if (at_least > SHORT_MAX)
		return at_least + at_least / GROWTH_MIN;
	while (size < at_least)
		size *= 2;
	return size;
}

static void drop_pin(struct table *t, enum fw_kind kind, uint32_t slot)
{
	char name[TABLE_PIN_MAX];

	(void) pins_remove(t->pin_dir, table_pin_name(kind, slot, name));
}

/* Frees the table that is not in use: it is not needed any more and only costs memory. */
static void drop_other(struct table *t, enum fw_kind kind)
{
	uint32_t other = fw_slot(t->policy->table_generation[kind] + 1);
	uint32_t outer = kind * FW_TABLE_SLOTS + other;

	(void) bpf_map_delete_elem(t->tables_fd, &outer);
	drop_pin(t, kind, other);
}

static int exchange_table(struct table_writer *w, enum fw_kind kind, uint32_t n_entries)
{
	struct table *t = w->t;
	uint32_t generation = t->policy->table_generation[kind];
	struct chains *from;
	struct exchange x;
	int r;

	r = table_current(t, kind, &from);
	if (r >= 0)
		r = copy_all(from, kind, n_entries, &x);
	if (r < 0)
		return r;
	r = table_put_slot(w, kind, fw_slot(generation + 1), x.to);
	if (r < 0) {
		chains_free(x.to);
		return r;
	}
	__atomic_store_n(&t->policy->table_generation[kind], generation + 1, __ATOMIC_RELEASE);
	t->chains[kind] = x.to;
	t->table_generation[kind] = generation + 1;

	/* the exchange is done, even if the rest fails; without the wait a packet may still look into the old table */
	if (table_wait(w, kind) >= 0) {
		(void) chains_each(from, add_late_hits, &x);
		drop_other(t, kind);
	}
	chains_free(from);
	return 0;
}

int table_reseed(struct table_writer *w, enum fw_kind kind)
{
	struct table *t = w->t;
	uint64_t room = 0;
	int r;

	r = table_room(t, kind, &room);
	if (r >= 0)
		r = room_ask(chains_bytes(room));
	return r < 0 ? r : exchange_table(w, kind, room);
}

int table_grow(struct table_writer *w, enum fw_kind kind, uint64_t at_least)
{
	struct table *t = w->t;
	uint64_t room = 0, limit = t->meta.max_entries, least, size;
	int r;

	r = table_room(t, kind, &room);
	if (r < 0)
		return r;
	if (at_least > limit || room >= limit) /* only exceptions come beyond MaxEntries= */
		limit += FW_EXCEPTIONS_MAX;
	least = at_least ?: room + room / GROWTH_MIN + 1;
	if (least > limit && at_least == 0 && room < limit)
		least = limit;
	if (least <= room)
		return 0;
	if (least > limit)
		return -E2BIG;

	size = next_size(least);
	if (size > limit)
		size = limit;
	/*
	 * Memory for the largest permitted size, or a smaller one. The memory is charged to the process that makes the table,
	 * which must not be killed because another process has filled it.
	 */
	while ((r = room_ask(chains_bytes(size))) < 0 && size > least)
		size = size - least > GROWTH_STEP ? least + (size - least) / 2 : least;
	return r < 0 ? r : exchange_table(w, kind, size);
}

void table_shrink(struct table_writer *w)
{
	struct table *t = w->t;
	uint64_t room, n;

	for (enum fw_kind kind = FW_KIND_IPV4; kind <= FW_KIND_IPV6; kind++) {
		if (!t->chains[kind] || table_room(t, kind, &room) < 0) /* nothing of this kind was touched */
			continue;
		n = table_count(t, kind);
		if (room > SHORT_MAX && n < room / TABLE_SHRINK_PART)
			(void) exchange_table(w, kind, next_size(n < SHORT_MAX / 2 ? SHORT_MAX : 2 * n));
		table_filter_shrink(w, kind);
	}
	table_ends_shrink(w);
}

/*
 * The hits that came to a table after it was copied, where the writer has died before it could add them. In one that was
 * not in use yet there are none: its slots have what they came with.
 */
static void add_hits_left_behind(struct table *t, enum fw_kind kind)
{
	uint32_t other = fw_slot(t->policy->table_generation[kind] + 1);
	struct exchange x = { .family = family_of(kind) };
	_cleanup_close_ int fd = -1;
	char name[TABLE_PIN_MAX];
	struct chains *from;

	fd = pins_open(t->pin_dir, table_pin_name(kind, other, name));
	if (fd < 0 || table_current(t, kind, &x.to) < 0 || chains_open(fd, &from) < 0)
		return;
	TAKE_FD(fd);
	(void) chains_each(from, add_late_hits, &x);
	chains_free(from);
}

void table_drop_left_behind(struct table_writer *w)
{
	struct table *t = w->t;
	for (enum fw_kind kind = FW_KIND_IPV4; kind <= FW_KIND_IPV6; kind++) {
		if (table_wait(w, kind) < 0)
			continue;
		add_hits_left_behind(t, kind);
		drop_other(t, kind);
	}
}

int table_make_room(struct table_writer *w, enum fw_kind kind, uint32_t n_entries)
{
	struct table *t = w->t;
	uint64_t room = 0;
	int r;

	r = table_room(t, kind, &room);
	return r < 0 || n_entries <= room ? r : exchange_table(w, kind, n_entries);
}
