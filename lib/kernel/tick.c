// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * The clock that ends bans: the kernel's own boot clock, suspend included, in ticks of FW_TICK_SHIFT. In a time
 * namespace processes see it shifted, BPF programs never do: the shift is taken out, or a ban of ten minutes would
 * be over before it begins, or last for years.
 */

#include "kernel/tick.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "abi/abi.h"
#include "base/cleanup.h"
#include "base/clock.h"

#define OFFSETS_FILE "/proc/self/timens_offsets" /* "boottime SECONDS NANOSECONDS"; the clock's number before 5.7 */

/* By how much this process sees the boot clock shifted. No such file: the kernel has no time namespaces. */
static int64_t read_offset_ns(void)
{
	_cleanup_fclose_ FILE *f = fopen(OFFSETS_FILE, "re");
	char clock[16];
	long long sec;
	long ns;

	while (f && fscanf(f, "%15s %lld %ld", clock, &sec, &ns) == 3)
		if (strcmp(clock, "boottime") == 0 || strcmp(clock, "7") == 0)
			return sec * NS_PER_SEC + ns;
	return 0;
}

uint64_t boot_clock_ns(void)
{
	static bool is_known;
	static int64_t offset_ns; /* of a namespace that has processes it cannot change */
	struct timespec now;

	if (!is_known)
		offset_ns = read_offset_ns();
	is_known = true;
	(void) clock_gettime(CLOCK_BOOTTIME, &now); /* cannot fail for this clock */
	return (uint64_t)(now.tv_sec * NS_PER_SEC + now.tv_nsec - offset_ns);
}

uint32_t tick_now(void)
{
	return boot_clock_ns() >> FW_TICK_SHIFT;
}

uint32_t tick_after(uint64_t ns)
{
	uint64_t end = boot_clock_ns(), tick;

	if (ns > UINT64_MAX - end - (1ull << FW_TICK_SHIFT))
		return FW_UNTIL_MAX;
	tick = (end + ns + (1ull << FW_TICK_SHIFT) - 1) >> FW_TICK_SHIFT; /* not a moment too early */
	if (tick > FW_UNTIL_MAX)
		return FW_UNTIL_MAX;
	return tick <= FW_UNTIL_MIXED ? FW_UNTIL_MIXED + 1 : tick;
}

uint64_t tick_remaining(uint32_t tick)
{
	uint64_t end = (uint64_t)tick << FW_TICK_SHIFT, now = boot_clock_ns();

	return end > now ? end - now : 0;
}

int64_t tick_to_unix(uint32_t tick)
{
	uint64_t passed_ns;

	if (tick == 0)
		return 0;
	passed_ns = (uint64_t)(tick_now() - tick) << FW_TICK_SHIFT;
	return time(NULL) - (int64_t)(passed_ns / NS_PER_SEC);
}

int64_t until_to_unix(uint32_t until)
{
	struct timespec now;
	uint64_t ns;

	if (until == FW_UNTIL_NEVER)
		return 0;

	(void) clock_gettime(CLOCK_REALTIME, &now); /* cannot fail with this clock */
	ns = (uint64_t)now.tv_nsec + tick_remaining(until);
	return now.tv_sec + (int64_t)((ns + NS_PER_SEC - 1) / NS_PER_SEC);
}

uint32_t until_from_unix(int64_t unix_time)
{
	struct timespec now;

	if (unix_time == 0)
		return FW_UNTIL_NEVER;
	(void) clock_gettime(CLOCK_REALTIME, &now);
	if (unix_time - now.tv_sec >= (int64_t)FW_UNTIL_MAX) /* so many seconds are more than as many ticks */
		return FW_UNTIL_MAX;
	return tick_after(unix_time > now.tv_sec ? (uint64_t)(unix_time - now.tv_sec) * NS_PER_SEC : 0);
}

int64_t unix_after(uint64_t ns)
{
	struct timespec now;

	(void) clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec + (int64_t)((ns + (uint64_t)now.tv_nsec + NS_PER_SEC - 1) / NS_PER_SEC);
}
