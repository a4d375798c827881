// SPDX-License-Identifier: GPL-2.0-or-later

/* rtnetlink -> struct interfaces, through libmnl: see interfaces.h. */

#include <errno.h>
#include <string.h>

#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "base/cleanup.h"
#include "kernel/netlink.h"
#include "net/interfaces.h"

#define MESSAGE_BYTES_MAX (64 * 1024) /* a link with hundreds of virtual functions fills more than the usual 8 KiB */
#define EVENTS_BYTES (4 * 1024 * 1024) /* receive buffer: some thousand interfaces in a burst */

/* The place of the first row of this number or a higher one. */
static size_t find_place(const struct interfaces *s, unsigned ifindex)
{
	size_t low = 0, high = s->n_items;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->items[middle].ifindex < ifindex)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct interface *find(const struct interfaces *s, unsigned ifindex)
{
	size_t n = find_place(s, ifindex);

	return n < s->n_items && s->items[n].ifindex == ifindex ? &s->items[n] : NULL;
}

const struct interface *interfaces_find(const struct interfaces *s, unsigned ifindex)
{
	return find(s, ifindex);
}

const struct interface *interfaces_find_name(const struct interfaces *s, const char *name)
{
	for (size_t n = 0; n < s->n_items; n++)
		if (interface_has_name(&s->items[n], name))
			return &s->items[n];
	return NULL;
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
	struct interface i, *old, *items;
	size_t place;
	int r;

	r = interface_from_link(h, &i);
	if (r == -ENODATA) /* the row stays as it is */
		return 0;
	if (r < 0)
		return r;
	old = find(s, i.ifindex);
	if (old) {
		remember(&i, old);
		i.serial = old->serial;
		free(old->altnames);
		*old = i;
		return 0;
	}

	items = reallocarray(s->items, s->n_items + 1, sizeof(*items));
	if (!items) {
		free(i.altnames);
		return -ENOMEM;
	}
	s->items = items;
	i.serial = ++s->last_serial;
	place = find_place(s, i.ifindex);
	memmove(items + place + 1, items + place, (s->n_items - place) * sizeof(*items));
	items[place] = i;
	s->n_items++;
	return 0;
}

static void drop_link(struct interfaces *s, unsigned ifindex)
{
	struct interface *i = find(s, ifindex);

	if (!i)
		return;
	free(i->altnames);
	s->n_items--;
	memmove(i, i + 1, (size_t)(s->items + s->n_items - i) * sizeof(*i));
}

/* RTM_NEWADDR */
static void take_address(struct interfaces *s, const struct nlmsghdr *h)
{
	const struct ifaddrmsg *m = mnl_nlmsg_get_payload(h);
	struct interface *i = find(s, m->ifa_index);

	if (i && m->ifa_scope < (m->ifa_family == AF_INET6 ? RT_SCOPE_LINK : RT_SCOPE_HOST))
		i->had_address = true;
}

static int note_default_route(const struct hop *hop, void *userdata)
{
	struct interface *i = find(userdata, hop->ifindex);

	if (i)
		i->had_default_route = true;
	return 0;
}

/* One message, of an event or of an answer. */
static int take_message(const struct nlmsghdr *h, void *userdata)
{
	struct interfaces *s = userdata;
	int r = 0;

	switch (h->nlmsg_type) {
	case RTM_NEWLINK:
		return take_link(s, h);
	case RTM_NEWADDR:
		take_address(s, h);
		return 0;
	case RTM_NEWROUTE:
		return routes_foreach_hop(&s->nexthops, h, note_default_route, s);
	case RTM_NEWNEXTHOP:
	case RTM_DELNEXTHOP: /* routes that go with it tell nothing of that */
		r = nexthops_take(&s->nexthops, h);
		return r < 0 ? r : routes_foreach_object_hop(&s->nexthops, note_default_route, s);
	default:
		return 0;
	}
}

/* Makes or updates the row by what the kernel says now, or removes it. */
static int ask_for_link(struct interfaces *s, unsigned ifindex)
{
	struct interface *i = find(s, ifindex);
	bool was_removed = i && i->was_removed;
	int r;

	r = netlink_get_link(ifindex, take_message, s);
	if (r == -ENODEV) {
		drop_link(s, ifindex);
		return 0;
	}
	i = r < 0 ? NULL : find(s, ifindex);
	if (!i)
		return r;
	i->is_due = i->was_removed = false;
	if (was_removed)
		i->serial = ++s->last_serial;
	return 0;
}

/*
 * An event tells of what was: a name, a master or an end that has passed again must not detach anything. So it only says
 * which row to ask for, once for all events that wait; at once for a new one, of which addresses and routes may follow.
 * Bridges send link messages of their own family: not for us.
 */
