// SPDX-License-Identifier: GPL-2.0-or-later

/* Which symbolic links are followed on the way to a directory that we write to. */

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/directory.h"
#include "unit.h"

static char dir[] = "/tmp/ebpf-fw-directory-XXXXXX";

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static int setup(void **state)
{
	char absolute[sizeof(dir) + 16];

	assert_non_null(mkdtemp(dir));
	assert_int_equal(chdir(dir), 0);
	(void) snprintf(absolute, sizeof(absolute), "%s/real", dir);
	assert_int_equal(mkdir("real", 0755), 0);
	assert_int_equal(mkdir("real/inner", 0755), 0);
	assert_int_equal(mkdir("open", 0755), 0);
	assert_int_equal(chmod("open", 01777), 0);
	assert_int_equal(mkdir("open/inner", 0755), 0);
	assert_int_equal(mkdir("group", 0755), 0);
	assert_int_equal(chmod("group", 0775), 0);
	assert_int_equal(symlink("real", "link"), 0);
	assert_int_equal(symlink(absolute, "absolute"), 0);
	assert_int_equal(symlink("link", "twice"), 0);
	assert_int_equal(symlink("loop", "loop"), 0);
	assert_int_equal(symlink("nowhere", "dangling"), 0);
	assert_int_equal(symlink("../real", "open/link"), 0);
	assert_int_equal(symlink("../real", "group/link"), 0);
	assert_int_equal(symlink("open/link", "detour"), 0);
	assert_int_equal(close(creat("file", 0600)), 0);
	assert_int_equal(symlink("real", "planted"), 0);
	if (geteuid() == 0)
		assert_int_equal(lchown("planted", 65534, 65534), 0);
	return 0;
}

static int teardown(void **state)
{
	return nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void test_open(void **state)
{
	static const struct {
		const char *path;
		const char *leads_to; /* NULL = nowhere */
		int r;
	} rows[] = {
		{ "real/inner", "real/inner", 0 },
		{ "real//inner/", "real/inner", 0 },
		{ "./real/../open", "open", 0 },
		{ "open/inner", "open/inner", 0 },
		{ "link/inner", "real/inner", 0 },
		{ "absolute/inner", "real/inner", 0 },
		{ "twice/inner/..", "real", 0 },
		{ "open/link/inner", NULL, -ELOOP },
		{ "group/link", NULL, -ELOOP },
		{ "detour/inner", NULL, -ELOOP },
		{ "loop", NULL, -ELOOP },
		{ "dangling", NULL, -ENOENT },
		{ "real/none", NULL, -ENOENT },
		{ "", NULL, -ENOENT },
		{ "file", NULL, -ENOTDIR },
		{ "file/x", NULL, -ENOTDIR },
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_close_ int fd = directory_open(rows[i].path);
		char link[32], where[PATH_MAX] = "", expected[PATH_MAX] = "";

		(void) snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		if (fd >= 0 && readlink(link, where, sizeof(where) - 1) < 0)
			where[0] = '\0';
		if (rows[i].leads_to)
			(void) snprintf(expected, sizeof(expected), "%s/%s", dir, rows[i].leads_to);
		CHECK(fd < 0 ? fd == rows[i].r : rows[i].r == 0, "'%s' gives %d", rows[i].path, fd);
		CHECK(strcmp(where, expected) == 0, "'%s' leads to '%s'", rows[i].path, where);
	}
}

static void test_owner(void **state)
{
	if (geteuid() != 0)
		skip();
	assert_int_equal(directory_open("planted"), -ELOOP);
	assert_int_equal(directory_open("planted/inner"), -ELOOP);
}

static void test_parent(void **state)
{
	_cleanup_close_ int fd = -1, here = -1;
	const char *name = NULL;

	assert_int_equal(directory_open_parent("open/link/x", &name), -ELOOP);
	assert_int_equal(directory_open_parent("real/", &name), -EISDIR);
	assert_null(name);
	fd = directory_open_parent("link/inner/x", &name);
	assert_true(fd >= 0);
	assert_string_equal(name, "x");
	here = directory_open_parent("x", &name);
	assert_true(here >= 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_owner),
		cmocka_unit_test(test_parent),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
