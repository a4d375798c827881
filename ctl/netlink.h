/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* One question to rtnetlink(7), and all that the kernel answers. Changes nothing, needs no privilege. */

#include <stddef.h>
#include <stdint.h>

#include <linux/netlink.h>

/*
 * Dumps what a request of this type, RTM_GETROUTE and the like, with this family header asks for. A negative
 * return of fn ends it and is returned; else 0 or the negative errno of what the kernel or the socket said.
 */
int netlink_dump(uint16_t type, const void *header, size_t size,
		 int (*fn)(const struct nlmsghdr *message, void *userdata), void *userdata);
