// SPDX-License-Identifier: GPL-2.0-or-later

/* filter.c: what was added is found (I2), what was not is mostly not asked for, and no prefix takes many words. */

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "abi/filter-bits.h"
#include "state/filter.h"
#include "unit.h"

#define N_ENTRIES   100000
#define N_STRANGERS 100000
#define LENGTHS_MAX (128 + 1)

static struct fw_cells cells;

static struct filter new_filter(enum fw_kind kind, uint64_t n_keys, uint64_t seed)
{
	struct filter f = { .cells = &cells, .header = filter_header_for(kind, n_keys) };

	f.header.seed = seed;
	f.words = calloc(filter_n_words(kind, &f.header), sizeof(*f.words));
	assert_non_null(f.words);
	cells = (struct fw_cells){};
	return f;
}

static struct prefix ip4(uint32_t addr, unsigned length)
{
	uint8_t bytes[] = { addr >> 24, addr >> 16, addr >> 8, addr };

	return prefix_from_bytes(AF_INET, bytes, length);
}

/* The addresses that get the same answer for a length: one of each such block is as good as all. */
static unsigned block_of(unsigned length)
{
	return length <= 16 ? 16 : length <= 24 ? 24 : 32;
}

/* A prefix of each length is found for every address it covers, and the shorter ones for no address beside it. */
static void test_every_length(void **state)
{
	static const uint32_t inside[] = { 0xc6336471, 0xcb0071ff, 0xc0000200 }; /* 198.51.100.113, 203.0.113.255, 192.0.2.0 */

	for (size_t i = 0; i < ELEMENTSOF(inside); i++) {
		for (unsigned length = 0; length <= 32; length++) {
			struct filter f = new_filter(FW_KIND_IPV4, 100, 1000 * i + length);
			uint64_t size = UINT64_C(1) << (32 - length), first = inside[i] & ~(size - 1);
			uint64_t step = UINT64_C(1) << (32 - block_of(length));
			struct prefix p = ip4(first, length), address;

			filter_add(&f, &p);
			for (uint64_t at = first; at < first + size; at += step) {
				address = ip4(at, 32);
				CHECK(filter_maybe(&f, &address, length), "/%u, first of %#llx", length, (unsigned long long)at);
				address = ip4(at + step - 1, 32);
				CHECK(filter_maybe(&f, &address, length), "/%u, last of %#llx", length, (unsigned long long)at);
			}
			if (length > 0 && length <= 20) {
				address = ip4(first ^ size, 32);
				CHECK(!filter_maybe(&f, &address, length), "/%u is asked for beside it", length);
			}
			free(f.words);
		}
	}
}

static struct prefix flip_bit(struct prefix p, unsigned bit)
{
	p.bytes[bit / 8] ^= 0x80 >> bit % 8;
	return p;
}

/* A prefix of each length of IPv6 is found for addresses that it covers, whichever bits differ behind it. */
static void test_every_length6(void **state)
{
	static const uint8_t inside[][16] = {
		{ 0x20, 0x01, 0x0d, 0xb8, 0x5a, 0xa5, 0xc3, 0x3c, 0x01, 0x80, 0xff, 0x00, 0x55, 0xaa, 0x0f, 0xf1 },
		{ 0x20, 0x01, 0x0d, 0xb8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
		{ 0x20, 0x01, 0x0d, 0xb8 },
	};
	struct prefix p, address, first, last;
	unsigned n_asked = 0, n_beside = 0;

	for (size_t i = 0; i < ELEMENTSOF(inside); i++) {
		for (unsigned length = 0; length <= 128; length++) {
			struct filter f = new_filter(FW_KIND_IPV6, 100, 1000 * i + length);

			p = prefix_from_bytes(AF_INET6, inside[i], length);
			filter_add(&f, &p);
			first = last = p;
			for (unsigned bit = length; bit < 128; bit++)
				last = flip_bit(last, bit);
			for (unsigned bit = length; bit <= 128; bit++) {
				address = bit < 128 ? flip_bit(first, bit) : first;
				CHECK(filter_maybe(&f, &address, length), "/%u, bit %u from its first", length, bit);
				address = bit < 128 ? flip_bit(last, bit) : last;
				CHECK(filter_maybe(&f, &address, length), "/%u, bit %u from its last", length, bit);
			}
			for (unsigned bit = 0; bit < length && length >= 20; bit++) {
				address = flip_bit(first, bit);
				n_asked += filter_maybe(&f, &address, length);
				n_beside++;
			}
			free(f.words);
		}
	}
	CHECK(n_asked < n_beside / 1000, "%u of %u next to the prefix are asked for", n_asked, n_beside);
}

static size_t count_words(const struct filter *f, enum fw_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < filter_n_words(kind, &f->header); i++)
		n += f->words[i] != 0;
	return n;
}

