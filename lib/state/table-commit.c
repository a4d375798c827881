// SPDX-License-Identifier: GPL-2.0-or-later

/* A series of changes: its begin, which repairs what a dead writer has left, and its end. */

#include "base/cleanup.h"
#include "state/table-internal.h"

static int publish(struct table_writer *w)
{
	struct table *t = w->t;
	uint64_t block = 0, audit = 0, allow = 0, bit;
	struct fw_list list;
	int r;

	if (w->ports_changed) {
		r = table_exchange_port_index(w);
		if (r < 0)
			return r;
	}

	for (unsigned i = 0; i < FW_LISTS_MAX; i++) {
		r = table_get_list(t, i, &list);
		if (r < 0)
			return r;
		if (w->n_more_entries[i]) {
			list.n_entries += w->n_more_entries[i];
			r = table_put_list(w, i, &list);
			if (r < 0)
				return r;
			w->n_more_entries[i] = 0;
		}
		bit = 1ull << i;
		if (list.name[0] == '\0' || !list.is_enabled)
			continue;
		if (list.action == FW_ACTION_ALLOW)
			allow |= list.n_entries ? bit : 0; /* an empty one would only forbid stopping early */
		else if (list.mode == FW_MODE_AUDIT)
			audit |= bit;
		else
			block |= bit;
	}

	/* between two stores a packet may pass that is to be blocked, never the reverse: exceptions come first and go last */
	__atomic_store_n(&t->policy->allow, allow | t->policy->allow, __ATOMIC_RELEASE);
	__atomic_store_n(&t->policy->audit, audit, __ATOMIC_RELEASE);
	__atomic_store_n(&t->policy->block, block, __ATOMIC_RELEASE);
	__atomic_store_n(&t->policy->allow, allow, __ATOMIC_RELEASE);

	table_shrink(w);
	w->is_changing = false;
	__atomic_store_n(&t->census->is_changing, 0, __ATOMIC_RELEASE);
	table_close_tables(t);
	return 0;
}

int table_repair(struct table_writer *w)
{
	int r;

	table_mark(w);
	r = table_count_anew(w);
	return r < 0 ? r : publish(w);
}

int table_begin(struct table *t, int lock_fd, struct table_writer **ret)
{
	struct table_writer *w = table_begin_unrepaired(t, lock_fd);
	int r = 0;

	if (t->census->is_changing)
		r = table_repair(w);
	if (r < 0)
		w = table_end(w); /* it stays marked, and the next one tries again */
	else
		*ret = w;
	return r;
}

int table_commit(struct table_writer *w)
{
	table_mark(w); /* a change of policy alone begins here */
	return publish(w);
}
