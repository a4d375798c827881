/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the reader of the configuration and its keys share; for config*.c alone. */

#include "config/config.h"

#define CONFIG_N_KEYS 11

struct config_key {
	const char *name;
	const char *fallback; /* value of a file without this key */
	/* Returns what is expected instead if the value is wrong, or NULL; *r is -ENOMEM or 0. */
	const char *(*set)(struct config *c, const char *value, int *r);
};

extern const struct config_key config_keys[CONFIG_N_KEYS];

const struct config_key *config_find_key(const char *name); /* NULL: there is none of this name */
