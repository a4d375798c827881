/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What verbs begin with. Targets come sorted, and may repeat. If the guard cannot be loaded and --force is given, it may
 * still be asked, and then knows of nothing. session_lock() checks whether what was opened, if anything, is still the
 * firewall, because it may have waited. Others wait for the holder of the lock. So nothing is printed until
 * session_unlock(), and output_note() and output_fail() keep what they are given until then. A fd of -1 is fine, so that it
 * can clean up a scope.
 */

#include "ctl.h"
#include "guard/guard.h"

int session_parse_targets(struct ctl *ctl, int argc, char **argv, struct targets *targets);
int session_open(struct ctl *ctl, struct table **ret);
int session_lock(struct ctl *ctl, struct table *t, int *ret_fd);
void session_unlock(int *fd);

/*
 * What a command changes the tables with. Declared after its table, to end before it: struct session_writer s =
 * SESSION_WRITER_NULL.
 */
struct session_writer {
	int lock_fd;
	struct table_writer *writer;
};
#define SESSION_WRITER_NULL { .lock_fd = -1 }

/* Takes the lock, repairs what a dead writer has left; then a command changes, and prints after session_end(). */
int session_begin(struct ctl *ctl, struct table *t, struct session_writer *ret);
void session_end(struct session_writer *s);

/* The steps before it, too, for verbs that have nothing to ask in between. guard: NULL = none is wanted. */
int session_begin_all(struct ctl *ctl, struct table **ret, struct guard *ret_guard, struct session_writer *ret_writer);

int session_find_list(struct ctl *ctl, struct table *t, const char *name, unsigned *ret_index,
		      struct fw_list *ret);
int session_load_guard(struct ctl *ctl, struct guard *ret);
int session_explain(struct ctl *ctl, int error); /* why table_open() failed */
