/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Watching: what a viewer needs of the pinned maps, and nothing of what it shows. A viewer takes a slot, renews
 * it about once a second, and releases it; one that dies is forgotten by the kernel when its slot has run out,
 * and what it left is freed by the next watch_sweep().
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/abi.h"

#define WATCH_LEASE_NS UINT64_C(3000000000) /* for a viewer that renews once a second */

struct watch;

/* Opens the pinned maps below pin_dir. Errors as table_open(). */
int watch_open(const char *pin_dir, struct watch **ret);
struct watch *watch_free(struct watch *w); /* accepts NULL, returns NULL; releases what was taken */

/*
 * Takes a slot with the settings in want (until and reserved are ours to fill in, a budget of 0 is no limit), for lease_ns
 * from now. Holds the writer lock; so does the sweep that comes first. For drops and samples the caller passes the ring, as
 * made by watch_new_ring(), else -1. One slot for each struct watch. -EBUSY: all are taken.
 */
int watch_take(struct watch *w, const struct fw_watcher *want, int ring_fd, uint64_t lease_ns);

/*
 * Prolongs it; needs no lock. -ESTALE: it had expired (we were stopped, say). What came in the meantime was neither shown
 * nor counted, and another viewer may have the slot: release it and take one again.
 */
int watch_renew(struct watch *w, uint64_t lease_ns);

/*
 * Are these still the firewall's maps? -ENOENT: it was unloaded; -ESTALE: it was loaded again, with maps of its own. What we
 * watch is then out of date.
 */
int watch_check(struct watch *w);

/*
 * Gives it back; needs no lock. When it returns no program writes to the ring any more, and the counts are final:
 * read the ring to its end, then them. They stay readable until the next watch_take().
 */
void watch_release(struct watch *w);

/* A ring of this many bytes: a power of two and of pages. A descriptor, or a negative errno. */
int watch_new_ring(uint32_t n_bytes);

/* What became of the drops that passed our filter since watch_take(), over all CPUs. */
int watch_read_counts(struct watch *w, struct fw_watch_counts *ret);

/* The same over all viewers there have been since loading; never goes back. */
int watch_read_totals(struct watch *w, struct fw_watch_counts *ret);

/*
 * The map of addresses seen, fw_seen_key to fw_seen: the one that is there, or a new one of n_addresses. Holds
 * the writer lock, after watch_take() of FW_WATCH_SEEN. A descriptor for the caller, or a negative errno.
 */
int watch_open_seen(struct watch *w, uint32_t n_addresses);

/* Lengths and distances, over all CPUs; last_ns is 0. */
int watch_read_sizes(struct watch *w, enum fw_hook hook, enum fw_direction direction, struct fw_sizes *ret);

/* A new epoch of samples: each drop is one again at first. is_on false: no samples at all. */
void watch_sample(struct watch *w, bool is_on);

/* Frees what dead viewers left. Holds the writer lock. */
int watch_sweep(struct watch *w);

/* The slots taken at the moment, for display; until = 0 where free or expired. */
void watch_slots(struct watch *w, struct fw_watcher ret[static FW_WATCHERS_MAX]);
