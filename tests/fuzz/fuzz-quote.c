// SPDX-License-Identifier: GPL-2.0-or-later

/* The input as a line of a batch: words that are quoted again give the same words. */

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "fuzz.h"
#include "output/quote.h"

/* Between apostrophes nothing is special but the apostrophe. Returns the end. */
static char *quote(const char *word, char *to)
{
	*to++ = '\'';
	for (; *word; word++) {
		if (*word == '\'') {
			memcpy(to, "'\\''", 4);
			to += 4;
		} else {
			*to++ = *word;
		}
	}
	*to++ = '\'';
	*to++ = ' ';
	return to;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *line = malloc(size + 1), *again = malloc(size * 7 + 8);
	_cleanup_free_ char **words = NULL, **same = NULL;
	int n_words = -1, n_same = -1, r;
	char *end = again;

	MUST(line && again);
	memcpy(line, data, size);
	line[size] = '\0';

	r = quote_split(line, &words, &n_words);
	MUST(r == 0 || r == -EBADMSG);
	MUST((r == 0) == (n_words >= 0)); /* outputs are written on success only */
	if (r < 0)
		return 0;

	for (int i = 0; i < n_words; i++) {
		MUST(words[i] >= line && words[i] + strlen(words[i]) <= line + size);
		end = quote(words[i], end);
	}
	*end = '\0';
	MUST(quote_split(again, &same, &n_same) == 0 && n_same == n_words);
	for (int i = 0; i < n_words; i++)
		MUST(strcmp(words[i], same[i]) == 0);
	return 0;
}
