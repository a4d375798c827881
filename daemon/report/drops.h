/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The addresses with the most drops in a window: a few records after those of stats.h. They come from the kernel's samples
 * of the drops, or from all drops where there are few, so that neither a flood nor its number of sources makes more records.
 * Without a ring buffer, or with LogDrops=0, there are none and nothing else is missing.
 */

#include <stdint.h>

#include <systemd/sd-event.h>

#include "state/table.h"

struct drops;

/* table outlives drops. Logs. */
int drops_new(const char *pin_dir, const char *run_dir, struct table *t, sd_event *event, struct drops **ret);
struct drops *drops_free(struct drops *d); /* accepts NULL, returns NULL */

/*
 * Takes samples for n_top sources, 0 = none; keeps at it, against a slot that ran out while we were asleep. To be
 * called every few seconds. Does not wait for the writer lock: the next call tries again.
 */
void drops_tend(struct drops *d, unsigned n_top);

/* Ends a window of this length, as the statistics have it. */
void drops_report(struct drops *d, uint64_t window_usec);
