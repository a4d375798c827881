// SPDX-License-Identifier: GPL-2.0-or-later

/* A dump of filters over rtnetlink for each place where there may be some: see filters.h. */

#include "hook/filters.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "base/cleanup.h"
#include "hook/qdiscs.h"
#include "kernel/netlink.h"

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
		else if (mnl_attr_get_type(attr) == TCA_CHAIN && mnl_attr_validate(attr, MNL_TYPE_U32) >= 0)
			f.chain = mnl_attr_get_u32(attr);
	}
	if (f.handle == 0 || !options) /* the head of a priority, its filters follow */
		return 0;
	if (strcmp(f.kind, "u32") == 0 && TC_U32_NODE(f.handle) == 0) /* a hash table of it, its filters follow */
		return 0;
	if (strcmp(f.kind, "bpf") == 0)
		read_options(&f, options);

	return d->fn(&f, d->userdata);
}

static struct tcmsg place(unsigned ifindex, enum fw_direction direction)
{
	return (struct tcmsg){
		.tcm_ifindex = (int)ifindex,
		.tcm_parent = TC_H_MAKE(TC_H_CLSACT, direction == FW_INGRESS ? TC_H_MIN_INGRESS : TC_H_MIN_EGRESS),
	};
}

static int visit_hook(struct mnl_socket *nl, unsigned ifindex, enum fw_direction direction, filters_fn fn,
		      void *userdata)
{
	struct dump d = {
		.filter = { .ifindex = ifindex, .direction = direction },
		.fn = fn,
		.userdata = userdata,
	};
	const struct tcmsg tc = place(ifindex, direction);

	return netlink_dump(nl, RTM_GETTFILTER, &tc, sizeof(tc), handle_filter, &d);
}

int filters_foreach(filters_fn fn, void *userdata)
{
	_cleanup_(netlink_closep) struct mnl_socket *nl = NULL;
	_cleanup_(qdiscs_done) struct qdiscs q = {};
	int r;

	r = netlink_open(&nl);
	if (r >= 0)
		r = qdiscs_read(&q);
	for (size_t i = 0; i < q.n && r >= 0; i++)
		for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX && r >= 0; d++)
			if (qdisc_has_direction(&q.items[i], d))
				r = visit_hook(nl, q.items[i].ifindex, d, fn, userdata);
	return r;
}

int filters_foreach_at(unsigned ifindex, enum fw_direction d, filters_fn fn, void *userdata)
{
	_cleanup_(netlink_closep) struct mnl_socket *nl = NULL;
	int r;

	r = netlink_open(&nl);
	if (r >= 0)
		r = visit_hook(nl, ifindex, d, fn, userdata);
	return r == -EOPNOTSUPP ? 0 : r; /* a kernel without tc */
}

static int refuse_any(const struct nlmsghdr *message, void *userdata)
{
	return message->nlmsg_type == RTM_NEWTFILTER || message->nlmsg_type == RTM_NEWCHAIN ? -EEXIST : 0;
}

int filters_is_empty(unsigned ifindex)
{
	static const uint16_t types[] = { RTM_GETTFILTER, RTM_GETCHAIN };
	int r = 0;

	for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX && r >= 0; d++) {
		struct tcmsg tc = place(ifindex, d);

		for (size_t i = 0; i < ELEMENTSOF(types) && r >= 0; i++)
			r = netlink_ask(types[i], &tc, sizeof(tc), refuse_any, NULL);
	}
	return r == -EEXIST ? 0 : r < 0 ? r : 1;
}
