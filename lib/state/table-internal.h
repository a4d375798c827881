/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Shared by the files of table.h, and included by no others. */

#include "htab/chains.h"
#include "kernel/pins.h"
#include "state/filter.h"
#include "state/ports.h"
#include "state/table-writer.h"

/* A table or a filter that needs less than this part of its room gives memory back, and keeps twice what it needs. */
#define TABLE_SHRINK_PART 4

/* The filter in use, mapped when first needed. */
struct open_filter {
	struct filter filter;
	uint32_t generation;
};

/* What is under way between table_begin() and table_end(). */
struct table_writer {
	struct table *t;           /* NULL: there is none */
	int64_t n_more_entries[FW_LISTS_MAX]; /* what changes have added to lists since the last table_commit() */
	bool is_changing;          /* census->is_changing is ours */
	bool ports_changed;        /* the port index is to be exchanged, at table_commit() at the latest */
	uint64_t lists_checked;    /* that table_set_allow() has looked at since table_mark() */
	struct fw_port_index *port_index; /* built by the change, not exchanged yet */
};

struct table {
	char *pin_dir;
	struct fw_meta meta;
	struct fw_policy *policy;  /* mapped: a store is seen by the next packet */
	struct fw_census *census;  /* mapped */
	struct fw_cells *cells;    /* mapped, 2 * FW_TABLE_SLOTS */
	struct open_filter filters[2]; /* by enum fw_kind */
	int filters_fd;
	struct fw_port *ports;     /* mapped, FW_PORT_ENTRIES_MAX */
	int tables_fd;
	struct chains *chains[2];  /* the table in use, by enum fw_kind, NULL = not opened yet */
	uint32_t table_generation[2];
	int ends_slot_fd;
	int ends_fd;               /* of the map in the slot, -1 = not opened yet */
	uint32_t ends_id;          /* what the slot held when it was opened */
	int lists_fd;
	int port_index_fd;
	int counters_fd;
	int list_counters_fd;
	int base_counters_fd;
	int base_lists_fd;
	uint32_t meta_id;          /* of the map: which firewall it is that was opened */
	struct table_writer writer; /* the one that there may be */
};

/* Some flags of the policy, in one exchange: the daemon does not hold the writer lock for those that are its own. */
void table_set_flags(struct table *t, uint32_t mask, uint32_t flags);

/* Name of a table's pin, below the pin directory; returns ret. */
#define TABLE_PIN_MAX 32
const char *table_pin_name(enum fw_kind kind, uint32_t slot, char ret[static TABLE_PIN_MAX]);

/*
 * Pins a table as that of its slot and puts it there; the slot is not in use yet. When it returns, no program looks for
 * a table that was there before.
 */
int table_put_slot(struct table_writer *w, enum fw_kind kind, uint32_t slot, const struct chains *c);

/* Returns when no program looks any more for a table that was in use before this one. */
int table_wait(struct table_writer *w, enum fw_kind kind);

/* How many entries the table in use may hold. */
int table_room(struct table *t, enum fw_kind kind, uint64_t *ret);

/*
 * Closes what is opened again when it is needed: its memory is taken as long as somebody has it open, also when another
 * process has put something else in its place, and what is mapped counts as the process's.
 */
void table_close_tables(struct table *t);

/* An entry as it is in the kernel, including lists whose end has passed. */
struct raw {
	struct fw_entry entry;
	struct fw_ends ends; /* if entry.until is FW_UNTIL_MIXED */
	unsigned port_index; /* of a port: its own, or a free one; FW_PORT_ENTRIES_MAX if there is none */
};

/* Makes port_entries what packets go by. When it returns no program uses an older port index. */
int table_exchange_port_index(struct table_writer *w);

/* A port entry, or a free index for it. -ENOENT: there is none. */
int table_get_port(struct table *t, const struct target *target, struct raw *ret);

/* Packets see the change when the index is exchanged, by table_commit() at the latest. -E2BIG, -ENOMEM. */
int table_put_port(struct table_writer *w, const struct target *target, const struct raw *raw, bool was_there);

/*
 * May this entry come into this list? Lists that block may have FW_PORT_BANS_MAX entries, and
 * FW_PORT_OVERLAP_BANS_MAX over one port: so there is room for an exception. -E2BIG: no.
 */
int table_admit_port(struct table *t, const struct target *target, unsigned list, const struct raw *was, bool was_there);

/*
 * Brings port changes to the packets before another change, where that must not overtake them: one of an address, which is
 * seen at once, or of ends. And before an index is used again that packets may still have.
 */
int table_publish_ports(struct table_writer *w, const struct target *target, const struct raw *raw, bool was_there,
			bool is_mixed);

/* Keeps the ends of lists that have just left a port entry: packets see new ends sooner than the new index. */
void table_keep_ends(struct raw *raw, const struct raw *was);

/*
 * The ends of entries that say FW_UNTIL_MIXED. Put grows the map as needed: -ENOMEM. Removing what is not there is no error.
 * What cannot be removed is found by table_repair(). Next goes from key to key, -ENOENT at the end, NULL = from the start;
 * after table_ends_repair(), which opens the map, and lets the programs use the one that a dead writer has pinned.
 */
