/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The interfaces of our network namespace, kept current over rtnetlink: what they are, not what becomes
 * of them. After events the kernel is asked for the rows that they are about; when some have got lost, for everything.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/if.h>

#include "net/routes.h"

#define INTERFACE_KIND_MAX 16 /* the longest that the kernel has is "openvswitch" */
#define INTERFACE_TUN "tun"   /* kind "tun", told apart by its mode: with IP packets, or with Ethernet frames */
#define INTERFACE_TAP "tap"

struct interface {
	unsigned ifindex;
	unsigned master;        /* ifindex of the bridge, bond or VRF it belongs to, 0 = none */
	unsigned lower;         /* ifindex of the device that it is made on, as a VLAN is; 0 = none, or not here */
	char name[IFNAMSIZ];
	char kind[INTERFACE_KIND_MAX]; /* "veth", "bridge", ...; "" = hardware, or a driver that does not tell */
	char *altnames;         /* other names, each ended by NUL, and an empty one after the last; NULL = none */
	uint16_t type;          /* ARPHRD_* */
	uint32_t mtu;
	bool is_up;             /* by the administrator, whether or not there is a carrier */
	bool is_port;           /* of a bridge, bond or the like, not of a VRF: its packets go on to the master */
	bool has_device;        /* hardware, real or of a virtual machine */
	bool had_default_route; /* stays true: a route that flaps must not open a gap */
	bool had_address;       /* stays true, too; link-local IPv6 addresses, which all have, do not count */
	bool is_due;            /* an event was about it: the kernel is to be asked for it */
	bool was_removed;       /* the event said so; if it exists all the same, it may be another one */
	uint64_t serial;        /* another one, another interface, even under the same ifindex */
};

struct interfaces {
	struct interface *items; /* by ifindex, rising */
	size_t n_items;
	uint64_t last_serial;
	bool is_stale; /* something has got lost: all is asked for again */
	struct nexthops nexthops;
	struct mnl_socket *events;
};

/* Asks for everything there is, once: no events. Free with interfaces_done(). */
int interfaces_load(struct interfaces *ret);
void interfaces_done(struct interfaces *s);

/* Subscribes to events, then asks for everything there is. */
int interfaces_open(struct interfaces **ret);
struct interfaces *interfaces_free(struct interfaces *s); /* accepts NULL, returns NULL */

int interfaces_fd(const struct interfaces *s);

/* Takes in all events that wait at interfaces_fd(). If it fails, the rows are as they were, or nearly, and it is to be called again. */
int interfaces_read(struct interfaces *s);

const struct interface *interfaces_find(const struct interfaces *s, unsigned ifindex);

/* Is it the name of the interface, or one of its altnames? */
bool interface_has_name(const struct interface *i, const char *name);
const struct interface *interfaces_find_name(const struct interfaces *s, const char *name);

/*
 * Fills in what a link message says of itself; altnames are allocated. -ENOMEM. -ENODATA: the message has no MTU, so it
 * does not describe the whole link. Wireless events are such messages.
 */
int interface_from_link(const struct nlmsghdr *message, struct interface *ret);
