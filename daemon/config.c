// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * The parser of ebpf-fw.conf: libinih cuts lines into keys and values, a table of keys says what each may
 * be. libinih reports no line number to its handler and only the first bad line, so the reader that feeds
 * it keeps count and sees what the handler never got.
 */

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <ini.h>
#include <net/if.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "clock.h"
#include "config.h"
#include "log.h"

#define SECTION "Firewall"
#define FILE_BYTES_MAX (64 * 1024)
#define SECONDS_MAX 3600
#define LOG_DROPS_MAX 100
#define ENTRIES_MAX (64 * 1024 * 1024)
#define SHOWN_MAX 120 /* bytes of a value repeated in a message */

/* Sets one key. Returns what is expected instead if the value is wrong, or NULL; *r is -ENOMEM or 0. */
typedef const char *(*set_fn)(struct config *c, const char *value, int *r);

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

/* Splits at white space. The words point into *ret_words, which is one allocation. */
static int split_words(const char *text, char ***ret_words)
{
	size_t n_max = strlen(text) / 2 + 2, n = 0;
	char **words, *copy, *state = NULL;

	words = malloc(n_max * sizeof(*words) + strlen(text) + 1);
	if (!words)
		return -ENOMEM;

	copy = strcpy((char *)(words + n_max), text);
	for (char *w = strtok_r(copy, " \t", &state); w; w = strtok_r(NULL, " \t", &state))
		words[n++] = w;
	words[n] = NULL;
	*ret_words = words;
	return 0;
}

static bool parse_number(const char *text, uint64_t max, uint64_t *ret)
{
	uint64_t n = 0;

	for (const char *p = text; *p; p++) {
		if (*p < '0' || *p > '9')
			return false;
		n = n * 10 + (unsigned)(*p - '0');
		if (n > max)
			return false;
	}
	*ret = n;
	return n > 0;
}

static bool interface_word_is_valid(const char *word)
{
	if (*word == '!')
		word++;
	if (!*word || strchr("#!;", *word) || strchr(word, '/'))
		return false;
	return strpbrk(word, "*?[") || strlen(word) < IFNAMSIZ;
}

static const char *parse_interfaces(char ***words_of_key, const char *value, int *r)
{
	_cleanup_free_ char **words = NULL;

	*r = split_words(value, &words);
	if (*r < 0)
		return NULL;

	for (char **w = words; *w; w++)
		if (!interface_word_is_valid(*w))
			return "expected 'auto', interface names of up to 15 characters, or patterns such as "
			       "'eth*' and '!docker*'";

	free(*words_of_key);
	*words_of_key = TAKE_PTR(words);
	return NULL;
}

static const char *set_interfaces(struct config *c, const char *value, int *r)
{
	return parse_interfaces(&c->interfaces, value, r);
}

static const char *set_xdp_interfaces(struct config *c, const char *value, int *r)
{
	return parse_interfaces(&c->xdp_interfaces, value, r);
}

static const char *set_hooks(struct config *c, const char *value, int *r)
{
	_cleanup_free_ char **words = NULL;

	*r = split_words(value, &words);
	if (*r < 0)
		return NULL;

	c->has_xdp = c->has_tc = c->has_cgroup = false;
	for (char **w = words; *w; w++) {
		if (strcmp(*w, "tc") == 0)
			c->has_tc = true;
		else if (strcmp(*w, "cgroup") == 0)
			c->has_cgroup = true;
		else if (strcmp(*w, "xdp") == 0)
			c->has_xdp = true;
		else
			return "expected one or more of 'xdp', 'tc' and 'cgroup'";
	}
	return NULL;
}

static const char *set_cgroup(struct config *c, const char *value, int *r)
{
	static const char expected[] = "expected a path below the cgroup2 mount such as '/' or '/system.slice', "
				       "without '..'";
	char *copy;

	if (*value != '/' || strlen(value) >= FW_TEXT_MAX)
		return expected;
	for (const char *p = value; (p = strstr(p, "/..")); p += 3)
		if (p[3] == '/' || p[3] == '\0')
			return expected;

	copy = strdup(value);
	if (!copy) {
		*r = -ENOMEM;
		return NULL;
	}
	free(c->cgroup);
	c->cgroup = copy;
	return NULL;
}

static const char *set_stats_interval(struct config *c, const char *value, int *r)
{
	uint64_t seconds;

	_Static_assert(SECONDS_MAX == 3600, "the text names it");
	if (!parse_number(value, SECONDS_MAX, &seconds))
		return "expected whole seconds, 1 to 3600";
	c->stats_interval_usec = seconds * USEC_PER_SEC;
	return NULL;
}

static const char *set_log_drops(struct config *c, const char *value, int *r)
{
	_Static_assert(LOG_DROPS_MAX == 100, "the text names it");
	if (strcmp(value, "0") == 0)
		c->log_drops = 0;
	else if (!parse_number(value, LOG_DROPS_MAX, &c->log_drops))
		return "expected a number, 0 to 100";
	return NULL;
}

