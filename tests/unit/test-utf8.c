// SPDX-License-Identifier: GPL-2.0-or-later

/* Text from users and files: what is UTF-8, and what acts on a terminal. */

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/utf8.h"
#include "unit.h"

#define BAD "\xef\xbf\xbd"

static const struct {
	const char *text;
	const char *repaired;
	const char *escaped;
} rows[] = {
	{ "", "", "" },
	{ "plain\ntext", "plain\ntext", "plain\ntext" },
	{ "caf\xc3\xa9 \xe4\xb8\xad \xf0\x9f\x98\x80", "caf\xc3\xa9 \xe4\xb8\xad \xf0\x9f\x98\x80",
	  "caf\xc3\xa9 \xe4\xb8\xad \xf0\x9f\x98\x80" },
	{ "\x1b[2J\t\x7f", "\x1b[2J\t\x7f", "\\u001b[2J\\u0009\\u007f" },
	/* C1, as a character and as a bare byte */
	{ "\xc2\x80\xc2\x9b\xc2\x9f\xc2\xa0", "\xc2\x80\xc2\x9b\xc2\x9f\xc2\xa0", "\\u0080\\u009b\\u009f\xc2\xa0" },
	{ "\x9b" "31m", BAD "31m", "\\x9b31m" },
	/* The direction of writing, and the characters next to these */
	{ "\xe2\x80\xaa\xe2\x80\xae\xe2\x80\xa9", "\xe2\x80\xaa\xe2\x80\xae\xe2\x80\xa9", "\\u202a\\u202e\xe2\x80\xa9" },
	{ "\xe2\x81\xa6\xe2\x81\xa9\xe2\x81\xaa", "\xe2\x81\xa6\xe2\x81\xa9\xe2\x81\xaa", "\\u2066\\u2069\xe2\x81\xaa" },
	{ "\xe2\x80\x8e\xe2\x80\x8f\xd8\x9c\xd8\x9b", "\xe2\x80\x8e\xe2\x80\x8f\xd8\x9c\xd8\x9b", "\\u200e\\u200f\\u061c\xd8\x9b" },
	/* Overlong forms, surrogates, beyond the last character, cut off */
	{ "\xc0\x80", BAD BAD, "\\xc0\\x80" },
	{ "\xe0\x80\x80", BAD BAD BAD, "\\xe0\\x80\\x80" },
	{ "\xed\xa0\x80", BAD BAD BAD, "\\xed\\xa0\\x80" },
	{ "\xf4\x90\x80\x80", BAD BAD BAD BAD, "\\xf4\\x90\\x80\\x80" },
	{ "\xf8\x88\x80\x80\x80", BAD BAD BAD BAD BAD, "\\xf8\\x88\\x80\\x80\\x80" },
	{ "a\xe4\xb8", "a" BAD BAD, "a\\xe4\\xb8" },
	{ "\xe4\xb8z", BAD BAD "z", "\\xe4\\xb8z" },
};

static void test_repair(void **state)
{
	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_free_ char *text = utf8_repair(rows[i].text);

		CHECK(strcmp(text, rows[i].repaired) == 0, "row %zu gives '%s'", i, text);
	}
}

static void test_escape(void **state)
{
	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_free_ char *text = utf8_escape(rows[i].text);

		CHECK(strcmp(text, rows[i].escaped) == 0, "row %zu gives '%s'", i, text);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_repair),
		cmocka_unit_test(test_escape),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
