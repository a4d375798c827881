/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Where the cgroup programs go, and why they cannot: finding cgroup2, opening a group, naming a peer. */

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cgroup_mount {
	char point[PATH_MAX]; /* where it is */
	char root[PATH_MAX];  /* the group that is there; "/" = the root of all that there are in this cgroup namespace */
};

/*
 * The cgroup2 mount of this system, unified or hybrid: one of the root, or else of a part, as a container may have it. One
 * that another mount hides is none. -ENODEV: there is none.
 */
int cgroup_find_mount(struct cgroup_mount *ret);
bool cgroup_mount_is_whole(const struct cgroup_mount *m);

/*
 * Opens the cgroup at path below that mount ("/" is what is mounted).
 * *ret_id is the kernel's number for it. -ENODEV: no cgroup2 is mounted; -ENOENT: no such group.
 */
int cgroup_open(const char *path, int *ret_fd, uint64_t *ret_id);

/*
 * Says in buffer why attaching failed with error: above all, which program of a peer holds the group for
 * itself. Returns buffer.
 */
const char *cgroup_explain(const char *path, int fd, uint32_t attach_type, int error, char *buffer,
			   size_t size);
