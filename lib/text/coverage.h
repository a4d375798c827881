/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* How much of the address space a list covers, cut into pieces in any way. Pure. */

#include <stdbool.h>

#include "text/target.h"

enum { COVERAGE_IPV4, COVERAGE_IPV6, _COVERAGE_MAX };

/* Zero-initialise. */
struct coverage {
	double addresses[_COVERAGE_MAX]; /* that the prefixes cover, each counted once */
	double public[_COVERAGE_MAX];    /* of these, public ones: IPv4 unicast or 2000::/3, without special.h's networks */
	struct prefix last;
};

/* Adds a target; ports cover nothing. In the order of target_compare(), so that what is covered twice is noticed. */
void coverage_add(struct coverage *c, const struct target *t);

/* Of all public addresses, 0 to 1. */
double coverage_share(const struct coverage *c, unsigned family);
