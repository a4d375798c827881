// SPDX-License-Identifier: GPL-2.0-or-later

/* The names of lists, and where the files are that belong to them. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/directory.h"
#include "lists/listplace.h"

static bool part_is_valid(const char *part, size_t length)
{
	static const char chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789._:@+-";
	const size_t n_suffix = strlen(LIST_SUFFIX);

	if (length == 0 || part[0] == '.' || strspn(part, chars) < length)
		return false;
	return length < n_suffix || memcmp(part + length - n_suffix, LIST_SUFFIX, n_suffix) != 0;
}

bool list_name_is_valid(const char *name)
{
	if (strlen(name) >= FW_LIST_NAME_MAX)
		return false;

	for (;;) {
		size_t length = strcspn(name, "/");

		if (!part_is_valid(name, length))
			return false;
		if (name[length] == '\0')
			return true;
		name += length + 1;
	}
}

void place_done(struct place *p)
{
	closep(&p->dir_fd);
}

/* Opens a directory; with make, one that is missing is made, and has come to stay on return. */
static int open_dir(int at_fd, const char *path, int flags, bool make)
{
	_cleanup_close_ int fd = -1, parent_fd = -1;
	bool made = false;

	if (make) {
		made = mkdirat(at_fd, path, 0700) == 0;
		if (!made && errno != EEXIST)
			return -errno;
	}

	fd = openat(at_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags);
	if (fd < 0)
		return -errno;

	if (made) {
		parent_fd = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (parent_fd < 0 || fsync(parent_fd) < 0)
			return -errno;
	}
	return TAKE_FD(fd);
}

/* The state directory may have links of the administrator in its path; below it there are none. */
static int open_state_dir(const char *path, bool make)
{
	_cleanup_close_ int parent_fd = -1;
	char copy[PATH_MAX];
	const char *name;
	size_t n = strlen(path);
	int fd = directory_open(path);

	if (fd != -ENOENT || !make)
		return fd;
	while (n > 1 && path[n - 1] == '/')
		n--;
	if (snprintf(copy, sizeof(copy), "%.*s", (int)n, path) >= PATH_MAX)
		return -ENAMETOOLONG;
	parent_fd = directory_open_parent(copy, &name);
	return parent_fd < 0 ? parent_fd : open_dir(parent_fd, name, O_NOFOLLOW, true);
}

int place_open_lists(const char *state_dir)
{
	_cleanup_close_ int state_fd = open_state_dir(state_dir, false);

	return state_fd < 0 ? state_fd : open_dir(state_fd, LISTS_DIR, O_NOFOLLOW, false);
}

int place_open(struct place *p, const char *state_dir, const char *name, bool make)
{
	if (!list_name_is_valid(name))
		return -EINVAL;

	(void) snprintf(p->path, sizeof(p->path), LISTS_DIR "/%s" LIST_SUFFIX, name);
	p->file = p->path;

	p->dir_fd = open_state_dir(state_dir, make);
	if (p->dir_fd < 0)
		return p->dir_fd;

	for (char *slash; (slash = strchr(p->file, '/')); p->file = slash + 1) {
		_cleanup_close_ int parent_fd = p->dir_fd;

		*slash = '\0';
		p->dir_fd = open_dir(parent_fd, p->file, O_NOFOLLOW, make);
		if (p->dir_fd < 0)
			return p->dir_fd;
	}
	return 0;
}

int place_open_file(const struct place *p, int flags, int *ret_fd)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	fd = openat(p->dir_fd, p->file, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -ENOTSUP;

	*ret_fd = TAKE_FD(fd);
	return 0;
}
