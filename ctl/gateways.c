// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * The guard's view of the routing tables: the next hop of every default route, of all tables, since
 * a host with policy routing has several. One dump over rtnetlink; nothing is changed.
 */

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <time.h>

#include "cleanup.h"
#include "guard.h"

#define DUMP_SIZE 32768 /* what the kernel fills at most per message of a dump */

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
		return MNL_CB_OK;

	mnl_attr_for_each(attr, message, sizeof(*route)) {
		if (mnl_attr_get_type(attr) == RTA_MULTIPATH)
			r = add_multipath(g, route->rtm_family, attr);
		else
			r = add_gateway(g, route->rtm_family, attr);
		if (r < 0) {
			errno = -r;
			return MNL_CB_ERROR;
		}
	}
	return MNL_CB_OK;
}

static void socket_closep(struct mnl_socket **s)
{
	if (*s)
		(void) mnl_socket_close(*s); /* nothing was sent that could be lost */
}

int guard_load_gateways(struct guard *g)
{
	_cleanup_(socket_closep) struct mnl_socket *nl = NULL;
	_cleanup_free_ char *buffer = malloc(DUMP_SIZE);
	struct nlmsghdr *message;
	struct rtmsg *route;
	ssize_t n;
	int r;

	if (!buffer)
		return -ENOMEM;
	nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!nl || mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;

	message = mnl_nlmsg_put_header(buffer);
	message->nlmsg_type = RTM_GETROUTE;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	route = mnl_nlmsg_put_extra_header(message, sizeof(*route));
	route->rtm_family = AF_UNSPEC; /* both */
	if (mnl_socket_sendto(nl, message, message->nlmsg_len) < 0)
		return -errno;

	do {
		n = mnl_socket_recvfrom(nl, buffer, DUMP_SIZE);
		if (n < 0)
			return -errno;
		r = mnl_cb_run(buffer, n, 0, mnl_socket_get_portid(nl), handle_route, g);
	} while (r > MNL_CB_STOP);
	return r < 0 ? -errno : 0;
}
