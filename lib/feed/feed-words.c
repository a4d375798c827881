// SPDX-License-Identifier: GPL-2.0-or-later

/* Words of a line: what separates them, and what ends a line early. See feed-internal.h. */

#include "feed/feed-internal.h"

bool feed_is_space(char c)
{
	return is_blank(c) || c == '\r';
}

bool feed_is_comment(char c)
{
	return c == '#' || c == ';';
}

struct word line_trim(struct word w)
{
	while (w.length > 0 && feed_is_space(*w.text)) {
		w.text++;
		w.length--;
	}
	while (w.length > 0 && feed_is_space(w.text[w.length - 1]))
		w.length--;
	return w;
}

struct word line_take_word(struct word *line, bool has_comments)
{
	struct word w = line_trim(*line);
	size_t n = 0;

	while (n < w.length && !feed_is_space(w.text[n]) && !(has_comments && feed_is_comment(w.text[n])))
		n++;

	*line = (struct word) { w.text + n, w.length - n };
	w.length = n;
	return w;
}
