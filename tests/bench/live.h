/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What live.bpf.c and bench-live.c agree on. */

#include <linux/types.h>

#define N_LIVE_SOURCES (1 << 20)
#define N_LIVE_SOURCES_HOT 4096
#define _LIVE_SOURCES_MAX  8 /* arrays: one of misses, one of hits for each list */
#define _LIVE_SOURCES6_MAX 4

struct live_run {
	__u64 at;
	__u64 mask;
	__u32 sources;  /* index of the array */
	__u32 ifindex;  /* of the veth to send from */
	__u32 checksum; /* of what is summed, without source and checksum itself, not folded */
};
