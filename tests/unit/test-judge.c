// SPDX-License-Identifier: GPL-2.0-or-later

/* judge.c: which windows are evidence that a hook does not see its packets, and which are not. */

#include "report/judge.h"
#include "unit.h"

#define SIZE 1000 /* bytes of a packet where nothing else is said */

static struct judge_window window(uint64_t crossed, uint64_t ahead, uint64_t seen)
{
	return (struct judge_window){ { crossed, crossed * SIZE }, { ahead, ahead * SIZE }, { seen, seen * SIZE } };
}

static void test_window(void **state)
{
	static const struct {
		const char *name;
		struct judge_window w;
		bool is_missed;
	} rows[] = {
		{ "nothing is seen",        { { 1000, 1000000 }, { 0 }, { 0, 0 } }, true },
		{ "all is seen",            { { 1000, 1000000 }, { 0 }, { 1000, 1000000 } }, false },
		{ "half is seen",           { { 1000, 1000000 }, { 0 }, { 500, 500000 } }, false },
		{ "less than half is seen", { { 1000, 1000000 }, { 0 }, { 499, 499000 } }, true },
		{ "idle",                   { { 0, 0 }, { 0 }, { 0, 0 } }, false },
		{ "nearly idle",            { { JUDGE_PACKETS_MIN - 1, 100000 }, { 0 }, { 0, 0 } }, false },
		{ "just enough",            { { JUDGE_PACKETS_MIN, 100000 }, { 0 }, { 0, 0 } }, true },
		{ "a VLAN and its device both seen", { { 1000, 1000000 }, { 0 }, { 2000, 2000000 } }, false },
		{ "a flood that xdp drops", { { 100000, 6000000 }, { 99900, 5994000 }, { 100, 6000 } }, false },
		{ "xdp dropped more than the interface counted", { { 1000, 60000 }, { 2000, 120000 }, { 0, 0 } }, false },
		{ "the rest after xdp is missed", { { 100000, 6000000 }, { 50000, 3000000 }, { 100, 6000 } }, true },
		{ "frames of guests, cut by the hardware", { { 44000, 66000000 }, { 0 }, { 1000, 64000000 } }, false },
		{ "segments that the interface counts as one", { { 1000, 64000000 }, { 0 }, { 44000, 66000000 } }, false },
		{ "padded short frames",    { { 1000, 64000 }, { 0 }, { 1000, 42000 } }, false },
		{ "no sum overflows",       { { UINT64_MAX, UINT64_MAX }, { 0 }, { 0, 0 } }, true },
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++)
		if (judge_is_missed(&rows[i].w) != rows[i].is_missed)
			fail_msg("%s", rows[i].name);
}

static void test_rows_of_windows(void **state)
{
	const struct judge_window bad = window(1000, 0, 0), good = window(1000, 0, 990), idle = window(10, 0, 0);
	struct judge_state s = {};

	for (int i = 1; i < JUDGE_WINDOWS; i++)
		assert_int_equal(judge_window(&s, &bad), JUDGE_SAME);
	assert_int_equal(judge_window(&s, &good), JUDGE_SAME); /* counting starts again */
	for (int i = 1; i < JUDGE_WINDOWS; i++)
		assert_int_equal(judge_window(&s, &bad), JUDGE_SAME);
	assert_int_equal(judge_window(&s, &idle), JUDGE_SAME); /* no evidence for either */
	assert_int_equal(judge_window(&s, &bad), JUDGE_MISSES);
	assert_int_equal(judge_window(&s, &bad), JUDGE_SAME); /* said once */
	assert_int_equal(judge_window(&s, &idle), JUDGE_SAME);
	assert_true(s.is_missing);
	assert_int_equal(judge_window(&s, &good), JUDGE_SEES_AGAIN);
	assert_int_equal(judge_window(&s, &good), JUDGE_SAME);
	assert_false(s.is_missing);
}

static void test_reset(void **state)
{
	const struct judge_count was = { 1000, 1000 }, grown = { 1500, 1600 }, reset = { 10, 2000 };
	struct judge_count c = { 7, 7 };

	assert_false(judge_since(&was, &reset, &c));
	assert_int_equal(c.packets, 7);
	assert_true(judge_since(&was, &grown, &c));
	assert_int_equal(c.packets, 500);
	assert_int_equal(c.bytes, 600);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_rows_of_windows),
		cmocka_unit_test(test_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
