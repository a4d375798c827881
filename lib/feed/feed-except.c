// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Exceptions inside a blocklist: the addresses of each are cut out of the prefixes that cover it, so
 * that what remains is a list without exceptions. As in ipset and in the tables of pf, the most
 * specific prefix decides: an entry inside an exception stays.
 */

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "feed/feed-internal.h"

/* The first exception that does not come before p; what p covers follows in the order of target_compare(). */
static const struct target *find(const struct targets *exceptions, const struct prefix *p)
{
	size_t low = 0, high = exceptions->n_items;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (prefix_compare(&exceptions->items[middle].prefix, p) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return exceptions->items + low;
}

/* Adds what remains of a prefix: all of it, nothing, or what remains of its halves. */
static int add_rest(struct targets *rest, const struct prefix *p, const struct targets *exceptions)
{
	const struct target *e = find(exceptions, p);
	struct prefix half;
	int r;

	if (e == exceptions->items + exceptions->n_items || !prefix_covers(p, &e->prefix)) {
		const struct target whole = { .kind = TARGET_PREFIX, .prefix = *p };

		return rest->n_items == FEED_TARGETS_MAX ? -E2BIG : targets_add(rest, &whole);
	}
	if (e->prefix.length == p->length)
		return 0;

	half = *p;
	half.length++;
	r = add_rest(rest, &half, exceptions);
	if (r < 0)
		return r;
	half.bytes[p->length / 8] |= (uint8_t)(0x80 >> p->length % 8);
	return add_rest(rest, &half, exceptions);
}

static int compare(const void *a, const void *b)
{
	return target_compare(a, b);
}

/* Rests of one prefix and entries inside it may be the same. */
static void sort_and_unite(struct targets *t)
{
	size_t n = 0;

	if (t->n_items > 0)
		qsort(t->items, t->n_items, sizeof(*t->items), compare);
	for (size_t i = 0; i < t->n_items; i++)
		if (n == 0 || compare(&t->items[n - 1], &t->items[i]) != 0)
			t->items[n++] = t->items[i];
	t->n_items = n;
}

int targets_except(struct targets *t, const struct targets *exceptions)
{
	_cleanup_(targets_done) struct targets rest = { .n_masked = t->n_masked };
	int r = 0;

	for (size_t i = 0; r == 0 && i < t->n_items; i++)
		r = t->items[i].kind == TARGET_PREFIX ? add_rest(&rest, &t->items[i].prefix, exceptions) :
							targets_add(&rest, &t->items[i]);
	if (r < 0)
		return r;

	sort_and_unite(&rest);
	targets_done(t);
	*t = rest;
	rest = (struct targets) {};
	return 0;
}
