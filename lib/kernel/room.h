/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Asking for memory where it may be refused. Where a memory cgroup has come to its limit (MemoryMax= of the unit),
 * the kernel says no to an entry of a table, but to a page of ours it never does: it kills. So who is about to take
 * much asks first, and takes it only if some would be left for all that cannot be refused.
 */

#include <stdint.h>

#define ROOM_LEFT   (UINT64_C(2) << 20)  /* what is left: to attach, to log, to run */
#define ROOM_LITTLE (UINT64_C(64) << 10) /* may come out of that */

/* What 'ends' has of an entry, in a slab, and its owner: that map takes memory element by element. */
#define ROOM_ENDS UINT64_C(520)

/*
 * Would there be ROOM_LEFT beside so many bytes, if that is more than a little? -ENOMEM: no. Takes nothing, and answers
 * for now and for the cgroup of the caller. Who may not make maps has no answer, which is 0: then the kernel refuses,
 * or kills, as it likes.
 */
int room_ask(uint64_t bytes);
