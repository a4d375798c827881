// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * block and allow: from the command line to one set of changes, and the report of it. All arguments are parsed before
 * anything is opened; change.c does the rest whole or not at all. A list that does not exist is made, so that a program that
 * bans (fail2ban and the like) need not prepare anything.
 */


#include "base/cleanup.h"
#include "change/change.h"
#include "change/journal.h"
#include "change/outlook.h"
#include "change/policy.h"
#include "guard/intake.h"
#include "kernel/tick.h"
#include "output/output.h"
#include "session.h"
#include "verbs.h"


static unsigned directions_of(const struct ctl *ctl, const struct fw_list *policy,
			      const struct target *target)
{
	if (ctl->directions)
		return ctl->directions;
	return policy->directions ? policy->directions : target_default_directions(target);
}

/* Refuses what would lock the user or the host out, unless forced to. list: where the entries will be. */
static int check_guard(struct changes *c, const struct targets *targets, const struct guard *guard, unsigned list)
{
	struct coverage coverage = {};
	struct outlook o = { .ctl = c->ctl, .table = c->table, .guard = guard };
	int status;

	for (const struct target *i = targets->items; i < END_OF(targets->items, targets->n_items); i++)
		coverage_add(&coverage, i);
	status = c->action == FW_ACTION_BLOCK ? intake_check_share(c->ctl, "This", &coverage) : EXIT_DONE;
	if (status != EXIT_DONE)
		return status;
	return outlook_check_changes(&o, c, list);
}

/* The list, or a free place for it while no other process knows of it. */
static unsigned place_of(const struct changes *c)
{
	struct fw_list l;
	unsigned i = 0;

	if (c->list < FW_LISTS_MAX)
		return c->list;
	while (i < FW_LISTS_MAX - 1 && (table_get_list(c->table, i, &l) < 0 || l.name[0] != '\0'))
		i++;
	return i;
}

static void set_list(struct changes *c, unsigned list)
{
	for (struct change *i = c->items; i < END_OF(c->items, c->n_items); i++)
		i->lists = 1ull << list;
}

static void set_ends(struct changes *c)
{
	uint64_t ns = c->ctl->duration_ns;

	for (struct change *i = c->items; i < END_OF(c->items, c->n_items) && ns != UINT64_MAX; i++) {
		i->until = tick_after(ns);
		i->until_unix = unix_after(ns);
	}
}

int changes_prepare_add(struct changes *c, const struct targets *targets, const struct guard *guard)
{
	int status, r;

	status = policy_find(c->ctl, c->table, c->action, &c->list, &c->policy);
	if (status != EXIT_DONE)
		return status;
	r = changes_init(c, targets);
	if (r < 0)
		return r;
	for (struct change *i = c->items; i < END_OF(c->items, c->n_items); i++)
		i->directions = directions_of(c->ctl, &c->policy, &i->target);
	set_list(c, place_of(c));
	set_ends(c);
	status = check_guard(c, targets, guard, place_of(c));
	if (status != EXIT_DONE)
		return status;

	if (c->list == FW_LISTS_MAX) {
		status = policy_make(c->ctl, c->writer, &c->policy, NULL, &c->list);
		if (status != EXIT_DONE)
			return status;
		c->is_new_list = true;
		output_note(c->ctl, "list '%s' is new: it %ss, and enforces", c->policy.name,
			    action_to_string(c->action));
		set_list(c, c->list);
	}
	return EXIT_DONE;
}

static int report_added(const struct changes *c, const char *list)
{
	_cleanup_json_ json_object *rows = json_object_new_array();
	const char *result = c->action == FW_ACTION_ALLOW ? "allowed" : "blocked";
	const char *direction;
	json_object *row;
	bool is_refreshed;

	for (const struct change *i = c->items; i < END_OF(c->items, c->n_items); i++) {
		is_refreshed = table_entry_lists(&i->before) >> c->list & 1;
		direction = directions_to_string(i->directions);

		row = change_row(i, list, result);
		json_object_object_add(row, "refreshed", json_object_new_boolean(is_refreshed));
		json_object_object_add(row, "direction", json_object_new_string(direction));
		json_object_object_add(row, "until", json_time(i->until_unix));
		json_object_array_add(rows, row);
	}
	return output_changes(c->ctl, rows);
}

static int add(struct ctl *ctl, int argc, char **argv, enum fw_action action)
{
	_cleanup_(targets_done) struct targets targets = {};
	_cleanup_(guard_done) struct guard guard = {};
	_cleanup_(table_freep) struct table *table = NULL;
	_cleanup_(session_end) struct session_writer session = SESSION_WRITER_NULL;
	_cleanup_(changes_done) struct changes c = { .ctl = ctl, .action = action };
	int status;

	status = session_parse_targets(ctl, argc, argv, &targets);
	if (status != EXIT_DONE)
		return status;
	status = session_open(ctl, &table);
	if (status != EXIT_DONE)
		return status;
	status = session_load_guard(ctl, &guard);
	if (status != EXIT_DONE)
		return status;
	status = session_begin(ctl, table, &session);
	if (status != EXIT_DONE)
		return status;

	c.table = table;
	c.writer = session.writer;
	status = changes_prepare_add(&c, &targets, &guard);
	if (status == EXIT_DONE)
		status = changes_make(&c);
	if (status != EXIT_DONE && c.is_new_list)
		policy_unmake(ctl, session.writer, c.list);
	if (status != EXIT_DONE)
		return status;
	journal_changes(&c);
	session_end(&session);
	return report_added(&c, c.policy.name);
}

int verb_block(struct ctl *ctl, int argc, char **argv)
{
	return add(ctl, argc, argv, FW_ACTION_BLOCK);
}

int verb_allow(struct ctl *ctl, int argc, char **argv)
{
	return add(ctl, argc, argv, FW_ACTION_ALLOW);
}
