// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * list: makes, changes, removes, enables and disables lists. What they hold is the business of
 * others.
 */

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "change/journal.h"
#include "change/outlook.h"
#include "change/policy.h"
#include "change/replace.h"
#include "log/log.h"
#include "options.h"
#include "output/output.h"
#include "session.h"
#include "verbs.h"

#define ARGUMENT_TEXT_MAX 256
#define WHAT_TEXT_MAX     (FW_LIST_NAME_MAX + 32)

struct settings {
	struct fw_list policy;
	const char *comment; /* NULL = as it is */
};

/* One setter per key: the sentence that is wrong with the value, or NULL. */
static const char *set_action(struct settings *s, const char *value)
{
	int r = action_from_string(value, strlen(value));

	if (r < 0)
		return "action must be block or allow";
	s->policy.action = r;
	return NULL;
}

static const char *set_mode(struct settings *s, const char *value)
{
	int r = mode_from_string(value, strlen(value));

	if (r < 0)
		return "mode must be enforce or audit";
	s->policy.mode = r;
	return NULL;
}

static const char *set_direction(struct settings *s, const char *value)
{
	int r = strcmp(value, "default") == 0 ? 0 : directions_from_string(value, strlen(value));

	if (r < 0)
		return "direction must be in, out, both or default";
	s->policy.directions = r;
	return NULL;
}

static const char *set_comment(struct settings *s, const char *value)
{
	if (!option_is_comment(value))
		return "a comment is one line of UTF-8 without control characters, of 1024 bytes at most";
	s->comment = value;
	return NULL;
}

static const struct {
	const char *start;
	const char *(*set)(struct settings *s, const char *value);
} keys[] = {
	{ "action=",    set_action    },
	{ "mode=",      set_mode      },
	{ "direction=", set_direction },
	{ "comment=",   set_comment   },
};

static int parse_keys(struct ctl *ctl, int argc, char **argv, struct settings *s)
{
	char escaped[ARGUMENT_TEXT_MAX];
	const char *error;

	for (int i = 0; i < argc; i++) {
		error = "unknown key: action= mode= direction= comment=";
		for (size_t k = 0; k < ELEMENTSOF(keys); k++)
			if (strncmp(argv[i], keys[k].start, strlen(keys[k].start)) == 0)
				error = keys[k].set(s, argv[i] + strlen(keys[k].start));
		if (error)
			return output_fail(ctl, EXIT_USAGE, "'%s': %s",
					   log_escape(argv[i], escaped, sizeof(escaped)), error);
	}
	return EXIT_DONE;
}

static bool is_first(const char *name)
{
	return strcmp(name, FW_LIST_MANUAL) == 0 || strcmp(name, FW_LIST_ALLOW) == 0;
}

/*
 * What entries there are were put in under the old action and directions, and their lines in the
 * file may rely on them: a list that held thousands of enemies must not become one of friends by
 * one word.
 */
static int check_change(struct ctl *ctl, const struct fw_list *before, const struct fw_list *l)
{
	if (before->action != l->action && is_first(l->name))
		return output_fail(ctl, EXIT_NO, "List '%s' is always there to %s: 'fwctl list add' makes another", l->name,
				   action_to_string(before->action));
	if (before->n_entries > 0 &&
	    (before->action != l->action || before->directions != l->directions))
		return output_fail(
			ctl, EXIT_NO,
			"List '%s' holds entries: its action and direction change only when it is "
			"empty, see 'fwctl flush'",
			l->name);
	return EXIT_DONE;
}

/* Is this its comment, as far as one is asked for? */
static bool has_comment(struct ctl *ctl, const struct fw_list *l, const char *comment)
{
	_cleanup_(list_freep) struct list *file = NULL;

	if (!comment)
		return true;
	return listfile_read_header(ctl->state_dir, l->name, &file) == 0 &&
	       strcmp(file->header.comment ?: "", comment) == 0;
}

/* What a command has done, to be printed when the lock is gone. */
struct outcome {
	const char *done;
	struct fw_list policy;
};

#define DONE_NOTHING "present"

