// SPDX-License-Identifier: GPL-2.0-or-later

/* fwctl: the table of verbs, and the way from argv to one of them; options.c reads the words. */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/streams.h"
#include "help.h"
#include "kernel/pins.h"
#include "log/log.h"
#include "options.h"
#include "output/output.h"
#include "verbs.h"

#define WAIT_NS           UINT64_C(30000000000)
#define COMPLETION        "--completion=" /* for the build, not for people */

#define OPTIONS_ADD    (OPTION_FORCE | OPTION_LIST | OPTION_FOR | OPTION_IN | OPTION_OUT | OPTION_COMMENT | OPTION_RUNTIME)
#define OPTIONS_REPEAT (OPTION_FOR | OPTION_COUNT)
#define OPTIONS_REMOVE (OPTION_FORCE | OPTION_LIST | OPTION_ALL_LISTS | OPTION_RUNTIME | OPTION_STRICT)

static int verb_help(struct ctl *ctl, int argc, char **argv);

static const struct verb verbs[] = {
	{ "block",   "TARGET...",       "Block addresses, prefixes, ranges or ports",
	  HELP_TARGET,
	  1, ARGUMENTS_ANY, OPTIONS_ADD, verb_block },
	{ "unblock", "TARGET...",       "Take them out of a block list again",
	  HELP_TARGET,
	  1, ARGUMENTS_ANY, OPTIONS_REMOVE, verb_unblock },
	{ "allow",   "TARGET...",       "Make exceptions, which always win",
	  HELP_TARGET,
	  1, ARGUMENTS_ANY, OPTIONS_ADD, verb_allow },
	{ "unallow", "TARGET...",       "Take exceptions back",
	  HELP_TARGET,
	  1, ARGUMENTS_ANY, OPTIONS_REMOVE, verb_unallow },
	{ "show",    "[LIST] [TARGET]", "Show entries with their counters",
	  HELP_TARGET "\n"
	  "KEY is target (without one), hits, last-hit or until.",
	  0, 2, OPTION_SORT, verb_show },
	{ "check",   "ADDR [tcp/PORT]", "Ask what becomes of a packet, and why",
	  "ADDR is one address. A port, tcp/22 or udp/53, may be asked for alone.",
	  1, 2, OPTION_IN | OPTION_OUT, verb_check },
	{ "lists",   "",                "Show the lists with their counters", NULL,
	  0, 0, 0, verb_lists },
	{ "list",    "COMMAND LIST [KEY=VALUE...]",
	  "add, set, del, enable or disable a list",
	  "COMMAND is one of these. With add and set, KEY=VALUE is one or more of\n"
	  "action=block|allow, mode=enforce|audit (audit counts what it would drop),\n"
	  "direction=in|out|both|default (of entries that name none), comment=TEXT.",
	  2, ARGUMENTS_ANY, OPTION_FORCE, verb_list },
	{ "flush",   "LIST",            "Take everything out of a list", NULL,
	  1, 1, OPTION_RUNTIME | OPTION_FORCE, verb_flush },
	{ "load",    "LIST FILE|-",     "Make a list equal to a published blocklist",
	  "LIST is made if it does not exist. FILE, or standard input (-), has a target a\n"
	  "line, or is one of Spamhaus, FireHOL, 'ipset save', P2P or this firewall.",
	  2, 2, OPTION_FORCE | OPTION_DRY_RUN, verb_load },
	{ "batch",   "FILE|-",          "Block, unblock and so on, line by line",
	  "A line of FILE, or of standard input (-), is block, unblock, allow or unallow\n"
	  "with options and targets: block 192.0.2.1 --for 10m --comment 'a scan'",
	  1, 1, OPTION_FORCE, verb_batch },
	{ "export",  "[LIST]",          "Print lists as text", NULL,
	  0, 1, 0, verb_export },
	{ "import",  "FILE|-",          "Make lists equal to what an export printed",
	  "FILE, or standard input (-), is what 'fwctl export' has printed.",
	  1, 1, OPTION_FORCE, verb_import },
	{ "stats",   "",                "Show what the hooks have counted", NULL,
	  0, 0, OPTIONS_REPEAT | OPTION_WATCH | OPTION_PROMETHEUS | OPTION_OUTPUT, verb_stats },
	{ "top",     "",                "Show which addresses send and receive most",
	  "KEY is rate (without one), packets, bytes, syn, dropped, last or address.",
	  0, 0, OPTIONS_REPEAT | OPTION_INTERVAL | OPTION_SORT, verb_top },
	{ "hist",    "",                "Show how long packets are, and how far apart", NULL,
	  0, 0, OPTIONS_REPEAT | OPTION_INTERVAL | OPTION_HOOK | OPTION_IN | OPTION_OUT, verb_hist },
	{ "monitor", "",                "Show each drop as it happens", NULL,
	  0, 0, OPTION_LIST | OPTION_SRC | OPTION_DST | OPTION_HOOK | OPTION_IN | OPTION_OUT | OPTION_AUDIT |
		OPTION_RATE | OPTIONS_REPEAT, verb_monitor },
	{ "status",  "",                "Show what is loaded and where it is attached", NULL,
	  0, 0, OPTION_QUIET, verb_status },
	{ "doctor",  "",                "Look for what is wrong, and say what to do", NULL,
	  0, 0, 0, verb_doctor },
	{ "unload",  "",                "Switch the firewall off; the lists stay", NULL,
	  0, 0, OPTION_FORCE, verb_unload },
	{ "help",    "[VERB]",          "Print help", NULL,
	  0, 1, 0, verb_help },
	{}
};

