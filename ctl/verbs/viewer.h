/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A look into what the kernel counts only while somebody looks: the place that top and hist hold in it from
 * begin to end. One that is killed loses it by itself seconds later.
 */

#include "ctl.h"
#include "observe/watch.h"

#define VIEWER_ADDRESSES 16384 /* that top keeps, 4 MiB; the longest unseen make room for more */

/* Zero-initialise; free with viewer_end(). */
struct viewer {
	struct ctl *ctl;
	struct watch *watch;
	enum fw_watch what;
	int seen_fd;   /* addresses, where these are looked at; -1 else */
	bool is_anew;  /* the place was lost, by SIGSTOP say, and taken again: what was counted is gone */
};

int viewer_begin(struct viewer *v, struct ctl *ctl, enum fw_watch what);
void viewer_end(struct viewer *v);

/* For screen_wait(): keeps the place. Userdata is the viewer. An exit status: 0, or what ends it has been said. */
int viewer_renew(void *userdata);

/* Is it still this firewall that is loaded? An exit status, or a negative errno. */
int viewer_check(struct ctl *ctl, struct watch *watch);

/* For watch_take(): all places are taken. */
int viewer_fail_busy(struct ctl *ctl);
