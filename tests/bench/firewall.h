/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Firewalls that are never attached, one per list size, side by side: the maps of bpf/maps.h with the
 * programs of bench.bpf.c, filled as fwctl fills them, and the same entries in LPM tries and hashes of the kernel.
 * Those that can fail print what failed.
 */

#include "addresses.h"
#include "bench.skel.h"
#include "state/table.h"

#define FIREWALL_SEED 20260101

struct firewall {
	size_t n_entries; /* of each family */
	struct bench *skel;
	struct table *table;
	double load_seconds[2]; /* what table_load() took: IPv4, IPv6 */
};

/* Covers /sys/fs/bpf with a bpffs of our own, in this process alone. */
int firewall_isolate(void);

/* Loads, fills, and draws the sources. n_entries may be 0. */
int firewall_new(size_t n_entries, struct firewall *ret);
void firewall_done(struct firewall *f);
