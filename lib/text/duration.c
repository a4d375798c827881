// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * How long: text <-> nanoseconds. Takes what people type and what other programs print: fail2ban's
 * plain seconds and -1, CrowdSec's "3h59m57.6s".
 */

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "text/duration.h"

#define NS_PER_MS INT64_C(1000000)

/* Largest first, the order in which a duration names them. */
static const struct {
	const char *name;
	uint64_t ns;
} units[] = {
	{ "w",  7 * 24 * 3600 * NS_PER_SEC },
	{ "d",  24 * 3600 * NS_PER_SEC     },
	{ "h",  3600 * NS_PER_SEC          },
	{ "m",  60 * NS_PER_SEC            },
	{ "s",  NS_PER_SEC                 },
	{ "ms", NS_PER_MS                  },
};

static bool is_unit(size_t u, const char *text, size_t length)
{
	return strlen(units[u].name) == length && memcmp(units[u].name, text, length) == 0;
}

/* "12" or "12.5": whole and billionths. Returns what follows it, NULL if it is no number. */
static const char *parse_number(const char *text, uint64_t *ret_whole, uint64_t *ret_billionths)
{
	uint64_t billionths = 0;
	char *end;

	if (!isdigit((unsigned char)*text))
		return NULL;

	*ret_whole = strtoull(text, &end, 10); /* at most UINT64_MAX: out of range */
	if (*end == '.') {
		if (!isdigit((unsigned char)*++end))
			return NULL;
		for (uint64_t place = NS_PER_SEC / 10; isdigit((unsigned char)*end);
		     end++, place /= 10)
			billionths += (uint64_t)(*end - '0') * place;
	}

	*ret_billionths = billionths;
	return end;
}

int duration_parse(const char *text, uint64_t *ret_ns)
{
	uint64_t total = 0, max = INT64_MAX;
	size_t u = 0; /* the largest unit that may still come */

	if (strcmp(text, "permanent") == 0 || strcmp(text, "-1") == 0) {
		*ret_ns = UINT64_MAX;
		return 0;
	}

	for (const char *at = text; *at != '\0'; u++) {
		uint64_t whole, billionths, unit_ns;
		size_t n_letters;

		at = parse_number(at, &whole, &billionths);
		if (!at)
			return -EINVAL;

		n_letters = strspn(at, "wdhms");
		if (n_letters == 0 && (u > 0 || *at != '\0'))
			return -EINVAL; /* only a bare number means seconds */

		while (u < ELEMENTSOF(units) &&
		       !is_unit(u, n_letters > 0 ? at : "s", n_letters > 0 ? n_letters : 1))
			u++;
		if (u == ELEMENTSOF(units))
			return -EINVAL;

		at += n_letters;
		if (billionths > 0 && *at != '\0')
			return -EINVAL; /* "1.5h10m" is more likely a slip than meant */

		unit_ns = units[u].ns;
		if (whole > max / unit_ns)
			return -ERANGE;
		total += whole * unit_ns;
		total += unit_ns >= NS_PER_SEC ? billionths * (unit_ns / NS_PER_SEC) :
						 billionths / (NS_PER_SEC / unit_ns);
		if (total > max)
			return -ERANGE;
	}
	if (total == 0)
		return -EINVAL;

	*ret_ns = total;
	return 0;
}

/* Weeks are understood, but people read "10d" more easily than "1w3d". */
const char *duration_format(uint64_t ns, char buffer[static DURATION_TEXT_MAX])
{
	size_t u = 1, next;
	int n;

	if (ns == UINT64_MAX)
		return strcpy(buffer, "permanent");

	while (u < ELEMENTSOF(units) && ns < units[u].ns)
		u++;
	if (u == ELEMENTSOF(units))
		return strcpy(buffer, "0s");

	n = sprintf(buffer, "%" PRIu64 "%s", ns / units[u].ns, units[u].name);
	next = u + 1;
	ns %= units[u].ns;
	if (next < ELEMENTSOF(units) && units[next].ns >= NS_PER_SEC && ns >= units[next].ns)
		(void) sprintf(buffer + n, "%" PRIu64 "%s", ns / units[next].ns, units[next].name);
	return buffer;
}
