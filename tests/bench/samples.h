/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Medians of interleaved runs: what a busy machine leaves of a measurement. */

#include <stdlib.h>

#define SAMPLES_MAX 64

struct samples {
	double values[SAMPLES_MAX];
	size_t n;
};

static inline void samples_add(struct samples *s, double value)
{
	if (s->n < SAMPLES_MAX)
		s->values[s->n++] = value;
}

static inline int samples_compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* 0 without samples. */
static inline double samples_median(const struct samples *s)
{
	struct samples sorted = *s;

	if (sorted.n == 0)
		return 0;
	qsort(sorted.values, sorted.n, sizeof(*sorted.values), samples_compare);
	return sorted.values[sorted.n / 2];
}
