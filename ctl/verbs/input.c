// SPDX-License-Identifier: GPL-2.0-or-later

/* Files that are named on the command line, read whole before anything else is done. */

#include "verbs/input.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/linewords.h"
#include "feed/feed.h"
#include "log/log.h"
#include "output/output.h"

#define INPUT_BYTES_MAX ((size_t)1 << 30) /* 20 million lines or more */
#define NAME_TEXT_MAX 256

const char *input_name(const char *path)
{
	return strcmp(path, "-") == 0 ? "standard input" : path;
}

int input_read(struct ctl *ctl, const char *path, char **ret_text, size_t *ret_size)
{
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *text = NULL;
	char escaped[NAME_TEXT_MAX], *end;
	size_t size, n_mark;
	int r;

	(void) log_escape(input_name(path), escaped, sizeof(escaped));
	if (strcmp(path, "-") != 0) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return output_fail(ctl, EXIT_NO, "Cannot open '%s': %m", escaped);
	}
	r = feed_read_fd(fd < 0 ? STDIN_FILENO : fd, INPUT_BYTES_MAX, &text, &size);
	if (r == -EFBIG)
		return output_fail(ctl, EXIT_NO, "'%s' is larger than %zu MiB: split it into several lists", escaped,
				   INPUT_BYTES_MAX >> 20);
	if (r < 0) {
		errno = -r;
		return output_fail(ctl, EXIT_NO, "Cannot read '%s': %m", escaped);
	}

	end = realloc(text, size + 1);
	if (!end)
		return -ENOMEM;
	(void)TAKE_PTR(text);
	n_mark = byte_order_mark_length(end, size);
	size -= n_mark;
	memmove(end, end + n_mark, size);
	end[size] = '\0';
	*ret_text = end;
	*ret_size = size;
	return EXIT_DONE;
}