static int verb_help(struct ctl *ctl, int argc, char **argv)
{
	const struct verb *v = NULL;
	int status;

	if (argc > 0) {
		status = options_find_verb(ctl, argv[0], &v);
		if (status != EXIT_DONE)
			return status;
	}
	if (v)
		help_verb(v);
	else
		help_program(verbs);
	return EXIT_DONE;
}

static int run(struct ctl *ctl, int argc, char **argv)
{
	unsigned used;
	int status;

	status = options_parse(ctl, argc, argv, &argc, &used);
	if (status != EXIT_DONE)
		return status;
	if (ctl->is_version) {
		puts("fwctl " FW_VERSION);
		return EXIT_DONE;
	}
	if (argc == 0) {
		if (!ctl->is_help)
			return output_fail(ctl, EXIT_USAGE, "No verb: 'fwctl help' shows all");
		help_program(verbs);
		return EXIT_DONE;
	}

	status = options_find_verb(ctl, argv[0], &ctl->verb);
	if (status != EXIT_DONE)
		return status;
	if (ctl->is_help) {
		help_verb(ctl->verb);
		return EXIT_DONE;
	}
	status = options_check(ctl, argc - 1, used);
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
		.verbs = verbs,
		.pin_dir = PINS_DIR_DEFAULT,
		.state_dir = FW_STATE_DIR,
		.run_dir = FW_RUN_DIR,
		.comment = "",
		.duration_ns = UINT64_MAX,
		.interval_ns = 1000000000,
		.wait_ns = WAIT_NS,
		.count = UINT64_MAX,
		.rate = UINT64_MAX,
		.is_json = wants_json(argc, argv),
	};
	int status, written;

	streams_hold(O_RDONLY);
	(void) signal(SIGXFSZ, SIG_IGN); /* a limit of file sizes is an error of write(2), which undoes the change */
	log_setup("fwctl", LOG_NOTICE);
	log_libbpf();

	if (argc == 2 && strncmp(argv[1], COMPLETION, strlen(COMPLETION)) == 0)
		return help_completion(verbs, argv[1] + strlen(COMPLETION)) < 0 ? EXIT_USAGE : EXIT_DONE;

	status = run(&ctl, argc - 1, argv + 1);
	written = output_finish(&ctl);
	(void) json_object_put(ctl.notes);
	return status != EXIT_DONE ? status : written;
}
