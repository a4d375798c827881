// SPDX-License-Identifier: GPL-2.0-or-later

/* See chase.h. */

#include "chase.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "samples.h"

#define LINE     64
#define N_READS  300000
#define N_ROUNDS 7

/* Each line points to the next one of a single circle through all of them, in random order. */
static void draw_circle(char *memory, uint32_t *order, size_t n)
{
	for (size_t i = 0; i < n; i++)
		order[i] = i;
	for (size_t i = n - 1; i > 0; i--) { /* Sattolo: one circle */
		size_t with = (size_t)random() % i;
		uint32_t saved = order[i];

		order[i] = order[with];
		order[with] = saved;
	}
	for (size_t i = 0; i < n; i++)
		*(uint32_t *)(memory + i * LINE) = order[i];
}

double chase(size_t n_bytes)
{
	struct samples samples = { .n = 0 };
	size_t n = n_bytes / LINE;
	uint32_t *order = calloc(n, sizeof(*order));
	char *memory = mmap(NULL, n_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct timespec start, end;
	volatile uint32_t at = 0;

	if (order && memory != MAP_FAILED) {
		(void) madvise(memory, n_bytes, MADV_NOHUGEPAGE);
		draw_circle(memory, order, n);
		for (int round = 0; round < N_ROUNDS; round++) {
			(void) clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
			for (int i = 0; i < N_READS; i++)
				at = *(uint32_t *)(memory + (size_t)at * LINE);
			(void) clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
			samples_add(&samples, ((end.tv_sec - start.tv_sec) * 1e9 + (end.tv_nsec - start.tv_nsec)) / N_READS);
		}
	}
	free(order);
	if (memory != MAP_FAILED)
		(void) munmap(memory, n_bytes);
	return samples_median(&samples);
}
