// SPDX-License-Identifier: GPL-2.0-or-later

/* lists: which there are, with their policy and counters. flush: empties one. */

#include <errno.h>
#include <stdlib.h>

#include "cleanup.h"
#include "log.h"
#include "output.h"

static json_object *list_row(const struct fw_list *l, const struct fw_list_counters *counters)
{
	json_object *row = json_object_new_object();

	json_object_object_add(row, "name", json_text(l->name));
	json_object_object_add(row, "action", json_text(action_to_string(l->action)));
	json_object_object_add(row, "mode", json_text(mode_to_string(l->mode)));
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

/*
 * What flushing needs to know of an entry to put it back; less than a struct table_entry, of which a
 * million would take 300 MB.
 */
struct member {
	struct target target;
	uint32_t until;
	unsigned directions;
};

struct members {
	unsigned list;
	struct member *items;
	size_t n_items;
	size_t n_allocated;
};

static void members_done(struct members *m)
{
	free(m->items);
}

static int gather(const struct table_entry *e, void *userdata)
{
	struct members *m = userdata;
	struct member *items;
	size_t n;

	if (!(table_entry_lists(e) >> m->list & 1))
		return 0;
	if (m->n_items == m->n_allocated) {
		n = m->n_allocated ? m->n_allocated * 2 : 64;
		items = reallocarray(m->items, n, sizeof(*items));
		if (!items)
			return -ENOMEM;
		m->items = items;
		m->n_allocated = n;
	}
	m->items[m->n_items++] = (struct member){
		.target = e->target,
		.until = e->until[m->list],
		.directions = (e->lists[FW_INGRESS] >> m->list & 1 ? FW_IN : 0) |
			      (e->lists[FW_EGRESS] >> m->list & 1 ? FW_OUT : 0),
	};
	return 0;
}

/* Puts the first n members back. */
static void refill(struct ctl *ctl, struct table *t, const struct members *m, size_t n)
{
	int r = 0, commit;
	bool is_new;

	for (size_t i = 0; i < n && r == 0; i++)
		r = table_add(t, &m->items[i].target, m->list, m->items[i].directions,
			      m->items[i].until, &is_new);
	commit = table_commit(t);
	if (r == 0)
		r = commit;
	if (r < 0) {
		errno = -r;
		output_note(ctl, "Cannot undo: %m; 'systemctl restart ebpf-fw' reads the file again");
	}
}

static int empty_kernel(struct table *t, const struct members *m, size_t *ret_n_done)
{
	int r;

	for (*ret_n_done = 0; *ret_n_done < m->n_items; (*ret_n_done)++) {
		r = table_remove(t, &m->items[*ret_n_done].target, m->list);
		if (r < 0 && r != -ENOENT) /* what has ended is gone already */
			return r;
	}
	return table_commit(t);
}

static int flush(struct ctl *ctl, struct table *t, const struct fw_list *policy,
		 const struct members *m)
{
	struct list_header header = session_list_header(policy);
	size_t n_done;
	int r;

	r = empty_kernel(t, m, &n_done);
	if (r < 0) {
		refill(ctl, t, m, n_done);
		errno = -r;
		return output_fail(ctl, EXIT_NO, "Cannot flush list '%s': %m. Nothing was changed",
				   policy->name);
	}
	if (ctl->is_runtime)
		return EXIT_DONE;

	r = listfile_replace(ctl->state_dir, &header, NULL, 0);
	if (r < 0) {
		refill(ctl, t, m, n_done);
		errno = -r;
		return output_fail(ctl, r == -EACCES || r == -EPERM ? EXIT_PERMISSION : EXIT_NO,
				   "Cannot write the file below '%s/lists': %m. Nothing was changed",
				   ctl->state_dir);
	}
	return EXIT_DONE;
}

int verb_flush(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_(members_done) struct members members = {};
	_cleanup_json_ json_object *result = NULL;
	_cleanup_(table_freep) struct table *table = NULL;
	_cleanup_close_ int lock = -1;
	struct fw_list policy;
	int status, r;

	status = session_open(ctl, &table);
	if (status != EXIT_DONE)
		return status;
	status = session_find_list(ctl, table, argv[0], &members.list, &policy);
	if (status != EXIT_DONE)
		return status;
	status = session_lock(ctl, &lock);
	if (status != EXIT_DONE)
		return status;

	r = table_walk(table, gather, &members);
	if (r < 0)
		return r;
	status = flush(ctl, table, &policy, &members);
	if (status != EXIT_DONE)
		return status;

	(void) close(TAKE_FD(lock)); /* who reads our output slowly holds up no other writer */
	result = json_object_new_object();
	json_object_object_add(result, "result", json_text("flushed"));
	json_object_object_add(result, "list", json_text(policy.name));
	json_object_object_add(result, "entries", json_object_new_uint64(members.n_items));
	return output_result(ctl, result, "flushed list '%s': %zu entries taken out", policy.name,
			     members.n_items);
}
