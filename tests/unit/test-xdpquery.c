// SPDX-License-Identifier: GPL-2.0-or-later

/* xdpquery.c: which program is which, and the answers for interfaces that run none or are none. */

#include <errno.h>
#include <net/if.h>

#include "hook/xdpquery.h"
#include "unit.h"

static void test_mechanism(void **state)
{
	static const struct {
		struct xdp_programs programs;
		uint32_t prog_id;
		enum fw_mechanism mechanism;
	} rows[] = {
		{ { 0, 0 }, 0, FW_MECHANISM_NONE }, /* no program is not a program that runs */
		{ { 0, 0 }, 7, FW_MECHANISM_NONE },
		{ { 7, 0 }, 7, FW_MECHANISM_XDP_NATIVE },
		{ { 0, 7 }, 7, FW_MECHANISM_XDP_GENERIC },
		{ { 7, 0 }, 8, FW_MECHANISM_NONE },
		{ { 0, 7 }, 8, FW_MECHANISM_NONE },
		{ { 7, 0 }, 0, FW_MECHANISM_NONE },
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++)
		CHECK(xdp_mechanism_of(&rows[i].programs, rows[i].prog_id) == rows[i].mechanism, "row %zu", i);
}

static void test_query(void **state)
{
	struct xdp_programs p = { 5, 5 };

	assert_int_equal(xdp_query(0x7fffffff, &p), -ENODEV);
	assert_int_equal(p.native_id, 5); /* written on success only */
	assert_int_equal(xdp_query(if_nametoindex("lo"), &p), 0);
	assert_int_equal(p.native_id, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mechanism),
		cmocka_unit_test(test_query),
	};

	return cmocka_run_group_tests_name("xdpquery", tests, NULL, NULL);
}