static int finish(struct ctl *ctl, const struct fw_list *l, const char *done, struct outcome *ret)
{
	if (strcmp(done, DONE_NOTHING) != 0)
		journal_policy(ctl, l, done);
	*ret = (struct outcome){ .done = done, .policy = *l };
	return EXIT_DONE;
}

static int report(struct ctl *ctl, const struct outcome *o)
{
	_cleanup_json_ json_object *result = json_object_new_object();

	json_object_object_add(result, "result", json_text(o->done));
	json_object_object_add(result, "list", json_text(o->policy.name));
	return strcmp(o->done, DONE_NOTHING) == 0 ?
		       output_result(ctl, result, "list '%s' is there already", o->policy.name) :
		       output_result(ctl, result, "%s list '%s'", o->done, o->policy.name);
}

static int list_add(struct ctl *ctl, struct table_writer *w, const struct guard *guard, int argc, char **argv, struct outcome *ret)
{
	char escaped[FW_LIST_NAME_MAX * 4];
	struct fw_list before;
	struct settings s = {};
	unsigned index;
	int status, r;

	if (!list_name_is_valid(argv[0]))
		return output_fail(ctl, EXIT_USAGE, LIST_NAME_ERROR,
				   log_escape(argv[0], escaped, sizeof(escaped)));
	before = policy_default(argv[0], FW_ACTION_BLOCK);
	r = table_find_list(table_of(w), argv[0], &before);
	if (r < 0 && r != -ENOENT)
		return r;

	s.policy = before;
	status = parse_keys(ctl, argc - 1, argv + 1, &s);
	if (status != EXIT_DONE)
		return status;
	if (r == -ENOENT) {
		status = policy_make(ctl, w, &s.policy, s.comment, &index);
		return status == EXIT_DONE ? finish(ctl, &s.policy, "added", ret) : status;
	}
	if (before.action == s.policy.action && before.mode == s.policy.mode &&
	    before.directions == s.policy.directions && has_comment(ctl, &before, s.comment))
		return finish(ctl, &before, DONE_NOTHING, ret);
	return output_fail(ctl, EXIT_NO,
			   "List '%s' is there already, and is another: 'fwctl list set' changes it",
			   before.name);
}

/* What its entries would decide under another policy. */
static int check_policy(struct ctl *ctl, struct table *t, const struct guard *guard, unsigned index, const struct fw_list *l)
{
	char what[WHAT_TEXT_MAX];
	struct outlook o = { .ctl = ctl, .table = t, .guard = guard, .what = what, .policy = l, .list = index };

	(void) snprintf(what, sizeof(what), "change list '%s'", l->name);
	return outlook_check(&o);
}

static int list_set(struct ctl *ctl, struct table_writer *w, const struct guard *guard, int argc, char **argv, struct outcome *ret)
{
	struct fw_list before;
	struct settings s = {};
	unsigned index;
	int status;

	status = session_find_list(ctl, table_of(w), argv[0], &index, &before);
	if (status != EXIT_DONE)
		return status;
	s.policy = before;
	status = parse_keys(ctl, argc - 1, argv + 1, &s);
	if (status == EXIT_DONE)
		status = check_change(ctl, &before, &s.policy);
	if (status == EXIT_DONE)
		status = check_policy(ctl, table_of(w), guard, index, &s.policy);
	if (status == EXIT_DONE)
		status = policy_set(ctl, w, index, &s.policy, s.comment);
	return status == EXIT_DONE ? finish(ctl, &s.policy, "set", ret) : status;
}

static int switch_list(struct ctl *ctl, struct table_writer *w, const struct guard *guard, const char *name, bool is_enabled, struct outcome *ret)
{
	struct fw_list l;
	unsigned index;
	int status;

	status = session_find_list(ctl, table_of(w), name, &index, &l);
	if (status != EXIT_DONE)
		return status;
	l.is_enabled = is_enabled;
	status = check_policy(ctl, table_of(w), guard, index, &l);
	if (status == EXIT_DONE)
		status = policy_set(ctl, w, index, &l, NULL);
	return status == EXIT_DONE ? finish(ctl, &l, is_enabled ? "enabled" : "disabled", ret) : status;
}

