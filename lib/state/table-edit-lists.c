// SPDX-License-Identifier: GPL-2.0-or-later

/* Changing and making lists: a free place and counters that begin at zero, even if another list had that place before. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "kernel/tick.h"
#include "state/table-internal.h"

static bool is_same_policy(const struct fw_list *a, const struct fw_list *b)
{
	return strncmp(a->name, b->name, sizeof(a->name)) == 0 && a->action == b->action && a->mode == b->mode &&
	       a->is_enabled == b->is_enabled;
}

/* An index gets another list, or none: events that were not read yet belong to the previous one. */
static void remember_former(const struct fw_list *before, struct fw_list *list)
{
	bool is_same = strncmp(before->name, list->name, sizeof(list->name)) == 0;

	list->made_ns = is_same || !list->name[0] ? before->made_ns : boot_clock_ns();
	list->former_made_ns = before->former_made_ns;
	memcpy(list->former, before->former, sizeof(list->former));
	if (!is_same && before->name[0]) {
		list->former_made_ns = before->made_ns;
		memcpy(list->former, before->name, sizeof(list->former));
	}
}

int table_set_list(struct table_writer *w, unsigned index, const struct fw_list *list)
{
	struct table *t = w->t;
	struct fw_list before, fresh = *list;
	int r;

	r = table_get_list(t, index, &before);
	if (r < 0)
		return r;
	remember_former(&before, &fresh);
	if (!is_same_policy(&before, list)) /* a change that table_commit() completes */
		table_mark(w);
	return table_put_list(w, index, &fresh);
}

static int find_free(struct table *t)
{
	struct fw_list list;
	int r;

	for (unsigned i = 0; i < FW_LISTS_MAX; i++) {
		r = table_get_list(t, i, &list);
		if (r < 0)
			return r;
		if (list.name[0] == '\0' && list.n_entries == 0) /* else entries would become those of another list */
			return i;
	}
	return -ENFILE;
}

/* No entry has this list: the kernel does not count in it during this. */
static int clear_counters(struct table_writer *w, uint32_t index)
{
	struct table *t = w->t;
	static const struct fw_list_counters no_base = {};
	_cleanup_free_ struct fw_list_counters *zero = NULL;
	int n_cpus = libbpf_num_possible_cpus();

	if (n_cpus < 0)
		return n_cpus;
	zero = calloc(n_cpus, sizeof(*zero));
	if (!zero)
		return -ENOMEM;
	if (bpf_map_update_elem(t->list_counters_fd, &index, zero, BPF_ANY) < 0)
		return -errno;
	return table_set_list_base(w, index, &no_base);
}

int table_new_list(struct table_writer *w, const struct fw_list *list)
{
	struct table *t = w->t;
	struct fw_list empty = *list;
	int index, r;

	table_mark(w);
	index = find_free(t);
	if (index < 0)
		return index;
	r = clear_counters(w, index);
	if (r < 0)
		return r;

	empty.n_entries = 0;
	r = table_set_list(w, index, &empty);
	return r < 0 ? r : index;
}
