/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What an interface of the caller's network namespace runs at XDP, asked over rtnetlink. */

#include <stdint.h>

#include "abi/abi.h"

/* Ids of programs, 0 = none. The kernel lets only one of the two be there. */
struct xdp_programs {
	uint32_t native_id;  /* run by the driver, before there is an skb */
	uint32_t generic_id; /* run by the stack, on the skb */
};

/* -ENODEV: there is no such interface. */
int xdp_query(unsigned ifindex, struct xdp_programs *ret);

/* How the interface runs this program; FW_MECHANISM_NONE = not at all. */
enum fw_mechanism xdp_mechanism_of(const struct xdp_programs *p, uint32_t prog_id);
