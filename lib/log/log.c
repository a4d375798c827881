// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Messages for people. To the journal they go as datagrams of our own rather than through
 * sd_journal_send(), which waits for a journal that hangs and reports success to one that is not
 * there.
 */

#include <endian.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "log/log.h"

#ifndef LOG_JOURNAL_SOCKET /* tests have one of their own */
#define LOG_JOURNAL_SOCKET "/run/systemd/journal/socket"
#endif

#define MESSAGE_MAX 2048
#define RECORD_MAX  16384

#define FLUSH_STEP_USEC 20000
#define FLUSH_STEPS     50 /* a journal that hangs is not waited for longer than a second */

static const char *program = "ebpf-fw";
static int max_level = LOG_INFO;
static int journal_fd = -1; /* unconnected: a journal that was restarted is found again */
static unsigned long n_lost;

/* Lines for stderr that wait for log_release(). */
static struct {
	bool is_on;
	char *text;
	size_t size;
	size_t n_allocated;
} held;

/* One record in the journal's native protocol: lines of NAME=value. */
struct record {
	char data[RECORD_MAX];
	size_t size;
	bool is_full;
};

/* Does $JOURNAL_STREAM, "DEVICE:INODE", name what stderr is? Then it was not redirected since. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char actual[64];
	struct stat st;

	if (!stream || fstat(STDERR_FILENO, &st) < 0)
		return false;

	(void) snprintf(actual, sizeof(actual), "%ju:%ju", (uintmax_t)st.st_dev,
		       (uintmax_t)st.st_ino);
	return strcmp(stream, actual) == 0;
}

void log_setup(const char *name, int level)
{
	program = name;
	max_level = level;
	closep(&journal_fd);
	journal_fd = -1;
	if (stderr_is_journal())
		journal_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

const char *log_escape(const char *text, char *buffer, size_t size)
{
	size_t used = 0;

	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;
		bool is_plain = c >= ' ' && c < 0x7f;

		if (used + (is_plain ? 1 : strlen("\\x00")) >= size)
			break;
		if (is_plain)
			buffer[used++] = (char)c;
		else
			used += (size_t)sprintf(buffer + used, "\\x%02x", c);
	}
	if (size > 0)
		buffer[used] = '\0';
	return buffer;
}

static void record_append(struct record *r, const void *data, size_t size)
{
	if (size > sizeof(r->data) - r->size) {
		r->is_full = true;
		return;
	}
	memcpy(r->data + r->size, data, size);
	r->size += size;
}

/* A value with a newline in it goes with its length, so that it cannot start a field of its own. */
static void record_add(struct record *r, const char *name, size_t n_name, const char *value)
{
	size_t n_value = strlen(value);
	bool has_newline = memchr(value, '\n', n_value);

	record_append(r, name, n_name);
	if (has_newline) {
		uint64_t length = htole64(n_value);

		record_append(r, "\n", 1);
		record_append(r, &length, sizeof(length));
	} else {
		record_append(r, "=", 1);
	}
	record_append(r, value, n_value);
	record_append(r, "\n", 1);
}

static void record_add_field(struct record *r, const char *name, const char *value)
{
	record_add(r, name, strlen(name), value);
}

/* Returns whether it was taken. */
static bool record_send(const struct record *r, int fd)
{
	struct sockaddr_un journal = { .sun_family = AF_UNIX, .sun_path = LOG_JOURNAL_SOCKET };

	return !r->is_full && sendto(fd, r->data, r->size, MSG_DONTWAIT | MSG_NOSIGNAL,
				     (struct sockaddr *)&journal, sizeof(journal)) >= 0;
}

static void record_add_number(struct record *r, const char *name, int value)
{
	char number[16];

	(void) snprintf(number, sizeof(number), "%d", value);
	record_add_field(r, name, number);
}

static void record_begin(struct record *r, int level, const char *message_id, const char *const *fields,
			 const char *message)
{
	r->size = 0;
	r->is_full = false;

	record_add_number(r, "PRIORITY", level);
	record_add_field(r, "SYSLOG_IDENTIFIER", program);
	record_add_field(r, "MESSAGE", message);
	if (message_id)
		record_add_field(r, "MESSAGE_ID", message_id);
	for (; fields && *fields; fields++) {
		const char *equals = strchr(*fields, '=');

		if (equals)
			record_add(r, *fields, (size_t)(equals - *fields), equals + 1);
	}
}

static void print_journal(int level, int error, const char *message_id, const char *const *fields,
			  const char *message)
{
	struct record r;

	record_begin(&r, level, message_id, fields, message);
	if (error != 0)
		record_add_number(&r, "ERRNO", abs(error));
	if (!record_send(&r, journal_fd))
		n_lost++;
}

static void hold(const char *line, size_t size)
{
	size_t n = (held.size + size) * 2;
	char *text;

	if (held.size + size > held.n_allocated) {
		text = realloc(held.text, n);
		if (!text) {
			n_lost++;
			return;
		}
		held.text = text;
		held.n_allocated = n;
	}
	memcpy(held.text + held.size, line, size);
	held.size += size;
}

