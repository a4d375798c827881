/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The first line of a list file <-> struct list_header. For listtext.c. */

#include <stdbool.h>
#include <stdio.h>

#include "base/linewords.h"
#include "lists/listfile.h"

/* Is this line a header? Then moves on to its first key. */
bool header_starts(struct cursor *c);

/*
 * Reads the keys into *h, those that are wrong excepted. Returns what is wrong with the first of these, or NULL.
 * *ret_has_action: it is known whether the list blocks or allows.
 */
const char *header_parse(struct list_header *h, struct cursor *c, bool *ret_has_action);

/* Without its comment and the end of the line. */
void header_print(FILE *f, const struct list_header *h);
