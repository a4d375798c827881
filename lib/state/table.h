/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The pinned maps, opened: entries, lists and counters, as they can be read without a lock. table-writer.h has what
 * changes them.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/abi.h"
#include "text/target.h"

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
 * attached; MaxEntries= is taken from meta. lock_fd: the writer lock.
 */
int table_create(const char *pin_dir, int lock_fd);

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

/* How many port entries lists that block have, of FW_PORT_BANS_MAX: the other places are for exceptions. */
int table_count_port_bans(struct table *t, unsigned *ret);

/* Lists. An index without a list has an empty name. */
int table_get_list(struct table *t, unsigned index, struct fw_list *ret);
int table_find_list(struct table *t, const char *name, struct fw_list *ret); /* index, or -ENOENT */

/*
 * The name of the list that had an index at a time of the boot clock: an event may be read late, when that list was removed
 * and another has its index. -ENOENT: several lists have come and gone since, and it is not known any more.
 */
int table_list_name_at(struct table *t, unsigned index, uint64_t time_ns, char ret_name[static FW_LIST_NAME_MAX]);

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
bool table_is_damaged(struct table *t); /* a writer has begun and not committed: it is dead, or at work */
uint32_t table_next_end(struct table *t);
