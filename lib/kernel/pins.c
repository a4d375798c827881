// SPDX-License-Identifier: GPL-2.0-or-later

/* Names under the pin directory: see pins.h. */

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <bpf/bpf.h>
#include <linux/magic.h>

#include "base/cleanup.h"
#include "kernel/pins.h"

#ifndef BPF_FS_MAGIC
#define BPF_FS_MAGIC 0xcafe4a11
#endif

static const char *const parts[] = { "progs", "maps", "links" };

static int pin_path(const char *dir, const char *name, const char *suffix, char path[static PATH_MAX])
{
	int n = snprintf(path, PATH_MAX, "%s/%s%s", dir, name, suffix);

	return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

int pins_check_fs(const char *path)
{
	struct statfs fs;

	if (statfs(path, &fs) < 0)
		return -errno;
	return (unsigned long)fs.f_type == BPF_FS_MAGIC ? 0 : -ENODEV;
}

int pins_check_dir(const char *dir)
{
	struct stat st;
	int r;

	if (lstat(dir, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	r = pins_check_fs(dir);
	if (r < 0)
		return r;
	if ((st.st_uid != 0 && st.st_uid != geteuid()) || st.st_mode & (S_IWGRP | S_IWOTH))
		return -EPERM;
	return 0;
}

static int make_dir(const char *dir)
{
	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return -errno;
	return pins_check_dir(dir);
}

int pins_make_dir(const char *dir)
{
	char path[PATH_MAX];
	int r;

	r = make_dir(dir);
	for (size_t i = 0; i < ELEMENTSOF(parts) && r >= 0; i++) {
		r = pin_path(dir, parts[i], "", path);
		if (r >= 0)
			r = make_dir(path);
	}
	return r;
}

int pins_make_set(const char *dir)
{
	char path[PATH_MAX];
	int r;

	r = pin_path(dir, "maps", "", path);
	if (r >= 0)
		r = make_dir(dir);
	return r < 0 ? r : make_dir(path);
}

static int remove_map(const char *name, void *userdata)
{
	char path[PATH_MAX];
	int r;

	r = pin_path("maps", name, "", path);
	return r < 0 ? r : pins_remove(userdata, path);
}

int pins_remove_maps(const char *dir)
{
	return pins_foreach(dir, "maps", remove_map, (void *)dir);
}

/* meta first: without it a set counts for nothing. */
int pins_remove_set(const char *dir)
{
	char path[PATH_MAX];
	int r;

	r = pin_path(dir, "maps", "", path);
	if (r >= 0)
		r = pins_remove(dir, "meta");
	if (r >= 0)
		r = pins_remove(dir, "meta-new"); /* left by a crash in pins_put() */
	if (r >= 0)
		r = pins_remove_maps(dir);
	if (r < 0 && r != -ENOENT)
		return r;
	if (rmdir(path) < 0 && errno != ENOENT)
		return -errno;
	return rmdir(dir) < 0 && errno != ENOENT ? -errno : 0;
}

static int is_complete_set(const char *name, void *userdata)
{
	char path[PATH_MAX], meta[PATH_MAX];

	if (strncmp(name, PINS_NEXT, strlen(PINS_NEXT)) != 0 || pin_path(userdata, name, "", path) < 0 ||
	    pin_path(path, "meta", "", meta) < 0)
		return 0;
	return access(meta, F_OK) == 0 ? -EEXIST : 0; /* one is enough */
}

bool pins_is_upgrading(const char *dir)
{
	return pins_foreach(dir, ".", is_complete_set, (void *)dir) == -EEXIST;
}

bool pins_exists(const char *dir, const char *name)
{
	char path[PATH_MAX];

	return pin_path(dir, name, "", path) == 0 && access(path, F_OK) == 0;
}

int pins_open(const char *dir, const char *name)
{
	char path[PATH_MAX];
	struct stat st;
	int r;

	r = pin_path(dir, name, "", path);
	if (r < 0)
		return r;

	r = bpf_obj_get(path);
	if (r < 0 && errno == EACCES) /* what the kernel says to a directory, too */
		return lstat(path, &st) == 0 && S_ISDIR(st.st_mode) ? -EPROTO : -EACCES;
	return r < 0 ? -errno : r;
}

int pins_open_map(const char *dir, const struct map_shape *want, int *ret_fd)
{
	struct bpf_map_info info = {};
	_cleanup_close_ int fd = -1;
	uint32_t size = sizeof(info);

	fd = pins_open(dir, want->name);
	if (fd < 0)
		return fd;
	if (bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		return errno == EINVAL ? -EPROTO : -errno; /* a program or a link is pinned there */
	if (info.type != want->type || info.key_size != want->key_size || info.value_size != want->value_size)
		return -EPROTO;

	*ret_fd = TAKE_FD(fd);
	return 0;
}

int pins_map_array(const char *dir, const char *name, uint32_t value_size, uint32_t n_values, void **ret)
{
	struct map_shape shape = { name, BPF_MAP_TYPE_ARRAY, sizeof(uint32_t), value_size };
	_cleanup_close_ int fd = -1;
	void *p;
	int r;

	r = pins_open_map(dir, &shape, &fd);
	if (r < 0)
		return r;
	p = mmap(NULL, (size_t)value_size * n_values, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	*ret = p;
	return 0;
}

int pins_map_id(const char *dir, const char *name, uint32_t *ret)
{
	struct bpf_map_info info = {};
	uint32_t size = sizeof(info);
	_cleanup_close_ int fd = -1;

	fd = pins_open(dir, name);
	if (fd < 0)
		return fd;
	if (bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		return errno == EINVAL ? -EPROTO : -errno; /* a program or a link is pinned there */
	*ret = info.id;
	return 0;
}

int pins_put(const char *dir, const char *name, int fd)
{
	char path[PATH_MAX], fresh[PATH_MAX];
	int r;

	r = pin_path(dir, name, "", path);
	if (r < 0)
		return r;
	r = pin_path(dir, name, "-new", fresh);
	if (r < 0)
		return r;

	(void) unlink(fresh); /* left by a crash between the next two steps */
	if (bpf_obj_pin(fd, fresh) < 0)
		return -errno;
	if (rename(fresh, path) < 0 && (errno != EISDIR || rmdir(path) < 0 || rename(fresh, path) < 0)) {
		r = -errno;
		(void) unlink(fresh);
		return r;
	}
	return 0;
}

int pins_remove(const char *dir, const char *name)
{
	char path[PATH_MAX];
	int r;

	r = pin_path(dir, name, "", path);
	if (r < 0)
		return r;
	if (unlink(path) < 0 && (errno != EISDIR || rmdir(path) < 0) && errno != ENOENT)
		return -errno;
	return 0;
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

int pins_foreach(const char *dir, const char *part, int (*fn)(const char *name, void *userdata), void *userdata)
{
	struct dirent **names = NULL;
	char path[PATH_MAX];
	int n, r;

	r = pin_path(dir, part, "", path);
	if (r < 0)
		return r;

	n = scandir(path, &names, is_visible, alphasort);
	if (n < 0)
		return -errno;
	for (int i = 0; i < n; i++) {
		if (r >= 0)
			r = fn(names[i]->d_name, userdata);
		free(names[i]);
	}
	free(names);
	return r;
}

int pins_read_meta(const char *dir, struct fw_meta *ret_meta)
{
	_cleanup_close_ int fd = -1;
	struct bpf_map_info info = {};
	uint32_t size = sizeof(info), first = 0;
	_cleanup_free_ struct fw_meta *meta = NULL;

	fd = pins_open(dir, "meta");
	if (fd < 0)
		return fd;
	if (bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		return errno == EINVAL ? -EPROTO : -errno;
	if (info.type != BPF_MAP_TYPE_ARRAY || info.key_size != sizeof(first))
		return -EPROTO;

	/* another version's meta may be larger: the kernel writes all of it */
	meta = calloc(1, info.value_size > sizeof(*meta) ? info.value_size : sizeof(*meta));
	if (!meta)
		return -ENOMEM;
	if (bpf_map_lookup_elem(fd, &first, meta) < 0)
		return -errno;

	*ret_meta = *meta;
	if (info.value_size != sizeof(*meta) || meta->abi_version != FW_ABI_VERSION || meta->layout != fw_layout())
		return -EPROTO;
	return 0;
}
