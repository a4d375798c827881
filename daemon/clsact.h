/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * tc filters on a clsact qdisc, for kernels without tcx. A filter is ours if, and only if, it sits at one of our
 * priorities, at our handle, and carries a program that our pins hold. The qdisc is made where it is missing and
 * never removed: others may have put filters on it. A qdisc 'ingress' in its place takes filters for ingress.
 */

#include <stdbool.h>
#include <stdint.h>

#include "abi.h"

/* Does a pin of ours hold the program with this id? */
typedef bool (*clsact_owns_fn)(uint32_t prog_id, void *userdata);

/*
 * Makes prog_fd run on the interface, in one step where a filter of ours is there already. -EEXIST: a
 * filter that is not ours has our place. -EBUSY: a qdisc 'ingress' is there, and has no egress.
 */
int clsact_attach(unsigned ifindex, enum fw_direction d, int prog_fd, clsact_owns_fn owns,
		  void *userdata);

/* Removes our filters. 1 if there were any, 0 if not. */
int clsact_detach(unsigned ifindex, enum fw_direction d, clsact_owns_fn owns, void *userdata);

/*
 * Which program of ours the direction answers with, 0 = none. On a qdisc 'ingress' both give the same answer: one of
 * them is that of the other direction.
 */
int clsact_query(unsigned ifindex, enum fw_direction d, clsact_owns_fn owns, void *userdata, uint32_t *ret_prog_id);
