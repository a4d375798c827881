/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What bench.bpf.c and bench-micro.c agree on. */

#include <linux/types.h>

#define N_LOOKUPS 16        /* packets in one test run */
#define N_SOURCES (1 << 20) /* all of them cold, the first N_SOURCES_HOT again and again hot */
#define N_SOURCES_HOT 4096

enum bench_design {
	DESIGN_NONE,     /* parses and counts, looks nothing up */
	DESIGN_FW,       /* classify() */
	DESIGN_LPM_TRIE, /* one lookup in an LPM trie of the same entries */
	DESIGN_HASH,     /* a hash of the kernel with the same entries, a lookup per length in use */
	_DESIGN_MAX,
};

enum bench_sources {
	SOURCES_MISS, /* on no list */
	SOURCES_HIT,
	_SOURCES_MAX,
};

/* As an LPM trie has them: prefixlen in host order, the address in network order, bits past prefixlen zero. */
struct bench_key4 {
	__u32 prefixlen;
	__be32 addr;
};

struct bench_key6 {
	__u32 prefixlen;
	__be32 addr[4];
};

struct bench_run {
	__u64 at;        /* of the next source */
	__u64 mask;      /* sources in use - 1 */
	__u64 n_dropped;
	__u32 sources;   /* enum bench_sources */
};
