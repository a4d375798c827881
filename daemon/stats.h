/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * One record per window, hook and direction. Counters are never reset: what is reported is the growth
 * since the sample before, and that sample is kept in RUN/stats, so that no restart loses a packet.
 */

#include <stdbool.h>
#include <stdint.h>

#include "hooks.h"
#include "table.h"

struct stats;

/*
 * counting_since: as meta says; is_fresh: as the loader does. A sample of other counters is not continued. One that is older
 * than a window is reported as time without a daemon. table outlives stats.
 */
int stats_new(const char *run_dir, struct table *t, uint64_t counting_since, bool is_fresh,
	      uint64_t window_usec, struct stats **ret);
struct stats *stats_free(struct stats *s); /* accepts NULL, returns NULL */

/* When the window that runs now began, on CLOCK_BOOTTIME. */
uint64_t stats_window_start_usec(const struct stats *s);

/* Ends the window: one record for each hook in use, then the sample is saved. */
void stats_report(struct stats *s, const struct hooks *h);
