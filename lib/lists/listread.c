// SPDX-License-Identifier: GPL-2.0-or-later

/* See listread.h. */

#include "lists/listread.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kernel/room.h"
#include "lists/listplace.h"
#include "lists/listtext.h"

#define WINDOW 65536 /* grows where a line is longer */
#define FEW    8192  /* so many lines below need no memory probe */

/* What a line below the sorted ones says last of a target. */
struct below {
	struct list_line line;
	size_t position;
};

struct list_reader {
	int fd;
	struct list_header header;
	struct list_lines lines;
	struct target last;  /* of the sorted ones */
	size_t n_above;      /* how many of them there are */
	bool is_below;       /* they have ended */
	bool is_torn;
	bool is_list;
	struct list_mistakes mistakes;
	uint64_t n_of_kind[_FW_KIND_MAX];
	struct below *below; /* then sorted, each target once */
	size_t n_below, n_allocated;
	char *window;
	size_t window_size;
};

struct list_reader *list_reader_free(struct list_reader *r)
{
	if (!r)
		return NULL;
	closep(&r->fd);
	list_lines_done(&r->lines);
	free(r->below);
	free(r->window);
	free(r);
	return NULL;
}

static int grow_window(struct list_reader *r)
{
	size_t size = r->window_size ? 2 * r->window_size : WINDOW;
	char *window;

	if (size > WINDOW && room_ask(size) < 0)
		return -ENOMEM;
	window = realloc(r->window, size);
	if (!window)
		return -ENOMEM;
	r->window = window;
	r->window_size = size;
	return 0;
}

/* Calls fn after each line, when its items are in lines.list; stops at a return that is not 0, which is returned. */
static int each_line(struct list_reader *r, int (*fn)(struct list_reader *r, void *userdata), void *userdata)
{
	size_t n = 0; /* bytes of the window that have been read and belong to no line yet */
	ssize_t more;
	int result;

	r->lines.list->n_lines = 0;
	r->lines.list->is_open = r->lines.list->is_torn = false;
	r->lines.is_log = false;
	if (lseek(r->fd, 0, SEEK_SET) < 0)
		return -errno;
	for (;;) {
		char *next = r->window, *newline;

		if (n == r->window_size && grow_window(r) < 0)
			return -ENOMEM;
		next = r->window;
		more = read(r->fd, r->window + n, r->window_size - n);
		if (more < 0 && errno == EINTR)
			continue;
		if (more < 0)
			return -errno;
		if (more == 0)
			break;
		n += (size_t)more;

		while ((newline = memchr(next, '\n', n))) {
			r->lines.list->n_items = 0;
			result = list_parse_line(&r->lines, (struct cursor){ next, newline });
			if (result >= 0)
				result = fn(r, userdata);
			if (result != 0)
				return result;
			n -= (size_t)(newline + 1 - next);
			next = newline + 1;
		}
		memmove(r->window, next, n);
	}
	r->lines.list->n_items = 0;
	result = list_parse_rest(&r->lines, (struct cursor){ r->window, r->window + n });
	if (result < 0)
		return result;
	r->is_torn = r->lines.list->is_torn;
	return r->lines.list->is_open ? fn(r, userdata) : 0;
}

/* The kernel kills for memory that it was not asked for: these, and as many again to sort them. */
static int keep(struct list_reader *r, const struct list_line *line)
{
	if (r->n_below == r->n_allocated) {
		size_t n = r->n_allocated ? 2 * r->n_allocated : FEW;
		struct below *below;

		if (n > FEW && room_ask((2 * n - r->n_below) * sizeof(*below)) < 0)
			return -ENOMEM;
		below = reallocarray(r->below, n, sizeof(*below));
		if (!below)
			return -ENOMEM;
		r->below = below;
		r->n_allocated = n;
	}
	r->below[r->n_below] = (struct below){ *line, r->n_below };
	r->below[r->n_below].line.since = 0;
	r->below[r->n_below++].line.comment = NULL; /* it is in the window, which moves on */
	return 0;
}

static int survey_line(struct list_reader *r, void *userdata)
{
	const struct list *l = r->lines.list;
	int result;

	for (size_t i = 0; i < l->n_items; i++) {
		const struct list_line *line = &l->items[i];

		r->is_below = r->is_below || line->is_removal ||
			      (r->n_above > 0 && target_compare(&r->last, &line->target) >= 0);
		if (!line->is_removal)
			r->n_of_kind[target_fw_kind(&line->target)]++;
		if (!r->is_below) {
			r->last = line->target;
			r->n_above++;
			continue;
		}
		result = keep(r, line);
		if (result < 0)
			return result;
	}
	return 0;
}

