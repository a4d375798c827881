/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Other programs and filters on the hooks, and whether they run before ours, by what the kernel says now. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctl.h"
#include "hook/lineup.h"

enum other_place {
	OTHER_ALONE,  /* ours is not there */
	OTHER_BEFORE, /* ours, and sees the packet first */
	OTHER_AFTER,
};

/*
 * What can it do to ours? At tc a program that runs before ours may let a packet pass, which ends the chain. At xdp it
 * may send a packet elsewhere, but what it lets pass comes to tc. At the cgroup all programs run, and one that says
 * drop is enough, so that the order decides nothing.
 */
enum other_harm {
	OTHER_HARMLESS,
	OTHER_DIVERTS,
	OTHER_DECIDES,
};

#define OTHER_TEXT_MAX 192

struct other {
	enum fw_hook hook;
	enum fw_direction direction;
	unsigned ifindex;            /* 0 = at the cgroup */
	uint32_t program_id;         /* 0 = a filter that is no BPF program */
	uint32_t priority;           /* of a filter, else 0 */
	enum other_place place;
	enum other_harm harm;
	const char *where;           /* the name of the interface, or the path of the cgroup */
	char text[OTHER_TEXT_MAX];   /* "program 7 'x'", "a filter of kind u32 at priority 10" */
};

/*
 * Calls fn for each; stops at a negative return, which is returned. Programs are found by id for their names alone,
 * which takes CAP_SYS_ADMIN: without it they have none. cgroup: a path, NULL = none.
 */
typedef int (*others_fn)(const struct other *o, void *userdata);
int others_foreach(const struct ctl *ctl, const char *cgroup, others_fn fn, void *userdata);
