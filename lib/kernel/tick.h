/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The clock by which entries end, in ticks of 1 << FW_TICK_SHIFT ns since boot: see abi.h. */

#include <stdint.h>

/* The boot clock as the kernel's programs see it, in any time namespace. */
uint64_t boot_clock_ns(void);

/* Now, as tick of the boot clock; and the tick in which ns from now have passed, FW_UNTIL_MAX at most. */
uint32_t tick_now(void);
uint32_t tick_after(uint64_t ns);
/* Nanoseconds from now to a tick, 0 if it has passed. */
uint64_t tick_remaining(uint32_t tick);

/*
 * The wall clock, in Unix time in seconds: of a tick in the past, 0 = never; of the end of an entry, rounded up, 0 = never;
 * and back, FW_UNTIL_NEVER for 0; when ns from now have passed, rounded up.
 */
int64_t tick_to_unix(uint32_t tick);
int64_t until_to_unix(uint32_t until);
uint32_t until_from_unix(int64_t unix_time);
int64_t unix_after(uint64_t ns);
