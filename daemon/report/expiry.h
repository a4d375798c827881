/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Entries that have ended: they decide nothing from that tick on, by the kernel's own clock; here they are taken out of
 * the maps, and said to have ended.
 */

#include "state/table-writer.h"

/* Holds the writer lock. One record for each entry, up to a number, then one for the rest. */
int expiry_sweep(struct table_writer *w);
