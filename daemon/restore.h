/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdint.h>

#include "state/table-writer.h"
#include "wallclock.h"

/*
 * List files -> maps, at start. What the maps hold already stays as it is: fwctl has changed both, or
 * the maps alone (--runtime), while no daemon ran. What only the files hold is added, so that on maps
 * fresh from loading this restores everything; a file that says what the maps hold is not read, which its
 * stamp tells (fw_list.file_stamp). The lists 'allow' and 'manual' come first: there may not be room for
 * all. A line that makes no sense costs only itself, and the file stays as it is until somebody has corrected it; a file
 * that cannot be read, or of which no line makes sense, costs only itself. The caller calls table_commit(). Logs.
 */
struct restored {
	unsigned n_wrong;   /* lists whose files have lines that make no sense */
	unsigned n_missing; /* lists that are not restored, or not all of them */
};

/* is_fresh: the maps were empty. Ends are computed by w, which is told of each entry that has one. */
int restore_lists(const char *state_dir, struct table_writer *writer, struct wallclock *w, bool is_fresh, struct restored *ret);

/* How many lists still have such lines: fwctl may have rewritten their files in the meantime. */
unsigned restore_count_wrong(struct table *t);
