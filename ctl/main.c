// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * fwctl: the tables of verbs and options, and the way from argv to a verb. Names match exactly, which
 * is why getopt_long(), with its abbreviations, is not used: no guesses in a firewall.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "duration.h"
#include "log.h"
#include "output.h"
#include "pins.h"

#define ARGUMENT_TEXT_MAX 256
#define COMPLETION        "--completion=" /* for the build, not for people */

#define OPTIONS_ADD    (OPTION_LIST | OPTION_FOR | OPTION_IN | OPTION_OUT | OPTION_COMMENT | OPTION_RUNTIME)
#define OPTIONS_REMOVE (OPTION_LIST | OPTION_ALL_LISTS | OPTION_RUNTIME | OPTION_STRICT)

/* Letter, name, argument, help; quotes and brackets in help would break the completion for zsh. */
const struct option options[] = {
	{ OPTION_LIST,      'l', "list",      "LIST",     "List to change, instead of manual or allow" },
	{ OPTION_ALL_LISTS, 0,   "all-lists", NULL,       "Take out of every list that holds it" },
	{ OPTION_FOR,       0,   "for",       "DURATION", "How long: 90, 10m, 1d12h, permanent" },
	{ OPTION_IN,        0,   "in",        NULL,       "What comes in: from the address, to the port" },
	{ OPTION_OUT,       0,   "out",       NULL,       "What goes out: to the address, to the port" },
	{ OPTION_COMMENT,   0,   "comment",   "TEXT",     "Why, for the list file and for show" },
	{ OPTION_RUNTIME,   0,   "runtime",   NULL,       "Until the next boot: spare the list file" },
	{ OPTION_FORCE,     0,   "force",     NULL,       "Block even what would lock you out" },
	{ OPTION_STRICT,    0,   "strict",    NULL,       "Fail if a target is not in the list" },
	{ OPTION_QUIET,     'q', "quiet",     NULL,       "Print nothing: 0 = attached, 3 = not" },
	{ OPTION_JSON,      'j', "json",      NULL,       "Print JSON, errors too" },
	{ OPTION_PIN_DIR,   0,   "pin-dir",   "DIR",      "Instead of " PINS_DIR_DEFAULT },
	{ OPTION_STATE_DIR, 0,   "state-dir", "DIR",      "Instead of " FW_STATE_DIR },
	{ OPTION_RUN_DIR,   0,   "run-dir",   "DIR",      "Instead of " FW_RUN_DIR },
	{ OPTION_HELP,      'h', "help",      NULL,       "Print this" },
	{ OPTION_VERSION,   0,   "version",   NULL,       "Print the version" },
	{}
};

static int verb_help(struct ctl *ctl, int argc, char **argv);

const struct verb verbs[] = {
	{ "block",   "TARGET...",       "Block addresses, prefixes, ranges or ports",
	  1, ARGUMENTS_ANY, OPTIONS_ADD | OPTION_FORCE, verb_block },
	{ "unblock", "TARGET...",       "Take them out of a block list again",
	  1, ARGUMENTS_ANY, OPTIONS_REMOVE, verb_unblock },
	{ "allow",   "TARGET...",       "Make exceptions, which always win",
	  1, ARGUMENTS_ANY, OPTIONS_ADD, verb_allow },
	{ "unallow", "TARGET...",       "Take exceptions back",
	  1, ARGUMENTS_ANY, OPTIONS_REMOVE, verb_unallow },
	{ "show",    "[LIST] [TARGET]", "Show entries with their counters",
	  0, 2, 0, verb_show },
	{ "check",   "ADDR [tcp/PORT]", "Ask whether a packet would be dropped, and by what",
	  1, 2, OPTION_IN | OPTION_OUT, verb_check },
	{ "lists",   "",                "Show the lists with their counters",
	  0, 0, 0, verb_lists },
	{ "flush",   "LIST",            "Take everything out of a list",
	  1, 1, OPTION_RUNTIME, verb_flush },
	{ "stats",   "",                "Show what the hooks have counted",
	  0, 0, 0, verb_stats },
	{ "status",  "",                "Show what is loaded and where it is attached",
	  0, 0, OPTION_QUIET, verb_status },
	{ "unload",  "",                "Switch the firewall off; the lists stay",
	  0, 0, 0, verb_unload },
	{ "help",    "[VERB]",          "Print help",
	  0, 1, 0, verb_help },
	{}
};

static const struct verb *find_verb(const char *name)
{
	for (const struct verb *v = verbs; v->name; v++)
		if (strcmp(v->name, name) == 0)
			return v;
	return NULL;
}

static int verb_help(struct ctl *ctl, int argc, char **argv)
{
	const struct verb *v = argc > 0 ? find_verb(argv[0]) : NULL;
	char escaped[ARGUMENT_TEXT_MAX];

	if (argc > 0 && !v)
		return output_fail(ctl, EXIT_USAGE, "No verb '%s': 'fwctl help' shows all",
				   log_escape(argv[0], escaped, sizeof(escaped)));
	if (v)
		help_verb(v);
	else
		help_program();
	return EXIT_DONE;
}

