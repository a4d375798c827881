// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * import: the reverse of export. Every list in the text is made, or made equal to what the text
 * says of it, policy included; lists it does not name stay as they are. All of it is parsed, and all
 * lists are checked, before anything is changed; then list after list is changed as a whole.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/linewords.h"
#include "change/journal.h"
#include "change/policy.h"
#include "change/replace.h"
#include "guard/guard.h"
#include "guard/intake.h"
#include "lists/listheader.h"
#include "lists/listtext.h"
#include "log/log.h"
#include "options.h"
#include "output/output.h"
#include "session.h"
#include "verbs.h"
#include "verbs/input.h"

#define NAME_TEXT_MAX 256

/* One list on its way. */
struct item {
	struct replacement r;
	struct fw_list before, want;
	struct target *targets; /* that it will hold */
	bool is_new;
	bool is_turned; /* it is empty, and gets another action or direction */
};

struct import {
	struct ctl *ctl;
	struct table *table;
	struct table_writer *writer;
	struct guard guard;
	char name[NAME_TEXT_MAX]; /* of the file */
	char *text;
	struct list *lists[FW_LISTS_MAX];
	struct item items[FW_LISTS_MAX]; /* parallel to the lists */
	size_t n_lists;
	size_t n_noted;
	size_t n_added, n_removed, n_changed;
};

static void import_done(struct import *x)
{
	for (size_t i = 0; i < x->n_lists; i++) {
		replacement_done(&x->items[i].r);
		free(x->items[i].targets);
		x->lists[i] = list_free(x->lists[i]);
	}
	guard_done(&x->guard);
	free(x->text);
}

/* Is there a header at this line? With the name that it says; "" if it says none. */
static bool is_header(char *line, char *end, char name[static FW_LIST_NAME_MAX])
{
	char *newline = memchr(line, '\n', (size_t)(end - line));
	struct cursor c = { line, newline ?: end };

	if (c.end > c.at && c.end[-1] == '\r')
		c.end--;
	if (!header_starts(&c))
		return false;
	name[0] = '\0';
	for (struct word w = next_word(&c); w.length > 0; w = next_word(&c))
		if (word_skip(&w, "list=") && w.length < FW_LIST_NAME_MAX) {
			memcpy(name, w.text, w.length);
			name[w.length] = '\0';
		}
	return true;
}

/* A comment that an option could not give cannot come in by a file either. */
static int check_comments(struct import *x, const struct list *l, size_t first_line)
{
	static const char what[] = "is not UTF-8, has control characters or is longer than 1024 bytes";
	char target[TARGET_TEXT_MAX];

	if (l->header.comment && !option_is_comment(l->header.comment))
		return output_fail(x->ctl, EXIT_USAGE, "%s:%zu: the comment %s. Nothing was changed", x->name, first_line,
				   what);
	for (const struct list_line *line = l->items; line < END_OF(l->items, l->n_items); line++)
		if (line->comment && !option_is_comment(line->comment))
			return output_fail(x->ctl, EXIT_USAGE, "%s: list '%s': the comment of %s %s. Nothing was changed",
					   x->name, l->header.name, target_format(&line->target, target), what);
	return EXIT_DONE;
}

/* One list: from its header to the next one or the end. */
static int parse_list(struct import *x, const char *name, const char *start, const char *end,
		      size_t first_line)
{
	char *text = malloc((size_t)(end - start) + 1);
	const struct list_mistakes *m;
	const struct list *l;
	int status, r;

	if (!text)
		return -ENOMEM;
	memcpy(text, start, (size_t)(end - start));
	if (x->n_lists == FW_LISTS_MAX) {
		free(text);
		return output_fail(x->ctl, EXIT_USAGE, "%s:%zu: there may be no more than %d lists: leave some out",
				   x->name, first_line, FW_LISTS_MAX);
	}
	r = list_parse(name, text, (size_t)(end - start), &x->lists[x->n_lists]);
	if (r < 0)
		return r;
	l = x->lists[x->n_lists++];
	m = &l->mistakes;
	if (m->n > 0)
		return output_fail(x->ctl, EXIT_USAGE, "%s:%zu: %s. Nothing was changed", x->name,
				   first_line + m->first[0].line - 1, m->first[0].error);
	if (l->is_torn)
		return output_fail(x->ctl, EXIT_USAGE,
				   "'%s': the last line has no end: is it all there? "
				   "Nothing was changed",
				   x->name);
	status = check_comments(x, l, first_line);
	if (status != EXIT_DONE)
		return status;
	for (size_t i = 0; i + 1 < x->n_lists; i++)
		if (strcmp(x->lists[i]->header.name, name) == 0)
			return output_fail(x->ctl, EXIT_USAGE,
					   "%s:%zu: list '%s' comes twice. Nothing was changed",
					   x->name, first_line, name);
	return EXIT_DONE;
}