static int list_enable(struct ctl *ctl, struct table_writer *w, const struct guard *guard, int argc, char **argv, struct outcome *ret)
{
	return switch_list(ctl, w, guard, argv[0], true, ret);
}

static int list_disable(struct ctl *ctl, struct table_writer *w, const struct guard *guard, int argc, char **argv, struct outcome *ret)
{
	return switch_list(ctl, w, guard, argv[0], false, ret);
}

/* The entries go first, in the kernel only; if then the list cannot go, they come back. */
static int list_del(struct ctl *ctl, struct table_writer *w, const struct guard *guard, int argc, char **argv, struct outcome *ret)
{
	_cleanup_(replacement_done) struct replacement x = { .ctl = ctl, .table = table_of(w), .writer = w };
	char what[WHAT_TEXT_MAX];
	int status, r;

	status = session_find_list(ctl, table_of(w), argv[0], &x.list, &x.policy);
	if (status != EXIT_DONE)
		return status;
	if (is_first(x.policy.name))
		return output_fail(ctl, EXIT_NO,
				   "List '%s' cannot be removed; 'fwctl flush' empties it",
				   x.policy.name);

	r = table_sweep(w, NULL, NULL); /* what has ended holds the list's place, too */
	if (r < 0)
		return r;
	(void) snprintf(what, sizeof(what), "remove list '%s'", x.policy.name);
	status = replacement_init(&x);
	if (status == EXIT_DONE)
		status = replacements_check((const struct replacement *const[]){ &x }, 1, guard, what);
	if (status != EXIT_DONE)
		return status;
	ctl->is_runtime = true;
	status = replacement_make(&x);
	if (status != EXIT_DONE)
		return status;
	r = table_sweep(w, NULL, NULL); /* and what has ended since: the next list in this place must not have it */
	status = r < 0 ? r : policy_remove(ctl, w, x.list);
	if (status != EXIT_DONE)
		replacement_undo(&x);
	return status == EXIT_DONE ? finish(ctl, &x.policy, "removed", ret) : status;
}

static const struct {
	const char *name;
	int arguments_min, arguments_max;
	int (*run)(struct ctl *ctl, struct table_writer *w, const struct guard *guard, int argc, char **argv, struct outcome *ret);
} commands[] = {
	{ "add",     1, 1 + ELEMENTSOF(keys), list_add     },
	{ "set",     2, 1 + ELEMENTSOF(keys), list_set     },
	{ "del",     1, 1,                    list_del     },
	{ "enable",  1, 1,                    list_enable  },
	{ "disable", 1, 1,                    list_disable },
};

int verb_list(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_(guard_done) struct guard guard = {};
	_cleanup_(table_freep) struct table *table = NULL;
	_cleanup_(session_end) struct session_writer session = SESSION_WRITER_NULL;
	struct outcome outcome;
	char usage[ARGUMENT_TEXT_MAX], escaped[ARGUMENT_TEXT_MAX];
	size_t i = 0;
	int status;

	while (i < ELEMENTSOF(commands) && strcmp(argv[0], commands[i].name) != 0)
		i++;
	if (i == ELEMENTSOF(commands))
		return output_fail(ctl, EXIT_USAGE,
				   "'%s' is none of add, set, del, enable and disable",
				   log_escape(argv[0], escaped, sizeof(escaped)));
	if (argc - 1 < commands[i].arguments_min || argc - 1 > commands[i].arguments_max)
		return output_fail(ctl, EXIT_USAGE, "Too %s arguments: %s",
				   argc - 1 < commands[i].arguments_min ? "few" : "many",
				   verb_usage(ctl->verb, usage, sizeof(usage)));

	status = session_begin_all(ctl, &table, &guard, &session);
	if (status != EXIT_DONE)
		return status;
	status = commands[i].run(ctl, session.writer, &guard, argc - 1, argv + 1, &outcome);
	session_end(&session);
	return status == EXIT_DONE ? report(ctl, &outcome) : status;
}
