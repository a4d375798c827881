/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Fills and sizes the filters that the programs read: user space's half of bpf/filter.h. Pure. */

#include "abi.h"
#include "prefix.h"

/* One filter in memory, be it the kernel's own, mapped. */
struct filter {
	struct fw_cells *cells;
	uint64_t *words;         /* header.n_words; NULL: there are none, and the kernel takes all for set */
	struct fw_filter header;
};

/* Sets the bits of a prefix. Only adds bits, each with one store: a reader sees a filter that holds more. */
void filter_add(struct filter *f, const struct prefix *p);

/* In how many words a prefix sets bits. */
uint64_t filter_keys(const struct prefix *p);

/* Prefix lengths up to the full one that may hold an entry covering the address: what the kernel asks. */
bool filter_maybe(const struct filter *f, const struct prefix *address, unsigned length);
