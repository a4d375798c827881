/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Asks the kernel what it can do, by doing: distributions backport, so that its version tells little. */

#include <stdbool.h>

/* May an XDP program be given frames in several buffers? */
bool probe_xdp_buffers(void);

/* May a cgroup program ask for the network namespace of a packet? */
bool probe_netns_cookie(void);
