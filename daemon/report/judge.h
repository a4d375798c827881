/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Does a hook see what its interfaces count? Numbers of one window in, news out; asks nobody and writes nowhere.
 *
 * A hook misses a window in which it has not seen more than half of the packets, and of the bytes: what is one packet here
 * is many there (GRO, segmentation by the hardware, frames of a guest), but not in bytes. Fewer packets than JUDGE_PACKETS_MIN
 * say nothing. It takes JUDGE_WINDOWS such windows in a row, and one good one takes it back.
 */

#include <stdbool.h>
#include <stdint.h>

#define JUDGE_PACKETS_MIN 200
#define JUDGE_WINDOWS     3

struct judge_count {
	uint64_t packets;
	uint64_t bytes;
};

/* What was counted in a window, or up to now. */
struct judge_window {
	struct judge_count crossed; /* by the interfaces that the hook is on */
	struct judge_count ahead;   /* of these, taken out before the hook: by our xdp, or by the driver */
	struct judge_count seen;    /* by the hook, on whichever interface */
};

struct judge_state {
	unsigned n_missed; /* windows in a row */
	bool is_missing;   /* as was last told */
};

enum judge_news {
	JUDGE_SAME,
	JUDGE_MISSES,
	JUDGE_SEES_AGAIN,
};

/* Growth of a counter. False: it has started again from zero, and the window is worth nothing. */
bool judge_since(const struct judge_count *was, const struct judge_count *is, struct judge_count *ret);

/* Packets that the hook should have seen. */
uint64_t judge_expected(const struct judge_window *w);

/* Has the hook missed more than half, of enough? With one interface in crossed: whatever it saw was on that one. */
bool judge_is_missed(const struct judge_window *w);

enum judge_news judge_window(struct judge_state *s, const struct judge_window *w);
