// SPDX-License-Identifier: GPL-2.0-or-later

/* The files of all lists: which there are, and how one is removed or set aside. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "lists/listplace.h"

int listfile_remove(const char *state_dir, const char *name)
{
	_cleanup_(place_done) struct place place = { .dir_fd = -1 };
	int r;

	r = place_open(&place, state_dir, name, false);
	if (r < 0)
		return r;

	if (unlinkat(place.dir_fd, place.file, 0) < 0)
		return -errno;
	return fsync(place.dir_fd) < 0 ? -errno : 0;
}

/* Gives the file the first free name NAME.list.bad-N, instead of its own or in addition to it. Returns N. */
static int name_aside(const struct place *place, bool keep)
{
	int r;

	for (int n = 1; n < INT_MAX; n++) {
		char aside[sizeof(place->path) + 16];
		struct stat st;

		(void) snprintf(aside, sizeof(aside), "%s.bad-%d", place->file, n);
		if (fstatat(place->dir_fd, aside, &st, AT_SYMLINK_NOFOLLOW) == 0)
			continue;
		if (errno != ENOENT)
			return -errno;
		r = keep ? linkat(place->dir_fd, place->file, place->dir_fd, aside, 0) :
			   renameat(place->dir_fd, place->file, place->dir_fd, aside);
		if (r < 0 || fsync(place->dir_fd) < 0)
			return -errno;
		return n;
	}
	return -EEXIST;
}

int listfile_set_aside(const char *state_dir, const char *name)
{
	_cleanup_(place_done) struct place place = { .dir_fd = -1 };
	int r;

	r = place_open(&place, state_dir, name, false);
	return r < 0 ? r : name_aside(&place, false);
}

/* The file has both names until it is replaced: a crash in between loses nothing. */
int listfile_rewrite(const char *state_dir, const struct list_header *header, const struct list *l)
{
	_cleanup_(place_done) struct place place = { .dir_fd = -1 };
	int r, n;

	n = place_open(&place, state_dir, l->header.name, false);
	if (n >= 0)
		n = name_aside(&place, true);
	if (n < 0)
		return n;
	r = listfile_replace(state_dir, header, l->items, l->n_items);
	return r < 0 ? r : n;
}

struct names {
	char (*items)[FW_LIST_NAME_MAX];
	size_t n_items;
};

static void names_done(struct names *names)
{
	free(names->items);
}

static int names_add(struct names *names, const char *name)
{
	void *items = reallocarray(names->items, names->n_items + 1, sizeof(*names->items));

	if (!items)
		return -ENOMEM;

	names->items = items;
	(void) strcpy(names->items[names->n_items++], name); /* valid, and therefore short enough */
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void closedirp(DIR **d)
{
	if (*d)
		(void) closedir(*d);
}

static bool is_dir(DIR *d, const struct dirent *e)
{
	struct stat st;

	if (e->d_type != DT_UNKNOWN)
		return e->d_type == DT_DIR;
	return fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

/* "sshd.list" -> "sshd". False if this is not what the file of a list is called. */
static bool cut_suffix(char *name)
{
	size_t length = strlen(name), n_suffix = strlen(LIST_SUFFIX);

	if (length < n_suffix || strcmp(name + length - n_suffix, LIST_SUFFIX) != 0)
		return false;

	name[length - n_suffix] = '\0';
	return list_name_is_valid(name);
}

/*
 * Adds the lists in a directory and below; start is the prefix of their names. A directory whose name no list can have is
 * skipped, so that the longest name ends the recursion.
 */
static int collect_names(int at_fd, const char *path, const char *start, struct names *names)
{
	_cleanup_(closedirp) DIR *d = NULL;
	_cleanup_close_ int fd = -1;
	const struct dirent *e;
	int r;

	fd = openat(at_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;

	d = fdopendir(fd);
	if (!d)
		return -errno;
	(void) TAKE_FD(fd); /* closed with d */

	while (errno = 0, (e = readdir(d))) {
		char name[FW_LIST_NAME_MAX + sizeof(e->d_name) + 1];

		(void) snprintf(name, sizeof(name), "%s%s", start, e->d_name);
		if (cut_suffix(name)) /* of any file type: what cannot be read is moved aside and reported */
			r = names_add(names, name);
		else if (is_dir(d, e) && list_name_is_valid(name))
			r = collect_names(dirfd(d), e->d_name, strcat(name, "/"), names);
		else
			continue;
		if (r < 0)
			return r;
	}
	return -errno;
}

int listfile_foreach(const char *state_dir, int (*fn)(const char *name, void *userdata),
		     void *userdata)
{
	_cleanup_close_ int lists_fd = -1;
	_cleanup_(names_done) struct names names = {};
	int r;

	lists_fd = place_open_lists(state_dir);
	if (lists_fd == -ENOENT)
		return 0; /* nothing was ever saved */
	if (lists_fd < 0)
		return lists_fd;

	r = collect_names(lists_fd, ".", "", &names);
	if (r < 0)
		return r;

	qsort(names.items, names.n_items, sizeof(*names.items), compare_names);
	for (size_t i = 0; i < names.n_items; i++) {
		r = fn(names.items[i], userdata);
		if (r < 0)
			return r;
	}
	return 0;
}