static void write_stderr(const char *text, size_t size)
{
	while (size > 0) {
		ssize_t n = write(STDERR_FILENO, text, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return; /* there is nowhere left to complain */
		text += n;
		size -= (size_t)n;
	}
}

/* In one write, so that lines of several processes do not mix. */
static void write_line(const char *line, size_t size)
{
	if (held.is_on)
		hold(line, size);
	else
		write_stderr(line, size);
}

void log_hold(void)
{
	held.is_on = true;
}

void log_release(void)
{
	held.is_on = false;
	write_stderr(held.text, held.size);
	free(TAKE_PTR(held.text));
	held.size = held.n_allocated = 0;
}

void log_line(const char *text)
{
	write_line(text, strlen(text));
	write_line("\n", 1);
}

/* A pipe that is full is waited for, or the message counts as lost. */
static void print_stderr(const char *message, bool may_wait)
{
	struct pollfd fd = { .fd = STDERR_FILENO, .events = POLLOUT };
	char line[MESSAGE_MAX + 64];
	size_t size = (size_t)snprintf(line, sizeof(line), "%s: %s\n", program, message);

	if (size >= sizeof(line)) {
		size = sizeof(line);
		line[size - 1] = '\n';
	}
	if (!may_wait && poll(&fd, 1, 0) <= 0) {
		n_lost++;
		return;
	}
	write_line(line, size);
}

/* Formats with errno set to what "%m" shall name, and leaves errno as it was. */
__attribute__((format(printf, 3, 0)))
static void format_message(char message[static MESSAGE_MAX], int error, const char *format,
			   va_list ap)
{
	char raw[MESSAGE_MAX];
	int saved_errno = errno;

	errno = abs(error);
	(void) vsnprintf(raw, sizeof(raw), format, ap); /* one that is too long is cut */
	(void) log_escape(raw, message, MESSAGE_MAX);
	errno = saved_errno;
}

int log_full(int level, int error, const char *format, ...)
{
	char message[MESSAGE_MAX];
	va_list ap;

	if (level > max_level)
		return error;

	va_start(ap, format);
	format_message(message, error, format, ap);
	va_end(ap);

	if (journal_fd >= 0)
		print_journal(level, error, NULL, NULL, message);
	else
		print_stderr(message, true);
	return error;
}

void log_record(int level, const char *message_id, const char *const *fields, const char *format,
		...)
{
	char message[MESSAGE_MAX];
	va_list ap;

	if (level > max_level)
		return;

	va_start(ap, format);
	format_message(message, 0, format, ap);
	va_end(ap);

	if (journal_fd >= 0)
		print_journal(level, 0, message_id, fields, message);
	else
		print_stderr(message, false);
}

void log_journal(int level, const char *message_id, int object_pid, const char *const *fields, const char *format, ...)
{
	_cleanup_close_ int fd = -1;
	char message[MESSAGE_MAX];
	struct record r;
	va_list ap;

	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	va_start(ap, format);
	format_message(message, 0, format, ap);
	va_end(ap);

	record_begin(&r, level, message_id, fields, message);
	if (object_pid > 0)
		record_add_number(&r, "OBJECT_PID", object_pid);
	(void) record_send(&r, fd); /* what was done is done, with a record or without */
}

unsigned long log_lost(void)
{
	return n_lost;
}

void log_flush(void)
{
	int n_unread = 0;

	if (journal_fd < 0)
		return;
	for (int i = 0; i < FLUSH_STEPS && ioctl(journal_fd, SIOCOUTQ, &n_unread) == 0 && n_unread > 0; i++)
		(void) usleep(FLUSH_STEP_USEC);
	(void) usleep(FLUSH_STEP_USEC); /* read, but not looked up yet */
}

/*
 * libbpf warns about much that its callers expect and handle, which is why it gets quieter here. A
 * verifier log comes as one text of many lines, for --debug alone.
 */
__attribute__((format(printf, 2, 0)))
static int print_libbpf(enum libbpf_print_level libbpf_level, const char *format, va_list ap)
{
	int level = libbpf_level == LIBBPF_WARN ? LOG_INFO : LOG_DEBUG;
	_cleanup_free_ char *text = NULL;
	char *rest;

	if (level > max_level)
		return 0;
	if (vasprintf(&text, format, ap) < 0) {
		text = NULL; /* it is undefined now */
		n_lost++;
		return 0;
	}

	rest = text;
	if (strchr(text, '\n') != strrchr(text, '\n'))
		level = LOG_DEBUG;
	for (const char *line; (line = strsep(&rest, "\n"));)
		if (*line != '\0')
			(void) log_full(level, 0, "%s", line);
	return 0;
}

void log_libbpf(void)
{
	(void) libbpf_set_print(print_libbpf);
}
