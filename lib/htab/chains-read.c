// SPDX-License-Identifier: GPL-2.0-or-later

/* Looking for entries and going through them, with the writer lock and without: see chains.h. */

#include <errno.h>

#include "abi/chain-head.h"
#include "htab/chains-internal.h"

#define AHEAD 8    /* heads that a walk looks ahead */
#define TRIES 1000 /* to read a chain while others use slots again */

static uint32_t head_of(const struct chains *c, const struct prefix *p, struct prefix_halves h)
{
	if (p->family == AF_INET)
		return chains_head4(h.high, p->length, c->table->seed, c->table->n_heads);
	return chains_head6(h.high, h.low, p->length, c->table->seed, c->table->n_heads);
}

int chains_place(struct chains *c, const struct prefix *p, struct place *ret)
{
	struct place at = { .halves = prefix_to_halves(p) };
	struct fw_slot *slot;
	uint32_t index;
	int r;

	r = chains_get_head(c, head_of(c, p, at.halves), &at.head);
	if (r < 0)
		return r;
	at.link = at.head;
	while ((index = __atomic_load_n(at.link, __ATOMIC_ACQUIRE)) != 0 && at.n < FW_CHAIN_MAX) {
		r = chains_get_slot(c, index, &slot);
		if (r < 0)
			return r;
		if (slot->high == at.halves.high && slot->low == at.halves.low && slot->prefixlen == p->length) {
			at.slot = slot;
			break;
		}
		at.link = &slot->next;
		at.n++;
	}
	*ret = at;
	return 0;
}

/* One chain as it was at one moment. */
struct chain {
	unsigned n;
	struct fw_slot copies[FW_CHAIN_MAX];
};

static int copy_chain(struct chains *c, uint32_t head, struct chain *ret)
{
	struct fw_slot *slot;
	uint32_t *link, index;
	int r;

	ret->n = 0;
	r = chains_get_head(c, head, &link);
	while (r >= 0 && ret->n < FW_CHAIN_MAX && (index = __atomic_load_n(link, __ATOMIC_ACQUIRE)) != 0) {
		r = chains_get_slot(c, index, &slot);
		if (r < 0)
			break;
		ret->copies[ret->n] = *slot;
		link = &ret->copies[ret->n++].next;
	}
	return r;
}

/*
 * For lockless readers. A retired slot still leads back to its chain until it is reused. The grace period protects programs,
 * but not a process that was suspended in between. So readers check n_reused and retry.
 */
static int read_chain(struct chains *c, uint32_t head, struct chain *ret)
{
	const uint32_t *n_reused = &c->table->n_reused;
	uint32_t before;
	int r;

	for (unsigned n = 0; n < TRIES; n++) {
		before = __atomic_load_n(n_reused, __ATOMIC_ACQUIRE);
		r = copy_chain(c, head, ret);
		__atomic_thread_fence(__ATOMIC_ACQUIRE); /* after the copies */
		if (r < 0 || __atomic_load_n(n_reused, __ATOMIC_RELAXED) == before)
			return r;
	}
	return 0; /* no writer retires so many slots in so short a time; if one does, the last copy has to do */
}

int chains_find(struct chains *c, const struct prefix *p, struct fw_slot **ret)
{
	struct place at;
	int r;

	r = chains_place(c, p, &at);
	if (r < 0)
		return r;
	*ret = at.slot;
	return at.slot ? 0 : -ENOENT;
}

int chains_read(struct chains *c, const struct prefix *p, struct fw_entry *ret)
{
	struct prefix_halves h = prefix_to_halves(p);
	struct chain chain;
	int r;

	r = read_chain(c, head_of(c, p, h), &chain);
	if (r < 0)
		return r;
	for (const struct fw_slot *s = chain.copies; s < chain.copies + chain.n; s++) {
		if (s->high == h.high && s->low == h.low && s->prefixlen == p->length) {
			*ret = s->entry;
			return 0;
		}
	}
	return -ENOENT;
}

/* Has the processor fetch what a walk comes to soon: the slots of a table are in no order. */
static void look_ahead(struct chains *c, uint32_t head)
{
	struct fw_slot *slot;
	uint32_t *first;

	if (head < c->table->n_heads && chains_get_head(c, head, &first) >= 0 && *first && chains_get_slot(c, *first, &slot) >= 0)
		__builtin_prefetch(slot);
}

int chains_each(struct chains *c, chains_fn fn, void *userdata)
{
	struct fw_slot *slot;
	uint32_t *link, index;
	int r;

	for (uint32_t head = 0; head < c->table->n_heads; head++) {
		look_ahead(c, head + AHEAD);
		r = chains_get_head(c, head, &link);
		for (unsigned n = 0; r >= 0 && n < FW_CHAIN_MAX; n++) {
			index = __atomic_load_n(link, __ATOMIC_ACQUIRE);
			if (index == 0)
				break;
			r = chains_get_slot(c, index, &slot);
			if (r < 0)
				break;
			link = &slot->next;
			r = fn(slot, userdata);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

int chains_read_each(struct chains *c, int (*fn)(const struct fw_slot *slot, void *userdata), void *userdata)
{
	struct chain chain;
	int r = 0;

	for (uint32_t head = 0; head < c->table->n_heads && r >= 0; head++) {
		look_ahead(c, head + AHEAD);
		r = read_chain(c, head, &chain);
		for (unsigned i = 0; r >= 0 && i < chain.n; i++)
			r = fn(&chain.copies[i], userdata);
	}
	return r < 0 ? r : 0;
}
