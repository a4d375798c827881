// SPDX-License-Identifier: GPL-2.0-or-later

/* See room.h. */

#include "room.h"

#include <errno.h>

#include <bpf/bpf.h>

#include "cleanup.h"

#define CHUNK 4096
#define CHUNKS_MAX (UINT64_C(1) << 31) /* of a map: more than anybody has */

/*
 * A map is what the kernel would rather not make than kill for, after it has given up what it can. Its memory must be
 * back when this returns, while that of a map that is closed comes back some time later: but one with a wrong name is
 * refused when it has its memory already, and gives it back at once.
 */
int room_ask(uint64_t bytes)
{
	uint64_t n = (bytes + ROOM_LEFT) / CHUNK + 1;
	_cleanup_close_ int fd = -1;

	if (bytes <= ROOM_LITTLE)
		return 0;
	if (n > CHUNKS_MAX)
		return -ENOMEM;
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "no name?", sizeof(uint32_t), CHUNK, (uint32_t)n, NULL);
	return fd < 0 && (errno == ENOMEM || errno == E2BIG) ? -ENOMEM : 0;
}
