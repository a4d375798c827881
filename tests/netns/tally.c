// SPDX-License-Identifier: GPL-2.0-or-later

/* See tally.h. */

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "tally.h"

void tally_add(struct tally *t, const char *key)
{
	size_t i;

	for (i = 0; i < t->n_keys; i++)
		if (strcmp(t->rows[i].key, key) == 0)
			break;
	if (i == N_KEYS_MAX)
		return;
	if (i == t->n_keys) {
		snprintf(t->rows[i].key, sizeof(t->rows[i].key), "%s", key);
		t->n_keys++;
	}
	t->rows[i].n++;
}

int tally_write(const struct tally *t, const char *path)
{
	_cleanup_fclose_ FILE *f = NULL;
	char new[PATH_MAX];

	snprintf(new, sizeof(new), "%s.new", path);
	f = fopen(new, "we");
	if (!f)
		return -errno;
	for (size_t i = 0; i < t->n_keys; i++)
		fprintf(f, "%s %lu\n", t->rows[i].key, t->rows[i].n);
	if (fflush(f) == EOF || rename(new, path) < 0)
		return -errno;
	return 0;
}
