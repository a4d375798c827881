// SPDX-License-Identifier: GPL-2.0-or-later

/* Finding cgroup2 in mountinfo and explaining a refused attachment: see cgroup.h. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include <bpf/bpf.h>

#include "base/cleanup.h"
#include "kernel/cgroup.h"

#define MOUNTINFO "/proc/self/mountinfo"
#define PEERS_MAX 64 /* the kernel takes no more programs on one group */

/* mountinfo writes white space and backslashes as three octal digits. */
static void unescape(char *text)
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
}

/* "36 25 0:31 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw": field five, if the type fits. */
static char *mount_point_of_cgroup2(char *line)
{
	char *state = NULL, *field = NULL, *type;

	type = strstr(line, " - ");
	if (!type || strncmp(type + 3, "cgroup2 ", 8) != 0)
		return NULL;

	field = strtok_r(line, " ", &state);
	for (int i = 1; i < 5 && field; i++)
		field = strtok_r(NULL, " ", &state);
	if (field)
		unescape(field);
	return field;
}

static int find_mount(char *ret_path, size_t size)
{
	_cleanup_fclose_ FILE *f = NULL;
	_cleanup_free_ char *line = NULL;
	size_t allocated = 0;
	const char *found;

	f = fopen(MOUNTINFO, "re");
	if (!f)
		return -errno;

	while (getline(&line, &allocated, f) > 0) {
		found = mount_point_of_cgroup2(line);
		if (!found)
			continue;
		if (strlen(found) >= size)
			return -ENAMETOOLONG;
		strcpy(ret_path, found);
		return 0;
	}
	return ferror(f) ? -EIO : -ENODEV;
}

int cgroup_open(const char *path, int *ret_fd, uint64_t *ret_id)
{
	_cleanup_close_ int fd = -1;
	char full[PATH_MAX];
	struct stat st;
	size_t n;
	int r;

	r = find_mount(full, sizeof(full));
	if (r < 0)
		return r;

	n = strlen(full);
	if (n + strlen(path) >= sizeof(full))
		return -ENAMETOOLONG;
	strcpy(full + n, path);

	fd = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;

	*ret_id = st.st_ino; /* kernfs numbers inodes as the kernel numbers groups */
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* The first program on the group, or above it, that lets nobody else in: 0 if there is none. */
static uint32_t find_exclusive(int fd, uint32_t attach_type)
{
	static const uint32_t scopes[] = { 0, BPF_F_QUERY_EFFECTIVE }; /* itself; with those above it */

	for (size_t i = 0; i < ELEMENTSOF(scopes); i++) {
		__u32 ids[PEERS_MAX], n = PEERS_MAX, flags = 0;

		if (bpf_prog_query(fd, attach_type, scopes[i], &flags, ids, &n) < 0 || n == 0)
			continue;
		if (scopes[i] == 0 && (flags & BPF_F_ALLOW_MULTI))
			continue;
		return ids[0];
	}
	return 0;
}

const char *cgroup_explain(const char *path, int fd, uint32_t attach_type, int error, char *buffer,
			   size_t size)
{
	uint32_t id;

	switch (error) {
	case -ENODEV:
		(void) snprintf(buffer, size, "no cgroup2 file system is mounted (try: mount -t cgroup2 none "
					      "/sys/fs/cgroup/unified)");
		break;
	case -ENOENT:
	case -ENOTDIR:
		(void) snprintf(buffer, size, "there is no cgroup '%s', see Cgroup=", path);
		break;
	case -EPERM:
		id = fd >= 0 ? find_exclusive(fd, attach_type) : 0;
		if (id != 0)
			(void) snprintf(buffer, size, "program %u of somebody else holds cgroup '%s' for itself "
						      "(see 'bpftool prog show id %u'): stop it or change Cgroup=",
					id, path, id);
		else
			(void) snprintf(buffer, size, "not permitted on '%s', needs CAP_NET_ADMIN and CAP_BPF", path);
		break;
	case -E2BIG:
		(void) snprintf(buffer, size, "cgroup '%s' has as many programs as the kernel takes", path);
		break;
	case -EINVAL:
		(void) snprintf(buffer, size, "the kernel has no programs on cgroups (CONFIG_CGROUP_BPF)");
		break;
	default:
		(void) snprintf(buffer, size, "cannot attach to cgroup '%s': %s", path, strerror(-error));
		break;
	}
	return buffer;
}
