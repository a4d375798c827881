// SPDX-License-Identifier: GPL-2.0-or-later

/* rtnetlink -> struct interfaces, through libmnl: see interfaces.h. */

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "cleanup.h"
#include "interfaces.h"

/* A link with hundreds of virtual functions fills more than the 8 KiB that libmnl proposes. */
#define MESSAGE_BYTES_MAX (64 * 1024)
#define EVENTS_BYTES (4 * 1024 * 1024) /* receive buffer: some thousand interfaces in a burst */
#define DUMP_TRIES 5

/* Kernel 5.14; older headers lack it. */
#define ATTRIBUTE_PARENT_DEVICE 56

static void mnl_closep(struct mnl_socket **socket)
{
	if (*socket)
		(void) mnl_socket_close(*socket);
}

static struct interface *find(const struct interfaces *s, unsigned ifindex)
{
	for (size_t n = 0; n < s->n_items; n++)
		if (s->items[n].ifindex == ifindex)
			return &s->items[n];
	return NULL;
}

const struct interface *interfaces_find(const struct interfaces *s, unsigned ifindex)
{
	return find(s, ifindex);
}

const struct interface *interfaces_find_name(const struct interfaces *s, const char *name)
{
	for (size_t n = 0; n < s->n_items; n++)
		if (strcmp(s->items[n].name, name) == 0)
			return &s->items[n];
	return NULL;
}

/* What kernels that do not send the parent device show in /sys, if it is this interface that it shows. */
static bool has_device_in_sys(const struct interface *i)
{
	_cleanup_fclose_ FILE *f = NULL;
	char path[64 + IFNAMSIZ];
	unsigned ifindex = 0;

	(void) snprintf(path, sizeof(path), "/sys/class/net/%s/ifindex", i->name);
	f = fopen(path, "re");
	if (!f || fscanf(f, "%u", &ifindex) != 1 || ifindex != i->ifindex)
		return false; /* /sys may show another network namespace */
	(void) snprintf(path, sizeof(path), "/sys/class/net/%s/device", i->name);
	return access(path, F_OK) == 0;
}

static void copy_text(const struct nlattr *a, char *buffer, size_t size)
{
	(void) snprintf(buffer, size, "%.*s", (int)mnl_attr_get_payload_len(a), mnl_attr_get_str(a));
}

static bool attribute_is(const struct nlattr *a, const char *text)
{
	return mnl_attr_validate(a, MNL_TYPE_STRING) >= 0 &&
	       strncmp(mnl_attr_get_str(a), text, mnl_attr_get_payload_len(a)) == 0;
}

/* A VRF has ports too, but packets are not handed on to it unseen as to a bridge or bond. */
static void take_linkinfo(struct interface *i, const struct nlattr *linkinfo)
{
	const struct nlattr *a;

	mnl_attr_for_each_nested(a, linkinfo) {
		switch (mnl_attr_get_type(a)) {
		case IFLA_INFO_KIND:
			copy_text(a, i->kind, sizeof(i->kind));
			break;
		case IFLA_INFO_SLAVE_KIND:
			if (attribute_is(a, "vrf"))
				i->is_port = false;
			break;
		}
	}
}

/* What stays true of an interface. */
static void remember(struct interface *i, const struct interface *old)
{
	i->had_default_route = old->had_default_route;
	i->had_address = old->had_address;
}

/* RTM_NEWLINK: the row is added or brought up to date. */
static int take_link(struct interfaces *s, const struct nlmsghdr *h)
{
	const struct ifinfomsg *m = mnl_nlmsg_get_payload(h);
	struct interface i = { .ifindex = (unsigned)m->ifi_index, .type = m->ifi_type };
	const struct nlattr *a, *linkinfo = NULL;
	struct interface *old, *items;

	mnl_attr_for_each(a, h, sizeof(*m)) {
		switch (mnl_attr_get_type(a)) {
		case IFLA_IFNAME:
			copy_text(a, i.name, sizeof(i.name));
			break;
		case IFLA_MASTER:
			i.master = mnl_attr_get_u32(a);
			break;
		case IFLA_LINKINFO:
			linkinfo = a;
			break;
		case ATTRIBUTE_PARENT_DEVICE:
			i.has_device = true;
			break;
		}
	}
	i.is_port = i.master != 0;
	if (linkinfo)
		take_linkinfo(&i, linkinfo);
	if (!i.has_device)
		i.has_device = has_device_in_sys(&i);

	old = find(s, i.ifindex);
	if (old) {
		remember(&i, old);
		i.serial = old->serial;
		*old = i;
		return 0;
	}

	items = reallocarray(s->items, s->n_items + 1, sizeof(*items));
	if (!items)
		return -ENOMEM;
	s->items = items;
	i.serial = ++s->last_serial;
	s->items[s->n_items++] = i;
	return 0;
}

