/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Blocklists as others publish them. Which of the formats a line has is told from the line itself:
 *
 *   192.0.2.0/24                           plain, as of FireHOL, blocklist.de and countries
 *   192.0.2.1 - 192.0.2.9                  a range, with or without blanks around the dash
 *   192.0.2.0/24 ; SBL256894               Spamhaus DROP as text
 *   {"cidr":"192.0.2.0/24","rir":"ripencc"}  Spamhaus DROP as JSON lines
 *   add NAME 192.0.2.1 timeout 60          ipset save, after its "create" line, whose netmask counts
 *   add NAME 192.0.2.1 nomatch             an exception, which is cut out of the entries
 *   !192.0.2.1                             the same in pf
 *   some name: of theirs:192.0.2.0-192.0.2.255   P2P
 *   2001:db8::/32 until=1790000000 in      our own list files, with the words after the entry
 *
 * '#' and ';' start a comment; CRLF, a byte order mark, blanks around the entry and a last line without an end do not
 * matter. Every other line is bad, and counted. A line that may change what the others mean is a doubt about the whole file.
 * Whether a file with bad lines is loaded, or one that shrank, is the caller's decision. So is which addresses must not be
 * blocked. Pure, except for feed_read_fd().
 */

#include <stdbool.h>
#include <stddef.h>

#include "text/target.h"

/* What a file may come to: a single line with a range can name 254 prefixes. */
#define FEED_TARGETS_MAX (16 * 1024 * 1024)

#define FEED_SAMPLE_MAX 64

enum feed_format {
	FEED_PLAIN,
	FEED_JSON,
	FEED_IPSET,
	FEED_P2P,
	FEED_LIST,
	_FEED_FORMAT_MAX,
};

/* n_lines is the sum of n_entries, n_exceptions, n_comments, n_metadata and n_bad. */
struct feed {
	struct targets targets; /* sorted by target_compare(), each once; n_masked as there */
	enum feed_format format; /* of the first entry */
	bool looks_like_html;   /* an error page, most likely */

	bool is_allow_list;     /* one of our own that says action=allow */

	size_t n_lines;
	size_t n_entries;       /* lines that name something; 0: the file is as good as empty */
	size_t n_exceptions;    /* lines that name what is not meant; they are cut out of the targets */
	size_t first_exception_line;
	size_t n_comments;      /* and empty lines */
	size_t n_metadata;      /* about the file: "create", the last line of DROP, our header */
	size_t n_bad;
	size_t first_bad_line;  /* from 1; 0: none */
	const char *first_bad_error; /* static, as of targets_parse() */
	char first_bad_text[FEED_SAMPLE_MAX]; /* how that line begins, up to a NUL; any bytes */
	const char *doubt;      /* static: why no line can be trusted, such as an exception that is bad; NULL: nothing */
	size_t doubt_line;
	const char *look;       /* static: what a file with bad lines looks like, and what to do; NULL: unknown */

	size_t n_duplicates;    /* targets named before */
	size_t n_timeouts;      /* entries with an end (timeout, until=), which is not kept */
	size_t n_directions;    /* entries with a direction, which is not kept */
	size_t n_ports;         /* entries that are ports; they are among the targets */
	size_t first_port_line; /* from 1; 0: none */
	size_t n_sets;          /* of ipset save, 1 and each change of name; all are joined */
};

/* Reads size bytes of text, which needs no NUL. -E2BIG: over FEED_TARGETS_MAX; -ENOMEM. */
int feed_parse(const char *text, size_t size, struct feed *ret);
void feed_done(struct feed *f);

/*
 * What a text looks like that is no list, by its first bytes and its first bad line: "gzip data: decompress it
 * first, ...". NULL: nothing that is known. Pure.
 */
const char *feed_look(const char *text, size_t size, const char *line, size_t length);

/*
 * Reads from a file, pipe or terminal to its end. The caller frees *ret_text. -EFBIG: more than
 * max_bytes (less than SIZE_MAX), however endless; -EISDIR: a directory; else as read(2) has it.
 */
int feed_read_fd(int fd, size_t max_bytes, char **ret_text, size_t *ret_size);

/* "plain", "json", "ipset", "p2p", "list"; NULL past the end. */
const char *feed_format_to_string(enum feed_format f);
