/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What the word "auto" of Interfaces= means, and why: each packet that comes from outside of this host, or leaves it, is
 * judged once per hook. Knows what interfaces are, and of its caller which of them are filtered.
 */

#include <stdbool.h>

#include "net/interfaces.h"

/* Why auto takes an interface, or leaves it out. ebpf-fw.conf(5) has the same as a table. */
enum auto_choice {
	/* out, unless it is attached already */
	AUTO_NOTHING,    /* no reason to take it */
	AUTO_GUEST,      /* a port that leads to a container or guest of this host */
	AUTO_INSIDE,     /* a bridge of such ports alone */
	/* out */
	AUTO_LOOPBACK,
	AUTO_REDIRECTED, /* gets packets that another interface has had: vrf, ifb */
	AUTO_PORT,       /* its packets are judged at its master, a bond or the like */
	AUTO_UPPER,      /* its packets are judged at the device that it is made on */
	AUTO_SWITCH,     /* a bridge: packets are judged at its ports, which also see those that it only forwards */
	/* in */
	AUTO_DEVICE,     /* hardware, also among its ports, or below it */
	AUTO_UPLINK,     /* a port by which a bridge reaches others */
	AUTO_TUNNEL,     /* what comes out of it comes from elsewhere */
	AUTO_BOND,       /* bond or team */
	AUTO_ROUTE,      /* has or had a default route */
	AUTO_ADDRESS,    /* has or had an address */
};

/* What does not depend on what is filtered, of one interface: found once, since hosts may have thousands. */
struct auto_facts {
	bool is_backed;          /* frames of hardware come to it */
	bool has_uplink;         /* a bridge, by a port that can be told */
	bool has_unknown_uplink; /* a bridge, by any of its ports */
};

/* is_filtered: is the interface filtered, or will be? It may ask auto_choose() in turn. */
struct auto_view {
	const struct interfaces *interfaces;
	bool (*is_filtered)(const struct interface *i, struct auto_view *view);
	void *userdata;
	int depth; /* of the recursion; zero-initialise */
	struct auto_facts *facts; /* of auto_view_prepare(), one per row */
};

/* Call it before the others, and again when the interfaces have changed. All rows passed are of view->interfaces. -ENOMEM. */
int auto_view_prepare(struct auto_view *view);
void auto_view_done(struct auto_view *view);

enum auto_choice auto_choose(struct auto_view *view, const struct interface *i);
bool auto_takes(enum auto_choice choice);

/* The interface that is filtered or will be and makes a choice of AUTO_PORT, AUTO_UPPER or AUTO_SWITCH. NULL = none. */
const struct interface *auto_judged_at(struct auto_view *view, const struct interface *i, enum auto_choice choice);

/* May it stay attached, if it is, although it would not be chosen? Not where its packets would count twice. */
bool auto_keeps(enum auto_choice choice);

/* A bond or team: its ports have its packets first, and it has no frames but theirs. */
bool interface_is_bond(const struct interface *i);

/* The reason of one that is left out, as the end of a sentence: "it is a port of 'bond0', ...". Returns buffer. */
#define AUTO_TEXT_MAX 160
const char *auto_explain(struct auto_view *view, const struct interface *i, enum auto_choice choice,
			 char buffer[static AUTO_TEXT_MAX]);

/* Where the IP header of a packet is. */
enum interface_layer {
	INTERFACE_ETHERNET,
	INTERFACE_NETWORK, /* the packet starts with it: tun, WireGuard, PPP */
	INTERFACE_UNKNOWN, /* a link layer we cannot read */
};

enum interface_layer interface_layer(const struct interface *i);
