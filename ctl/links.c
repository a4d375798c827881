// SPDX-License-Identifier: GPL-2.0-or-later

/* Interfaces with their counters, by one dump over rtnetlink: see links.h. */

#include "links.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"

#define DUMP_SIZE 32768 /* what the kernel fills at most per message of a dump */

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
	int r;

	mnl_attr_for_each(attr, message, sizeof(*info)) {
		if (mnl_attr_get_type(attr) == IFLA_IFNAME)
			(void) strncpy(l.name, mnl_attr_get_str(attr), sizeof(l.name) - 1);
		else if (mnl_attr_get_type(attr) == IFLA_STATS64) /* a newer kernel may have more, an older one less */
			memcpy(&l.stats, mnl_attr_get_payload(attr),
			       mnl_attr_get_payload_len(attr) < sizeof(l.stats) ?
				       mnl_attr_get_payload_len(attr) : sizeof(l.stats));
	}
	r = w->fn(&l, w->userdata);
	if (r >= 0)
		return MNL_CB_OK;
	errno = -r;
	return MNL_CB_ERROR;
}

static void socket_closep(struct mnl_socket **s)
{
	if (*s)
		(void) mnl_socket_close(*s); /* nothing was sent that could be lost */
}

int links_foreach(int (*fn)(const struct link_counters *l, void *userdata), void *userdata)
{
	_cleanup_(socket_closep) struct mnl_socket *nl = NULL;
	_cleanup_free_ char *buffer = malloc(DUMP_SIZE);
	struct walk w = { .fn = fn, .userdata = userdata };
	struct nlmsghdr *message;
	struct ifinfomsg *info;
	ssize_t n;
	int r;

	if (!buffer)
		return -ENOMEM;
	nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!nl || mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;

	message = mnl_nlmsg_put_header(buffer);
	message->nlmsg_type = RTM_GETLINK;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	info = mnl_nlmsg_put_extra_header(message, sizeof(*info));
	info->ifi_family = AF_UNSPEC;
	if (mnl_socket_sendto(nl, message, message->nlmsg_len) < 0)
		return -errno;

	do {
		n = mnl_socket_recvfrom(nl, buffer, DUMP_SIZE);
		if (n < 0)
			return -errno;
		r = mnl_cb_run(buffer, n, 0, mnl_socket_get_portid(nl), visit_link, &w);
	} while (r > MNL_CB_STOP);
	return r < 0 ? -errno : 0;
}
