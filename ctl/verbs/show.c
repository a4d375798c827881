// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * show: the entries, of all lists or of one, or a single one. The table is walked for targets and what
 * they are sorted by, and each is looked up again when it is its turn, so that a million entries need
 * no more memory than their names.
 */

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "log/log.h"
#include "output/output.h"
#include "output/row.h"
#include "session.h"
#include "verbs.h"

#define ARGUMENT_TEXT_MAX 256

/* An entry to be shown, after those with a lower rank; among equals by target. */
struct found {
	struct target target;
	uint64_t rank;
};

/* What the arguments select. */
struct selection {
	const char *list;       /* NULL = all */
	const char *list_error; /* why that is no target */
	bool has_target;
	struct target target;
	uint64_t lists;         /* entries that any of these holds */
	uint64_t (*rank)(const struct table_entry *e, uint64_t lists); /* NULL = by target alone */
	struct found *found;
	size_t n_found;
	size_t n_allocated;
};

static uint64_t rank_hits(const struct table_entry *e, uint64_t lists)
{
	return UINT64_MAX - e->hits;
}

static uint64_t rank_last_hit(const struct table_entry *e, uint64_t lists)
{
	return UINT64_MAX - e->last_hit;
}

/* What ends first comes first. */
static uint64_t rank_until(const struct table_entry *e, uint64_t lists)
{
	uint64_t first = UINT64_MAX;

	for (unsigned i = 0; i < FW_LISTS_MAX; i++)
		if ((table_entry_lists(e) & lists) >> i & 1 && e->until[i] != FW_UNTIL_NEVER &&
		    e->until[i] < first)
			first = e->until[i];
	return first;
}

static const struct {
	const char *name;
	uint64_t (*rank)(const struct table_entry *e, uint64_t lists);
} orders[] = {
	{ "target",   NULL          },
	{ "hits",     rank_hits     },
	{ "last-hit", rank_last_hit },
	{ "until",    rank_until    },
};

static void selection_done(struct selection *s)
{
	free(s->found);
}

static int add_found(struct selection *s, const struct target *target, uint64_t rank)
{
	if (s->n_found == s->n_allocated) {
		size_t n = s->n_allocated ? 2 * s->n_allocated : 64;
		struct found *longer = reallocarray(s->found, n, sizeof(*longer));

		if (!longer)
			return -ENOMEM;
		s->found = longer;
		s->n_allocated = n;
	}
	s->found[s->n_found++] = (struct found){ .target = *target, .rank = rank };
	return 0;
}

static int select_entry(const struct table_entry *e, void *userdata)
{
	struct selection *s = userdata;

	if (!(table_entry_lists(e) & s->lists))
		return 0;
	return add_found(s, &e->target, s->rank ? s->rank(e, s->lists) : 0);
}

static int compare(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return target_compare(&x->target, &y->target);
}

static int print_found(struct ctl *ctl, struct table *t, const struct selection *s)
{
	static const struct column columns[] = {
		{ "target",          "TARGET",    COLUMN_TEXT     },
		{ "lists.name",      "LIST",      COLUMN_TEXT     },
		{ "lists.direction", "DIRECTION", COLUMN_TEXT     },
		{ "lists.until",     "LEFT",      COLUMN_TIMELEFT },
		{ "hits",            "HITS",      COLUMN_NUMBER   },
		{ "last_hit",        "LAST HIT",  COLUMN_AGO      },
		{ "lists.comment",   "COMMENT",   COLUMN_TEXT     },
		{}
	};
	_cleanup_(row_maker_done) struct row_maker maker;
	struct output_rows rows;
	struct table_entry e;
	int r, end;

	r = row_maker_init(&maker, ctl, t);
	if (r < 0)
		return r;
	r = output_rows_begin(&rows, ctl, "entries", columns);
	if (r < 0)
		return r;

	for (size_t i = 0; i < s->n_found && r == 0; i++) {
		r = table_get(t, &s->found[i].target, &e);
		if (r == -ENOENT || (r == 0 && !(table_entry_lists(&e) & s->lists)))
			r = 0; /* it has ended or been removed since */
		else if (r == 0)
			r = output_rows_add(&rows, row_make(&maker, &e));
	}
	end = output_rows_end(&rows);
	return r < 0 ? r : end;
}

