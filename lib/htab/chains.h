/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * One entry table as user space changes it while packets look: see struct fw_table. All changes go through memory shared
 * with the kernel. One writer at a time, with the writer lock; readers need none.
 *
 * One store adds an entry: of the head, which then names its slot. One store removes it: of the link that passes it over. An
 * entry that changes in more than one word gets a new slot, which replaces the old one with one store. A retired slot does
 * not change until no packet can reference it any more. So a packet never finds another entry in it, and always reaches the
 * end of the chain. If a writer is killed in between, every chain is still intact. At most one slot is in no chain, and
 * chains_repair() finds it.
 */

#include <stdint.h>

#include "abi/abi.h"
#include "text/prefix.h"

struct chains;

/* A new table, empty, in a map that is not yet visible to others. -ENOMEM, or the kernel's error. */
int chains_new(uint32_t n_entries, struct chains **ret);

/* A table that exists. Takes over the descriptor when it succeeds. -EPROTO: it is none of ours; -ENOMEM. */
int chains_open(int fd, struct chains **ret);
struct chains *chains_free(struct chains *c); /* closes it; accepts NULL, returns NULL */

int chains_fd(const struct chains *c);
const struct fw_table *chains_table(const struct chains *c);

/* What a table for so many entries takes, in bytes. */
uint64_t chains_bytes(uint32_t n_entries);

/*
 * The slot of exactly this prefix, with the lock; it is good until c is freed. Without it, a copy of the entry.
 * -ENOENT; -ENOMEM: it could not be mapped.
 */
int chains_find(struct chains *c, const struct prefix *p, struct fw_slot **ret);
int chains_read(struct chains *c, const struct prefix *p, struct fw_entry *ret);

/*
 * Adds an entry, or changes its lists and its end. Its hits stay. One exception: if both lists and end change, a packet that
 * has already found the entry and has yet to count adds its hit to the retired slot. -E2BIG: there are n_entries already;
 * -EXFULL: its chain is too long, the table needs another seed; -EAGAIN: a packet may reference every free slot, see
 * chains_settle(); -ENOMEM. On failure nothing has changed.
 */
int chains_put(struct chains *c, const struct prefix *p, const struct fw_entry *entry);
int chains_remove(struct chains *c, const struct prefix *p); /* -ENOENT, -ENOMEM */

/* All programs that were running have ended since the last change: slots that were given up may be used again. */
int chains_settle(struct chains *c);

/* Calls fn for each entry, in no order, and stops at a negative return, which is returned. With the lock. */
typedef int (*chains_fn)(struct fw_slot *slot, void *userdata);
int chains_each(struct chains *c, chains_fn fn, void *userdata);

/*
 * The same without the lock: fn is told of copies. What others change in the meantime may be missed or seen, an entry that
 * stays is seen once.
 */
int chains_read_each(struct chains *c, int (*fn)(const struct fw_slot *slot, void *userdata), void *userdata);

/* Counts the entries again and finds the slots that no chain has: after a writer was killed. */
int chains_repair(struct chains *c);

/* The prefix of a slot; family: AF_INET or AF_INET6, which the table has in common. */
struct prefix chains_prefix(int family, const struct fw_slot *slot);
