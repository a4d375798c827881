// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * The reader of ebpf-fw.conf: libinih cuts lines into keys and values, config-keys.c says what each may be.
 * libinih reports no line number to its handler and only the first bad line, so what feeds it keeps count
 * and sees what the handler never got.
 */

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "config/config-internal.h"
#include "log/log.h"

#define SECTION "Firewall"
#define FILE_BYTES_MAX (64 * 1024)
#define SHOWN_MAX 120 /* bytes of a value repeated in a message */

struct parser {
	const char *next; /* rest of the text */
	const char *end;
	size_t line;
	bool is_owed;    /* the line looks like a key, and the handler has not had it */
	bool is_foreign; /* in a section that is not ours: reported once, at its head */
	size_t *seen;    /* line of each key, 0 = not yet */
	struct config *config;
	struct config_errors *errors;
	int r;           /* first failure that is not the file's fault */
};

static void add_error(struct parser *p, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static void add_error(struct parser *p, const char *format, ...)
{
	struct config_error *items;
	char *text = NULL;
	va_list ap;
	int n;

	items = reallocarray(p->errors->items, p->errors->n_items + 1, sizeof(*items));
	if (!items) {
		p->r = -ENOMEM;
		return;
	}
	p->errors->items = items;

	va_start(ap, format);
	n = vasprintf(&text, format, ap);
	va_end(ap);
	if (n < 0) {
		p->r = -ENOMEM;
		return;
	}
	items[p->errors->n_items++] = (struct config_error){ .line = p->line, .text = text };
}

static void check_owed(struct parser *p)
{
	if (p->is_owed)
		add_error(p, "expected KEY=VALUE, a comment that starts with '#', or [" SECTION "]");
	p->is_owed = false;
}

static void check_section(struct parser *p, const char *head)
{
	char shown[SHOWN_MAX];
	size_t n = strcspn(head, "]");

	p->is_foreign = head[n] != ']' || n - 1 != strlen(SECTION) ||
			strncmp(head + 1, SECTION, n - 1) != 0;
	if (p->is_foreign)
		add_error(p, "unknown section %s, expected [" SECTION "]",
			  log_escape(head, shown, sizeof(shown)));
}

/* Gives libinih one line, as fgets() would, without the indent that would make it a continuation. */
static char *next_line(char *buffer, int size, void *stream)
{
	struct parser *p = stream;
	const char *start = p->next, *stop;
	size_t n;

	check_owed(p);
	if (start >= p->end)
		return NULL;

	p->line++;
	stop = memchr(start, '\n', (size_t)(p->end - start));
	p->next = stop ? stop + 1 : p->end;
	n = (size_t)((stop ? stop : p->end) - start);
	if (n > 0 && start[n - 1] == '\r')
		n--;
	if (p->line == 1 && n >= 3 && memcmp(start, "\xef\xbb\xbf", 3) == 0) { /* an editor's byte order mark */
		start += 3;
		n -= 3;
	}
	for (; n > 0 && (*start == ' ' || *start == '\t'); n--)
		start++;

	*buffer = '\0'; /* a line that is wrong as a whole reaches libinih as an empty one */
	if (memchr(start, '\0', n)) {
		add_error(p, "NUL byte in the line, expected text");
	} else if (n >= (size_t)size) {
		add_error(p, "line is too long, expected at most %d characters", size - 1);
	} else {
		memcpy(buffer, start, n);
		buffer[n] = '\0';
		if (*buffer == '[')
			check_section(p, buffer);
		else
			p->is_owed = *buffer && !strchr("#;", *buffer);
	}
	return buffer;
}

/* libinih's handler: 0 would mean an error, which is ours to report. */
static int take_key(void *userdata, const char *section, const char *name, const char *value)
{
	char shown_name[SHOWN_MAX], shown[SHOWN_MAX];
	struct parser *p = userdata;
	const struct config_key *key;
	const char *expected;
	int r = 0;

	p->is_owed = false;
	if (p->is_foreign)
		return 1;

	(void) log_escape(name, shown_name, sizeof(shown_name));
	key = config_find_key(name);
	if (!*section) {
		add_error(p, "'%s' stands before [" SECTION "], expected the section first", shown_name);
	} else if (!key) {
		add_error(p, "unknown key '%s', expected one of those in ebpf-fw.conf(5)", shown_name);
	} else if (p->seen[key - config_keys]) {
		add_error(p, "%s= is already set in line %zu, expected it once", name, p->seen[key - config_keys]);
	} else {
		p->seen[key - config_keys] = p->line;
		if (!*value) {
			add_error(p, "%s= is empty, expected a value, or no such line for the default '%s'", name,
				  key->fallback);
			return 1;
		}
		expected = key->set(p->config, value, &r);
		if (r < 0)
			p->r = r;
		else if (expected)
			add_error(p, "%s=%s: %s", name, log_escape(value, shown, sizeof(shown)), expected);
	}
	return 1;
}

void config_errors_done(struct config_errors *errors)
{
	for (size_t i = 0; i < errors->n_items; i++)
		free(errors->items[i].text);
	free(errors->items);
	*errors = (struct config_errors){};
}

int config_parse_string(const char *text, size_t length, struct config *ret,
			struct config_errors *errors)
{
	_cleanup_(config_done) struct config c = {};
	size_t seen[CONFIG_N_KEYS] = {};
	struct parser p = {
		.next = text,
		.end = text + length,
		.seen = seen,
		.config = &c,
		.errors = errors,
	};
	int r;

	r = config_default(&c);
	if (r < 0)
		return r;

	r = ini_parse_stream(next_line, &p, take_key, &p);
	if (r == -2)
		return -ENOMEM;
	if (p.r < 0)
		return p.r;
	if (r > 0 && errors->n_items == 0) /* libinih refused a line that we did not */
		add_error(&p, "line %d is not understood, expected KEY=VALUE", r);
	if (errors->n_items > 0)
		return -EBADMSG;

	*ret = c;
	c = (struct config){};
	return 0;
}

/* A configuration is small: what is not is somebody's mistake, and must not take all memory. */
int config_parse_file(const char *path, struct config *ret, struct config_errors *errors)
{
	struct parser p = { .errors = errors };
	_cleanup_free_ char *text = NULL;
	_cleanup_close_ int fd = -1;
	size_t length = 0;
	struct stat st;
	ssize_t n;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY); /* no waiting for a FIFO's writer */
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode)) { /* /dev/null = all defaults */
		add_error(&p, "not a regular file");
		return p.r < 0 ? p.r : -EBADMSG;
	}

	text = malloc(FILE_BYTES_MAX + 1);
	if (!text)
		return -ENOMEM;

	while ((n = read(fd, text + length, FILE_BYTES_MAX + 1 - length)) != 0) {
		if (n < 0)
			return -errno;
		length += (size_t)n;
		if (length > FILE_BYTES_MAX) {
			add_error(&p, "larger than %d bytes, which no configuration needs", FILE_BYTES_MAX);
			return p.r < 0 ? p.r : -EBADMSG;
		}
	}
	return config_parse_string(text, length, ret, errors);
}
