/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Reads a list file entry by entry, for callers that need no comments. It takes little memory for a file of any length,
 * because the file is written sorted and then appended to. The sorted part is read twice, a window at a time; only the lines
 * below it are kept.
 */

#include "lists/listfile.h"

struct list_reader;

/*
 * Reads all of the file once, so that what is wrong with it is known before its first entry is used. Errors as
 * listfile_read() has them; -ENOMEM also where it would leave too little, see room_ask().
 */
int list_reader_open(const char *state_dir, const char *name, struct list_reader **ret);
struct list_reader *list_reader_free(struct list_reader *r); /* accepts NULL, returns NULL */

/* For _cleanup_(). */
static inline void list_reader_freep(struct list_reader **r)
{
	*r = list_reader_free(*r);
}

/* Its comment is NULL. */
const struct list_header *list_reader_header(const struct list_reader *r);
bool list_reader_is_torn(const struct list_reader *r);

const struct list_mistakes *list_reader_mistakes(const struct list_reader *r);

/* Is there a line in it that was understood? Else it may be anything but a list. */
bool list_reader_is_list(const struct list_reader *r);

/* How many entries of a kind there are at most: a later line may take out some. */
uint64_t list_reader_count(const struct list_reader *r, enum fw_kind kind);

/*
 * Calls fn for the result of all lines, in the order of target_compare(), each target once, without since= and comment;
 * stops at a negative return, which is returned. -ESTALE: the file was written to in the meantime.
 */
typedef int (*list_entry_fn)(const struct list_line *line, void *userdata);
int list_reader_each(struct list_reader *r, list_entry_fn fn, void *userdata);
