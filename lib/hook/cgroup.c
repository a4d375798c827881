// SPDX-License-Identifier: GPL-2.0-or-later

/* Finding cgroup2 among the mounts and explaining a refused attachment: see cgroup.h. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <bpf/bpf.h>

#include "base/cleanup.h"
#include "hook/cgroup.h"
#include "kernel/mounts.h"

#define PEERS_MAX 64 /* the kernel takes no more programs on one group */

struct search {
	struct cgroup_mount *mount;
	bool is_found;
};

/* Of the mount that an open file is in, as mountinfo numbers it; -1 = unknown. */
static int mount_id_of(int fd)
{
	_cleanup_fclose_ FILE *f = NULL;
	char path[64], line[128];
	int id;

	(void) snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "mnt_id: %d", &id) == 1)
			return id;
	return -1;
}

/* Another mount that came later may hide it, or a directory above it. */
static bool is_visible(const struct mount *m)
{
	_cleanup_close_ int fd = open(m->point, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 && mount_id_of(fd) == m->id;
}

/* For mounts_foreach(): the first one of all groups, or else the first one of a part of them. */
static int consider(const struct mount *m, void *userdata)
{
	bool is_whole = strcmp(m->root, "/") == 0;
	struct search *s = userdata;

	if (strcmp(m->type, "cgroup2") != 0 || (s->is_found && !is_whole) || !is_visible(m))
		return 0;
	if (strlen(m->point) >= sizeof(s->mount->point) || strlen(m->root) >= sizeof(s->mount->root))
		return 0;
	strcpy(s->mount->point, m->point);
	strcpy(s->mount->root, m->root);
	s->is_found = true;
	return is_whole ? -EEXIST : 0; /* which ends the search */
}

int cgroup_find_mount(struct cgroup_mount *ret)
{
	struct search s = { .mount = ret };
	int r = mounts_foreach(consider, &s);

	if (r < 0 && r != -EEXIST)
		return r;
	return s.is_found ? 0 : -ENODEV;
}

bool cgroup_mount_is_whole(const struct cgroup_mount *m)
{
	return strcmp(m->root, "/") == 0;
}

int cgroup_open(const char *path, int *ret_fd, uint64_t *ret_id)
{
	_cleanup_close_ int fd = -1;
	struct cgroup_mount m;
	char full[PATH_MAX];
	struct stat st;
	int r;

	r = cgroup_find_mount(&m);
	if (r < 0)
		return r;
	if (snprintf(full, sizeof(full), "%s%s", m.point, path) >= (int)sizeof(full))
		return -ENAMETOOLONG;

	fd = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;

	*ret_id = st.st_ino; /* kernfs numbers inodes as the kernel numbers groups */
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* The first program on the group, or above it, that admits no other program: 0 if there is none. */
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
		(void) snprintf(buffer, size, "no cgroup2 file system is mounted, or other mounts hide it (try: mkdir /run/cgroup2; "
					      "mount -t cgroup2 none /run/cgroup2)");
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
