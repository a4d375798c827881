/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What is mounted in the mount namespace of the caller, in the order in which it was mounted. */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct mount {
	int id;            /* as /proc/self/fdinfo names it */
	dev_t dev;
	const char *root;  /* which part of the file system is mounted: "/" = all of it */
	const char *point; /* where, unescaped; another mount may hide it */
	const char *type;  /* of the file system */
	bool is_read_only; /* here; the file system itself may be, too */
	int parent;        /* id of the mount that it is mounted on */
};

/* Calls fn for each; stops at a negative return, which is returned. */
typedef int (*mounts_fn)(const struct mount *m, void *userdata);
int mounts_foreach(mounts_fn fn, void *userdata);

/*
 * Is path to be on a mount of this fstab(5) that is not mounted? Returns 1 and where it would be, 0 if not, or if there is
 * no such file.
 */
int mounts_find_missing(const char *fstab, const char *path, char *ret_point, size_t size);
#define MOUNTS_FSTAB "/etc/fstab"

/* Is path the mount point, or below it? */
bool mounts_is_below(const char *path, const char *point);

/* Cuts a line of mountinfo(5) into pieces, which it changes. -EBADMSG: it is none. */
int mount_parse(char *line, struct mount *ret);
