// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Prints what verbs have built: JSON as it is, or the same objects as aligned text, which format.c
 * makes of single values. What came from a user or a file reaches the terminal escaped.
 */

#include "output.h"

#include <stdarg.h>
#include <string.h>

#include "cleanup.h"
#include "duration.h"
#include "format.h"
#include "log.h"
#include "screen.h"

#define JSON_FLAGS (JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)
#define MESSAGE_MAX 1024
#define COLUMN_GAP "  "

static bool is_number(enum column_kind kind)
{
	return kind == COLUMN_NUMBER || kind == COLUMN_SHORT;
}

/* The notes so far, as the last member of an object that is being printed piece by piece. */
static void print_notes(struct ctl *ctl)
{
	if (ctl->notes)
		printf(",\"notes\":%s", json_object_to_json_string_ext(ctl->notes, JSON_FLAGS));
}

int output_rows_begin(struct output_rows *o, struct ctl *ctl, const char *key,
		      const struct column *columns)
{
	*o = (struct output_rows){ .ctl = ctl, .columns = columns };
	if (ctl->is_json) {
		printf("{\"%s\":[", key);
		return 0;
	}

	o->cells = open_memstream(&o->text, &o->size);
	return o->cells ? 0 : -errno;
}

static int add_cell(struct output_rows *o, size_t column, json_object *row)
{
	_cleanup_free_ char *value =
		format_path(row, o->columns[column].key, o->columns[column].kind);
	const char *text;
	size_t length;

	if (!value)
		return -ENOMEM;
	text = value[0] ? value : "-";
	length = strlen(text);
	if (length > o->width[column])
		o->width[column] = length;
	return fwrite(text, 1, length + 1, o->cells) == length + 1 ? 0 : -ENOMEM;
}

int output_rows_add(struct output_rows *o, json_object *row)
{
	int r = 0;

	if (o->ctl->is_json) {
		printf("%s\n%s", o->n_rows > 0 ? "," : "",
		       json_object_to_json_string_ext(row, JSON_FLAGS));
	} else {
		for (size_t i = 0; o->columns[i].key && r == 0; i++)
			r = add_cell(o, i, row);
	}
	o->n_rows++;
	(void) json_object_put(row);
	return r;
}

/*
 * Where a row is wider than the terminal, its first cell gets a line of its own if it is long, as IPv6
 * addresses are; and so does text at its end, a comment mostly.
 */
static void fit_columns(struct output_rows *o)
{
	size_t rest = 0, room;

	o->screen_width = screen_size().columns;
	if (o->screen_width == 0)
		return;
	for (size_t i = 1; o->columns[i].key; i++) {
		bool is_last = !o->columns[i + 1].key;

		rest += strlen(COLUMN_GAP);
		rest += is_last && !is_number(o->columns[i].kind) ? strlen(o->columns[i].title) : o->width[i];
	}
	room = o->screen_width > rest ? o->screen_width - rest : 0;
	if (o->width[0] > room)
		o->width[0] = room > strlen(o->columns[0].title) ? room : strlen(o->columns[0].title);
}

static bool fits_screen(const struct output_rows *o, size_t column, const char *text)
{
	size_t width = strlen(text);

	for (size_t i = 0; i < column; i++)
		width += o->width[i] + strlen(COLUMN_GAP);
	return o->screen_width == 0 || width <= o->screen_width;
}

/* One cell, padded to its column unless it is the last and nothing follows. */
static void print_cell(const struct output_rows *o, size_t i, const char *text)
{
	bool is_last = !o->columns[i + 1].key;

	if (i == 0 && !is_last && strlen(text) > o->width[0])
		printf("%s\n%*s", text, (int)o->width[0], "");
	else if (is_number(o->columns[i].kind))
		printf("%*s", (int)o->width[i], text);
	else if (is_last && fits_screen(o, i, text))
		fputs(text, stdout);
	else if (is_last)
		printf("\n" COLUMN_GAP COLUMN_GAP "%s", text);
	else
		printf("%-*s", (int)o->width[i], text);
	fputs(is_last ? "\n" : COLUMN_GAP, stdout);
}

static void print_titles(struct output_rows *o)
{
	for (size_t i = 0; o->columns[i].key; i++)
		if (strlen(o->columns[i].title) > o->width[i])
			o->width[i] = strlen(o->columns[i].title);
	fit_columns(o);
	for (size_t i = 0; o->columns[i].key; i++)
		print_cell(o, i, o->columns[i].title);
}

void output_rows_more(struct output_rows *o, const char *key, json_object *value)
{
	if (!o->more)
		o->more = json_object_new_object();
	json_object_object_add(o->more, key, value);
}

static void print_members(json_object *o)
{
	json_object_object_foreach(o, key, value)
		printf(",\"%s\":%s", key, json_object_to_json_string_ext(value, JSON_FLAGS));
}

int output_rows_end(struct output_rows *o)
{
	_cleanup_json_ json_object *more = o->more;
	const char *cell;
	int r;

	if (o->ctl->is_json) {
		printf("%s]", o->n_rows > 0 ? "\n" : "");
		if (more)
			print_members(more);
		print_notes(o->ctl);
		puts("}");
		return 0;
	}

	r = fclose(o->cells) < 0 ? -errno : 0;
	o->cells = NULL;
	if (r == 0 && o->n_rows > 0) {
		print_titles(o);
		cell = o->text;
		for (size_t row = 0; row < o->n_rows; row++)
			for (size_t i = 0; o->columns[i].key; i++) {
				print_cell(o, i, cell);
				cell += strlen(cell) + 1;
			}
	}
	free(o->text);
	return r;
}

