/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * tc filters on a clsact qdisc, for kernels without tcx. A filter is ours if, and only if, it sits at one of our
 * priorities, at our handle, and carries a program that our pins hold. The qdisc is made where it is missing, and removed
 * with our filters if we have made it and it holds nothing else: see ownqdiscs.h. A qdisc 'ingress' in its place takes
 * filters for ingress.
 */

#include <stdbool.h>
#include <stdint.h>

#include "abi/abi.h"
#include "hook/qdiscs.h"

/* Does a pin of ours hold the program with this id? */
typedef bool (*clsact_owns_fn)(uint32_t prog_id, void *userdata);

struct clsact {
	const char *pin_dir;
	clsact_owns_fn owns;
	void *userdata;
	struct qdiscs qdiscs; /* of all interfaces: the kernel has no question about one that others do not hear */
	bool has_qdiscs;
};

/* The kernel is asked again for its qdiscs. To be called at the begin of each round through the interfaces. */
void clsact_forget_qdiscs(struct clsact *c);

/*
 * Makes prog_fd run on the interface, in one step where a filter of ours is there already. -EEXIST: a
 * filter that is not ours has our place. -EBUSY: a qdisc 'ingress' is there, and has no egress.
 */
int clsact_attach(struct clsact *c, unsigned ifindex, enum fw_direction d, int prog_fd);

/* Removes our filters, and the qdisc, if it is ours and empty then. 1 if there were any filters, 0 if not. */
int clsact_detach(struct clsact *c, unsigned ifindex);

/*
 * Which program of ours the direction answers with, 0 = none. On a qdisc 'ingress' both give the same answer: one of
 * them is that of the other direction.
 */
int clsact_query(const struct clsact *c, unsigned ifindex, enum fw_direction d, uint32_t *ret_prog_id);
