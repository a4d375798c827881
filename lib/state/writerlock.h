/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The writer lock: flock(2) on RUN/lock, held from a writer's first look at the maps to its last change (I10). The
 * holder's pid and command are in the file, so that a process that waits can say what it waits for.
 */

#include <stdbool.h>
#include <stdint.h>

#define WRITERLOCK_COMMAND_MAX 64
#define WRITERLOCK_TEXT_MAX    192

struct writerlock_holder {
	int pid; /* 0 = unknown */
	char command[WRITERLOCK_COMMAND_MAX]; /* "" = unknown; without control characters */
	bool is_stopped; /* by SIGSTOP, SIGTSTP or a debugger */
};

/* How to wait. While waiting, SIGALRM and the real interval timer are in use. */
struct writerlock_wait {
	uint64_t limit_ns; /* 0 = do not wait, UINT64_MAX = without end */
	/* called after each second of waiting */
	void (*tell)(const struct writerlock_holder *holder, void *userdata);
	void *userdata;
};

/*
 * Takes the lock; command is our name, for others to read. The run directory is made if its parent exists. -EBUSY: not
 * released within the limit. -EINTR: SIGTERM or SIGINT is blocked and pending.
 */
int writerlock_take(const char *run_dir, const char *command, const struct writerlock_wait *wait, int *ret_fd);

/* The same without waiting. */
int writerlock_try(const char *run_dir, const char *command, int *ret_fd);

/* Removes pid and command from the file and unlocks; fd may be -1. The other is for _cleanup_(). */
void writerlock_release(int fd);
void writerlock_releasep(int *fd);

/* The holder, as far as can be told: from the kernel's list of locks, and from the file. */
void writerlock_holder(const char *run_dir, struct writerlock_holder *ret);

/* "pid 1234 (fwctl load), which is stopped: 'kill -CONT 1234' resumes it", or "another process" */
const char *writerlock_format(const struct writerlock_holder *h, char buffer[static WRITERLOCK_TEXT_MAX]);
