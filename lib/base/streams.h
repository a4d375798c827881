/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <fcntl.h>
#include <unistd.h>

/*
 * To be called first. A standard stream that is closed must not lend its number to a map, a list file or a lock, where our
 * output would go then: /dev/null takes its place. O_RDONLY: writing to it fails, as it would have.
 */
static inline void streams_hold(int flags)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			(void) open("/dev/null", flags); /* takes the lowest number that is free: this one */
}
