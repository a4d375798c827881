// SPDX-License-Identifier: GPL-2.0-or-later

/* tick.c: an end in ticks is never before the end in nanoseconds, and at most a tick after it. */

#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "kernel/tick.h"
#include "state/table.h"
#include "unit.h"

#define TICK_NS (UINT64_C(1) << FW_TICK_SHIFT)
#define N_TRIES 1000

/* At 1000 points of the running tick: one that is cut off instead of rounded up shows at nearly all of them. */
static void test_after(void **state)
{
	static const uint64_t lengths[] = { 0, 1, 1000000, TICK_NS - 1, TICK_NS, TICK_NS + 1, 600 * UINT64_C(1000000000) };

	for (unsigned n = 0; n < N_TRIES; n++)
		for (size_t i = 0; i < ELEMENTSOF(lengths); i++) {
			uint64_t before = boot_clock_ns(), after, end;

			end = (uint64_t)tick_after(lengths[i]) << FW_TICK_SHIFT;
			after = boot_clock_ns();
			CHECK(end >= before + lengths[i], "%llu ns from %llu: ends at %llu, too early",
			      (unsigned long long)lengths[i], (unsigned long long)before, (unsigned long long)end);
			CHECK(end <= after + lengths[i] + TICK_NS, "%llu ns from %llu: ends at %llu, too late",
			      (unsigned long long)lengths[i], (unsigned long long)after, (unsigned long long)end);
		}
}

static void test_limits(void **state)
{
	assert_int_equal(tick_after(UINT64_MAX), FW_UNTIL_MAX);
	assert_int_equal(tick_after((uint64_t)FW_UNTIL_MAX << FW_TICK_SHIFT), FW_UNTIL_MAX);
	assert_true(tick_after(0) > FW_UNTIL_MIXED);
	assert_int_equal(tick_remaining(0), 0);
	assert_true(tick_remaining(tick_after(10 * TICK_NS)) <= 11 * TICK_NS);
	assert_true(tick_remaining(FW_UNTIL_MAX) > 0);
}

static void test_until(void **state)
{
	int64_t now = time(NULL);

	assert_int_equal(until_from_unix(0), FW_UNTIL_NEVER);
	assert_true(tick_remaining(until_from_unix(now - 10)) <= TICK_NS);
	CHECK(llabs(until_to_unix(until_from_unix(now + 3600)) - now - 3600) <= 2, "an hour is another");
	for (int64_t far = now + 1000000000; far < UNIX_TIME_MAX; far += 1000000007) /* to the year 9999, in steps of 32 years */
		CHECK(tick_remaining(until_from_unix(far)) > UINT64_C(30) * 365 * 86400 * NS_PER_SEC, "%lld ends soon", (long long)far);
	assert_int_equal(until_from_unix(UNIX_TIME_MAX), FW_UNTIL_MAX);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_after),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_until),
	};

	return cmocka_run_group_tests_name("tick", tests, NULL, NULL);
}
