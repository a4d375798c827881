// SPDX-License-Identifier: GPL-2.0-or-later

/* prefix.c: what is an address, how it is written, what it covers, and ranges cut into prefixes. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/prefix.h"
#include "unit.h"

static struct prefix must_parse(const char *text)
{
	struct prefix p = {};
	int r = prefix_parse(text, strlen(text), &p, NULL);

	CHECK(r == 0, "'%s' gives %d", text, r);
	return p;
}

static void test_parse(void **state)
{
	static const struct {
		const char *in;
		int r;
		const char *out;
		bool masked;
	} rows[] = {
		{ "192.0.2.0/24",       0, "192.0.2.0/24"    },
		{ "192.0.2.1",          0, "192.0.2.1"       },
		{ "192.0.2.1/32",       0, "192.0.2.1"       },
		{ "0.0.0.0/0",          0, "0.0.0.0/0"       },
		{ "0.0.0.0",            0, "0.0.0.0"         },
		{ "255.255.255.255",    0, "255.255.255.255" },
		{ "255.255.255.255/0",  0, "0.0.0.0/0",       true },
		{ "255.255.255.255/31", 0, "255.255.255.254/31", true },
		{ "192.0.2.7/24",       0, "192.0.2.0/24",    true },
		{ "192.0.2.128/25",     0, "192.0.2.128/25"  },
		{ "192.0.2.129/25",     0, "192.0.2.128/25",  true },
		{ "128.0.0.0/1",        0, "128.0.0.0/1"     },

		{ "2001:db8::/32",      0, "2001:db8::/32"   },
		{ "2001:DB8::/32",      0, "2001:db8::/32"   },
		{ "2001:db8::1/128",    0, "2001:db8::1"     },
		{ "2001:db8::1/127",    0, "2001:db8::/127",  true },
		{ "2001:db8::1/64",     0, "2001:db8::/64",   true },
		{ "::/0",               0, "::/0"            },
		{ "::",                 0, "::"              },
		{ "::1",                0, "::1"             },
		{ "8000::/1",           0, "8000::/1"        },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 0, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/127", 0,
		  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127", true },
		{ "0:0:0:0:0:0:0:0",    0, "::"              },
		{ "2001:db8:1:2:3:4:5::", 0, "2001:db8:1:2:3:4:5:0" },
		{ "::2:3:4:5:6:7:8",    0, "0:2:3:4:5:6:7:8" },
		{ "2001:db8::192.0.2.1", 0, "2001:db8::c000:201" },
		{ "64:ff9b::192.0.2.33", 0, "64:ff9b::c000:221" },
		{ "2001:db8:0:1:0:0:0:1", 0, "2001:db8:0:1::1" },      /* the longest run */
		{ "2001:db8:0:0:1:0:0:1", 0, "2001:db8::1:0:0:1" },    /* the first of two */
		{ "2001:db8:0:1:1:1:1:1", 0, "2001:db8:0:1:1:1:1:1" }, /* one zero group is no run */
		{ "::1:2",              0, "::1:2"           },

		/* IPv4 in IPv6 is IPv4 */
		{ "::ffff:192.0.2.1",      0, "192.0.2.1"    },
		{ "::ffff:c000:201",       0, "192.0.2.1"    },
		{ "::FFFF:192.0.2.0/120",  0, "192.0.2.0/24" },
		{ "::ffff:192.0.2.7/120",  0, "192.0.2.0/24", true },
		{ "::ffff:0:0/96",         0, "0.0.0.0/0"    },
		{ "::ffff:192.0.2.1/96",   0, "0.0.0.0/0",    true },
		{ "::ffff:0:0/95",         0, "::fffe:0:0/95", true }, /* covers more: stays IPv6 */
		{ "::fffe:192.0.2.1",      0, "::fffe:c000:201" },
		{ "::1:ffff:c000:201",     0, "::1:ffff:c000:201" },

		{ "192.0.2.0/33",       -ERANGE },
		{ "192.0.2.0/256",      -ERANGE },
		{ "192.0.2.0/4294967296", -ERANGE },
		{ "192.0.2.0/18446744073709551617", -ERANGE },
		{ "2001:db8::/129",     -ERANGE },
		{ "::ffff:192.0.2.1/129", -ERANGE },

		{ "",                   -EINVAL },
		{ " ",                  -EINVAL },
		{ "/",                  -EINVAL },
		{ "/24",                -EINVAL },
		{ "192.0.2.0/",         -EINVAL },
		{ "192.0.2.0/024",      -EINVAL },
		{ "192.0.2.0/00",       -EINVAL },
		{ "192.0.2.0/+24",      -EINVAL },
		{ "192.0.2.0/-1",       -EINVAL },
		{ "192.0.2.0/ 24",      -EINVAL },
		{ "192.0.2.0/24 ",      -EINVAL },
		{ "192.0.2.0/24/24",    -EINVAL },
		{ "192.0.2.0/0x18",     -EINVAL },
		{ "192.0.2.0/255.255.255.0", -EINVAL },
		{ "192.0.2",            -EINVAL }, /* inet_aton() reads 192.0.0.2 */
		{ "192.0.2.",           -EINVAL },
		{ ".192.0.2",           -EINVAL },
		{ "192..2.1",           -EINVAL },
		{ "192.0.2.1.5",        -EINVAL },
		{ "192.0.2.1.",         -EINVAL },
		{ "3221225985",         -EINVAL }, /* the same */
		{ "0xc0000201",         -EINVAL },
		{ "192.0.2.0x1",        -EINVAL },
		{ "010.0.0.1",          -EINVAL }, /* 8.0.0.1 or 10.0.0.1 */
		{ "192.0.2.01",         -EINVAL },
		{ "192.0.2.00",         -EINVAL },
		{ "192.0.2.256",        -EINVAL },
		{ "192.0.2.1000",       -EINVAL },
		{ "256.0.2.1",          -EINVAL },
		{ "-1.0.2.1",           -EINVAL },
		{ "+1.0.2.1",           -EINVAL },
		{ " 192.0.2.1",         -EINVAL },
		{ "192.0.2.1\n",        -EINVAL },
		{ "192.0.2.1x",         -EINVAL },
		{ "localhost",          -EINVAL },
		{ ":",                  -EINVAL },
		{ ":::",                -EINVAL },
		{ "2001:db8",           -EINVAL },
		{ "2001:db8:",          -EINVAL },
		{ ":2001:db8::",        -EINVAL },
		{ "2001::db8::1",       -EINVAL },
		{ "2001:db8::12345",    -EINVAL },
		{ "2001:db8::g",        -EINVAL },
		{ "1:2:3:4:5:6:7",      -EINVAL },
		{ "1:2:3:4:5:6:7:8:9",  -EINVAL },
		{ "1:2:3:4:5:6:7:192.0.2.1", -EINVAL },
		{ "fe80::1%eth0",       -EINVAL },
		{ "fe80::1%eth0/64",    -EINVAL },
		{ "[2001:db8::1]",      -EINVAL },
		{ "::ffff:192.0.2.01",  -EINVAL },
		{ "::ffff:192.0.2",     -EINVAL },
		{ "::192.0.2.1:1",      -EINVAL },
		{ "192.0.2.1::",        -EINVAL },
		{ "2001:db8::1 ",       -EINVAL },
		{ "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000", -EINVAL },
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		struct prefix p = { .family = 77 }, again;
		char text[PREFIX_TEXT_MAX];
		bool masked = false;
		int r = prefix_parse(rows[i].in, strlen(rows[i].in), &p, &masked);

		CHECK(r == rows[i].r, "'%s' gives %d", rows[i].in, r);
		if (r < 0) {
			CHECK(p.family == 77, "'%s' wrote its output", rows[i].in);
			continue;
		}

		prefix_format(&p, text);
		CHECK(strcmp(text, rows[i].out) == 0, "'%s' prints '%s'", rows[i].in, text);
		CHECK(masked == rows[i].masked, "'%s' masked: %d", rows[i].in, masked);

		again = must_parse(text);
		CHECK(memcmp(&again, &p, sizeof(p)) == 0, "'%s' is not '%s'", rows[i].in, text);
	}
}

