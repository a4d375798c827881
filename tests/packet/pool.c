// SPDX-License-Identifier: GPL-2.0-or-later

/* See pool.h. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "abi/chain-head.h"
#include "base/cleanup.h"
#include "pool.h"

static uint64_t random_state;

void pool_seed(void)
{
	const char *seed = getenv("CHAINS_SEED");
	struct timespec now;

	(void) clock_gettime(CLOCK_REALTIME, &now);
	random_state = (seed ? strtoull(seed, NULL, 0) : (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec) | 1;
	printf("# CHAINS_SEED=%llu\n", (unsigned long long)random_state);
}

uint32_t pool_random(uint32_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (random_state >> 16) % n;
}

static void draw_bytes(uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		bytes[i] = pool_random(256);
}

/* Every other one is at the address of the one before, and many of IPv6 have the upper half of it in common. */
static struct prefix draw(int family)
{
	static uint8_t bytes[16];
	unsigned full = prefix_full_length(family);

	if (pool_random(family == AF_INET ? 2 : 1024) == 0)
		draw_bytes(bytes, 8);
	if (pool_random(2))
		draw_bytes(bytes + 8, 8);
	return prefix_from_bytes(family, bytes, pool_random(3) ? pool_random(full + 1) : full);
}

static int compare(const void *a, const void *b)
{
	return prefix_compare(a, b);
}

static uint32_t sort_out(struct prefix *prefixes, uint32_t n)
{
	uint32_t n_kept = 0;

	qsort(prefixes, n, sizeof(*prefixes), compare);
	for (uint32_t i = 0; i < n; i++)
		if (n_kept == 0 || prefix_compare(&prefixes[n_kept - 1], &prefixes[i]) != 0)
			prefixes[n_kept++] = prefixes[i];
	return n_kept;
}

int pool_new(int family, uint32_t n, struct pool *ret)
{
	const uint8_t zeros[16] = { 0 };
	uint8_t ones[16];
	struct pool p = { .family = family };

	p.prefixes = calloc(n, sizeof(*p.prefixes));
	if (!p.prefixes)
		return -ENOMEM;
	memset(ones, 0xff, sizeof(ones));
	p.prefixes[p.n++] = prefix_from_bytes(family, zeros, 0);
	if (n > 1)
		p.prefixes[p.n++] = prefix_from_bytes(family, ones, prefix_full_length(family));
	while (p.n < n) {
		for (uint32_t i = p.n; i < n; i++)
			p.prefixes[i] = draw(family);
		p.n = sort_out(p.prefixes, n);
	}
	*ret = p;
	return 0;
}

static uint32_t head_of(const struct fw_table *t, const struct prefix *p)
{
	struct prefix_halves h = prefix_to_halves(p);

	return p->family == AF_INET ? chains_head4(h.high, p->length, t->seed, t->n_heads) :
				      chains_head6(h.high, h.low, p->length, t->seed, t->n_heads);
}

int pool_new_in_chain(int family, uint32_t n, const struct chains *c, struct pool *ret)
{
	const struct fw_table *t = chains_table(c);
	struct pool p = { .family = family };
	struct prefix drawn = draw(family);
	uint32_t head = head_of(t, &drawn), n_drawn = 0;

	p.prefixes = calloc(n, sizeof(*p.prefixes));
	if (!p.prefixes)
		return -ENOMEM;
	while (p.n < n) {
		for (n_drawn = p.n; n_drawn < n; drawn = draw(family))
			if (head_of(t, &drawn) == head)
				p.prefixes[n_drawn++] = drawn;
		p.n = sort_out(p.prefixes, n_drawn);
	}
	*ret = p;
	return 0;
}

void pool_done(struct pool *p)
{
	free(p->prefixes);
	*p = (struct pool){ 0 };
}

int pool_index(const struct pool *p, const struct prefix *prefix)
{
	const struct prefix *found = bsearch(prefix, p->prefixes, p->n, sizeof(*found), compare);

	return found ? found - p->prefixes : -ENOENT;
}
