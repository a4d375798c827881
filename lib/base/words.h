/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Tables of words, indexed by an enum: value -> word -> value. A table may have gaps. */

#include <errno.h>
#include <stddef.h>
#include <string.h>

/* NULL past the end. */
static inline const char *words_get(const char *const *words, size_t n_words, size_t i)
{
	return i < n_words ? words[i] : NULL;
}

/* The index, or -EINVAL. Exact: no other case, no abbreviation. */
static inline int words_find(const char *const *words, size_t n_words, const char *text,
			     size_t length)
{
	for (size_t i = 0; i < n_words; i++)
		if (words[i] && strlen(words[i]) == length && memcmp(words[i], text, length) == 0)
			return (int)i;
	return -EINVAL;
}