static void drop_link(struct interfaces *s, unsigned ifindex)
{
	struct interface *i = find(s, ifindex);

	if (i)
		*i = s->items[--s->n_items];
}

static void note_default_route(struct interfaces *s, unsigned ifindex)
{
	struct interface *i = find(s, ifindex);

	if (i)
		i->had_default_route = true;
}

/* RTM_NEWADDR */
static void take_address(struct interfaces *s, const struct nlmsghdr *h)
{
	const struct ifaddrmsg *m = mnl_nlmsg_get_payload(h);
	struct interface *i = find(s, m->ifa_index);

	if (i && m->ifa_scope < (m->ifa_family == AF_INET6 ? RT_SCOPE_LINK : RT_SCOPE_HOST))
		i->had_address = true;
}

/* RTM_NEWROUTE: only default routes matter, in whatever table a VPN keeps its own. */
static void take_route(struct interfaces *s, const struct nlmsghdr *h)
{
	const struct rtmsg *m = mnl_nlmsg_get_payload(h);
	const struct rtnexthop *hop;
	const struct nlattr *a;
	int left;

	if (m->rtm_dst_len != 0 || m->rtm_type != RTN_UNICAST)
		return;

	mnl_attr_for_each(a, h, sizeof(*m)) {
		switch (mnl_attr_get_type(a)) {
		case RTA_OIF:
			note_default_route(s, mnl_attr_get_u32(a));
			break;
		case RTA_MULTIPATH:
			hop = mnl_attr_get_payload(a);
			left = mnl_attr_get_payload_len(a);
			for (; RTNH_OK(hop, left);
			     left -= RTNH_ALIGN(hop->rtnh_len), hop = RTNH_NEXT(hop))
				note_default_route(s, (unsigned)hop->rtnh_ifindex);
			break;
		}
	}
}

/* One message, of an event or of an answer. Bridges send link messages of their own family: not for us. */
static int take_message(const struct nlmsghdr *h, void *userdata)
{
	const struct ifinfomsg *link = mnl_nlmsg_get_payload(h);
	struct interfaces *s = userdata;
	int r = 0;

	switch (h->nlmsg_type) {
	case RTM_NEWLINK:
		if (link->ifi_family == AF_UNSPEC)
			r = take_link(s, h);
		break;
	case RTM_DELLINK:
		if (link->ifi_family == AF_UNSPEC)
			drop_link(s, (unsigned)link->ifi_index);
		break;
	case RTM_NEWADDR:
		take_address(s, h);
		break;
	case RTM_NEWROUTE:
		take_route(s, h);
		break;
	}
	if (r < 0) {
		errno = -r;
		return MNL_CB_ERROR;
	}
	return MNL_CB_OK;
}

/* -EINTR: the objects changed meanwhile, so that the answer has holes. */
static int dump_once(struct interfaces *s, uint16_t type, unsigned char family)
{
	_cleanup_(mnl_closep) struct mnl_socket *socket = NULL;
	_cleanup_free_ char *buffer = NULL;
	struct nlmsghdr *h;
	int more;

	buffer = malloc(MESSAGE_BYTES_MAX);
	if (!buffer)
		return -ENOMEM;
	socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!socket || mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;

	h = mnl_nlmsg_put_header(buffer);
	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	if (type == RTM_GETLINK) {
		struct ifinfomsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));

		m->ifi_family = family;
		mnl_attr_put_u32(h, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	} else if (type == RTM_GETADDR) {
		struct ifaddrmsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));

		m->ifa_family = family;
	} else {
		struct rtmsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));

		m->rtm_family = family;
	}
	if (mnl_socket_sendto(socket, h, h->nlmsg_len) < 0)
		return -errno;

	do {
		ssize_t n = mnl_socket_recvfrom(socket, buffer, MESSAGE_BYTES_MAX);

		if (n < 0)
			return -errno;
		more = mnl_cb_run(buffer, (size_t)n, 0, 0, take_message, s);
		if (more < 0)
			return -errno;
	} while (more > MNL_CB_STOP);
	return 0;
}

