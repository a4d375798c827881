/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Where the firewall is attached, found by its pins: the links below links/, and on kernels without
 * tcx the clsact filters that carry a program pinned below progs/. Needs no map, so it also works
 * on the pins of another version.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi.h"

struct attachment {
	enum fw_hook hook;
	enum fw_direction direction;
	enum fw_mechanism mechanism;
	unsigned ifindex;      /* 0 = not on an interface, or its target is gone */
	bool is_live;          /* a link whose interface or cgroup is gone stays pinned */
	const char *link_name; /* below links/; NULL = a clsact filter */
	uint32_t priority;     /* of a clsact filter */
	uint32_t program_id;
	bool is_program_pinned;
	uint64_t n_runs;       /* of the program, wherever it is attached; 0 = the kernel has not counted */
	uint64_t run_ns;       /* in all of them */
};

/*
 * Calls fn for each, links by hook, direction and interface index, then filters; stops at a negative return, which
 * is returned. Filters are looked for in the network namespace of the caller, as the kernel has it.
 */
typedef int (*attachment_fn)(const struct attachment *a, void *userdata);
int attachment_foreach(const char *pin_dir, attachment_fn fn, void *userdata);

/*
 * The same for clsact filters at our place that carry a program of our name, while no pin proves it to be ours: what
 * is left when pins were removed and no daemon was there to put them back.
 */
int attachment_foreach_orphan(const char *pin_dir, attachment_fn fn, void *userdata);

/*
 * Which one of all programs at its hook it is, as the kernel has them now: with tcx of the programs there, with clsact of
 * those and the filters, at the cgroup of those on the same group. -ENOENT: the kernel has it not here.
 */
struct attachment_order {
	size_t position; /* counted from 1 */
	size_t n;
};
int attachment_read_order(const struct attachment *a, const char *cgroup, struct attachment_order *ret);

/* Detaches. What is detached already is no error; the pin of a link stays. */
int attachment_detach(const char *pin_dir, const struct attachment *a);
