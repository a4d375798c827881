// SPDX-License-Identifier: GPL-2.0-or-later

/* The rule of "auto": see auto.h. A function of the rows in struct interfaces, so that a test can have any. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/if_arp.h>

#include "base/cleanup.h"
#include "net/auto.h"

#define NESTING_MAX 8 /* the kernel allows no more devices on top of each other */

static bool is_kind(const struct interface *i, const char *kind)
{
	return strcmp(i->kind, kind) == 0;
}

static bool is_one_of(const struct interface *i, const char *const *kinds, size_t n_kinds)
{
	for (size_t n = 0; n < n_kinds; n++)
		if (is_kind(i, kinds[n]))
			return true;
	return false;
}

/* It forwards frames from port to port, without having them itself. */
static bool is_switch(const struct interface *i)
{
	return is_kind(i, "bridge") || is_kind(i, "openvswitch");
}

/* Open vSwitch has one device for the ports of all its bridges; the bridges' own ports are others of its kind. */
static bool is_port_of(const struct interfaces *s, const struct interface *port, const struct interface *master)
{
	const struct interface *of;

	if (!port->is_port)
		return false;
	if (port->master == master->ifindex)
		return true;
	of = is_kind(master, "openvswitch") ? interfaces_find(s, port->master) : NULL;
	return of && is_kind(of, "openvswitch");
}

static struct auto_facts *facts_of(const struct auto_view *view, const struct interface *i)
{
	return &view->facts[i - view->interfaces->items];
}

/* What comes out of it was packed into other packets elsewhere. A netkit pair may be without Ethernet header, too. */
static bool is_tunnel(const struct interface *i)
{
	static const char *const kinds[] = { "vxlan", "geneve", "gretap", "ip6gretap", "erspan", "ip6erspan", "macsec" };

	return is_one_of(i, kinds, ELEMENTSOF(kinds)) ||
	       (interface_layer(i) == INTERFACE_NETWORK && !is_kind(i, "netkit"));
}

bool interface_is_bond(const struct interface *i)
{
	static const char *const kinds[] = { "bond", "team" };

	return is_one_of(i, kinds, ELEMENTSOF(kinds));
}

/* Of the ports of a bridge: not a veth or tap, which lead to containers and guests. */
static bool is_uplink(const struct auto_view *view, const struct interface *port)
{
	if (is_kind(port, "veth") || is_kind(port, INTERFACE_TAP))
		return false;
	return facts_of(view, port)->is_backed || is_tunnel(port) || interface_is_bond(port);
}

/* Is there another way out of this network namespace? A tunnel goes by one, and a dummy leads nowhere. */
static bool has_other_way(const struct auto_view *view, const struct interface *bridge)
{
	const struct interfaces *s = view->interfaces;

	for (size_t n = 0; n < s->n_items; n++) {
		const struct interface *i = &s->items[n];

		if (i == bridge || i->type == ARPHRD_LOOPBACK || i->is_port || i->lower == bridge->ifindex || is_tunnel(i) ||
			    is_kind(i, "dummy"))
			continue;
		if (facts_of(view, i)->is_backed || i->had_default_route || (i->had_address && !is_kind(i, "bridge")))
			return true;
	}
	return false;
}

/* Frames of hardware come to it: its own, of a port, or of the device that it is made on. */
static void find_backed(struct auto_view *view)
{
	const struct interfaces *s = view->interfaces;
	bool is_changed = true;

	for (size_t n = 0; n < s->n_items; n++)
		view->facts[n].is_backed = s->items[n].has_device;
	for (int depth = 0; depth < NESTING_MAX && is_changed; depth++) {
		is_changed = false;
		for (size_t n = 0; n < s->n_items; n++) {
			const struct interface *i = &s->items[n];
			const struct interface *lower = i->lower ? interfaces_find(s, i->lower) : NULL;
			const struct interface *master = i->is_port ? interfaces_find(s, i->master) : NULL;

			if (lower && facts_of(view, lower)->is_backed && !view->facts[n].is_backed)
				view->facts[n].is_backed = is_changed = true;
			if (master && view->facts[n].is_backed && !facts_of(view, master)->is_backed)
				facts_of(view, master)->is_backed = is_changed = true;
		}
	}
}

