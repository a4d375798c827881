// SPDX-License-Identifier: GPL-2.0-or-later

/* Entries as rows: see row.h. */

#include "output/row.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "kernel/tick.h"
#include "output/output.h"

int row_maker_init(struct row_maker *m, struct ctl *ctl, struct table *t)
{
	int r;

	*m = (struct row_maker){ .ctl = ctl };
	for (unsigned i = 0; i < FW_LISTS_MAX; i++) {
		r = table_get_list(t, i, &m->lists[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

void row_maker_done(struct row_maker *m)
{
	for (unsigned i = 0; i < FW_LISTS_MAX; i++)
		m->files[i] = list_free(m->files[i]);
}

static int compare_line(const void *target, const void *line)
{
	return target_compare(target, &((const struct list_line *)line)->target);
}

/* What the list's file says of a target, or NULL. A file that cannot be read costs no more than that. */
static const struct list_line *find_line(struct row_maker *m, unsigned list, const struct target *target)
{
	const char *name = m->lists[list].name;
	int r;

	if (!(m->loaded >> list & 1)) {
		m->loaded |= 1ull << list;
		r = listfile_read(m->ctl->state_dir, name, &m->files[list]);
		if (r < 0 && r != -ENOENT) {
			errno = -r;
			output_note(m->ctl, "cannot read the comments of list '%s': %m", name);
		}
	}
	if (!m->files[list] || m->files[list]->n_items == 0)
		return NULL;
	return bsearch(target, m->files[list]->items, m->files[list]->n_items, sizeof(struct list_line),
		       compare_line);
}

static json_object *make_list(struct row_maker *m, const struct table_entry *e, unsigned list)
{
	const struct list_line *line = find_line(m, list, &e->target);
	const struct fw_list *l = &m->lists[list];
	json_object *o = json_object_new_object();
	unsigned directions = 0;

	for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++)
		if (e->lists[d] >> list & 1)
			directions |= 1u << d;

	json_object_object_add(o, "name", json_text(l->name));
	json_object_object_add(o, "direction", json_text(directions_to_string(directions)));
	json_object_object_add(o, "until", json_time(until_to_unix(e->until[list])));
	json_object_object_add(o, "since", json_time(line ? line->since : 0));
	json_object_object_add(o, "comment", json_text(line ? line->comment : NULL));
	if (!m->is_detailed)
		return o;
	json_object_object_add(o, "action", json_text(action_to_string(l->action)));
	json_object_object_add(o, "mode", json_text(mode_to_string(l->mode)));
	json_object_object_add(o, "enabled", json_object_new_boolean(l->is_enabled));
	json_object_object_add(o, "list_comment",
			       json_text(m->files[list] ? m->files[list]->header.comment : NULL));
	return o;
}

json_object *row_make(struct row_maker *m, const struct table_entry *e)
{
	json_object *row = json_object_new_object(), *lists = json_object_new_array();
	char text[TARGET_TEXT_MAX];

	for (unsigned i = 0; i < FW_LISTS_MAX; i++)
		if (table_entry_lists(e) >> i & 1)
			json_object_array_add(lists, make_list(m, e, i));

	json_object_object_add(row, "target",
			       json_object_new_string(target_format(&e->target, text)));
	json_object_object_add(row, "lists", lists);
	json_object_object_add(row, "hits", json_object_new_uint64(e->hits));
	json_object_object_add(row, "last_hit", json_time(tick_to_unix(e->last_hit)));
	return row;
}
