/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the helpers of the namespace tests can do, as rows: each is one verb with a fixed number of arguments. */

#include <stdio.h>
#include <string.h>

struct verb {
	const char *name;
	const char *arguments;
	int n_arguments;
	int (*run)(char **argv);
};

/* The row that argv asks for; NULL, with all of them printed: there is none. Rows end with {}. */
static inline const struct verb *verb_find(const struct verb *verbs, const char *program, int argc, char **argv)
{
	for (const struct verb *v = verbs; v->name; v++)
		if (argc >= 2 && strcmp(argv[1], v->name) == 0 && argc - 2 == v->n_arguments)
			return v;

	for (const struct verb *v = verbs; v->name; v++)
		fprintf(stderr, "usage: %s %s %s\n", program, v->name, v->arguments);
	return NULL;
}
