// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * See insert.h. The kernel's part of loading a long list is nearly all of it, and waits for memory more than it
 * computes: two CPUs take little more than half the time of one.
 */

#include "insert.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>

#include <bpf/bpf.h>

#define ALONE_MAX 4096 /* fewer are inserted before a thread has begun */

struct half {
	int fd;
	const void *keys;
	const void *values;
	uint32_t n; /* then: how many came that far */
	int r;
};

static void *insert_half(void *argument)
{
	struct half *h = argument;

	if (h->n > 0 && bpf_map_update_batch(h->fd, h->keys, h->values, &h->n, NULL) < 0)
		h->r = -errno;
	return NULL;
}

int insert_all(int fd, const struct elements *e, uint32_t ret_done[static INSERT_HALVES])
{
	uint32_t n = e->n / INSERT_HALVES;
	struct half halves[INSERT_HALVES] = {
		{ .fd = fd, .keys = e->keys, .values = e->values, .n = n },
		{
			.fd = fd,
			.keys = (const char *)e->keys + n * e->key_size,
			.values = (const char *)e->values + n * e->value_size,
			.n = e->n - n,
		},
	};
	bool is_shared;
	pthread_t thread;

	is_shared = e->n > ALONE_MAX && pthread_create(&thread, NULL, insert_half, &halves[1]) == 0;
	insert_half(&halves[0]);
	if (is_shared)
		(void) pthread_join(thread, NULL);
	else
		insert_half(&halves[1]);

	for (unsigned i = 0; i < INSERT_HALVES; i++)
		ret_done[i] = halves[i].n;
	return halves[0].r < 0 ? halves[0].r : halves[1].r;
}
