/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A line of a list file, word by word. For listtext.c and listheader.c. */

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* The part of a line that is still to be read. */
struct cursor {
	char *at;
	char *end;
};

struct word {
	const char *text;
	size_t length;
};

static inline bool word_is(struct word w, const char *text)
{
	return strlen(text) == w.length && memcmp(w.text, text, w.length) == 0;
}

/* If the word starts so, moves on to what follows. */
static inline bool word_skip(struct word *w, const char *start)
{
	size_t n = strlen(start);

	if (w->length < n || memcmp(w->text, start, n) != 0)
		return false;

	w->text += n;
	w->length -= n;
	return true;
}

static inline bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* What starts a comment, at the start of a line or after a blank. */
static inline bool is_comment_sign(char c)
{
	return c == '#' || c == ';';
}

/* Editors of other systems start a file with a byte order mark. Its length where there is one, else 0. */
static inline size_t byte_order_mark_length(const char *text, size_t size)
{
	return size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

/* The next word of the line; an empty one at its end and before a comment. */
static inline struct word next_word(struct cursor *c)
{
	struct word w;

	while (c->at < c->end && is_blank(*c->at))
		c->at++;

	w.text = c->at;
	if (c->at < c->end && !is_comment_sign(*c->at))
		while (c->at < c->end && !is_blank(*c->at))
			c->at++;
	w.length = (size_t)(c->at - w.text);
	return w;
}
