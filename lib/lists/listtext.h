/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The text of a list file <-> struct list, from any source; listfile.h has the files. */

#include <stdio.h>

#include <stddef.h>

#include "base/linewords.h"
#include "lists/listfile.h"

/*
 * Reads size bytes of text, as the list of that name; takes text, which is from malloc(3) and has room for one
 * byte more, also on failure. Lines that are wrong are in ret_list->mistakes. -ENOMEM.
 */
int list_parse(const char *name, char *text, size_t size, struct list **ret_list);

/* Line by line: the list so far, each line's items after those of the lines before, as they are in the file. */
struct list_lines {
	struct list *list;      /* a caller that has taken its items may set n_items to 0 */
	size_t n_allocated;     /* of list->items */
	struct targets targets; /* of one line, its memory used again */
	bool is_log;            /* fwctl has appended to the file */
};

int list_lines_new(const char *name, struct list_lines *ret); /* -ENOMEM */
void list_lines_done(struct list_lines *lines);

/*
 * Reads a line without its end, which must be writable, as a comment gets its NUL there. A line that is
 * wrong adds no items, only to the list's mistakes. -ENOMEM.
 */
int list_parse_line(struct list_lines *lines, struct cursor c);

/*
 * What is left after the last newline, also writable: a line without an end, which counts, or the torn start of one that was
 * never written whole. Sets list->is_open or list->is_torn. -ENOMEM.
 */
int list_parse_rest(struct list_lines *lines, struct cursor c);

/* How much of the text, which needs no NUL, is a header: the first line, or nothing. */
size_t list_header_length(const char *text, size_t size);

/* Writes a header, unless it is NULL, and lines; up to the first error, which ferror() tells, and errno which. */
void list_write(FILE *f, const struct list_header *header, const struct list_line *lines, size_t n_lines);

/* The same as text. The caller frees *ret_text. -ENOMEM. */
int list_print(const struct list_header *header, const struct list_line *lines, size_t n_lines,
	       char **ret_text, size_t *ret_size);