int table_ends_create(struct table_writer *w);
int table_ends_get(struct table *t, const struct fw_ends_key *key, struct fw_ends *ret); /* -ENOENT */
int table_ends_put(struct table_writer *w, const struct fw_ends_key *key, const struct fw_ends *ends);
void table_ends_remove(struct table_writer *w, const struct fw_ends_key *key);
int table_ends_next(struct table *t, const struct fw_ends_key *key, struct fw_ends_key *ret);
int table_ends_repair(struct table_writer *w);
void table_ends_shrink(struct table_writer *w); /* as table_shrink() */
void table_ends_close(struct table *t);

/* Writes a list, within a series of changes. */
int table_put_list(struct table_writer *w, unsigned index, const struct fw_list *list);

/* Before entries of these lists come: an allow list has its bit in fw_policy.allow before its first entry. */
int table_set_allow(struct table_writer *w, uint64_t lists);

struct fw_ends_key table_ends_key(const struct target *target, unsigned port_index);

/* How many entries of that family and length there are, and whether the kernel is to look for any. */
__u64 *table_census_of(struct table *t, const struct prefix *p);
void table_set_length(struct table_writer *w, int family, unsigned length, bool in_use);

/*
 * The table in use. It stays good after another process has put a larger one in its place, but shows the past: so this
 * looks at the generation again each time.
 */
int table_current(struct table *t, enum fw_kind kind, struct chains **ret);

/* Adds an entry to the table in use, which grows as needed, or changes it. What must come before it is there. */
int table_put_prefix(struct table_writer *w, const struct prefix *p, const struct fw_entry *entry);

/* Told of each raw entry, whether it has ended or not. */
typedef int (*table_raw_fn)(struct table *t, const struct target *target, struct raw *raw, void *userdata);
int table_walk_raw(struct table *t, table_raw_fn fn, void *userdata);

/* What table_count_one() counts; its userdata. */
struct census_walk {
	struct fw_census census;
	uint64_t n_entries[FW_LISTS_MAX];
};

int table_count_one(struct table *t, const struct target *target, struct raw *raw, void *userdata);

/*
 * After a dead writer: removes what it has left, and counts again. table-commit.c calls it. The ends of entries that need
 * none any more, which it removes too, are left by sweeps as well.
 */
int table_count_anew(struct table_writer *w);
int table_remove_stale_ends(struct table_writer *w);

int table_raw_get(struct table *t, const struct target *target, struct raw *ret); /* -ENOENT: none */

/* What of it is still in force at this tick. */
void table_raw_to_entry(const struct target *target, const struct raw *raw, uint32_t now, struct table_entry *ret);

/* Both at once: what a change begins with. An absent entry is one without lists. */
int table_entry_read(struct table *t, const struct target *target, struct raw *ret_raw, bool *ret_was_there,
		     struct table_entry *ret);

/* Notes the ends of an entry that is about to be put, for table_next_end(). */
void table_note_ends(struct table_writer *w, const struct table_entry *e);

/* Lists count their entries: was and is are the lists of one entry, before and after. */
void table_count_in_lists(struct table_writer *w, uint64_t was, uint64_t is);

/* Adds hits to an entry while packets add theirs. */
void table_add_hits(struct fw_entry *entry, uint64_t hits, uint32_t last_hit);

/*
 * Makes room: for at_least entries, or for more than there is room for now if 0. -E2BIG: MaxEntries= does
 * not allow it; -ENOMEM.
 */
int table_grow(struct table_writer *w, enum fw_kind kind, uint64_t at_least);

/* The same table with another seed. */
int table_reseed(struct table_writer *w, enum fw_kind kind);

/* Gives back what a table has far too much of, after a change that has opened it. What fails is tried after the next. */
void table_shrink(struct table_writer *w);

/* Frees the table that is not in use, which a killed writer has left. */
void table_drop_left_behind(struct table_writer *w);

/* Before the first store of a change: what a writer that dies from here on leaves is damaged. table_commit() takes it back. */
void table_mark(struct table_writer *w);

/* Takes an entry from what it is, as read by table_entry_read(), to want; within a series of changes. */
int table_entry_put(struct table_writer *w, const struct table_entry *want, bool was_there, const struct raw *was);

/* Undoes a removal from a list, without an end, MaxEntries= or not. */
int table_put_back(struct table_writer *w, const struct target *target, unsigned list, unsigned directions);

/*
 * Filters. Sets the bits of a prefix that is about to be added, in a larger filter if need be; builds the filter from
 * scratch from the table, with room for more keys; forgets the mapping.
 */
int table_filter_add(struct table_writer *w, enum fw_kind kind, const struct prefix *p);
int table_filter_reserve(struct table_writer *w, enum fw_kind kind, uint64_t n_more_keys); /* for many of them */
bool table_may_hold(struct table *t, enum fw_kind kind, const struct prefix *p); /* false: there is no such entry */
void table_filter_shrink(struct table_writer *w, enum fw_kind kind); /* as table_shrink() */
int table_rebuild_filter(struct table_writer *w, enum fw_kind kind, uint64_t n_more_keys);
void table_close_filter(struct table *t, enum fw_kind kind);

/* Calls fn for the prefix of each entry, whether it has ended or not; and how many keys they make. */
int table_walk_prefixes(struct table *t, enum fw_kind kind, int (*fn)(const struct prefix *p, void *userdata),
			void *userdata);
uint64_t table_count_keys(struct table *t, enum fw_kind kind);
