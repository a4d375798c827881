// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * The guard's view of the routing tables: the next hop of every default route, of all tables, since
 * a host with policy routing has several. One dump over rtnetlink; nothing is changed.
 */

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <time.h>

#include "cleanup.h"
#include "guard.h"
#include "netlink.h"

/* The next hop of a route or of one leg of a multipath route, where attr is one. */
static int add_gateway(struct guard *g, int family, const struct nlattr *attr)
{
	static const char what[] = "the default gateway";
	const struct rtvia *via;

	if (mnl_attr_get_type(attr) == RTA_GATEWAY &&
	    mnl_attr_get_payload_len(attr) >= prefix_full_length(family) / 8)
		return guard_add(g, family, mnl_attr_get_payload(attr), what);

	if (mnl_attr_get_type(attr) == RTA_VIA) { /* an IPv4 route over an IPv6 router */
		via = mnl_attr_get_payload(attr);
		if (mnl_attr_get_payload_len(attr) >= sizeof(*via) + sizeof(struct in6_addr) &&
		    via->rtvia_family == AF_INET6)
			return guard_add(g, AF_INET6, via->rtvia_addr, what);
	}
	return 0;
}

/* One struct rtnexthop after the other, each with attributes of its own. */
static int add_multipath(struct guard *g, int family, const struct nlattr *legs)
{
	const struct rtnexthop *hop = mnl_attr_get_payload(legs);
	int left = mnl_attr_get_payload_len(legs), r;
	const struct nlattr *attr;

	for (; left > 0 && RTNH_OK(hop, left);
	     left -= RTNH_ALIGN(hop->rtnh_len), hop = RTNH_NEXT(hop))
		mnl_attr_for_each_payload((const void *)RTNH_DATA(hop),
					   hop->rtnh_len - RTNH_LENGTH(0)) {
			r = add_gateway(g, family, attr);
			if (r < 0)
				return r;
		}
	return 0;
}

static int handle_route(const struct nlmsghdr *message, void *userdata)
{
	const struct rtmsg *route = mnl_nlmsg_get_payload(message);
	struct guard *g = userdata;
	const struct nlattr *attr;
	int r = 0;

	if (route->rtm_dst_len != 0 ||
	    (route->rtm_family != AF_INET && route->rtm_family != AF_INET6))
		return 0;

	mnl_attr_for_each(attr, message, sizeof(*route)) {
		if (mnl_attr_get_type(attr) == RTA_MULTIPATH)
			r = add_multipath(g, route->rtm_family, attr);
		else
			r = add_gateway(g, route->rtm_family, attr);
		if (r < 0)
			return r;
	}
	return 0;
}

int guard_load_gateways(struct guard *g)
{
	_cleanup_(netlink_closep) struct mnl_socket *nl = NULL;
	const struct rtmsg every = { .rtm_family = AF_UNSPEC };
	int r;

	r = netlink_open(&nl);
	return r < 0 ? r : netlink_dump(nl, RTM_GETROUTE, &every, sizeof(every), handle_route, g);
}
