/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A line of text -> words, as a shell would: blanks, '...', "...", backslash, # comment. No expansion. */

#include <stddef.h>

/*
 * Splits a line in place; *ret_words, to be freed, point into it. -EBADMSG: a quote is not closed, or a
 * backslash ends the line; -ENOMEM.
 */
int quote_split(char *line, char ***ret_words, int *ret_n_words);
