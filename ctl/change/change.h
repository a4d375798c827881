/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * One command's changes as a whole: first in the kernel, then in the list files, and if either
 * fails, none of it. The caller reports. A batch applies many commands
 * one after the other and finishes them together.
 */

#include <json-c/json.h>

#include "change/stamp.h"
#include "ctl.h"
#include "guard/guard.h"

/* What is done to one target. */
struct change {
	struct target target;
	struct table_entry before; /* as it was, for the way back */
	uint64_t lists;            /* lists it is put into or taken out of, as bits */
	unsigned directions;       /* when put in: FW_IN | FW_OUT */
	uint32_t until;            /* when put in: tick */
	int64_t until_unix;        /* the same for the list file; 0 = never */
};

struct changes {
	struct ctl *ctl;
	struct table *table;
	struct table_writer *writer; /* of table; NULL for a dry run */
	struct change *items; /* each target once */
	size_t n_items;
	enum fw_action action; /* of the lists concerned */
	bool is_removal;
	bool is_new_list; /* made for this command: goes again if it fails */
	unsigned list;    /* the list the command names; FW_LISTS_MAX: there is none of that name */
	struct fw_list policy; /* its policy */
	struct stamps *stamps; /* of the whole command or batch */
};

/* Makes one change of each target, without lists, and looks up how it is now. */
int changes_init(struct changes *c, const struct targets *targets);
void changes_done(struct changes *c);

/*
 * block.c and unblock.c: finds the list, which block and allow make if there is none, fills in the changes of a
 * command whose targets are parsed, and asks the guard what would come of them.
 */
int changes_prepare_add(struct changes *c, const struct targets *targets, const struct guard *guard);
int changes_prepare_removal(struct changes *c, const struct targets *targets, const struct guard *guard);

/* The lists that a command concerns, as bits. */
uint64_t changes_lists(const struct changes *c);

/*
 * The kernel's half, all or nothing: in force at once for addresses, at the end for ports and for
 * the first entry of a list that allows. The way back of it.
 */
int changes_apply(struct changes *c);
void changes_revert(struct changes *c);

/*
 * The end of it for n commands, in the order in which they were applied and with one set of stamps:
 * commits, and saves once per list.
 */
int changes_finish(struct ctl *ctl, struct changes *const *sets, size_t n);

/* Both for one command. */
int changes_make(struct changes *c);

/* What was done to a target in a list, for output_changes(). */
json_object *change_row(const struct change *change, const char *list, const char *result);
