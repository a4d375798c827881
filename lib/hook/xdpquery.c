// SPDX-License-Identifier: GPL-2.0-or-later

/* See xdpquery.h. libbpf's own bpf_xdp_query() asks for all interfaces to learn of one. */

#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <time.h>

#include "hook/xdpquery.h"
#include "kernel/netlink.h"

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
	return 0;
}

int xdp_query(unsigned ifindex, struct xdp_programs *ret)
{
	struct xdp_programs found = {};
	int r;

	r = netlink_get_link(ifindex, take_link, &found);
	if (r >= 0)
		*ret = found;
	return r;
}

enum fw_mechanism xdp_mechanism_of(const struct xdp_programs *p, uint32_t prog_id)
{
	if (prog_id == 0)
		return FW_MECHANISM_NONE;
	if (p->native_id == prog_id)
		return FW_MECHANISM_XDP_NATIVE;
	return p->generic_id == prog_id ? FW_MECHANISM_XDP_GENERIC : FW_MECHANISM_NONE;
}
