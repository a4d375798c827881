// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Preloaded into the programs under test: another wall clock, by WALL_OFFSET seconds, or as many as the file WALL_FILE says
 * at the moment. No other clock is touched.
 */

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

static time_t offset(void)
{
	const char *text = getenv("WALL_OFFSET"), *path = getenv("WALL_FILE");
	long long seconds = 0;
	FILE *f;

	if (!path)
		return text ? (time_t)atoll(text) : 0;
	f = fopen(path, "re");
	if (f) {
		(void) !fscanf(f, "%lld", &seconds);
		(void) fclose(f);
	}
	return (time_t)seconds;
}

int clock_gettime(clockid_t clock, struct timespec *ret)
{
	int (*real)(clockid_t clock, struct timespec *ret) = dlsym(RTLD_NEXT, "clock_gettime");
	int r = real(clock, ret);

	if (r == 0 && clock == CLOCK_REALTIME)
		ret->tv_sec += offset();
	return r;
}

time_t time(time_t *ret)
{
	struct timespec now;

	(void) clock_gettime(CLOCK_REALTIME, &now);
	if (ret)
		*ret = now.tv_sec;
	return now.tv_sec;
}

int gettimeofday(struct timeval *restrict ret, void *restrict unused)
{
	struct timespec now;

	(void) unused;
	(void) clock_gettime(CLOCK_REALTIME, &now);
	*ret = (struct timeval){ .tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000 };
	return 0;
}