static int parse(struct import *x, size_t size)
{
	char *end = x->text + size, *start = x->text, *next, *newline;
	char name[FW_LIST_NAME_MAX], following[FW_LIST_NAME_MAX];
	size_t first_line = 1, lineno;
	int status;

	if (size == 0 || !is_header(start, end, name))
		return output_fail(x->ctl, EXIT_USAGE,
				   "%s:1: a list begins with a line '#!ebpf-fw list=NAME ...', as "
				   "'fwctl export' prints it; for others there is 'fwctl load'",
				   x->name);
	while (start < end) {
		if (!list_name_is_valid(name))
			return output_fail(x->ctl, EXIT_USAGE,
					   "%s:%zu: no list=NAME, or none that is a name", x->name,
					   first_line);
		next = start;
		lineno = first_line;
		do {
			newline = memchr(next, '\n', (size_t)(end - next));
			next = newline ? newline + 1 : end;
			lineno++;
		} while (next < end && !is_header(next, end, following));

		status = parse_list(x, name, start, next, first_line);
		if (status != EXIT_DONE)
			return status;
		start = next;
		first_line = lineno;
		memcpy(name, following, sizeof(name));
	}
	return EXIT_DONE;
}

static int compare_lines(const void *a, const void *b)
{
	const struct list_line *x = a, *y = b;

	return target_compare(&x->target, &y->target);
}

/* Does the list hold it already, as far as it is wanted? */
static bool is_held(const struct replacement *r, const struct list_line *line)
{
	const struct list_line *now = r->now.items;

	if (r->now.n_items > 0)
		now = bsearch(line, now, r->now.n_items, sizeof(*now), compare_lines);
	return now && !(content_directions(&r->policy, line) & ~content_directions(&r->policy, now));
}

/* Is it to be left out? Says so. */
static bool leaves_out(struct import *x, const struct list_header *h, const struct list_line *line)
{
	char text[TARGET_TEXT_MAX], reason[GUARD_TEXT_MAX];

	if (!guard_check(&x->guard, &line->target, line->directions ?: FW_BOTH, reason))
		return false;
	(void) target_format(&line->target, text);
	if (!x->ctl->is_forced) {
		output_note(x->ctl, "left out %s of list '%s': %s; --force loads it", text, h->name, reason);
		return true;
	}
	if (x->n_noted++ < INTAKE_NOTES_MAX)
		output_note(x->ctl, "forced to load %s into list '%s' although %s", text, h->name, reason);
	return false;
}

/*
 * Entries that have ended are not wanted; nor is what would lock the host out, in a list that
 * blocks and does not hold it yet.
 */
static void choose(struct import *x, const struct replacement *r, struct list *l)
{
	int64_t now = time(NULL);
	size_t n = 0;

	for (size_t i = 0; i < l->n_items; i++) {
		struct list_line *line = &l->items[i];

		if (line->until != 0 && line->until <= now)
			continue;
		if (l->header.action == FW_ACTION_BLOCK && !is_held(r, line) && leaves_out(x, &l->header, line))
			continue;
		l->items[n++] = *line;
	}
	l->n_items = n;
}

