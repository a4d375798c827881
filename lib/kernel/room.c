// SPDX-License-Identifier: GPL-2.0-or-later

/* See room.h. */

#include "kernel/room.h"

#include <errno.h>
#include <stdbool.h>

#include <bpf/bpf.h>

#include "base/cleanup.h"

#define CHUNK 4096
#define CHUNKS_MAX (UINT64_C(1) << 31) /* of a map: 8 TiB, more than any machine has */
#define WRONG_NAME "no name?"
#define RIGHT_NAME "fw_room"

/* -ENOMEM: the kernel has no memory for a map of so many chunks. Any other: it has, or does not say. */
static int try_map(const char *name, uint64_t n)
{
	_cleanup_close_ int fd = -1;

	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, name, sizeof(uint32_t), CHUNK, (uint32_t)n, NULL);
	return fd < 0 && (errno == ENOMEM || errno == E2BIG) ? -ENOMEM : 0;
}

/*
 * Does the kernel look at the name only when it has the memory? Then it has to say that it has no 8 TiB. One that looks
 * at the name first would say yes to every question. It cannot change while we run.
 */
static bool is_name_checked_last(void)
{
	static int known = -1;

	if (known < 0)
		known = try_map(WRONG_NAME, CHUNKS_MAX) == -ENOMEM;
	return known;
}

/*
 * A map is what the kernel would rather not make than kill for, after it has given up what it can. Its memory must be
 * back when this returns, while that of a map that is closed comes back some time later: but one with a wrong name is
 * refused when it has its memory already, and gives it back at once. Where that does not work, a map that is made and
 * closed is the next best: an answer that may come out too low for the next question soon after.
 */
int room_ask(uint64_t bytes)
{
	uint64_t n = (bytes + ROOM_LEFT) / CHUNK + 1;

	if (bytes <= ROOM_LITTLE)
		return 0;
	if (n > CHUNKS_MAX)
		return -ENOMEM;
	return try_map(is_name_checked_last() ? WRONG_NAME : RIGHT_NAME, n);
}