static int compare_below(const void *a, const void *b)
{
	const struct below *x = a, *y = b;
	int r = target_compare(&x->line.target, &y->line.target);

	return r != 0 ? r : (x->position > y->position) - (x->position < y->position);
}

/* Keeps the last line of each target. It alone decides, except for since= and comment. */
static void settle(struct list_reader *r)
{
	size_t n = 0;

	if (r->n_below == 0)
		return;
	qsort(r->below, r->n_below, sizeof(*r->below), compare_below);
	for (size_t i = 0; i < r->n_below; i++)
		if (i + 1 == r->n_below ||
		    target_compare(&r->below[i].line.target, &r->below[i + 1].line.target) != 0)
			r->below[n++] = r->below[i];
	r->n_below = n;
}

int list_reader_open(const char *state_dir, const char *name, struct list_reader **ret)
{
	_cleanup_(list_reader_freep) struct list_reader *reader = NULL;
	_cleanup_(place_done) struct place place = { .dir_fd = -1 };
	int r;

	reader = calloc(1, sizeof(*reader));
	if (!reader)
		return -ENOMEM;
	reader->fd = -1;
	r = list_lines_new(name, &reader->lines);
	if (r < 0)
		return r;

	r = place_open(&place, state_dir, name, false);
	if (r >= 0)
		r = place_open_file(&place, O_RDONLY, &reader->fd);
	if (place_is_irregular(r))
		return -EBADMSG;
	if (r < 0)
		return r;

	r = each_line(reader, survey_line, NULL);
	if (r < 0)
		return r;
	reader->mistakes = reader->lines.list->mistakes; /* reading again would count them again */
	reader->is_list = reader->mistakes.n == 0 || reader->lines.list->n_understood > 0;
	reader->header = reader->lines.list->header;
	reader->header.comment = NULL;
	settle(reader);

	*ret = TAKE_PTR(reader);
	return 0;
}

const struct list_header *list_reader_header(const struct list_reader *r)
{
	return &r->header;
}

bool list_reader_is_torn(const struct list_reader *r)
{
	return r->is_torn;
}

const struct list_mistakes *list_reader_mistakes(const struct list_reader *r)
{
	return &r->mistakes;
}

bool list_reader_is_list(const struct list_reader *r)
{
	return r->is_list;
}

uint64_t list_reader_count(const struct list_reader *r, enum fw_kind kind)
{
	return r->n_of_kind[kind];
}

/* Position of the second reading: it merges the sorted lines above with the lines below. */
struct merge {
	list_entry_fn fn;
	void *userdata;
	size_t above, below;
	struct target last; /* of those above */
};

static int tell(const struct merge *m, const struct list_line *line)
{
	return line->is_removal ? 0 : m->fn(line, m->userdata);
}

/* Tells the lines below that belong before this target, or all of them; and the one at the target, which replaces it. */
static int tell_below(struct list_reader *r, struct merge *m, const struct target *until, bool *ret_is_replaced)
{
	int order = -1, result = 0;

	while (m->below < r->n_below && result >= 0 && order < 0) {
		const struct list_line *line = &r->below[m->below].line;

		order = until ? target_compare(&line->target, until) : -1;
		if (order > 0)
			break;
		m->below++;
		result = tell(m, line);
	}
	*ret_is_replaced = order == 0;
	return result;
}

/* For each_line(). Returns 1 when all that is sorted has been told. */
static int merge_line(struct list_reader *r, void *userdata)
{
	struct merge *m = userdata;
	const struct list *l = r->lines.list;
	bool is_replaced;
	int result;

	for (size_t i = 0; i < l->n_items && m->above < r->n_above; i++, m->above++) {
		struct list_line line = l->items[i];

		if (m->above > 0 && target_compare(&m->last, &line.target) >= 0) /* they were sorted */
			return -ESTALE;
		m->last = line.target;
		line.comment = NULL;
		line.since = 0;
		result = tell_below(r, m, &line.target, &is_replaced);
		if (result >= 0 && !is_replaced)
			result = tell(m, &line);
		if (result < 0)
			return result;
	}
	return m->above == r->n_above;
}

int list_reader_each(struct list_reader *r, list_entry_fn fn, void *userdata)
{
	struct merge m = { .fn = fn, .userdata = userdata };
	bool is_replaced;
	int result = 1;

	if (r->n_above > 0)
		result = each_line(r, merge_line, &m);
	if (result == 0) /* there were as many lines that were understood */
		return -ESTALE;
	return result < 0 ? result : tell_below(r, &m, NULL, &is_replaced);
}
