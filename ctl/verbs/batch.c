// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * batch: many block, unblock, allow and unallow commands from a file, one a line. All lines are
 * parsed before anything is opened, and any that is wrong ends it there. Then one lock, one change
 * of the kernel after the other, and one write for each list file at the end.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "change/change.h"
#include "change/journal.h"
#include "change/policy.h"
#include "guard/intake.h"
#include "log/log.h"
#include "options.h"
#include "output/output.h"
#include "output/quote.h"
#include "session.h"
#include "verbs.h"
#include "verbs/input.h"

#define NAME_TEXT_MAX    256
#define ERRORS_SHOWN_MAX 20 /* of lines that are wrong: in a file of another kind all are */

/* A line, parsed. */
struct command {
	struct ctl ctl;
	char where[NAME_TEXT_MAX + 24];
	char **words; /* the comment and the list's name are among them */
	struct targets targets;
	struct changes changes;
};

struct batch {
	struct ctl *ctl;
	char *text;
	char name[NAME_TEXT_MAX];
	struct command *commands;
	size_t n_commands;
	struct changes **applied; /* in order */
	size_t n_applied;
	size_t n_failed;
	struct stamps stamps;
	struct guard guard;
};

static void batch_done(struct batch *b)
{
	for (struct command *c = b->commands; c < END_OF(b->commands, b->n_commands); c++) {
		free(c->words);
		targets_done(&c->targets);
		changes_done(&c->changes);
	}
	free(b->commands);
	free(b->applied);
	free(b->text);
	guard_done(&b->guard);
}

/* The verbs that a batch may contain, and what they do. */
static const struct {
	const char *name;
	enum fw_action action;
	bool is_removal;
} batch_verbs[] = {
	{ "block",   FW_ACTION_BLOCK, false },
	{ "unblock", FW_ACTION_BLOCK, true  },
	{ "allow",   FW_ACTION_ALLOW, false },
	{ "unallow", FW_ACTION_ALLOW, true  },
};

static int set_verb(struct command *c, const char *name)
{
	char escaped[NAME_TEXT_MAX];

	for (size_t i = 0; i < ELEMENTSOF(batch_verbs); i++)
		if (strcmp(name, batch_verbs[i].name) == 0) {
			c->changes.action = batch_verbs[i].action;
			c->changes.is_removal = batch_verbs[i].is_removal;
			return options_find_verb(&c->ctl, name, &c->ctl.verb);
		}
	return output_fail(&c->ctl, EXIT_USAGE,
			   "'%s' cannot be in a batch, only block, unblock, allow and unallow can",
			   log_escape(name, escaped, sizeof(escaped)));
}

/* The words of a line to the targets and options of a command. */
static int parse_command(struct command *c, int n_words)
{
	unsigned used;
	int status, n;

	status = options_parse(&c->ctl, n_words, c->words, &n, &used);
	if (status != EXIT_DONE)
		return status;
	if (n == 0)
		return output_fail(&c->ctl, EXIT_USAGE, "No verb: a line is 'block TARGET...' or the like");
	status = set_verb(c, c->words[0]);
	if (status != EXIT_DONE)
		return status;
	status = options_check(&c->ctl, n - 1, used);
	if (status != EXIT_DONE)
		return status;
	return session_parse_targets(&c->ctl, n - 1, c->words + 1, &c->targets);
}

static int parse_line(struct batch *b, char *line, size_t lineno)
{
	struct command *c = &b->commands[b->n_commands];
	int n_words = 0, status, r;

	*c = (struct command){ .ctl = *b->ctl };
	(void) snprintf(c->where, sizeof(c->where), "%s:%zu", b->name, lineno);
	c->ctl.where = c->where;
	r = quote_split(line, &c->words, &n_words);
	if (r == -EBADMSG)
		return output_fail(&c->ctl, EXIT_USAGE, "A quote is not closed: words that belong together stand "
						     "between two of them");
	if (r < 0)
		return r;
	if (n_words == 0)
		return EXIT_DONE;

	b->n_commands++;
	status = parse_command(c, n_words);
	b->ctl->notes = c->ctl.notes; /* of the whole batch */
	return status;
}

static int parse(struct batch *b, size_t size)
{
	size_t n_lines = 0, n_wrong = 0, lineno = 0;
	char *next = b->text, *end = b->text + size;
	int status;

	if (memchr(b->text, '\0', size))
		return output_fail(b->ctl, EXIT_USAGE, "'%s' is no text: a batch has a command in each line", b->name);
	for (const char *p = b->text; (p = memchr(p, '\n', end - p)); p++)
		n_lines++;
	b->commands = calloc(n_lines + 1, sizeof(*b->commands));
	b->applied = calloc(n_lines + 1, sizeof(struct changes *));
	if (!b->commands || !b->applied)
		return -ENOMEM;

	while (next < end && n_wrong < ERRORS_SHOWN_MAX) {
		char *line = next, *newline = memchr(next, '\n', end - next) ?: end;

		*newline = '\0';
		next = newline + 1;
		status = parse_line(b, line, ++lineno);
		if (status < 0)
			return status;
		n_wrong += status != EXIT_DONE;
	}
	if (n_wrong > 0)
		return output_fail(b->ctl, EXIT_USAGE,
				   "'%s': %zu%s lines are wrong. Nothing was changed", b->name,
				   n_wrong, next < end ? " or more" : "");
	return EXIT_DONE;
}

