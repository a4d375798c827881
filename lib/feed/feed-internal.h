/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Between feed.c, which goes through a file and counts, feed-line.c, which understands one line,
 * feed-collect.c, which gathers what lines name, feed-sort.c, which hands it over, and feed-except.c,
 * which applies exceptions. feed-look.c says what a file looks like that is no list.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/linewords.h"
#include "feed/feed.h"

struct json_tokener;

/*
 * IPv4 prefixes, of which there may be millions, are numbers until the end: the address, then the
 * length in the lowest byte, so that their order is that of prefixes.
 */
struct collector {
	uint64_t *keys;
	size_t n_keys;
	size_t n_allocated;
	struct targets others; /* IPv6 prefixes and ports; n_masked counts for all */
};

/* Where a collector stood, to forget a line that begins well and ends badly. */
struct collector_mark {
	size_t n_keys, n_others, n_masked;
};

void collector_done(struct collector *c);

/*
 * Adds what one TARGET names. -EBADMSG: refused, with the sentence of targets_parse(); -E2BIG and
 * -ENOMEM as feed_parse() has them.
 */
int collector_add(struct collector *c, const char *text, size_t length, const char **ret_error);

/*
 * The fast way for what most lines are: an IPv4 address or prefix and nothing else. 1: added, and
 * *line is the next one; 0: look at it the slow way; errors as above. end is that of the text.
 */
int collector_add_ipv4_line(struct collector *c, const char **line, const char *end);

/* Shortens what was added since mark to prefixes of no more than n_bits, and clears the bits after these. */
void collector_widen(struct collector *c, struct collector_mark mark, unsigned n_bits);

struct collector_mark collector_mark(const struct collector *c);
void collector_rewind(struct collector *c, struct collector_mark mark);

/* Hands over all of it, sorted, each once. */
int collector_finish(struct collector *c, struct targets *ret, size_t *ret_n_duplicates);

/*
 * Cuts exceptions, which are prefixes, out of the prefixes of t that cover them; what is inside an exception stays.
 * Both are sorted by target_compare(), t also afterwards. -E2BIG: over FEED_TARGETS_MAX; -ENOMEM; t is then unchanged.
 */
int targets_except(struct targets *t, const struct targets *exceptions);

/* What a line turned out to be. */
struct meaning {
	enum { LINE_COMMENT, LINE_METADATA, LINE_ENTRY, LINE_EXCEPTION } kind;
	enum feed_format format;
	bool has_timeout;
	bool has_direction;
	bool has_port;
	struct word set; /* of ipset */
};

#define MASKED_SETS_MAX 64

struct line_reader {
	struct collector collector;
	struct collector exceptions;
	struct json_tokener *tokener; /* made when first needed */
	bool expects_p2p; /* take a line for P2P first: a name may look like anything */
	bool has_ipset;   /* a line of ipset was read */
	bool has_block;   /* headers of our own lists that say so */
	bool has_allow;
	const char *doubt; /* static: why the file cannot be read because of a line; NULL: so far it can */
	struct {
		struct word name;
		unsigned netmask;
	} masked_sets[MASKED_SETS_MAX]; /* of ipset, with a netmask */
	size_t n_masked_sets;
};

void line_reader_done(struct line_reader *l);

/* Understands a whole line and collects what it names, or nothing. Errors as collector_add(). */
int line_reader_read(struct line_reader *l, struct word line, struct meaning *ret,
		     const char **ret_error);

/* What comes after "create" of ipset. NULL, or a static sentence: why the entries of that set cannot be read. */
const char *line_reader_read_create(struct line_reader *l, struct word line);

/* What comes after "add" of ipset: SET ENTRY and words. */
int line_reader_read_ipset(struct line_reader *l, struct word line, struct meaning *m,
			   const char **ret_error);

/*
 * Does a bad line change what the lines around it mean, such as an exception does? A static sentence, or NULL. And
 * does a line open a comment of several lines?
 */
const char *feed_doubt(struct word line);
bool feed_opens_comment(struct word line);

/* A blank or CR; and what begins a comment in most formats. */
bool feed_is_space(char c);
bool feed_is_comment(char c);

/* Without blanks and CR on both sides. */
struct word line_trim(struct word w);

/* Takes the first word off *line; it is empty at the end, and before a comment if there are any. */
struct word line_take_word(struct word *line, bool has_comments);

/* The same for a line that is a JSON object. */
int line_reader_read_json(struct line_reader *l, struct word line, struct meaning *ret,
			  const char **ret_error);
