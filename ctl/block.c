// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * block and allow: from the command line to one set of changes, and the report of it. All arguments
 * are parsed before anything is opened; change.c does the rest whole or not at all.
 */

#include <errno.h>
#include <time.h>

#include "change.h"
#include "cleanup.h"
#include "guard.h"
#include "output.h"

#define NS_PER_SEC 1000000000ull

static unsigned directions_of(const struct ctl *ctl, const struct fw_list *policy,
			      const struct target *target)
{
	if (ctl->directions)
		return ctl->directions;
	return policy->directions ? policy->directions : target_default_directions(target);
}

/* Refuses what would lock the user or the host out, unless forced to. */
static int check_guard(struct ctl *ctl, const struct fw_list *policy, const struct targets *targets)
{
	char target[TARGET_TEXT_MAX], buffer[GUARD_TEXT_MAX];
	_cleanup_(guard_done) struct guard guard = {};
	const char *reason;
	int r;

	r = guard_load(&guard);
	if (r < 0) {
		errno = -r;
		if (!ctl->is_forced)
			return output_fail(ctl, EXIT_NO,
					   "Cannot tell what a block would cut off: %m; "
					   "--force blocks without looking");
		output_note(ctl, "cannot tell what this cuts off: %m");
	}

	for (const struct target *i = targets->items; i < targets->items + targets->n_items; i++) {
		reason = guard_check(&guard, i, directions_of(ctl, policy, i), buffer);
		if (!reason)
			continue;
		(void) target_format(i, target);
		if (!ctl->is_forced)
			return output_fail(ctl, EXIT_NO, "Refusing to block %s: %s; --force overrides",
					   target, reason);
		output_note(ctl, "blocking %s although %s", target, reason);
	}
	return EXIT_DONE;
}

/* For the list file: when ns from now have passed, in Unix time, rounded up to whole seconds. */
static int64_t unix_after(uint64_t ns)
{
	struct timespec now;

	(void) clock_gettime(CLOCK_REALTIME, &now); /* cannot fail with this clock */
	return now.tv_sec + (int64_t)((ns + (uint64_t)now.tv_nsec + NS_PER_SEC - 1) / NS_PER_SEC);
}

static int report_added(const struct changes *c, const char *list)
{
	_cleanup_json_ json_object *rows = json_object_new_array();
	const char *result = c->action == FW_ACTION_ALLOW ? "allowed" : "blocked";
	const char *direction;
	json_object *row;
	bool is_refreshed;

	for (const struct change *i = c->items; i < c->items + c->n_items; i++) {
		is_refreshed = table_entry_lists(&i->before) >> c->list & 1;
		direction = directions_to_string(i->directions);

		row = change_row(i, list, result);
		json_object_object_add(row, "refreshed", json_object_new_boolean(is_refreshed));
		json_object_object_add(row, "direction", json_object_new_string(direction));
		json_object_object_add(row, "until", json_time(c->until_unix));
		json_object_array_add(rows, row);
	}
	return output_changes(c->ctl, rows);
}

static int add(struct ctl *ctl, int argc, char **argv, enum fw_action action)
{
	_cleanup_(targets_done) struct targets targets = {};
	_cleanup_(table_freep) struct table *table = NULL;
	_cleanup_close_ int lock = -1;
	_cleanup_(changes_done) struct changes c = { .ctl = ctl, .action = action };
	struct fw_list policy;
	int status, r;

	status = session_parse_targets(ctl, argc, argv, &targets);
	if (status != EXIT_DONE)
		return status;
	status = session_open(ctl, &table);
	if (status != EXIT_DONE)
		return status;
	status = session_find_list_for(ctl, table, action, &c.list, &policy);
	if (status != EXIT_DONE)
		return status;
	if (action == FW_ACTION_BLOCK) {
		status = check_guard(ctl, &policy, &targets);
		if (status != EXIT_DONE)
			return status;
	}
	status = session_lock(ctl, &lock);
	if (status != EXIT_DONE)
		return status;

	c.table = table;
	if (ctl->duration_ns != UINT64_MAX) {
		c.until = tick_after(ctl->duration_ns);
		c.until_unix = unix_after(ctl->duration_ns);
	}
	r = changes_init(&c, &targets);
	if (r < 0)
		return r;
	for (struct change *i = c.items; i < c.items + c.n_items; i++) {
		i->lists = 1ull << c.list;
		i->directions = directions_of(ctl, &policy, &i->target);
	}

	status = changes_make(&c);
	if (status != EXIT_DONE)
		return status;
	(void) close(TAKE_FD(lock)); /* who reads our output slowly holds up no other writer */
	return report_added(&c, policy.name);
}

int verb_block(struct ctl *ctl, int argc, char **argv)
{
	return add(ctl, argc, argv, FW_ACTION_BLOCK);
}

int verb_allow(struct ctl *ctl, int argc, char **argv)
{
	return add(ctl, argc, argv, FW_ACTION_ALLOW);
}
