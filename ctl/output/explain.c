// SPDX-License-Identifier: GPL-2.0-or-later

/* The answer of check as text: see explain.h. Lines, not a table: comments are long, and so are addresses. */

#include "output/explain.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

static bool is_word(json_object *o, const char *key, const char *word)
{
	const char *text = json_object_get_string(json_object_object_get(o, key));

	return text && strcmp(text, word) == 0;
}

/* "    since 3h12m ago", or nothing where the value is null; start and end go around it. */
static int print_value(json_object *o, const char *key, enum column_kind kind, const char *start, const char *end)
{
	_cleanup_free_ char *text = NULL;

	if (!json_object_object_get(o, key))
		return 0;
	text = format_path(o, key, kind);
	if (!text)
		return -ENOMEM;
	printf("%s%s%s", start, text, end);
	return 0;
}

/*
 *   list manual: blocks in and out, since 3h ago, 9m58s left
 *     # why the entry is there
 *     list: # what the list is
 */
static int print_holder(json_object *l)
{
	bool is_allow = is_word(l, "action", "allow"), is_audit = is_word(l, "mode", "audit");
	bool is_enabled = json_object_get_boolean(json_object_object_get(l, "enabled"));
	const char *does = is_allow ? "allows" : is_audit ? "audits" : "blocks";
	int r;

	r = print_value(l, "name", COLUMN_TEXT, "  list ", ": ");
	printf("%s%s", is_enabled ? "" : "disabled, ", does);
	if (is_word(l, "direction", "both"))
		fputs(" in and out", stdout);
	else if (r == 0)
		r = print_value(l, "direction", COLUMN_TEXT, " ", "");
	if (r == 0)
		r = print_value(l, "since", COLUMN_AGO, ", since ", "");
	if (r == 0 && !json_object_object_get(l, "until"))
		fputs(", permanent", stdout);
	if (r == 0)
		r = print_value(l, "until", COLUMN_TIMELEFT, ", ", " left");
	putchar('\n');
	if (r == 0)
		r = print_value(l, "comment", COLUMN_TEXT, "    # ", "\n");
	if (r == 0)
		r = print_value(l, "list_comment", COLUMN_TEXT, "    list: # ", "\n");
	return r;
}

static int print_entry(json_object *entry)
{
	json_object *lists = json_object_object_get(entry, "lists");
	int r;

	putchar('\n');
	r = print_value(entry, "target", COLUMN_TEXT, "", "");
	if (r == 0)
		r = print_value(entry, "hits", COLUMN_TEXT, ": hits ", "");
	if (r == 0)
		r = print_value(entry, "last_hit", COLUMN_AGO, ", the last ", "");
	putchar('\n');
	for (size_t i = 0; r == 0 && i < json_object_array_length(lists); i++)
		r = print_holder(json_object_array_get_idx(lists, i));
	return r;
}

/* The verdict of the kernel in the same direction. */
static json_object *find_direction(json_object *record, json_object *row)
{
	const char *direction = json_object_get_string(json_object_object_get(row, "direction"));
	json_object *all = json_object_object_get(record, "directions");
	size_t i = 0;

	while (!is_word(json_object_array_get_idx(all, i), "direction", direction))
		i++;
	return json_object_array_get_idx(all, i);
}

static bool is_same(json_object *a, json_object *b, const char *key)
{
	return json_object_equal(json_object_object_get(a, key), json_object_object_get(b, key));
}

/* Is the row the same as the next one, but for the direction? Both ways are then one line. */
static bool is_twin(json_object *record, json_object *row, json_object *next)
{
	return next && is_same(row, next, "list") && is_same(row, next, "verdict") &&
	       is_same(row, next, "reason") && is_same(row, next, "by") &&
	       is_same(find_direction(record, row), find_direction(record, next), "verdict");
}

/* "without manual, ingress: still dropped by spamhaus-drop" */
static int print_without(json_object *record, json_object *row, bool is_both)
{
	bool is_drop = is_word(row, "verdict", "drop"), is_audited = is_word(row, "reason", "audited");
	bool is_still = is_same(find_direction(record, row), row, "verdict");
	int r;

	r = print_value(row, "list", COLUMN_TEXT, "without ", ", ");
	if (r == 0)
		r = print_value(row, "direction", COLUMN_TEXT, "", is_both ? " and egress: " : ": ");
	if (is_drop)
		fputs(is_still ? "still dropped" : "would be dropped", stdout);
	else
		fputs(is_still ? "still passes" : "would pass", stdout);
	if (r == 0)
		r = print_value(row, "by", COLUMN_TEXT,
				is_drop ? " by " : is_audited ? ", audited by " : ", allowed by ", "");
	putchar('\n');
	return r;
}

static int print_all_without(json_object *record, json_object *rows)
{
	json_object *row, *next;
	bool is_both;
	int r = 0;

	if (json_object_array_length(rows) > 0)
		putchar('\n');
	for (size_t i = 0; r == 0 && i < json_object_array_length(rows); i += 1 + is_both) {
		row = json_object_array_get_idx(rows, i);
		next = json_object_array_get_idx(rows, i + 1);
		is_both = is_twin(record, row, next);
		r = print_without(record, row, is_both);
	}
	return r;
}

int explain_check(struct ctl *ctl, json_object *record)
{
	static const struct column fields[] = {
		{ "address", "address", COLUMN_TEXT },
		{ "port",    "port",    COLUMN_TEXT },
		{ "verdict", "verdict", COLUMN_TEXT },
		{ "reason",  "reason",  COLUMN_TEXT },
		{}
	};
	static const struct column directions[] = {
		{ "direction", "DIRECTION", COLUMN_TEXT },
		{ "verdict",   "VERDICT",   COLUMN_TEXT },
		{ "reason",    "REASON",    COLUMN_TEXT },
		{ "list",      "LIST",      COLUMN_TEXT },
		{ "hooks.hook", "AT",       COLUMN_TEXT },
		{}
	};
	static const struct section sections[] = {
		{ "directions", directions },
		{}
	};
	json_object *entries = json_object_object_get(record, "entries");
	int r;

	r = output_record(ctl, record, fields, sections);
	if (ctl->is_json)
		return r;
	for (size_t i = 0; r == 0 && i < json_object_array_length(entries); i++)
		r = print_entry(json_object_array_get_idx(entries, i));
	return r < 0 ? r : print_all_without(record, json_object_object_get(record, "without"));
}
