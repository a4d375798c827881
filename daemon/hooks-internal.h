/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the files hooks*.c share: hooks.c has the interfaces, the others the cgroup and the words for people. */

#include "device.h"
#include "hooks.h"

struct hooks {
	char *pin_dir;
	struct device_context context;
	char tc_reason[FW_TEXT_MAX];
	bool is_synced; /* what runs before us left on interfaces nobody wants is gone */
	bool keeps_adopted; /* they chose by the same words of Interfaces=, as far as is known */
	struct device *devices;
	size_t n_devices;
	int cgroup_links[_FW_DIRECTION_MAX];
	char cgroup[FW_TEXT_MAX];        /* where they are, "" = not attached */
	char cgroup_reason[FW_TEXT_MAX]; /* why it is not as the configuration has it */
};

/* The pins of the cgroup links, by direction, below the pin directory. */
extern const char *const hooks_cgroup_pins[_FW_DIRECTION_MAX];

/* Looks whether the cgroup links live and are pinned, and mends it with a warning. */
void hooks_check_cgroup(struct hooks *h);