static const char *set_max_entries(struct config *c, const char *value, int *r)
{
	_Static_assert(ENTRIES_MAX == 67108864, "the text names it");
	if (!parse_number(value, ENTRIES_MAX, &c->max_entries))
		return "expected a number, 1 to 67108864";
	return NULL;
}

static const char *set_strict(struct config *c, const char *value, int *r)
{
	if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
		return "expected 'yes' or 'no'";
	c->is_strict = *value == 'y';
	return NULL;
}

static const char *set_tc_mechanism(struct config *c, const char *value, int *r)
{
	if (strcmp(value, "auto") == 0)
		c->tc_mechanism = FW_MECHANISM_NONE;
	else if (strcmp(value, "tcx") == 0)
		c->tc_mechanism = FW_MECHANISM_TCX;
	else if (strcmp(value, "clsact") == 0)
		c->tc_mechanism = FW_MECHANISM_CLSACT;
	else
		return "expected 'auto', 'tcx' or 'clsact'";
	return NULL;
}

static const char *set_xdp_mode(struct config *c, const char *value, int *r)
{
	if (strcmp(value, "auto") == 0)
		c->xdp_mechanism = FW_MECHANISM_NONE;
	else if (strcmp(value, "native") == 0)
		c->xdp_mechanism = FW_MECHANISM_XDP_NATIVE;
	else if (strcmp(value, "generic") == 0)
		c->xdp_mechanism = FW_MECHANISM_XDP_GENERIC;
	else
		return "expected 'auto', 'native' or 'generic'";
	return NULL;
}

static const struct key {
	const char *name;
	const char *fallback; /* value of a file without this key */
	set_fn set;
} keys[] = {
	{ "Interfaces", "auto", set_interfaces },
	{ "Hooks", "tc cgroup", set_hooks },
	{ "Cgroup", "/", set_cgroup },
	{ "StatsIntervalSec", "5", set_stats_interval },
	{ "LogDrops", "5", set_log_drops },
	{ "MaxEntries", "4194304", set_max_entries },
	{ "Strict", "no", set_strict },
	{ "TcMechanism", "auto", set_tc_mechanism },
	{ "XdpInterfaces", "*", set_xdp_interfaces },
	{ "XdpMode", "auto", set_xdp_mode },
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

static const struct key *find_key(const char *name)
{
	for (size_t i = 0; i < ELEMENTSOF(keys); i++)
		if (strcmp(keys[i].name, name) == 0)
			return &keys[i];
	return NULL;
}

/* libinih's handler: 0 would mean an error, which is ours to report. */
static int take_key(void *userdata, const char *section, const char *name, const char *value)
{
	char shown_name[SHOWN_MAX], shown[SHOWN_MAX];
	struct parser *p = userdata;
	const struct key *key;
	const char *expected;
	int r = 0;

	p->is_owed = false;
	if (p->is_foreign)
		return 1;

	(void) log_escape(name, shown_name, sizeof(shown_name));
	key = find_key(name);
	if (!*section) {
		add_error(p, "'%s' stands before [" SECTION "], expected the section first", shown_name);
	} else if (!key) {
		add_error(p, "unknown key '%s', expected one of those in ebpf-fw.conf(5)", shown_name);
	} else if (p->seen[key - keys]) {
		add_error(p, "%s= is already set in line %zu, expected it once", name, p->seen[key - keys]);
	} else {
		p->seen[key - keys] = p->line;
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

int config_default(struct config *ret)
{
	struct config c = {};
	int r = 0;

	for (size_t i = 0; i < ELEMENTSOF(keys); i++) {
		(void) keys[i].set(&c, keys[i].fallback, &r); /* the table's own values are right */
		if (r < 0) {
			config_done(&c);
			return r;
		}
	}
	*ret = c;
	return 0;
}

void config_done(struct config *c)
{
	free(c->interfaces);
	free(c->xdp_interfaces);
	free(c->cgroup);
	*c = (struct config){};
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
	size_t seen[ELEMENTSOF(keys)] = {};
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

bool config_word_is_name(const char *word)
{
	return *word != '!' && !strpbrk(word, "*?[") && strcmp(word, "auto") != 0;
}

static bool words_match(char *const *words, const char *name, bool is_auto, bool is_loopback)
{
	bool is_wanted = false;

	for (char *const *w = words; *w; w++) {
		const char *pattern = **w == '!' ? *w + 1 : *w;
		bool is_match;

		if (strcmp(pattern, "auto") == 0)
			is_match = is_auto;
		else if (is_loopback)
			is_match = strcmp(pattern, name) == 0;
		else
			is_match = fnmatch(pattern, name, 0) == 0;
		if (is_match)
			is_wanted = **w != '!';
	}
	return is_wanted;
}

bool config_wants_interface(const struct config *c, const char *name, bool is_auto)
{
	return words_match(c->interfaces, name, is_auto, strcmp(name, "lo") == 0);
}

bool config_wants_xdp(const struct config *c, const char *name, bool is_auto)
{
	return config_wants_interface(c, name, is_auto) && words_match(c->xdp_interfaces, name, is_auto, false);
}
