/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Where the file of a list is: STATE/lists/NAME.list, with a directory for each slash in the name.
 * No symbolic link is followed below the state directory, and in its own path only what directory.h
 * allows; nothing but a regular file is taken for a list.
 */

#include <errno.h>
#include <stdbool.h>

#include "lists/listfile.h"

#define LISTS_DIR "lists"

/* Zero-initialise but for dir_fd = -1; free with place_done(). */
struct place {
	int dir_fd; /* the directory */
	char *file; /* the name in it; points into path */
	char path[sizeof(LISTS_DIR "/") + FW_LIST_NAME_MAX + sizeof(LIST_SUFFIX)];
};

void place_done(struct place *p);

/*
 * Opens the directory for the list of this name; with make, directories that are missing are made,
 * and synced. -EINVAL: no valid name; -ENOENT: no such directory.
 */
int place_open(struct place *p, const char *state_dir, const char *name, bool make);

/* Opens the directory of all lists. -ENOENT: nothing was ever saved. */
int place_open_lists(const char *state_dir);

/* Opens the file. -ENOENT; -ELOOP: a symbolic link; -EISDIR; -ENOTSUP: a device or the like. */
int place_open_file(const struct place *p, int flags, int *ret_fd);

/* Is this error about what the file is? */
static inline bool place_is_irregular(int r)
{
	return r == -ELOOP || r == -EISDIR || r == -ENOTSUP;
}
