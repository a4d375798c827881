// SPDX-License-Identifier: GPL-2.0-or-later

/* The frame around the tests of one program: see suite.h. */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "suite.h"

struct firewall *firewall;

int suite_set_up(void **state)
{
	int r;

	r = firewall_new(&firewall);
	if (r < 0)
		printf("# cannot load the programs: %s\n", strerror(-r));
	return r;
}

int suite_tear_down(void **state)
{
	firewall = firewall_free(firewall);
	return 0;
}

struct target suite_target(const char *text)
{
	struct target target;
	const char *error;

	assert_int_equal(target_parse(text, strlen(text), &target, &error), 0);
	return target;
}

bool suite_begin(void)
{
	if (geteuid() != 0) {
		printf("1..0 # SKIP needs root\n");
		return false;
	}
	cmocka_set_message_output(CM_OUTPUT_TAP);
	setvbuf(stdout, NULL, _IOLBF, 0); /* a test that crashes shows what it has said */
	return true;
}
