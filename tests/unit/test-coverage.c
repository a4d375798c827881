// SPDX-License-Identifier: GPL-2.0-or-later

/* coverage.c: how much of the address space lists cover. */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/coverage.h"
#include "text/special.h"
#include "unit.h"

static int compare(const void *a, const void *b)
{
	return target_compare(a, b);
}

/* words: targets with a blank between them, in any order. */
static struct coverage measure(const char *words)
{
	_cleanup_(targets_done) struct targets t = {};
	struct coverage c = {};
	const char *error;

	for (const char *at = words; *at; at += strcspn(at, " "), at += strspn(at, " "))
		assert_int_equal(targets_parse(&t, at, strcspn(at, " "), &error), 0);
	qsort(t.items, t.n_items, sizeof(*t.items), compare);
	for (size_t i = 0; i < t.n_items; i++)
		coverage_add(&c, &t.items[i]);
	return c;
}

static void test_addresses(void **state)
{
	static const struct {
		const char *words;
		double ipv4, public4, ipv6, public6;
	} rows[] = {
		{ "192.0.2.1", 1, 1, 0, 0 },
		{ "0.0.0.0/0", 4294967296., 4294967296. - (3 + 32) * 16777216. - 4194304 - 2 * 65536 - 1048576, 0, 0 },
		{ "192.0.2.0/24 192.0.2.7 192.0.2.128/25", 256, 256, 0, 0 },
		{ "192.0.2.7 192.0.2.0/24 192.0.2.0/23 198.51.100.1", 513, 513, 0, 0 },
		{ "10.0.0.0/8 127.0.0.1 192.168.1.0/24 224.0.0.0/4", 16777216. + 1 + 256 + 268435456., 0, 0, 0 },
		{ "192.0.0.0/8", 16777216, 16777216 - 65536, 0, 0 },
		{ "tcp/1-65535 udp/53", 0, 0, 0, 0 },
		{ "2001:db8::/32", 0, 0, 0x1p96, 0x1p96 },
		{ "2001:db8::/32 2001:db8::1 2001:db8:1::/48", 0, 0, 0x1p96, 0x1p96 },
		{ "::/0", 0, 0, 0x1p128, 0x1p125 },
		{ "2000::/3", 0, 0, 0x1p125, 0x1p125 },
		{ "2000::/4 3000::/4", 0, 0, 0x1p125, 0x1p125 },
		{ "4000::/3 fe80::1 ff02::1", 0, 0, 0x1p125 + 2, 0 },
		{ "192.0.2.1 2001:db8::1", 1, 1, 1, 1 },
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		struct coverage c = measure(rows[i].words);

		CHECK(c.addresses[COVERAGE_IPV4] == rows[i].ipv4 && c.public[COVERAGE_IPV4] == rows[i].public4,
		      "'%s': %f, %f public", rows[i].words, c.addresses[COVERAGE_IPV4], c.public[COVERAGE_IPV4]);
		CHECK(c.addresses[COVERAGE_IPV6] == rows[i].ipv6 && c.public[COVERAGE_IPV6] == rows[i].public6,
		      "'%s': %g, %g public", rows[i].words, c.addresses[COVERAGE_IPV6], c.public[COVERAGE_IPV6]);
	}
}

static void test_share(void **state)
{
	char words[4096] = "";
	struct coverage c;

	for (unsigned i = 1; i < 224; i++)
		if (i != 10 && i != 127)
			sprintf(words + strlen(words), "%u.0.0.0/8 ", i);
	c = measure(words);
	assert_true(coverage_share(&c, COVERAGE_IPV4) == 1);
	assert_true(coverage_share(&c, COVERAGE_IPV6) == 0);
	c = measure("0.0.0.0/0 ::/0");
	assert_true(coverage_share(&c, COVERAGE_IPV4) == 1);
	assert_true(coverage_share(&c, COVERAGE_IPV6) == 1);
	c = measure("2000::/4");
	assert_true(coverage_share(&c, COVERAGE_IPV6) == 0.5);
}

/* public_in() adds up what the table says: none of its networks that are not public may cover another. */
static void test_specials(void **state)
{
	char one[PREFIX_TEXT_MAX], other[PREFIX_TEXT_MAX];

	for (const struct special *a = specials; a < specials + n_specials; a++)
		for (const struct special *b = a + 1; b < specials + n_specials; b++)
			CHECK(!(a->uses & b->uses & SPECIAL_NOT_PUBLIC) ||
				      (!prefix_covers(&a->prefix, &b->prefix) && !prefix_covers(&b->prefix, &a->prefix)),
			      "%s and %s", prefix_format(&a->prefix, one), prefix_format(&b->prefix, other));
	for (const struct special *s = specials; s < specials + n_specials; s++) {
		struct prefix p = prefix_from_bytes(s->prefix.family, s->prefix.bytes, s->prefix.length);

		CHECK(prefix_compare(&p, &s->prefix) == 0, "%s has host bits", prefix_format(&s->prefix, one));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_share),
		cmocka_unit_test(test_specials),
	};

	return cmocka_run_group_tests_name("coverage", tests, NULL, NULL);
}
