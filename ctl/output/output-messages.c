// SPDX-License-Identifier: GPL-2.0-or-later

/* Notes, errors, and whether the output has arrived: see output.h. */

#include "output/output.h"

#include <stdarg.h>

#include "base/cleanup.h"
#include "log/log.h"

#define MESSAGE_MAX 1024

void output_print_notes(struct ctl *ctl)
{
	if (ctl->notes)
		printf(",\"notes\":%s", json_object_to_json_string_ext(ctl->notes, OUTPUT_JSON_FLAGS));
}

/* A message, after the place it is about if it has one. */
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
	log_line(json_object_to_json_string_ext(error, OUTPUT_JSON_FLAGS));
	return status;
}

int output_finish(struct ctl *ctl)
{
	bool is_reason_known = fflush(stdout) != 0; /* of what was written before, errno tells no more */

	if (!ferror(stdout))
		return EXIT_DONE;
	clearerr(stdout); /* said once: a viewer asks after each screen, and main() at the end */
	return output_fail(ctl, EXIT_NO, is_reason_known ? "Cannot write the output: %m" : "Cannot write the output");
}
