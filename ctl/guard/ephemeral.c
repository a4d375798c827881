// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * The guard's view of ports: a connection that this host opens takes one of net.ipv4.ip_local_port_range, and the answers
 * arrive for that port. Blocking these ports as a precaution would cut off every outgoing connection.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "guard/guard.h"

#define SYSCTL       "/proc/sys/net/ipv4/" /* of the network namespace of the reader */
#define FIRST        32768 /* the kernel's own, where it cannot be asked */
#define LAST         60999
#define MUCH_PERCENT 10

/* Comma-separated ports and ranges: "8080,9148-9150". */
static void load_reserved(struct guard *g)
{
	_cleanup_fclose_ FILE *f = fopen(SYSCTL "ip_local_reserved_ports", "re");
	unsigned first, last;
	int n;

	while (f && (n = fscanf(f, "%u-%u", &first, &last)) >= 1) {
		for (unsigned port = first; port <= (n == 2 ? last : first) && port <= UINT16_MAX; port++)
			g->reserved[port / 8] |= 1 << port % 8;
		if (fgetc(f) != ',')
			break;
	}
}

void guard_load_ephemeral(struct guard *g)
{
	_cleanup_fclose_ FILE *f = fopen(SYSCTL "ip_local_port_range", "re");

	if (!f || fscanf(f, "%u %u", &g->ephemeral_first, &g->ephemeral_last) != 2 ||
	    g->ephemeral_first > g->ephemeral_last || g->ephemeral_last > UINT16_MAX) {
		g->ephemeral_first = FIRST;
		g->ephemeral_last = LAST;
	}
	load_reserved(g);
	g->n_ephemeral = 0;
	for (unsigned port = g->ephemeral_first; port <= g->ephemeral_last; port++)
		g->n_ephemeral += guard_is_ephemeral(g, port);
}

bool guard_is_ephemeral(const struct guard *g, unsigned port)
{
	return g->ephemeral_last > 0 && port >= g->ephemeral_first && port <= g->ephemeral_last &&
	       !(g->reserved[port / 8] >> port % 8 & 1);
}

bool guard_is_much(const struct guard *g, size_t n_ports)
{
	return n_ports > 0 && n_ports * 100 > g->n_ephemeral * MUCH_PERCENT;
}

const char *guard_explain_ephemeral(const struct guard *g, enum fw_protocol protocol, enum fw_direction direction,
				    size_t n_ports, bool is_done, char buffer[static GUARD_TEXT_MAX])
{
	(void) snprintf(buffer, GUARD_TEXT_MAX,
			direction == FW_INGRESS ?
				"answers to connections from this host arrive for ports %u-%u (net.ipv4.ip_local_port_range), and "
				"%zu of these %zu %s ports %s blocked" :
				"answers of services of this host go to ports like %u-%u (net.ipv4.ip_local_port_range), and "
				"%zu of these %zu %s ports %s blocked",
			g->ephemeral_first, g->ephemeral_last, n_ports, g->n_ephemeral, protocol == FW_UDP ? "UDP" : "TCP",
			is_done ? "are" : "would be");
	return buffer;
}
