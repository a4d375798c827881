// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * The guard's view of the routing tables: the next hop of every default route, of all tables, since
 * a host with policy routing has several. Nothing is changed.
 */

#include <sys/socket.h>

#include "base/cleanup.h"
#include "guard/guard.h"
#include "net/routes.h"

static int add_gateway(const struct hop *hop, void *userdata)
{
	return hop->family == AF_UNSPEC ? 0 : guard_add(userdata, hop->family, hop->gateway, "the default gateway");
}

int guard_load_gateways(struct guard *g)
{
	_cleanup_(nexthops_done) struct nexthops nexthops = {};

	return routes_dump(&nexthops, add_gateway, g);
}