/* [LIST] [TARGET]: what reads as a target is one. */
static int parse_selection(struct ctl *ctl, int argc, char **argv, struct selection *s)
{
	char escaped[ARGUMENT_TEXT_MAX];
	const char *error;

	for (int i = 0; i < argc; i++) {
		(void) log_escape(argv[i], escaped, sizeof(escaped));
		if (target_parse(argv[i], strlen(argv[i]), &s->target, &error) == 0) {
			if (s->has_target)
				return output_fail(ctl, EXIT_USAGE, "'%s': show takes one TARGET",
						   escaped);
			s->has_target = true;
		} else if (i > 0 || !list_name_is_valid(argv[i])) {
			return output_fail(ctl, EXIT_USAGE, "'%s': %s", escaped, error);
		} else {
			s->list = argv[i];
			s->list_error = error;
		}
	}
	return EXIT_DONE;
}

static int parse_order(struct ctl *ctl, struct selection *s)
{
	char escaped[ARGUMENT_TEXT_MAX];

	for (size_t i = 0; ctl->sort && i < ELEMENTSOF(orders); i++)
		if (strcmp(ctl->sort, orders[i].name) == 0) {
			s->rank = orders[i].rank;
			return EXIT_DONE;
		}
	return !ctl->sort ? EXIT_DONE :
			    output_fail(ctl, EXIT_USAGE, "'%s' is no order: target, hits, last-hit, until",
					log_escape(ctl->sort, escaped, sizeof(escaped)));
}

static int find_list(struct ctl *ctl, struct table *t, struct selection *s)
{
	struct fw_list policy;
	unsigned index;
	int status;

	/* a mistyped address has the letters of a name, too */
	if (table_find_list(t, s->list, &policy) == -ENOENT &&
	    (isdigit(s->list[0]) || strchr(s->list, ':')))
		return output_fail(ctl, EXIT_USAGE, "'%s' is no list, and as a TARGET: %s", s->list,
				   s->list_error);

	status = session_find_list(ctl, t, s->list, &index, &policy);
	if (status == EXIT_DONE)
		s->lists = 1ull << index;
	return status;
}

static int find_target(struct ctl *ctl, struct table *t, struct selection *s)
{
	char text[TARGET_TEXT_MAX];
	struct table_entry e;
	int r;

	r = table_get(t, &s->target, &e);
	if (r == 0 && table_entry_lists(&e) & s->lists)
		return add_found(s, &s->target, 0);
	if (r < 0 && r != -ENOENT)
		return r;
	return output_fail(ctl, EXIT_NO,
			   "%s is not in %s%s%s; 'fwctl check' also finds what covers it",
			   target_format(&s->target, text), s->list ? "list '" : "any list",
			   s->list ?: "", s->list ? "'" : "");
}

int verb_show(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_(selection_done) struct selection s = { .lists = UINT64_MAX };
	_cleanup_(table_freep) struct table *table = NULL;
	int status, r;

	status = parse_selection(ctl, argc, argv, &s);
	if (status == EXIT_DONE)
		status = parse_order(ctl, &s);
	if (status != EXIT_DONE)
		return status;
	status = session_open(ctl, &table);
	if (status != EXIT_DONE)
		return status;

	if (s.list) {
		status = find_list(ctl, table, &s);
		if (status != EXIT_DONE)
			return status;
	}
	if (s.has_target) {
		r = find_target(ctl, table, &s);
		if (r != 0)
			return r;
	} else {
		r = table_walk(table, select_entry, &s);
		if (r < 0)
			return r;
		if (s.n_found > 0)
			qsort(s.found, s.n_found, sizeof(*s.found), compare);
	}
	return print_found(ctl, table, &s);
}
