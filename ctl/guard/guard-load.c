// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * What must not be cut off: the host's own addresses, its default gateways (gateways.c), the SSH sessions this process
 * descends from (sessions.c) and others (sshd.c), its servers (services.c), the ports of its outgoing connections
 * (ephemeral.c), loopback and what else a host needs (special.h).
 */

#include <errno.h>
#include <ifaddrs.h>

#include "guard/guard.h"

static int load_own(struct guard *g)
{
	struct ifaddrs *all;
	int r = 0;

	if (getifaddrs(&all) < 0)
		return -errno;

	for (struct ifaddrs *i = all; i && r == 0; i = i->ifa_next) {
		if (!i->ifa_addr)
			continue;
		if (i->ifa_addr->sa_family == AF_INET)
			r = guard_add(g, AF_INET, &((struct sockaddr_in *)i->ifa_addr)->sin_addr,
				      "an address of this host");
		else if (i->ifa_addr->sa_family == AF_INET6)
			r = guard_add(g, AF_INET6, &((struct sockaddr_in6 *)i->ifa_addr)->sin6_addr,
				      "an address of this host");
	}
	freeifaddrs(all);
	return r;
}

int guard_load(struct guard *g)
{
	int r;

	r = load_own(g);
	if (r < 0)
		return r;

	r = guard_load_gateways(g);
	if (r < 0)
		return r;

	r = guard_load_sessions(g);
	if (r < 0)
		return r;

	r = guard_load_sshd(g);
	if (r < 0)
		return r;

	r = guard_load_services(g);
	if (r < 0)
		return r;

	guard_load_ephemeral(g);
	return guard_add_needed(g);
}