static int set_duration(struct ctl *ctl, const char *text)
{
	char escaped[ARGUMENT_TEXT_MAX];

	if (duration_parse(text, &ctl->duration_ns) < 0)
		return output_fail(ctl, EXIT_USAGE,
				   "'%s' is no duration: 90, 10m, 1d12h or permanent is one",
				   log_escape(text, escaped, sizeof(escaped)));
	return EXIT_DONE;
}

/* A comment ends with its line, and must not be able to act on a terminal. */
static int set_comment(struct ctl *ctl, const char *text)
{
	for (const char *p = text; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return output_fail(ctl, EXIT_USAGE,
					   "A comment is one line without control characters");
	ctl->comment = text;
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
		return set_duration(ctl, argument);
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
	case OPTION_QUIET:
		ctl->is_quiet = true;
		break;
	case OPTION_JSON:
		ctl->is_json = true;
		break;
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

/* Sorts argv into options, which are set, and the rest, which is moved to the front. */
static int parse_options(struct ctl *ctl, int argc, char **argv, int *ret_argc,
			 unsigned *ret_options)
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
					   "No option '%s': 'fwctl help' shows all", escaped);
		if (argument && !o->argument)
			return output_fail(ctl, EXIT_USAGE, "'%s': --%s takes no argument", escaped,
					   o->name);
		if (!argument && o->argument) {
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

/* Does the verb take these options and this number of arguments? */
static int check_usage(struct ctl *ctl, const struct verb *v, int argc, unsigned used)
{
	char usage[ARGUMENT_TEXT_MAX];

	for (const struct option *o = options; o->name; o++)
		if (used & o->bit & ~(v->options | OPTIONS_GLOBAL))
			return output_fail(ctl, EXIT_USAGE, "'%s' does not take --%s: see 'fwctl %s --help'",
					   v->name, o->name, v->name);
	if (argc < v->arguments_min ||
	    (v->arguments_max != ARGUMENTS_ANY && argc > v->arguments_max))
		return output_fail(ctl, EXIT_USAGE, "Too %s arguments: %s",
				   argc < v->arguments_min ? "few" : "many",
				   help_usage(v, usage, sizeof(usage)));
	return EXIT_DONE;
}

static int run(struct ctl *ctl, int argc, char **argv)
{
	char escaped[ARGUMENT_TEXT_MAX];
	unsigned used;
	int status;

	status = parse_options(ctl, argc, argv, &argc, &used);
	if (status != EXIT_DONE)
		return status;
	if (ctl->is_version) {
		puts("fwctl " FW_VERSION);
		return EXIT_DONE;
	}
	if (argc == 0) {
		if (!ctl->is_help)
			return output_fail(ctl, EXIT_USAGE, "No verb: 'fwctl help' shows all");
		help_program();
		return EXIT_DONE;
	}

	ctl->verb = find_verb(argv[0]);
	if (!ctl->verb)
		return output_fail(ctl, EXIT_USAGE, "No verb '%s': 'fwctl help' shows all",
				   log_escape(argv[0], escaped, sizeof(escaped)));
	if (ctl->is_help) {
		help_verb(ctl->verb);
		return EXIT_DONE;
	}
	status = check_usage(ctl, ctl->verb, argc - 1, used);
	if (status != EXIT_DONE)
		return status;

	status = ctl->verb->run(ctl, argc - 1, argv + 1);
	if (status < 0) {
		errno = -status;
		return output_fail(ctl, EXIT_NO, "Cannot %s: %m", ctl->verb->name);
	}
	return status;
}

/* Even an error in the first option shall be JSON if a later one asks for it. */
static bool wants_json(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--json") == 0 || strcmp(argv[i], "-j") == 0)
			return true;
	return false;
}

int main(int argc, char **argv)
{
	struct ctl ctl = {
		.pin_dir = PINS_DIR_DEFAULT,
		.state_dir = FW_STATE_DIR,
		.run_dir = FW_RUN_DIR,
		.comment = "",
		.duration_ns = UINT64_MAX,
		.is_json = wants_json(argc, argv),
	};
	int status, written;

	log_setup("fwctl", LOG_NOTICE);
	log_libbpf();

	if (argc == 2 && strncmp(argv[1], COMPLETION, strlen(COMPLETION)) == 0)
		return help_completion(argv[1] + strlen(COMPLETION)) < 0 ? EXIT_USAGE : EXIT_DONE;

	status = run(&ctl, argc - 1, argv + 1);
	written = output_finish(&ctl);
	(void) json_object_put(ctl.notes);
	return status != EXIT_DONE ? status : written;
}
