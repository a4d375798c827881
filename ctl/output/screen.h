/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Commands that show something again and again: one block each interval, in place on a terminal, one after
 * the other elsewhere. They end after -n blocks, when --for is over, or by SIGINT, SIGTERM or SIGHUP, which are
 * an end like the others.
 */

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "ctl.h"
#include "output/terminal.h"

struct screen {
	struct ctl *ctl;
	struct terminal_size size; /* at the latest block */
	uint64_t interval_ns;
	uint64_t start_ns; /* monotonic, as the others */
	uint64_t shown_ns; /* the latest block, or the start */
	uint64_t end_ns;
	uint64_t n_left;   /* blocks */
	sigset_t ends;     /* signals that end it */
};

/*
 * Blocks the signals that would end us, for callers that wait for them. A signal that was ignored from the start stays so:
 * nohup(1), and jobs of a script.
 */
int screen_block_signals(sigset_t *ret);

/* The first interval begins. */
int screen_begin(struct screen *s, struct ctl *ctl);

/*
 * Waits until the next block is due, *ret_elapsed_ns after the one before; 0: there is no next one. Calls fn about once a
 * second until then; what it returns, if not 0, is returned at once.
 */
int screen_wait(struct screen *s, int (*fn)(void *userdata), void *userdata, uint64_t *ret_elapsed_ns);

/* Around a block. The end sends it off: an exit status. */
void screen_begin_block(struct screen *s);
int screen_end_block(struct screen *s);

uint64_t screen_now_ns(void);
