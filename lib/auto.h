/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the word "auto" of Interfaces= means, and why. Knows what interfaces are, not what is attached. */

#include <stdbool.h>

#include "interfaces.h"

/* Why auto takes an interface, or leaves it out. ebpf-fw.conf(5) has the same as a table. */
enum auto_choice {
	AUTO_NOTHING,  /* nothing speaks for it: out, unless it was taken before */
	/* out, whatever speaks for it */
	AUTO_LOOPBACK,
	AUTO_PORT,     /* its packets are judged at its master */
	/* in */
	AUTO_DEVICE,   /* hardware, also among its ports */
	AUTO_TUNNEL,   /* without Ethernet header */
	AUTO_ROUTE,    /* has or had a default route */
	AUTO_ADDRESS,  /* has or had an address */
};

enum auto_choice auto_choose(const struct interfaces *s, const struct interface *i);
bool auto_takes(enum auto_choice choice);

/* The reason of one that is left out, as the end of a sentence: "it is a port of 'br0', ...". Returns buffer. */
#define AUTO_TEXT_MAX 128
const char *auto_explain(const struct interfaces *s, const struct interface *i, enum auto_choice choice,
			 char buffer[static AUTO_TEXT_MAX]);

/* Where the IP header of a packet is. */
enum interface_layer {
	INTERFACE_ETHERNET,
	INTERFACE_NETWORK, /* the packet starts with it: tun, WireGuard, PPP */
	INTERFACE_UNKNOWN, /* a link layer we cannot read */
};

enum interface_layer interface_layer(const struct interface *i);
