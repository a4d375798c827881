// SPDX-License-Identifier: GPL-2.0-or-later

/* Routes and nexthop objects of rtnetlink(7): see routes.h. */

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <libmnl/libmnl.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>

#include "base/cleanup.h"
#include "kernel/netlink.h"
#include "net/routes.h"

#define WIDE_LENGTH_MAX4 3 /* of all-but-private routes the longest that none goes without */
#define WIDE_LENGTH_MAX6 4 /* 2000::/4 and 3000::/4 */

struct nexthop {
	uint32_t id;
	bool is_default;   /* of a default route */
	struct hop hop;
	uint32_t *members; /* ids, where it is a group */
	size_t n_members;
};

static struct nexthop *find(const struct nexthops *n, uint32_t id)
{
	for (size_t k = 0; k < n->n_items; k++)
		if (n->items[k].id == id)
			return &n->items[k];
	return NULL;
}

/* A route may be known before its nexthop. */
static int get(struct nexthops *n, uint32_t id, struct nexthop **ret)
{
	struct nexthop *items;

	*ret = find(n, id);
	if (*ret)
		return 0;
	items = reallocarray(n->items, n->n_items + 1, sizeof(*items));
	if (!items)
		return -ENOMEM;
	n->items = items;
	*ret = &n->items[n->n_items++];
	**ret = (struct nexthop){ .id = id };
	return 0;
}

void nexthops_done(struct nexthops *n)
{
	for (size_t k = 0; k < n->n_items; k++)
		free(n->items[k].members);
	free(n->items);
	*n = (struct nexthops){};
}

static void take_gateway(struct hop *hop, int family, const void *bytes, size_t size)
{
	if (size < (family == AF_INET ? 4 : sizeof(hop->gateway)))
		return;
	hop->family = family;
	memcpy(hop->gateway, bytes, family == AF_INET ? 4 : sizeof(hop->gateway));
}

static int take_group(struct nexthop *x, const struct nlattr *attr)
{
	const struct nexthop_grp *group = mnl_attr_get_payload(attr);
	size_t count = mnl_attr_get_payload_len(attr) / sizeof(*group);
	uint32_t *members = calloc(count ?: 1, sizeof(*members));

	if (!members)
		return -ENOMEM;
	for (size_t k = 0; k < count; k++)
		members[k] = group[k].id;
	free(x->members);
	x->members = members;
	x->n_members = count;
	return 0;
}

int nexthops_take(struct nexthops *n, const struct nlmsghdr *message)
{
	const struct nhmsg *m = mnl_nlmsg_get_payload(message);
	const struct nlattr *attr, *group = NULL;
	struct hop hop = {};
	struct nexthop *x;
	uint32_t id = 0;
	int r;

	mnl_attr_for_each(attr, message, sizeof(*m)) {
		switch (mnl_attr_get_type(attr)) {
		case NHA_ID:
			id = mnl_attr_get_u32(attr);
			break;
		case NHA_OIF:
			hop.ifindex = mnl_attr_get_u32(attr);
			break;
		case NHA_GATEWAY:
			take_gateway(&hop, m->nh_family, mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr));
			break;
		case NHA_GROUP:
			group = attr;
			break;
		}
	}

	if (message->nlmsg_type == RTM_DELNEXTHOP) {
		x = find(n, id);
		if (x) {
			free(x->members);
			*x = n->items[--n->n_items];
		}
		return 0;
	}
	r = get(n, id, &x);
	if (r < 0)
		return r;
	x->hop = hop;
	x->n_members = 0;
	return group ? take_group(x, group) : 0;
}

