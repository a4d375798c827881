// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * unblock and unallow: as block and allow, the other way round. Taking out what is not there is no
 * failure, but the user is told what else still holds or covers a target.
 */

#include <stdio.h>

#include "base/cleanup.h"
#include "change/change.h"
#include "change/journal.h"
#include "change/outlook.h"
#include "change/policy.h"
#include "output/output.h"
#include "session.h"
#include "verbs.h"

#define WHERE_TEXT_MAX (FW_LIST_NAME_MAX + 32)

/* Where the command looks, as in "is not in ...". */
static const char *format_where(const struct changes *c, char where[static WHERE_TEXT_MAX])
{
	if (c->ctl->is_all_lists)
		(void) snprintf(where, WHERE_TEXT_MAX, "any list");
	else
		(void) snprintf(where, WHERE_TEXT_MAX, "list '%s'%s", c->policy.name,
				c->list < FW_LISTS_MAX ? "" : ", which does not exist");
	return where;
}

/* Names of the lists in a mask: "'manual', 'fail2ban/sshd'". */
static const char *format_lists(struct table *t, uint64_t mask, char *buffer, size_t size)
{
	struct fw_list policy;
	size_t length = 0;

	buffer[0] = '\0';
	for (unsigned i = 0; i < FW_LISTS_MAX && length < size; i++)
		if (mask >> i & 1 && table_get_list(t, i, &policy) == 0)
			length += snprintf(buffer + length, size - length, "%s'%s'",
					   length > 0 ? ", " : "", policy.name);
	return buffer;
}

/* Of the lists in a mask, those with this action. */
static uint64_t lists_with_action(struct table *t, uint64_t mask, enum fw_action action)
{
	struct fw_list policy;

	for (unsigned i = 0; i < FW_LISTS_MAX; i++)
		if (mask >> i & 1 && (table_get_list(t, i, &policy) < 0 || policy.action != action))
			mask &= ~(1ull << i);
	return mask;
}

/* The first covering entry but the target's own that is in a block list. */
struct covering {
	const struct changes *changes;
	const struct change *change;
	struct target found;
	bool is_found;
};

static int look_for_covering(const struct table_entry *e, void *userdata)
{
	struct covering *c = userdata;

	if (c->is_found || target_compare(&e->target, &c->change->target) == 0 ||
	    lists_with_action(c->changes->table, table_entry_lists(e), FW_ACTION_BLOCK) == 0)
		return 0;
	c->found = e->target;
	c->is_found = true;
	return 0;
}

/* What a user must know if they believe that a target is free now. */
static void note_rest(const struct changes *c, const struct change *change, const char *where)
{
	struct covering covering = { .changes = c, .change = change };
	char target[TARGET_TEXT_MAX], other[TARGET_TEXT_MAX], names[256];
	uint64_t left;

	left = lists_with_action(c->table, table_entry_lists(&change->before) & ~change->lists,
				 c->action);
	(void) target_format(&change->target, target);
	if (left && change->lists)
		output_note(c->ctl, "%s stays in %s: -l LIST or --all-lists takes it out there",
			    target, format_lists(c->table, left, names, sizeof(names)));
	else if (left)
		output_note(c->ctl,
			    "%s is not in %s but in %s: -l LIST or --all-lists takes it out there",
			    target, where, format_lists(c->table, left, names, sizeof(names)));
	else if (!change->lists)
		output_note(c->ctl, "%s is not in %s", target, where);

	if (c->action != FW_ACTION_BLOCK)
		return;
	/* a hint, which may be missing */
	(void) table_covering(c->table, &change->target, look_for_covering, &covering);
	if (covering.is_found)
		output_note(c->ctl, "%s is still covered by %s", target,
			    target_format(&covering.found, other));
}

static int report_removed(const struct changes *c)
{
	_cleanup_json_ json_object *rows = json_object_new_array();
	const char *result = c->action == FW_ACTION_ALLOW ? "unallowed" : "unblocked";
	char where[WHERE_TEXT_MAX];
	struct fw_list policy;

	(void) format_where(c, where);
	for (const struct change *i = c->items; i < END_OF(c->items, c->n_items); i++) {
		for (unsigned n = 0; n < FW_LISTS_MAX; n++)
			if (i->lists >> n & 1 && table_get_list(c->table, n, &policy) == 0)
				json_object_array_add(rows, change_row(i, policy.name, result));
		if (!i->lists)
			json_object_array_add(rows, change_row(i, c->policy.name, "absent"));
		note_rest(c, i, where);
	}
	return output_changes(c->ctl, rows);
}

/* With --strict the first target that is not there ends the command before anything is changed. */
static int check_strict(const struct changes *c)
{
	char text[TARGET_TEXT_MAX], where[WHERE_TEXT_MAX];

	for (const struct change *i = c->items; i < END_OF(c->items, c->n_items); i++)
		if (!i->lists)
			return output_fail(c->ctl, EXIT_NO, "%s is not in %s. Nothing was changed",
					   target_format(&i->target, text), format_where(c, where));
	return EXIT_DONE;
}

int changes_prepare_removal(struct changes *c, const struct targets *targets, const struct guard *guard)
{
	struct ctl *ctl = c->ctl;
	struct outlook o = { .ctl = ctl, .table = c->table, .guard = guard };
	uint64_t wanted;
	int status, r;

	if (ctl->list && ctl->is_all_lists)
		return output_fail(ctl, EXIT_USAGE, "--list and --all-lists exclude each other");
	status = policy_find(ctl, c->table, c->action, &c->list, &c->policy);
	if (status != EXIT_DONE)
		return status;

	r = changes_init(c, targets);
	if (r < 0)
		return r;
	wanted = c->list < FW_LISTS_MAX ? 1ull << c->list : 0;
	if (ctl->is_all_lists)
		wanted = lists_with_action(c->table, UINT64_MAX, c->action);
	for (struct change *i = c->items; i < END_OF(c->items, c->n_items); i++)
		i->lists = table_entry_lists(&i->before) & wanted;
	status = ctl->is_strict ? check_strict(c) : EXIT_DONE;
	if (status != EXIT_DONE || c->action == FW_ACTION_BLOCK)
		return status; /* what is dropped less is no harm */
	return outlook_check_changes(&o, c, FW_LISTS_MAX);
}

static int removal(struct ctl *ctl, int argc, char **argv, enum fw_action action)
{
	_cleanup_(targets_done) struct targets targets = {};
	_cleanup_(changes_done) struct changes c = {
		.ctl = ctl,
		.action = action,
		.is_removal = true,
	};
	_cleanup_(guard_done) struct guard guard = {};
	_cleanup_(table_freep) struct table *table = NULL;
	_cleanup_(session_end) struct session_writer session = SESSION_WRITER_NULL;
	int status;

	status = session_parse_targets(ctl, argc, argv, &targets);
	if (status != EXIT_DONE)
		return status;
	status = session_begin_all(ctl, &table, action == FW_ACTION_ALLOW ? &guard : NULL, &session);
	if (status != EXIT_DONE)
		return status;

	c.table = table;
	c.writer = session.writer;
	status = changes_prepare_removal(&c, &targets, &guard);
	if (status == EXIT_DONE)
		status = changes_make(&c);
	if (status != EXIT_DONE)
		return status;
	journal_changes(&c);
	session_end(&session);
	return report_removed(&c);
}

int verb_unblock(struct ctl *ctl, int argc, char **argv)
{
	return removal(ctl, argc, argv, FW_ACTION_BLOCK);
}

int verb_unallow(struct ctl *ctl, int argc, char **argv)
{
	return removal(ctl, argc, argv, FW_ACTION_ALLOW);
}
