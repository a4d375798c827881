/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What comes from somebody else's server is not trusted to be a list: the import guard. All of it
 * can be overridden with --force; the functions return an exit status, and have reported.
 */

#include "ctl.h"
#include "feed.h"
#include "guard.h"

/* Refuses an error page, an empty file, and one of which too many lines are bad. name: of the file.
 */
int intake_check(struct ctl *ctl, const struct feed *f, const char *name);

/* Leaves out of sorted targets what the guard protects. Targets keep their order. */
int intake_filter(struct ctl *ctl, const struct guard *guard, const struct fw_list *policy,
		  struct targets *targets, size_t *ret_n_left_out);

/* Refuses that a list loses more than half of its entries at once. */
int intake_check_size(struct ctl *ctl, const struct fw_list *policy, size_t n_now, size_t n_wanted);
