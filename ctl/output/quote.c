// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Words of a line: see quote.h. What is written is never longer than what is read: it goes in
 * place.
 */

#include "output/quote.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Takes one word, which ends with a NUL. *from moves past it; *to has room up to there. */
static int take_word(char **from, char **to)
{
	char quote = '\0', *in = *from, *out = *to;

	for (; *in && (quote || !is_blank(*in)); in++) {
		if (quote && *in == quote) {
			quote = '\0';
		} else if (!quote && (*in == '\'' || *in == '"')) {
			quote = *in;
		} else if (*in == '\\' && quote != '\'') {
			if (!*++in)
				return -EBADMSG;
			*out++ = *in;
		} else {
			*out++ = *in;
		}
	}
	if (quote)
		return -EBADMSG;

	*from = *in ? in + 1 : in;
	*out++ = '\0';
	*to = out;
	return 0;
}

int quote_split(char *line, char ***ret_words, int *ret_n_words)
{
	char **words = NULL, **more, *to = line;
	int n = 0, r = 0;

	for (;;) {
		while (is_blank(*line))
			line++;
		if (!*line || *line == '#' || *line == ';')
			break;

		more = reallocarray(words, n + 1, sizeof(*words));
		r = more ? 0 : -ENOMEM;
		if (r == 0) {
			words = more;
			words[n++] = to;
			r = take_word(&line, &to);
		}
		if (r < 0) {
			free(words);
			return r;
		}
	}
	*ret_words = words;
	*ret_n_words = n;
	return 0;
}
