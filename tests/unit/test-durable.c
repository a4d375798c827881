// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * The order in which list files are written and synced: what a power cut leaves depends on it, and no test can see that
 * afterwards. The system calls are wrapped by the linker and written down.
 */

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lists/listfile.h"
#include "unit.h"

int __real_fsync(int fd);
int __real_renameat(int from_fd, const char *from, int to_fd, const char *to);
int __real_unlinkat(int fd, const char *name, int flags);
int __real_mkdirat(int fd, const char *name, mode_t mode);
int __wrap_fsync(int fd);
int __wrap_renameat(int from_fd, const char *from, int to_fd, const char *to);
int __wrap_unlinkat(int fd, const char *name, int flags);
int __wrap_mkdirat(int fd, const char *name, mode_t mode);

static char dir[] = "/tmp/ebpf-fw-durable-XXXXXX";
static char calls[1024];

static void note(const char *call, const char *what)
{
	size_t n = strlen(calls);

	(void) snprintf(calls + n, sizeof(calls) - n, "%s%s %s", n ? ", " : "", call, what);
}

int __wrap_fsync(int fd)
{
	char link[64], path[256] = "";
	const char *name;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	assert_true(readlink(link, path, sizeof(path) - 1) > 0);
	name = strcmp(path, dir) == 0 ? "." : strrchr(path, '/') + 1;
	note("sync", name);
	return __real_fsync(fd);
}

int __wrap_renameat(int from_fd, const char *from, int to_fd, const char *to)
{
	note("rename to", to);
	return __real_renameat(from_fd, from, to_fd, to);
}

int __wrap_unlinkat(int fd, const char *name, int flags)
{
	int r = __real_unlinkat(fd, name, flags);

	if (r == 0)
		note("unlink", name);
	return r;
}

int __wrap_mkdirat(int fd, const char *name, mode_t mode)
{
	int r = __real_mkdirat(fd, name, mode);

	if (r == 0)
		note("mkdir", name);
	return r;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static int setup(void **state)
{
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	return nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* What was called since the last time, in this order. */
static void expect(const char *what, const char *want)
{
	CHECK(strcmp(calls, want) == 0, "%s: '%s', expected '%s'", what, calls, want);
	calls[0] = '\0';
}

static struct list_line line_of(const char *text)
{
	struct list_line line = {};
	const char *error;

	assert_int_equal(target_parse(text, strlen(text), &line.target, &error), 0);
	return line;
}

static void test_order(void **state)
{
	struct list_header header = list_header_default("manual"), nested = list_header_default("fail2ban/sshd");
	struct list_line line = line_of("192.0.2.1");

	assert_int_equal(listfile_append(dir, &header, &line, 1), 0);
	expect("a new list", "mkdir lists, sync ., sync .manual.list.new, rename to manual.list, sync lists");
	assert_int_equal(listfile_append(dir, &header, &line, 1), 0);
	expect("one more line", "sync manual.list");
	assert_int_equal(listfile_replace(dir, &header, &line, 1), 0);
	expect("a file that is replaced", "sync .manual.list.new, rename to manual.list, sync lists");
	header.mode = FW_MODE_AUDIT;
	assert_int_equal(listfile_set_header(dir, &header), 0);
	expect("another header", "sync .manual.list.new, rename to manual.list, sync lists");
	assert_int_equal(listfile_remove(dir, "manual"), 0);
	expect("a list that goes", "unlink manual.list, sync lists");
	assert_int_equal(listfile_append(dir, &nested, &line, 1), 0);
	expect("a list in a directory", "mkdir fail2ban, sync lists, sync .sshd.list.new, rename to sshd.list, sync fail2ban");
	assert_int_equal(listfile_set_aside(dir, "fail2ban/sshd"), 1);
	expect("a list that is set aside", "rename to sshd.list.bad-1, sync fail2ban");
}

int main(void)
{
	static const struct CMUnitTest tests[] = { cmocka_unit_test(test_order) };

	return cmocka_run_group_tests_name("durable", tests, setup, teardown);
}
