/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A small file that is written as a whole, so that a reader finds the old one or the new one. It need not survive a crash. */

#include <stdio.h>

/* Writes to f; need not look for errors. A negative return gives up. */
typedef int (*rewrite_fn)(FILE *f, const void *userdata);

/* Writes PATH.new by fn and renames it. On failure the old file is still there. */
int rewrite_file(const char *path, rewrite_fn fn, const void *userdata);
