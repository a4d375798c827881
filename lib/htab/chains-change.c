// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Adds, changes and removes entries: see chains.h. Packets rely on the order of the stores, and so does the repair after a
 * writer was killed.
 */

#include <errno.h>
#include <stdbool.h>

#include "htab/chains-internal.h"

/* A free slot that no packet references. Those that were never used go first: they need no waiting. */
static int take_slot(struct chains *c, uint32_t *ret_index, struct fw_slot **ret)
{
	struct fw_table *t = c->table;
	bool is_fresh = t->fresh < c->n_elements;
	uint32_t index = is_fresh ? t->fresh : t->free_first;
	int r;

	if (index == 0)
		return -E2BIG;
	r = chains_get_slot(c, index, ret);
	if (r < 0)
		return r;
	if (is_fresh) {
		t->fresh++;
	} else {
		if (!(*ret)->free_is_settled)
			return -EAGAIN;
		t->free_first = (*ret)->free_next;
		t->n_reused++;
		__atomic_thread_fence(__ATOMIC_RELEASE); /* readers see the number before they see what comes into the slot */
	}
	*ret_index = index;
	return 0;
}

/*
 * No chain has it any more, so this must not fail. The oldest are used first; where the youngest of those that there are
 * cannot be mapped, this one goes before them: they wait for it.
 */
static void give_up(struct chains *c, uint32_t index, struct fw_slot *slot)
{
	struct fw_table *t = c->table;
	struct fw_slot *last;

	slot->free_next = 0;
	slot->free_is_settled = 0;
	if (t->free_first == 0) {
		t->free_first = t->free_last = index;
	} else if (chains_get_slot(c, t->free_last, &last) >= 0) {
		last->free_next = index;
		t->free_last = index;
	} else {
		slot->free_next = t->free_first;
		t->free_first = index;
	}
}

/*
 * Marks a slot as holding an entry or not, for readers that go by this mark and not by the chains. It is set once the slot
 * is in a chain, and cleared before the slot leaves it, so that a marked slot is never half an entry.
 */
static void set_used(struct fw_slot *slot, bool is_used)
{
	__atomic_store_n(&slot->is_used, is_used, __ATOMIC_RELEASE);
}

static void fill_slot(struct fw_slot *slot, const struct place *at, unsigned length, const struct fw_entry *entry,
		      uint32_t next)
{
	*slot = (struct fw_slot){
		.high = at->halves.high,
		.low = at->halves.low,
		.prefixlen = length,
		.next = next,
		.entry = *entry,
		.copied_hits = entry->hits,
	};
}

static int add(struct chains *c, const struct prefix *p, const struct place *at, const struct fw_entry *entry)
{
	struct fw_slot *slot;
	uint32_t index;
	int r;

	if (at->n >= FW_CHAIN_MAX)
		return -EXFULL;
	if (c->table->n_used >= c->table->n_entries)
		return -E2BIG;
	r = take_slot(c, &index, &slot);
	if (r < 0)
		return r;
	fill_slot(slot, at, p->length, entry, *at->head);
	__atomic_store_n(at->head, index, __ATOMIC_RELEASE);
	set_used(slot, true);
	c->table->n_used++;
	return 0;
}

/*
 * One store puts the new slot into the place of the old one. Hits that the old slot got in the meantime are then added to
 * the new one. So the writer stores the link and then loads the hits, and needs a full fence between the two. Without
 * it x86 keeps the store in its store buffer while it does the load, and arm64 and the C memory model order the two only if
 * both are sequentially consistent. The load would miss hits of packets that have not seen the store yet.
 *
 * The other side is a packet that adds to the hits, and the next packet on the same CPU, which loads the link. On x86 the
 * add is a locked instruction and so a full fence: if the next packet still finds the old slot, the add is seen here. On
 * arm64 the add orders nothing (BPF_ADD without BPF_FETCH is an stadd), so a CPU may load the link for its next packet before
 * the add is visible. On either, only a packet that the replacement overtakes leaves its hit in the old slot.
 */
