// SPDX-License-Identifier: GPL-2.0-or-later

/* How many entries there are, of which length, in which list, and when the next one ends. */

#include "state/filter.h"
#include "state/table-internal.h"

__u64 *table_census_of(struct table *t, const struct prefix *p)
{
	return p->family == AF_INET ? &t->census->v4[p->length] : &t->census->v6[p->length];
}

void table_set_length(struct table_writer *w, int family, unsigned length, bool in_use)
{
	struct table *t = w->t;
	unsigned position = prefix_full_length(family) - length;
	__u64 *word = family == AF_INET ? &t->policy->lengths4 : &t->policy->lengths6[position / 64];
	uint64_t bit = 1ull << (position % 64);

	if (in_use)
		__atomic_fetch_or(word, bit, __ATOMIC_SEQ_CST);
	else
		__atomic_fetch_and(word, ~bit, __ATOMIC_SEQ_CST);
}

uint64_t table_count(struct table *t, enum fw_kind kind)
{
	uint64_t n = 0;

	if (kind == FW_KIND_IPV4)
		for (unsigned i = 0; i <= 32; i++)
			n += t->census->v4[i];
	else if (kind == FW_KIND_IPV6)
		for (unsigned i = 0; i <= 128; i++)
			n += t->census->v6[i];
	else
		for (unsigned i = 0; i < FW_PORT_ENTRIES_MAX; i++)
			n += t->ports[i].is_used;
	return n;
}

uint64_t table_count_keys(struct table *t, enum fw_kind kind)
{
	struct prefix p = { .family = kind == FW_KIND_IPV4 ? AF_INET : AF_INET6 };
	uint64_t n = 0;

	for (unsigned length = 0; length <= prefix_full_length(p.family); length++) {
		p.length = length;
		n += filter_keys(&p) * *table_census_of(t, &p);
	}
	return n;
}

void table_count_in_lists(struct table_writer *w, uint64_t was, uint64_t is)
{
	for (unsigned i = 0; i < FW_LISTS_MAX && was != is; i++) {
		uint64_t bit = 1ull << i;

		if ((was ^ is) & bit)
			w->n_more_entries[i] += is & bit ? 1 : -1;
	}
}

void table_note_ends(struct table_writer *w, const struct table_entry *e)
{
	struct table *t = w->t;
	for (unsigned i = 0; i < FW_LISTS_MAX; i++)
		if (table_entry_lists(e) & 1ull << i && e->until[i] != FW_UNTIL_NEVER &&
		    (t->census->next_end == 0 || e->until[i] < t->census->next_end))
			t->census->next_end = e->until[i];
}

uint32_t table_next_end(struct table *t)
{
	return t->census->next_end ?: FW_UNTIL_MAX;
}

void table_mark(struct table_writer *w)
{
	if (w->is_changing)
		return;
	w->is_changing = true;
	w->lists_checked = 0;
	__atomic_store_n(&w->t->census->is_changing, 1, __ATOMIC_SEQ_CST);
}

bool table_is_damaged(struct table *t)
{
	return t->census->is_changing && !t->writer.is_changing;
}
