// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Prints what verbs have built: JSON as it is, or the same objects as text, which format.c makes of single
 * values and output-rows.c of tables. What came from a user or a file reaches the terminal escaped.
 */

#include "output/output.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "base/cleanup.h"
#include "output/format.h"
#include "text/duration.h"

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
		puts(json_object_to_json_string_ext(record, OUTPUT_JSON_FLAGS));
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
		printf("{\"changes\":%s", json_object_to_json_string_ext(changes, OUTPUT_JSON_FLAGS));
		output_print_notes(ctl);
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
