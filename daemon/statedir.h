/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The file system of the state directory may be mounted after the daemon has started: a network mount, a disk that comes
 * late or is unlocked by hand. This notices it. Logs.
 */

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

struct statedir {
	dev_t dev; /* 0 = there was none */
	ino_t inode;
	char missing[PATH_MAX]; /* the mount point in fstab on which nothing is mounted, "" = none is missing */
};

/* Remembers how it is. */
void statedir_note(struct statedir *s, const char *path);

/* Does the path lead to another directory since? */
bool statedir_has_changed(struct statedir *s, const char *path);
