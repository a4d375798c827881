/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What every packet test includes and ends with: cmocka and what it wants to see before, and one firewall for all. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "firewall.h"

extern struct firewall *firewall; /* from suite_set_up() to suite_tear_down() */

/* As cmocka calls them, before and after all tests of a group. */
int suite_set_up(void **state);
int suite_tear_down(void **state);

/* A target that parses, or the test fails. */
struct target suite_target(const char *text);

/* Sets the output up. False, with the reason printed: nothing can be tested here. */
bool suite_begin(void);

/* Runs a group of tests, as the last word of main(). */
#define suite_run(tests, set_up, tear_down) \
	(suite_begin() ? cmocka_run_group_tests(tests, set_up, tear_down) : EXIT_SUCCESS)
