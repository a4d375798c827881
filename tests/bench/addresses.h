/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Lists as they are met in the wild, and addresses that are or are not on them: drawn at random from a
 * seed, the same for the same seed. Short of memory, everything here ends the program: these are benchmarks.
 */

#include <stddef.h>
#include <stdint.h>

#include "text/prefix.h"

/* Sorted by prefix_compare(), no two alike. */
struct prefixes {
	struct prefix *items;
	size_t n;
};

/*
 * IPv4: 70 % /32, 20 % /24, 1 % /16../19, 8 nested /8../15, the rest /20../23, all in unicast space. IPv6:
 * 50 % /128, 25 % /64, 15 % /48 and /56, 10 % /29../44, all in 2000::/3. length: of all of them instead, not 0; then there
 * are at most half as many as exist.
 */
struct prefixes prefixes_new(int family, size_t n, unsigned length, uint64_t seed);
void prefixes_done(struct prefixes *p);

/*
 * n addresses, 4 or 16 bytes each, in network order: on the list, a random one in a random prefix of it; or
 * not on it. Of the latter, half of the IPv6 ones share 40 bits with a prefix of the list: neighbours of
 * what is blocked, which cost a filter most.
 */
void prefixes_hits(const struct prefixes *p, void *ret, size_t n, uint64_t seed);
void prefixes_misses(const struct prefixes *p, int family, void *ret, size_t n, uint64_t seed);
