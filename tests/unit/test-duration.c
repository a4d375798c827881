// SPDX-License-Identifier: GPL-2.0-or-later

/* duration.c: how long, read and written. */

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "text/duration.h"
#include "unit.h"

#define MS   UINT64_C(1000000)
#define SEC  (1000 * MS)
#define MIN  (60 * SEC)
#define HOUR (60 * MIN)
#define DAY  (24 * HOUR)

static void test_parse(void **state)
{
	static const struct {
		const char *in;
		int r;
		uint64_t ns;
	} rows[] = {
		{ "90",             0, 90 * SEC },
		{ "1",              0, SEC },
		{ "1.5",            0, SEC + 500 * MS },
		{ "10m",            0, 10 * MIN },
		{ "1d12h",          0, 36 * HOUR },
		{ "1w",             0, 7 * DAY },
		{ "1w2d3h4m5s6ms",  0, 9 * DAY + 3 * HOUR + 4 * MIN + 5 * SEC + 6 * MS },
		{ "3h59m57.6s",     0, 3 * HOUR + 59 * MIN + 57 * SEC + 600 * MS }, /* as CrowdSec writes */
		{ "167h59m59.123456789s", 0, 167 * HOUR + 59 * MIN + 59 * SEC + 123456789 },
		{ "4h0m0s",         0, 4 * HOUR },
		{ "0.5h",           0, 30 * MIN },
		{ "1.5ms",          0, 1500000 },
		{ "0.000000001",    0, 1 },
		{ "1.0000000009",   0, SEC }, /* below a nanosecond */
		{ "1h05m",          0, HOUR + 5 * MIN },
		{ "1ms",            0, MS },
		{ "86400",          0, DAY },
		{ "9223372036",     0, UINT64_C(9223372036) * SEC }, /* 292 years */
		{ "9223372036.854775807", 0, INT64_MAX },
		{ "106751d",        0, 106751 * DAY },
		{ "permanent",      0, UINT64_MAX },
		{ "-1",             0, UINT64_MAX },

		{ "9223372036.854775808", -ERANGE },
		{ "9223372037",     -ERANGE },
		{ "106752d",        -ERANGE },
		{ "15250w7d",       -ERANGE }, /* each part fits, the sum does not */
		{ "18446744073709551616", -ERANGE },
		{ "99999999999999999999999999999999w", -ERANGE },

		{ "",               -EINVAL },
		{ "0",              -EINVAL },
		{ "0s",             -EINVAL },
		{ "0h0m0.0s",       -EINVAL },
		{ "0.0000000009",   -EINVAL },
		{ " 10m",           -EINVAL },
		{ "10m ",           -EINVAL },
		{ "10 m",           -EINVAL },
		{ "+10m",           -EINVAL },
		{ "-10m",           -EINVAL },
		{ "-2",             -EINVAL },
		{ "m",              -EINVAL },
		{ "10M",            -EINVAL },
		{ "10min",          -EINVAL },
		{ "10y",            -EINVAL },
		{ "10sm",           -EINVAL },
		{ "1m30",           -EINVAL }, /* thirty what? */
		{ "10m1h",          -EINVAL }, /* largest first */
		{ "10m10m",         -EINVAL },
		{ "1ms1s",          -EINVAL },
		{ "1.5h10m",        -EINVAL },
		{ "1.",             -EINVAL },
		{ ".5",             -EINVAL },
		{ "1.s",            -EINVAL },
		{ "1..5s",          -EINVAL },
		{ "1.5.5",          -EINVAL },
		{ "1,5s",           -EINVAL },
		{ "0x10",           -EINVAL },
		{ "1e3",            -EINVAL },
		{ "Permanent",      -EINVAL },
		{ "permanently",    -EINVAL },
		{ "forever",        -EINVAL },
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		uint64_t ns = 77;
		int r = duration_parse(rows[i].in, &ns);

		CHECK(r == rows[i].r, "'%s' gives %d", rows[i].in, r);
		CHECK(ns == (r < 0 ? 77 : rows[i].ns), "'%s' is %" PRIu64, rows[i].in, ns);
	}
}

static void test_format(void **state)
{
	static const struct {
		uint64_t ns;
		const char *out;
	} rows[] = {
		{ UINT64_MAX,                    "permanent" },
		{ 0,                             "0s"        },
		{ 1,                             "0s"        },
		{ MS - 1,                        "0s"        },
		{ MS,                            "1ms"       },
		{ SEC - 1,                       "999ms"     },
		{ SEC,                           "1s"        },
		{ 59 * SEC + 999 * MS,           "59s"       },
		{ MIN,                           "1m"        },
		{ MIN + 1 * SEC,                 "1m1s"      },
		{ HOUR - 1,                      "59m59s"    },
		{ HOUR,                          "1h"        },
		{ HOUR + 59 * SEC,               "1h"        }, /* the second unit is the next smaller */
		{ HOUR + MIN,                    "1h1m"      },
		{ DAY - 1,                       "23h59m"    },
		{ 36 * HOUR + 5 * MIN,           "1d12h"     },
		{ 10 * DAY,                      "10d"       },
		{ INT64_MAX,                     "106751d23h" },
		{ UINT64_MAX - 1,                "213503d23h" },
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		char text[DURATION_TEXT_MAX];

		assert_string_equal(duration_format(rows[i].ns, text), rows[i].out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_format),
	};

	return cmocka_run_group_tests_name("duration", tests, NULL, NULL);
}
