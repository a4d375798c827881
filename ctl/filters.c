// SPDX-License-Identifier: GPL-2.0-or-later

/* One dump of filters over rtnetlink: see filters.h. */

#include "filters.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "cleanup.h"

#define DUMP_SIZE 32768 /* what the kernel fills at most per message of a dump */

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
	int r;

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
		return MNL_CB_OK;
	if (strcmp(f.kind, "bpf") == 0)
		read_options(&f, options);

	r = d->fn(&f, d->userdata);
	if (r < 0) {
		errno = -r;
		return MNL_CB_ERROR;
	}
	return MNL_CB_OK;
}

static void socket_closep(struct mnl_socket **s)
{
	if (*s)
		(void) mnl_socket_close(*s); /* nothing was sent that could be lost */
}

int filters_foreach(unsigned ifindex, enum fw_direction direction, filters_fn fn, void *userdata)
{
	struct dump d = {
		.filter = { .ifindex = ifindex, .direction = direction },
		.fn = fn,
		.userdata = userdata,
	};
	_cleanup_(socket_closep) struct mnl_socket *nl = NULL;
	_cleanup_free_ char *buffer = malloc(DUMP_SIZE);
	struct nlmsghdr *message;
	struct tcmsg *tc;
	ssize_t n;
	int r;

	if (!buffer)
		return -ENOMEM;
	nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!nl || mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;

	message = mnl_nlmsg_put_header(buffer);
	message->nlmsg_type = RTM_GETTFILTER;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	tc = mnl_nlmsg_put_extra_header(message, sizeof(*tc));
	tc->tcm_ifindex = (int)ifindex;
	tc->tcm_parent = TC_H_MAKE(TC_H_CLSACT, direction == FW_INGRESS ? TC_H_MIN_INGRESS : TC_H_MIN_EGRESS);
	if (mnl_socket_sendto(nl, message, message->nlmsg_len) < 0)
		return -errno;

	do {
		n = mnl_socket_recvfrom(nl, buffer, DUMP_SIZE);
		if (n < 0)
			return -errno;
		r = mnl_cb_run(buffer, n, 0, mnl_socket_get_portid(nl), handle_filter, &d);
	} while (r > MNL_CB_STOP);
	return r < 0 ? -errno : 0;
}