static bool has_uplink(const struct auto_view *view, const struct interface *bridge)
{
	const struct interfaces *s = view->interfaces;

	for (size_t n = 0; n < s->n_items; n++)
		if (is_port_of(s, &s->items[n], bridge) && is_uplink(view, &s->items[n]))
			return true;
	return false;
}

/*
 * In a network namespace without hardware no port of a bridge can be told from another. If the bridge is the way out,
 * all of them are judged.
 */
static bool has_unknown_uplink(const struct auto_view *view, const struct interface *bridge)
{
	return !facts_of(view, bridge)->has_uplink &&
	       (bridge->had_default_route || (bridge->had_address && !has_other_way(view, bridge)));
}

int auto_view_prepare(struct auto_view *view)
{
	const struct interfaces *s = view->interfaces;

	view->facts = calloc(s->n_items + 1, sizeof(*view->facts));
	if (!view->facts)
		return -ENOMEM;
	find_backed(view);
	for (size_t n = 0; n < s->n_items; n++) {
		if (!is_switch(&s->items[n]))
			continue;
		view->facts[n].has_uplink = has_uplink(view, &s->items[n]);
		view->facts[n].has_unknown_uplink = has_unknown_uplink(view, &s->items[n]);
	}
	return 0;
}

void auto_view_done(struct auto_view *view)
{
	free(view->facts);
	view->facts = NULL;
}

static const struct interface *judged_at(struct auto_view *view, const struct interface *i);

/* Where packets of the interface are judged as well: at the device that it is made on, or at a port. NULL = nowhere. */
static const struct interface *judged_elsewhere(struct auto_view *view, const struct interface *i)
{
	const struct interfaces *s = view->interfaces;
	const struct interface *at = NULL, *lower = i->lower ? interfaces_find(s, i->lower) : NULL;
	bool any_port;

	if (view->depth > NESTING_MAX)
		return NULL;
	view->depth++;
	if (lower)
		at = judged_at(view, lower);
	any_port = is_switch(i) && !facts_of(view, i)->has_uplink;
	for (size_t n = 0; n < s->n_items && !at && is_switch(i); n++)
		if (is_port_of(s, &s->items[n], i) && (any_port || is_uplink(view, &s->items[n])))
			at = judged_at(view, &s->items[n]);
	view->depth--;
	return at;
}

static const struct interface *judged_at(struct auto_view *view, const struct interface *i)
{
	return view->is_filtered(i, view) ? i : judged_elsewhere(view, i);
}

static enum auto_choice choose_port(struct auto_view *view, const struct interface *i)
{
	const struct interface *master = interfaces_find(view->interfaces, i->master);

	if (!master || !is_switch(master))
		return AUTO_PORT;
	if (!is_uplink(view, i) && !facts_of(view, master)->has_unknown_uplink)
		return AUTO_GUEST;
	return judged_elsewhere(view, i) ? AUTO_UPPER : AUTO_UPLINK;
}

enum auto_choice auto_choose(struct auto_view *view, const struct interface *i)
{
	if (i->type == ARPHRD_LOOPBACK)
		return AUTO_LOOPBACK;
	if (is_kind(i, "vrf") || is_kind(i, "ifb"))
		return AUTO_REDIRECTED;
	if (i->is_port)
		return choose_port(view, i);
	if (judged_elsewhere(view, i))
		return is_switch(i) ? AUTO_SWITCH : AUTO_UPPER;
	if (i->had_default_route)
		return AUTO_ROUTE;
	if (i->had_address && is_kind(i, "bridge") && !facts_of(view, i)->is_backed && has_other_way(view, i))
		return AUTO_INSIDE;
	if (i->had_address)
		return AUTO_ADDRESS;
	if (interface_layer(i) == INTERFACE_UNKNOWN) /* no IP, as far as can be seen */
		return AUTO_NOTHING;
	if (facts_of(view, i)->is_backed)
		return AUTO_DEVICE;
	if (is_tunnel(i))
		return AUTO_TUNNEL;
	return interface_is_bond(i) ? AUTO_BOND : AUTO_NOTHING;
}