/* The text ends where its length says, and nothing behind it is looked at. */
static void test_parse_length(void **state)
{
	const char *text = "192.0.2.10/24";
	struct prefix p;
	char printed[PREFIX_TEXT_MAX];

	assert_int_equal(prefix_parse(text, 9, &p, NULL), 0);
	assert_string_equal(prefix_format(&p, printed), "192.0.2.1");
	assert_int_equal(prefix_parse(text, 12, &p, NULL), 0);
	assert_string_equal(prefix_format(&p, printed), "192.0.0.0/2");
	assert_int_equal(prefix_parse(text, 11, &p, NULL), -EINVAL);
	assert_int_equal(prefix_parse(text, 0, &p, NULL), -EINVAL);
	assert_int_equal(prefix_parse("192.0.2.1\0", 10, &p, NULL), -EINVAL);
	assert_int_equal(prefix_parse("2001:db8::1\0", 12, &p, NULL), -EINVAL);
}

/* Every length of both families: format and parse agree, and exactly the host bits are gone. */
static void test_lengths(void **state)
{
	static const struct {
		int family;
		uint8_t fill;
	} rows[] = { { AF_INET, 0xff }, { AF_INET, 0x5a }, { AF_INET6, 0xff }, { AF_INET6, 0x5a } };

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		unsigned full = prefix_full_length(rows[i].family);
		uint8_t bytes[16];

		memset(bytes, rows[i].fill, sizeof(bytes));
		for (unsigned length = 0; length <= full; length++) {
			struct prefix p = prefix_from_bytes(rows[i].family, bytes, length), again;
			char text[PREFIX_TEXT_MAX];

			for (unsigned bit = 0; bit < 128; bit++) {
				bool is_set = p.bytes[bit / 8] >> (7 - bit % 8) & 1;
				bool was_set = bytes[bit / 8] >> (7 - bit % 8) & 1;

				CHECK(is_set == (bit < length && was_set), "family %d /%u: bit %u",
				      rows[i].family, length, bit);
			}
			again = must_parse(prefix_format(&p, text));
			CHECK(memcmp(&again, &p, sizeof(p)) == 0, "%s", text);
		}
	}
}