static int note_link(struct interfaces *s, const struct nlmsghdr *h)
{
	const struct ifinfomsg *link = mnl_nlmsg_get_payload(h);
	bool is_removal = h->nlmsg_type == RTM_DELLINK;
	struct interface *i;

	if (link->ifi_family != AF_UNSPEC)
		return 0;
	i = find(s, (unsigned)link->ifi_index);
	if (!i)
		return is_removal ? 0 : ask_for_link(s, (unsigned)link->ifi_index);
	i->is_due = true;
	i->was_removed = i->was_removed || is_removal;
	return 0;
}

/* For libmnl. */
static int take_event(const struct nlmsghdr *h, void *userdata)
{
	bool is_link = h->nlmsg_type == RTM_NEWLINK || h->nlmsg_type == RTM_DELLINK;
	int r = is_link ? note_link(userdata, h) : take_message(h, userdata);

	if (r >= 0)
		return MNL_CB_OK;
	errno = -r;
	return MNL_CB_ERROR;
}

static int load_links(struct interfaces *s)
{
	static const struct {
		struct ifinfomsg m;
		struct nlattr a;
		uint32_t mask;
	} request = {
		.a = { .nla_len = sizeof(struct nlattr) + sizeof(uint32_t), .nla_type = IFLA_EXT_MASK },
		.mask = RTEXT_FILTER_SKIP_STATS,
	};

	return netlink_ask(RTM_GETLINK, &request, sizeof(request), take_message, s);
}

static int load_addresses_and_routes(struct interfaces *s)
{
	const struct ifaddrmsg every = {};
	int r;

	r = netlink_ask(RTM_GETADDR, &every, sizeof(every), take_message, s);
	return r < 0 ? r : routes_dump(&s->nexthops, note_default_route, s);
}

static void free_items(struct interfaces *s)
{
	for (size_t n = 0; n < s->n_items; n++)
		free(s->items[n].altnames);
	free(s->items);
}

/*
 * Reads everything again, with new serials: an interface may have been exchanged for another unseen. The old rows stay until
 * the new ones are complete.
 */
static int load(struct interfaces *s)
{
	struct interfaces fresh = { .last_serial = s->last_serial };
	int r;

	r = load_links(&fresh);
	if (r < 0) {
		free_items(&fresh);
		return r;
	}
	for (size_t n = 0; n < fresh.n_items; n++) {
		const struct interface *old = find(s, fresh.items[n].ifindex);

		if (old)
			remember(&fresh.items[n], old);
	}
	free_items(s);
	s->items = fresh.items;
	s->n_items = fresh.n_items;
	s->last_serial = fresh.last_serial;
	return load_addresses_and_routes(s);
}

int interfaces_load(struct interfaces *ret)
{
	struct interfaces s = {};
	int r;

	r = load(&s);
	if (r < 0) {
		interfaces_done(&s);
		return r;
	}
	*ret = s;
	return 0;
}

void interfaces_done(struct interfaces *s)
{
	netlink_closep(&s->events);
	nexthops_done(&s->nexthops);
	free_items(s);
	*s = (struct interfaces){};
}

int interfaces_open(struct interfaces **ret)
{
	static const int groups[] = { RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE,
				      RTNLGRP_IPV6_ROUTE, RTNLGRP_NEXTHOP };
	_cleanup_(netlink_closep) struct mnl_socket *events = NULL;
	_cleanup_free_ struct interfaces *s = NULL;
	int size = EVENTS_BYTES, r;

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

	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	r = interfaces_load(s);
	if (r < 0)
		return r;
	s->events = TAKE_PTR(events);
	*ret = TAKE_PTR(s);
	return 0;
}

struct interfaces *interfaces_free(struct interfaces *s)
{
	if (s)
		interfaces_done(s);
	free(s);
	return NULL;
}

int interfaces_fd(const struct interfaces *s)
{
	return mnl_socket_get_fd(s->events);
}

/* Everything that waits. What has got lost leaves is_stale set. */
static int read_events(struct interfaces *s)
{
	_cleanup_free_ char *buffer = malloc(MESSAGE_BYTES_MAX);
	ssize_t n;

	if (!buffer)
		return -ENOMEM;
	for (;;) {
		n = netlink_receive(s->events, buffer, MESSAGE_BYTES_MAX);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return 0;
		if (n < 0 && errno != ENOBUFS && errno != ENOSPC)
			return -errno;
		if (n < 0) /* lost some, or one too large */
			s->is_stale = true;
		else if (mnl_cb_run(buffer, (size_t)n, 0, 0, take_event, s) < 0)
			return -errno;
	}
}

static int ask_for_links(struct interfaces *s)
{
	int r = 0;

	for (size_t n = s->n_items; n-- > 0 && r >= 0;) /* from the last: a row may go */
		if (s->items[n].is_due)
			r = ask_for_link(s, s->items[n].ifindex);
	return r;
}

int interfaces_read(struct interfaces *s)
{
	int r;

	r = read_events(s);
	if (r >= 0 && !s->is_stale)
		r = ask_for_links(s);
	if (r < 0)
		s->is_stale = true;
	if (s->is_stale)
		r = load(s);
	if (r >= 0)
		s->is_stale = false;
	return r;
}
