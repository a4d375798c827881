/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Which programs and filters the kernel runs at tc of an interface, and in which order: tcx programs first, then the
 * filters of a clsact or ingress qdisc by their priority. Each of them may end the chain.
 */

#include <stddef.h>
#include <stdint.h>

#include "abi/abi.h"
#include "hook/qdiscs.h"

#define LINEUP_MAX      128 /* what comes after that is not told */
#define LINEUP_NAME_MAX 64

struct lineup_item {
	uint32_t program_id; /* 0 = a filter that is no BPF program */
	uint32_t priority;   /* of a filter; 0 = a tcx program */
	char kind[QDISC_KIND_MAX];  /* of a filter: "bpf", "flower", ... */
	char name[LINEUP_NAME_MAX]; /* of a filter of kind bpf, as given when it was attached; "" = not given */
};

struct lineup {
	struct lineup_item items[LINEUP_MAX];
	size_t n;
};

/* What tcx runs; nothing on a kernel without it. */
void lineup_read_tcx(unsigned ifindex, enum fw_direction d, struct lineup *ret);

/* That and the filters, if there are any: the caller knows from qdisc_has_direction(). */
int lineup_read(unsigned ifindex, enum fw_direction d, struct lineup *ret);

/* Counted from 1; 0 = the program is not among them. */
size_t lineup_position(const struct lineup *l, uint32_t program_id);
