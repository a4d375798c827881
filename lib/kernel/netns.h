/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * In which network namespace is a firewall? Pins can be seen from others, too: in a container that has the bpffs of the
 * host, and through 'ip netns exec'. An ifindex in a pin means another interface there. Pins and cookies end with the boot.
 */

#include <stdbool.h>
#include <stdint.h>

#include "abi/abi.h"

struct netns {
	uint64_t cookie; /* 0 = the kernel does not tell: before 5.14 */
	uint64_t inode;  /* as lsns(8) shows it; 0 = /proc is missing, or the kernel has one namespace only */
};

void netns_read_own(struct netns *ret);

/* Is this process in that of pid 1? Where that may not be asked, which takes the capabilities of pid 1: yes. */
bool netns_is_that_of_init(void);

/* Did the daemon that wrote meta run in another one than this process? What nobody knows is not another one. */
bool netns_is_other(const struct fw_meta *meta);
