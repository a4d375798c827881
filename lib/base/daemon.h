/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the daemon is called: in the log, in the writer lock, and the file in the run directory that it keeps locked. */

#define DAEMON_NAME     "ebpf-fwd"
#define DAEMON_PID_FILE DAEMON_NAME ".pid"
