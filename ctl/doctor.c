// SPDX-License-Identifier: GPL-2.0-or-later

/* doctor: goes through its checks and prints what they found; see doctor.h. */

#include "doctor.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "cleanup.h"
#include "log.h"
#include "output.h"
#include "pins.h"
#include "screen.h"

#define FINDING_MAX 1024
#define LEVEL_WIDTH 9
#define TOPIC_WIDTH 11

static const struct check {
	const char *topic;
	int (*run)(struct doctor *d);
	bool needs_table;
} checks[] = {
	{ "loaded",   doctor_check_loaded,   false },
	{ "daemon",   doctor_check_daemon,   false },
	{ "boot",     doctor_check_boot,     false },
	{ "attached", doctor_check_attached, true  },
	{ "interfaces", doctor_check_interfaces, true },
	{ "orphans",  doctor_check_orphans,  false },
	{ "others",   doctor_check_others,   false },
	{ "lockout",  doctor_check_lockout,  true  },
	{ "changes",  doctor_check_changes,  true  },
	{ "room",     doctor_check_room,     true  },
	{ "files",    doctor_check_files,    false },
	{ "kernel",   doctor_check_kernel,   false },
	{ "run time", doctor_check_run_time, false },
};

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

static int print_report(struct doctor *d)
{
	_cleanup_json_ json_object *report = NULL;
	size_t width = screen_size().columns;
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

int verb_doctor(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_json_ json_object *findings = json_object_new_array();
	_cleanup_(table_freep) struct table *table = NULL;
	struct doctor d = { .ctl = ctl, .findings = findings };
	int r;

	d.error = pins_check_dir(ctl->pin_dir);
	if (d.error == 0)
		d.error = table_open(ctl->pin_dir, &table);
	if (d.error == -EACCES || d.error == -EPERM)
		return session_explain(ctl, d.error); /* nobody but root sees enough to judge */
	d.table = table;

	for (size_t i = 0; i < ELEMENTSOF(checks); i++) {
		if (checks[i].needs_table && !table)
			continue;
		d.topic = checks[i].topic;
		r = checks[i].run(&d);
		if (r < 0)
			doctor_say(&d, LEVEL_WARNING, NULL, "cannot look: %s", strerror(-r));
	}

	r = print_report(&d);
	if (r < 0)
		return r;
	return d.n[LEVEL_PROBLEM] + d.n[LEVEL_WARNING] > 0 ? EXIT_NO : EXIT_DONE;
}
