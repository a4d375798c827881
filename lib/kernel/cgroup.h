/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Where the cgroup programs go, and why they cannot: finding cgroup2, opening a group, naming a peer. */

#include <stddef.h>
#include <stdint.h>

/*
 * Opens the cgroup at path ("/" is the root) below the cgroup2 mount of this system, unified or hybrid.
 * *ret_id is the kernel's number for it. -ENODEV: no cgroup2 is mounted; -ENOENT: no such group.
 */
int cgroup_open(const char *path, int *ret_fd, uint64_t *ret_id);

/*
 * Says in buffer why attaching failed with error: above all, which program of a peer holds the group for
 * itself. Returns buffer.
 */
const char *cgroup_explain(const char *path, int fd, uint32_t attach_type, int error, char *buffer,
			   size_t size);
