// SPDX-License-Identifier: GPL-2.0-or-later

/* A series of changes: its begin, which repairs what a dead writer has left, and its end. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "table-internal.h"

static int publish(struct table *t)
{
	uint64_t block = 0, audit = 0, allow = 0, bit;
	struct fw_list list;
	int r;

	if (t->ports_changed) {
		r = table_exchange_port_index(t);
		if (r < 0)
			return r;
	}

	for (unsigned i = 0; i < FW_LISTS_MAX; i++) {
		r = table_get_list(t, i, &list);
		if (r < 0)
			return r;
		if (t->n_more_entries[i]) {
			list.n_entries += t->n_more_entries[i];
			r = table_put_list(t, i, &list);
			if (r < 0)
				return r;
			t->n_more_entries[i] = 0;
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

	table_shrink(t);
	t->is_changing = false;
	__atomic_store_n(&t->census->is_changing, 0, __ATOMIC_RELEASE);
	table_close_tables(t);
	return 0;
}

int table_repair(struct table *t)
{
	int r;

	t->is_changing = true;
	__atomic_store_n(&t->census->is_changing, 1, __ATOMIC_SEQ_CST);
	r = table_count_anew(t);
	if (r >= 0)
		r = publish(t);
	if (r < 0)
		table_abandon(t); /* and the next one tries again */
	return r;
}

void table_abandon(struct table *t)
{
	free(TAKE_PTR(t->port_index));
	t->ports_changed = false;
	memset(t->n_more_entries, 0, sizeof(t->n_more_entries));
	t->is_changing = false;
}

int table_begin(struct table *t)
{
	int r;

	if (t->is_changing)
		return 0;
	if (table_is_damaged(t)) {
		r = table_repair(t);
		if (r < 0)
			return r;
	}
	t->is_changing = true;
	t->lists_checked = 0;
	__atomic_store_n(&t->census->is_changing, 1, __ATOMIC_SEQ_CST);
	return 0;
}

int table_commit(struct table *t)
{
	int r = table_begin(t); /* a change of policy alone begins here: what a dead writer left is not to be called done */

	return r < 0 ? r : publish(t);
}
