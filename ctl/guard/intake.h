/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The import guard: what comes from a foreign server is not trusted to be a list. All of it can be overridden with --force;
 * the functions return an exit status, and have reported.
 */

#include "ctl.h"
#include "feed/feed.h"
#include "guard/guard.h"
#include "text/coverage.h"

/*
 * Refuses an error page, an empty file, one of which too many lines are bad, and ports in others' formats; even with
 * --force a file with bad lines and no entry, or one with a line that puts all others in doubt. name: of the file.
 */
int intake_check(struct ctl *ctl, const struct feed *f, const char *name);

#define INTAKE_NOTES_MAX 10 /* about single entries */

/* Leaves out of sorted targets what the guard protects; with --force it only says what. Targets keep their order. */
int intake_filter(struct ctl *ctl, const struct guard *guard, const struct fw_list *policy,
		  struct targets *targets, size_t *ret_n_left_out);

/* "0.02 % of the public IPv4 addresses, 0 % of IPv6" */
#define INTAKE_TEXT_MAX 256
const char *intake_format_coverage(const struct coverage *c, char buffer[static INTAKE_TEXT_MAX]);

/* Refuses what covers too much of the public address space; of a list that blocks also what covers much more than before. */
int intake_check_share(struct ctl *ctl, const char *what, const struct coverage *c);
int intake_check_coverage(struct ctl *ctl, const struct fw_list *policy, const struct coverage *now,
			  const struct coverage *wanted);

/* Refuses that a list loses more than half of its entries at once. */
int intake_check_size(struct ctl *ctl, const struct fw_list *policy, size_t n_now, size_t n_wanted);