/* What a filter takes in memory and time goes by the number of entries, whatever their lengths. */
static void test_no_length_takes_many_words(void **state)
{
	static const uint8_t inside[16] = { 0x20, 0x01, 0x0d, 0xb8, 0x5a, 0xa5, 0xc3, 0x3c, 0x01 };
	static const int families[] = { [FW_KIND_IPV4] = AF_INET, [FW_KIND_IPV6] = AF_INET6 };

	for (enum fw_kind kind = FW_KIND_IPV4; kind <= FW_KIND_IPV6; kind++) {
		for (unsigned length = 0; length <= prefix_full_length(families[kind]); length++) {
			struct prefix p = prefix_from_bytes(families[kind], inside, length);
			uint64_t n_keys = filter_keys(&p);
			struct filter f;

			CHECK(n_keys <= FILTER_SPREAD, "IPv%d /%u counts for %llu keys", 4 + 2 * kind, length,
			      (unsigned long long)n_keys);
			f = new_filter(kind, 100000, length); /* so large that hardly two blocks share a word */
			filter_add(&f, &p);
			CHECK(count_words(&f, kind) <= n_keys, "IPv%d /%u is in %zu words, counts for %llu", 4 + 2 * kind, length,
			      count_words(&f, kind), (unsigned long long)n_keys);
			free(f.words);
		}
	}
}

/* splitmix64 */
static uint64_t draw(uint64_t *seed)
{
	uint64_t x = *seed += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

/*
 * Strangers are those with this bit, entries those without: all are in the same cells, for the bit comes after them, and
 * no entry, all of which are longer, covers a stranger.
 */
struct side {
	size_t byte;
	uint8_t bit;
};

static const struct side sides[] = {
	[FW_KIND_IPV4] = { 2, 0x80 },
	[FW_KIND_IPV6] = { 2, 0x10 },
};

static struct prefix draw_address(enum fw_kind kind, bool is_stranger, uint64_t *seed)
{
	uint8_t bytes[16];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = draw(seed);
	bytes[0] = 0x20 | (bytes[0] & 0x1f); /* cells that all have entries */
	bytes[sides[kind].byte] &= ~sides[kind].bit;
	if (is_stranger)
		bytes[sides[kind].byte] |= sides[kind].bit;
	return prefix_from_bytes(kind == FW_KIND_IPV4 ? AF_INET : AF_INET6, bytes, kind == FW_KIND_IPV4 ? 32 : 128);
}

/* A mixture as lists have it; the shorter ones count for many keys each. */
static struct prefix draw_entry(enum fw_kind kind, uint64_t *seed)
{
	static const unsigned lengths[][10] = {
		[FW_KIND_IPV4] = { 32, 32, 32, 32, 32, 32, 32, 24, 24, 17 /* to 23 */ },
		[FW_KIND_IPV6] = { 128, 128, 128, 128, 128, 64, 64, 56, 48, 20 /* to 44 */ },
	};
	unsigned which = draw(seed) % ELEMENTSOF(lengths[kind]), length = lengths[kind][which];
	struct prefix a = draw_address(kind, false, seed);

	if (which == ELEMENTSOF(lengths[kind]) - 1)
		length += draw(seed) % (kind == FW_KIND_IPV4 ? 23 - 17 + 1 : 44 - 20 + 1);
	return prefix_from_bytes(a.family, a.bytes, length);
}

static bool is_asked(const struct filter *f, const struct prefix *address, const bool *in_use)
{
	bool is_asked = false;

	for (unsigned length = 0; length <= prefix_full_length(address->family); length++)
		is_asked |= in_use[length] && filter_maybe(f, address, length);
	return is_asked;
}

static void test_strangers(void **state)
{
	static const struct {
		const char *name;
		enum fw_kind kind;
		bool is_full; /* as far as it goes before a new one is due */
		double at_most; /* of all strangers */
	} rows[] = {
		{ "IPv4, new", FW_KIND_IPV4, false, 0.03 },
		{ "IPv4, full", FW_KIND_IPV4, true, 0.08 },
		{ "IPv6, new", FW_KIND_IPV6, false, 0.015 },
		{ "IPv6, full", FW_KIND_IPV6, true, 0.04 },
	};
	_cleanup_free_ struct prefix *entries = calloc(N_ENTRIES, sizeof(*entries));

	assert_non_null(entries);
	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		bool in_use[LENGTHS_MAX] = {};
		uint64_t seed = i + 1, n_keys = 0, n_asked = 0;
		struct prefix address;
		struct filter f;

		for (size_t e = 0; e < N_ENTRIES; e++) {
			entries[e] = draw_entry(rows[i].kind, &seed);
			in_use[entries[e].length] = true;
			n_keys += filter_keys(&entries[e]);
		}
		f = new_filter(rows[i].kind, rows[i].is_full ? n_keys * 2 / 3 : n_keys, draw(&seed));
		CHECK(filter_keys_at_most(rows[i].kind, &f.header) >= n_keys, "%s: too small", rows[i].name);
		for (size_t e = 0; e < N_ENTRIES; e++)
			filter_add(&f, &entries[e]);

		for (size_t e = 0; e < N_ENTRIES; e++)
			CHECK(filter_maybe(&f, &entries[e], entries[e].length), "%s: number %zu is lost", rows[i].name, e);
		for (size_t n = 0; n < N_STRANGERS; n++) {
			address = draw_address(rows[i].kind, true, &seed);
			n_asked += is_asked(&f, &address, in_use);
		}
		print_message("# %s: %.4f of strangers looked up in vain, %zu KiB\n", rows[i].name,
			      (double)n_asked / N_STRANGERS, filter_n_words(rows[i].kind, &f.header) / 128);
		CHECK(n_asked <= rows[i].at_most * N_STRANGERS, "%s: %llu looked up in vain", rows[i].name,
		      (unsigned long long)n_asked);
		free(f.words);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_length),
		cmocka_unit_test(test_every_length6),
		cmocka_unit_test(test_no_length_takes_many_words),
		cmocka_unit_test(test_strangers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
