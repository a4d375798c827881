// SPDX-License-Identifier: GPL-2.0-or-later

/* Prints a list of addresses.h, one prefix a line, in random order: input for the loaders under test. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "addresses.h"

/* Fisher and Yates, by the same numbers each time. */
static void shuffle(struct prefixes *p)
{
	struct prefix saved;
	size_t with;

	srandom(1);
	for (size_t i = p->n; i > 1; i--) {
		with = random() % i;
		saved = p->items[i - 1];
		p->items[i - 1] = p->items[with];
		p->items[with] = saved;
	}
}

/* The kind of list: its family, and the length of all its prefixes, 0 = mixed. */
static bool parse_kind(const char *text, int *ret_family, unsigned *ret_length)
{
	bool is_ip6 = strchr(text, '6') != NULL;

	*ret_family = is_ip6 ? AF_INET6 : AF_INET;
	*ret_length = 0;
	if (strcmp(text, "mixed") == 0 || strcmp(text, "mixed6") == 0)
		return true;
	if (strcmp(text, "plain") == 0 || strcmp(text, "plain6") == 0) {
		*ret_length = prefix_full_length(*ret_family);
		return true;
	}
	if (sscanf(text, "ip4/%u", ret_length) == 1)
		*ret_family = AF_INET;
	else if (sscanf(text, "ip6/%u", ret_length) == 1)
		*ret_family = AF_INET6;
	else
		return false;
	return *ret_length >= 4 && *ret_length <= prefix_full_length(*ret_family);
}

int main(int argc, char **argv)
{
	char text[PREFIX_TEXT_MAX];
	struct prefixes p;
	unsigned length;
	int family;

	if (argc != 4 || !parse_kind(argv[1], &family, &length)) {
		fprintf(stderr, "Usage: bench-addresses plain|mixed|plain6|mixed6|ip4/LENGTH|ip6/LENGTH COUNT SEED\n");
		return EXIT_FAILURE;
	}
	p = prefixes_new(family, strtoul(argv[2], NULL, 10), length, strtoul(argv[3], NULL, 10));
	shuffle(&p);
	for (size_t i = 0; i < p.n; i++)
		puts(prefix_format(&p.items[i], text));
	prefixes_done(&p);
	return fflush(stdout) == 0 && !ferror(stdout) ? EXIT_SUCCESS : EXIT_FAILURE;
}
