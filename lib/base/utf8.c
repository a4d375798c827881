// SPDX-License-Identifier: GPL-2.0-or-later

/* See utf8.h. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

bool utf8_is_control(uint32_t c)
{
	return c < ' ' || (c >= 0x7f && c <= 0x9f) || c == 0x61c || c == 0x200e || c == 0x200f ||
	       (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

static unsigned expected_length(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xc0 || first >= 0xf8)
		return 0;
	return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

unsigned utf8_read(const char *text, uint32_t *ret)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *p = (const unsigned char *)text;
	unsigned n = expected_length(p[0]);
	uint32_t c = n == 1 ? p[0] : p[0] & (0x7fu >> n);

	for (unsigned i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (n == 0 || c < smallest[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*ret = c;
	return n;
}

char *utf8_repair(const char *text)
{
	char *copy = malloc(strlen(text) * strlen(REPLACEMENT) + 1), *to = copy;
	uint32_t c;

	while (copy && *text) {
		unsigned n = utf8_read(text, &c);

		if (n > 0)
			to = mempcpy(to, text, n);
		else
			to = stpcpy(to, REPLACEMENT);
		text += n > 0 ? n : 1;
	}
	if (copy)
		*to = '\0';
	return copy;
}

char *utf8_escape(const char *text)
{
	char *copy = malloc(strlen(text) * strlen("\\uNNNN") + 1), *to = copy;
	uint32_t c;

	while (copy && *text) {
		unsigned n = utf8_read(text, &c);

		if (n == 0)
			to += sprintf(to, "\\x%02x", (unsigned char)*text);
		else if (utf8_is_control(c) && c != '\n')
			to += sprintf(to, "\\u%04x", c);
		else
			to = mempcpy(to, text, n);
		text += n > 0 ? n : 1;
	}
	if (copy)
		*to = '\0';
	return copy;
}
