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

#include "ctl.h"

struct attachment {
	enum fw_hook hook;
	enum fw_direction direction;
	enum fw_mechanism mechanism;
	unsigned ifindex;      /* 0 = not on an interface, or its target is gone */
	bool is_live;          /* a link whose interface or cgroup is gone stays pinned */
	const char *link_name; /* below links/; NULL = a clsact filter, or a link without a pin */
	uint32_t link_id;      /* the kernel's number of it, 0 = a clsact filter */
	const char *cgroup;    /* of a link without a pin, else NULL: meta has it */
	uint32_t priority;     /* of a clsact filter */
	uint32_t program_id;
	bool is_program_pinned;
	uint64_t n_runs;       /* of the program, over all its attachments; 0 = the kernel has not counted */
	uint64_t run_ns;       /* in all of them */
};

/*
 * Calls fn for each, links by hook, direction and interface index, then filters; stops at a negative return, which
 * is returned. Filters are looked for in the network namespace of the caller, as the kernel has it.
 */
typedef int (*attachment_fn)(const struct attachment *a, void *userdata);
int attachment_foreach(const char *pin_dir, attachment_fn fn, void *userdata);

/*
 * The same for what judges packets as ours does, while no pin proves it to be ours: clsact filters at our place that carry a
 * program of our name, as they are left when pins were removed and no daemon was there to put them back; then links of such
 * programs that neither a daemon nor a pin which can be seen holds, as they are left when a mount hides the pins.
 */
int attachment_foreach_orphan(const struct ctl *ctl, attachment_fn fn, void *userdata);
int attachment_foreach_orphan_filter(const char *pin_dir, attachment_fn fn, void *userdata); /* the first half of it */
size_t attachment_count_orphans(const struct ctl *ctl);
void attachment_note_orphans(struct ctl *ctl, size_t n); /* nothing where there are none */

/* Has the program a name of ours, and maps with the names of ours? Takes CAP_SYS_ADMIN, else the answer is no. */
bool attachment_is_like_ours(uint32_t program_id);

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
