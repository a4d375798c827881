// SPDX-License-Identifier: GPL-2.0-or-later

/* The rule of "auto": see auto.h. A function of the rows in struct interfaces alone, so that a test can have any. */

#include <stdio.h>
#include <string.h>

#include <linux/if_arp.h>

#include "auto.h"

#define NESTING_MAX 4 /* a bond of hardware in a bridge is 2 */

static bool is_kind(const struct interface *i, const char *kind)
{
	return strcmp(i->kind, kind) == 0;
}

/* A bridge or bond is backed by the hardware among its ports. */
static bool is_backed(const struct interfaces *s, const struct interface *i, int depth)
{
	if (i->has_device)
		return true;
	for (size_t n = 0; n < s->n_items && depth < NESTING_MAX; n++)
		if (s->items[n].is_port && s->items[n].master == i->ifindex &&
		    is_backed(s, &s->items[n], depth + 1))
			return true;
	return false;
}

enum auto_choice auto_choose(const struct interfaces *s, const struct interface *i)
{
	if (i->type == ARPHRD_LOOPBACK)
		return AUTO_LOOPBACK;
	if (i->is_port)
		return AUTO_PORT;
	if (is_backed(s, i, 0))
		return AUTO_DEVICE;
	if (interface_layer(i) == INTERFACE_NETWORK)
		return AUTO_TUNNEL;
	if (i->had_default_route)
		return AUTO_ROUTE;
	/* a bridge of containers or guests alone is inside of the host: they do not arrive, they leave */
	if (i->had_address && !is_kind(i, "bridge"))
		return AUTO_ADDRESS;
	return AUTO_NOTHING;
}

bool auto_takes(enum auto_choice choice)
{
	return choice >= AUTO_DEVICE;
}

const char *auto_explain(const struct interfaces *s, const struct interface *i, enum auto_choice choice,
			 char buffer[static AUTO_TEXT_MAX])
{
	const struct interface *master = interfaces_find(s, i->master);

	switch (choice) {
	case AUTO_LOOPBACK:
		(void) snprintf(buffer, AUTO_TEXT_MAX, "it is the loopback interface");
		break;
	case AUTO_PORT:
		(void) snprintf(buffer, AUTO_TEXT_MAX, "it is a port of '%s', where its packets are judged",
				master ? master->name : "?");
		break;
	default:
		(void) snprintf(buffer, AUTO_TEXT_MAX, "it has no hardware, no default route and no address");
		break;
	}
	return buffer;
}

enum interface_layer interface_layer(const struct interface *i)
{
	switch (i->type) {
	case ARPHRD_ETHER:
	case ARPHRD_LOOPBACK:
		return INTERFACE_ETHERNET;
	case ARPHRD_NONE: /* tun, WireGuard */
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