static int print_section(struct ctl *ctl, json_object *array, const struct section *s)
{
	struct output_rows o;
	int r, end;

	if (json_object_array_length(array) == 0)
		return 0;

	putchar('\n');
	r = output_rows_begin(&o, ctl, s->key, s->columns);
	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < json_object_array_length(array); i++)
		r = output_rows_add(&o, json_object_get(json_object_array_get_idx(array, i)));
	end = output_rows_end(&o);
	return r < 0 ? r : end;
}

int output_record(struct ctl *ctl, json_object *record, const struct column *fields,
		  const struct section *sections)
{
	size_t width = 0;
	int r;

	if (ctl->is_json) {
		if (ctl->notes)
			json_object_object_add(record, "notes", json_object_get(ctl->notes));
		puts(json_object_to_json_string_ext(record, JSON_FLAGS));
		return 0;
	}

	for (const struct column *f = fields; f->key; f++)
		if (strlen(f->title) > width)
			width = strlen(f->title);
	for (const struct column *f = fields; f->key; f++) {
		_cleanup_free_ char *text = format_path(record, f->key, f->kind);

		if (!text)
			return -ENOMEM;
		if (text[0])
			printf("%-*s  %s\n", (int)width, f->title, text);
	}
	for (const struct section *s = sections; s->key; s++) {
		r = print_section(ctl, json_object_object_get(record, s->key), s);
		if (r < 0)
			return r;
	}
	return 0;
}

/* "already blocked, refreshed 192.0.2.0/24 (in, out) for 10m, list fail2ban/sshd" */
static int print_change(struct ctl *ctl, json_object *change)
{
	_cleanup_free_ char *result = format_path(change, "result", COLUMN_TEXT);
	_cleanup_free_ char *target = format_path(change, "target", COLUMN_TEXT);
	_cleanup_free_ char *list = format_path(change, "list", COLUMN_TEXT);
	_cleanup_free_ char *direction = format_path(change, "direction", COLUMN_TEXT);
	char duration[DURATION_TEXT_MAX];

	if (!result || !target || !list || !direction)
		return -ENOMEM;
	if (strcmp(result, "absent") == 0)
		return 0; /* a note has said it */

	if (json_object_get_boolean(json_object_object_get(change, "refreshed")))
		printf("already %s, refreshed %s", result, target);
	else
		printf("%s %s", result, target);
	if (direction[0])
		printf(" (%s)", strcmp(direction, "both") == 0 ? "in, out" : direction);
	if (json_object_object_get(change, "until"))
		printf(" for %s", duration_format(ctl->duration_ns, duration));
	if (strcmp(list, FW_LIST_MANUAL) != 0 && strcmp(list, FW_LIST_ALLOW) != 0)
		printf(", list %s", list);
	putchar('\n');
	return 0;
}

int output_changes(struct ctl *ctl, json_object *changes)
{
	int r = 0;

	if (ctl->is_json) {
		printf("{\"changes\":%s", json_object_to_json_string_ext(changes, JSON_FLAGS));
		print_notes(ctl);
		puts("}");
		return 0;
	}

	for (size_t i = 0; r == 0 && i < json_object_array_length(changes); i++)
		r = print_change(ctl, json_object_array_get_idx(changes, i));
	return r;
}

int output_result(struct ctl *ctl, json_object *result, const char *format, ...)
{
	va_list args;

	if (ctl->is_json)
		return output_record(ctl, result, NULL, NULL);

	va_start(args, format);
	(void) vprintf(format, args); /* output_finish() looks whether it failed */
	va_end(args);
	putchar('\n');
	return 0;
}

/* A message behind the place it is about, if it has one. */
static void format_message(const struct ctl *ctl, char text[static MESSAGE_MAX], const char *format, va_list args)
{
	int n = ctl->where ? snprintf(text, MESSAGE_MAX, "%s: ", ctl->where) : 0;

	if (n >= 0 && n < MESSAGE_MAX)
		(void) vsnprintf(text + n, MESSAGE_MAX - n, format, args);
}

void output_note(struct ctl *ctl, const char *format, ...)
{
	char text[MESSAGE_MAX];
	va_list args;

	va_start(args, format);
	format_message(ctl, text, format, args);
	va_end(args);

	if (!ctl->is_json) {
		log_notice("note: %s", text);
		return;
	}
	if (!ctl->notes)
		ctl->notes = json_object_new_array();
	if (ctl->notes)
		json_object_array_add(ctl->notes, json_text(text));
}

int output_fail(struct ctl *ctl, enum exit_status status, const char *format, ...)
{
	_cleanup_json_ json_object *error = NULL;
	char text[MESSAGE_MAX];
	json_object *inner;
	va_list args;

	va_start(args, format);
	format_message(ctl, text, format, args);
	va_end(args);

	if (!ctl->is_json) {
		(void) log_error(0, "%s", text);
		return status;
	}
	error = json_object_new_object();
	inner = json_object_new_object();
	json_object_object_add(inner, "code", json_object_new_int(status));
	json_object_object_add(inner, "message", json_text(text));
	json_object_object_add(error, "error", inner);
	fprintf(stderr, "%s\n", json_object_to_json_string_ext(error, JSON_FLAGS));
	return status;
}

int output_finish(struct ctl *ctl)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return EXIT_DONE;
	return output_fail(ctl, EXIT_NO, "Cannot write the output: %m");
}