/* Asks for all objects of a type. On a system that never rests the last answer has to do: events follow. */
static int dump(struct interfaces *s, uint16_t type, unsigned char family)
{
	int r = -EINTR;

	for (int i = 0; i < DUMP_TRIES && r == -EINTR; i++) {
		if (type == RTM_GETLINK)
			s->n_items = 0; /* what an interrupted try has seen may be gone */
		r = dump_once(s, type, family);
	}
	return r == -EINTR ? 0 : r;
}

/*
 * Everything anew, with new serials: an interface may have been exchanged for another unseen. The old
 * rows stand until the new ones are complete.
 */
static int dump_all(struct interfaces *s)
{
	struct interfaces fresh = { .last_serial = s->last_serial };
	int r;

	r = dump(&fresh, RTM_GETLINK, AF_UNSPEC);
	if (r < 0) {
		free(fresh.items);
		return r;
	}
	for (size_t n = 0; n < fresh.n_items; n++) {
		const struct interface *old = find(s, fresh.items[n].ifindex);

		if (old)
			remember(&fresh.items[n], old);
	}
	free(s->items);
	s->items = fresh.items;
	s->n_items = fresh.n_items;
	s->last_serial = fresh.last_serial;

	r = dump(s, RTM_GETADDR, AF_UNSPEC);
	if (r < 0)
		return r;
	r = dump(s, RTM_GETROUTE, AF_INET);
	if (r < 0)
		return r;
	r = dump(s, RTM_GETROUTE, AF_INET6);
	return r == -EAFNOSUPPORT || r == -EOPNOTSUPP ? 0 : r; /* IPv6 may be off */
}

int interfaces_open(struct interfaces **ret)
{
	static const int groups[] = { RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE,
				      RTNLGRP_IPV6_ROUTE };
	_cleanup_(mnl_closep) struct mnl_socket *events = NULL;
	_cleanup_free_ struct interfaces *s = NULL;
	int size = EVENTS_BYTES, r;

	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;

	events = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!events || mnl_socket_bind(events, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	for (size_t n = 0; n < ELEMENTSOF(groups); n++) {
		int group = groups[n];

		if (mnl_socket_setsockopt(events, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
			return -errno;
	}
	/* a wish: CAP_NET_ADMIN may exceed the limit of the system */
	(void) setsockopt(mnl_socket_get_fd(events), SOL_SOCKET, SO_RCVBUFFORCE, &size,
			 sizeof(size));

	r = dump_all(s);
	if (r < 0) {
		free(s->items);
		return r;
	}
	s->events = TAKE_PTR(events);
	*ret = TAKE_PTR(s);
	return 0;
}

struct interfaces *interfaces_free(struct interfaces *s)
{
	if (!s)
		return NULL;
	mnl_closep(&s->events);
	free(s->items);
	free(s);
	return NULL;
}

int interfaces_fd(const struct interfaces *s)
{
	return mnl_socket_get_fd(s->events);
}

int interfaces_read(struct interfaces *s)
{
	_cleanup_free_ char *buffer = NULL;
	bool is_overrun = false;
	ssize_t n;

	buffer = malloc(MESSAGE_BYTES_MAX);
	if (!buffer)
		return -ENOMEM;

	for (;;) {
		n = mnl_socket_recvfrom(s->events, buffer, MESSAGE_BYTES_MAX);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n < 0 && (errno == ENOBUFS || errno == ENOSPC)) { /* lost some, or one too large */
			is_overrun = true;
			continue;
		}
		if (n < 0)
			return -errno;
		if (mnl_cb_run(buffer, (size_t)n, 0, 0, take_message, s) < 0)
			return -errno;
	}
	return is_overrun ? dump_all(s) : 0;
}
