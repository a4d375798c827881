// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * The durable half of a change: see change.h. Enforcement first, then durable, then success. The
 * way back is a line that says how an entry was before, since the last line wins.
 */

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/cleanup.h"
#include "change/change.h"
#include "change/compact.h"
#include "kernel/tick.h"
#include "output/output.h"

/*
 * A line for the file of a list: what the change makes of the target there, or what it was before.
 * False: the file has nothing to say about it.
 */
static bool make_line(const struct changes *c, const struct change *change, unsigned list,
		      bool is_back, bool is_file, struct list_line *ret)
{
	const struct table_entry *before = &change->before;

	/*
	 * What the kernel does not hold the file may still: unblock --runtime leaves it there. To
	 * take it out costs a line, to find out would cost reading the file.
	 */
	if (!(change->lists >> list & 1) &&
	    !(c->is_removal && !is_back && is_file && list == c->list))
		return false;

	*ret = (struct list_line){ .target = change->target, .comment = "" };
	if (!is_back) {
		ret->is_removal = c->is_removal;
		ret->directions = c->is_removal ? 0 : change->directions;
		ret->until = c->is_removal ? 0 : change->until_unix;
		ret->since = c->is_removal ? 0 : time(NULL);
		ret->comment = c->is_removal ? "" : c->ctl->comment;
		return true;
	}

	ret->is_removal = !(table_entry_lists(before) >> list & 1);
	if (!ret->is_removal) {
		ret->directions = (before->lists[FW_INGRESS] >> list & 1 ? FW_IN : 0) |
				  (before->lists[FW_EGRESS] >> list & 1 ? FW_OUT : 0);
		ret->until = until_to_unix(before->until[list]);
	}
	return true;
}

static size_t count_items(struct changes *const *sets, size_t n)
{
	size_t n_items = 0;

	for (size_t i = 0; i < n; i++)
		n_items += sets[i]->n_items;
	return n_items;
}

/* Appends what concerns one list to its file, in one go: the changes in order, or the way back. */
static int save_list(struct ctl *ctl, struct changes *const *sets, size_t n, unsigned list,
		     bool is_back)
{
	_cleanup_free_ struct list_line *lines = NULL;
	const struct changes *c;
	struct list_header header;
	struct fw_list policy;
	size_t n_lines = 0;
	bool is_file;
	int r;

	r = table_get_list(sets[0]->table, list, &policy);
	if (r < 0)
		return r;
	header = list_header_of(&policy);
	is_file = stamp_file_size(ctl, header.name) >= 0;

	lines = calloc(count_items(sets, n) + 1, sizeof(*lines));
	if (!lines)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		c = sets[is_back ? n - 1 - i : i];
		for (size_t k = 0; k < c->n_items && !c->ctl->is_runtime; k++)
			if (make_line(c, &c->items[k], list, is_back, is_file, &lines[n_lines]))
				n_lines++;
	}
	return n_lines > 0 ? listfile_append(ctl->state_dir, &header, lines, n_lines) : 0;
}

/* The durable half. Several lists are several files: if one fails, those before get lines back. */
static int save(struct ctl *ctl, struct changes *const *sets, size_t n)
{
	uint64_t durable = 0, runtime = 0;
	int r;

	for (size_t i = 0; i < n; i++)
		*(sets[i]->ctl->is_runtime ? &runtime : &durable) |= changes_lists(sets[i]);

	for (unsigned list = 0; list < FW_LISTS_MAX; list++) {
		if (!(durable >> list & 1))
			continue;
		r = save_list(ctl, sets, n, list, false);
		if (r < 0) {
			while (list-- > 0)
				if (durable >> list & 1)
					(void) save_list(ctl, sets, n, list,
							true); /* r is what there is to say */
			return r;
		}
	}
	for (unsigned list = 0; list < FW_LISTS_MAX; list++)
		if (durable >> list & 1)
			compact_file(ctl, sets[0]->table, list);
	stamps_end(sets[0]->stamps, ctl, sets[0]->writer, durable & ~runtime);
	return 0;
}

static void revert_all(struct changes *const *sets, size_t n)
{
	while (n-- > 0)
		changes_revert(sets[n]);
}

int changes_finish(struct ctl *ctl, struct changes *const *sets, size_t n)
{
	int r;

	if (count_items(sets, n) == 0)
		return EXIT_DONE;

	r = table_commit(sets[0]->writer);
	if (r < 0) {
		revert_all(sets, n);
		errno = -r;
		return output_fail(ctl, r == -ENOMEM ? EXIT_FULL : EXIT_NO,
				   "Cannot bring the changes into force: %m%s. Nothing was changed",
				   r == -ENOMEM ? OUTPUT_NO_MEMORY : "");
	}

	r = save(ctl, sets, n);
	if (r == 0)
		return EXIT_DONE;
	revert_all(sets, n);
	errno = -r;
	return output_fail(ctl, r == -EACCES || r == -EPERM ? EXIT_PERMISSION : EXIT_NO,
			   "Cannot write the list file below '%s/lists': %m. Nothing was changed; "
			   "--runtime changes the kernel alone",
			   ctl->state_dir);
}

int changes_make(struct changes *c)
{
	struct stamps stamps = {};
	int status;

	c->stamps = &stamps;
	status = changes_apply(c);
	if (status == EXIT_DONE)
		status = changes_finish(c->ctl, &c, 1);
	stamps_end(&stamps, c->ctl, c->writer, 0); /* nothing is left to end where all went well */
	c->stamps = NULL; /* ours, and the caller keeps the changes */
	return status;
}
