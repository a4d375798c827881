// SPDX-License-Identifier: GPL-2.0-or-later

/* What must not be cut off, as a set, and what a block would do to it. guard-load.c fills the set. */

#include "guard/guard.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "text/special.h"

static int add_item(struct guard *g, const struct guard_item *item)
{
	struct guard_item *items;
	size_t n;

	if (g->n_items == g->n_allocated) {
		n = g->n_allocated ? g->n_allocated * 2 : 16;
		items = reallocarray(g->items, n, sizeof(*items));
		if (!items)
			return -ENOMEM;
		g->items = items;
		g->n_allocated = n;
	}
	g->items[g->n_items++] = *item;
	return 0;
}

/* What comes first says why: a gateway may be the name server, too. */
int guard_add(struct guard *g, int family, const void *bytes, const char *what)
{
	struct prefix p = prefix_from_bytes(family, bytes, prefix_full_length(family));

	for (size_t i = 0; i < g->n_items; i++)
		if (prefix_compare(&g->items[i].prefix, &p) == 0)
			return 0;

	return add_item(g, &(struct guard_item){ .prefix = p, .what = what });
}

/* What special.h has for this use. */
static int add_specials(struct guard *g, unsigned use)
{
	int r = 0;

	for (const struct special *s = specials; r == 0 && s < specials + n_specials; s++)
		if (s->uses & use)
			r = add_item(g, &(struct guard_item){
				.prefix = s->prefix,
				.what = s->what,
				.is_whole = use == SPECIAL_NEEDED && s->uses & SPECIAL_AS_WHOLE,
			});
	return r;
}

int guard_add_special(struct guard *g)
{
	return add_specials(g, SPECIAL_NOT_PUBLIC);
}

int guard_add_needed(struct guard *g)
{
	return add_specials(g, SPECIAL_NEEDED);
}

void guard_done(struct guard *g)
{
	free(g->items);
	*g = (struct guard){};
}

bool guard_concerns(const struct guard_item *item, const struct prefix *p)
{
	return prefix_covers(p, &item->prefix) || (!item->is_whole && prefix_covers(&item->prefix, p));
}

const char *guard_explain(const struct guard_item *item, const struct prefix *p, char buffer[static GUARD_TEXT_MAX])
{
	char text[PREFIX_TEXT_MAX];
	const char *relation = prefix_covers(p, &item->prefix) ? "covers" : "is in";

	if (prefix_compare(p, &item->prefix) == 0)
		relation = "is";
	(void) snprintf(buffer, GUARD_TEXT_MAX, "it %s %s, %s", relation, prefix_format(&item->prefix, text), item->what);
	return buffer;
}

struct prefix guard_host_of(const struct prefix *p)
{
	struct prefix host = *p;

	host.length = prefix_full_length(p->family);
	if (p->length < host.length)
		host.bytes[host.length / 8 - 1] |= 1;
	return host;
}

static const char *check_prefix(const struct guard *g, const struct prefix *p, char *buffer)
{
	if (p->length < GUARD_LENGTH_MIN) {
		(void) snprintf(buffer, GUARD_TEXT_MAX, GUARD_SHORT_TEXT);
		return buffer;
	}
	for (const struct guard_item *i = g->items; i < END_OF(g->items, g->n_items); i++)
		if (guard_concerns(i, p))
			return guard_explain(i, p, buffer);
	return NULL;
}

static bool has_port(const struct target *t, unsigned port)
{
	return t->port.protocol == FW_TCP && t->port.first <= port && port <= t->port.last;
}

const char *guard_explain_session(const struct guard_session *s, const struct target *t,
				  char buffer[static GUARD_TEXT_MAX])
{
	bool is_server = has_port(t, s->server_port);

	(void) snprintf(buffer, GUARD_TEXT_MAX, "it covers tcp/%u, the %s port of %s", is_server ? s->server_port : s->client_port,
			is_server ? "server" : "client", s->what);
	return buffer;
}

/* Packets of a session arrive for the server's port and leave for the client's. */
static const char *check_port(const struct guard *g, const struct target *t, unsigned directions, char *buffer)
{
	size_t n = 0;

	for (const struct guard_session *s = g->sessions; s < END_OF(g->sessions, g->n_sessions); s++)
		if ((directions & FW_IN && has_port(t, s->server_port)) || (directions & FW_OUT && has_port(t, s->client_port)))
			return guard_explain_session(s, t, buffer);

	for (unsigned port = t->port.first; port <= t->port.last; port++)
		n += guard_is_ephemeral(g, port);
	if (!guard_is_much(g, n))
		return NULL;
	return guard_explain_ephemeral(g, t->port.protocol, directions & FW_IN ? FW_INGRESS : FW_EGRESS, n, false,
				       buffer);
}

int guard_add_session(struct guard *g, const struct guard_session *s)
{
	int r;

	r = guard_add(g, s->peer.family, s->peer.bytes, s->peer_is);
	if (r >= 0 && g->n_sessions < GUARD_SESSIONS_MAX)
		g->sessions[g->n_sessions++] = *s;
	return r;
}

const char *guard_check(const struct guard *g, const struct target *target, unsigned directions,
			char buffer[static GUARD_TEXT_MAX])
{
	if (target->kind == TARGET_PORT)
		return check_port(g, target, directions, buffer);
	return check_prefix(g, &target->prefix, buffer);
}
