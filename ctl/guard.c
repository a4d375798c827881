// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * What must not be cut off: the host's own addresses, its default gateways (gateways.c), the SSH sessions this
 * process descends from (sessions.c), loopback and what else a host needs (special.h); and what a block would do to it.
 */

#include "guard.h"

#include <errno.h>
#include <ifaddrs.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "special.h"

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

int guard_add(struct guard *g, int family, const void *bytes, const char *what)
{
	struct prefix p = prefix_from_bytes(family, bytes, prefix_full_length(family));

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

static int load_own(struct guard *g)
{
	struct ifaddrs *all;
	int r = 0;

	if (getifaddrs(&all) < 0)
		return -errno;

	for (struct ifaddrs *i = all; i && r == 0; i = i->ifa_next) {
		if (!i->ifa_addr)
			continue;
		if (i->ifa_addr->sa_family == AF_INET)
			r = guard_add(g, AF_INET, &((struct sockaddr_in *)i->ifa_addr)->sin_addr,
				      "an address of this host");
		else if (i->ifa_addr->sa_family == AF_INET6)
			r = guard_add(g, AF_INET6, &((struct sockaddr_in6 *)i->ifa_addr)->sin6_addr,
				      "an address of this host");
	}
	freeifaddrs(all);
	return r;
}

int guard_load(struct guard *g)
{
	int r;

	r = load_own(g);
	if (r < 0)
		return r;

	r = guard_load_gateways(g);
	if (r < 0)
		return r;

	r = guard_load_sessions(g);
	if (r < 0)
		return r;

	return add_specials(g, SPECIAL_NEEDED);
}

void guard_done(struct guard *g)
{
	free(g->items);
	*g = (struct guard){};
}

static const char *check_prefix(const struct guard *g, const struct prefix *p, char *buffer)
{
	char text[PREFIX_TEXT_MAX];
	const char *relation;

	if (p->length < GUARD_LENGTH_MIN) {
		(void) snprintf(buffer, GUARD_TEXT_MAX, "a prefix shorter than /%d covers too much",
				GUARD_LENGTH_MIN);
		return buffer;
	}

	for (const struct guard_item *i = g->items; i < g->items + g->n_items; i++) {
		if (!prefix_covers(p, &i->prefix) && (i->is_whole || !prefix_covers(&i->prefix, p)))
			continue;
		if (prefix_compare(p, &i->prefix) == 0)
			relation = "is";
		else
			relation = prefix_covers(p, &i->prefix) ? "covers" : "is in";
		(void) snprintf(buffer, GUARD_TEXT_MAX, "it %s %s, %s", relation,
				prefix_format(&i->prefix, text), i->what);
		return buffer;
	}
	return NULL;
}

/* Packets of a session arrive for the server's port and leave for the client's. */
static const char *check_port(const struct guard *g, const struct target *t, unsigned directions,
			      char *buffer)
{
	const struct guard_session *s;

	if (t->port.protocol != FW_TCP)
		return NULL;

	for (s = g->sessions; s < g->sessions + g->n_sessions; s++) {
		if (directions & FW_IN && t->port.first <= s->server_port &&
		    s->server_port <= t->port.last)
			(void) snprintf(buffer, GUARD_TEXT_MAX,
					"it covers tcp/%u, the server port of this SSH session",
					s->server_port);
		else if (directions & FW_OUT && t->port.first <= s->client_port &&
			 s->client_port <= t->port.last)
			(void) snprintf(buffer, GUARD_TEXT_MAX,
					"it covers tcp/%u, the client port of this SSH session",
					s->client_port);
		else
			continue;
		return buffer;
	}
	return NULL;
}

const char *guard_check(const struct guard *g, const struct target *target, unsigned directions,
			char buffer[static GUARD_TEXT_MAX])
{
	if (target->kind == TARGET_PORT)
		return check_port(g, target, directions, buffer);
	return check_prefix(g, &target->prefix, buffer);
}
