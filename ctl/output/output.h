/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The only printer of fwctl. Verbs build json-c objects; with --json these are what is printed, and
 * without it columns and fields say how the same objects read as aligned text. The keys are a
 * promise to scripts, the text is not.
 */

#include <json-c/json.h>
#include <stdio.h>

#include "ctl.h"
#include "output/format.h"

#define OUTPUT_JSON_FLAGS (JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)

/* A table inside a record. Arrays end with {}. */
struct section {
	const char *key;
	const struct column *columns;
};

#define OUTPUT_COLUMNS_MAX 12

/* Rows under one key. JSON is printed as it comes, text is kept until the widths are known. */
struct output_rows {
	struct ctl *ctl;
	const struct column *columns;
	size_t n_rows;
	size_t width[OUTPUT_COLUMNS_MAX];
	FILE *cells; /* each with its NUL */
	json_object *more; /* further members of the object */
	size_t screen_width; /* 0 = no terminal */
	char *text;
	size_t size;
};

int output_rows_begin(struct output_rows *o, struct ctl *ctl, const char *key,
		      const struct column *columns);
int output_rows_add(struct output_rows *o, json_object *row); /* takes the row */
/* A further member, after the rows; for JSON alone. Takes the value. */
void output_rows_more(struct output_rows *o, const char *key, json_object *value);
int output_rows_end(struct output_rows *o);

/* Prints one object: fields as "title  value" lines, without the empty ones; then the sections. */
int output_record(struct ctl *ctl, json_object *record, const struct column *fields,
		  const struct section *sections);

/*
 * Something the user should know in addition to the result: a line on stderr, or with --json a member of "notes" in the
 * object that is printed next.
 */
void output_note(struct ctl *ctl, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The notes so far, as the last member of an object that is being printed piece by piece. */
void output_print_notes(struct ctl *ctl);

/*
 * What a command has changed: {"changes": [{"result", "target", "list", "refreshed", "direction",
 * "until"}]}, or a sentence for each. Rows say as much of it as they have.
 */
int output_changes(struct ctl *ctl, json_object *changes);

/* What a command has done as a whole: the object, or one sentence of trusted text. */
int output_result(struct ctl *ctl, json_object *result, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Says why a command ends, in one line or as {"error": {"code", "message"}}, and returns status. */
int output_fail(struct ctl *ctl, enum exit_status status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* After "Cannot allocate memory" of the kernel: maps are charged to the cgroup of the process that fills them. */
#define OUTPUT_NO_MEMORY ", free some or raise MemoryMax= of the unit or session that runs this"

/* Did everything since the last call reach stdout? If not, it has reported. */
int output_finish(struct ctl *ctl);
