/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What tc filters there are on the qdiscs clsact and ingress, anybody's, in the order in which the kernel asks them:
 * for telling, and for finding what no pin proves ours.
 */

#include <stdint.h>

#include "abi/abi.h"

struct tc_filter {
	unsigned ifindex;
	enum fw_direction direction;
	uint32_t priority;
	uint32_t handle;
	uint32_t chain;      /* 0 = where each packet begins; others are reached by a jump only */
	const char *kind;    /* "bpf", "flower", ... */
	const char *name;    /* of kind bpf: the program's, as given when it was attached; "" = not given */
	uint32_t program_id; /* of kind bpf, else 0 */
};

/*
 * Calls fn for each, on every interface of the caller's network namespace; stops at a negative return, which is
 * returned. That a kernel has no tc is no error.
 */
typedef int (*filters_fn)(const struct tc_filter *f, void *userdata);
int filters_foreach(filters_fn fn, void *userdata);

/* The same for one direction of one interface, whose qdisc must have that: see qdiscs.h. */
int filters_foreach_at(unsigned ifindex, enum fw_direction d, filters_fn fn, void *userdata);

/*
 * Does the qdisc of the interface, clsact or ingress, hold no filter, in no direction and no chain, and no chain that
 * somebody has made? 1: it is empty, 0: it is not, negative: the kernel does not say.
 */
int filters_is_empty(unsigned ifindex);
