// SPDX-License-Identifier: GPL-2.0-or-later

/* The content of a list: see content.h. */

#include "change/content.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "change/stamp.h"
#include "kernel/tick.h"

unsigned content_directions(const struct fw_list *policy, const struct list_line *line)
{
	if (line->directions)
		return line->directions;
	return policy->directions ? policy->directions : target_default_directions(&line->target);
}

bool content_is_plain(const struct fw_list *policy, const struct list_line *line)
{
	const struct list_line plain = { .target = line->target };

	return line->until == 0 &&
	       (line->directions == 0 || line->directions == content_directions(policy, &plain));
}

void content_done(struct content *c)
{
	c->file = list_free(c->file);
	free(TAKE_PTR(c->walked));
}

struct walk {
	const struct fw_list *policy;
	unsigned list;
	struct list_line *items;
	size_t n_items;
	size_t n_allocated;
};

static int gather(const struct table_entry *e, void *userdata)
{
	struct walk *w = userdata;
	struct list_line *items, *line;
	size_t n;

	if (!(table_entry_lists(e) >> w->list & 1))
		return 0;
	if (w->n_items == w->n_allocated) {
		n = w->n_allocated ? w->n_allocated * 2 : 64;
		items = reallocarray(w->items, n, sizeof(*items));
		if (!items)
			return -ENOMEM;
		w->items = items;
		w->n_allocated = n;
	}

	line = &w->items[w->n_items++];
	*line = (struct list_line){
		.target = e->target,
		.directions = (e->lists[FW_INGRESS] >> w->list & 1 ? FW_IN : 0) |
			      (e->lists[FW_EGRESS] >> w->list & 1 ? FW_OUT : 0),
		.until = until_to_unix(e->until[w->list]),
	};
	if (content_is_plain(w->policy, line))
		line->directions = 0; /* the same, in fewer words */
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct list_line *x = a, *y = b;

	return target_compare(&x->target, &y->target);
}

/* The kernel knows no comments, nor since when. */
static void add_comments(struct list_line *items, size_t n_items, const struct list *file)
{
	size_t at = 0;

	for (size_t i = 0; i < n_items; i++) {
		while (at < file->n_items && compare(&file->items[at], &items[i]) < 0)
			at++;
		if (at < file->n_items && compare(&file->items[at], &items[i]) == 0) {
			items[i].comment = file->items[at].comment;
			items[i].since = file->items[at].since;
		}
	}
}

int content_read(struct ctl *ctl, struct table *t, unsigned list, const struct fw_list *policy,
		 struct content *ret)
{
	struct walk w = { .policy = policy, .list = list };
	struct content c = {};
	int r;

	if (list == FW_LISTS_MAX) { /* not made yet */
		*ret = c;
		return 0;
	}
	r = listfile_read(ctl->state_dir, policy->name, &c.file);
	if (r == -ENOMEM)
		return r;
	if (r == 0 && stamp_agrees(ctl, policy)) {
		for (size_t i = 0; i < c.file->n_items; i++)
			if (content_is_plain(policy, &c.file->items[i]))
				c.file->items[i].directions = 0;
		c.items = c.file->items;
		c.n_items = c.file->n_items;
		*ret = c;
		return 0;
	}

	r = table_walk(t, gather, &w);
	c.walked = w.items;
	if (r < 0) {
		content_done(&c);
		return r;
	}
	if (w.n_items > 0)
		qsort(w.items, w.n_items, sizeof(*w.items), compare);
	if (c.file)
		add_comments(w.items, w.n_items, c.file);
	c.items = w.items;
	c.n_items = w.n_items;
	*ret = c;
	return 0;
}
