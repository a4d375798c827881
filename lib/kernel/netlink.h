/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Questions to rtnetlink(7) and sock_diag(7), and all that the kernel answers. Changes nothing, needs no privilege. */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/netlink.h>

#include "text/prefix.h"

struct mnl_socket;

int netlink_open(struct mnl_socket **ret);
void netlink_closep(struct mnl_socket **nl);

/*
 * As mnl_socket_recvfrom(), but takes messages of the kernel alone, from port 0: with CAP_NET_ADMIN in the network
 * namespace any process may send what looks like an event or an answer. errno ENOSPC: a message that is too large.
 */
ssize_t netlink_receive(const struct mnl_socket *nl, void *buffer, size_t size);

/*
 * Dumps what a request of this type, RTM_GETROUTE and the like, with this family header asks for. A negative
 * return of fn ends it and is returned; else 0 or the negative errno of what the kernel or the socket said. After
 * an error the rest of the answer may wait in the socket: close it. fn must not ask over the same one.
 */
typedef int (*netlink_fn)(const struct nlmsghdr *message, void *userdata);
int netlink_dump(struct mnl_socket *nl, uint16_t type, const void *header, size_t size, netlink_fn fn, void *userdata);

/*
 * The same over a socket of its own. Repeats once if the objects have changed in the meantime, so that the answer has gaps:
 * fn may see objects again. On a system that changes all the time the last answer has to do.
 */
int netlink_ask(uint16_t type, const void *header, size_t size, netlink_fn fn, void *userdata);

/* Asks for one interface, without its statistics: fn gets the answer. -ENODEV: there is none of this number. */
int netlink_get_link(unsigned ifindex, netlink_fn fn, void *userdata);

/*
 * Dumps sockets, IPv4 and IPv6, of a protocol in some states, as bits, with these ports, 0 = any: fn gets a
 * struct inet_diag_msg. A kernel that lacks the module tells of none. -ENOMEM, also from fn.
 */
struct inet_diag_msg;
int netlink_dump_sockets(int protocol, unsigned states, uint16_t source_port, uint16_t destination_port,
			 netlink_fn fn, void *userdata);
struct prefix netlink_socket_peer(const struct inet_diag_msg *m);
