// SPDX-License-Identifier: GPL-2.0-or-later

/* Rewrites long list files: see compact.h. */

#include "change/compact.h"

#include <errno.h>
#include <time.h>

#include "base/cleanup.h"
#include "change/stamp.h"

#define BYTES_PER_ENTRY 256     /* three lines with a comment, or more */

/* Has it ended by the clock of the kernel, too? The time of day may have jumped. */
static bool has_ended(struct table *t, unsigned list, const struct list_line *line, int64_t now)
{
	struct table_entry e;
	int r;

	if (line->until == 0 || line->until > now)
		return false;
	r = table_get(t, &line->target, &e);
	return r == -ENOENT || (r == 0 && !(table_entry_lists(&e) >> list & 1));
}

void compact_file(const struct ctl *ctl, struct table *t, unsigned list)
{
	_cleanup_(list_freep) struct list *l = NULL;
	int64_t now = time(NULL);
	struct fw_list policy;
	size_t n = 0;

	if (table_get_list(t, list, &policy) < 0 ||
	    stamp_file_size(ctl, policy.name) <=
		    STAMP_BYTES_FREE + (int64_t)policy.n_entries * BYTES_PER_ENTRY ||
	    listfile_read(ctl->state_dir, policy.name, &l) < 0 || l->mistakes.n > 0)
		return;

	for (size_t i = 0; i < l->n_items; i++)
		if (!has_ended(t, list, &l->items[i], now))
			l->items[n++] = l->items[i];
	(void) listfile_replace(ctl->state_dir, &l->header, l->items, n); /* else it stays long */
}
