/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Asks the filters of filter-bits.h which prefix lengths may have an entry for an address. */

#include "bits.h"
#include "abi/filter-bits.h"
#include "maps.h"

/* The slot of the filter in use: to be read once for a packet, or hashes of one filter meet words of the next. */
static __always_inline __u32 filter_slot(const struct fw_policy *p, enum fw_kind kind)
{
	return fw_slot(*(volatile const __u32 *)&p->filter_generation[kind]);
}

/* The cell of a /16. */
static __always_inline __u32 filter_cell(enum fw_kind kind, __u32 slot, __u32 top16)
{
	struct fw_cells *of_slot;

	slot += kind * FW_TABLE_SLOTS;
	of_slot = bpf_map_lookup_elem(&cells, &slot);
	if (!of_slot)
		return FW_CELL_SHORT | FW_CELL_LONG; /* cannot happen, the verifier wants it */
	top16 &= 0xffff;
	return of_slot->words[top16 / FW_CELLS_PER_WORD] >> (top16 % FW_CELLS_PER_WORD * 2) & 3;
}

/* All words of a filter; NULL: it has none. */
static __always_inline void *filter_words(enum fw_kind kind, __u32 slot)
{
	slot += kind * FW_TABLE_SLOTS;
	return bpf_map_lookup_elem(&filters, &slot);
}

/* One of them, or all bits where there is none. */
static __always_inline __u64 filter_word(void *words, __u32 i)
{
	__u64 *word;

	if (!words)
		return ~0ull;
	word = bpf_map_lookup_elem(words, &i);
	return word ? *word : ~0ull;
}

/* Lengths of IPv4 from one to another, by position. */
#define LENGTHS4(from, to) (~0ull >> (63 - ((to) - (from))) << (32 - (to)))

/* Of the prefix lengths in use, by position, those that may have an entry for the address. */
static __always_inline __u64 filter_ip4(const struct fw_policy *p, __u32 addr)
{
	__u64 lengths = p->lengths4, maybe = 0, x, word, middle = 0, y;
	__u32 slot = filter_slot(p, FW_KIND_IPV4), cell = filter_cell(FW_KIND_IPV4, slot, addr >> 16), n_words, host_bits;
	void *words;

	if (cell & FW_CELL_SHORT)
		maybe = ~0ull << (32 - FILTER_SHORT4);
	if (cell & FW_CELL_LONG) {
		x = filter_hash(addr >> (32 - FILTER_BLOCK4), p->filters[FW_KIND_IPV4][slot].seed);
		words = filter_words(FW_KIND_IPV4, slot);
		n_words = p->filters[FW_KIND_IPV4][slot].n_words;
		/* both before either is looked at: two loads that wait for each other cost twice */
		word = filter_word(words, filter_index(x, n_words));
		if (lengths & LENGTHS4(FILTER_SHORT4 + 1, FILTER_MIDDLE4))
			middle = filter_word(words, n_words + FILTER_MIDDLE4_WORD(addr));
		maybe |= -(middle >> FILTER_MIDDLE4_BIT(addr) & 1) & LENGTHS4(FILTER_SHORT4 + 1, FILTER_MIDDLE4);
		if (filter_has(word, FILTER_ANY(x)))
			maybe |= filter_rotate(word, FILTER_LENGTHS_AT(x)) << (32 - FILTER_BLOCK4) &
				 LENGTHS4(FILTER_MIDDLE4 + 1, FILTER_BLOCK4);
		y = filter_mix(x, addr & 0xff, 0);
		maybe |= filter_has(word, FILTER_LONG(y));
		if (lengths & 0xfe && filter_has(word, FILTER_INSIDE(x))) {
			__u64 inside = lengths & 0xfe;

			for (int i = 1; i < 8 && inside; i++) {
				host_bits = lowest_bit(inside);
				inside &= inside - 1;
				y = filter_mix(x, addr & 0xff & ~0u << host_bits, host_bits);
				maybe |= filter_has(word, FILTER_LONG(y)) << host_bits;
			}
		}
	}
	return lengths & maybe;
}

/*
 * Of lengths, by position in one word of lengths6, keeps those for which the filter's word may have the address's prefix.
 * half is the half of the address in which they end. x already includes everything that is the same for them. A global
 * function: three loops in a row cost the verifier ten times as much.
 */
