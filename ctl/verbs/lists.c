// SPDX-License-Identifier: GPL-2.0-or-later

/* lists: which there are, with their policy and counters. flush: empties one. */

#include <stdio.h>

#include "base/cleanup.h"
#include "change/journal.h"
#include "change/replace.h"
#include "change/stamp.h"
#include "output/output.h"
#include "session.h"
#include "state/writerlock.h"
#include "verbs.h"

#define WHAT_TEXT_MAX (FW_LIST_NAME_MAX + 32)

/* For text, in one column, what is not as usual: "block, audit, in, disabled, runtime". */
static json_object *policy_words(const struct fw_list *l, bool has_file)
{
	char text[64];

	(void) snprintf(text, sizeof(text), "%s%s%s%s%s%s", action_to_string(l->action),
			l->mode == FW_MODE_AUDIT ? ", audit" : "", l->directions ? ", " : "",
			l->directions ? directions_to_string(l->directions) : "",
			l->is_enabled ? "" : ", disabled", has_file || l->n_entries == 0 ? "" : ", runtime");
	return json_object_new_string(text);
}

static json_object *list_row(struct ctl *ctl, const struct fw_list *l, const struct fw_list_counters *counters)
{
	_cleanup_(list_freep) struct list *file = NULL;
	json_object *row = json_object_new_object();
	bool has_file = stamp_file_size(ctl, l->name) >= 0;

	/* one that cannot be read costs its comment; a restart of the daemon says what is wrong with it */
	(void) listfile_read_header(ctl->state_dir, l->name, &file);

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
	json_object_object_add(row, "hits_other_netns", json_object_new_uint64(counters->other_netns));
	json_object_object_add(row, "file", json_object_new_boolean(has_file));
	json_object_object_add(row, "comment", json_text(file ? file->header.comment : NULL));
	if (!ctl->is_json)
		json_object_object_add(row, "policy", policy_words(l, has_file));
	return row;
}

static int add_list_rows(struct ctl *ctl, struct table *t, struct output_rows *rows)
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
		r = output_rows_add(rows, list_row(ctl, &list, &counters));
		if (r < 0)
			return r;
	}
	return 0;
}

/*
 * Counts that a killed command has left wrong are mended before they are shown; without the right to, or
 * with another writer at work, they are shown as they are.
 */
static void mend_counts(struct ctl *ctl, struct table *t)
{
	struct table_writer *w = NULL;
	int lock = -1, r = 0;

	if (!table_is_damaged(t) || writerlock_try(ctl->run_dir, "fwctl lists", &lock) < 0)
		return;
	if (table_is_current(t))
		r = table_begin(t, lock, &w);
	(void) table_end(w);
	writerlock_release(lock);
	if (r < 0)
		output_note(ctl, "a command was cut short, the numbers of entries may be off: systemctl "
				 "restart ebpf-fw");
}

int verb_lists(struct ctl *ctl, int argc, char **argv)
{
	static const struct column columns[] = {
		{ "name",       "NAME",       COLUMN_TEXT   },
		{ "policy",     "POLICY",     COLUMN_TEXT   },
		{ "entries",    "ENTRIES",    COLUMN_NUMBER },
		{ "hits",       "HITS",       COLUMN_NUMBER },
		{ "dropped",    "DROPPED",    COLUMN_NUMBER },
		{ "would_drop", "WOULD DROP", COLUMN_NUMBER },
		{ "comment",    "COMMENT",    COLUMN_TEXT   },
		{}
	};
	_cleanup_(table_freep) struct table *table = NULL;
	struct output_rows rows;
	int status, r, end;

	status = session_open(ctl, &table);
	if (status != EXIT_DONE)
		return status;

	mend_counts(ctl, table);
	r = output_rows_begin(&rows, ctl, "lists", columns);
	if (r < 0)
		return r;
	r = add_list_rows(ctl, table, &rows);
	end = output_rows_end(&rows);
	return r < 0 ? r : end;
}

int verb_flush(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_json_ json_object *result = NULL;
	_cleanup_(table_freep) struct table *table = NULL;
	_cleanup_(session_end) struct session_writer session = SESSION_WRITER_NULL;
	_cleanup_(replacement_done) struct replacement x = { .ctl = ctl };
	_cleanup_(guard_done) struct guard guard = {};
	char what[WHAT_TEXT_MAX];
	int status;

	status = session_begin_all(ctl, &table, &guard, &session);
	if (status != EXIT_DONE)
		return status;
	x.table = table;
	x.writer = session.writer;
	status = session_find_list(ctl, table, argv[0], &x.list, &x.policy);
	if (status != EXIT_DONE)
		return status;

	(void) snprintf(what, sizeof(what), "flush list '%s'", x.policy.name);
	status = replacement_init(&x); /* by nothing */
	if (status == EXIT_DONE)
		status = replacements_check((const struct replacement *const[]){ &x }, 1, &guard, what);
	if (status == EXIT_DONE)
		status = replacement_make(&x);
	if (status != EXIT_DONE)
		return status;

	journal_replacement(ctl, x.policy.name, "flushed", 0, x.n_removed, 0);
	session_end(&session);
	result = json_object_new_object();
	json_object_object_add(result, "result", json_text("flushed"));
	json_object_object_add(result, "list", json_text(x.policy.name));
	json_object_object_add(result, "entries", json_object_new_uint64(x.n_removed));
	return output_result(ctl, result, "flushed list '%s': %zu entries taken out", x.policy.name,
			     x.n_removed);
}
