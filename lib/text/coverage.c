// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * See coverage.h. Two prefixes are disjoint or one covers the other, so the sum of those that no other covers is what
 * all of them cover. A double holds any number of IPv4 addresses exactly, and enough of one of IPv6.
 */

#include "text/coverage.h"

#include <math.h>

#include "text/special.h"

/* How many addresses a prefix has. */
static double size_of(const struct prefix *p)
{
	return ldexp(1, (int)(prefix_full_length(p->family) - p->length));
}

/* All of the public network, with what special.h takes out of it. */
static const struct prefix spaces[_COVERAGE_MAX] = {
	[COVERAGE_IPV4] = { .family = AF_INET, .length = 0 },
	[COVERAGE_IPV6] = { .family = AF_INET6, .length = 3, .bytes = { 0x20 } },
};

/* The public addresses in a prefix. Of special.h's networks that are not public none covers another. */
static double public_in(const struct prefix *p, const struct prefix *space)
{
	double n = 0;

	if (prefix_covers(p, space))
		n = size_of(space);
	else if (prefix_covers(space, p))
		n = size_of(p);
	for (const struct special *s = specials; n > 0 && s < specials + n_specials; s++) {
		if (!(s->uses & SPECIAL_NOT_PUBLIC))
			continue;
		if (prefix_covers(&s->prefix, p))
			return 0;
		if (prefix_covers(p, &s->prefix) && prefix_covers(space, &s->prefix))
			n -= size_of(&s->prefix);
	}
	return n;
}

void coverage_add(struct coverage *c, const struct target *t)
{
	unsigned family;

	if (t->kind != TARGET_PREFIX || (c->last.family && prefix_covers(&c->last, &t->prefix)))
		return;
	family = t->prefix.family == AF_INET ? COVERAGE_IPV4 : COVERAGE_IPV6;
	c->last = t->prefix;
	c->addresses[family] += size_of(&t->prefix);
	c->public[family] += public_in(&t->prefix, &spaces[family]);
}

double coverage_share(const struct coverage *c, unsigned family)
{
	return c->public[family] / public_in(&spaces[family], &spaces[family]);
}
