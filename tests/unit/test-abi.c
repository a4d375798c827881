// SPDX-License-Identifier: GPL-2.0-or-later

/* abi.h: the layout that pins on running systems have, and limits that depend on each other. */

#include "abi/abi.h"
#include "lists/listfile.h"
#include "unit.h"

/*
 * A row fails? Then pins that a running system has no longer fit. If a release has this version, raise
 * FW_ABI_VERSION and add a row; if none has, change the row.
 */
static void test_layout(void **state)
{
	static const __u32 layouts[] = {
		[1] = 0xc8f57e58,
		[2] = 0x6742b808,
		[3] = 0x248b0641,
		[4] = 0x1255441e,
	};

	assert_int_equal(ELEMENTSOF(layouts), FW_ABI_VERSION + 1);
	CHECK(fw_layout() == layouts[FW_ABI_VERSION], "the layout is now %#010x", fw_layout());
	assert_int_equal(offsetof(struct fw_meta, abi_version), 0);
	assert_int_equal(offsetof(struct fw_meta, layout), 4);
}

static void test_limits(void **state)
{
	assert_true(FW_LISTS_MAX <= 64); /* a bit each in a __u64 */
	assert_true(FW_LIST_MANUAL_ID != FW_LIST_ALLOW_ID && FW_LIST_ALLOW_ID < FW_LISTS_MAX);
	assert_true(FW_PORT_SEGMENTS_MAX >= 2 * FW_PORT_ENTRIES_MAX + 2);
	assert_int_equal(FW_PORT_SEGMENTS_MAX & (FW_PORT_SEGMENTS_MAX - 1), 0);
	assert_true(FW_PORT_ENTRIES_MAX <= 256); /* an index is a byte in fw_port_index.covering */
	assert_true(FW_UNTIL_NEVER < FW_UNTIL_MIXED && FW_UNTIL_MIXED < FW_UNTIL_MAX);
	assert_true(FW_WATCHER_DAEMON < FW_WATCHERS_MAX);
	assert_true(FW_GAPS_MAX <= 64 && FW_SIZES_MAX <= 32); /* powers of two that a __u64 and a __u32 have */
	assert_true(list_name_is_valid(FW_LIST_MANUAL) && list_name_is_valid(FW_LIST_ALLOW));
}

static void test_directions(void **state)
{
	assert_int_equal(FW_IN, 1 << FW_INGRESS);
	assert_int_equal(FW_OUT, 1 << FW_EGRESS);
	assert_int_equal(FW_BOTH, (1 << _FW_DIRECTION_MAX) - 1);
}

static void test_counters_index(void **state)
{
	bool seen[FW_COUNTERS_MAX] = {};

	for (unsigned h = 0; h < _FW_HOOK_MAX; h++)
		for (unsigned d = 0; d < _FW_DIRECTION_MAX; d++) {
			unsigned i = fw_counters_index(h, d);

			CHECK(i < FW_COUNTERS_MAX && !seen[i], "hook %u, direction %u: index %u", h,
			      d, i);
			seen[i] = true;
		}
}

static void test_answer(void **state)
{
	for (unsigned v = 0; v < _FW_VERDICT_MAX; v++)
		for (unsigned r = 0; r < _FW_REASON_MAX; r++)
			for (unsigned l = 0; l <= 0xff; l++) {
				__u32 answer = FW_ANSWER(v, r, l);

				CHECK(FW_ANSWER_VERDICT(answer) == v &&
					      FW_ANSWER_REASON(answer) == r &&
					      FW_ANSWER_LIST(answer) == l,
				      "%u %u %u gives %#x", v, r, l, answer);
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_directions),
		cmocka_unit_test(test_counters_index),
		cmocka_unit_test(test_answer),
	};

	return cmocka_run_group_tests_name("abi", tests, NULL, NULL);
}
