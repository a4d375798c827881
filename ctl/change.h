/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * One command's changes as a whole: first in the kernel, then in the list files, and if either
 * fails, none of it. The caller holds the writer lock, and reports.
 */

#include <json-c/json.h>

#include "ctl.h"

/* What is done to one target. */
struct change {
	struct target target;
	struct table_entry before; /* as it was, for the way back */
	uint64_t lists;            /* lists it is put into or taken out of, as bits */
	unsigned directions;       /* when put in: FW_IN | FW_OUT */
};

struct changes {
	struct ctl *ctl;
	struct table *table;
	struct change *items; /* each target once */
	size_t n_items;
	enum fw_action action; /* of the lists concerned */
	bool is_removal;
	unsigned list;         /* the list the command names */
	uint32_t until;        /* when put in: tick */
	int64_t until_unix;    /* the same for the list file; 0 = never */
};

/* Makes one change of each target, without lists, and looks up how it is now. */
int changes_init(struct changes *c, const struct targets *targets);
void changes_done(struct changes *c);

/* Does it all or nothing. */
int changes_make(struct changes *c);

/* What was done to a target in a list, for output_changes(). */
json_object *change_row(const struct change *change, const char *list, const char *result);
