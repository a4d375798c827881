// SPDX-License-Identifier: GPL-2.0-or-later

/* See rules.h. */

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "rules.h"

static uint64_t random_state;

uint64_t random_seed(const char *variable)
{
	const char *given = getenv(variable);
	uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);

	random_state = seed * 2654435761u + 88172645463325252ull;
	printf("# %s=%llu\n", variable, (unsigned long long)seed);
	return seed;
}

uint32_t random_below(uint32_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (random_state >> 16) % n;
}

static bool covers(const struct rule *r, const struct question *q)
{
	if (r->has_ended || !(r->directions & 1u << q->direction))
		return false;
	if (r->target.kind == TARGET_PREFIX)
		return q->address.family && prefix_covers(&r->target.prefix, &q->address);
	return q->port >= 0 && r->target.port.protocol == q->protocol && r->target.port.first <= q->port &&
	       q->port <= r->target.port.last;
}

/* A hidden port may be any that a block list names in this direction. An allowed one does not make it known. */
static bool may_be_hidden_in(const struct rule *r, const struct question *q)
{
	return q->port == PORT_HIDDEN && r->target.kind == TARGET_PORT && r->directions & 1u << q->direction;
}

enum fw_verdict rules_ask(const struct rules *m, const struct question *q)
{
	enum fw_verdict verdict = FW_PASS;

	for (size_t i = 0; i < m->n_rules; i++) {
		const struct rule *r = &m->rules[i];
		const struct fw_list *list = &m->lists[r->list];

		if (!list->is_enabled)
			continue;
		if (list->action == FW_ACTION_ALLOW && covers(r, q))
			return FW_PASS;
		if (list->action == FW_ACTION_BLOCK && list->mode == FW_MODE_ENFORCE &&
		    (covers(r, q) || may_be_hidden_in(r, q)))
			verdict = FW_DROP;
	}
	return verdict;
}