static void test_mapped(void **state)
{
	static const struct {
		uint8_t bytes[16];
		const char *out;
	} rows[] = {
		{ { [10] = 0xff, [11] = 0xff, 192, 0, 2, 7 },             "192.0.2.7" },
		{ { 0x20, 0x01, 0x0d, 0xb8, [15] = 7 },                   "2001:db8::7" },
		{ { [11] = 0xff, 192, 0, 2, 7 },                          "::ff:c000:207" },
		{ { 0x20, [10] = 0xff, [11] = 0xff, 192, 0, 2, 7 },       "2000::ffff:c000:207" },
		{ {},                                                     "::" },
	};
	char text[PREFIX_TEXT_MAX];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct prefix p = prefix_from_mapped(rows[i].bytes);

		CHECK(strcmp(prefix_format(&p, text), rows[i].out) == 0, "row %zu is '%s'", i, text);
		CHECK(p.length == prefix_full_length(p.family), "row %zu has length %u", i, p.length);
	}
}

static void test_compare(void **state)
{
	static const char *const ascending[] = {
		"0.0.0.0/0", "0.0.0.0", "10.0.0.0/8", "192.0.2.0/24", "192.0.2.0/25", "192.0.2.0",
		"192.0.2.1", "192.0.2.128/25", "255.255.255.255", "::/0", "::", "::1",
		"2001:db8::/32", "2001:db8::/64",
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	};

	for (size_t i = 0; i < ELEMENTSOF(ascending); i++)
		for (size_t k = 0; k < ELEMENTSOF(ascending); k++) {
			struct prefix a = must_parse(ascending[i]), b = must_parse(ascending[k]);
			int r = prefix_compare(&a, &b);

			CHECK((r > 0) - (r < 0) == (i > k) - (i < k), "%s and %s: %d", ascending[i],
			      ascending[k], r);
		}
}

static void test_covers(void **state)
{
	static const struct {
		const char *outer, *inner;
		bool covers;
	} rows[] = {
		{ "192.0.2.0/24", "192.0.2.0",       true  },
		{ "192.0.2.0/24", "192.0.2.255",     true  },
		{ "192.0.2.0/24", "192.0.1.255",     false },
		{ "192.0.2.0/24", "192.0.3.0",       false },
		{ "192.0.2.0/24", "192.0.2.0/24",    true  },
		{ "192.0.2.0/24", "192.0.2.0/23",    false },
		{ "192.0.2.1",    "192.0.2.1",       true  },
		{ "192.0.2.1",    "192.0.2.0",       false },
		{ "0.0.0.0/0",    "255.255.255.255", true  },
		{ "0.0.0.0/0",    "::1",             false },
		{ "::/0",         "0.0.0.0",         false },
		{ "::/0",         "2001:db8::",      true  },
		{ "2001:db8::/33", "2001:db8:7fff:ffff:ffff:ffff:ffff:ffff", true },
		{ "2001:db8::/33", "2001:db8:8000::", false },
		{ "2001:db8::2/127", "2001:db8::3",  true  },
		{ "2001:db8::2/127", "2001:db8::4",  false },
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		struct prefix outer = must_parse(rows[i].outer), inner = must_parse(rows[i].inner);

		CHECK(prefix_covers(&outer, &inner) == rows[i].covers, "%s, %s", rows[i].outer,
		      rows[i].inner);
	}
}

struct text {
	char data[16384];
	size_t size;
	unsigned n_prefixes, stop_after;
};

static int append(const struct prefix *p, void *userdata)
{
	struct text *t = userdata;
	char buffer[PREFIX_TEXT_MAX];

	if (t->stop_after > 0 && t->n_prefixes == t->stop_after)
		return -ECANCELED;

	t->size += (size_t)sprintf(t->data + t->size, "%s%s", t->n_prefixes++ > 0 ? " " : "",
				   prefix_format(p, buffer));
	return 0;
}

