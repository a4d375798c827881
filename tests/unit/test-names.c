// SPDX-License-Identifier: GPL-2.0-or-later

/* names.c: every value of every enum has a word of its own, and one past the end has none. */

#include <string.h>

#include "text/names.h"
#include "unit.h"

static const char *word(unsigned table, unsigned i)
{
	switch (table) {
	case 0:
		return hook_to_string((enum fw_hook)i);
	case 1:
		return direction_to_string((enum fw_direction)i);
	case 2:
		return verdict_to_string((enum fw_verdict)i);
	case 3:
		return reason_to_string((enum fw_reason)i);
	default:
		return mechanism_to_string((enum fw_mechanism)i);
	}
}

/* Written out once more: readers of JSON and of the journal depend on them. */
static void test_words(void **state)
{
	static const char *const words[][_FW_REASON_MAX + 1] = {
		{ "xdp", "tc", "cgroup" },
		{ "ingress", "egress" },
		{ "pass", "drop" },
		{ "no-match", "not-ip", "allowed", "audited", "unparsed", "address", "port", "malformed",
		  "hidden-port" },
		{ "none", "tcx", "clsact", "cgroup", "xdp native", "xdp generic" },
	};
	static const unsigned n_words[] = { _FW_HOOK_MAX, _FW_DIRECTION_MAX, _FW_VERDICT_MAX,
					    _FW_REASON_MAX, _FW_MECHANISM_MAX };

	for (unsigned table = 0; table < ELEMENTSOF(n_words); table++) {
		for (unsigned i = 0; i < n_words[table]; i++) {
			const char *w = word(table, i);

			CHECK(w && words[table][i] && strcmp(w, words[table][i]) == 0,
			      "table %u, value %u", table, i);
		}
		CHECK(!words[table][n_words[table]], "table %u has more words than values", table);
		CHECK(!word(table, n_words[table]), "table %u has a word past its end", table);
		CHECK(!word(table, -1U), "table %u has a word far past its end", table);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
