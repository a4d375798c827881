/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Fills and sizes the filters that the programs read: user space's half of abi/filter-bits.h. Pure. */

#include "abi/abi.h"
#include "text/prefix.h"

/* One filter in memory, be it the kernel's own, mapped. */
struct filter {
	struct fw_cells *cells;
	uint64_t *words;         /* filter_n_words(); NULL: there are none, and the kernel takes all for set */
	struct fw_filter header;
};

/* What a new filter for so many keys is to be like; the seed is the caller's. */
struct fw_filter filter_header_for(enum fw_kind kind, uint64_t n_keys);

/* It takes half as many keys again before a new one is due: of IPv4, then 1 stranger in 14 is looked up in vain. */
uint64_t filter_keys_at_most(enum fw_kind kind, const struct fw_filter *header);

/* How many words it has: the hashed ones, and those after them. */
size_t filter_n_words(enum fw_kind kind, const struct fw_filter *header);

/* Sets the bits of a prefix. Only adds bits, each with one store: a reader sees a filter that holds more. */
void filter_add(struct filter *f, const struct prefix *p);

/* In how many words a prefix sets bits. */
uint64_t filter_keys(const struct prefix *p);

/* Prefix lengths up to the full one that may hold an entry covering the address: what the kernel asks. */
bool filter_maybe(const struct filter *f, const struct prefix *address, unsigned length);
