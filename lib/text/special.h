/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Networks that are not like others: what no published list should block, since it is not on the public network, and
 * what a host needs to be on a network at all. One table for the guard of block and for that of load.
 */

#include <stddef.h>

#include "text/prefix.h"

enum {
	SPECIAL_NOT_PUBLIC = 1 << 0, /* left out of what is loaded, and no part of the public address space */
	SPECIAL_NEEDED     = 1 << 1, /* to block it, or a part of it, cuts this host off */
	SPECIAL_AS_WHOLE   = 1 << 2, /* with the one before: only to block all of it does */
};

struct special {
	struct prefix prefix;
	const char *what; /* "private" */
	unsigned uses;
};

extern const struct special specials[];
extern const size_t n_specials;
