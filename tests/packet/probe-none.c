// SPDX-License-Identifier: GPL-2.0-or-later

/* Stands in for lib/kernel/probe.c: a kernel that has none of what is asked for. */

#include "kernel/probe.h"

bool probe_xdp_buffers(void)
{
	return false;
}

bool probe_netns_cookie(void)
{
	return false;
}
