// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Lists whose entries all have one prefix length: for each length the filter takes memory by the number of entries, gives
 * it back when they are gone, and the kernel still finds the first and the last of them. Needs root.
 */

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "kernel/pins.h"
#include "suite.h"

#define N_ENTRIES  8192 /* of one length, if there are as many */
#define WORDS_MAX  (N_ENTRIES * 4 + 512) /* eight words an entry, of which each word of the filter takes two; and a page */
#define WORDS_LEFT 2048 /* that an empty filter may keep */

static const struct fw_policy *policy;
static struct target targets[N_ENTRIES];

static int set_up(void **state)
{
	int r;

	r = suite_set_up(state);
	if (r >= 0)
		r = pins_map_array(firewall_pin_dir(), "maps/policy", sizeof(*policy), 1, (void **)&policy);
	return r;
}

static uint32_t n_words(enum fw_kind kind)
{
	return policy->filters[kind][fw_slot(policy->filter_generation[kind])].n_words;
}

/* Entry number i: the number is in the last bits of the prefix. */
static struct target make_target(int family, unsigned length, uint32_t i)
{
	uint8_t bytes[16] = { family == AF_INET ? 0x40 : 0x20 };

	for (unsigned n = 0; n < 32 && n < length; n++)
		if (i >> n & 1)
			bytes[(length - 1 - n) / 8] ^= 0x80 >> (length - 1 - n) % 8;
	return (struct target){ .kind = TARGET_PREFIX, .prefix = prefix_from_bytes(family, bytes, length) };
}

static enum fw_verdict ask(const struct prefix *p, bool is_last)
{
	unsigned full = prefix_full_length(p->family);
	struct prefix address = prefix_from_bytes(p->family, p->bytes, full);
	uint32_t answer;

	for (unsigned bit = p->length; bit < full && is_last; bit++)
		address.bytes[bit / 8] |= 0x80 >> bit % 8;
	assert_int_equal(table_check(firewall_table(firewall), &address, FW_INGRESS, FW_TCP, 80, &answer), 0);
	return FW_ANSWER_VERDICT(answer);
}

static void check_all(size_t n, enum fw_verdict want)
{
	for (size_t i = 0; i < n; i += 1 + n / 64) {
		const struct prefix *p = &targets[i].prefix;

		if (ask(p, false) != want || ask(p, true) != want)
			fail_msg("IPv%d /%u, number %zu: not %s", p->family == AF_INET ? 4 : 6, p->length, i,
				 want == FW_DROP ? "blocked" : "passed");
	}
}

static void try_length(int family, unsigned length)
{
	enum fw_kind kind = family == AF_INET ? FW_KIND_IPV4 : FW_KIND_IPV6;
	struct table_writer *w = firewall_writer(firewall);
	size_t n = length < 13 ? 1u << length : N_ENTRIES;

	for (size_t i = 0; i < n; i++)
		targets[i] = make_target(family, length, i);
	assert_int_equal(table_load(w, LIST_OTHER, FW_BOTH, targets, n, NULL, 0), 0);
	assert_int_equal(table_commit(w), 0);
	if (n_words(kind) > WORDS_MAX)
		fail_msg("%zu entries of IPv%d /%u take %u words", n, family == AF_INET ? 4 : 6, length, n_words(kind));
	check_all(n, FW_DROP);

	assert_int_equal(table_load(w, LIST_OTHER, FW_BOTH, NULL, 0, targets, n), 0);
	assert_int_equal(table_commit(w), 0);
	if (n_words(kind) > WORDS_LEFT)
		fail_msg("after %zu entries of IPv%d /%u the filter keeps %u words", n, family == AF_INET ? 4 : 6, length,
			 n_words(kind));
	check_all(n, FW_PASS);
}

static void test_filter_size_by_length4(void **state)
{
	for (unsigned length = 1; length <= 32; length++)
		try_length(AF_INET, length);
}

static void test_filter_size_by_length6(void **state)
{
	for (unsigned length = 1; length <= 128; length++)
		try_length(AF_INET6, length);
}

/* One by one the filter grows step by step, and ends no larger. */
static void test_filter_size_one_by_one(void **state)
{
	struct table_writer *w = firewall_writer(firewall);

	for (size_t i = 0; i < N_ENTRIES; i++) {
		targets[i] = make_target(AF_INET6, 29, i);
		assert_int_equal(table_add(w, &targets[i], LIST_OTHER, FW_BOTH, FW_UNTIL_NEVER, NULL), 0);
	}
	assert_int_equal(table_commit(w), 0);
	assert_true(n_words(FW_KIND_IPV6) <= WORDS_MAX);
	check_all(N_ENTRIES, FW_DROP);
	for (size_t i = 0; i < N_ENTRIES; i++)
		assert_int_equal(table_remove(w, &targets[i], LIST_OTHER), 0);
	assert_int_equal(table_commit(w), 0);
	assert_true(n_words(FW_KIND_IPV6) <= WORDS_LEFT);
	check_all(N_ENTRIES, FW_PASS);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filter_size_by_length4),
		cmocka_unit_test(test_filter_size_by_length6),
		cmocka_unit_test(test_filter_size_one_by_one),
	};

	return suite_run(tests, set_up, suite_tear_down);
}
