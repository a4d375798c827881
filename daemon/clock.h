/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The clocks of the event loop, which are those of this process: in a time namespace they are shifted. What the
 * kernel's programs or another process compare with is boot_clock_ns(), see table.h.
 */

#include <stdint.h>
#include <time.h>

#define USEC_PER_SEC UINT64_C(1000000)

static inline uint64_t clock_usec(clockid_t clock)
{
	struct timespec t;

	(void) clock_gettime(clock, &t); /* cannot fail: the clocks exist */
	return (uint64_t)t.tv_sec * USEC_PER_SEC + (uint64_t)t.tv_nsec / 1000;
}
