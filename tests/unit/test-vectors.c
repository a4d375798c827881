// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * The hashes and bit positions that programs and user space share, by known values. A layout does not show when one of
 * them changes: programs of one version would look in the wrong place of what another has filled, and let packets pass.
 * So a row that fails means: raise FW_UNSEEN_VERSION, then change the row.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/chain-head.h"
#include "state/filter.h"
#include "unit.h"

#define SEED UINT64_C(0x0123456789abcdef)

static void test_version(void **state)
{
	assert_int_equal(FW_UNSEEN_VERSION, 5); /* that the values below belong to */
}

static void test_hash(void **state)
{
	assert_true(filter_hash(0, 0) == 0);
	CHECK(filter_hash(1, SEED) == UINT64_C(0x505ba23848c2cdd0), "%#llx", (unsigned long long)filter_hash(1, SEED));
	CHECK(filter_hash(~0ull, ~SEED) == UINT64_C(0x5fdbd9a49276ebe0), "%#llx", (unsigned long long)filter_hash(~0ull, ~SEED));
}

static void test_heads(void **state)
{
	__u32 head4 = chains_head4(0xcb007107, 32, SEED, 1 << 20);
	__u32 head6 = chains_head6(0x20010db800070000, 7, 128, SEED, 1 << 20);

	CHECK(head4 == 0x79b24, "%#x", head4);
	CHECK(head6 == 0xec213, "%#x", head6);
	assert_int_equal(CHAINS_ELEMENT(0), 1);
	assert_int_equal(CHAINS_ELEMENT(FW_HEADS), 2);
}

/* FNV-1a */
static uint64_t digest(uint64_t hash, const void *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		hash = (hash ^ ((const uint8_t *)bytes)[i]) * UINT64_C(0x100000001b3);
	return hash;
}

/* All bits that one prefix of each length sets, one after the other. */
static uint64_t digest_of_filter(enum fw_kind kind)
{
	static struct fw_cells cells;
	static const uint8_t address[16] = { 0xcb, 0, 0x71, 7, 0xff, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0xff };
	struct filter f = { .cells = &cells, .header = filter_header_for(kind, 1000) };
	int family = kind == FW_KIND_IPV4 ? AF_INET : AF_INET6;
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	struct prefix p;

	f.header.seed = SEED;
	f.words = calloc(filter_n_words(kind, &f.header), sizeof(*f.words));
	assert_non_null(f.words);
	memset(&cells, 0, sizeof(cells));
	for (unsigned length = 0; length <= prefix_full_length(family); length++) {
		p = prefix_from_bytes(family, address, length);
		filter_add(&f, &p);
		hash = digest(hash, &cells, sizeof(cells));
		hash = digest(hash, f.words, filter_n_words(kind, &f.header) * sizeof(*f.words));
	}
	free(f.words);
	return hash;
}

static void test_filters(void **state)
{
	uint64_t filter4 = digest_of_filter(FW_KIND_IPV4), filter6 = digest_of_filter(FW_KIND_IPV6);

	CHECK(filter4 == UINT64_C(0x8908f8a27ab053f7), "%#llx", (unsigned long long)filter4);
	CHECK(filter6 == UINT64_C(0x2512492c64480f59), "%#llx", (unsigned long long)filter6);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_version),
		cmocka_unit_test(test_hash),
		cmocka_unit_test(test_heads),
		cmocka_unit_test(test_filters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
