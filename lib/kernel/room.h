/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Probes for memory before a large allocation. At the limit of a memory cgroup (MemoryMax= of the unit), the kernel fails a
 * map update with ENOMEM, but it OOM-kills a process that touches a new page. So a caller that is about to allocate a lot
 * probes first, and goes on only if enough is left for allocations that cannot fail.
 */

#include <stdint.h>

#define ROOM_LEFT   (UINT64_C(2) << 20)  /* what is left: to attach, to log, to run */
#define ROOM_LITTLE (UINT64_C(64) << 10) /* may come out of that */

/* What 'ends' has of an entry, in a slab, and its owner: that map takes memory element by element. */
#define ROOM_ENDS UINT64_C(520)

/*
 * Would ROOM_LEFT be left in addition to so many bytes, if that is more than a little? -ENOMEM: no. Takes nothing. The
 * answer is valid for now and for the cgroup of the caller. A process that may not make maps gets 0, which is no answer: the
 * kernel then refuses or kills as it sees fit.
 */
int room_ask(uint64_t bytes);
