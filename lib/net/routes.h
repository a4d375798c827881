/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Default routes, in any routing table: where they lead. What counts as one are also routes to a half, a quarter or an
 * eighth of all addresses, of which VPNs make theirs: 0.0.0.0/1 and 128.0.0.0/1, or 2000::/3. A route names its next
 * hops itself, or by the number of a nexthop object, which may be a group of others.
 */

#include <stddef.h>
#include <stdint.h>

#include <linux/netlink.h>

/* Nexthop objects, and which of them default routes use. Zero-initialise; free with nexthops_done(). */
struct nexthops {
	struct nexthop *items;
	size_t n_items;
};

void nexthops_done(struct nexthops *n);

/* Where one hop of a default route leads. */
struct hop {
	unsigned ifindex; /* 0 = not named */
	int family;       /* of the gateway, AF_UNSPEC = there is none; an IPv4 route may have an IPv6 gateway */
	unsigned char gateway[16];
};

/* A negative return ends it and is returned. */
typedef int (*hop_fn)(const struct hop *hop, void *userdata);

/* Takes in RTM_NEWNEXTHOP or RTM_DELNEXTHOP. -ENOMEM. */
int nexthops_take(struct nexthops *n, const struct nlmsghdr *message);

/*
 * Calls fn for each hop of an RTM_NEWROUTE, if it is a default route; of nexthop objects those that are known, and
 * routes_foreach_object_hop() has the others when they are.
 */
int routes_foreach_hop(struct nexthops *n, const struct nlmsghdr *message, hop_fn fn, void *userdata);

/* The same for all nexthop objects that default routes use. */
int routes_foreach_object_hop(const struct nexthops *n, hop_fn fn, void *userdata);

/* Asks for all nexthop objects, then all routes of both families. On a system that never rests some may be missing. */
int routes_dump(struct nexthops *n, hop_fn fn, void *userdata);
