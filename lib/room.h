/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Asking for memory where it may be refused. Where a memory cgroup has come to its limit (MemoryMax= of the unit),
 * the kernel says no to an entry of a table, but to a page of ours it never does: it kills. So who is about to take
 * much asks first, and takes it only if some would be left for all that cannot be refused.
 */

#include <stdint.h>

#define ROOM_LEFT (UINT64_C(2) << 20) /* what is left: to attach, to log, to run */

/* An entry: the element of the hash, and up to two buckets. */
#define ROOM_ENTRY4 UINT64_C(120)
#define ROOM_ENTRY6 UINT64_C(136)

/*
 * Would there be ROOM_LEFT beside so many bytes? -ENOMEM: no. Takes nothing, and answers for now and for the cgroup of
 * the caller. Who may not make maps has no answer, which is 0: then the kernel refuses, or kills, as it likes.
 */
int room_ask(uint64_t bytes);
