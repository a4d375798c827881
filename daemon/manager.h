/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Owns the event loop and all that must be released; start, run, reload, stop. Logs. */

#include "config/config.h"

/* The command line. Strings belong to argv. */
struct options {
	const char *config_file;
	const char *pin_dir;
	const char *state_dir;
	const char *run_dir;
};

struct manager;

/* Takes the configuration over: *c is empty afterwards. */
int manager_new(const struct options *o, struct config *c, struct manager **ret);

/* Releases everything but what the kernel holds: pins and attachments stay. Accepts NULL, returns NULL. */
struct manager *manager_free(struct manager *m);

/* Load, pin, restore, attach: when it returns, packets are judged. */
int manager_start(struct manager *m);

/* Until a signal to stop. MANAGER_AGAIN: to be started again, by which the pins get to where the host sees them. */
#define MANAGER_AGAIN 1
int manager_run(struct manager *m);

/* Reads and checks the configuration, reporting each mistake with file and line. */
int manager_read_config(const char *path, struct config *ret);
