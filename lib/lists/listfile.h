/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Durable list files: STATE/lists/NAME.list, text that a person may read and edit.
 *
 *   #!ebpf-fw list=manual action=block mode=enforce enabled=yes direction=default # by hand
 *   192.0.2.0/24
 *   2001:db8::/32 until=1790000000 in since=1789990000 # seen in the mail log
 *   tcp/8000-8100 out
 *   !remove 192.0.2.0/24
 *
 * The first line is the list's policy; without it the defaults apply. Then one entry per line; a later line wins over an
 * earlier one, so that blocking and unblocking append a line each and cost the same in a long file as in a short one. An
 * entry that is added again while it is in the list keeps its since=. It also keeps its comment, unless it gets another.
 * Comments start with '#' or ';'. Empty lines, CRLF and a byte order mark do not matter. A last line without a newline
 * counts if it makes sense, unless it may be the start of a longer one that fwctl was appending: that is a torn write,
 * dropped and reported. A line that makes no sense costs only itself: it is skipped and recorded as a mistake, and stays in
 * the file until it is corrected. A writer holds the writer lock; every function that writes has synced when it returns.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/abi.h"
#include "text/target.h"

#define LIST_SUFFIX ".list"

struct list_header {
	char name[FW_LIST_NAME_MAX];
	enum fw_action action;
	enum fw_mode mode;
	bool is_enabled;
	unsigned directions; /* FW_IN | FW_OUT, 0 = by kind of target */
	const char *comment; /* "" = none, NULL = not said: writing keeps that of the file; belongs to the list or the caller */
};

/* One line: an entry, or its removal. */
struct list_line {
	struct target target;
	bool is_removal;
	unsigned directions; /* FW_IN | FW_OUT, 0 = the list's */
	int64_t until;       /* Unix time in seconds, 0 = never */
	int64_t since;       /* the same: when it was added; 0 = unknown */
	const char *comment; /* without '#', "" or NULL = none; belongs to the writer or the list */
};

#define LIST_MISTAKES_SHOWN 20 /* the rest is only counted */

/* Lines that were skipped because they make no sense. */
struct list_mistakes {
	size_t n;
	struct list_mistake {
		size_t line;       /* from 1 */
		const char *error; /* static */
	} first[LIST_MISTAKES_SHOWN];
	bool is_header_wrong;   /* one of them is the header: keys that are wrong have their defaults */
	bool is_action_unclear; /* nothing says whether the entries block or allow */
};

/* A list as read: the result of all its lines, sorted by target_compare(), each target once. */
struct list {
	struct list_header header;
	struct list_mistakes mistakes;
	size_t n_understood; /* lines that are the header or an entry */
	struct list_line *items;
	size_t n_items;
	size_t n_lines;    /* lines in the file, to tell when it should be rewritten */
	bool is_torn;      /* the last line had no end and was dropped */
	bool is_open;      /* the last line had no end and counts */
	char *text;        /* backs the comments */
};

struct list *list_free(struct list *l); /* accepts NULL, returns NULL */

/* For _cleanup_(). */
static inline void list_freep(struct list **l)
{
	*l = list_free(*l);
}

/* The header of a list that was never configured: "allow" allows, every other name blocks. */
struct list_header list_header_default(const char *name);

/*
 * Is this a name a list may have? 1 to FW_LIST_NAME_MAX - 1 of letters, digits and . _ : @ + - with
 * single slashes between parts ("fail2ban/sshd"); no part may start with a dot or end in ".list",
 * which only files do. A slash becomes a directory below lists/.
 */
bool list_name_is_valid(const char *name);

/*
 * Reads STATE/lists/NAME.list. -ENOENT: there is none; -EINVAL: no valid name; -EBADMSG: it is not a
 * regular file. Lines that are wrong are in ret_list->mistakes.
 */
int listfile_read(const char *state_dir, const char *name, struct list **ret_list);

/* Reads the policy alone, as a list without items, however long the file is. Errors as above. */
int listfile_read_header(const char *state_dir, const char *name, struct list **ret_list);

/*
 * Appends lines with one write and syncs, after cutting off a torn end. Makes the file, with this
 * header, if there is none. On failure the list is as it was before; -ENOSPC, -EDQUOT, -EROFS,
 * -EACCES as write(2) has them.
 */
int listfile_append(const char *state_dir, const struct list_header *header,
		    const struct list_line *lines, size_t n_lines);

/* Replaces the file whole: temporary file in the same directory, sync, rename, sync of the directory. */
int listfile_replace(const char *state_dir, const struct list_header *header,
		     const struct list_line *lines, size_t n_lines);

/* Replaces the file by one with this header and the lines it has, comments included; makes it if need be. */
int listfile_set_header(const char *state_dir, const struct list_header *header);

/* A number that changes whenever somebody writes to the file, for fw_list.file_stamp; 0 = there is none. */
uint32_t listfile_stamp(const char *state_dir, const char *name);

/* Values of fw_list.file_stamp that are no stamps. */
enum {
	LISTFILE_STAMP_UNKNOWN, /* the file may say something else than the kernel holds */
	LISTFILE_STAMP_BUSY,    /* a change is under way, or was killed */
	LISTFILE_STAMP_WRONG,   /* lines were skipped when it was last restored */
};

/* Removes the file. -ENOENT: there is none. */
int listfile_remove(const char *state_dir, const char *name);

/* Renames a file that cannot be read to NAME.list.bad-N, for a person to look at. Returns N. */
int listfile_set_aside(const char *state_dir, const char *name);

/*
 * Replaces a file that has mistakes by what was understood of it, under this header. The file as it was
 * is kept as NAME.list.bad-N. Returns N.
 */
int listfile_rewrite(const char *state_dir, const struct list_header *header, const struct list *l);

/* Calls fn with the name of each list that has a file, in order; stops at a negative return. */
int listfile_foreach(const char *state_dir, int (*fn)(const char *name, void *userdata),
		     void *userdata);

/* "block"/"allow", "enforce"/"audit"; NULL and -EINVAL past the end. Exact, lower case. */
const char *action_to_string(enum fw_action a);
int action_from_string(const char *text, size_t length);
const char *mode_to_string(enum fw_mode m);
int mode_from_string(const char *text, size_t length);

/* The head of the file of a list that the kernel has; its comment is not said. */
struct list_header list_header_of(const struct fw_list *l);
