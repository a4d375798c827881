// SPDX-License-Identifier: GPL-2.0-or-later

/* stats: what each hook and direction in use has counted since the firewall was loaded. */

#include <errno.h>
#include <inttypes.h>

#include "base/cleanup.h"
#include "inspect/attachment.h"
#include "kernel/pins.h"
#include "output/output.h"
#include "session.h"
#include "text/names.h"
#include "verbs.h"
#include "verbs/prometheus.h"
#include "verbs/rates.h"

static json_object *counters_row(enum fw_hook hook, enum fw_direction direction,
				 const struct fw_counters *c)
{
	json_object *row = json_object_new_object();

	json_object_object_add(row, "hook", json_text(hook_to_string(hook)));
	json_object_object_add(row, "direction", json_text(direction_to_string(direction)));
	json_object_object_add(row, "packets", json_object_new_uint64(c->packets));
	json_object_object_add(row, "bytes", json_object_new_uint64(c->bytes));
	json_object_object_add(row, "syn", json_object_new_uint64(c->syn));
	json_object_object_add(row, "syn_ack", json_object_new_uint64(c->syn_ack));
	json_object_object_add(row, "dropped", json_object_new_uint64(c->dropped));
	json_object_object_add(row, "dropped_bytes", json_object_new_uint64(c->dropped_bytes));
	json_object_object_add(row, "dropped_other_netns", json_object_new_uint64(c->dropped_other_netns));
	json_object_object_add(row, "unparsed", json_object_new_uint64(c->unparsed));
	return row;
}

/* Marks where something is attached, as bits of fw_counters_index(). */
static int mark_used(const struct attachment *a, void *userdata)
{
	uint32_t *used = userdata;

	if (a->is_live)
		*used |= 1u << fw_counters_index(a->hook, a->direction);
	return 0;
}

static int add_counters_rows(struct ctl *ctl, struct table *t, struct output_rows *rows)
{
	uint64_t n_other_netns = 0;
	struct fw_counters c;
	uint32_t used = 0;
	int r;

	/* if this fails, those that have counted something are shown all the same */
	(void) attachment_foreach(ctl->pin_dir, mark_used, &used);
	for (enum fw_hook h = 0; h < _FW_HOOK_MAX; h++)
		for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++) {
			r = table_read_counters(t, h, d, &c);
			if (r < 0)
				return r;
			if (!(used >> fw_counters_index(h, d) & 1) && c.packets == 0)
				continue;
			n_other_netns += c.dropped_other_netns;
			r = output_rows_add(rows, counters_row(h, d, &c));
			if (r < 0)
				return r;
		}
	if (n_other_netns > 0 && !ctl->is_json) /* a column more would not fit */
		output_note(ctl, "%" PRIu64 " of the drops were in other network namespaces", n_other_netns);
	return 0;
}

/* That nothing is loaded is worth a metric too, to be alarmed by; the exit status says it as always. */
static int print_metrics(struct ctl *ctl)
{
	_cleanup_(table_freep) struct table *table = NULL;
	int status = EXIT_DONE, error, r;

	error = pins_check_dir(ctl->pin_dir);
	if (error == 0)
		error = table_open(ctl->pin_dir, &table);
	if (error < 0) {
		status = session_explain(ctl, error);
		if (status != EXIT_NOT_LOADED)
			return status;
	}

	r = ctl->output ? prometheus_write(ctl, table, ctl->output) : prometheus_print(ctl, table, stdout);
	if (r >= 0)
		return status;
	if (r == -ENOTSUP)
		return output_fail(ctl, EXIT_NO, "'%s' is no regular file: without --output metrics go to standard output",
				   ctl->output);
	if (r == -ELOOP)
		return output_fail(ctl, EXIT_NO, "Cannot write '%s': another user could have made a symbolic link in its path",
				   ctl->output);
	errno = -r;
	return output_fail(ctl, EXIT_NO, "Cannot write the metrics%s%s: %m", ctl->output ? " to " : "",
			   ctl->output ?: "");
}

int verb_stats(struct ctl *ctl, int argc, char **argv)
{
	static const struct column columns[] = {
		{ "hook",          "HOOK",          COLUMN_TEXT   },
		{ "direction",     "DIRECTION",     COLUMN_TEXT   },
		{ "packets",       "PACKETS",       COLUMN_NUMBER },
		{ "bytes",         "BYTES",         COLUMN_NUMBER },
		{ "syn",           "SYN",           COLUMN_NUMBER },
		{ "syn_ack",       "SYN+ACK",       COLUMN_NUMBER },
		{ "dropped",       "DROPPED",       COLUMN_CUT    },
		{ "dropped_bytes", "DROP BYTES",    COLUMN_NUMBER },
		{ "unparsed",      "UNPARSED",      COLUMN_NUMBER },
		{}
	};
	_cleanup_(table_freep) struct table *table = NULL;
	struct output_rows rows;
	int status, r, end;

	if (ctl->output && !ctl->is_prometheus)
		return output_fail(ctl, EXIT_USAGE, "--output goes with --prometheus");
	if (ctl->is_prometheus && ctl->is_json)
		return output_fail(ctl, EXIT_USAGE, "--prometheus and --json are two formats: give one");
	if (ctl->is_prometheus && ctl->is_watch)
		return output_fail(ctl, EXIT_USAGE, "--watch and --prometheus do not go together");
	if (!ctl->is_watch && (ctl->count != UINT64_MAX || ctl->duration_ns != UINT64_MAX))
		return output_fail(ctl, EXIT_USAGE, "-n and --for go with --watch");
	if (ctl->is_prometheus)
		return print_metrics(ctl);

	status = session_open(ctl, &table);
	if (status != EXIT_DONE)
		return status;
	if (ctl->is_watch)
		return rates_watch(ctl, table);

	r = output_rows_begin(&rows, ctl, "hooks", columns);
	if (r < 0)
		return r;
	r = add_counters_rows(ctl, table, &rows);
	end = output_rows_end(&rows);
	return r < 0 ? r : end;
}
