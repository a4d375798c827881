/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What the programs say to a frame: it goes through every program that can see it in a test run, and
 * verdict, reason and all counters must be what the test expects, no more and no less.
 */

#include "firewall.h"
#include "frame.h"

struct expectation {
	enum fw_direction direction;
	enum fw_reason reason; /* the verdict follows from it */
	unsigned list;         /* that decided, where an entry did */
	unsigned is;           /* FRAME_IS_*: what is counted beside the packet */
	unsigned n_packets;    /* gso_segs, 0 = one packet */
	bool is_hidden;        /* the list would drop it because its port cannot be read: no entry decided */
};

/*
 * Judges the frame on each program that can see it. Prints what differs, as "WHAT: ...", and returns in how
 * many points; 0 = all is as expected.
 */
int judge(struct firewall *f, const char *what, const struct frame_spec *spec, const struct expectation *e);

/* For an skb a test run wants whole IP headers where the ethertype promises them, and one page at most. */
bool judge_is_no_skb(const struct frame *f);
