// SPDX-License-Identifier: GPL-2.0-or-later

/* Findings of the doctor: gathered by its checks, printed at the end; see doctor.h. */

#include "doctor/doctor.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "base/cleanup.h"
#include "output/output.h"
#include "output/terminal.h"

#define FINDING_MAX 1024
#define LEVEL_WIDTH 9
#define TOPIC_WIDTH 11

static const char *const level_names[_LEVEL_MAX] = {
	[LEVEL_OK] = "ok",
	[LEVEL_NOTE] = "note",
	[LEVEL_WARNING] = "warning",
	[LEVEL_PROBLEM] = "problem",
};

void doctor_say(struct doctor *d, enum level level, const char *advice, const char *format, ...)
{
	json_object *finding = json_object_new_object();
	char text[FINDING_MAX];
	va_list args;

	va_start(args, format);
	(void) vsnprintf(text, sizeof(text), format, args);
	va_end(args);

	d->n[level]++;
	json_object_object_add(finding, "level", json_text(level_names[level]));
	json_object_object_add(finding, "check", json_text(d->topic));
	json_object_object_add(finding, "text", json_text(text));
	json_object_object_add(finding, "advice", json_text(advice));
	json_object_array_add(d->findings, finding);
}

/* text from column indent on, broken at spaces where it would not fit; width 0: no terminal, and any length does. */
static void print_wrapped(const char *text, size_t indent, size_t width)
{
	size_t column = indent;

	while (*text) {
		size_t n = strcspn(text, " ");

		if (width > 0 && column > indent && column + n >= width) {
			printf("\n%*s", (int)indent, "");
			column = indent;
		} else if (column > indent) {
			putchar(' ');
			column++;
		}
		printf("%.*s", (int)n, text);
		column += n;
		text += n + (text[n] == ' ');
	}
	putchar('\n');
}

static int print_finding(json_object *finding, size_t width)
{
	_cleanup_free_ char *level = format_path(finding, "level", COLUMN_TEXT);
	_cleanup_free_ char *topic = format_path(finding, "check", COLUMN_TEXT);
	_cleanup_free_ char *text = format_path(finding, "text", COLUMN_TEXT);
	_cleanup_free_ char *advice = format_path(finding, "advice", COLUMN_TEXT);
	_cleanup_free_ char *line = NULL;

	if (!level || !topic || !text || !advice ||
	    asprintf(&line, "%s%s%s", text, advice[0] ? ": " : "", advice) < 0)
		return -ENOMEM;
	printf("%-*s%-*s", LEVEL_WIDTH, level, TOPIC_WIDTH, topic);
	print_wrapped(line, LEVEL_WIDTH + TOPIC_WIDTH, width);
	return 0;
}

int doctor_print(struct doctor *d)
{
	_cleanup_json_ json_object *report = NULL;
	size_t width = terminal_size().columns;
	int r = 0;

	if (d->ctl->is_json) {
		report = json_object_new_object();
		json_object_object_add(report, "problems", json_object_new_uint64(d->n[LEVEL_PROBLEM]));
		json_object_object_add(report, "warnings", json_object_new_uint64(d->n[LEVEL_WARNING]));
		json_object_object_add(report, "findings", json_object_get(d->findings));
		return output_record(d->ctl, report, NULL, NULL);
	}
	for (size_t i = 0; r == 0 && i < json_object_array_length(d->findings); i++)
		r = print_finding(json_object_array_get_idx(d->findings, i), width);
	printf("\nproblems: %zu, warnings: %zu\n", d->n[LEVEL_PROBLEM], d->n[LEVEL_WARNING]);
	return r;
}
