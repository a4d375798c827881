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

/* The next word of the line; an empty one at its end and before a comment. */
static inline struct word next_word(struct cursor *c)
{
	struct word w;

	while (c->at < c->end && is_blank(*c->at))
		c->at++;

	w.text = c->at;
	if (c->at < c->end && *c->at != '#')
		while (c->at < c->end && !is_blank(*c->at))
			c->at++;
	w.length = (size_t)(c->at - w.text);
	return w;
}
