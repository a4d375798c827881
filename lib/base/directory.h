/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Opens directories that may be below one that another user can write to. A symbolic link in any component is followed only
 * if it belongs to root or to us and no other user can write to the directory that it is in. Thus /var/lib may be a link of
 * the administrator, and no other user can redirect what we write.
 */

/* Returns a descriptor. -ELOOP: a link that is not followed, or too many; -ENOTDIR; -ENOENT. */
int directory_open(const char *path);

/* The same for the directory that path is in. *ret_name is the last component of path. -EISDIR: it has none. */
int directory_open_parent(const char *path, const char **ret_name);
