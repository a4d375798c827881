/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Attached is not yet judging: a program of another owner may end the chain before ours. Interfaces count packets, too, and
 * at the end of each window what they have is compared with what each hook has, by report/judge.h. Logs, and leaves
 * what it finds in RUN/unseen for fwctl.
 */

#include <stdint.h>

#include "attach/hooks.h"
#include "net/interfaces.h"
#include "state/table.h"

struct witness;

/* Forgets what a daemon before us has found. run_dir and table outlive it. */
int witness_new(const char *run_dir, struct table *t, struct witness **ret);
struct witness *witness_free(struct witness *w); /* accepts NULL, returns NULL */

/* A window ends, and is compared; the next one is as long as window_usec. */
void witness_look(struct witness *w, const struct hooks *h, const struct interfaces *s, uint64_t window_usec);

/* There are no windows any more: nothing is known. */
void witness_forget(struct witness *w);
