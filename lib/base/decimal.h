/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Plain decimal numbers, as strict as addresses need them. Shared by the parsers of lib/. */

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

/*
 * All of text is digits: no sign, no space, and no leading zero, which some programs read as octal.
 * -EINVAL: it is not; -ERANGE: it is, and above max (less than UINT64_MAX / 10).
 */
static inline int decimal_parse(const char *text, size_t length, uint64_t max, uint64_t *ret)
{
	uint64_t value = 0;

	if (length == 0 || (length > 1 && text[0] == '0'))
		return -EINVAL;

	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -EINVAL;
		if (value <= max) /* past it the exact value does not matter, and might overflow */
			value = value * 10 + (uint64_t)(text[i] - '0');
	}
	if (value > max)
		return -ERANGE;

	*ret = value;
	return 0;
}
