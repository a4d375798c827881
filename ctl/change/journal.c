// SPDX-License-Identifier: GPL-2.0-or-later

/* Records for the journal: see journal.h. */

#include "change/journal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "inspect/presence.h"
#include "log/log.h"
#include "log/messages.h"
#include "output/format.h"
#include "text/duration.h"

#define RECORDS_MAX 20
#define FIELDS_MAX  9
#define FIELD_MAX   512 /* a comment that is longer is cut */

struct record {
	char text[FIELDS_MAX][FIELD_MAX];
	const char *fields[FIELDS_MAX + 1];
	size_t n;
};

__attribute__((format(printf, 3, 4)))
static void add_field(struct record *r, const char *name, const char *format, ...)
{
	size_t used = (size_t)snprintf(r->text[r->n], FIELD_MAX, "%s=", name);
	va_list args;

	va_start(args, format);
	(void) vsnprintf(r->text[r->n] + used, FIELD_MAX - used, format, args);
	va_end(args);
	r->fields[r->n] = r->text[r->n];
	r->n++;
}

/* The user at the keyboard, as far as sudo tells; the journal itself notes the audit session. */
static unsigned long user_id(void)
{
	const char *sudo = getenv("SUDO_UID");
	unsigned long id = geteuid();
	char *end;

	if (id != 0 || !sudo || !sudo[0])
		return id;
	id = strtoul(sudo, &end, 10);
	return *end == '\0' ? id : 0;
}

static void begin(struct record *r)
{
	*r = (struct record){};
	add_field(r, "FW_UID", "%lu", user_id());
}

/* "blocked 192.0.2.7 for 10m, list manual: ssh guesses" */
static void send_change(const struct changes *c, const struct change *i, const char *list, bool was_there, int pid)
{
	const char *result = c->is_removal ? (c->action == FW_ACTION_ALLOW ? "unallowed" : "unblocked") :
					     (c->action == FW_ACTION_ALLOW ? "allowed" : "blocked");
	const char *comment = c->is_removal ? "" : c->ctl->comment;
	char target[TARGET_TEXT_MAX], duration[DURATION_TEXT_MAX];
	bool has_end = !c->is_removal && i->until_unix != 0;
	struct record r;

	begin(&r);
	add_field(&r, "FW_TARGET", "%s", target_format(&i->target, target));
	add_field(&r, "FW_LIST", "%s", list);
	add_field(&r, "FW_RESULT", "%s", result);
	if (!c->is_removal)
		add_field(&r, "FW_DIRECTION", "%s", directions_to_string(i->directions));
	if (!c->is_removal)
		add_field(&r, "FW_REFRESHED", "%d", was_there);
	if (has_end)
		add_field(&r, "FW_UNTIL", "%" PRIi64, i->until_unix);
	if (comment[0])
		add_field(&r, "FW_COMMENT", "%s", comment);
	log_journal(LOG_INFO, c->is_removal ? MESSAGE_REMOVED : MESSAGE_ADDED, pid, r.fields, "%s%s %s%s%s, list %s%s%s",
		    !c->is_removal && was_there ? "refreshed, already " : "", result, target, has_end ? " for " : "",
		    has_end ? duration_format(c->ctl->duration_ns, duration) : "", list, comment[0] ? ": " : "", comment);
}

void journal_changes(const struct changes *c)
{
	int pid = presence_daemon_pid(c->ctl);
	size_t n = 0, n_refreshed = 0;

	for (const struct change *i = c->items; i < END_OF(c->items, c->n_items); i++)
		for (unsigned k = 0; k < FW_LISTS_MAX; k++) {
			bool was_there = table_entry_lists(&i->before) >> k & 1;
			struct fw_list list;

			if (!(i->lists >> k & 1) || table_get_list(c->table, k, &list) < 0)
				continue;
			if (n++ < RECORDS_MAX)
				send_change(c, i, list.name, was_there, pid);
			else
				n_refreshed += was_there;
		}
	if (n <= RECORDS_MAX)
		return;
	if (c->is_removal)
		journal_batch(c->ctl, 0, 0, n - RECORDS_MAX, 0);
	else
		journal_batch(c->ctl, n - RECORDS_MAX - n_refreshed, n_refreshed, 0, 0);
}

void journal_batch(struct ctl *ctl, size_t n_added, size_t n_refreshed, size_t n_removed, size_t n_failed)
{
	struct record r;

	if (n_added + n_refreshed + n_removed + n_failed == 0)
		return; /* all that should go was gone */
	begin(&r);
	add_field(&r, "FW_ADDED", "%zu", n_added);
	add_field(&r, "FW_REFRESHED", "%zu", n_refreshed);
	add_field(&r, "FW_REMOVED", "%zu", n_removed);
	add_field(&r, "FW_FAILED", "%zu", n_failed);
	log_journal(LOG_INFO, MESSAGE_BATCH, presence_daemon_pid(ctl), r.fields,
		    "many changes: %zu added, %zu refreshed, %zu removed, %zu commands failed", n_added, n_refreshed,
		    n_removed, n_failed);
}

void journal_replacement(struct ctl *ctl, const char *list, const char *result, size_t n_added, size_t n_removed,
			 size_t n_changed)
{
	struct record r;

	begin(&r);
	add_field(&r, "FW_LIST", "%s", list);
	add_field(&r, "FW_RESULT", "%s", result);
	add_field(&r, "FW_ADDED", "%zu", n_added);
	add_field(&r, "FW_REMOVED", "%zu", n_removed);
	add_field(&r, "FW_CHANGED", "%zu", n_changed);
	log_journal(LOG_INFO, MESSAGE_REPLACED, presence_daemon_pid(ctl), r.fields, "%s list %s: +%zu -%zu, %zu changed",
		    result, list, n_added, n_removed, n_changed);
}

void journal_policy(struct ctl *ctl, const struct fw_list *l, const char *result)
{
	struct record r;

	begin(&r);
	add_field(&r, "FW_LIST", "%s", l->name);
	add_field(&r, "FW_RESULT", "%s", result);
	add_field(&r, "FW_ACTION", "%s", action_to_string(l->action));
	add_field(&r, "FW_MODE", "%s", mode_to_string(l->mode));
	add_field(&r, "FW_ENABLED", "%s", l->is_enabled ? "yes" : "no");
	log_journal(LOG_NOTICE, MESSAGE_POLICY, presence_daemon_pid(ctl), r.fields, "%s list %s: action %s, mode %s, %s",
		    result, l->name, action_to_string(l->action), mode_to_string(l->mode),
		    l->is_enabled ? "enabled" : "disabled");
}

void journal_unloaded(struct ctl *ctl, size_t n_detached)
{
	struct record r;

	begin(&r);
	add_field(&r, "FW_DETACHED", "%zu", n_detached);
	log_journal(LOG_NOTICE, MESSAGE_UNLOADED, 0, r.fields,
		    "unloaded: %zu programs detached, no packet is filtered any more", n_detached);
}
