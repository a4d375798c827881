/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What keeps a program attached? A running daemon holds descriptors of it, and a firewall without a daemon has pins on a
 * bpffs. If neither does, it is kept by pins that cannot be seen from here: another mount hides them.
 */

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

struct owner {
	int pid;                /* of an ebpf-fwd, 0 = none that can be seen */
	char pin_dir[PATH_MAX]; /* "" = none that can be seen; as it is spelled, not escaped */
};

/* False: neither was found. Reads /proc and every bpffs: not for each packet. */
bool owner_find(uint32_t program_id, struct owner *ret);

/* "process 7 (ebpf-fwd), pins in '/run/blue/bpf/fw'", escaped. Returns buffer. */
#define OWNER_TEXT_MAX 320
const char *owner_format(const struct owner *o, char buffer[static OWNER_TEXT_MAX]);
