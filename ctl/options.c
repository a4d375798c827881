// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * The table of options; words of a command, from argv or from a line of a batch, to struct ctl.
 * Names match exactly, which is why getopt_long(), with its abbreviations, is not used: no guesses in
 * a firewall.
 */

#include <stdio.h>
#include <string.h>

#include "base/decimal.h"
#include "base/utf8.h"
#include "kernel/pins.h"
#include "log/log.h"
#include "options.h"
#include "output/output.h"
#include "text/duration.h"
#include "text/names.h"

#define ARGUMENT_TEXT_MAX 256
#define INTERVAL_MIN_NS   UINT64_C(100000000)
#define INTERVAL_MAX_NS   UINT64_C(86400000000000)
#define COMMENT_MAX       1024
#define NUMBER_MAX        UINT64_C(1000000000)

/* Letter, name, argument, help; quotes and brackets in help would break the completion for zsh. */
const struct option options[] = {
	{ OPTION_LIST,      'l', "list",      "LIST",     "This list, instead of manual, allow, or all" },
	{ OPTION_ALL_LISTS, 0,   "all-lists", NULL,       "Take out of every list that holds it" },
	{ OPTION_FOR,       0,   "for",       "DURATION", "How long: 90, 10m, 1d12h, permanent" },
	{ OPTION_IN,        0,   "in",        NULL,       "What comes in: from the address, to the port" },
	{ OPTION_OUT,       0,   "out",       NULL,       "What goes out: to the address, to the port" },
	{ OPTION_COMMENT,   0,   "comment",   "TEXT",     "Why, for the list file and for show" },
	{ OPTION_RUNTIME,   0,   "runtime",   NULL,       "Until the next boot: spare the list file" },
	{ OPTION_FORCE,     0,   "force",     NULL,       "Do it even if it looks like a mistake or a lock-out" },
	{ OPTION_STRICT,    0,   "strict",    NULL,       "Fail if a target is not in the list" },
	{ OPTION_DRY_RUN,   0,   "dry-run",   NULL,       "Show what would change, and change nothing" },
	{ OPTION_SORT,      0,   "sort",      "KEY",      "Order of what is shown, by one of the above" },
	{ OPTION_COUNT,     'n', "count",     "N",        "End after so many" },
	{ OPTION_INTERVAL,  0,   "interval",  "DURATION", "How often: 500ms, 5, 1m; else every second" },
	{ OPTION_WATCH,     0,   "watch",     "[SEC]",    "Show rates again and again, each SEC or second" },
	{ OPTION_QUIET,     'q', "quiet",     NULL,       "Print nothing: 0 = attached, 3 = not" },
	{ OPTION_PROMETHEUS, 0,  "prometheus", NULL,      "Print metrics for Prometheus" },
	{ OPTION_OUTPUT,    0,   "output",    "FILE",     "Write the metrics to a file, replaced in one step" },
	{ OPTION_SRC,       0,   "src",       "PREFIX",   "Only what comes from these addresses" },
	{ OPTION_DST,       0,   "dst",       "PREFIX",   "Only what goes to these addresses" },
	{ OPTION_HOOK,      0,   "hook",      "HOOK",     "Only at this hook: xdp, tc or cgroup; may be repeated" },
	{ OPTION_AUDIT,     0,   "audit",     NULL,       "Also what lists in mode audit would drop" },
	{ OPTION_RATE,      0,   "rate",      "NUMBER",   "At most so many a second on each CPU, 0 = all" },
	{ OPTION_JSON,      'j', "json",      NULL,       "Print JSON, errors too" },
	{ OPTION_PIN_DIR,   0,   "pin-dir",   "DIR",      "Instead of " PINS_DIR_DEFAULT },
	{ OPTION_STATE_DIR, 0,   "state-dir", "DIR",      "Instead of " FW_STATE_DIR },
	{ OPTION_RUN_DIR,   0,   "run-dir",   "DIR",      "Instead of " FW_RUN_DIR },
	{ OPTION_WAIT,      0,   "wait",      "DURATION", "At most, for another command; else 30s" },
	{ OPTION_HELP,      'h', "help",      NULL,       "Print this" },
	{ OPTION_VERSION,   0,   "version",   NULL,       "Print the version" },
	{}
};

int options_find_verb(struct ctl *ctl, const char *name, const struct verb **ret)
{
	char escaped[ARGUMENT_TEXT_MAX];

	for (const struct verb *v = ctl->verbs; v->name; v++)
		if (strcmp(v->name, name) == 0) {
			*ret = v;
			return EXIT_DONE;
		}
	return output_fail(ctl, EXIT_USAGE, "No verb '%s': 'fwctl help' shows all",
			   log_escape(name, escaped, sizeof(escaped)));
}