/* Groups do not nest. */
static int visit_object(const struct nexthops *n, const struct nexthop *x, hop_fn fn, void *userdata)
{
	int r;

	if (x->n_members == 0)
		return fn(&x->hop, userdata);
	for (size_t k = 0; k < x->n_members; k++) {
		const struct nexthop *member = find(n, x->members[k]);

		r = member ? fn(&member->hop, userdata) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

int routes_foreach_object_hop(const struct nexthops *n, hop_fn fn, void *userdata)
{
	int r = 0;

	for (size_t k = 0; k < n->n_items && r >= 0; k++)
		if (n->items[k].is_default)
			r = visit_object(n, &n->items[k], fn, userdata);
	return r < 0 ? r : 0;
}

/* To all addresses or a good part of them, of those that are there to be reached: not to multicast alone. */
static bool is_default(const struct rtmsg *m, const unsigned char *destination)
{
	unsigned char first = destination ? destination[0] : 0;

	if (m->rtm_type != RTN_UNICAST)
		return false;
	if (m->rtm_dst_len == 0)
		return m->rtm_family == AF_INET || m->rtm_family == AF_INET6;
	if (m->rtm_family == AF_INET)
		return m->rtm_dst_len <= WIDE_LENGTH_MAX4 && first < 224;
	/* does it have a part of 2000::/3? */
	return m->rtm_family == AF_INET6 && m->rtm_dst_len <= WIDE_LENGTH_MAX6 && first < 0x40 &&
	       (m->rtm_dst_len < 3 || first >= 0x20);
}

static void take_hop_attribute(struct hop *hop, int family, const struct nlattr *attr)
{
	const struct rtvia *via;

	switch (mnl_attr_get_type(attr)) {
	case RTA_OIF:
		hop->ifindex = mnl_attr_get_u32(attr);
		break;
	case RTA_GATEWAY:
		take_gateway(hop, family, mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr));
		break;
	case RTA_VIA: /* an IPv4 route over an IPv6 router */
		via = mnl_attr_get_payload(attr);
		if (mnl_attr_get_payload_len(attr) > sizeof(*via) &&
		    (via->rtvia_family == AF_INET || via->rtvia_family == AF_INET6))
			take_gateway(hop, via->rtvia_family, via->rtvia_addr, mnl_attr_get_payload_len(attr) - sizeof(*via));
		break;
	}
}

/* One struct rtnexthop after the other, each with attributes of its own. */
static int visit_multipath(int family, const struct nlattr *legs, hop_fn fn, void *userdata)
{
	const struct rtnexthop *leg = mnl_attr_get_payload(legs);
	int left = mnl_attr_get_payload_len(legs), r = 0;
	const struct nlattr *attr;

	for (; r >= 0 && left > 0 && RTNH_OK(leg, left); left -= RTNH_ALIGN(leg->rtnh_len), leg = RTNH_NEXT(leg)) {
		struct hop hop = { .ifindex = (unsigned)leg->rtnh_ifindex };

		mnl_attr_for_each_payload((const void *)RTNH_DATA(leg), leg->rtnh_len - RTNH_LENGTH(0))
			take_hop_attribute(&hop, family, attr);
		r = fn(&hop, userdata);
	}
	return r < 0 ? r : 0;
}

int routes_foreach_hop(struct nexthops *n, const struct nlmsghdr *message, hop_fn fn, void *userdata)
{
	const struct rtmsg *m = mnl_nlmsg_get_payload(message);
	const struct nlattr *attr, *multipath = NULL, *destination = NULL, *object = NULL;
	struct nexthop *x;
	struct hop hop = {};
	int r;

	mnl_attr_for_each(attr, message, sizeof(*m)) {
		switch (mnl_attr_get_type(attr)) {
		case RTA_DST:
			destination = attr;
			break;
		case RTA_MULTIPATH:
			multipath = attr;
			break;
		case RTA_NH_ID:
			object = attr;
			break;
		default:
			take_hop_attribute(&hop, m->rtm_family, attr);
			break;
		}
	}
	if (!is_default(m, destination ? mnl_attr_get_payload(destination) : NULL))
		return 0;

	r = fn(&hop, userdata);
	if (r >= 0 && multipath)
		r = visit_multipath(m->rtm_family, multipath, fn, userdata);
	if (r < 0 || !object)
		return r < 0 ? r : 0;

	r = get(n, mnl_attr_get_u32(object), &x);
	if (r < 0)
		return r;
	x->is_default = true;
	return visit_object(n, x, fn, userdata);
}

struct dump {
	struct nexthops *nexthops;
	hop_fn fn;
	void *userdata;
};

static int take_message(const struct nlmsghdr *message, void *userdata)
{
	struct dump *d = userdata;

	switch (message->nlmsg_type) {
	case RTM_NEWNEXTHOP:
		return nexthops_take(d->nexthops, message);
	case RTM_NEWROUTE:
		return routes_foreach_hop(d->nexthops, message, d->fn, d->userdata);
	default:
		return 0;
	}
}

int routes_dump(struct nexthops *n, hop_fn fn, void *userdata)
{
	static const unsigned char families[] = { AF_INET, AF_INET6 };
	struct dump d = { n, fn, userdata };
	const struct nhmsg objects = {};
	int r;

	r = netlink_ask(RTM_GETNEXTHOP, &objects, sizeof(objects), take_message, &d);
	if (r < 0 && r != -EOPNOTSUPP) /* came with 5.3 */
		return r;
	for (size_t k = 0; k < ELEMENTSOF(families); k++) {
		const struct rtmsg every = { .rtm_family = families[k] };

		r = netlink_ask(RTM_GETROUTE, &every, sizeof(every), take_message, &d);
		if (r < 0 && r != -EAFNOSUPPORT && r != -EOPNOTSUPP) /* IPv6 may be off */
			return r;
	}
	return 0;
}
