/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the kernel itself counts for the interfaces of this network namespace. */

#include <linux/if_link.h>
#include <net/if.h>

struct link_counters {
	unsigned ifindex;
	char name[IF_NAMESIZE];
	struct rtnl_link_stats64 stats;
};

/*
 * Calls fn for each; stops at a negative return, which is returned. -EINTR: interfaces have come or gone in the meantime,
 * and some may be missing: ask again.
 */
int links_foreach(int (*fn)(const struct link_counters *l, void *userdata), void *userdata);
