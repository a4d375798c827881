/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Operations on the pinned maps: entries, lists and counters. Every writer holds the writer lock
 * (writerlock.h) from its first look to its last change; readers need none. The order of the single steps
 * keeps the invariants of ARCHITECTURE.md at every instant, whoever dies in between.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi.h"
#include "target.h"

struct table;

/* The pin of the map of ends that is in use, see bpf/maps.h. */
#define TABLE_ENDS_PIN "maps/ends"

/*
 * Opens the pinned maps below pin_dir. -ENOENT: nothing is loaded; -EPROTO: loaded by another version;
 * -EACCES and -EPERM: no right to.
 */
int table_open(const char *pin_dir, struct table **ret);
struct table *table_free(struct table *t); /* accepts NULL, returns NULL */

/*
 * Makes what loading leaves empty: the first entry tables, the port index, the lists "manual" and
 * "allow". What exists is kept. For the daemon, when maps/ and meta are pinned and before anything is
 * attached; MaxEntries= is taken from meta.
 */
int table_create(const char *pin_dir);

/* One entry as it is in the kernel. A list whose hold on it has ended is not among its lists any more. */
struct table_entry {
	struct target target;
	uint64_t lists[_FW_DIRECTION_MAX];
	uint64_t hits;
	uint32_t last_hit; /* tick, 0 = never */
	uint32_t until[FW_LISTS_MAX]; /* tick per list that holds it, FW_UNTIL_NEVER */
};

/* All lists that hold the entry, in either direction. */
static inline uint64_t table_entry_lists(const struct table_entry *e)
{
	return e->lists[FW_INGRESS] | e->lists[FW_EGRESS];
}

/*
 * Puts target into a list, or changes how it is in it. directions: FW_IN | FW_OUT, not 0; until: tick or
 * FW_UNTIL_NEVER. The table grows as needed up to MaxEntries=. -E2BIG: full, see table_limit();
 * -ENOMEM: the kernel has no memory for it. On failure nothing has changed. *ret_is_new: it was not in
 * the list before. Port changes take effect at table_commit().
 */
int table_add(struct table *t, const struct target *target, unsigned list, unsigned directions, uint32_t until,
	      bool *ret_is_new);

/* Makes room for so many more at once, in the filter as well. -E2BIG, -ENOMEM: then the table is as it was. */
int table_reserve(struct table *t, enum fw_kind kind, uint64_t n_more);

/* Takes target out of a list. -ENOENT: it is not in it. */
int table_remove(struct table *t, const struct target *target, unsigned list);

/* Makes the entry what it was, or absent if before->lists are all 0: undoes an add or a remove. */
int table_restore(struct table *t, const struct table_entry *before);

/*
 * Bulk: puts add[] into a list and takes remove[] out of it, adds first; directions as in table_add(), 0 =
 * what each kind of target gets by itself. Nothing of add[] is in the list yet, without an end, and
 * everything of remove[] is, without an end and with these directions. Where MaxEntries= does not allow for both
 * at a time, as much of remove[] goes first as must. All or nothing: on failure the list is what it was; -E2BIG
 * as table_add(). table_commit() follows.
 */
int table_load(struct table *t, unsigned list, unsigned directions, const struct target *add, size_t n_add,
	       const struct target *remove, size_t n_remove);

/* Undoes a load: add[] is what it has removed, remove[] what it has added. Never -E2BIG for MaxEntries=. */
int table_load_back(struct table *t, unsigned list, unsigned directions, const struct target *add, size_t n_add,
		    const struct target *remove, size_t n_remove);

/* Ends a series of changes: exchanges the port index if ports changed, updates the masks in fw_policy. */
int table_commit(struct table *t);

/* Exactly this target. -ENOENT; then *ret has the target and no lists. */
int table_get(struct table *t, const struct target *target, struct table_entry *ret);

/* Is there an entry of exactly this target, ended or not? Mostly without a system call if there is none. */
bool table_holds(struct table *t, const struct target *target);

/*
 * Calls fn for each entry, in no order; stops at a negative return, which is returned. fn asks nothing of this table:
 * another process may exchange what is being walked.
 */
typedef int (*table_fn)(const struct table_entry *e, void *userdata);
int table_walk(struct table *t, table_fn fn, void *userdata);

/* The same for the ports alone, of which there are few. */
int table_walk_ports(struct table *t, table_fn fn, void *userdata);

/* The same for the entries that cover a prefix (longest first) or a port (narrowest first). */
int table_covering(struct table *t, const struct target *target, table_fn fn, void *userdata);

