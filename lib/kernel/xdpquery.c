// SPDX-License-Identifier: GPL-2.0-or-later

/* See xdpquery.h. libbpf's own bpf_xdp_query() asks for all interfaces to learn of one. */

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <time.h>

#include "base/cleanup.h"
#include "kernel/netlink.h"
#include "kernel/xdpquery.h"

#define MESSAGE_BYTES_MAX (64 * 1024) /* hundreds of virtual functions fill more than the usual 8 KiB */

static void socket_closep(struct mnl_socket **s)
{
	if (*s)
		(void) mnl_socket_close(*s); /* nothing was sent that could be lost */
}

static int take_link(const struct nlmsghdr *message, void *userdata)
{
	const struct nlattr *a, *nested;
	struct xdp_programs *p = userdata;

	mnl_attr_for_each(a, message, sizeof(struct ifinfomsg)) {
		if (mnl_attr_get_type(a) != IFLA_XDP)
			continue;
		mnl_attr_for_each_nested(nested, a) {
			if (mnl_attr_get_type(nested) == IFLA_XDP_DRV_PROG_ID)
				p->native_id = mnl_attr_get_u32(nested);
			else if (mnl_attr_get_type(nested) == IFLA_XDP_SKB_PROG_ID)
				p->generic_id = mnl_attr_get_u32(nested);
		}
	}
	return MNL_CB_OK;
}

int xdp_query(unsigned ifindex, struct xdp_programs *ret)
{
	_cleanup_(socket_closep) struct mnl_socket *socket = NULL;
	_cleanup_free_ char *buffer = malloc(MESSAGE_BYTES_MAX);
	struct xdp_programs found = {};
	struct nlmsghdr *message;
	struct ifinfomsg *link;
	ssize_t n;

	if (!buffer)
		return -ENOMEM;
	socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!socket || mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;

	message = mnl_nlmsg_put_header(buffer);
	message->nlmsg_type = RTM_GETLINK;
	message->nlmsg_flags = NLM_F_REQUEST;
	link = mnl_nlmsg_put_extra_header(message, sizeof(*link));
	link->ifi_family = AF_UNSPEC;
	link->ifi_index = (int)ifindex;
	mnl_attr_put_u32(message, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	if (mnl_socket_sendto(socket, message, message->nlmsg_len) < 0)
		return -errno;

	n = netlink_receive(socket, buffer, MESSAGE_BYTES_MAX);
	if (n < 0 || mnl_cb_run(buffer, (size_t)n, 0, 0, take_link, &found) < 0)
		return -errno;
	*ret = found;
	return 0;
}

enum fw_mechanism xdp_mechanism_of(const struct xdp_programs *p, uint32_t prog_id)
{
	if (prog_id == 0)
		return FW_MECHANISM_NONE;
	if (p->native_id == prog_id)
		return FW_MECHANISM_XDP_NATIVE;
	return p->generic_id == prog_id ? FW_MECHANISM_XDP_GENERIC : FW_MECHANISM_NONE;
}
