/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * From the maps of another version to our own, older or newer, without a gap. Maps with their meta are a set: the active one
 * is the pin directory itself, others are below it while an upgrade is under way.
 *
 *   filling/   ours, being filled; no program reads it yet. Any start that finds it removes it
 *   next-N/    complete: programs may run on it and count in it. Its entries are those of the set below,
 *              next-(N-1)/ or the active one; what was counted below is still missing in it
 *
 * When all hooks run our programs, nothing counts in the sets below any more. Their counts are added to ours exactly once,
 * even if a process is killed. One rename then makes our meta the active one; the rest is tidying, which any version does.
 * The caller holds the writer lock from upgrade_plan() to upgrade_finish() if one is under way. Logs.
 */

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "abi/abi.h"
#include "load/loader.h"
#include "state/table-writer.h"
#include "upgrade/source.h"

struct upgrade {
	const char *pin_dir;
	char dir[PATH_MAX];  /* where the maps of this run are */
	bool is_under_way;   /* dir is not the pin directory */
	bool is_filling;     /* dir is new and empty */
	unsigned number;     /* of our set, when it is complete */
	struct source **sources; /* those below ours, from the active one on; none if one of them cannot be read */
	size_t n_sources;
};

/*
 * Completes what a switch has begun, removes what nothing needs, and tells where our maps are to be. Maps that cannot be
 * read are replaced by new ones: see upgrade_is_blank().
 */
int upgrade_plan(const char *pin_dir, struct upgrade *ret);
void upgrade_done(struct upgrade *u);

/* Our maps are new, and nothing is carried over into them: the lists come from their files. */
bool upgrade_is_blank(const struct upgrade *u);

/* What the run before says of itself: of another version what versions tell each other. -ENOENT: there was none, or it cannot be read. */
int upgrade_read_meta(const struct upgrade *u, struct fw_meta *ret);

/* Loads into u->dir, with the counters' age in meta; a set that is damaged gives way to a new one. */
int upgrade_load(struct upgrade *u, struct fw_meta *meta, struct loader **ret);

/* Copies what is in the sets below; then, when nothing is missing, declares ours complete: u->dir changes. */
int upgrade_fill(struct upgrade *u, struct table_writer *w);
int upgrade_complete(struct upgrade *u, struct loader *l);

/* All hooks run our programs: takes over the counts, puts ours in force, removes the others. */
int upgrade_finish(struct upgrade *u, struct loader *l, struct table_writer *w);
