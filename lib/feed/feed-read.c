// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Reads all of a blocklist into memory, from any source, up to a limit. Not by mmap(2): a file cut short while it is read
 * would end the program.
 */

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "feed/feed.h"

#define FIRST_BYTES (64 * 1024)

static size_t min_size(size_t a, size_t b)
{
	return a < b ? a : b;
}

int feed_read_fd(int fd, size_t max_bytes, char **ret_text, size_t *ret_size)
{
	_cleanup_free_ char *text = NULL;
	size_t size = 0, n_allocated = 0, wanted = FIRST_BYTES;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (S_ISREG(st.st_mode) && (uintmax_t)st.st_size >= wanted)
		wanted = min_size((size_t)st.st_size, max_bytes) + 1; /* one to see the end */

	for (;;) {
		ssize_t n;

		if (size == n_allocated) {
			char *bigger;

			if (size > max_bytes)
				return -EFBIG;
			n_allocated = min_size(wanted, max_bytes + 1);
			bigger = realloc(text, n_allocated);
			if (!bigger)
				return -ENOMEM;
			text = bigger;
			wanted = 2 * n_allocated;
		}

		n = read(fd, text + size, n_allocated - size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		size += (size_t)n;
	}
	if (size > max_bytes)
		return -EFBIG;

	*ret_text = TAKE_PTR(text);
	*ret_size = size;
	return 0;
}
