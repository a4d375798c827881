/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The shortcut before the entry tables: says for an address which prefix lengths may hold an entry that
 * covers it. It may say "maybe" wrongly, never "no" wrongly (invariant I2). Nearly all traffic is on no
 * list, and pays two or three cache lines here and no hash lookup. Included by the programs and by
 * lib/state/filter.c, which fills what this reads: hashes and positions must be the same on both sides.
 *
 * A filter is made of cells, of hashed 64-bit words and, for IPv4, of a bitmap. A cell of two bits belongs to each
 * /16: FW_CELL_SHORT = a short prefix may cover it, FW_CELL_LONG = there may be a longer one inside. A bit of the
 * bitmap belongs to each /20: one of length 17..20 covers it. A hashed word is a Bloom filter of its own for the
 * prefixes inside one /24 (IPv4), /20, /32 or /48 (IPv6), found by a hash x of those bits:
 *
 *   the last few lengths up to that block's (spread over all the blocks they cover, at most eight): four bits of x
 *   that say that there is any, and one bit for the length;
 *   longer ones: four bits of a hash of x, the length, and the bits up to it; where several such lengths
 *   may be in use, two bits of x that say that there is any are looked at first.
 *
 * So no prefix sets bits in more than FILTER_SPREAD words, whatever its length: a filter takes memory and time by the number
 * of its entries. The word of the /20 of IPv6 is read only where a length that needs it is in use, which is rare.
 *
 * A bit of its own for "some prefix of length L" would not do: it says nothing about which block set it, and
 * with a million entries half of all strangers would find one set. Four bits and not two, for what a look
 * costs is whether the words fit the caches: they make do with half as many. A bitmap for the same reason: in the
 * words a /17 would be in 128 of them, and the 3 % of these lengths in a million mixed prefixes would take 43 % of them.
 */

#include "abi/abi.h"

#define FILTER_SHORT4  16 /* the lengths up to this one are in the cells */
#define FILTER_MIDDLE4 20 /* those up to this one in the bitmap */
#define FILTER_BLOCK4  24 /* and those up to this one end in this block */
#define FILTER_SHORT6  19 /* in the cells */
#define FILTER_TOP6    20 /* from here on in the word of this block */
#define FILTER_UPPER6  28 /* up to this one: spread over blocks of /32 they would be in as many as 4096 */
#define FILTER_BLOCK6  32 /* those up to this one end in this block */
#define FILTER_DEEP6   48 /* from here on in the deeper word */
#define FILTER_SPREAD  8  /* words in which a prefix sets bits, at most */

#define filter_inline static inline __attribute__((always_inline))

/* 0, or all ones if n is 64 or more; n is at most 128. Branches would double the verifier's paths. */
filter_inline __u64 filter_if_64(__u32 n)
{
	return -(__u64)((n >> 6 | n >> 7) & 1);
}

/* The halves of an IPv6 address without their host bits, 0..128. */
filter_inline __u64 filter_keep_high(__u64 high, __u32 host_bits)
{
	return high & (~0ull << (host_bits & 63) | ~filter_if_64(host_bits)) & ((__u64)(host_bits >> 7) - 1);
}

filter_inline __u64 filter_keep_low(__u64 low, __u32 host_bits)
{
	return low & ~0ull << (host_bits & 63) & ~filter_if_64(host_bits);
}

/* The hash of a block's bits; everything below is made of it. */
filter_inline __u64 filter_hash(__u64 bits, __u64 seed)
{
	__u64 x = (bits ^ seed) * 0x9e3779b97f4a7c15ull;

	x = (x ^ x >> 32) * 0xd6e8feb86659fd93ull;
	return x ^ x >> 32;
}

/* The seeds of the blocks of IPv6 other than /32: other words for the same bits. */
#define FILTER_SEED_TOP6(seed)  ((seed) >> 32 | (seed) << 32)
#define FILTER_SEED_DEEP6(seed) (~(seed))

/* The hash of a prefix inside the block; bits may be any digest of those between the two. */
filter_inline __u64 filter_take_in(__u64 x, __u64 bits, __u32 host_bits)
{
	return x ^ bits ^ bits >> 32 ^ (__u64)host_bits << 33;
}

filter_inline __u64 filter_mix(__u64 x, __u64 bits, __u32 host_bits)
{
	return filter_take_in(x, bits, host_bits) * 0xff51afd7ed558ccdull;
}

filter_inline __u64 filter_digest6(__u64 high, __u64 low, __u32 host_bits)
{
	return filter_keep_high(high, host_bits) ^ filter_keep_low(low, host_bits);
}

/* Index of the block's word: the upper half of the hash as a fraction of any number of them. */
filter_inline __u32 filter_index(__u64 x, __u32 n_words)
{
	return (x >> 32) * n_words >> 32;
}

/* The bitmap follows the hashed words: the word of an address, and its bit in that word. */
#define FILTER_MIDDLE4_WORDS      ((1u << FILTER_MIDDLE4) / 64)
#define FILTER_MIDDLE4_WORD(addr) ((addr) >> (32 - FILTER_MIDDLE4) >> 6)
#define FILTER_MIDDLE4_BIT(addr)  ((addr) >> (32 - FILTER_MIDDLE4) & 63)

/* Bits of the word, from different parts of a hash; its upper half has chosen the word. */
#define FILTER_BIT(x, shift)  (1ull << ((x) >> (shift) & 63))
#define FILTER_PAIR(x, shift) (FILTER_BIT(x, shift) | FILTER_BIT(x, (shift) + 6))
#define FILTER_FOUR(x, shift) (FILTER_PAIR(x, shift) | FILTER_PAIR(x, (shift) + 12))
#define FILTER_ANY(x)         FILTER_FOUR(x, 0)  /* a length up to the block's */
#define FILTER_INSIDE(x)      FILTER_PAIR(x, 24) /* a longer one; but for /32 of IPv4, which is asked for anyway */
#define FILTER_UP_TO_64(x)    FILTER_PAIR(x, 12) /* the same in the deeper word, where INSIDE is longer than 64 */
#define FILTER_LONG(y)        FILTER_FOUR(y, 40) /* this very prefix */

/* Where the word has the lengths up to the block's: bit n of these is length block - n. */
#define FILTER_LENGTHS_AT(x) ((x) >> 30 & 63)

/* 1 if the word has all bits of the pair, without a branch. */
filter_inline __u64 filter_has(__u64 word, __u64 pair)
{
	__u64 missing = ~word & pair;

	return ((missing | -missing) >> 63) ^ 1;
}

filter_inline __u64 filter_rotate(__u64 word, __u32 by)
{
	return word >> by | word << (-by & 63);
}
