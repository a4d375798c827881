// SPDX-License-Identifier: GPL-2.0-or-later

/* lists: which there are, with their policy and counters. flush: empties one. */

#include "cleanup.h"
#include "output.h"
#include "replace.h"

static json_object *list_row(const struct fw_list *l, const struct fw_list_counters *counters)
{
	json_object *row = json_object_new_object();

	json_object_object_add(row, "name", json_text(l->name));
	json_object_object_add(row, "action", json_text(action_to_string(l->action)));
	json_object_object_add(row, "mode", json_text(mode_to_string(l->mode)));
	json_object_object_add(row, "direction",
			       json_text(l->directions ? directions_to_string(l->directions) : "default"));
	json_object_object_add(row, "enabled", json_object_new_boolean(l->is_enabled));
	json_object_object_add(row, "entries", json_object_new_uint64(l->n_entries));
	json_object_object_add(row, "hits", json_object_new_uint64(counters->hits));
	json_object_object_add(row, "dropped", json_object_new_uint64(counters->dropped));
	json_object_object_add(row, "would_drop", json_object_new_uint64(counters->would_drop));
	return row;
}

static int add_list_rows(struct table *t, struct output_rows *rows)
{
	struct fw_list_counters counters;
	struct fw_list list;
	int r;

	for (unsigned i = 0; i < FW_LISTS_MAX; i++) {
		r = table_get_list(t, i, &list);
		if (r < 0)
			return r;
		if (!list.name[0])
			continue;
		r = table_read_list_counters(t, i, &counters);
		if (r < 0)
			return r;
		r = output_rows_add(rows, list_row(&list, &counters));
		if (r < 0)
			return r;
	}
	return 0;
}

int verb_lists(struct ctl *ctl, int argc, char **argv)
{
	static const struct column columns[] = {
		{ "name",       "NAME",       COLUMN_TEXT   },
		{ "action",     "ACTION",     COLUMN_TEXT   },
		{ "mode",       "MODE",       COLUMN_TEXT   },
		{ "direction",  "DIRECTION",  COLUMN_TEXT   },
		{ "enabled",    "ENABLED",    COLUMN_TEXT   },
		{ "entries",    "ENTRIES",    COLUMN_NUMBER },
		{ "hits",       "HITS",       COLUMN_NUMBER },
		{ "dropped",    "DROPPED",    COLUMN_NUMBER },
		{ "would_drop", "WOULD DROP", COLUMN_NUMBER },
		{}
	};
	_cleanup_(table_freep) struct table *table = NULL;
	struct output_rows rows;
	int status, r, end;

	status = session_open(ctl, &table);
	if (status != EXIT_DONE)
		return status;

	r = output_rows_begin(&rows, ctl, "lists", columns);
	if (r < 0)
		return r;
	r = add_list_rows(table, &rows);
	end = output_rows_end(&rows);
	return r < 0 ? r : end;
}

int verb_flush(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_json_ json_object *result = NULL;
	_cleanup_(table_freep) struct table *table = NULL;
	_cleanup_close_ int lock = -1;
	_cleanup_(replacement_done) struct replacement x = { .ctl = ctl };
	int status;

	status = session_open(ctl, &table);
	if (status != EXIT_DONE)
		return status;
	status = session_lock(ctl, &lock);
	if (status != EXIT_DONE)
		return status;
	x.table = table;
	status = session_find_list(ctl, table, argv[0], &x.list, &x.policy);
	if (status != EXIT_DONE)
		return status;

	status = replacement_init(&x); /* by nothing */
	if (status == EXIT_DONE)
		status = replacement_make(&x);
	if (status != EXIT_DONE)
		return status;

	(void) close(TAKE_FD(lock)); /* who reads our output slowly holds up no other writer */
	result = json_object_new_object();
	json_object_object_add(result, "result", json_text("flushed"));
	json_object_object_add(result, "list", json_text(x.policy.name));
	json_object_object_add(result, "entries", json_object_new_uint64(x.n_removed));
	return output_result(ctl, result, "flushed list '%s': %zu entries taken out", x.policy.name,
			     x.n_removed);
}
