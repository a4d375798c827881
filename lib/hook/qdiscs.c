// SPDX-License-Identifier: GPL-2.0-or-later

/* A dump of qdiscs over rtnetlink, of which one an interface is kept: see qdiscs.h. */

#include "hook/qdiscs.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "kernel/netlink.h"

static int keep(struct qdiscs *all, const struct qdisc *q)
{
	if (all->n == all->n_allocated) {
		size_t n = all->n_allocated ? 2 * all->n_allocated : 16;
		struct qdisc *items = reallocarray(all->items, n, sizeof(*items));

		if (!items)
			return -ENOMEM;
		all->items = items;
		all->n_allocated = n;
	}
	all->items[all->n++] = *q;
	return 0;
}

static int handle_qdisc(const struct nlmsghdr *message, void *userdata)
{
	const struct tcmsg *tc = mnl_nlmsg_get_payload(message);
	struct qdisc q = { .ifindex = (unsigned)tc->tcm_ifindex };
	const struct nlattr *attr;

	if (tc->tcm_parent != TC_H_INGRESS) /* the same number as TC_H_CLSACT */
		return 0;
	mnl_attr_for_each(attr, message, sizeof(*tc))
		if (mnl_attr_get_type(attr) == TCA_KIND && mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
			(void) snprintf(q.kind, sizeof(q.kind), "%s", mnl_attr_get_str(attr));
	return keep(userdata, &q);
}

/* By a dump: the answer to a question about one qdisc would go to every listener. */
int qdiscs_read(struct qdiscs *ret)
{
	_cleanup_(netlink_closep) struct mnl_socket *nl = NULL;
	_cleanup_(qdiscs_done) struct qdiscs all = {};
	const struct tcmsg every = {};
	int r;

	r = netlink_open(&nl);
	if (r < 0)
		return r;
	r = netlink_dump(nl, RTM_GETQDISC, &every, sizeof(every), handle_qdisc, &all);
	if (r < 0 && r != -EOPNOTSUPP) /* a kernel without tc */
		return r;
	*ret = all;
	all = (struct qdiscs){};
	return 0;
}

int qdiscs_add_clsact(struct qdiscs *q, unsigned ifindex)
{
	const struct qdisc clsact = { .ifindex = ifindex, .kind = "clsact" };

	return keep(q, &clsact);
}

void qdiscs_done(struct qdiscs *q)
{
	free(q->items);
}

const struct qdisc *qdiscs_find(const struct qdiscs *q, unsigned ifindex)
{
	for (size_t i = 0; i < q->n; i++)
		if (q->items[i].ifindex == ifindex)
			return &q->items[i];
	return NULL;
}

bool qdisc_has_direction(const struct qdisc *q, enum fw_direction d)
{
	return q && (d == FW_INGRESS || strcmp(q->kind, "clsact") == 0);
}
