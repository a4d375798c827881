/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Numbers: a bit trick that BPF has no instruction for, and a way to keep the verifier in ignorance. */

#include <linux/types.h>

#include <bpf/bpf_helpers.h>

/*
 * Position of the lowest set bit of a word that has one: multiplying by a de Bruijn sequence moves a
 * number that is different for each bit into the top six. clang has no instruction to make of
 * __builtin_ctzll() for BPF, and its expansions differ between releases.
 */
#define DEBRUIJN 0x03f79d71b4cb0a89ull
static const __u8 debruijn_positions[64] = {
	0,  1,  48, 2,  57, 49, 28, 3,  61, 58, 50, 42, 38, 29, 17, 4,
	62, 55, 59, 36, 53, 51, 43, 22, 45, 39, 33, 30, 24, 18, 12, 5,
	63, 47, 56, 27, 60, 41, 37, 16, 54, 35, 52, 21, 44, 32, 23, 11,
	46, 26, 40, 15, 34, 20, 31, 10, 25, 14, 19, 9,  13, 8,  7,  6,
};

static __always_inline __u32 lowest_bit(__u64 word)
{
	__u64 product = (word & -word) * DEBRUIJN;

	barrier_var(product); /* LLVM 15 to 18 see through this and fail on the instruction they put instead */
	return debruijn_positions[product >> 58];
}

/* Position of the highest set bit of a word that has one. */
static __always_inline __u32 highest_bit(__u64 word)
{
	__u32 position = 0;

	for (__u32 half = 32; half; half /= 2) {
		__u32 shift = word >> half ? half : 0;

		word >>= shift;
		position += shift;
	}
	return position;
}

/*
 * The same number, but one that the verifier knows nothing about: zero is 0 in every packet, and could be
 * anything for all it can tell. Without this it follows every combination of tags, headers and flags
 * through the whole decision as a path of its own, and gives up at "BPF program is too large. Processed
 * 1000001 insn" (6.18). An exclusive or, because a sum stays linked to its parts and lets the verifier
 * draw conclusions about zero; in assembly, because the compiler would make a plain copy of 0 ^ zero.
 */
static __always_inline __u64 unknown(__u64 number, __u64 zero)
{
	asm volatile("%0 ^= %1" : "+r"(number) : "r"(zero));
	return number;
}
