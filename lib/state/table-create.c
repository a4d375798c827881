// SPDX-License-Identifier: GPL-2.0-or-later

/* What loading leaves empty. */

#include <errno.h>

#include <bpf/bpf.h>

#include "base/cleanup.h"
#include "state/table-internal.h"

#define TABLE_ENTRIES_MIN 1024 /* some 80 KiB: what a table starts with */

static void table_freep(struct table **t)
{
	(void) table_free(*t);
}

static int create_table(struct table_writer *w, enum fw_kind kind)
{
	struct table *t = w->t;
	uint32_t slot = fw_slot(t->policy->table_generation[kind]), outer = kind * FW_TABLE_SLOTS + slot, id;
	struct chains *c;
	int r;

	if (bpf_map_lookup_elem(t->tables_fd, &outer, &id) == 0)
		return 0;
	if (errno != ENOENT)
		return -errno;
	r = chains_new(t->meta.max_entries < TABLE_ENTRIES_MIN ? t->meta.max_entries : TABLE_ENTRIES_MIN, &c);
	if (r < 0)
		return r;
	r = table_put_slot(w, kind, slot, c);
	chains_free(c);
	return r;
}

int table_create(const char *pin_dir, int lock_fd)
{
	static const struct fw_list first_lists[] = {
		[FW_LIST_MANUAL_ID] = { .name = FW_LIST_MANUAL, .action = FW_ACTION_BLOCK, .is_enabled = 1 },
		[FW_LIST_ALLOW_ID] = { .name = FW_LIST_ALLOW, .action = FW_ACTION_ALLOW, .is_enabled = 1 },
	};
	_cleanup_(table_freep) struct table *t = NULL;
	struct table_writer *w;
	struct fw_list list;
	bool is_damaged;
	int r;

	r = table_open(pin_dir, &t);
	if (r < 0)
		return r;
	w = table_begin_unrepaired(t, lock_fd); /* there may be nothing yet that could be repaired */
	is_damaged = t->census->is_changing;

	for (enum fw_kind kind = FW_KIND_IPV4; kind <= FW_KIND_IPV6; kind++) {
		r = create_table(w, kind);
		if (r < 0)
			return r;
	}

	r = table_ends_create(w);
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < ELEMENTSOF(first_lists); i++) {
		r = table_get_list(t, i, &list);
		if (r >= 0 && list.name[0] == '\0')
			r = table_set_list(w, i, &first_lists[i]);
		if (r < 0)
			return r;
	}
	w->ports_changed = true;
	return is_damaged ? table_repair(w) : table_commit(w);
}
