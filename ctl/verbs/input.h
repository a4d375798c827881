/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* FILE|- as an argument. */

#include "ctl.h"

/*
 * Reads all of a file, or of standard input for "-"; the caller frees *ret_text, which ends with a
 * NUL that is not counted. Returns an exit status, and has reported.
 */
int input_read(struct ctl *ctl, const char *path, char **ret_text, size_t *ret_size);
const char *input_name(const char *path);
