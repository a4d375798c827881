// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * load: makes a list equal to a file in any of the formats in which lists are published. The file
 * is read and judged before anything is locked; what is wrong with it leaves the last good copy in
 * force.
 */

#include <errno.h>

#include "base/cleanup.h"
#include "change/journal.h"
#include "change/policy.h"
#include "change/replace.h"
#include "feed/feed.h"
#include "guard/guard.h"
#include "guard/intake.h"
#include "log/log.h"
#include "output/output.h"
#include "session.h"
#include "verbs.h"
#include "verbs/input.h"

#define NAME_TEXT_MAX 256

static int read_feed(struct ctl *ctl, const char *path, struct feed *ret)
{
	_cleanup_free_ char *text = NULL;
	char escaped[NAME_TEXT_MAX];
	size_t size;
	int status, r;

	status = input_read(ctl, path, &text, &size);
	if (status != EXIT_DONE)
		return status;
	(void) log_escape(input_name(path), escaped, sizeof(escaped));
	r = feed_parse(text, size, ret);
	if (r == -E2BIG)
		return output_fail(ctl, EXIT_NO, "'%s' names more than %d prefixes: split it into several lists", escaped,
				   FEED_TARGETS_MAX);
	if (r < 0)
		return r;

	status = intake_check(ctl, ret, input_name(path));
	if (status != EXIT_DONE)
		return status;
	if (ret->targets.n_masked > 0)
		output_note(ctl, "%s: %zu entries had host bits set, which were cleared", escaped,
			    ret->targets.n_masked);
	if (ret->n_exceptions > 0)
		output_note(ctl, "%s: %zu exceptions were taken out of the entries that cover them", escaped,
			    ret->n_exceptions);
	if (ret->n_timeouts > 0)
		output_note(ctl, "%s: %zu entries have an end, which a loaded list does not keep",
			    escaped, ret->n_timeouts);
	if (ret->n_directions > 0)
		output_note(ctl,
			    "%s: %zu entries have a direction, which a loaded list does not keep",
			    escaped, ret->n_directions);
	if (ret->n_sets > 1)
		output_note(ctl, "%s: %zu sets are joined", escaped, ret->n_sets);
	return EXIT_DONE;
}

/* The list by its name; *ret_index is FW_LISTS_MAX if it is to be made, to block and to enforce. */
static int find_list(struct ctl *ctl, struct table *t, const char *name, unsigned *ret_index,
		     struct fw_list *ret)
{
	char escaped[FW_LIST_NAME_MAX * 4];
	int r;

	if (!list_name_is_valid(name))
		return output_fail(ctl, EXIT_USAGE, LIST_NAME_ERROR,
				   log_escape(name, escaped, sizeof(escaped)));
	r = table_find_list(t, name, ret);
	if (r < 0 && r != -ENOENT)
		return r;
	*ret_index = r < 0 ? FW_LISTS_MAX : (unsigned)r;
	if (r == -ENOENT)
		*ret = policy_default(name, FW_ACTION_BLOCK);
	return EXIT_DONE;
}

static int report(const struct replacement *x, const struct feed *f, size_t n_left_out, const struct coverage *c)
{
	_cleanup_json_ json_object *result = json_object_new_object();
	char covers[INTAKE_TEXT_MAX];

	json_object_object_add(result, "result",
			       json_text(x->ctl->is_dry_run ? "compared" : "loaded"));
	json_object_object_add(result, "list", json_text(x->policy.name));
	json_object_object_add(result, "format", json_text(feed_format_to_string(f->format)));
	json_object_object_add(result, "added", json_object_new_uint64(x->n_added));
	json_object_object_add(result, "removed", json_object_new_uint64(x->n_removed));
	json_object_object_add(result, "changed", json_object_new_uint64(x->n_changed));
	json_object_object_add(result, "entries", json_object_new_uint64(x->n_wanted));
	json_object_object_add(result, "bad_lines", json_object_new_uint64(f->n_bad));
	json_object_object_add(result, "left_out", json_object_new_uint64(n_left_out));
	json_object_object_add(result, "share_ipv4", json_object_new_double(coverage_share(c, COVERAGE_IPV4)));
	json_object_object_add(result, "share_ipv6", json_object_new_double(coverage_share(c, COVERAGE_IPV6)));
	if (!x->ctl->is_dry_run)
		return output_result(x->ctl, result, "loaded list '%s': +%zu -%zu =%zu", x->policy.name, x->n_added,
				     x->n_removed, x->n_wanted);
	return output_result(x->ctl, result, "would change list '%s': +%zu -%zu =%zu, %s", x->policy.name, x->n_added,
			     x->n_removed, x->n_wanted, intake_format_coverage(c, covers));
}

