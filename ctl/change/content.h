/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What one list holds, as lines of a list file: read from its file where that agrees with the
 * kernel, which is quick, and else by going through the kernel's tables.
 */

#include "ctl.h"

/* Zero-initialise; free with content_done(). */
struct content {
	const struct list_line *items; /* sorted by target_compare(), each target once */
	size_t n_items;
	struct list *file;        /* backs the comments, and the items that come from it; or NULL */
	struct list_line *walked; /* the items that do not */
};

/* The file's items may have ended already; those of the kernel are alive. */
int content_read(struct ctl *ctl, struct table *t, unsigned list, const struct fw_list *policy,
		 struct content *ret);
void content_done(struct content *c);

/* Does it hold without an end, in the directions that an entry of this list has by itself? */
bool content_is_plain(const struct fw_list *policy, const struct list_line *line);

/* The directions of a line that may name none. */
unsigned content_directions(const struct fw_list *policy, const struct list_line *line);
