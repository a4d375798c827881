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
		.parent = atoi(fields[FIELD_PARENT]),
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

/* Is the same directory there without this mount? A sandbox makes a directory writable by a mount of it on itself. */
static bool is_of_itself(const struct mount *m, const struct mount *parent)
{
	const char *below = m->point + (strcmp(parent->point, "/") == 0 ? 0 : strlen(parent->point));
	const char *root = strcmp(parent->root, "/") == 0 ? "" : parent->root;
	size_t length = strlen(root);

	if (m->dev != parent->dev || !mounts_is_below(m->point, strcmp(parent->point, "/") == 0 ? "" : parent->point))
		return false;
	if (length == 0 && *below == '\0')
		return strcmp(m->root, "/") == 0;
	return strncmp(m->root, root, length) == 0 && strcmp(m->root + length, below) == 0;
}

/* For mounts_foreach(): a parent comes before what is mounted on it, unless it was moved. */
static int find_parent(const struct mount *parent, void *userdata)
{
	const struct mount *m = userdata;

	return parent->id != m->parent ? 0 : is_of_itself(m, parent) ? -EALREADY : -EEXIST;
}

/* For mounts_foreach(). */
static int find_point(const struct mount *m, void *userdata)
{
	struct mount mount = *m;

	return strcmp(m->point, userdata) == 0 && mounts_foreach(find_parent, &mount) != -EALREADY ? -EEXIST : 0;
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