const struct interface *auto_judged_at(struct auto_view *view, const struct interface *i, enum auto_choice choice)
{
	const struct interface *master;

	switch (choice) {
	case AUTO_PORT:
		master = interfaces_find(view->interfaces, i->master);
		return master ? judged_at(view, master) : NULL;
	case AUTO_UPPER:
	case AUTO_SWITCH:
		return judged_elsewhere(view, i);
	default:
		return NULL;
	}
}

bool auto_takes(enum auto_choice choice)
{
	return choice >= AUTO_DEVICE;
}

bool auto_keeps(enum auto_choice choice)
{
	return choice <= AUTO_INSIDE;
}

const char *auto_explain(struct auto_view *view, const struct interface *i, enum auto_choice choice,
			 char buffer[static AUTO_TEXT_MAX])
{
	const struct interface *master = interfaces_find(view->interfaces, i->master), *at = judged_elsewhere(view, i);
	const char *master_name = master ? master->name : "?", *at_name = at ? at->name : "?";

	switch (choice) {
	case AUTO_GUEST:
		(void) snprintf(buffer, AUTO_TEXT_MAX, "it is a port of '%s' that leads to a container or guest of this host",
				master_name);
		break;
	case AUTO_INSIDE:
		(void) snprintf(buffer, AUTO_TEXT_MAX, "it connects containers or guests of this host, and nothing else");
		break;
	case AUTO_LOOPBACK:
		(void) snprintf(buffer, AUTO_TEXT_MAX, "it is the loopback interface");
		break;
	case AUTO_REDIRECTED:
		(void) snprintf(buffer, AUTO_TEXT_MAX, "it gets packets that are judged at other interfaces");
		break;
	case AUTO_PORT:
		(void) snprintf(buffer, AUTO_TEXT_MAX, "it is a port of '%s', where its packets are judged", master_name);
		break;
	case AUTO_UPPER:
		(void) snprintf(buffer, AUTO_TEXT_MAX, "its packets are judged at '%s', which it is made on", at_name);
		break;
	case AUTO_SWITCH:
		(void) snprintf(buffer, AUTO_TEXT_MAX, "its packets are judged at its port '%s'", at_name);
		break;
	default:
		if (interface_layer(i) == INTERFACE_UNKNOWN)
			(void) snprintf(buffer, AUTO_TEXT_MAX, "its link layer is neither Ethernet nor plain IP");
		else
			(void) snprintf(buffer, AUTO_TEXT_MAX, "it has no hardware, no default route and no address");
		break;
	}
	return buffer;
}

enum interface_layer interface_layer(const struct interface *i)
{
	if (is_kind(i, INTERFACE_TUN)) /* of any type, as its owner chose */
		return INTERFACE_NETWORK;
	if (is_kind(i, INTERFACE_TAP))
		return INTERFACE_ETHERNET;
	switch (i->type) {
	case ARPHRD_ETHER:
	case ARPHRD_LOOPBACK:
		return INTERFACE_ETHERNET;
	case ARPHRD_NONE: /* WireGuard */
	case ARPHRD_PPP:
	case ARPHRD_RAWIP:
	case ARPHRD_TUNNEL:
	case ARPHRD_TUNNEL6:
	case ARPHRD_SIT:
	case ARPHRD_IPGRE:
	case ARPHRD_IP6GRE:
		return INTERFACE_NETWORK;
	default:
		return INTERFACE_UNKNOWN;
	}
}