/* What is ours may be of any size, but for a part of the public addresses that the list does not cover already. */
static int check_share(struct import *x, const struct replacement *r, const struct list *l)
{
	struct coverage coverage = {}, now = {};
	char what[sizeof("List ''") + FW_LIST_NAME_MAX];
	bool is_more = false;

	if (l->header.action == FW_ACTION_ALLOW)
		return EXIT_DONE;
	for (size_t i = 0; i < l->n_items; i++)
		coverage_add(&coverage, &l->items[i].target);
	for (size_t i = 0; i < r->now.n_items; i++)
		coverage_add(&now, &r->now.items[i].target);
	for (unsigned i = 0; i < _COVERAGE_MAX; i++)
		is_more = is_more || coverage.public[i] > now.public[i];
	(void) snprintf(what, sizeof(what), "List '%s'", l->header.name);
	return is_more ? intake_check_share(x->ctl, what, &coverage) : EXIT_DONE;
}

/* A free place for a new list while no other process knows of it; FW_LISTS_MAX if there is no room. */
static unsigned find_place(const struct import *x, size_t n_items)
{
	struct fw_list l;
	bool is_taken;

	for (unsigned place = 0; place < FW_LISTS_MAX; place++) {
		is_taken = table_get_list(x->table, place, &l) < 0 || l.name[0] != '\0';
		for (size_t i = 0; i < n_items; i++)
			is_taken = is_taken || x->items[i].r.list == place;
		if (!is_taken)
			return place;
	}
	return FW_LISTS_MAX;
}

static struct fw_list policy_of(const struct list_header *h)
{
	struct fw_list l = policy_default(h->name, h->action);

	l.mode = h->mode;
	l.is_enabled = h->is_enabled;
	l.directions = h->directions;
	return l;
}

/* The list as the kernel has it. What it holds must suit the new policy. */
static int find_list(struct import *x, struct item *item)
{
	const struct fw_list *want = &item->want;
	struct replacement *r = &item->r;
	int index;

	index = table_find_list(x->table, want->name, &item->before);
	if (index < 0 && index != -ENOENT)
		return index;
	item->is_new = index == -ENOENT;
	r->list = item->is_new ? FW_LISTS_MAX : (unsigned)index;
	r->policy = item->is_new ? *want : item->before;
	if (item->is_new)
		return policy_check_new(x->ctl, want->name);
	item->is_turned = r->policy.action != want->action || r->policy.directions != want->directions;
	if (!item->is_turned)
		return EXIT_DONE;
	if (item->before.n_entries > 0)
		return output_fail(
			x->ctl, EXIT_NO,
			"List '%s' is there with another action or direction: flush it first",
			want->name);
	r->policy.action = want->action;
	r->policy.directions = want->directions;
	return EXIT_DONE;
}

/* Changes nothing. */
static int prepare(struct import *x, size_t i)
{
	struct item *item = &x->items[i];
	struct replacement *r = &item->r;
	struct list *l = x->lists[i];
	unsigned place;
	int status;

	item->want = policy_of(&l->header);
	*r = (struct replacement){
		.ctl = x->ctl,
		.table = x->table,
		.writer = x->writer,
		.details = l->items,
		.comment = l->header.comment,
		.after = &item->want,
	};
	status = find_list(x, item);
	if (status == EXIT_DONE)
		status = replacement_read(r);
	if (status != EXIT_DONE)
		return status;
	choose(x, r, l);
	status = check_share(x, r, l);
	if (status != EXIT_DONE)
		return status;

	item->targets = calloc(l->n_items + 1, sizeof(*item->targets));
	if (!item->targets)
		return -ENOMEM;
	for (size_t k = 0; k < l->n_items; k++)
		item->targets[k] = l->items[k].target;
	r->wanted = item->targets;
	r->n_wanted = l->n_items;
	status = replacement_init(r);
	if (status != EXIT_DONE || !item->is_new)
		return status;
	place = find_place(x, i);
	if (place == FW_LISTS_MAX)
		return policy_fail_full(x->ctl);
	replacement_place(r, place);
	return EXIT_DONE;
}

