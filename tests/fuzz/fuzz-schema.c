// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * The input as the description of another version's structs. What is accepted reads the same after it was printed, and
 * a plan made from it stays inside both structs: the sanitizer sees a conversion that does not.
 */

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"
#include "fuzz.h"
#include "load/schema.h"

static bool is_same(const struct schema *a, const struct schema *b)
{
	if (a->n_rows != b->n_rows)
		return false;
	for (size_t i = 0; i < a->n_rows; i++)
		if (strcmp(a->rows[i].type, b->rows[i].type) != 0 || strcmp(a->rows[i].member, b->rows[i].member) != 0 ||
		    a->rows[i].offset != b->rows[i].offset || a->rows[i].size != b->rows[i].size ||
		    a->rows[i].count != b->rows[i].count)
			return false;
	return true;
}

static void convert(const struct schema *from, const struct schema *to, const char *type)
{
	_cleanup_free_ void *old = NULL, *new = NULL;
	struct schema_plan plan;

	if (schema_plan(from, to, type, &plan) == -E2BIG)
		return;
	if (schema_size(from, type) == 0 || schema_size(to, type) == 0)
		return;
	old = calloc(1, schema_size(from, type)); /* of the exact size, so that an access outside is seen */
	new = calloc(1, schema_size(to, type));
	MUST(old && new);
	schema_convert(&plan, old, new);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = malloc(size + 1), *printed = NULL;
	_cleanup_(schema_done) struct schema s = {}, again = {};
	int r;

	if (size >= SCHEMA_TEXT_MAX / 2) /* what is accepted has to fit when it is printed */
		return 0;
	MUST(text);
	memcpy(text, data, size);
	text[size] = '\0';

	r = schema_parse(text, &s);
	MUST(r == 0 || r == -EBADMSG);
	if (r < 0)
		return 0;

	printed = schema_format(&s);
	MUST(printed);
	MUST(schema_parse(printed, &again) == 0 && is_same(&s, &again));

	for (size_t i = 0; i < s.n_rows; i++) {
		convert(&s, &schema_own, s.rows[i].type);
		convert(&schema_own, &s, s.rows[i].type);
	}
	return 0;
}
