/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What fwctl can talk to, in addition to the pins: the bpffs, and the daemon. */

#include <stdbool.h>

#include "ctl.h"

/* Is the directory that should hold the pin directory on a bpffs? */
bool presence_sees_bpffs(const struct ctl *ctl);

/* Of the running daemon, 0 = none. */
int presence_daemon_pid(const struct ctl *ctl);
