// SPDX-License-Identifier: GPL-2.0-or-later

/* A dump of filters over rtnetlink for each place where there may be some: see filters.h. */

#include "filters.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>

#include "cleanup.h"
#include "netlink.h"

struct dump {
	struct tc_filter filter; /* the place that was asked for; the rest is filled in for each */
	filters_fn fn;
	void *userdata;
};

static void read_options(struct tc_filter *f, const struct nlattr *options)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, options) {
		if (mnl_attr_get_type(attr) == TCA_BPF_NAME && mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
			f->name = mnl_attr_get_str(attr);
		else if (mnl_attr_get_type(attr) == TCA_BPF_ID && mnl_attr_validate(attr, MNL_TYPE_U32) >= 0)
			f->program_id = mnl_attr_get_u32(attr);
	}
}

static int handle_filter(const struct nlmsghdr *message, void *userdata)
{
	const struct tcmsg *tc = mnl_nlmsg_get_payload(message);
	const struct nlattr *attr, *options = NULL;
	struct dump *d = userdata;
	struct tc_filter f = d->filter;

	f.priority = TC_H_MAJ(tc->tcm_info) >> 16;
	f.handle = tc->tcm_handle;
	f.kind = f.name = "";
	mnl_attr_for_each(attr, message, sizeof(*tc)) {
		if (mnl_attr_get_type(attr) == TCA_KIND && mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
			f.kind = mnl_attr_get_str(attr);
		else if (mnl_attr_get_type(attr) == TCA_OPTIONS)
			options = attr;
	}
	if (f.handle == 0 || !options) /* the head of a priority, its filters follow */
		return 0;
	if (strcmp(f.kind, "bpf") == 0)
		read_options(&f, options);

	return d->fn(&f, d->userdata);
}

static int visit_hook(struct mnl_socket *nl, unsigned ifindex, enum fw_direction direction, filters_fn fn,
		      void *userdata)
{
	struct dump d = {
		.filter = { .ifindex = ifindex, .direction = direction },
		.fn = fn,
		.userdata = userdata,
	};
	const struct tcmsg tc = {
		.tcm_ifindex = (int)ifindex,
		.tcm_parent = TC_H_MAKE(TC_H_CLSACT, direction == FW_INGRESS ? TC_H_MIN_INGRESS : TC_H_MIN_EGRESS),
	};
	int r;

	r = netlink_dump(nl, RTM_GETTFILTER, &tc, sizeof(tc), handle_filter, &d);
	return r == -EOPNOTSUPP ? 0 : r; /* a kernel without tc */
}

int filters_foreach(filters_fn fn, void *userdata)
{
	_cleanup_(netlink_closep) struct mnl_socket *nl = NULL;
	struct if_nameindex *interfaces;
	int r;

	r = netlink_open(&nl);
	if (r < 0)
		return r;
	interfaces = if_nameindex();
	if (!interfaces)
		return -errno;
	for (const struct if_nameindex *i = interfaces; i->if_index != 0 && r >= 0; i++)
		for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX && r >= 0; d++)
			r = visit_hook(nl, i->if_index, d, fn, userdata);
	if_freenameindex(interfaces);
	return r;
}
