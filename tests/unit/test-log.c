// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * log.c: what reaches stderr, and what a journal would receive. The journal is a socket of the
 * test's own, LOG_JOURNAL_SOCKET in a directory of its own, and stderr a file there.
 */

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "log/log.h"
#include "unit.h"

static char dir[] = "/tmp/ebpf-fw-log-XXXXXX";
static int saved_stderr = -1;
static int journal = -1;

static int setup(void **state)
{
	int fd;

	strcpy(dir + sizeof(dir) - 1 - strlen("XXXXXX"), "XXXXXX");
	if (!mkdtemp(dir) || chdir(dir) < 0)
		return -1;

	fd = open("stderr", O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	saved_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	if (fd < 0 || saved_stderr < 0 || dup2(fd, STDERR_FILENO) < 0)
		return -1;
	closep(&fd);
	return unsetenv("JOURNAL_STREAM");
}

static int teardown(void **state)
{
	(void) dup2(saved_stderr, STDERR_FILENO);
	closep(&saved_stderr);
	closep(&journal);
	journal = -1;
	(void) unlink("stderr");
	(void) unlink("other");
	(void) unlink(LOG_JOURNAL_SOCKET);
	return chdir("/") < 0 || rmdir(dir) < 0 ? -1 : 0;
}

static void open_journal(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = LOG_JOURNAL_SOCKET };

	journal = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(journal, (struct sockaddr *)&address, sizeof(address)), 0);
}

/* As systemd sets it for what it starts with stderr connected to the journal. */
static void set_journal_stream(int fd, const char *name, int max_level)
{
	struct stat st;
	char stream[64];

	assert_int_equal(fstat(fd, &st), 0);
	snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	assert_int_equal(setenv("JOURNAL_STREAM", stream, 1), 0);
	log_setup(name, max_level);
}

/* What was printed since the last time. */
static const char *printed(void)
{
	static char text[16384];
	ssize_t n = pread(STDERR_FILENO, text, sizeof(text) - 1, 0);

	assert_true(n >= 0);
	text[n] = '\0';
	assert_int_equal(ftruncate(STDERR_FILENO, 0), 0);
	return text;
}