/* With the writer lock held. A dry run goes on where another would be refused, and has the status of that. */
static int check(struct replacement *x, const struct guard *guard, struct coverage *ret_wanted)
{
	struct coverage now = {};
	char what[NAME_TEXT_MAX];
	int status;

	for (size_t i = 0; i < x->now.n_items; i++)
		coverage_add(&now, &x->now.items[i].target);
	for (size_t i = 0; i < x->n_wanted; i++)
		coverage_add(ret_wanted, &x->wanted[i]);
	status = intake_check_size(x->ctl, &x->policy, x->now.n_items, x->n_wanted);
	if (status == EXIT_DONE)
		status = intake_check_coverage(x->ctl, &x->policy, &now, ret_wanted);
	(void) snprintf(what, sizeof(what), "load list '%s'", x->policy.name);
	return status == EXIT_DONE ? replacements_check((const struct replacement *const[]){ x }, 1, guard, what) : status;
}

static int load(struct replacement *x, const struct guard *guard, struct coverage *ret_coverage)
{
	bool is_new = x->list == FW_LISTS_MAX;
	int status, r;

	if (is_new && !x->ctl->is_dry_run) {
		status = policy_make(x->ctl, x->writer, &x->policy, NULL, &x->list);
		if (status != EXIT_DONE)
			return status;
		r = table_get_list(x->table, x->list, &x->policy);
		if (r < 0)
			return r;
	}
	status = replacement_init(x);
	if (status == EXIT_DONE)
		status = check(x, guard, ret_coverage);
	if (status == EXIT_DONE && !x->ctl->is_dry_run)
		status = replacement_make(x);

	if (is_new && !x->ctl->is_dry_run && status != EXIT_DONE)
		policy_unmake(x->ctl, x->writer, x->list);
	else if (is_new && (status == EXIT_DONE || x->ctl->is_dry_run))
		output_note(x->ctl, "list '%s' %s new: it blocks, and enforces", x->policy.name,
			    x->ctl->is_dry_run ? "would be" : "is");
	return status;
}

int verb_load(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_(feed_done) struct feed feed = {};
	_cleanup_(guard_done) struct guard guard = {};
	_cleanup_(table_freep) struct table *table = NULL;
	_cleanup_(session_end) struct session_writer session = SESSION_WRITER_NULL;
	_cleanup_(replacement_done) struct replacement x = { .ctl = ctl };
	struct coverage coverage = {};
	size_t n_left_out = 0;
	int status, r;

	status = session_open(ctl, &table);
	if (status != EXIT_DONE)
		return status;
	status = read_feed(ctl, argv[1], &feed);
	if (status != EXIT_DONE)
		return status;
	status = session_load_guard(ctl, &guard);
	if (status != EXIT_DONE)
		return status;
	r = guard_add_special(&guard);
	if (r < 0)
		return r;

	status = session_begin(ctl, table, &session);
	if (status != EXIT_DONE)
		return status;
	x.table = table;
	x.writer = session.writer;
	status = find_list(ctl, table, argv[0], &x.list, &x.policy);
	if (status != EXIT_DONE)
		return status;
	if (x.policy.action == FW_ACTION_BLOCK && feed.is_allow_list && !ctl->is_forced)
		return output_fail(ctl, EXIT_NO,
				   "The file is a list that allows, and list '%s' blocks: --force loads it. Nothing was changed",
				   x.policy.name);
	if (x.policy.action == FW_ACTION_BLOCK) {
		status = intake_filter(ctl, &guard, &x.policy, &feed.targets, &n_left_out);
		if (status != EXIT_DONE)
			return status;
	}
	x.wanted = feed.targets.items;
	x.n_wanted = feed.targets.n_items;
	status = load(&x, &guard, &coverage);
	if (status < 0 || (status != EXIT_DONE && !ctl->is_dry_run))
		return status;

	if (!ctl->is_dry_run)
		journal_replacement(ctl, x.policy.name, "loaded", x.n_added, x.n_removed, x.n_changed);
	session_end(&session);
	r = report(&x, &feed, n_left_out, &coverage);
	return status != EXIT_DONE ? status : r;
}