static int replace(struct chains *c, const struct prefix *p, const struct place *at, const struct fw_entry *entry)
{
	struct fw_entry changed = at->slot->entry;
	uint32_t index, old = *at->link;
	struct fw_slot *slot;
	uint64_t hits;
	int r;

	r = take_slot(c, &index, &slot);
	if (r < 0)
		return r;
	changed.lists[FW_INGRESS] = entry->lists[FW_INGRESS];
	changed.lists[FW_EGRESS] = entry->lists[FW_EGRESS];
	changed.until = entry->until;
	fill_slot(slot, at, p->length, &changed, at->slot->next);
	__atomic_store_n(at->link, index, __ATOMIC_RELEASE);
	set_used(slot, true);
	set_used(at->slot, false);

	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* store the link, then load the hits (I17) */
	hits = __atomic_load_n(&at->slot->entry.hits, __ATOMIC_RELAXED) - changed.hits;
	if (hits) {
		if (slot->entry.last_hit < at->slot->entry.last_hit)
			slot->entry.last_hit = at->slot->entry.last_hit;
		__atomic_fetch_add(&slot->entry.hits, hits, __ATOMIC_SEQ_CST);
	}
	give_up(c, old, at->slot);
	return 0;
}

/* A packet reads the lists of its direction and the end: if only one of these changes, it sees what was or what is. */
static int change(struct chains *c, const struct prefix *p, const struct place *at, const struct fw_entry *entry)
{
	struct fw_entry *e = &at->slot->entry;
	bool has_lists = e->lists[FW_INGRESS] == entry->lists[FW_INGRESS] &&
			 e->lists[FW_EGRESS] == entry->lists[FW_EGRESS];

	if (!has_lists && e->until != entry->until)
		return replace(c, p, at, entry);
	__atomic_store_n(&e->until, entry->until, __ATOMIC_RELEASE);
	for (unsigned i = 0; i < _FW_DIRECTION_MAX; i++)
		__atomic_store_n(&e->lists[i], entry->lists[i], __ATOMIC_RELEASE);
	return 0;
}

int chains_put(struct chains *c, const struct prefix *p, const struct fw_entry *entry)
{
	struct place at;
	int r;

	r = chains_place(c, p, &at);
	if (r < 0)
		return r;
	return at.slot ? change(c, p, &at, entry) : add(c, p, &at, entry);
}

int chains_remove(struct chains *c, const struct prefix *p)
{
	struct place at;
	uint32_t index;
	int r;

	r = chains_place(c, p, &at);
	if (r < 0)
		return r;
	if (!at.slot)
		return -ENOENT;
	index = *at.link;
	set_used(at.slot, false);
	__atomic_store_n(at.link, at.slot->next, __ATOMIC_RELEASE);
	c->table->n_used--;
	give_up(c, index, at.slot);
	return 0;
}

int chains_settle(struct chains *c)
{
	struct fw_slot *slot;
	int r;

	for (uint32_t index = c->table->free_first; index; index = slot->free_next) {
		r = chains_get_slot(c, index, &slot);
		if (r < 0)
			return r;
		slot->free_is_settled = 1;
	}
	return 0;
}

/* Values of is_used during a repair; a killed repair leaves them. 0 stays 0 where no chain has the slot. */
enum { IS_LOST = 1, IS_IN_CHAIN };

static int mark(struct fw_slot *slot, void *userdata)
{
	uint32_t *n = userdata;

	slot->is_used = IS_IN_CHAIN;
	(*n)++;
	return 0;
}

/* Calls fn for all slots that were ever used. */
static int each_slot(struct chains *c, int (*fn)(struct chains *c, uint32_t index, struct fw_slot *slot))
{
	struct fw_slot *slot;
	int r = 0;

	for (uint32_t i = c->table->first_slot; i < c->table->fresh && r >= 0; i++) {
		r = chains_get_slot(c, i, &slot);
		if (r >= 0)
			r = fn(c, i, slot);
	}
	return r;
}

static int mark_lost(struct chains *c, uint32_t index, struct fw_slot *slot)
{
	if (slot->is_used)
		slot->is_used = IS_LOST;
	return 0;
}

static int give_up_rest(struct chains *c, uint32_t index, struct fw_slot *slot)
{
	bool is_in_chain = slot->is_used == IS_IN_CHAIN;

	set_used(slot, is_in_chain);
	if (!is_in_chain)
		give_up(c, index, slot);
	return 0;
}

int chains_repair(struct chains *c)
{
	uint32_t n_used = 0;
	int r;

	r = each_slot(c, mark_lost);
	if (r >= 0)
		r = chains_each(c, mark, &n_used);
	if (r < 0)
		return r;
	c->table->n_used = n_used;
	c->table->free_first = c->table->free_last = 0;
	return each_slot(c, give_up_rest);
}
