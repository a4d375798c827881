/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Prefixes to fill entry tables with, drawn at random: for the tests of lib/htab/chains.h. */

#include <stdint.h>

#include "htab/chains.h"

/* Sorted, no two alike. */
struct pool {
	int family;
	uint32_t n;
	struct prefix *prefixes;
};

/* Takes the seed from CHAINS_SEED=, or the clock, and prints it. */
void pool_seed(void);
uint32_t pool_random(uint32_t n); /* 0..n - 1; of one thread */

/* The prefix of length 0, the last address, and others of all lengths, many of them inside each other. -ENOMEM. */
int pool_new(int family, uint32_t n, struct pool *ret);

/* The same of prefixes which are all in one chain of this table, whichever these are. */
int pool_new_in_chain(int family, uint32_t n, const struct chains *c, struct pool *ret);
void pool_done(struct pool *p); /* accepts an empty one */

/* Where in the pool it is, or -ENOENT. */
int pool_index(const struct pool *p, const struct prefix *prefix);
