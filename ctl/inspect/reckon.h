/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What the kernel would decide if one list were empty: its rules once more, over the few entries that cover a question. Only
 * for questions that cannot be put to the kernel. The caller makes sure that with all lists the result is the kernel's own
 * answer.
 */

#include "state/table.h"

struct reckoning {
	enum fw_verdict verdict;
	enum fw_reason reason;
	unsigned list; /* the one that decides, FW_LISTS_MAX = none does */
};

/*
 * entries: all that cover the address, the longest prefix first, then all that cover the port, the narrowest
 * first. without: lists that do not count, as bits.
 */
struct reckoning reckon(const struct table_entry *entries, size_t n_entries, const struct fw_list lists[FW_LISTS_MAX],
			enum fw_direction direction, uint64_t without);

/* Lists that hold one of these entries in this direction, and are enabled. */
uint64_t reckon_lists(const struct table_entry *entries, size_t n_entries, const struct fw_list lists[FW_LISTS_MAX],
		      enum fw_direction direction);
