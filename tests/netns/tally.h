/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Counts by key, in memory while traffic runs and in a file when it pauses. */

#include <netinet/in.h>
#include <stddef.h>

#define N_KEYS_MAX 64 /* further keys are not counted: a test has a handful */

/* Small enough to search from the start. */
struct tally {
	size_t n_keys;
	struct {
		char key[INET6_ADDRSTRLEN];
		unsigned long n;
	} rows[N_KEYS_MAX];
};

void tally_add(struct tally *t, const char *key);

/* "KEY N" a line, by rename, so that nobody reads half a file. */
int tally_write(const struct tally *t, const char *path);
