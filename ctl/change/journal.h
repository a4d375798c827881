/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Records of what a command has changed, for the journal: which user blocked which address, when, and why. Under the unit of
 * the daemon while it runs ("journalctl -u ebpf-fw"), else under SYSLOG_IDENTIFIER=fwctl. Even a large change makes only a
 * few records. A missing journal is not an error.
 */

#include "change/change.h"

/* Of a single command: each target in each list, up to a number, then how many more. */
void journal_changes(const struct changes *c);

/* Of many commands: how many changes. */
void journal_batch(struct ctl *ctl, size_t n_added, size_t n_refreshed, size_t n_removed, size_t n_failed);

/* A list was made equal to something: "loaded", "flushed", "imported". */
void journal_replacement(struct ctl *ctl, const char *list, const char *result, size_t n_added, size_t n_removed,
			 size_t n_changed);

/* A list was "added", "set", "enabled", ...: as it is now. */
void journal_policy(struct ctl *ctl, const struct fw_list *l, const char *result);

void journal_unloaded(struct ctl *ctl, size_t n_detached);
