// SPDX-License-Identifier: GPL-2.0-or-later

/* status: is the firewall loaded, what does it filter, and does the daemon keep it so? */

#include <errno.h>
#include <inttypes.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "hook/unseen.h"
#include "inspect/attachment.h"
#include "inspect/others.h"
#include "inspect/presence.h"
#include "inspect/where.h"
#include "kernel/netns.h"
#include "kernel/pins.h"
#include "output/output.h"
#include "session.h"
#include "text/names.h"
#include "verbs.h"

/* Why it is attached in this way, where that is not what one would want most. */
static json_object *attachment_reason(const struct attachment *a, const struct fw_meta *meta)
{
	if (!meta)
		return NULL;
	if (a->hook == FW_HOOK_XDP)
		return where_xdp_note(meta, a->ifindex);
	return a->hook == FW_HOOK_TC ? json_text(meta->tc_reason) : NULL;
}

struct hook_rows {
	json_object *rows;
	const struct fw_meta *meta; /* NULL where nothing is loaded, and no cgroup to be named */
};

/* Which of the programs at its hook it is; null where the kernel does not say. */
static void add_order(json_object *row, const struct attachment *a, const struct fw_meta *meta)
{
	struct attachment_order order;
	const char *cgroup = a->cgroup ? a->cgroup : meta ? meta->cgroup : "";
	bool is_known = attachment_read_order(a, cgroup, &order) >= 0;

	json_object_object_add(row, "position", is_known ? json_object_new_uint64(order.position) : NULL);
	json_object_object_add(row, "programs", is_known ? json_object_new_uint64(order.n) : NULL);
}

static int add_hook_row(const struct attachment *a, void *userdata)
{
	const struct hook_rows *h = userdata;
	json_object *row;

	if (!a->is_live)
		return 0;

	row = json_object_new_object();
	json_object_object_add(row, "hook", json_text(hook_to_string(a->hook)));
	json_object_object_add(row, "direction", json_text(direction_to_string(a->direction)));
	json_object_object_add(row, "where", where_text(a, h->meta));
	json_object_object_add(row, "mechanism", json_text(mechanism_to_string(a->mechanism)));
	json_object_object_add(row, "reason", attachment_reason(a, h->meta));
	json_object_object_add(row, "program", json_object_new_uint64(a->program_id));
	add_order(row, a, h->meta);
	json_object_object_add(row, "run_ns", a->n_runs > 0 ? json_object_new_uint64(a->run_ns / a->n_runs) : NULL);
	json_object_array_add(h->rows, row);
	return 0;
}

/* What no pin proves ours judges packets all the same. */
static size_t add_orphans(const struct ctl *ctl, json_object *record)
{
	struct hook_rows h = { json_object_new_array(), NULL };

	(void) attachment_foreach_orphan(ctl, add_hook_row, &h); /* without a right to ask there is no answer */
	json_object_object_add(record, "orphans", h.rows);
	return json_object_array_length(h.rows);
}

static json_object *make_fill(struct table *t, enum fw_kind kind)
{
	json_object *o = json_object_new_object();

	json_object_object_add(o, "count", json_object_new_uint64(table_count(t, kind)));
	json_object_object_add(o, "limit", json_object_new_uint64(table_limit(t, kind)));
	return o;
}

/* What holds whether or not anything is loaded. */
static json_object *make_record(const struct ctl *ctl, bool is_loaded)
{
	json_object *record = json_object_new_object(), *daemon = json_object_new_object();
	int pid = presence_daemon_pid(ctl);

	json_object_object_add(daemon, "running", json_object_new_boolean(pid > 0));
	json_object_object_add(daemon, "pid", pid > 0 ? json_object_new_int(pid) : NULL);
	json_object_object_add(record, "loaded", json_object_new_boolean(is_loaded));
	json_object_object_add(record, "daemon", daemon);
	json_object_object_add(record, "version", NULL);
	json_object_object_add(record, "hooks", json_object_new_array());
	return record;
}

static void add_meta(json_object *record, const struct fw_meta *meta)
{
	json_object_object_add(record, "version", json_text(meta->version));
	json_object_object_add(record, "netns", meta->netns_inode != 0 ? json_object_new_uint64(meta->netns_inode) : NULL);
	json_object_object_add(record, "netns_is_own", json_object_new_boolean(!netns_is_other(meta)));
	json_object_object_add(record, "tc_reason", json_text(meta->tc_reason));
	json_object_object_add(record, "xdp_reason", where_xdp_notes(meta));
	json_object_object_add(record, "cgroup_reason", json_text(meta->cgroup_reason));
	json_object_object_add(record, "cgroup_ports", json_text(meta->cgroup_ports));
	json_object_object_add(record, "pending", json_text(meta->pending));
	json_object_object_add(record, "failed", json_text(meta->failed));
}

static void add_entries(json_object *record, struct table *t)
{
	json_object *entries = json_object_new_object();

	json_object_object_add(entries, "ipv4", make_fill(t, FW_KIND_IPV4));
	json_object_object_add(entries, "ipv6", make_fill(t, FW_KIND_IPV6));
	json_object_object_add(entries, "port", make_fill(t, FW_KIND_PORT));
	json_object_object_add(record, "entries", entries);
}

