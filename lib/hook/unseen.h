/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Hooks that are attached and do not see what their interfaces count, as a file in the run directory: the daemon writes it
 * at the end of each window, fwctl reads it as long as it is fresh.
 */

#include <stddef.h>
#include <stdint.h>

#include <linux/if.h>

#include "abi/abi.h"

#define UNSEEN_MAX      (FW_HOOK_CGROUP * _FW_DIRECTION_MAX) /* the hooks of an interface come first */
#define UNSEEN_TEXT_MAX 160

struct unseen {
	enum fw_hook hook;
	enum fw_direction direction;
	uint64_t n_expected;  /* packets of the latest window that had enough of them */
	uint64_t n_seen;      /* of these, by the hook */
	char name[IFNAMSIZ];  /* of the interface, if one is enough to tell; "" = some of several */
};

struct unseen_report {
	uint64_t usec;        /* CLOCK_BOOTTIME: when it was written */
	uint64_t window_usec; /* the next one is due after it */
	struct unseen items[UNSEEN_MAX];
	size_t n;
};

/* No file, one that is out of date at now_usec, or what makes no sense in it, is nothing. */
void unseen_read(const char *run_dir, uint64_t now_usec, struct unseen_report *ret);
int unseen_write(const char *run_dir, const struct unseen_report *report);
int unseen_remove(const char *run_dir); /* that there is none is no error */

/* "tc ingress sees 3 of 450 packets that h0 receives". Returns buffer. */
const char *unseen_describe(const struct unseen *u, char buffer[static UNSEEN_TEXT_MAX]);
