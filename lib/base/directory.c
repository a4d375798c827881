// SPDX-License-Identifier: GPL-2.0-or-later

/* See directory.h. One component at a time: openat2() can refuse all links, but not follow some. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/directory.h"

#define LINKS_MAX 40 /* as many as the kernel follows */

static bool is_trusted(uid_t uid)
{
	return uid == 0 || uid == geteuid();
}

/* True if only root or we could have made this link. */
static bool may_follow(int dir_fd, const struct stat *link)
{
	struct stat dir;

	return fstat(dir_fd, &dir) == 0 && is_trusted(link->st_uid) && is_trusted(dir.st_uid) &&
	       !(dir.st_mode & (S_IWGRP | S_IWOTH));
}

/* Puts what the link says before what is left of the path. */
static int expand(int link_fd, const char *rest, char path[static PATH_MAX])
{
	char target[PATH_MAX], whole[2 * PATH_MAX];
	ssize_t n = readlinkat(link_fd, "", target, sizeof(target));

	if (n < 0)
		return -errno;
	if (n == sizeof(target) ||
	    snprintf(whole, sizeof(whole), "%.*s/%s", (int)n, target, rest) >= PATH_MAX)
		return -ENAMETOOLONG;
	(void) strcpy(path, whole);
	return 0;
}

static int open_start(const char *path)
{
	int fd = open(path[0] == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* Reopens a directory for reading and syncing from an O_PATH descriptor. */
static int reopen(int fd)
{
	int dir_fd = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return dir_fd < 0 ? -errno : dir_fd;
}

int directory_open(const char *path)
{
	char text[PATH_MAX], name[NAME_MAX + 1];
	_cleanup_close_ int fd = -1;
	const char *rest = text;
	unsigned n_links = 0;
	int r;

	if (path[0] == '\0')
		return -ENOENT;
	if (snprintf(text, sizeof(text), "%s", path) >= PATH_MAX)
		return -ENAMETOOLONG;
	fd = open_start(text);
	if (fd < 0)
		return fd;

	while (rest += strspn(rest, "/"), *rest) {
		size_t n = strcspn(rest, "/");
		_cleanup_close_ int next_fd = -1;
		struct stat st;

		if (n > NAME_MAX)
			return -ENAMETOOLONG;
		(void) snprintf(name, sizeof(name), "%.*s", (int)n, rest);
		rest += n;
		next_fd = openat(fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		if (next_fd < 0 || fstat(next_fd, &st) < 0)
			return -errno;
		if (S_ISLNK(st.st_mode)) {
			if (n_links++ == LINKS_MAX || !may_follow(fd, &st))
				return -ELOOP;
			r = expand(next_fd, rest, text);
			if (r < 0)
				return r;
			rest = text;
			if (text[0] != '/')
				continue;
			closep(&next_fd);
			next_fd = open_start(text);
			if (next_fd < 0)
				return next_fd;
		} else if (!S_ISDIR(st.st_mode)) {
			return -ENOTDIR;
		}
		closep(&fd);
		fd = TAKE_FD(next_fd);
	}
	return reopen(fd);
}

int directory_open_parent(const char *path, const char **ret_name)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	char parent[PATH_MAX] = ".";
	int fd;

	if (name[0] == '\0')
		return -EISDIR;
	if (slash && snprintf(parent, sizeof(parent), "%.*s/", (int)(slash - path), path) >= PATH_MAX)
		return -ENAMETOOLONG;
	fd = directory_open(parent);
	if (fd >= 0)
		*ret_name = name;
	return fd;
}
