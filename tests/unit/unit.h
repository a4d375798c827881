/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What every unit test includes: cmocka and what it wants to see before, and a check that names its row. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"

/* Ends the test, with a message that says which row of its table it was. */
#define CHECK(condition, ...)                                                     \
	do {                                                                      \
		if (!(condition)) {                                               \
			print_error("%s:%d: %s: ", __FILE__, __LINE__, #condition); \
			fail_msg(__VA_ARGS__);                                    \
		}                                                                 \
	} while (0)
