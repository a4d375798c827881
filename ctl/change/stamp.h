/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Does the file of a list say what the kernel holds? Then a load need not walk the tables. The
 * stamp of such a file is kept with the list (fw_list.file_stamp), and replaced by a mark for as
 * long as a change takes: --runtime, a kill in the middle, or an editor all lead to "may differ".
 */

#include "ctl.h"

/* The lists that one command changes, as bits. Zero-initialise. */
struct stamps {
	uint64_t begun;
	uint64_t agreed; /* of these, those whose file said what the kernel held */
	uint64_t wrong;  /* of these, those whose file had mistakes when it was restored */
	uint64_t refused; /* whose file has mistakes, which was said */
};

bool stamp_agrees(const struct ctl *ctl, const struct fw_list *l);

/* Before the first change of a list; again is harmless. */
int stamps_begin(struct stamps *s, const struct ctl *ctl, struct table_writer *w, unsigned list);

/* After the last change; saved: lists whose file has been told of all of it. */
void stamps_end(struct stamps *s, const struct ctl *ctl, struct table_writer *w, uint64_t saved);

/* After a file was written that says all of what the kernel holds. */
void stamp_set(const struct ctl *ctl, struct table_writer *w, unsigned list);

/*
 * Refuses to write to the file of a list that has lines which make no sense: what they should say is for a person to
 * decide. With --force the file is rewritten without them. Before the first change of the list. Returns an exit
 * status, and has reported.
 */
int stamp_check_file(struct ctl *ctl, struct table_writer *w, unsigned list);

#define STAMP_BYTES_FREE (128 * 1024) /* a file up to here is read in a millisecond */

/* The size of its file in bytes, -1 if there is none. */
int64_t stamp_file_size(const struct ctl *ctl, const char *name);
