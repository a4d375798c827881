// SPDX-License-Identifier: GPL-2.0-or-later

/* Reads mountinfo: see mounts.h. */

#include "kernel/mounts.h"

#include <errno.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"

#define MOUNTINFO "/proc/self/mountinfo"

enum field {
	FIELD_ID,
	FIELD_PARENT,
	FIELD_DEVICE,
	FIELD_ROOT,
	FIELD_POINT,
	FIELD_OPTIONS,
	_FIELD_MAX,
};

/* mountinfo writes white space and backslashes as three octal digits. */
static char *unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; to++) {
		if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] && from[3]) {
			*to = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
	return text;
}

/* "36 25 0:31 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw" */
int mount_parse(char *line, struct mount *ret)
{
	unsigned major = 0, minor = 0;
	char *fields[_FIELD_MAX], *state = NULL, *type = strstr(line, " - ");

	if (!type)
		return -EBADMSG;
	*type = '\0';
	type += strlen(" - ");
	type[strcspn(type, " \n")] = '\0';
	for (enum field i = 0; i < _FIELD_MAX; i++) {
		fields[i] = strtok_r(i == 0 ? line : NULL, " ", &state);
		if (!fields[i])
			return -EBADMSG;
	}
	if (sscanf(fields[FIELD_DEVICE], "%u:%u", &major, &minor) != 2)
		return -EBADMSG;
	*ret = (struct mount){
		.id = atoi(fields[FIELD_ID]),
		.dev = makedev(major, minor),
		.root = unescape(fields[FIELD_ROOT]),
		.point = unescape(fields[FIELD_POINT]),
		.type = type,
		.is_read_only = strcmp(fields[FIELD_OPTIONS], "ro") == 0 || strncmp(fields[FIELD_OPTIONS], "ro,", 3) == 0,
	};
	return 0;
}

int mounts_foreach(mounts_fn fn, void *userdata)
{
	_cleanup_fclose_ FILE *f = NULL;
	_cleanup_free_ char *line = NULL;
	size_t allocated = 0;
	struct mount m;
	int r = 0;

	f = fopen(MOUNTINFO, "re");
	if (!f)
		return -errno;
	while (r >= 0 && getline(&line, &allocated, f) > 0)
		if (mount_parse(line, &m) >= 0)
			r = fn(&m, userdata);
	return r < 0 ? r : ferror(f) ? -EIO : 0;
}

bool mounts_is_below(const char *path, const char *point)
{
	size_t length = strlen(point);

	return strncmp(path, point, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

/* A sandbox makes a directory writable by a mount of the directory on itself, which brings nothing. */
static bool is_of_itself(const struct mount *m)
{
	size_t point = strlen(m->point), root = strlen(m->root);

	return strcmp(m->root, "/") != 0 && root <= point && strcmp(m->point + point - root, m->root) == 0;
}

/* For mounts_foreach(). */
static int find_point(const struct mount *m, void *userdata)
{
	return strcmp(m->point, userdata) == 0 && !is_of_itself(m) ? -EEXIST : 0;
}

int mounts_find_missing(const char *fstab, const char *path, char *ret_point, size_t size)
{
	struct mntent *entry;
	int r = 0;
	FILE *f;

	f = setmntent(fstab, "re");
	if (!f)
		return 0;
	while (r == 0 && (entry = getmntent(f))) {
		size_t length = strlen(entry->mnt_dir);

		while (length > 0 && entry->mnt_dir[length - 1] == '/')
			entry->mnt_dir[--length] = '\0';
		if (length == 0 || entry->mnt_dir[0] != '/' || !mounts_is_below(path, entry->mnt_dir) ||
		    mounts_foreach(find_point, entry->mnt_dir) == -EEXIST)
			continue;
		(void) snprintf(ret_point, size, "%s", entry->mnt_dir);
		r = 1;
	}
	(void) endmntent(f);
	return r;
}
