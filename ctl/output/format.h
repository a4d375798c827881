/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* JSON values: making them, and how they read as text. */

#include <json-c/json.h>
#include <stdint.h>

#include "base/cleanup.h"

enum column_kind {
	COLUMN_TEXT,
	COLUMN_NUMBER,   /* to the right */
	COLUMN_CUT,      /* the same; a table that is too wide goes on with it below, as a second one */
	COLUMN_SHORT,    /* the same in at most 5 letters: 99999, 100k, 1.23M */
	COLUMN_TIMELEFT, /* Unix time in seconds to the time until then; null = permanent */
	COLUMN_AGO,      /* Unix time in seconds to the time since then; null = never */
	COLUMN_FILL,     /* {"count", "limit"} to "3 of 1000" */
	COLUMN_PLACE,    /* {"position", "programs"}, among others: "1 of 3" */
};

/*
 * How one value of an object reads. The key may be a path ("lists.name"); through an array it joins
 * the values with commas, or prints one if all are alike. Arrays of columns end with {}.
 */
struct column {
	const char *key;
	const char *title;
	enum column_kind kind;
};

/* What a value says at a path, escaped, to be freed; NULL without memory. */
char *format_path(json_object *value, const char *path, enum column_kind kind);

/* text, or null for NULL and "". U+FFFD stands for each byte that is not UTF-8. */
json_object *json_text(const char *text);

/* Something per second, or seconds, to one tenth. */
json_object *json_rate(double value);

/* A point in Unix time, or null for 0. */
json_object *json_time(int64_t seconds);

static inline void json_object_putp(json_object **o)
{
	(void) json_object_put(*o); /* says whether it was the last reference */
}
#define _cleanup_json_ _cleanup_(json_object_putp)
