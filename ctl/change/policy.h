/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A list as such, without its entries: finding, making, changing and removing it, in the kernel and
 * as the head of its file. All return an exit status and have reported.
 */

#include "ctl.h"

/* The policy of a list that was never configured, for the kernel. */
struct fw_list policy_default(const char *name, enum fw_action action);

/*
 * The list of -l, or the action's own; refuses one of the other action. *ret_index is FW_LISTS_MAX,
 * and *ret the default policy, if there is none of that name.
 */
int policy_find(struct ctl *ctl, struct table *t, enum fw_action action, unsigned *ret_index,
		struct fw_list *ret);

/* Would policy_make() be refused for a file that is there? And the refusal of one list more than there may be. */
int policy_check_new(struct ctl *ctl, const char *name);
int policy_fail_full(struct ctl *ctl);

/*
 * Makes an empty list, with a comment, or NULL, in its file. With --runtime it has none. comment: "" takes
 * the one away that is there, NULL keeps it.
 */
int policy_make(struct ctl *ctl, struct table_writer *w, const struct fw_list *l, const char *comment, unsigned *ret_index);

/* Takes back policy_make(); says nothing. */
void policy_unmake(struct ctl *ctl, struct table_writer *w, unsigned index);

/* Gives a list another policy; its name and number of entries stay. */
int policy_set(struct ctl *ctl, struct table_writer *w, unsigned index, const struct fw_list *l, const char *comment);

/* Removes a list that is empty in the kernel, and its file. */
int policy_remove(struct ctl *ctl, struct table_writer *w, unsigned index);
