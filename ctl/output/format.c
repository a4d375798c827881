// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Single JSON values as people read them: durations for points in time, "yes" for true, a list of
 * names for an array. Called by output.c alone, which puts them into lines and columns.
 */

#include "output/format.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/utf8.h"
#include "log/log.h"
#include "output/output.h"
#include "text/duration.h"

/* text with every byte that is not printable ASCII as \xNN, to be freed. */
static char *escape(const char *text)
{
	size_t size = strlen(text) * strlen("\\xNN") + 1;
	char *escaped = malloc(size);

	if (escaped)
		(void) log_escape(text, escaped, size);
	return escaped;
}

static bool is_ascii(const char *text)
{
	while (*text && (unsigned char)*text < 0x7f)
		text++;
	return !*text;
}

/* What acts on a terminal goes as \uNNNN: json-c does that for C0 alone. */
json_object *json_text(const char *text)
{
	_cleanup_free_ char *repaired = NULL;
	json_object *o;
	char *printed;

	if (!text || !text[0])
		return NULL;
	if (is_ascii(text))
		return json_object_new_string(text);

	repaired = utf8_repair(text);
	o = repaired ? json_object_new_string(repaired) : NULL;
	printed = o ? utf8_escape(json_object_to_json_string_ext(o, OUTPUT_JSON_FLAGS)) : NULL;
	if (printed)
		json_object_set_serializer(o, json_object_userdata_to_json_string, printed, json_object_free_userdata);
	return o;
}

json_object *json_rate(double value)
{
	char text[64];

	(void) snprintf(text, sizeof(text), "%.1f", value);
	return json_object_new_double_s(value, text);
}

json_object *json_time(int64_t seconds)
{
	return seconds ? json_object_new_int64(seconds) : NULL;
}

/* Time until or since a moment, for people. */
static char *format_time(json_object *value, enum column_kind kind)
{
	char text[DURATION_TEXT_MAX];
	int64_t seconds, now = time(NULL);
	char *line;
	int r;

	if (!value)
		return strdup(kind == COLUMN_TIMELEFT ? "permanent" : "never");

	if (kind == COLUMN_TIMELEFT)
		seconds = json_object_get_int64(value) - now - 1; /* ends are rounded up, so is now */
	else
		seconds = now - json_object_get_int64(value);
	if (seconds <= 0)
		return strdup(kind == COLUMN_AGO ? "now" : "0s");

	(void) duration_format((uint64_t)seconds * 1000000000, text);
	r = asprintf(&line, "%s%s", text, kind == COLUMN_AGO ? " ago" : "");
	return r < 0 ? NULL : line;
}

static char *format_of(json_object *value, const char *key, const char *of_key)
{
	json_object *n = json_object_object_get(value, key);
	char *line;
	int r;

	if (!n)
		return strdup("");
	r = asprintf(&line, "%" PRIu64 " of %" PRIu64, json_object_get_uint64(n),
		     json_object_get_uint64(json_object_object_get(value, of_key)));
	return r < 0 ? NULL : line;
}

/* Three digits say enough of a number that changes while one reads it. */
static char *format_short(json_object *value)
{
	static const char units[] = "kMGTPE";
	uint64_t n = json_object_get_uint64(value), unit = 1000;
	const char *letter = units;
	char *line;
	int r;

	if (json_object_is_type(value, json_type_double))
		n = (uint64_t)(json_object_get_double(value) + 0.5);
	while (n / unit >= 1000) {
		unit *= 1000;
		letter++;
	}
	if (n < 100000)
		r = asprintf(&line, "%" PRIu64, n);
	else
		r = asprintf(&line, "%.*f%c", n / unit >= 100 ? 0 : n / unit >= 10 ? 1 : 2,
			     (double)(n / (unit / 1000)) / 1000, *letter);
	return r < 0 ? NULL : line;
}

static char *format_scalar(json_object *value, enum column_kind kind)
{
	if (kind == COLUMN_TIMELEFT || kind == COLUMN_AGO)
		return format_time(value, kind);
	if (kind == COLUMN_FILL)
		return format_of(value, "count", "limit");
	if (kind == COLUMN_PLACE)
		return format_of(value, "position", "programs");
	if (kind == COLUMN_SHORT)
		return format_short(value);
	if (json_object_is_type(value, json_type_boolean))
		return strdup(json_object_get_boolean(value) ? "yes" : "no");

	return escape(value ? json_object_get_string(value) : "");
}

/* "a,b" of what the elements say, or "a" if they all say "a". */
static char *format_array(json_object *array, const char *path, enum column_kind kind)
{
	_cleanup_free_ char *joined = NULL, *first = NULL;
	size_t n = json_object_array_length(array);
	bool is_alike = true;
	char *longer;

	for (size_t i = 0; i < n; i++) {
		json_object *element = json_object_array_get_idx(array, i);
		_cleanup_free_ char *item = format_path(element, path, kind);

		if (!item)
			return NULL;
		is_alike = is_alike && strcmp(item, first ?: item) == 0;
		if (asprintf(&longer, "%s%s%s", joined ?: "", i > 0 ? "," : "", item[0] ? item : "-") < 0)
			return NULL;
		free(joined);
		joined = longer;
		if (!first)
			first = TAKE_PTR(item);
	}
	if (n == 0)
		return strdup("");
	return is_alike ? TAKE_PTR(first) : TAKE_PTR(joined);
}

char *format_path(json_object *value, const char *path, enum column_kind kind)
{
	char key[64];
	size_t length;

	if (json_object_is_type(value, json_type_array))
		return format_array(value, path, kind);
	if (path[0] == '\0')
		return format_scalar(value, kind);

	length = strcspn(path, ".");
	(void) snprintf(key, sizeof(key), "%.*s", (int)length, path);
	return format_path(json_object_object_get(value, key),
			   path + length + (path[length] == '.'), kind);
}