const char *verb_usage(const struct verb *v, char *buffer, size_t size)
{
	(void) snprintf(buffer, size, "fwctl %s%s%s", v->name, v->arguments[0] ? " " : "",
			v->arguments);
	return buffer;
}

bool option_argument_is_optional(const struct option *o)
{
	return o->argument && o->argument[0] == '[';
}

static int set_duration(struct ctl *ctl, const char *text, uint64_t *ret_ns)
{
	char escaped[ARGUMENT_TEXT_MAX];

	if (duration_parse(text, ret_ns) < 0)
		return output_fail(ctl, EXIT_USAGE,
				   "'%s' is no duration: 90, 10m, 1d12h or permanent is one",
				   log_escape(text, escaped, sizeof(escaped)));
	return EXIT_DONE;
}

/* 0 is one try. */
static int set_wait(struct ctl *ctl, const char *text)
{
	if (strcmp(text, "0") != 0)
		return set_duration(ctl, text, &ctl->wait_ns);
	ctl->wait_ns = 0;
	return EXIT_DONE;
}

/* Often enough for the eye, and for rates; how seldom is up to the user. */
static int set_interval(struct ctl *ctl, const char *text)
{
	uint64_t ns;
	int status;

	status = set_duration(ctl, text, &ns);
	if (status != EXIT_DONE)
		return status;
	if (ns < INTERVAL_MIN_NS || ns > INTERVAL_MAX_NS)
		return output_fail(ctl, EXIT_USAGE, "'%s': an interval is 100ms to 1d", text);
	ctl->interval_ns = ns;
	return EXIT_DONE;
}

/* A comment ends with its line, and must not be able to act on a terminal or break JSON. */
bool option_is_comment(const char *text)
{
	uint32_t c;
	unsigned n;

	if (strlen(text) > COMMENT_MAX)
		return false;
	for (; *text; text += n) {
		n = utf8_read(text, &c);
		if (n == 0 || utf8_is_control(c))
			return false;
	}
	return true;
}

static int set_comment(struct ctl *ctl, const char *text)
{
	if (!option_is_comment(text))
		return output_fail(ctl, EXIT_USAGE, "A comment is one line of UTF-8 without control characters, of 1024 bytes at most");
	ctl->comment = text;
	return EXIT_DONE;
}

static int set_prefix(struct ctl *ctl, const char *text, struct prefix *ret)
{
	char escaped[ARGUMENT_TEXT_MAX];

	if (prefix_parse(text, strlen(text), ret, NULL) < 0)
		return output_fail(ctl, EXIT_USAGE, "'%s' is no address and no prefix",
				   log_escape(text, escaped, sizeof(escaped)));
	return EXIT_DONE;
}

static int set_hook(struct ctl *ctl, const char *text)
{
	char escaped[ARGUMENT_TEXT_MAX];
	int r = hook_from_string(text, strlen(text));

	if (r < 0)
		return output_fail(ctl, EXIT_USAGE, "'%s' is no hook: xdp, tc or cgroup is one",
				   log_escape(text, escaped, sizeof(escaped)));
	ctl->hooks |= 1u << r;
	return EXIT_DONE;
}

static int set_number(struct ctl *ctl, const struct option *o, const char *text, uint64_t min, uint64_t *ret)
{
	char escaped[ARGUMENT_TEXT_MAX];
	uint64_t value;

	if (decimal_parse(text, strlen(text), NUMBER_MAX, &value) < 0 || value < min)
		return output_fail(ctl, EXIT_USAGE, "'%s': --%s takes a number from %llu to %llu",
				   log_escape(text, escaped, sizeof(escaped)), o->name, (unsigned long long)min,
				   (unsigned long long)NUMBER_MAX);
	*ret = value;
	return EXIT_DONE;
}

