// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * The port entries as user space keeps them, and the index that packets go by: see ports.h.
 *
 * The ports of both protocols lie on one line, protocol << 16 | port. The first port of each entry and the one after its
 * last cut the line into segments, inside which the same entries cover every port.
 */

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "state/ports.h"

static uint32_t line_first(const struct fw_port *p)
{
	return (uint32_t)p->protocol << 16 | p->first;
}

static uint32_t line_last(const struct fw_port *p)
{
	return (uint32_t)p->protocol << 16 | p->last;
}

static int compare_starts(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Fills start[] with each cut once, ascending; unused places are greater than every port. */
static unsigned cut_line(const struct fw_port *entries, uint32_t start[static FW_PORT_SEGMENTS_MAX])
{
	unsigned n = 0, n_distinct = 0;

	_Static_assert(2 * FW_PORT_ENTRIES_MAX + 1 <= FW_PORT_SEGMENTS_MAX, "two cuts an entry, and one at 0");
	memset(start, 0xff, FW_PORT_SEGMENTS_MAX * sizeof(start[0]));
	start[n++] = 0;
	for (unsigned i = 0; i < FW_PORT_ENTRIES_MAX; i++) {
		if (!entries[i].is_used)
			continue;
		start[n++] = line_first(&entries[i]);
		start[n++] = line_last(&entries[i]) + 1;
	}

	qsort(start, n, sizeof(start[0]), compare_starts);
	for (unsigned i = 0; i < n; i++)
		if (i == 0 || start[i] != start[n_distinct - 1])
			start[n_distinct++] = start[i];
	for (unsigned i = n_distinct; i < n; i++)
		start[i] = UINT32_MAX;
	return n_distinct;
}

/* Puts entry i among those that cover a segment, the narrowest first. */
static int cover(const struct fw_port *entries, unsigned i, uint8_t *covering, uint8_t *n_covering)
{
	unsigned width = entries[i].last - entries[i].first, at = *n_covering;

	if (*n_covering == FW_PORT_OVERLAP_MAX)
		return -E2BIG;

	for (; at > 0; at--) {
		const struct fw_port *before = &entries[covering[at - 1]];

		if ((unsigned)(before->last - before->first) <= width)
			break;
		covering[at] = covering[at - 1];
	}
	covering[at] = i;
	(*n_covering)++;
	return 0;
}

static void set_any(const struct fw_port *p, struct fw_port_index *index)
{
	for (unsigned d = 0; d < _FW_DIRECTION_MAX; d++)
		for (uint32_t port = p->first; p->entry.lists[d] && port <= p->last; port++)
			index->any[p->protocol][d][port / 64] |= 1ull << (port % 64);
}

int ports_build_index(const struct fw_port *entries, struct fw_port_index *ret)
{
	unsigned n_segments;
	int r;

	memset(ret, 0, sizeof(*ret));
	n_segments = cut_line(entries, ret->start);
	for (unsigned i = 0; i < FW_PORT_ENTRIES_MAX; i++) {
		if (!entries[i].is_used)
			continue;
		set_any(&entries[i], ret);
		for (unsigned d = 0; d < _FW_DIRECTION_MAX; d++)
			ret->lists[d] |= entries[i].entry.lists[d];
		ret->rules[i] = (struct fw_port_rule){
			.lists = { entries[i].entry.lists[FW_INGRESS], entries[i].entry.lists[FW_EGRESS] },
			.until = entries[i].entry.until,
		};
		for (unsigned s = 0; s < n_segments; s++) {
			if (ret->start[s] < line_first(&entries[i]) || ret->start[s] > line_last(&entries[i]))
				continue;
			r = cover(entries, i, ret->covering[s], &ret->n_covering[s]);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

static bool is_in(const struct fw_port *p, uint64_t lists)
{
	return p->is_used && (p->entry.lists[FW_INGRESS] | p->entry.lists[FW_EGRESS]) & lists;
}

unsigned ports_count(const struct fw_port *entries, uint64_t lists)
{
	unsigned n = 0;

	for (unsigned i = 0; i < FW_PORT_ENTRIES_MAX; i++)
		n += is_in(&entries[i], lists);
	return n;
}

static unsigned count_covering(const struct fw_port *entries, uint64_t lists, uint32_t at)
{
	unsigned n = 0;

	for (unsigned i = 0; i < FW_PORT_ENTRIES_MAX; i++)
		n += is_in(&entries[i], lists) && line_first(&entries[i]) <= at && at <= line_last(&entries[i]);
	return n;
}

/* Along the line the number grows only where an entry begins. */
unsigned ports_overlap(const struct fw_port *entries, uint64_t lists, const struct fw_port *p)
{
	unsigned most = count_covering(entries, lists, line_first(p)), n;

	for (unsigned i = 0; i < FW_PORT_ENTRIES_MAX; i++) {
		if (!is_in(&entries[i], lists) || line_first(&entries[i]) < line_first(p) ||
		    line_first(&entries[i]) > line_last(p))
			continue;
		n = count_covering(entries, lists, line_first(&entries[i]));
		most = n > most ? n : most;
	}
	return most;
}

/* First those that come, then without those that go: whenever a writer dies, each list is in one direction at least. */
static void store_lists(struct fw_entry *e, const struct fw_entry *want)
{
	for (unsigned d = 0; d < _FW_DIRECTION_MAX; d++)
		__atomic_store_n(&e->lists[d], e->lists[d] | want->lists[d], __ATOMIC_RELEASE);
	for (unsigned d = 0; d < _FW_DIRECTION_MAX; d++)
		__atomic_store_n(&e->lists[d], want->lists[d], __ATOMIC_RELEASE);
}

void ports_set(struct fw_port *p, const struct fw_port *want)
{
	if (!want->is_used && p->is_used) {
		__atomic_store_n(&p->is_given_up, 1, __ATOMIC_RELEASE);
		__atomic_store_n(&p->is_used, 0, __ATOMIC_RELEASE);
	} else if (want->is_used && !p->is_used) {
		p->entry = want->entry;
		p->first = want->first;
		p->last = want->last;
		p->protocol = want->protocol;
		__atomic_store_n(&p->is_used, 1, __ATOMIC_RELEASE);
	} else if (want->entry.until == FW_UNTIL_MIXED) {
		/* the ends are there, for all lists that it has or is about to have */
		__atomic_store_n(&p->entry.until, want->entry.until, __ATOMIC_RELEASE);
		store_lists(&p->entry, &want->entry);
	} else {
		store_lists(&p->entry, &want->entry);
		__atomic_store_n(&p->entry.until, want->entry.until, __ATOMIC_RELEASE);
	}
}

void ports_settle(struct fw_port *entries)
{
	for (unsigned i = 0; i < FW_PORT_ENTRIES_MAX; i++)
		if (entries[i].is_given_up)
			__atomic_store_n(&entries[i].is_given_up, 0, __ATOMIC_RELEASE);
}

unsigned ports_find_free(const struct fw_port *entries)
{
	unsigned given_up = FW_PORT_ENTRIES_MAX;

	for (unsigned i = 0; i < FW_PORT_ENTRIES_MAX; i++) {
		if (entries[i].is_used)
			continue;
		if (!entries[i].is_given_up)
			return i;
		given_up = i;
	}
	return given_up;
}

_Static_assert(FW_PORT_ENTRIES_MAX <= 256, "an index into the port entries is a byte");
