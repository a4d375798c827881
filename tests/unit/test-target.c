// SPDX-License-Identifier: GPL-2.0-or-later

/* target.c: prefixes, ranges and ports as a user names them, and the sentence that refuses the rest. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/target.h"
#include "unit.h"

/* The items of a TARGET, printed with blanks between. */
static int parse_and_print(const char *text, char *out, size_t *n_masked, const char **error)
{
	_cleanup_(targets_done) struct targets t = {};
	int r = targets_parse(&t, text, strlen(text), error);

	if (r < 0)
		CHECK(t.n_items == 0, "'%s' is refused and leaves %zu items", text, t.n_items);

	out[0] = '\0';
	for (size_t i = 0; i < t.n_items; i++) {
		char buffer[TARGET_TEXT_MAX];

		sprintf(out + strlen(out), "%s%s", i > 0 ? " " : "",
			target_format(&t.items[i], buffer));
	}
	*n_masked = t.n_masked;
	return r;
}

static void test_accepted(void **state)
{
	static const struct {
		const char *in, *out;
		size_t n_masked;
	} rows[] = {
		{ "192.0.2.0/24",                 "192.0.2.0/24"           },
		{ "192.0.2.7/24",                 "192.0.2.0/24", 1        },
		{ "::ffff:192.0.2.1",             "192.0.2.1"              },
		{ "2001:DB8::/32",                "2001:db8::/32"          },
		{ "0.0.0.0/0",                    "0.0.0.0/0"              }, /* the guard is another's business */
		{ "192.0.2.1-192.0.2.1",          "192.0.2.1"              },
		{ "192.0.2.1-192.0.2.3",          "192.0.2.1 192.0.2.2/31" },
		{ "192.0.2.0-192.0.2.255",        "192.0.2.0/24"           },
		{ "0.0.0.0-255.255.255.255",      "0.0.0.0/0"              },
		{ "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::/0"     },
		{ "2001:db8::1-2001:db8::2",      "2001:db8::1 2001:db8::2" },
		{ "::ffff:192.0.2.0-::ffff:192.0.2.255", "192.0.2.0/24"    },
		{ "::ffff:192.0.2.0-192.0.2.1",   "192.0.2.0/31"           },
		{ "tcp/80",                       "tcp/80"                 },
		{ "udp/53",                       "udp/53"                 },
		{ "tcp/0",                        "tcp/0"                  },
		{ "tcp/65535",                    "tcp/65535"              },
		{ "tcp/0-65535",                  "tcp/0-65535"            },
		{ "tcp/8000-8100",                "tcp/8000-8100"          },
		{ "udp/53-53",                    "udp/53"                 },
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		char out[1024];
		size_t n_masked;
		const char *error = NULL;
		int r = parse_and_print(rows[i].in, out, &n_masked, &error);

		CHECK(r == 0, "'%s' gives %d: %s", rows[i].in, r, error);
		CHECK(strcmp(out, rows[i].out) == 0, "'%s' is '%s'", rows[i].in, out);
		CHECK(n_masked == rows[i].n_masked, "'%s': %zu masked", rows[i].in, n_masked);
	}
}

static void test_refused(void **state)
{
	static const char ports[] = "port must be a number 0 to 65535 or a range such as 8000-8100";
	static const char expected[] =
		"expected an address, prefix, range (192.0.2.1-192.0.2.9) or port (tcp/80)";
	static const char names[] =
		"names are not looked up: give an address, a range, or a port like tcp/80";
	static const char octal[] = "an IPv4 address has no leading zeros, they may be read as octal";
	static const char order[] = "range ends before it starts";
	static const struct {
		const char *in;
		int r;
		const char *error;
	} rows[] = {
		{ "",                      -EINVAL, expected },
		{ " 192.0.2.1",            -EINVAL, expected },
		{ "192.0.2.1 ",            -EINVAL, expected },
		{ "192.0.2",               -EINVAL, expected },
		{ "192.0.2.256",           -EINVAL, expected },
		{ "2001:db8",              -EINVAL, expected },
		{ "/24",                   -EINVAL, expected },
		{ "010.0.0.1",             -EINVAL, octal },
		{ "192.0.2.010",           -EINVAL, octal },
		{ "80",                    -EINVAL, "a number alone says nothing: a port is written tcp/80" },
		{ "3221225985",            -EINVAL, "a number alone says nothing: a port is written tcp/80" },
		{ "localhost",             -EINVAL, names },
		{ "www.example.com",       -EINVAL, names },
		{ "www.example.com/24",    -EINVAL, names },
		{ "fe80::1%eth0",          -EINVAL, "an address has no zone here, leave out what follows the '%'" },
		{ "192.0.2.0/33",          -ERANGE, "prefix length must be 0 to 32" },
		{ "2001:db8::/129",        -ERANGE, "prefix length must be 0 to 128" },
		{ "192.0.2.2-192.0.2.1",   -ERANGE, order },
		{ "2001:db8::1-2001:db8::", -ERANGE, order },
		{ "192.0.2.1-2001:db8::1", -EINVAL, "both ends of a range must be IPv4, or both IPv6" },
		{ "192.0.2.0/24-192.0.2.9", -EINVAL, "a range goes from one address to another, without prefix lengths" },
		{ "192.0.2.1-192.0.2.9/32", -EINVAL, "a range goes from one address to another, without prefix lengths" },
		{ "192.0.2.1-9",           -EINVAL, "a number alone says nothing: a port is written tcp/80" },
		{ "192.0.2.1-",            -EINVAL, expected },
		{ "-192.0.2.1",            -EINVAL, expected },
		{ "192.0.2.1-192.0.2.2-192.0.2.3", -EINVAL, expected },
		{ "tcp/",                  -EINVAL, ports },
		{ "tcp/http",              -EINVAL, ports },
		{ "tcp/-1",                -EINVAL, ports },
		{ "tcp/80-",               -EINVAL, ports },
		{ "tcp/-80",               -EINVAL, ports },
		{ "tcp/080",               -EINVAL, ports },
		{ "tcp/+80",               -EINVAL, ports },
		{ "tcp/80,81",             -EINVAL, ports },
		{ "tcp/80-81-82",          -EINVAL, ports },
		{ "tcp/80/81",             -EINVAL, ports },
		{ "tcp/ 80",               -EINVAL, ports },
		{ "tcp/65536",             -ERANGE, ports },
		{ "tcp/0-65536",           -ERANGE, ports },
		{ "tcp/99999999999999999999", -ERANGE, ports },
		{ "tcp/81-80",             -ERANGE, order },
		{ "TCP/80",                -EINVAL, "protocol of a port must be tcp or udp" },
		{ "icmp/8",                -EINVAL, "protocol of a port must be tcp or udp" },
		{ "tcp6/80",               -EINVAL, "protocol of a port must be tcp or udp" },
		{ "tc/80",                 -EINVAL, "protocol of a port must be tcp or udp" },
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		char out[1024];
		size_t n_masked;
		const char *error = NULL;
		int r = parse_and_print(rows[i].in, out, &n_masked, &error);

		CHECK(r == rows[i].r, "'%s' gives %d", rows[i].in, r);
		CHECK(error && strcmp(error, rows[i].error) == 0, "'%s' says '%s'", rows[i].in,
		      error);
	}
}

