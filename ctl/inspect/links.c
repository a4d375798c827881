// SPDX-License-Identifier: GPL-2.0-or-later

/* Interfaces with their counters, by one dump over rtnetlink: see links.h. */

#include "inspect/links.h"

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "base/cleanup.h"
#include "kernel/netlink.h"

struct walk {
	int (*fn)(const struct link_counters *l, void *userdata);
	void *userdata;
};

static int visit_link(const struct nlmsghdr *message, void *userdata)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
	struct link_counters l = { .ifindex = (unsigned)info->ifi_index };
	const struct walk *w = userdata;
	const struct nlattr *attr;

	mnl_attr_for_each(attr, message, sizeof(*info)) {
		if (mnl_attr_get_type(attr) == IFLA_IFNAME)
			(void) strncpy(l.name, mnl_attr_get_str(attr), sizeof(l.name) - 1);
		else if (mnl_attr_get_type(attr) == IFLA_STATS64) /* a newer kernel may have more, an older one less */
			memcpy(&l.stats, mnl_attr_get_payload(attr),
			       mnl_attr_get_payload_len(attr) < sizeof(l.stats) ?
				       mnl_attr_get_payload_len(attr) : sizeof(l.stats));
	}
	return w->fn(&l, w->userdata);
}

int links_foreach(int (*fn)(const struct link_counters *l, void *userdata), void *userdata)
{
	_cleanup_(netlink_closep) struct mnl_socket *nl = NULL;
	const struct ifinfomsg every = { .ifi_family = AF_UNSPEC };
	struct walk w = { .fn = fn, .userdata = userdata };
	int r;

	r = netlink_open(&nl);
	return r < 0 ? r : netlink_dump(nl, RTM_GETLINK, &every, sizeof(every), visit_link, &w);
}
