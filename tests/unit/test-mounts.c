// SPDX-License-Identifier: GPL-2.0-or-later

/* mounts.c: lines of mountinfo. */

#include <errno.h>
#include <string.h>

#include "kernel/mounts.h"
#include "unit.h"

static const struct {
	const char *line;
	int r;
	struct mount mount;
} cases[] = {
	{ "36 25 0:31 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw\n", 0, { 36, 31, "/", "/sys/fs/cgroup", "cgroup2", false } },
	{ "7 1 0:31 /sub /mnt/a\\040b rw - cgroup2 none rw", 0, { 7, 31, "/sub", "/mnt/a b", "cgroup2", false } },
	{ "7 1 0:31 / /mnt/\\134 rw master:1 shared:2 - bpf bpf rw", 0, { 7, 31, "/", "/mnt/\\", "bpf", false } },
	{ "7 1 259:3 / /mnt ro,nosuid - bpf bpf rw", 0, { 7, 0x10303, "/", "/mnt", "bpf", true } },
	{ "7 1 0:31 / /mnt rox - bpf bpf rw", 0, { 7, 31, "/", "/mnt", "bpf", false } },
	{ "7 1 0:31 / /mnt rw - bpf", 0, { 7, 31, "/", "/mnt", "bpf", false } },
	{ "7 1 31 / /mnt rw - bpf bpf rw", -EBADMSG, {} },
	{ "7 1 0:31 / - bpf bpf rw", -EBADMSG, {} },
	{ "7 1 0:31 / /mnt rw", -EBADMSG, {} },
	{ "", -EBADMSG, {} },
};

static void test_parse(void **state)
{
	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		struct mount m = {};
		char line[256];
		int r;

		strcpy(line, cases[i].line);
		r = mount_parse(line, &m);
		CHECK(r == cases[i].r, "'%s' gives %d", cases[i].line, r);
		if (r == 0)
			CHECK(m.id == cases[i].mount.id && m.dev == cases[i].mount.dev &&
			      m.is_read_only == cases[i].mount.is_read_only && strcmp(m.root, cases[i].mount.root) == 0 &&
			      strcmp(m.point, cases[i].mount.point) == 0 && strcmp(m.type, cases[i].mount.type) == 0,
			      "'%s' gives %d '%s' '%s' '%s'", cases[i].line, m.id, m.root, m.point, m.type);
	}
}

static int stop(const struct mount *m, void *userdata)
{
	return -EEXIST;
}

static void test_own(void **state)
{
	assert_int_equal(mounts_foreach(stop, NULL), -EEXIST); /* the root at least */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_own),
	};

	return cmocka_run_group_tests_name("mounts", tests, NULL, NULL);
}
