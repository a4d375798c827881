// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * import: the reverse of export. Every list in the text is made, or made equal to what the text
 * says of it, policy included; lists it does not name stay as they are. All of it is parsed before
 * anything is changed; then list after list is changed as a whole.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cleanup.h"
#include "guard.h"
#include "input.h"
#include "intake.h"
#include "journal.h"
#include "linewords.h"
#include "listheader.h"
#include "listtext.h"
#include "log.h"
#include "output.h"
#include "policy.h"
#include "replace.h"

#define NAME_TEXT_MAX 256

struct import {
	struct ctl *ctl;
	struct table *table;
	char name[NAME_TEXT_MAX]; /* of the file */
	char *text;
	struct list *lists[FW_LISTS_MAX];
	size_t n_lists;
	size_t n_added, n_removed, n_changed;
};

static void import_done(struct import *x)
{
	for (size_t i = 0; i < x->n_lists; i++)
		x->lists[i] = list_free(x->lists[i]);
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

/*
 * Entries that have ended are not wanted; nor is what would lock the host out, in a list that
 * blocks.
 */
static void choose(struct import *x, const struct guard *guard, struct list *l)
{
	char text[TARGET_TEXT_MAX], reason[GUARD_TEXT_MAX];
	int64_t now = time(NULL);
	size_t n = 0;

	for (size_t i = 0; i < l->n_items; i++) {
		struct list_line *line = &l->items[i];

		if (line->until != 0 && line->until <= now)
			continue;
		if (l->header.action == FW_ACTION_BLOCK && !x->ctl->is_forced &&
		    guard_check(guard, &line->target, line->directions ?: FW_BOTH, reason)) {
			output_note(x->ctl, "left out %s of list '%s': %s; --force loads it",
				    target_format(&line->target, text), l->header.name, reason);
			continue;
		}
		l->items[n++] = *line;
	}
	l->n_items = n;
}

/* Before anything is changed, so that it is all or nothing. */
static int check_share(struct import *x, const struct list *l)
{
	struct coverage coverage = {};
	char what[sizeof("List ''") + FW_LIST_NAME_MAX];

	if (l->header.action == FW_ACTION_ALLOW)
		return EXIT_DONE;
	for (size_t i = 0; i < l->n_items; i++)
		coverage_add(&coverage, &l->items[i].target);
	(void) snprintf(what, sizeof(what), "List '%s'", l->header.name);
	return intake_check_share(x->ctl, what, &coverage);
}

/* The list as the kernel has it, made if need be. What it holds must suit the new policy. */
static int prepare_list(struct import *x, const struct fw_list *want, struct replacement *r,
			bool *ret_is_new)
{
	struct fw_list now;
	int index, status;

	index = table_find_list(x->table, want->name, &now);
	if (index < 0 && index != -ENOENT)
		return index;
	*ret_is_new = index == -ENOENT;
	if (*ret_is_new) {
		status = policy_make(x->ctl, x->table, want, r->comment, &r->list);
		return status == EXIT_DONE ? table_get_list(x->table, r->list, &r->policy) : status;
	}
	r->list = index;
	r->policy = now;
	if (now.action == want->action && now.directions == want->directions)
		return EXIT_DONE;

	if (now.n_entries > 0)
		return output_fail(
			x->ctl, EXIT_NO,
			"List '%s' is there with another action or direction: flush it first",
			want->name);
	status = policy_set(x->ctl, x->table, r->list, want, r->comment);
	return status == EXIT_DONE ? table_get_list(x->table, r->list, &r->policy) : status;
}

static struct fw_list policy_of(const struct list_header *h)
{
	struct fw_list l = policy_default(h->name, h->action);

	l.mode = h->mode;
	l.is_enabled = h->is_enabled;
	l.directions = h->directions;
	return l;
}

static int import_list(struct import *x, const struct guard *guard, const struct list *l)
{
	_cleanup_free_ struct target *wanted = calloc(l->n_items + 1, sizeof(*wanted));
	_cleanup_(replacement_done) struct replacement r = {
		.ctl = x->ctl,
		.table = x->table,
		.wanted = wanted,
		.n_wanted = l->n_items,
		.details = l->items,
		.comment = l->header.comment,
	};
	struct coverage coverage = {}, now = {};
	struct fw_list want = policy_of(&l->header);
	char what[FW_LIST_NAME_MAX + 32];
	bool is_new = false;
	int status;

	if (!wanted)
		return -ENOMEM;
	for (size_t i = 0; i < l->n_items; i++) {
		wanted[i] = l->items[i].target;
		coverage_add(&coverage, &wanted[i]);
	}

	status = prepare_list(x, &want, &r, &is_new);
	if (status != EXIT_DONE)
		return status;
	status = replacement_init(&r);
	for (size_t i = 0; status == EXIT_DONE && i < r.now.n_items; i++)
		coverage_add(&now, &r.now.items[i].target);
	if (status == EXIT_DONE)
		status = intake_check_coverage(x->ctl, &r.policy, &now, &coverage);
	(void) snprintf(what, sizeof(what), "import list '%s'", want.name);
	if (status == EXIT_DONE)
		status = replacement_check(&r, guard, &want, what);
	if (status == EXIT_DONE)
		status = replacement_make(&r);
	if (status != EXIT_DONE) {
		if (is_new)
			policy_unmake(x->ctl, x->table, r.list);
		return status;
	}
	journal_replacement(x->ctl, r.policy.name, "imported", r.n_added, r.n_removed, r.n_changed);
	x->n_added += r.n_added;
	x->n_removed += r.n_removed;
	x->n_changed += r.n_changed;
	if (r.policy.mode == want.mode && r.policy.is_enabled == want.is_enabled)
		return EXIT_DONE;
	return policy_set(x->ctl, x->table, r.list, &want, NULL);
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
	_cleanup_(guard_done) struct guard guard = {};
	_cleanup_(table_freep) struct table *table = NULL;
	_cleanup_(session_unlock) int lock = -1;
	size_t size;
	int status;

	(void) log_escape(input_name(argv[0]), x.name, sizeof(x.name));
	status = input_read(ctl, argv[0], &x.text, &size);
	if (status == EXIT_DONE)
		status = parse(&x, size);
	if (status == EXIT_DONE)
		status = session_open(ctl, &table);
	if (status == EXIT_DONE)
		status = session_load_guard(ctl, &guard);
	if (status != EXIT_DONE)
		return status;
	for (size_t i = 0; i < x.n_lists && status == EXIT_DONE; i++) {
		choose(&x, &guard, x.lists[i]);
		status = check_share(&x, x.lists[i]);
	}
	if (status != EXIT_DONE)
		return status;

	status = session_lock(ctl, table, &lock);
	if (status != EXIT_DONE)
		return status;
	x.table = table;
	for (size_t i = 0; i < x.n_lists; i++) {
		status = import_list(&x, &guard, x.lists[i]);
		if (status == EXIT_DONE)
			continue;
		if (i == 0)
			return status;
		return output_fail(ctl, EXIT_PARTLY,
				   "Only %zu of %zu lists were imported, list '%s' was not: mend what is said above and repeat it", i,
				   x.n_lists, x.lists[i]->header.name);
	}
	session_unlock(&lock);
	return report(&x);
}
