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

int main(int argc, char **argv)
{
	char text[PREFIX_TEXT_MAX];
	struct prefixes p;
	bool is_plain = false, is_ip6 = false;

	if (argc == 4) {
		is_ip6 = strchr(argv[1], '6') != NULL;
		is_plain = strncmp(argv[1], "plain", 5) == 0;
	}
	if (argc != 4 || (!is_plain && strncmp(argv[1], "mixed", 5) != 0)) {
		fprintf(stderr, "Usage: bench-addresses plain|mixed|plain6|mixed6 COUNT SEED\n");
		return EXIT_FAILURE;
	}
	p = prefixes_new(is_ip6 ? AF_INET6 : AF_INET, strtoul(argv[2], NULL, 10), is_plain, strtoul(argv[3], NULL, 10));
	shuffle(&p);
	for (size_t i = 0; i < p.n; i++)
		puts(prefix_format(&p.items[i], text));
	prefixes_done(&p);
	return fflush(stdout) == 0 && !ferror(stdout) ? EXIT_SUCCESS : EXIT_FAILURE;
}
