/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The interfaces of our network namespace, kept current over rtnetlink: what they are, not what becomes
 * of them. Events change single rows; when the kernel has lost some, everything is asked for again.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/if.h>

#define INTERFACE_KIND_MAX 16 /* the longest that the kernel has is "openvswitch" */

struct interface {
	unsigned ifindex;
	unsigned master;        /* ifindex of the bridge, bond or VRF it belongs to, 0 = none */
	char name[IFNAMSIZ];
	char kind[INTERFACE_KIND_MAX]; /* "veth", "bridge", ...; "" = hardware, or a driver that does not tell */
	uint16_t type;          /* ARPHRD_* */
	bool is_port;           /* of a bridge or bond: its traffic is judged there */
	bool has_device;        /* hardware, real or of a virtual machine */
	bool had_default_route; /* stays true: a route that flaps must not open a gap */
	bool had_address;       /* stays true, too; link-local IPv6 addresses, which all have, do not count */
	uint64_t serial;        /* another one, another interface, even under the same ifindex */
};

struct interfaces {
	struct interface *items;
	size_t n_items;
	uint64_t last_serial;
	struct mnl_socket *events;
};

/* Subscribes to events, then asks for everything there is. */
int interfaces_open(struct interfaces **ret);
struct interfaces *interfaces_free(struct interfaces *s); /* accepts NULL, returns NULL */

int interfaces_fd(const struct interfaces *s);

/* Takes in all events that wait at interfaces_fd(). */
int interfaces_read(struct interfaces *s);

const struct interface *interfaces_find(const struct interfaces *s, unsigned ifindex);
const struct interface *interfaces_find_name(const struct interfaces *s, const char *name);
