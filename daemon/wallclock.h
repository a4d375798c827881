/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * List files say in Unix time when an entry ends, the kernel in ticks since boot. The wall clock may be wrong at boot: what
 * was restored by it gets its end computed again when the clock is set. The ends of other entries were given as a duration
 * and stay. Which ones came from files is kept as hashes, also in RUN/restored for the next daemon. Logs.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "state/table-writer.h"

struct wallclock {
	int64_t offset_ns; /* wall clock minus boot clock: ends were computed by it */
	uint64_t behind;   /* mask of lists whose ends could not be computed again and are those of another offset */
	int64_t behind_ns[FW_LISTS_MAX]; /* that offset, by list */
	uint64_t *known;   /* hashes of list, target and until= */
	size_t n_known;
	size_t n_allocated;
	bool is_sorted;
};

/*
 * Takes over what the previous daemon has saved for these counters; starts from scratch if there is none, or is_fresh: the
 * maps were empty.
 */
void wallclock_init(struct wallclock *w, const char *run_dir, uint64_t counting_since, bool is_fresh);
void wallclock_done(struct wallclock *w);

/* The tick of an until= that is not 0. */
uint32_t wallclock_tick(const struct wallclock *w, int64_t until);

/* An entry with an end was restored from a file, or had ended. -ENOMEM. */
int wallclock_note(struct wallclock *w, unsigned list, const struct target *target, int64_t until);

/* Has the wall clock been set, by a second or more? Is a list still to be corrected since? */
bool wallclock_is_due(const struct wallclock *w);

/*
 * Computes the ends of noted entries again: takes those out that have ended, puts those back that have not. The caller
 * calls table_commit(). A list that fails is logged once and tried again at the next call.
 */
int wallclock_correct(struct wallclock *w, const char *state_dir, struct table_writer *writer);

/* For the next daemon. That it cannot be written is a warning. */
void wallclock_save(struct wallclock *w, const char *run_dir, uint64_t counting_since);
