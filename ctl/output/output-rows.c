// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Rows under one key: printed as JSON as they come, or kept until the widths are known and printed as a table. On a terminal
 * it keeps within the width, and a long text gets a line of its own. Numbers are never shortened for it: a table of many is
 * cut in two. Through a pipe a row is always one line.
 */

#include "output/output.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "output/format.h"
#include "output/terminal.h"

#define COLUMN_GAP "  "

static bool is_number(enum column_kind kind)
{
	return kind == COLUMN_NUMBER || kind == COLUMN_CUT || kind == COLUMN_SHORT;
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
		       json_object_to_json_string_ext(row, OUTPUT_JSON_FLAGS));
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

/* One cell, padded to its column unless it is the last, before end, and nothing follows. */
static void print_cell(const struct output_rows *o, size_t i, size_t end, const char *text)
{
	bool is_last = i + 1 == end;

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

/* The columns from first up to end, after those that say what a row is about: all before the first number. */
static void print_table(const struct output_rows *o, size_t first, size_t end)
{
	const char *cell = o->text;
	size_t n_leading = 0;

	while (n_leading < first && !is_number(o->columns[n_leading].kind))
		n_leading++;
	for (size_t i = 0; i < end; i++)
		if (i < n_leading || i >= first)
			print_cell(o, i, end, o->columns[i].title);
	for (size_t row = 0; row < o->n_rows; row++)
		for (size_t i = 0; o->columns[i].key; i++) {
			if (i < n_leading || (i >= first && i < end))
				print_cell(o, i, end, cell);
			cell += strlen(cell) + 1;
		}
}

static void print_tables(struct output_rows *o)
{
	size_t n = 0, cut = 0, width = 0;

	o->screen_width = terminal_size().columns;
	for (; o->columns[n].key; n++) {
		if (strlen(o->columns[n].title) > o->width[n])
			o->width[n] = strlen(o->columns[n].title);
		if (o->columns[n].kind == COLUMN_CUT)
			cut = n;
		width += o->width[n] + (n > 0 ? strlen(COLUMN_GAP) : 0);
	}

	if (cut > 0 && o->screen_width > 0 && width > o->screen_width) {
		print_table(o, 0, cut);
		putchar('\n');
		print_table(o, cut, n);
	} else {
		fit_columns(o);
		print_table(o, 0, n);
	}
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
		printf(",\"%s\":%s", key, json_object_to_json_string_ext(value, OUTPUT_JSON_FLAGS));
}

int output_rows_end(struct output_rows *o)
{
	_cleanup_json_ json_object *more = o->more;
	int r;

	if (o->ctl->is_json) {
		printf("%s]", o->n_rows > 0 ? "\n" : "");
		if (more)
			print_members(more);
		output_print_notes(o->ctl);
		puts("}");
		return 0;
	}

	r = fclose(o->cells) < 0 ? -errno : 0;
	o->cells = NULL;
	if (r == 0 && o->n_rows > 0)
		print_tables(o);
	free(o->text);
	return r;
}
