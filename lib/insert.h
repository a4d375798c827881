/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Putting many elements into a map at once. */

#include <stddef.h>
#include <stdint.h>

#define INSERT_HALVES 2

struct elements {
	const void *keys;
	const void *values;
	size_t key_size;
	size_t value_size;
	uint32_t n;
};

/*
 * Inserts the elements, each half of them by a thread of its own where there are many. On failure
 * ret_done[] says how many of each half, the first one being elements 0..n / 2 - 1, are there all the same.
 */
int insert_all(int fd, const struct elements *elements, uint32_t ret_done[static INSERT_HALVES]);
