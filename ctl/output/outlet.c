// SPDX-License-Identifier: GPL-2.0-or-later

/* Standard output without waiting: see outlet.h. */

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "output/outlet.h"

bool outlet_has_room(const struct outlet *o)
{
	return sizeof(o->bytes) - o->n_bytes >= OUTLET_LINE_MAX;
}

void outlet_add(struct outlet *o, const char *text, size_t length)
{
	if (length > sizeof(o->bytes) - o->n_bytes)
		length = sizeof(o->bytes) - o->n_bytes;
	memcpy(o->bytes + o->n_bytes, text, length);
	o->n_bytes += length;
}

void outlet_write(struct outlet *o)
{
	/* a pipe that is writable at all takes this much; more would block */
	size_t size = o->n_bytes < PIPE_BUF ? o->n_bytes : PIPE_BUF;
	ssize_t n;

	if (size == 0)
		return;
	n = write(STDOUT_FILENO, o->bytes, size);
	if (n < 0) {
		o->is_closed = errno != EINTR && errno != EAGAIN;
		o->error = o->is_closed && errno != EPIPE ? errno : 0;
		return;
	}
	o->n_bytes -= n;
	memmove(o->bytes, o->bytes + n, o->n_bytes);
}

void outlet_flush(struct outlet *o, int timeout_msec)
{
	struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };

	while (o->n_bytes > 0 && !o->is_closed) {
		if (poll(&out, 1, timeout_msec) <= 0)
			return;
		outlet_write(o);
	}
}