static int print_record(struct ctl *ctl, json_object *record)
{
	static const struct column fields[] = {
		{ "loaded",         "loaded",       COLUMN_TEXT },
		{ "version",        "version",      COLUMN_TEXT },
		{ "daemon.running", "daemon runs",  COLUMN_TEXT },
		{ "daemon.pid",     "daemon pid",   COLUMN_TEXT },
		{ "entries.ipv4",   "IPv4 entries", COLUMN_FILL },
		{ "entries.ipv6",   "IPv6 entries", COLUMN_FILL },
		{ "entries.port",   "port entries", COLUMN_FILL },
		{ "xdp_reason",     "xdp note",     COLUMN_TEXT },
		{ "tc_reason",      "tc note",      COLUMN_TEXT },
		{ "cgroup_reason",  "cgroup note",  COLUMN_TEXT },
		{ "cgroup_ports",   "cgroup ports", COLUMN_TEXT },
		{ "pending",        "pending",      COLUMN_TEXT },
		{ "failed",         "failed",       COLUMN_TEXT },
		{}
	};
	static const struct column hooks[] = {
		{ "hook",      "HOOK",      COLUMN_TEXT },
		{ "direction", "DIRECTION", COLUMN_TEXT },
		{ "where",     "WHERE",     COLUMN_TEXT },
		{ "mechanism", "MECHANISM", COLUMN_TEXT },
		{ "program",   "PROGRAM",   COLUMN_NUMBER },
		{ "",          "POSITION",  COLUMN_PLACE },
		{ "run_ns",    "NS/RUN",    COLUMN_NUMBER },
		{}
	};
	static const struct section sections[] = {
		{ "hooks", hooks },
		{}
	};

	return output_record(ctl, record, fields, sections);
}

struct gaps {
	struct ctl *ctl;
	size_t n;
};

static int note_other(const struct other *o, void *userdata)
{
	struct gaps *g = userdata;

	if (o->harm != OTHER_DECIDES)
		return 0;
	output_note(g->ctl, "%s runs before ours at tc %s of %s: what it lets pass or sends elsewhere is not judged", o->text,
		    direction_to_string(o->direction), o->where);
	g->n++;
	return 0;
}

/* What the daemon has found by the counters of interfaces. */
static size_t note_unseen(struct ctl *ctl)
{
	struct unseen_report report;
	char text[UNSEEN_TEXT_MAX];

	unseen_read(ctl->run_dir, clock_usec(CLOCK_BOOTTIME), &report);
	for (size_t i = 0; i < report.n; i++)
		output_note(ctl, "attached, and most packets are not judged: %s", unseen_describe(&report.items[i], text));
	return report.n;
}

/* What is not judged although something is attached; in words, on stderr. The number of those gaps. */
static size_t note_gaps(struct ctl *ctl, const struct fw_meta *meta)
{
	struct gaps others = { .ctl = ctl };
	bool is_on_interface = false;
	size_t n = 0;

	for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++) {
		_cleanup_json_ json_object *judged = NULL;

		if (where_judged(ctl, meta, d, &judged) < 0)
			continue;
		is_on_interface = is_on_interface || where_is_judged_by(judged, FW_HOOK_XDP) ||
				  where_is_judged_by(judged, FW_HOOK_TC);
		if (where_is_judged(judged))
			continue;
		output_note(ctl, "%s is judged nowhere: no hook is attached in that direction", direction_to_string(d));
		n++;
	}
	if (meta->tc_mechanism != FW_MECHANISM_NONE && !is_on_interface) {
		output_note(ctl, "no interface is filtered: a ping, a closed port and what is forwarded pass");
		n++;
	}
	if (netns_is_other(meta)) { /* of which interfaces others are, is not seen from here */
		output_note(ctl, "it filters in another network namespace than this one: net:[%" PRIu64 "], see lsns(8); interfaces "
				 "here are not filtered by it", (uint64_t)meta->netns_inode);
		return n + 1;
	}
	if (meta->failed[0]) {
		if (ctl->is_quiet) /* else it is in the record */
			output_note(ctl, "not attached: %s", meta->failed);
		n++;
	}
	(void) others_foreach(ctl, NULL, note_other, &others); /* what cannot be asked is not said */
	return n + others.n + note_unseen(ctl);
}

/* Not loaded is an answer too: JSON says it on stdout, and both forms on stderr with what to do. */
static int report_absence(struct ctl *ctl, int error)
{
	_cleanup_json_ json_object *record = make_record(ctl, false);
	size_t n_orphans = add_orphans(ctl, record);
	int r;

	if (ctl->is_quiet)
		return n_orphans > 0 ? EXIT_NO : EXIT_NOT_LOADED;
	if (ctl->is_json && error == -ENOENT && presence_sees_bpffs(ctl)) {
		r = print_record(ctl, record);
		if (r < 0)
			return r;
	}
	return session_explain(ctl, error);
}

int verb_status(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_json_ json_object *record = NULL;
	_cleanup_(table_freep) struct table *table = NULL;
	size_t n_orphans, n_attached, n_gaps = 0;
	struct hook_rows h;
	int r;

	r = pins_check_dir(ctl->pin_dir);
	if (r == 0)
		r = table_open(ctl->pin_dir, &table);
	if (r < 0)
		return report_absence(ctl, r);

	record = make_record(ctl, true);
	add_meta(record, table_meta(table));
	add_entries(record, table);
	h.rows = json_object_object_get(record, "hooks");
	h.meta = table_meta(table);
	r = attachment_foreach(ctl->pin_dir, add_hook_row, &h);
	n_orphans = add_orphans(ctl, record);

	n_attached = json_object_array_length(h.rows) + n_orphans;
	if (n_attached == 0 && ctl->is_quiet)
		return EXIT_NOT_LOADED;
	if (n_attached > 0)
		n_gaps = note_gaps(ctl, h.meta);
	if (ctl->is_quiet)
		return n_gaps + n_orphans > 0 ? EXIT_NO : EXIT_DONE;
	attachment_note_orphans(ctl, n_orphans);
	if (r < 0) {
		errno = -r;
		output_note(ctl, "cannot tell where it is attached: %m");
	} else if (n_attached == 0) {
		output_note(ctl, "it is loaded but attached nowhere: no packet is filtered");
	}
	return print_record(ctl, record);
}
