// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * The guard's view of the servers that this host relies on: for names, for its address and for the time, as far as
 * its configuration and the leases of its DHCP client name them by address. What cannot be read is skipped.
 */

#include <ctype.h>
#include <errno.h>
#include <glob.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "guard/guard.h"
#include "kernel/netlink.h"

#define PORT_NTP 123

static const char resolver[] = "a name server of this host";
static const char time_server[] = "a time server of this host";
static const char dhcp_server[] = "the DHCP server of this host";

/* Words after this one in a line name servers. */
static const struct {
	const char *files; /* as of glob(7) */
	const char *word;
	const char *what;
} sources[] = {
	{ "/etc/resolv.conf",                            "nameserver",      resolver    },
	{ "/run/systemd/resolve/resolv.conf",            "nameserver",      resolver    },
	{ "/etc/systemd/resolved.conf",                  "DNS",             resolver    },
	{ "/etc/systemd/resolved.conf.d/*.conf",         "DNS",             resolver    },
	{ "/run/systemd/netif/leases/*",                 "DNS",             resolver    },
	{ "/run/systemd/netif/leases/*",                 "NTP",             time_server },
	{ "/run/systemd/netif/leases/*",                 "SERVER_ADDRESS",  dhcp_server },
	{ "/var/lib/NetworkManager/internal-*.lease",    "SERVER_ADDRESS",  dhcp_server },
	{ "/var/lib/dhcp/dhclient*.leases",              "dhcp-server-identifier", dhcp_server },
	{ "/var/lib/dhclient/dhclient*.leases",          "dhcp-server-identifier", dhcp_server },
	{ "/var/lib/NetworkManager/dhclient*.lease",     "dhcp-server-identifier", dhcp_server },
	{ "/etc/systemd/timesyncd.conf",                 "NTP",             time_server },
	{ "/etc/systemd/timesyncd.conf.d/*.conf",        "NTP",             time_server },
	{ "/etc/chrony.conf",                            "server",          time_server },
	{ "/etc/chrony/chrony.conf",                     "server",          time_server },
	{ "/etc/chrony/conf.d/*.conf",                   "server",          time_server },
	{ "/etc/chrony/sources.d/*.sources",             "server",          time_server },
	{ "/run/chrony-dhcp/*.sources",                  "server",          time_server },
	{ "/etc/ntp.conf",                               "server",          time_server },
	{ "/etc/ntpsec/ntp.conf",                        "server",          time_server },
};

/* "192.0.2.53", "[2001:db8::53]:53", "fe80::1%eth0", "192.0.2.53#example.net"; a name is none. */
static int add_server(struct guard *g, char *word, const char *what)
{
	struct prefix p;

	if (*word == '[')
		word++;
	word[strcspn(word, "]%#;")] = '\0';
	if (prefix_parse(word, strlen(word), &p, NULL) < 0 || p.length != prefix_full_length(p.family))
		return 0;
	return guard_add(g, p.family, p.bytes, what);
}

/* A line of any of these files: the words after the one looked for, up to the end or a comment. */
static int read_line(struct guard *g, char *line, const char *wanted, const char *what)
{
	bool is_after = false;
	char *rest = NULL;
	int r = 0;

	for (char *w = strtok_r(line, " \t\r\n=,", &rest); w && r == 0; w = strtok_r(NULL, " \t\r\n=,", &rest)) {
		if (*w == '#' || *w == ';')
			break;
		if (is_after)
			r = add_server(g, w, what);
		is_after = is_after || strcmp(w, wanted) == 0;
	}
	return r;
}

static int read_file(struct guard *g, const char *path, const char *wanted, const char *what)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	_cleanup_free_ char *line = NULL;
	size_t n_allocated = 0;
	int r = 0;

	while (f && r == 0 && getline(&line, &n_allocated, f) > 0)
		r = read_line(g, line, wanted, what);
	return r;
}

static int take_time_socket(const struct nlmsghdr *message, void *userdata)
{
	const struct inet_diag_msg *m = mnl_nlmsg_get_payload(message);
	struct prefix p = netlink_socket_peer(m);

	return m->id.idiag_dport ? guard_add(userdata, p.family, p.bytes, time_server) : 0;
}

int guard_load_services(struct guard *g)
{
	/* chrony and systemd-timesyncd connect to the servers that they use, even if the configuration has only names */
	int r = netlink_dump_sockets(IPPROTO_UDP, 1 << TCP_ESTABLISHED, 0, PORT_NTP, take_time_socket, g);

	for (size_t i = 0; i < ELEMENTSOF(sources) && r == 0; i++) {
		glob_t found = {};

		if (glob(sources[i].files, 0, NULL, &found) == 0)
			for (size_t k = 0; k < found.gl_pathc && r == 0; k++)
				r = read_file(g, found.gl_pathv[k], sources[i].word, sources[i].what);
		globfree(&found);
	}
	return r;
}
