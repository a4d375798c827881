// SPDX-License-Identifier: GPL-2.0-or-later

/* See addresses.h. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "addresses.h"

static void *must(void *p)
{
	if (!p) {
		fprintf(stderr, "Out of memory\n");
		exit(EXIT_FAILURE);
	}
	return p;
}

/* splitmix64 */
static uint64_t draw(uint64_t *seed)
{
	uint64_t x = *seed += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static size_t draw_below(uint64_t *seed, size_t n)
{
	return draw(seed) % n;
}

/* Any global unicast address; 16 bytes are written, of which IPv4 means the first four. */
static void draw_address(int family, uint8_t bytes[static 16], uint64_t *seed)
{
	uint64_t x = draw(seed), y = draw(seed);

	memcpy(bytes, &x, 8);
	memcpy(bytes + 8, &y, 8);
	if (family == AF_INET6) {
		bytes[0] = 0x20 | (bytes[0] & 0x1f);
		return;
	}
	while (bytes[0] == 0 || bytes[0] == 10 || bytes[0] == 127 || bytes[0] >= 224)
		bytes[0] = draw(seed);
}

/* Length of the prefix number i of n in the mixture. */
static unsigned length_of(int family, size_t i, size_t n, uint64_t *seed)
{
	if (family == AF_INET6) {
		if (i < n / 2)
			return 128;
		if (i < n / 4 * 3)
			return 64;
		if (i < n / 10 * 9)
			return i % 2 ? 48 : 56;
		return 29 + draw_below(seed, 44 - 29 + 1);
	}
	if (i < n / 10 * 7)
		return 32;
	if (i < n / 10 * 9)
		return 24;
	if (i < n / 100 * 91)
		return 16 + draw_below(seed, 4);
	return 20 + draw_below(seed, 4);
}

static int compare(const void *a, const void *b)
{
	return prefix_compare(a, b);
}

static size_t sort_unique(struct prefix *items, size_t n)
{
	size_t n_unique = 0;

	qsort(items, n, sizeof(*items), compare);
	for (size_t i = 0; i < n; i++)
		if (n_unique == 0 || prefix_compare(&items[i], &items[n_unique - 1]) != 0)
			items[n_unique++] = items[i];
	return n_unique;
}

/* In unicast space: a little less than all of IPv4, 2000::/3 of IPv6. */
static size_t half_of_length(int family, unsigned length)
{
	unsigned bits = family == AF_INET6 ? length - 3 : length;

	return bits < 64 ? (UINT64_C(1) << bits) / 2 : SIZE_MAX;
}

struct prefixes prefixes_new(int family, size_t n, unsigned length, uint64_t seed)
{
	struct prefixes p = { .items = must(calloc(n + 1, sizeof(*p.items))) };
	size_t n_nested = length > 0 || family == AF_INET6 || n < 100 ? 0 : 8;
	uint8_t bytes[16];

	if (length > 0 && n > half_of_length(family, length))
		n = half_of_length(family, length);
	draw_address(family, bytes, &seed);
	for (; p.n < n_nested; p.n++)
		p.items[p.n] = prefix_from_bytes(family, bytes, 8 + p.n);

	while (p.n < n) { /* again for those that were drawn twice */
		for (size_t i = p.n; i < n; i++) {
			draw_address(family, bytes, &seed);
			p.items[i] = prefix_from_bytes(family, bytes,
						       length ?: length_of(family, draw_below(&seed, n), n, &seed));
		}
		p.n = sort_unique(p.items, n);
	}
	return p;
}

void prefixes_done(struct prefixes *p)
{
	free(p->items);
	*p = (struct prefixes){ 0 };
}

static size_t address_size(int family)
{
	return family == AF_INET ? 4 : 16;
}

/* The address with its host bits, those behind length, from filler. */
static void fill_host_bits(uint8_t *address, const uint8_t *filler, unsigned length, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		unsigned kept = length >= (i + 1) * 8 ? 8 : length > i * 8 ? length - i * 8 : 0;
		uint8_t mask = 0xff00 >> kept;

		address[i] = (address[i] & mask) | (filler[i] & ~mask);
	}
}

void prefixes_hits(const struct prefixes *p, void *ret, size_t n, uint64_t seed)
{
	size_t size = address_size(p->items[0].family);
	const struct prefix *prefix;
	uint8_t filler[16];

	for (size_t i = 0; i < n; i++) {
		uint8_t *address = (uint8_t *)ret + i * size;

		prefix = &p->items[draw_below(&seed, p->n)];
		draw_address(prefix->family, filler, &seed);
		memcpy(address, prefix->bytes, size);
		fill_host_bits(address, filler, prefix->length, size);
	}
}

/* The prefixes that no other one covers: sorted, so what covers an address is the last before it, or nothing. */
static struct prefixes outermost(const struct prefixes *p)
{
	struct prefixes outer = { .items = must(calloc(p->n + 1, sizeof(*outer.items))) };

	for (size_t i = 0; i < p->n; i++)
		if (outer.n == 0 || !prefix_covers(&outer.items[outer.n - 1], &p->items[i]))
			outer.items[outer.n++] = p->items[i];
	return outer;
}

static bool covers(const struct prefixes *outer, const struct prefix *address)
{
	size_t low = 0, high = outer->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (prefix_compare(&outer->items[middle], address) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 && prefix_covers(&outer->items[low - 1], address);
}

void prefixes_misses(const struct prefixes *p, int family, void *ret, size_t n, uint64_t seed)
{
	struct prefixes outer = outermost(p);
	size_t size = address_size(family);
	const struct prefix *neighbour;
	struct prefix address;
	uint8_t bytes[16];

	for (size_t i = 0; i < n;) {
		draw_address(family, bytes, &seed);
		if (family == AF_INET6 && i % 2 && p->n > 0) {
			neighbour = &p->items[draw_below(&seed, p->n)];
			memcpy(bytes, neighbour->bytes, 5);
		}
		address = prefix_from_bytes(family, bytes, prefix_full_length(family));
		if (!covers(&outer, &address))
			memcpy((uint8_t *)ret + i++ * size, bytes, size);
	}
	prefixes_done(&outer);
}