/* All lists, before anything is changed. */
static int check(struct import *x)
{
	const struct replacement *all[FW_LISTS_MAX];
	char what[FW_LIST_NAME_MAX + 32] = "import these lists";
	int status;

	for (size_t i = 0; i < x->n_lists; i++) {
		status = prepare(x, i);
		if (status != EXIT_DONE)
			return status;
		all[i] = &x->items[i].r;
	}
	if (x->n_noted > INTAKE_NOTES_MAX)
		output_note(x->ctl, "forced to load %zu more that the guard would leave out", x->n_noted - INTAKE_NOTES_MAX);
	if (x->n_lists == 1)
		(void) snprintf(what, sizeof(what), "import list '%s'", x->items[0].want.name);
	return replacements_check(all, x->n_lists, &x->guard, what);
}

/* Makes it, or turns it round. */
static int make_list(struct import *x, struct item *item)
{
	struct replacement *r = &item->r;
	unsigned list = r->list;
	int status = EXIT_DONE;

	if (item->is_new)
		status = policy_make(x->ctl, x->writer, &item->want, r->comment, &list);
	else if (item->is_turned)
		status = policy_set(x->ctl, x->writer, list, &item->want, NULL);
	if (status != EXIT_DONE)
		return status;
	replacement_place(r, list);
	return item->is_new || item->is_turned ? table_get_list(x->table, list, &r->policy) : EXIT_DONE;
}

static int import_list(struct import *x, struct item *item)
{
	const struct fw_list *want = &item->want;
	struct replacement *r = &item->r;
	int status;

	status = make_list(x, item);
	if (status != EXIT_DONE)
		return status;
	status = replacement_make(r);
	if (status != EXIT_DONE) {
		if (item->is_new)
			policy_unmake(x->ctl, x->writer, r->list);
		else if (item->is_turned)
			(void) policy_set(x->ctl, x->writer, r->list, &item->before, NULL);
		return status;
	}
	journal_replacement(x->ctl, r->policy.name, "imported", r->n_added, r->n_removed, r->n_changed);
	x->n_added += r->n_added;
	x->n_removed += r->n_removed;
	x->n_changed += r->n_changed;
	if (r->policy.mode == want->mode && r->policy.is_enabled == want->is_enabled)
		return EXIT_DONE;
	return policy_set(x->ctl, x->writer, r->list, want, NULL);
}

static int report(const struct import *x)
{
	_cleanup_json_ json_object *result = json_object_new_object();

	json_object_object_add(result, "result", json_text("imported"));
	json_object_object_add(result, "lists", json_object_new_uint64(x->n_lists));
	json_object_object_add(result, "added", json_object_new_uint64(x->n_added));
	json_object_object_add(result, "removed", json_object_new_uint64(x->n_removed));
	json_object_object_add(result, "changed", json_object_new_uint64(x->n_changed));
	return output_result(x->ctl, result, "imported %zu lists: +%zu -%zu, %zu changed",
			     x->n_lists, x->n_added, x->n_removed, x->n_changed);
}

int verb_import(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_(import_done) struct import x = { .ctl = ctl };
	_cleanup_(table_freep) struct table *table = NULL;
	_cleanup_(session_end) struct session_writer session = SESSION_WRITER_NULL;
	size_t size;
	int status;

	(void) log_escape(input_name(argv[0]), x.name, sizeof(x.name));
	status = input_read(ctl, argv[0], &x.text, &size);
	if (status == EXIT_DONE)
		status = parse(&x, size);
	if (status == EXIT_DONE)
		status = session_open(ctl, &table);
	if (status == EXIT_DONE)
		status = session_load_guard(ctl, &x.guard);
	if (status != EXIT_DONE)
		return status;
	status = session_begin(ctl, table, &session);
	if (status != EXIT_DONE)
		return status;
	x.table = table;
	x.writer = session.writer;
	status = check(&x);
	if (status != EXIT_DONE)
		return status;
	for (size_t i = 0; i < x.n_lists; i++) {
		status = import_list(&x, &x.items[i]);
		if (status == EXIT_DONE)
			continue;
		if (i == 0)
			return status;
		return output_fail(ctl, EXIT_PARTLY,
				   "Only %zu of %zu lists were imported, list '%s' was not: mend what is said above and repeat it", i,
				   x.n_lists, x.lists[i]->header.name);
	}
	session_end(&session);
	return report(&x);
}