/* A refused TARGET leaves what was collected before it. */
static void test_append(void **state)
{
	_cleanup_(targets_done) struct targets t = {};
	const char *error;

	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(targets_parse(&t, "192.0.2.7/24", 12, &error), 0);
		assert_int_equal(targets_parse(&t, "nonsense", 8, &error), -EINVAL);
		assert_int_equal(targets_parse(&t, "192.0.2.2-192.0.2.1", 19, &error), -ERANGE);
	}
	assert_int_equal(t.n_items, 100);
	assert_int_equal(t.n_masked, 100);
}

static void test_single(void **state)
{
	static const struct {
		const char *in;
		int r;
	} rows[] = {
		{ "192.0.2.0/24",          0       },
		{ "192.0.2.9/24",          0       },
		{ "tcp/8000-8100",         0       },
		{ "192.0.2.1-192.0.2.9",   -EINVAL },
		{ "192.0.2.0-192.0.2.255", -EINVAL }, /* though it is one prefix */
		{ "nonsense",              -EINVAL },
		{ "192.0.2.0/33",          -ERANGE },
		{ "udp/65536",             -ERANGE },
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		struct target t = { .port.first = 77 };
		const char *error = NULL;
		int r = target_parse(rows[i].in, strlen(rows[i].in), &t, &error);

		CHECK(r == rows[i].r, "'%s' gives %d", rows[i].in, r);
		CHECK((r < 0) == (error != NULL), "'%s' says '%s'", rows[i].in, error);
		CHECK((r < 0) == (t.port.first == 77), "'%s' wrote its output", rows[i].in);
	}
}

static void test_compare(void **state)
{
	static const char *const ascending[] = {
		"0.0.0.0/0", "192.0.2.1", "2001:db8::/32", "tcp/0", "tcp/80",
		"tcp/80-81", "tcp/81",    "tcp/65535",     "udp/0", "udp/53",
	};

	for (size_t i = 0; i < ELEMENTSOF(ascending); i++)
		for (size_t k = 0; k < ELEMENTSOF(ascending); k++) {
			struct target a, b;
			const char *error;
			int r;

			assert_int_equal(
				target_parse(ascending[i], strlen(ascending[i]), &a, &error), 0);
			assert_int_equal(
				target_parse(ascending[k], strlen(ascending[k]), &b, &error), 0);
			r = target_compare(&a, &b);
			CHECK((r > 0) - (r < 0) == (i > k) - (i < k), "%s and %s: %d", ascending[i],
			      ascending[k], r);
		}
}

static void test_words(void **state)
{
	static const char *const wrong[] = { "", "TCP", "tcp ", "tc", "tcpx", "IN", "in ", "i", "inout", "default" };

	for (unsigned p = 0; p < _FW_PROTOCOL_MAX; p++) {
		const char *word = protocol_to_string((enum fw_protocol)p);

		assert_non_null(word);
		assert_int_equal(protocol_from_string(word, strlen(word)), p);
	}
	assert_null(protocol_to_string(_FW_PROTOCOL_MAX));

	for (unsigned d = FW_IN; d <= FW_BOTH; d++) {
		const char *word = directions_to_string(d);

		assert_non_null(word);
		assert_int_equal(directions_from_string(word, strlen(word)), d);
	}
	assert_null(directions_to_string(0));
	assert_null(directions_to_string(FW_BOTH + 1));

	for (size_t i = 0; i < ELEMENTSOF(wrong); i++) {
		assert_int_equal(protocol_from_string(wrong[i], strlen(wrong[i])), -EINVAL);
		assert_int_equal(directions_from_string(wrong[i], strlen(wrong[i])), -EINVAL);
	}
}

static void test_default_directions(void **state)
{
	assert_int_equal(target_default_directions(&(struct target){ .kind = TARGET_PREFIX }),
			 FW_BOTH);
	assert_int_equal(target_default_directions(&(struct target){ .kind = TARGET_PORT }), FW_IN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_append),
		cmocka_unit_test(test_single),
		cmocka_unit_test(test_compare),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_default_directions),
	};

	return cmocka_run_group_tests_name("target", tests, NULL, NULL);
}
