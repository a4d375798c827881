/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Makes a list equal to what is wanted of it: looks up the difference, adds before it removes, and
 * leaves alone what stays, so that it goes on blocking and counting. All or nothing, in the kernel
 * and in the file.
 */

#include "change/change.h"
#include "change/content.h"

/* Zero-initialise but for the first part; free with replacement_done(). */
struct replacement {
	struct ctl *ctl;
	struct table *table;
	struct table_writer *writer; /* of table */
	unsigned list;
	struct fw_list policy;
	const struct target *wanted; /* sorted, each once */
	size_t n_wanted;
	const struct list_line *details; /* the same targets as lines; NULL = as they are */
	const char *comment; /* of the list, NULL = as it is */
	const struct fw_list *after; /* the policy that it will have then, NULL = as it is */

	struct content now;
	bool is_read;
	struct targets add, remove; /* without an end, in the directions of the list */
	struct changes change;      /* put in with others, or there in another way */
	struct changes take;        /* there in another way, and not wanted */
	size_t n_added, n_removed, n_changed;
	struct stamps stamps;
	struct list_line *lines;    /* that the file takes: all of it, or what is appended */
	size_t n_lines;
	bool is_appended;
};

/* Fills in what there is now, for callers that need it before they say what they want. */
int replacement_read(struct replacement *x);

/* Finds the difference; changes nothing. list: FW_LISTS_MAX where it does not exist. */
int replacement_init(struct replacement *x);

/* Where a list will be that does not exist, or has been made. After replacement_init(). */
void replacement_place(struct replacement *x, unsigned list);
void replacement_done(struct replacement *x);

/* Would they together cut off what the guard protects? Returns an exit status, and has reported. Before replacement_make(). */
int replacements_check(const struct replacement *const *x, size_t n, const struct guard *guard, const char *what);

/* Makes it so. With --runtime the file stays as it is. Returns an exit status, and has reported. */
int replacement_make(struct replacement *x);

/* Takes a replacement_make() back; says what could not be. */
void replacement_undo(struct replacement *x);
