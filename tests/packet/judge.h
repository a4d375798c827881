/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A firewall of the test's own, loaded and never attached, and what its programs say to a frame: each
 * packet goes through every program that can see it in a test run, and verdict, reason and all counters
 * must be what the test expects of them, no more and no less.
 */

#include "abi.h"
#include "frame.h"
#include "table.h"

/* The lists of these tests, by number. */
enum {
	LIST_MANUAL = FW_LIST_MANUAL_ID,
	LIST_ALLOW = FW_LIST_ALLOW_ID,
	LIST_OTHER,    /* blocks as manual does */
	LIST_AUDIT,    /* blocks, in mode audit */
	LIST_DISABLED, /* would block */
	_LIST_MAX,
};

struct firewall;

/*
 * Mounts a private bpffs in a mount namespace of its own, loads the programs there and makes the lists.
 * Prints how much the verifier had to do for each program. -EPERM: no right to.
 */
int firewall_new(struct firewall **ret);
struct firewall *firewall_free(struct firewall *f); /* accepts NULL, returns NULL */

/* For tests that do without the rows' language; the caller keeps its hands off the lists themselves. */
struct table *firewall_table(struct firewall *f);

/*
 * Makes the entries those of the text and no others: "LIST TARGET [in|out|both] [ended|later], ...".
 * Both directions unless said; with "ended" the call waits until that entry has ended.
 */
int firewall_set(struct firewall *f, const char *entries);
void firewall_set_strict(struct firewall *f, bool is_strict);

/* What the kernel had to do to accept the programs. */
struct load_cost {
	unsigned n_insns_max; /* verified for one program, of 1000000 allowed */
	double seconds;       /* for all of them together */
};
const struct load_cost *firewall_load_cost(const struct firewall *f);

struct expectation {
	enum fw_direction direction;
	enum fw_reason reason; /* the verdict follows from it */
	unsigned list;         /* that decided, where an entry did */
	unsigned is;           /* FRAME_IS_*: what is counted beside the packet */
	unsigned n_packets;    /* gso_segs, 0 = one packet */
};

/*
 * Judges the frame on each program that can see it. Prints what differs, as "WHAT: ...", and returns in how
 * many points; 0 = all is as expected.
 */
int judge(struct firewall *f, const char *what, const struct frame_spec *spec, const struct expectation *e);
