// SPDX-License-Identifier: GPL-2.0-or-later

/* How many descriptors there are, and how many are to stay free: see descriptors.h. */

#include "attach/descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/resource.h>
#include <unistd.h>

#include "log/log.h"

#define NEEDED   128 /* without any interface some 70, and more while it takes over from another version */
#define RESERVED 64
#define MOMENTS  8   /* what one call may open and close again */

static rlim_t soft_limit(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur > INT_MAX ? INT_MAX : limit.rlim_cur;
}

unsigned long descriptors_limit(void)
{
	return (unsigned long)soft_limit();
}

int descriptors_raise(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 0; /* then the kernel says what it refuses */
	if (limit.rlim_cur < limit.rlim_max) { /* the soft limit is there for programs that use select(2) */
		limit.rlim_cur = limit.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
			(void) log_warning(-errno, "Cannot raise the limit of open files, ignoring: %m");
	}
	if (soft_limit() < NEEDED)
		return log_error(-EMFILE, "The limit of open files is %lu, and %d are needed: raise LimitNOFILE= of the unit, or "
				 "'ulimit -n'; what is attached stays attached", descriptors_limit(), NEEDED);
	return 0;
}

int descriptors_hold_below(void)
{
	rlim_t limit = soft_limit();

	return limit > RESERVED ? (int)(limit - RESERVED) : 0;
}

/* The kernel gives the lowest number that is free. */
bool descriptors_are_out(void)
{
	int fds[MOMENTS], n;

	for (n = 0; n < MOMENTS; n++) {
		fds[n] = open("/", O_PATH | O_CLOEXEC);
		if (fds[n] < 0)
			break;
	}
	for (int i = 0; i < n; i++)
		(void) close(fds[i]);
	return n < MOMENTS;
}
