/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Port entries as they lie in memory, and the index that the kernel searches. No map, no allocation.
 *
 * Packets go by the index alone, so an entry may change at any time. What must not happen is that an index into the entries
 * gets another entry while a packet may still have it from a port index: the packet would count a hit of the wrong entry,
 * and name the wrong one. So an index that was given up is marked until a new port index is in place and no program
 * uses an old one. The mark is in the map: another writer finds it if this one dies.
 */

#include <stdint.h>

#include "abi/abi.h"

/*
 * Builds the index over the used ones of FW_PORT_ENTRIES_MAX entries. -E2BIG: more than
 * FW_PORT_OVERLAP_MAX of them cover one port; then *ret is not to be used.
 */
int ports_build_index(const struct fw_port *entries, struct fw_port_index *ret);

/* How many of the entries are in one of these lists. */
unsigned ports_count(const struct fw_port *entries, uint64_t lists);

/* Of all ports of p: how many entries in one of these lists cover the one that most of them cover? */
unsigned ports_overlap(const struct fw_port *entries, uint64_t lists, const struct fw_port *p);

/*
 * Makes an entry what it is to be. If the writer is killed between two stores, the entry is as it was or as it is to be; of
 * lists and an end that change together, an intermediate state has only what either has.
 */
void ports_set(struct fw_port *p, const struct fw_port *want);

/* A free index, one that may be used at once if there is any. FW_PORT_ENTRIES_MAX: none is free. */
unsigned ports_find_free(const struct fw_port *entries);

/* No program uses a port index from before: what was given up may be used again. */
void ports_settle(struct fw_port *entries);
