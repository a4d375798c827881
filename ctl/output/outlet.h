/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Standard output of a command that runs on and on: lines are kept until they can be written without waiting, so that a
 * paused reader (a pager, a stopped terminal) delays neither signals nor the lease.
 */

#include <stdbool.h>
#include <stddef.h>

#define OUTLET_LINE_MAX 2048 /* of one outlet_add() */

struct outlet {
	char bytes[65536];
	size_t n_bytes;
	bool is_closed; /* the reader is gone, or it cannot be written to */
	int error;      /* errno of the latter, else 0 */
};

/* Is there room for another OUTLET_LINE_MAX bytes? */
bool outlet_has_room(const struct outlet *o);

/* Appends text; what outlet_has_room() promised is taken, the rest is cut. */
void outlet_add(struct outlet *o, const char *text, size_t length);

/* Writes a piece that does not block, if poll(2) has said that stdout is writable. */
void outlet_write(struct outlet *o);

/* Writes all, waiting at most timeout_msec for a reader that has stopped reading. */
void outlet_flush(struct outlet *o, int timeout_msec);