static void test_split_range(void **state)
{
	static const struct {
		const char *first, *last;
		int r;
		const char *out;
	} rows[] = {
		{ "0.0.0.0", "255.255.255.255", 0, "0.0.0.0/0" },
		{ "0.0.0.0", "0.0.0.0", 0, "0.0.0.0" },
		{ "255.255.255.255", "255.255.255.255", 0, "255.255.255.255" },
		{ "255.255.255.254", "255.255.255.255", 0, "255.255.255.254/31" },
		{ "0.0.0.0", "127.255.255.255", 0, "0.0.0.0/1" },
		{ "128.0.0.0", "255.255.255.255", 0, "128.0.0.0/1" },
		{ "192.0.2.0", "192.0.2.255", 0, "192.0.2.0/24" },
		{ "192.0.2.1", "192.0.2.6", 0, "192.0.2.1 192.0.2.2/31 192.0.2.4/31 192.0.2.6" },
		{ "192.0.2.0", "192.0.2.2", 0, "192.0.2.0/31 192.0.2.2" },
		{ "192.0.2.255", "192.0.3.0", 0, "192.0.2.255 192.0.3.0" },
		{ "0.0.0.1", "0.0.0.3", 0, "0.0.0.1 0.0.0.2/31" },
		{ "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 0, "::/0" },
		{ "::", "::", 0, "::" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 0,
		  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
		{ "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", 0, "2001:db8::/32" },
		{ "2001:db8::ffff", "2001:db8::1:0", 0, "2001:db8::ffff 2001:db8::1:0" },
		{ "2001:db8::1", "2001:db8::2", 0, "2001:db8::1 2001:db8::2" },
		{ "::fffe:ffff:ffff", "::1:0:0:0", 0, "::fffe:ffff:ffff 0.0.0.0/0 ::1:0:0:0" }, /* over ::ffff:0:0/96 */
		{ "192.0.2.2", "192.0.2.1", -ERANGE },
		{ "2001:db8::1", "2001:db8::", -ERANGE },
		{ "192.0.2.1", "2001:db8::", -ERANGE },
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		struct prefix first = must_parse(rows[i].first), last = must_parse(rows[i].last);
		struct text t = {};
		int r = prefix_split_range(&first, &last, append, &t);

		CHECK(r == rows[i].r, "%s-%s gives %d", rows[i].first, rows[i].last, r);
		CHECK(strcmp(t.data, rows[i].out ?: "") == 0, "%s-%s is '%s'", rows[i].first,
		      rows[i].last, t.data);
	}
}

/* The widest ranges that do not fit a prefix at either end are the ones that need most. */
static void test_split_most(void **state)
{
	struct prefix first4 = must_parse("0.0.0.1"), last4 = must_parse("255.255.255.254");
	struct prefix first6 = must_parse("::1"),
		      last6 = must_parse("ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe");
	struct text t4 = {}, t6 = {}, stopped = { .stop_after = 3 };

	assert_int_equal(prefix_split_range(&first4, &last4, append, &t4), 0);
	assert_int_equal(t4.n_prefixes, 62);
	assert_int_equal(prefix_split_range(&first6, &last6, append, &t6), 0);
	assert_int_equal(t6.n_prefixes, 254);
	assert_int_equal(prefix_split_range(&first4, &last4, append, &stopped), -ECANCELED);
	assert_int_equal(stopped.n_prefixes, 3);
}

/* Adds up what the pieces cover, in a space small enough to look at each address. */
static int mark(const struct prefix *p, void *userdata)
{
	unsigned char *seen = userdata;
	unsigned start = p->bytes[3], n = 1U << (32 - p->length);

	for (unsigned i = start; i < start + n; i++)
		seen[i]++;
	return 0;
}

static void test_split_exact(void **state)
{
	for (unsigned a = 0; a < 256; a += 5)
		for (unsigned b = a; b < 256; b++) {
			uint8_t first_bytes[4] = { 192, 0, 2, (uint8_t)a },
				last_bytes[4] = { 192, 0, 2, (uint8_t)b };
			struct prefix first = prefix_from_bytes(AF_INET, first_bytes, 32);
			struct prefix last = prefix_from_bytes(AF_INET, last_bytes, 32);
			unsigned char seen[256] = {};

			assert_int_equal(prefix_split_range(&first, &last, mark, seen), 0);
			for (unsigned i = 0; i < 256; i++)
				CHECK(seen[i] == (i >= a && i <= b), "%u-%u: %u is seen %u times",
				      a, b, i, seen[i]);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_parse_length),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_mapped),
		cmocka_unit_test(test_compare),
		cmocka_unit_test(test_covers),
		cmocka_unit_test(test_split_range),
		cmocka_unit_test(test_split_most),
		cmocka_unit_test(test_split_exact),
	};

	return cmocka_run_group_tests_name("prefix", tests, NULL, NULL);
}
