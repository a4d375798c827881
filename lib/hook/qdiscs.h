/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The qdisc that holds the tc filters of an interface. There is room for one: clsact, which has a chain of filters for
 * each direction, or ingress, which has one for what arrives and takes a filter for egress into the same chain.
 */

#include <stdbool.h>
#include <stddef.h>

#include "abi/abi.h"

#define QDISC_KIND_MAX 16

struct qdisc {
	unsigned ifindex;
	char kind[QDISC_KIND_MAX]; /* "clsact" or "ingress" */
};

struct qdiscs {
	struct qdisc *items;
	size_t n, n_allocated;
};

/* Those of all interfaces. A kernel without tc has none. */
int qdiscs_read(struct qdiscs *ret);
void qdiscs_done(struct qdiscs *q);

/* One that was made since. -ENOMEM. */
int qdiscs_add_clsact(struct qdiscs *q, unsigned ifindex);

/* NULL = the interface has none. */
const struct qdisc *qdiscs_find(const struct qdiscs *q, unsigned ifindex);

/* Does the qdisc have filters for this direction? NULL has none. */
bool qdisc_has_direction(const struct qdisc *q, enum fw_direction d);
