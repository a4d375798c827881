/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What the files of fwctl share: the options as parsed, and the rows that verbs are. A verb gets its positional arguments, reports for itself, and
 * returns an exit status; or a negative errno where nothing can be said beyond the errno, and
 * main.c says it. Functions that return an exit status have reported when it is not EXIT_DONE.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lists/listfile.h"
#include "state/table-writer.h"

enum exit_status {
	EXIT_DONE,
	EXIT_NO,         /* the answer is no, or the command failed */
	EXIT_USAGE,      /* refused before anything was touched */
	EXIT_NOT_LOADED,
	EXIT_PERMISSION,
	EXIT_FULL,
	EXIT_PARTLY,     /* some of it was done, some failed */
};

struct guard;
struct verb;

/* The command line. Strings belong to argv. */
struct ctl {
	const struct verb *verbs; /* all; the last row has no name */
	const struct verb *verb;  /* the one that runs */
	const char *pin_dir;
	const char *state_dir;
	const char *run_dir;
	const char *list;     /* NULL = the verb's own */
	const char *comment;  /* "" = none */
	uint64_t duration_ns; /* UINT64_MAX = until it is removed */
	uint64_t interval_ns; /* between two blocks of what is shown again and again */
	uint64_t wait_ns;     /* at most, for the writer lock; UINT64_MAX = without end */
	uint64_t count;       /* of these, or of events; UINT64_MAX = no end */
	const char *sort;     /* NULL = the verb's own order */
	unsigned directions;  /* FW_IN | FW_OUT, 0 = as the list or the target has it */
	bool is_json;
	bool is_forced;
	bool is_runtime;
	bool is_strict;
	bool is_dry_run;
	bool is_all_lists;
	bool is_quiet;
	bool is_prometheus;
	struct prefix source;      /* of what to watch; family 0 = any */
	struct prefix destination;
	unsigned hooks;       /* 1 << enum fw_hook, 0 = all */
	bool is_audit;
	uint64_t rate;        /* events a second and CPU, 0 = no limit; UINT64_MAX = the verb's own */
	const char *output;   /* file to write instead of stdout, NULL = none */
	bool is_watch;
	bool is_help;
	bool is_version;
	bool has_told_holder; /* of the writer lock */
	const char *where;    /* "FILE:LINE" in front of what is said, NULL = from the command line */
	struct json_object *notes; /* what output_note() has gathered for JSON */
};

/* An option is a row; its bit says which verbs take it. */
enum {
	OPTION_LIST = 1 << 0,
	OPTION_ALL_LISTS = 1 << 1,
	OPTION_FOR = 1 << 2,
	OPTION_IN = 1 << 3,
	OPTION_OUT = 1 << 4,
	OPTION_COMMENT = 1 << 5,
	OPTION_RUNTIME = 1 << 6,
	OPTION_FORCE = 1 << 7,
	OPTION_STRICT = 1 << 8,
	OPTION_DRY_RUN = 1 << 9,
	OPTION_QUIET = 1 << 10,
	OPTION_JSON = 1 << 11,
	OPTION_PIN_DIR = 1 << 12,
	OPTION_STATE_DIR = 1 << 13,
	OPTION_RUN_DIR = 1 << 14,
	OPTION_HELP = 1 << 15,
	OPTION_VERSION = 1 << 16,
	OPTION_PROMETHEUS = 1 << 17,
	OPTION_OUTPUT = 1 << 18,
	OPTION_SORT = 1 << 19,
	OPTION_COUNT = 1 << 20,
	OPTION_INTERVAL = 1 << 21,
	OPTION_WATCH = 1 << 22,
	OPTION_SRC = 1 << 23,
	OPTION_DST = 1 << 24,
	OPTION_HOOK = 1 << 25,
	OPTION_AUDIT = 1 << 26,
	OPTION_RATE = 1 << 27,
	OPTION_WAIT = 1 << 28,
};

#define OPTIONS_GLOBAL \
	(OPTION_JSON | OPTION_PIN_DIR | OPTION_STATE_DIR | OPTION_RUN_DIR | \
	 OPTION_WAIT | OPTION_HELP | OPTION_VERSION)

struct option {
	unsigned bit;
	char letter; /* 0 = none */
	const char *name;
	const char *argument; /* NULL = takes none; "[SEC]" = may have one, after a '=' */
	const char *help;
};

#define ARGUMENTS_ANY -1

struct verb {
	const char *name;
	const char *arguments;
	const char *help;
	const char *details; /* what the arguments are, in lines without the last newline; NULL = they say it */
	int arguments_min;
	int arguments_max; /* or ARGUMENTS_ANY */
	unsigned options;  /* in addition to OPTIONS_GLOBAL */
	int (*run)(struct ctl *ctl, int argc, char **argv);
};

static inline void table_freep(struct table **t)
{
	(void) table_free(*t);
}

/* Of a name that list_name_is_valid() refuses. */
#define LIST_NAME_ERROR \
	"'%s' is no name of a list: up to 63 letters, digits and . _ : @ + - with single slashes between parts"