static int set_option(struct ctl *ctl, const struct option *o, const char *argument)
{
	switch (o->bit) {
	case OPTION_LIST:
		ctl->list = argument;
		break;
	case OPTION_ALL_LISTS:
		ctl->is_all_lists = true;
		break;
	case OPTION_FOR:
		return set_duration(ctl, argument, &ctl->duration_ns);
	case OPTION_IN:
		ctl->directions |= FW_IN;
		break;
	case OPTION_OUT:
		ctl->directions |= FW_OUT;
		break;
	case OPTION_COMMENT:
		return set_comment(ctl, argument);
	case OPTION_RUNTIME:
		ctl->is_runtime = true;
		break;
	case OPTION_FORCE:
		ctl->is_forced = true;
		break;
	case OPTION_STRICT:
		ctl->is_strict = true;
		break;
	case OPTION_DRY_RUN:
		ctl->is_dry_run = true;
		break;
	case OPTION_SORT:
		ctl->sort = argument;
		break;
	case OPTION_COUNT:
		return set_number(ctl, o, argument, 1, &ctl->count);
	case OPTION_INTERVAL:
		return set_interval(ctl, argument);
	case OPTION_WATCH:
		ctl->is_watch = true;
		return argument ? set_interval(ctl, argument) : EXIT_DONE;
	case OPTION_QUIET:
		ctl->is_quiet = true;
		break;
	case OPTION_JSON:
		ctl->is_json = true;
		break;
	case OPTION_PROMETHEUS:
		ctl->is_prometheus = true;
		break;
	case OPTION_OUTPUT:
		ctl->output = argument;
		break;
	case OPTION_SRC:
		return set_prefix(ctl, argument, &ctl->source);
	case OPTION_DST:
		return set_prefix(ctl, argument, &ctl->destination);
	case OPTION_HOOK:
		return set_hook(ctl, argument);
	case OPTION_AUDIT:
		ctl->is_audit = true;
		break;
	case OPTION_RATE:
		return set_number(ctl, o, argument, 0, &ctl->rate);
	case OPTION_WAIT:
		return set_wait(ctl, argument);
	case OPTION_PIN_DIR:
		ctl->pin_dir = argument;
		break;
	case OPTION_STATE_DIR:
		ctl->state_dir = argument;
		break;
	case OPTION_RUN_DIR:
		ctl->run_dir = argument;
		break;
	case OPTION_HELP:
		ctl->is_help = true;
		break;
	case OPTION_VERSION:
		ctl->is_version = true;
		break;
	}
	return EXIT_DONE;
}

/* "--NAME", "--NAME=ARGUMENT" or "-L"; *ret_argument points into word, or is NULL. */
static const struct option *find_option(const char *word, const char **ret_argument)
{
	size_t length = strcspn(word, "=");

	*ret_argument = word[length] == '=' ? word + length + 1 : NULL;
	for (const struct option *o = options; o->name; o++) {
		if (word[1] != '-' && o->letter && word[1] == o->letter && word[2] == '\0')
			return o;
		if (word[1] == '-' && strlen(o->name) == length - 2 &&
		    strncmp(word + 2, o->name, length - 2) == 0)
			return o;
	}
	return NULL;
}

int options_parse(struct ctl *ctl, int argc, char **argv, int *ret_argc, unsigned *ret_options)
{
	char escaped[ARGUMENT_TEXT_MAX];
	const struct option *o;
	const char *argument;
	int n = 0, status;

	*ret_options = 0;
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--") == 0) {
			while (++i < argc)
				argv[n++] = argv[i];
			break;
		}
		if (argv[i][0] != '-' || argv[i][1] == '\0') {
			argv[n++] = argv[i];
			continue;
		}

		(void) log_escape(argv[i], escaped, sizeof(escaped));
		o = find_option(argv[i], &argument);
		if (!o)
			return output_fail(ctl, EXIT_USAGE,
					   "No option '%s': 'fwctl VERB --help' shows those of a verb", escaped);
		if (ctl->where && o->bit & OPTIONS_GLOBAL) /* not set: the batch is to end as it began */
			return output_fail(ctl, EXIT_USAGE,
					   "--%s belongs to 'fwctl batch' itself, not into a line of it",
					   o->name);
		if (argument && !o->argument)
			return output_fail(ctl, EXIT_USAGE, "'%s': --%s takes no argument", escaped,
					   o->name);
		if (!argument && o->argument && !option_argument_is_optional(o)) {
			if (++i >= argc)
				return output_fail(ctl, EXIT_USAGE, "--%s needs an argument: %s",
						   o->name, o->argument);
			argument = argv[i];
		}
		status = set_option(ctl, o, argument);
		if (status != EXIT_DONE)
			return status;
		*ret_options |= o->bit;
	}
	*ret_argc = n;
	return EXIT_DONE;
}

int options_check(struct ctl *ctl, int argc, unsigned used)
{
	const struct verb *v = ctl->verb;
	char usage[ARGUMENT_TEXT_MAX];

	for (const struct option *o = options; o->name; o++)
		if (used & o->bit & ~(v->options | OPTIONS_GLOBAL))
			return output_fail(ctl, EXIT_USAGE, "'%s' does not take --%s: see 'fwctl %s --help'",
					   v->name, o->name, v->name);
	if (argc < v->arguments_min ||
	    (v->arguments_max != ARGUMENTS_ANY && argc > v->arguments_max))
		return output_fail(ctl, EXIT_USAGE, "Too %s arguments: %s",
				   argc < v->arguments_min ? "few" : "many",
				   verb_usage(v, usage, sizeof(usage)));
	return EXIT_DONE;
}
