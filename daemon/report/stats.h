/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * For each window one record of each hook and direction that has seen packets, or one in all. Counters are never reset: what is reported is the growth
 * since the sample before, and that sample is kept in RUN/stats, so that no restart loses a packet.
 */

#include <stdbool.h>
#include <stdint.h>

#include "state/table.h"

struct stats;

/*
 * counting_since: as meta says; is_fresh: as the loader does. A sample of other counters is not continued. One that is older
 * than a window is reported as time without a daemon. window_usec 0: there are no windows yet. table outlives stats.
 */
int stats_new(const char *run_dir, struct table *t, uint64_t counting_since, bool is_fresh,
	      uint64_t window_usec, struct stats **ret);
struct stats *stats_free(struct stats *s); /* accepts NULL, returns NULL */

/* When the window that runs now began, on CLOCK_BOOTTIME. */
uint64_t stats_window_start_usec(const struct stats *s);

/* Ends the window, has_idle: with a record also if there were no packets; then the sample is saved. */
void stats_report(struct stats *s, bool has_idle);

/* Windows begin here, or there are none from here on; what has been counted before is not reported. */
int stats_begin(struct stats *s);
void stats_end(struct stats *s);

/* Says how many records the journal has not taken since this was said last. For when there are no windows. */
void stats_report_lost(struct stats *s);