/* How many entries of a kind there are, and how many there may be. */
uint64_t table_count(struct table *t, enum fw_kind kind);
uint64_t table_limit(struct table *t, enum fw_kind kind);

/*
 * Exceptions, which are the entries of lists that allow, do not count for MaxEntries=, up to FW_EXCEPTIONS_MAX of them: bans
 * must not take their room. How many entries of a kind there may be when the next one comes into this list?
 */
uint64_t table_limit_for(struct table *t, enum fw_kind kind, unsigned list);

/* Lists. An index without a list has an empty name. */
int table_get_list(struct table *t, unsigned index, struct fw_list *ret);
int table_find_list(struct table *t, const char *name, struct fw_list *ret); /* index, or -ENOENT */
int table_set_list(struct table *t, unsigned index, const struct fw_list *list); /* masks follow at table_commit() */

/* Makes an empty list in a free place, with counters at zero: index, or -ENFILE: there are FW_LISTS_MAX. */
int table_new_list(struct table *t, const struct fw_list *list);

/*
 * Counters, summed over all CPUs, with what versions before this one have counted. packets and bytes are those of
 * all packets, the dropped ones among them; none of these numbers, nor the difference, ever goes back.
 */
int table_read_counters(struct table *t, enum fw_hook hook, enum fw_direction direction, struct fw_counters *ret);
int table_read_list_counters(struct table *t, unsigned list, struct fw_list_counters *ret);

/* What fw_check says to a packet from (ingress) or to (egress) this address and to this port, -1 = none. */
int table_check(struct table *t, const struct prefix *address, enum fw_direction direction,
		enum fw_protocol protocol, int port, uint32_t *ret_answer);

const struct fw_meta *table_meta(struct table *t);

/*
 * Is it still the firewall that was opened, and no upgrade under way? Else what is written goes into maps that
 * nothing reads any more. For writers, when they have the lock.
 */
bool table_is_current(struct table *t);

/* Sets or clears FW_POLICY_STRICT. */
void table_set_strict(struct table *t, bool is_strict);

/*
 * What the cgroup programs judge: loopback or not, and of which directions (FW_IN, FW_OUT) they leave the ports to tc and
 * xdp. Without the writer lock. table_left_ports() is what was set last.
 */
void table_set_scope(struct table *t, bool judges_loopback, unsigned left_ports);
unsigned table_left_ports(const struct table *t);

/*
 * Carrying over from another version, into a table that nothing reads yet. Entries come as they are, into the room that
 * was made, MaxEntries= or not; table_repair() follows and makes all that is derived from them.
 */
int table_make_room(struct table *t, enum fw_kind kind, uint32_t n_entries);
int table_fill(struct table *t, const struct prefix *p, const struct fw_entry *entry);
int table_fill_end(struct table *t, const struct fw_ends_key *key, const struct fw_ends *ends);
int table_fill_port(struct table *t, unsigned index, const struct fw_port *port);

/* What was counted before, once nothing counts there any more. */
int table_set_base(struct table *t, unsigned index, const struct fw_counters *base);
int table_set_list_base(struct table *t, unsigned list, const struct fw_list_counters *base);

/* Adds hits to an entry whose hits are pending, while packets add theirs; any other is passed over. */
int table_add_pending_hits(struct table *t, const struct prefix *p, uint64_t hits, uint32_t last_hit);
int table_add_pending_port_hits(struct table *t, unsigned index, uint64_t hits, uint32_t last_hit);

/* Returns when no program runs any more that was running before. */
int table_wait_for_programs(struct table *t);

/*
 * Counts entries per length and per list anew and clears what a crash left behind. The caller holds the
 * writer lock. The daemon does it at start, and every first change or commit behind a dead writer.
 */
int table_repair(struct table *t);
/*
 * After a change, sweep or commit that failed: forgets what this handle has begun, so that nothing of it can reach a later
 * change. The entries stay as they are and marked as damaged, for the next table_repair(). For who keeps a table open.
 */
void table_abandon(struct table *t);
bool table_is_damaged(struct table *t); /* a writer has begun and not committed: it is dead, or at work */

/*
 * Removes what has ended: from the entry at once for the kernel, from the maps with this. Calls fn,
 * if not NULL, for each entry and the lists that let go of it. Does nothing as long as
 * table_next_end() is in the future. Holds the writer lock; table_commit() follows.
 */
int table_sweep(struct table *t, void (*fn)(const struct target *target, uint64_t lists, void *userdata),
		void *userdata);
uint32_t table_next_end(struct table *t);