__noinline __u64 fw_filter_long6(__u64 word, __u64 x, __u64 half, __u64 lengths)
{
	__u64 maybe = 0, y;
	__u32 position;

	for (int i = 0; i < 64 && lengths; i++) {
		position = lowest_bit(lengths);
		lengths &= lengths - 1;
		y = filter_mix(x, half & ~0ull << position, position);
		maybe |= filter_has(word, FILTER_LONG(y)) << position;
	}
	return maybe;
}

/* Prefixes that end in the upper half have 64 host bits more than their position; in the lower, all of the upper half. */
static __always_inline __u64 filter_high6(__u64 word, __u64 x, __u64 high, __u64 lengths)
{
	return fw_filter_long6(word, filter_take_in(x, 0, 64), high, lengths);
}

static __always_inline __u64 filter_low6(__u64 word, __u64 x, __u64 high, __u64 low, __u64 lengths)
{
	return fw_filter_long6(word, filter_take_in(x, high, 0), low, lengths);
}

/* Lengths 1..64, positions 64..127, are in the middle word of lengths6; these are the ones up to a length. */
#define MIDDLE6_UP_TO(length) (~0ull << (64 - (length)))
#define MIDDLE6(from, to)     (MIDDLE6_UP_TO(to) & ~MIDDLE6_UP_TO((from) - 1))

static __always_inline void filter_ip6(const struct fw_policy *p, __u64 high, __u64 low, __u64 maybe[3])
{
	__u32 slot = filter_slot(p, FW_KIND_IPV6), cell = filter_cell(FW_KIND_IPV6, slot, high >> 48);
	__u64 seed = p->filters[FW_KIND_IPV6][slot].seed, x, y, z = 0, word, deep_word, top_word = 0, inside, deep, top;
	__u32 n_words = p->filters[FW_KIND_IPV6][slot].n_words;
	void *words;

	maybe[0] = maybe[1] = maybe[2] = 0;
	if (cell & FW_CELL_SHORT) {
		maybe[1] = p->lengths6[1] & MIDDLE6_UP_TO(FILTER_SHORT6);
		maybe[2] = p->lengths6[2];
	}
	if (!(cell & FW_CELL_LONG))
		return;

	x = filter_hash(high >> (64 - FILTER_BLOCK6), seed);
	y = filter_hash(high >> (64 - FILTER_DEEP6), FILTER_SEED_DEEP6(seed));
	words = filter_words(FW_KIND_IPV6, slot);
	/* load all before testing any: two loads that wait for each other cost more than one too many */
	word = filter_word(words, filter_index(x, n_words));
	deep_word = filter_word(words, filter_index(y, n_words));
	top = p->lengths6[1] & MIDDLE6(FILTER_TOP6, FILTER_UPPER6);
	if (top) {
		z = filter_hash(high >> (64 - FILTER_TOP6), FILTER_SEED_TOP6(seed));
		top_word = filter_word(words, filter_index(z, n_words));
	}
	if (filter_has(word, FILTER_ANY(x)))
		maybe[1] |= p->lengths6[1] & filter_rotate(word, FILTER_LENGTHS_AT(x)) << (64 - FILTER_BLOCK6) &
			    MIDDLE6(FILTER_UPPER6 + 1, FILTER_BLOCK6);
	if (top && filter_has(top_word, FILTER_INSIDE(z)))
		maybe[1] |= filter_high6(top_word, z, high, top);
	inside = p->lengths6[1] & MIDDLE6(FILTER_BLOCK6 + 1, FILTER_DEEP6 - 1);
	if (inside && filter_has(word, FILTER_INSIDE(x)))
		maybe[1] |= filter_high6(word, x, high, inside);

	deep = p->lengths6[1] & ~MIDDLE6_UP_TO(FILTER_DEEP6 - 1);
	if (deep && filter_has(deep_word, FILTER_UP_TO_64(y)))
		maybe[1] |= filter_high6(deep_word, y, high, deep);
	if (p->lengths6[0] && filter_has(deep_word, FILTER_INSIDE(y)))
		maybe[0] = filter_low6(deep_word, y, high, low, p->lengths6[0]);
}
