/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Where an entry is in its table: in the chain of slots that begins at the head with the number of its hash. Included by the
 * programs, which follow the chain, and by lib/htab/chains.c, which makes it: both sides must find the same head.
 */

#include "abi/filter-bits.h"

/* The element that holds the head; the index of it there is head % FW_HEADS. */
#define CHAINS_ELEMENT(head) (1 + (head) / FW_HEADS)

/* The head of a prefix, as struct fw_slot has it. */
filter_inline __u32 chains_head4(__u32 addr, __u32 prefixlen, __u64 seed, __u32 n_heads)
{
	return filter_hash((__u64)addr << 8 | prefixlen, seed) & (n_heads - 1);
}

filter_inline __u32 chains_head6(__u64 high, __u64 low, __u32 prefixlen, __u64 seed, __u32 n_heads)
{
	return filter_hash(low, filter_hash(high, seed) + prefixlen) & (n_heads - 1);
}
