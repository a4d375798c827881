/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Options, as rows, and what argv has of them. */

#include "ctl.h"

extern const struct option options[]; /* the last row has no name */

/*
 * Sorts argv into options, which are set, and the rest, which is moved to the front; finds a
 * verb; says whether ctl->verb takes these options and this number of arguments.
 */
int options_parse(struct ctl *ctl, int argc, char **argv, int *ret_argc, unsigned *ret_options);
int options_find_verb(struct ctl *ctl, const char *name, const struct verb **ret);
int options_check(struct ctl *ctl, int argc, unsigned used);
bool option_is_comment(const char *text);
bool option_argument_is_optional(const struct option *o);
const char *verb_usage(const struct verb *v, char *buffer, size_t size); /* "fwctl show [LIST]" */
