// SPDX-License-Identifier: GPL-2.0-or-later

/* Each line of the input as a TARGET, and as an address that the C library may be asked about as well. */

#include <arpa/inet.h>
#include <string.h>

#include "base/cleanup.h"
#include "fuzz.h"
#include "text/target.h"

/* What is accepted has one spelling, which means the same again. */
static void check_item(const struct target *t)
{
	char text[TARGET_TEXT_MAX], again[TARGET_TEXT_MAX];
	struct target parsed;
	const char *error;

	target_format(t, text);
	MUST(target_parse(text, strlen(text), &parsed, &error) == 0);
	MUST(target_compare(t, &parsed) == 0);
	MUST(strcmp(text, target_format(&parsed, again)) == 0);
}

static void check_target(const char *text, size_t length)
{
	_cleanup_(targets_done) struct targets t = {};
	const char *error = NULL;
	int r = targets_parse(&t, text, length, &error);

	MUST((r == 0) == (t.n_items > 0));
	MUST((r < 0) == (error != NULL));
	for (size_t i = 0; i < t.n_items; i++)
		check_item(&t.items[i]);
}

/* A plain address is what inet_pton(3) takes for one. */
static void check_address(const char *text, size_t length)
{
	char copy[64];
	uint8_t bytes[16];
	struct prefix p;
	bool is_address;

	if (length >= sizeof(copy) || memchr(text, '/', length) || memchr(text, '\0', length))
		return;

	memcpy(copy, text, length);
	copy[length] = '\0';
	is_address = inet_pton(AF_INET, copy, bytes) == 1 || inet_pton(AF_INET6, copy, bytes) == 1;
	MUST((prefix_parse(text, length, &p, NULL) == 0) == is_address);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data, *end = text + size;

	for (;;) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t length = (size_t)((newline ?: end) - text);

		check_target(text, length);
		check_address(text, length);
		if (!newline)
			return 0;
		text = newline + 1;
	}
}
