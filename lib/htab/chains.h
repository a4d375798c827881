/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * One entry table as user space changes it while packets look: see struct fw_table. All through memory that is the
 * kernel's own. One writer at a time, with the writer lock; readers need none.
 *
 * An entry comes with one store, of the head that names its slot, and goes with one, of the link that passes it over; one that
 * changes in more than one word gets a new slot, which takes the place of the old one with one store. A slot
 * that was given up stays as it is until no packet can stand on it any more, so that none ever finds another entry
 * in it, or loses its way. Whoever dies in between leaves chains that are whole, and at most a slot that no
 * chain has, which chains_repair() finds.
 */

#include <stdint.h>

#include "abi/abi.h"
#include "text/prefix.h"

struct chains;

/* A new table, empty, in a map that nobody else knows. -ENOMEM, or what the kernel says. */
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
 * Adds an entry, or changes its lists and its end; its hits stay, but where both change for the one of a packet that has
 * found the entry and has yet to count: that goes to the slot that was given up. -E2BIG: there are n_entries already; -EXFULL: its
 * chain is too long, the table wants another seed; -EAGAIN: a packet may stand on each slot that is free, see
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

/* Counts the entries anew and finds the slots that no chain has: after a writer has died. */
int chains_repair(struct chains *c);

/* The prefix of a slot; family: AF_INET or AF_INET6, which the table has in common. */
struct prefix chains_prefix(int family, const struct fw_slot *slot);
