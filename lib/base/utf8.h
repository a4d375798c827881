/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Text from users and files: which characters it consists of, and which of them act on a terminal. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The character that text begins with, and its length in bytes. 0: these bytes are not UTF-8. text ends with a NUL. */
unsigned utf8_read(const char *text, uint32_t *ret);

/* Control characters of C0 and C1, and those that change the direction of writing. */
bool utf8_is_control(uint32_t character);

/* A copy with U+FFFD for each byte that is not UTF-8, to be freed; NULL without memory. */
char *utf8_repair(const char *text);

/*
 * A copy with control characters as \uNNNN and bytes that are not UTF-8 as \xNN, to be freed; NULL without memory.
 * Newlines stay.
 */
char *utf8_escape(const char *text);