/* The kernel's half of one line. What was done before stays when it fails. */
static int run_command(struct batch *b, struct table_writer *w, struct command *c)
{
	int status;

	c->ctl.notes = b->ctl->notes;
	c->changes.ctl = &c->ctl;
	c->changes.table = table_of(w);
	c->changes.writer = w;
	c->changes.stamps = &b->stamps;
	if (c->changes.is_removal)
		status = changes_prepare_removal(&c->changes, &c->targets, &b->guard);
	else
		status = changes_prepare_add(&c->changes, &c->targets, &b->guard);
	if (status == EXIT_DONE)
		status = changes_apply(&c->changes);
	if (status < 0) {
		errno = -status;
		status = output_fail(&c->ctl, EXIT_NO, "Cannot %s: %m", c->ctl.verb->name);
	}
	if (status != EXIT_DONE && c->changes.is_new_list)
		policy_unmake(&c->ctl, w, c->changes.list);
	b->ctl->notes = c->ctl.notes;
	return status;
}

static int compare_targets(const void *a, const void *b)
{
	return target_compare(a, b);
}

/* What all the lines together would block is more than what any of them would. */
static int check_share(struct batch *b)
{
	_cleanup_(targets_done) struct targets all = {};
	struct coverage coverage = {};
	int r;

	for (struct command *c = b->commands; c < END_OF(b->commands, b->n_commands); c++)
		for (size_t i = 0; i < c->targets.n_items; i++) {
			if (c->changes.is_removal || c->changes.action != FW_ACTION_BLOCK || c->ctl.is_forced)
				continue;
			r = targets_add(&all, &c->targets.items[i]);
			if (r < 0)
				return r;
		}
	if (all.n_items > 0)
		qsort(all.items, all.n_items, sizeof(*all.items), compare_targets);
	for (size_t i = 0; i < all.n_items; i++)
		coverage_add(&coverage, &all.items[i]);
	return intake_check_share(b->ctl, "The batch", &coverage);
}

static int run(struct batch *b, struct table_writer *w)
{
	int status;

	for (struct command *c = b->commands; c < END_OF(b->commands, b->n_commands); c++) {
		if (run_command(b, w, c) == EXIT_DONE)
			b->applied[b->n_applied++] = &c->changes;
		else
			b->n_failed++;
	}

	status = changes_finish(b->ctl, b->applied, b->n_applied);
	stamps_end(&b->stamps, b->ctl, w, 0); /* nothing is left to end where all went well */
	for (size_t i = 0; i < b->n_applied && status != EXIT_DONE; i++)
		if (b->applied[i]->is_new_list)
			policy_unmake(b->ctl, w, b->applied[i]->list);
	return status;
}

struct totals {
	size_t n_added, n_refreshed, n_removed, n_absent;
};

static struct totals count(const struct batch *b)
{
	struct totals n = {};

	for (size_t i = 0; i < b->n_applied; i++) {
		const struct changes *c = b->applied[i];

		for (const struct change *k = c->items; k < END_OF(c->items, c->n_items); k++) {
			bool was_there = table_entry_lists(&k->before) & k->lists;

			if (c->is_removal)
				(*(was_there ? &n.n_removed : &n.n_absent))++;
			else
				(*(was_there ? &n.n_refreshed : &n.n_added))++;
		}
	}
	return n;
}

static int report(const struct batch *b, const struct totals *n)
{
	_cleanup_json_ json_object *result = json_object_new_object();

	json_object_object_add(result, "result", json_text("batch"));
	json_object_object_add(result, "commands", json_object_new_uint64(b->n_commands));
	json_object_object_add(result, "added", json_object_new_uint64(n->n_added));
	json_object_object_add(result, "refreshed", json_object_new_uint64(n->n_refreshed));
	json_object_object_add(result, "removed", json_object_new_uint64(n->n_removed));
	json_object_object_add(result, "absent", json_object_new_uint64(n->n_absent));
	json_object_object_add(result, "failed", json_object_new_uint64(b->n_failed));
	return output_result(
		b->ctl, result,
		"%zu commands: %zu added, %zu refreshed, %zu removed, %zu were absent; %zu failed",
		b->n_commands, n->n_added, n->n_refreshed, n->n_removed, n->n_absent, b->n_failed);
}

int verb_batch(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_(batch_done) struct batch b = { .ctl = ctl };
	_cleanup_(table_freep) struct table *table = NULL;
	_cleanup_(session_end) struct session_writer session = SESSION_WRITER_NULL;
	struct totals totals;
	size_t size;
	int status, r;

	(void) log_escape(input_name(argv[0]), b.name, sizeof(b.name));
	status = input_read(ctl, argv[0], &b.text, &size);
	if (status != EXIT_DONE)
		return status;
	status = parse(&b, size);
	if (status == EXIT_DONE)
		status = check_share(&b);
	if (status != EXIT_DONE)
		return status;
	status = session_open(ctl, &table);
	if (status != EXIT_DONE)
		return status;
	status = session_load_guard(ctl, &b.guard);
	if (status != EXIT_DONE)
		return status;

	status = session_begin(ctl, table, &session);
	if (status != EXIT_DONE)
		return status;
	status = run(&b, session.writer);
	if (status != EXIT_DONE)
		return status;
	totals = count(&b);
	journal_batch(ctl, totals.n_added, totals.n_refreshed, totals.n_removed, b.n_failed);
	session_end(&session);
	r = report(&b, &totals);
	return r < 0 ? r : b.n_failed > 0 ? EXIT_PARTLY : EXIT_DONE;
}
