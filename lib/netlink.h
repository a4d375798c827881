/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Questions to rtnetlink(7), and all that the kernel answers. Changes nothing, needs no privilege. */

#include <stddef.h>
#include <stdint.h>

#include <linux/netlink.h>

struct mnl_socket;

int netlink_open(struct mnl_socket **ret);
void netlink_closep(struct mnl_socket **nl);

/*
 * Dumps what a request of this type, RTM_GETROUTE and the like, with this family header asks for. A negative
 * return of fn ends it and is returned; else 0 or the negative errno of what the kernel or the socket said. After
 * an error the rest of the answer may wait in the socket: close it. fn must not ask over the same one.
 */
typedef int (*netlink_fn)(const struct nlmsghdr *message, void *userdata);
int netlink_dump(struct mnl_socket *nl, uint16_t type, const void *header, size_t size, netlink_fn fn, void *userdata);

/*
 * The same over a socket of its own, and once more where the objects have changed meanwhile, so that the answer has
 * holes: fn may see objects again. On a system that never rests the last answer has to do.
 */
int netlink_ask(uint16_t type, const void *header, size_t size, netlink_fn fn, void *userdata);
