/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Seconds in other units, and the clocks of this process, which are shifted in a time namespace. What the kernel's programs
 * or another process compare with is boot_clock_ns(), see tick.h.
 */

#include <stdint.h>
#include <time.h>

#define NS_PER_SEC   INT64_C(1000000000)
#define USEC_PER_SEC UINT64_C(1000000)

/* The last second of the year 9999, in Unix time. */
#define UNIX_TIME_MAX INT64_C(253402300799)

static inline uint64_t clock_usec(clockid_t clock)
{
	struct timespec t;

	(void) clock_gettime(clock, &t); /* cannot fail: the clocks exist */
	return (uint64_t)t.tv_sec * USEC_PER_SEC + (uint64_t)t.tv_nsec / 1000;
}

static inline uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	(void) clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * (uint64_t)NS_PER_SEC + (uint64_t)t.tv_nsec;
}