/* The next record, with a NUL behind it; its size, 0 = there is none. */
static size_t received(char text[static 32768])
{
	ssize_t n = recv(journal, text, 32767, 0);

	text[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

static void test_stderr(void **state)
{
	static const char *const fields[] = { "FW_HOOK=tc", NULL };
	unsigned long lost = log_lost();

	log_setup("fwctl", LOG_INFO);
	assert_int_equal(log_error(-ENOENT, "Cannot open '%s': %m", "x"), -ENOENT);
	assert_string_equal(printed(), "fwctl: Cannot open 'x': No such file or directory\n");
	assert_int_equal(log_warning(0, "That is odd"), 0);
	assert_string_equal(printed(), "fwctl: That is odd\n");
	log_notice("n %d", 1);
	log_info("i %d", 2);
	log_debug("d %d", 3);
	log_record(LOG_INFO, "0123456789abcdef0123456789abcdef", fields, "tc ingress: total %d", 9);
	log_record(LOG_DEBUG, NULL, NULL, "not shown");
	assert_string_equal(printed(), "fwctl: n 1\nfwctl: i 2\nfwctl: tc ingress: total 9\n");

	log_setup("fwctl", LOG_DEBUG);
	log_debug("d");
	assert_string_equal(printed(), "fwctl: d\n");
	log_setup("fwctl", LOG_NOTICE);
	log_info("i");
	assert_int_equal(log_full(LOG_INFO, -EPERM, "i"), -EPERM);
	assert_string_equal(printed(), "");
	assert_int_equal(log_lost(), lost);
}

static void test_errno(void **state)
{
	log_setup("fwctl", LOG_INFO);
	errno = ERANGE;
	(void) log_error(-EPERM, "%m");
	assert_int_equal(errno, ERANGE);
	assert_string_equal(printed(), "fwctl: Operation not permitted\n");
}

/* A message cannot become two lines, and a long one is cut, newline included. */
static void test_hostile_message(void **state)
{
	char big[10000];
	const char *out;

	log_setup("fwctl", LOG_INFO);
	(void) log_error(0, "bad '%s'", "x\nfwctl: all is well\033[2J\r\t\177caf\303\251");
	assert_string_equal(
		printed(),
		"fwctl: bad 'x\\x0afwctl: all is well\\x1b[2J\\x0d\\x09\\x7fcaf\\xc3\\xa9'\n");

	memset(big, 'a', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	(void) log_error(0, "%s", big);
	out = printed();
	assert_true(strlen(out) > 1000 && strlen(out) < 4096);
	assert_ptr_equal(strchr(out, '\n'), out + strlen(out) - 1);

	memset(big, '\n', sizeof(big) - 1);
	(void) log_error(0, "%s", big);
	out = printed();
	assert_ptr_equal(strchr(out, '\n'), out + strlen(out) - 1);
}

static void test_escape(void **state)
{
	static const struct {
		const char *in;
		size_t size;
		const char *out;
	} rows[] = {
		{ "",        8, ""         },
		{ "abc",     8, "abc"      },
		{ "abc",     4, "abc"      },
		{ "abc",     3, "ab"       },
		{ "abc",     1, ""         },
		{ "a\nb",    8, "a\\x0ab"  },
		{ "a\nb",    7, "a\\x0ab"  },
		{ "a\nb",    6, "a\\x0a"   },
		{ "a\nb",    5, "a"        }, /* never half of an escape */
		{ " ~",      8, " ~"       },
		{ "\037",    8, "\\x1f"    },
		{ "\177",    8, "\\x7f"    },
		{ "\200",    8, "\\x80"    },
		{ "\377",    8, "\\xff"    },
		{ "\\x41",   8, "\\x41"    },
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		char buffer[16] = "***************";

		assert_ptr_equal(log_escape(rows[i].in, buffer, rows[i].size), buffer);
		CHECK(strcmp(buffer, rows[i].out) == 0, "row %zu is '%s'", i, buffer);
		CHECK(buffer[rows[i].size] == '*', "row %zu writes past its end", i);
	}
}

static void test_journal(void **state)
{
	static const char *const fields[] = { "FW_HOOK=tc", "FW_EMPTY=", "FW_EQUALS=a=b", NULL };
	char text[32768];

	open_journal();
	set_journal_stream(STDERR_FILENO, "ebpf-fwd", LOG_INFO);

	assert_int_equal(log_error(-ENOENT, "Cannot open 'x': %m"), -ENOENT);
	received(text);
	assert_string_equal(text, "PRIORITY=3\nSYSLOG_IDENTIFIER=ebpf-fwd\n"
				  "MESSAGE=Cannot open 'x': No such file or directory\nERRNO=2\n");

	log_record(LOG_INFO, "0123456789abcdef0123456789abcdef", fields, "total %d", 9);
	received(text);
	assert_string_equal(text, "PRIORITY=6\nSYSLOG_IDENTIFIER=ebpf-fwd\nMESSAGE=total 9\n"
				  "MESSAGE_ID=0123456789abcdef0123456789abcdef\n"
				  "FW_HOOK=tc\nFW_EMPTY=\nFW_EQUALS=a=b\n");

	log_debug("not sent");
	assert_int_equal(received(text), 0);
	assert_string_equal(printed(), "");
}

/* A value with newlines goes as name, newline, 64 bit length, value: it cannot start a field of its own. */
static void test_journal_binary(void **state)
{
	static const char *const fields[] = { "FW_TEXT=a\nPRIORITY=0\n", NULL };
	static const char head[] = "PRIORITY=6\nSYSLOG_IDENTIFIER=ebpf-fwd\nMESSAGE=m\nFW_TEXT\n";
	static const char value[] = "a\nPRIORITY=0\n";
	char text[32768];
	uint64_t length;
	size_t n;

	open_journal();
	set_journal_stream(STDERR_FILENO, "ebpf-fwd", LOG_INFO);
	log_record(LOG_INFO, NULL, fields, "m");
	n = received(text);

	assert_int_equal(n, strlen(head) + sizeof(length) + strlen(value) + 1);
	assert_memory_equal(text, head, strlen(head));
	memcpy(&length, text + strlen(head), sizeof(length));
	assert_int_equal(le64toh(length), strlen(value));
	assert_memory_equal(text + strlen(head) + sizeof(length), value, strlen(value));
	assert_int_equal(text[n - 1], '\n');
}

/* stderr was redirected after systemd had set the variable. */
static void test_stale_journal_stream(void **state)
{
	_cleanup_close_ int other = open("other", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	static const char *const wrong[] = { "", "1", "1:", ":1", "0:0", "a:b" };
	char text[32768];

	open_journal();
	set_journal_stream(other, "ebpf-fwd", LOG_INFO);
	log_info("i");
	assert_string_equal(printed(), "ebpf-fwd: i\n");
	for (size_t i = 0; i < ELEMENTSOF(wrong); i++) {
		assert_int_equal(setenv("JOURNAL_STREAM", wrong[i], 1), 0);
		log_setup("ebpf-fwd", LOG_INFO);
		log_info("i");
		assert_string_equal(printed(), "ebpf-fwd: i\n");
	}
	assert_int_equal(received(text), 0);
}

/* A journal that is away, or reads nothing: each call returns, and each record is sent or counted. */
static void test_lost(void **state)
{
	unsigned long lost = log_lost(), n_received = 0;
	char text[32768], big[20000];
	const char *fields[] = { big, NULL };

	set_journal_stream(STDERR_FILENO, "ebpf-fwd", LOG_INFO);
	log_info("nobody there");
	log_record(LOG_INFO, NULL, NULL, "nobody there");
	assert_int_equal(log_lost() - lost, 2);

	open_journal();
	lost = log_lost();
	for (unsigned i = 0; i < 2000; i++)
		log_record(LOG_INFO, NULL, NULL, "%u", i);
	assert_true(log_lost() > lost);
	while (received(text) > 0)
		n_received++;
	assert_int_equal(n_received + log_lost() - lost, 2000);

	log_info("there again");
	assert_true(received(text) > 0);

	memset(big, 'a', sizeof(big));
	memcpy(big, "FW_BIG=", 7);
	big[sizeof(big) - 1] = '\0';
	lost = log_lost();
	log_record(LOG_INFO, NULL, fields, "too large for one record");
	assert_int_equal(log_lost() - lost, 1);
	assert_int_equal(received(text), 0);
}

/* Who ends waits until the journal has read, but not for one that does not. */
static void test_flush(void **state)
{
	char text[32768];
	int status;
	pid_t pid;

	log_flush(); /* no journal: nothing to wait for */
	open_journal();
	set_journal_stream(STDERR_FILENO, "ebpf-fwd", LOG_INFO);
	log_info("the last words");
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void) usleep(100000);
		_exit(received(text) > 0 ? EXIT_SUCCESS : EXIT_FAILURE);
	}
	log_flush();
	assert_int_equal(received(text), 0); /* it has been read */
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, EXIT_SUCCESS);

	log_info("nobody reads this");
	log_flush();
	assert_true(received(text) > 0);
}

/* A pipe that nobody reads: records are dropped rather than waited for. */
static void test_full_pipe(void **state)
{
	unsigned long lost = log_lost();
	int pipe_fds[2];

	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	assert_int_equal(fcntl(pipe_fds[1], F_SETPIPE_SZ, 4096) >= 4096, 1);
	assert_true(dup2(pipe_fds[1], STDERR_FILENO) >= 0);
	log_setup("ebpf-fwd", LOG_INFO);
	for (unsigned i = 0; i < 10000; i++)
		log_record(LOG_INFO, NULL, NULL, "total %u", i);
	assert_true(log_lost() > lost);
	closep(&pipe_fds[0]);
	closep(&pipe_fds[1]);
}

/* Refuses, in libbpf's words: something is wrong with this object. */
static void provoke_libbpf(void)
{
	struct bpf_object *o = bpf_object__open_mem("no object", 9, NULL);

	assert_true(libbpf_get_error(o) != 0);
}

static void test_libbpf(void **state)
{
	log_libbpf();
	log_setup("fwctl", LOG_NOTICE);
	provoke_libbpf();
	assert_string_equal(printed(), "");

	log_setup("ebpf-fwd", LOG_INFO);
	provoke_libbpf();
	assert_memory_equal(printed(), "ebpf-fwd: libbpf: ", 18);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(stderr),
		TEST(errno),
		TEST(hostile_message),
		TEST(escape),
		TEST(journal),
		TEST(journal_binary),
		TEST(stale_journal_stream),
		TEST(lost),
		TEST(flush),
		TEST(full_pipe),
		TEST(libbpf),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
