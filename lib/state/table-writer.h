/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Changes of the pinned maps. All of them take a writer, which table_begin() makes from a table and the writer lock
 * (writerlock.h), and which ends with table_end(). The order of the single steps keeps the invariants of ARCHITECTURE.md
 * at all times, even if the process is killed between two of them.
 */

#include "state/table.h"

struct table_writer;

/*
 * Begins: repairs what a writer that died has left. lock_fd: the writer lock, which stays the caller's and is held until
 * after table_end(). A table has one writer at a time.
 */
int table_begin(struct table *t, int lock_fd, struct table_writer **ret);

/* The same for the start of the daemon, which fills tables first and then calls table_repair(). */
struct table_writer *table_begin_unrepaired(struct table *t, int lock_fd);

/*
 * Completes what was changed: exchanges the port index if ports changed, updates the masks in fw_policy. The writer may
 * go on. On failure what was changed is there, and marked as damaged: table_commit() may be called again.
 */
int table_commit(struct table_writer *w);

/*
 * Ends. What was changed since the last table_commit() stays as it is and marked as damaged, for the next table_begin().
 * Accepts NULL, returns NULL.
 */
struct table_writer *table_end(struct table_writer *w);

static inline void table_endp(struct table_writer **w)
{
	(void) table_end(*w);
}

struct table *table_of(const struct table_writer *w);

/* Removes what a crash has left, counts entries per length and per list from scratch, and commits. */
int table_repair(struct table_writer *w);

/*
 * Puts target into a list, or changes how it is in it. directions: FW_IN | FW_OUT, not 0; until: tick or
 * FW_UNTIL_NEVER. The table grows as needed up to MaxEntries=. -E2BIG: full, see table_limit();
 * -ENOMEM: the kernel has no memory for it. On failure nothing has changed. *ret_is_new: it was not in
 * the list before. Port changes take effect at table_commit().
 */
int table_add(struct table_writer *w, const struct target *target, unsigned list, unsigned directions, uint32_t until,
	      bool *ret_is_new);

/* Makes room for so many more at once, in the filter as well. -E2BIG, -ENOMEM: then the table is as it was. */
int table_reserve(struct table_writer *w, enum fw_kind kind, uint64_t n_more);

/* Takes target out of a list. -ENOENT: it is not in it. */
int table_remove(struct table_writer *w, const struct target *target, unsigned list);

/* Makes the entry what it was, or absent if before->lists are all 0: undoes an add or a remove. */
int table_restore(struct table_writer *w, const struct table_entry *before);

/*
 * Bulk: puts add[] into a list and takes remove[] out of it, adds first; directions as in table_add(), 0 =
 * what each kind of target gets by itself. Nothing of add[] is in the list yet, without an end, and
 * everything of remove[] is, without an end and with these directions. Where MaxEntries= does not allow for both
 * at a time, as much of remove[] goes first as must. All or nothing: on failure the list is what it was; -E2BIG
 * as table_add(). table_commit() follows.
 */
int table_load(struct table_writer *w, unsigned list, unsigned directions, const struct target *add, size_t n_add,
	       const struct target *remove, size_t n_remove);

/* Undoes a load: add[] is what it has removed, remove[] what it has added. Never -E2BIG for MaxEntries=. */
int table_load_back(struct table_writer *w, unsigned list, unsigned directions, const struct target *add, size_t n_add,
		    const struct target *remove, size_t n_remove);

/* Lists. The masks in fw_policy follow at table_commit(). */
int table_set_list(struct table_writer *w, unsigned index, const struct fw_list *list);

/* Makes an empty list in a free place, with counters at zero: index, or -ENFILE: there are FW_LISTS_MAX. */
int table_new_list(struct table_writer *w, const struct fw_list *list);

/*
 * Carrying over from another version, into a table that nothing reads yet. Entries come as they are, into the room that
 * was made, MaxEntries= or not; table_repair() follows and makes all that is derived from them.
 */
int table_make_room(struct table_writer *w, enum fw_kind kind, uint32_t n_entries);
int table_fill(struct table_writer *w, const struct prefix *p, const struct fw_entry *entry);
int table_fill_end(struct table_writer *w, const struct fw_ends_key *key, const struct fw_ends *ends);
int table_fill_port(struct table_writer *w, unsigned index, const struct fw_port *port);

/* What was counted before, once nothing counts there any more. */
int table_set_base(struct table_writer *w, unsigned index, const struct fw_counters *base);
int table_set_list_base(struct table_writer *w, unsigned list, const struct fw_list_counters *base);

/* Adds hits to an entry whose hits are pending, while packets add theirs; any other is passed over. */
int table_add_pending_hits(struct table_writer *w, const struct prefix *p, uint64_t hits, uint32_t last_hit);
int table_add_pending_port_hits(struct table_writer *w, unsigned index, uint64_t hits, uint32_t last_hit);

/* Returns when no program runs any more that was running before. */
int table_wait_for_programs(struct table_writer *w);

/*
 * Removes what has ended. The kernel ignores it at once; this removes it from the maps. Calls fn, if not NULL, for each
 * entry and its lists that have ended. Does nothing as long as table_next_end() is in the future. table_commit() follows.
 */
int table_sweep(struct table_writer *w, void (*fn)(const struct target *target, uint64_t lists, void *userdata),
		void *userdata);
