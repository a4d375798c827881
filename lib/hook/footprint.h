/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What the daemon has attached, as a file in its run directory. Pins prove what is ours as long as they can be seen. When
 * another mount hides them, this tells which programs to look for, and on which cgroups.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/abi.h"

#define FOOTPRINT_CGROUPS_MAX  8
#define FOOTPRINT_PROGRAMS_MAX 256

struct footprint {
	char cgroups[FOOTPRINT_CGROUPS_MAX][FW_TEXT_MAX];
	size_t n_cgroups;
	uint32_t programs[FOOTPRINT_PROGRAMS_MAX]; /* ids */
	size_t n_programs;
};

/* What is there already is added once. False: there is no room. */
bool footprint_add_cgroup(struct footprint *f, const char *path);
bool footprint_add_program(struct footprint *f, uint32_t id);
bool footprint_has_program(const struct footprint *f, uint32_t id);

/* The run directory does not outlive a boot, and ids do not either. No file, or what makes no sense in it, is nothing. */
void footprint_read(const char *run_dir, struct footprint *ret);
int footprint_write(const char *run_dir, const struct footprint *f);
