/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Shared by the files of watch.h, and included by no others. */

#include "observe/watch.h"

#define WATCH_NO_SLOT  FW_WATCHERS_MAX
#define WATCH_SEEN_PIN "maps/seen_0"

struct watch {
	char *pin_dir;
	uint32_t meta_id; /* of the map: which firewall it is that was opened */
	struct fw_policy *policy;    /* mapped */
	struct fw_watcher *watchers; /* mapped, FW_WATCHERS_MAX */
	int counts_fd;
	int rings_fd;
	int seen_fd; /* the outer map */
	int sizes_fd;
	uint32_t slot;  /* ours, or WATCH_NO_SLOT */
	uint32_t until; /* of the slot as we stored it: if another value is there, we have lost it */
	uint32_t counted;            /* the slot of the counts, kept when it is released */
	struct fw_watch_counts base; /* when we took it */
};
