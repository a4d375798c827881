// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * check: what would become of a packet? The verdict is the kernel program's own, by a test run that
 * counts nothing; the entries behind it are looked up beside it.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "log.h"
#include "names.h"
#include "output.h"
#include "row.h"

#define ARGUMENT_TEXT_MAX 256

struct question {
	struct target address;
	struct target port;
	bool has_address;
	bool has_port;
	unsigned directions;
};

/* ADDR, PORT, or both in any order. */
static int parse_question(struct ctl *ctl, int argc, char **argv, struct question *q)
{
	char escaped[ARGUMENT_TEXT_MAX];
	const char *error;
	struct target t;

	for (int i = 0; i < argc; i++) {
		(void) log_escape(argv[i], escaped, sizeof(escaped));
		if (target_parse(argv[i], strlen(argv[i]), &t, &error) < 0)
			return output_fail(ctl, EXIT_USAGE, "'%s': %s", escaped, error);

		if (t.kind == TARGET_PORT) {
			if (q->has_port || t.port.first != t.port.last)
				return output_fail(ctl, EXIT_USAGE, "'%s': check takes one port",
						   escaped);
			q->port = t;
			q->has_port = true;
		} else {
			if (q->has_address ||
			    t.prefix.length != prefix_full_length(t.prefix.family))
				return output_fail(ctl, EXIT_USAGE,
						   "'%s': check takes one address, not a prefix",
						   escaped);
			q->address = t;
			q->has_address = true;
		}
	}
	return EXIT_DONE;
}

static int stop_at_first(const struct table_entry *e, void *userdata)
{
	return -EEXIST;
}

/*
 * A port alone is asked with an address that no entry covers: one of those set aside for
 * documentation, as no packet comes from there. If all are covered, the answer for the last one is
 * right too: everything is.
 */
static int choose_neutral(struct table *t, struct target *ret)
{
	static const char *const networks[] = {
		"192.0.2.%u", "198.51.100.%u", "203.0.113.%u", "2001:db8::%x",
	};
	char text[PREFIX_TEXT_MAX];
	const char *error;
	int r;

	for (size_t i = 0; i < ELEMENTSOF(networks); i++)
		for (unsigned host = 254; host > 250; host--) {
			(void) snprintf(text, sizeof(text), networks[i], host);
			r = target_parse(text, strlen(text), ret, &error);
			if (r < 0)
				return r;
			r = table_covering(t, ret, stop_at_first, NULL);
			if (r != -EEXIST)
				return r;
		}
	return 0;
}

/* Asks the kernel for one direction. True in *ret_is_drop if the packet would be dropped. */
static int ask(struct table *t, const struct question *q, enum fw_direction d,
	       json_object *directions, bool *ret_is_drop)
{
	struct fw_list list = {};
	enum fw_reason reason;
	uint32_t answer;
	json_object *o;
	int r;

	r = table_check(t, &q->address.prefix, d, q->has_port ? q->port.port.protocol : FW_TCP,
			q->has_port ? q->port.port.first : -1, &answer);
	if (r < 0)
		return r;

	reason = FW_ANSWER_REASON(answer);
	if (reason == FW_REASON_ADDRESS || reason == FW_REASON_PORT ||
	    reason == FW_REASON_ALLOWED || reason == FW_REASON_AUDITED) {
		r = table_get_list(t, FW_ANSWER_LIST(answer), &list);
		if (r < 0)
			return r;
	}

	o = json_object_new_object();
	json_object_object_add(o, "direction", json_text(direction_to_string(d)));
	json_object_object_add(o, "verdict",
			       json_text(verdict_to_string(FW_ANSWER_VERDICT(answer))));
	json_object_object_add(o, "reason", json_text(reason_to_string(reason)));
	json_object_object_add(o, "list", json_text(list.name));
	json_object_array_add(directions, o);
	*ret_is_drop = FW_ANSWER_VERDICT(answer) == FW_DROP;
	return 0;
}

/* Gathers the covering entries that matter in a direction asked for. */
struct gathering {
	struct row_maker *maker;
	json_object *rows;
	unsigned directions;
};

static int gather(const struct table_entry *e, void *userdata)
{
	struct gathering *g = userdata;

	if ((g->directions & FW_IN && e->lists[FW_INGRESS]) ||
	    (g->directions & FW_OUT && e->lists[FW_EGRESS]))
		json_object_array_add(g->rows, row_make(g->maker, e));
	return 0;
}

static int gather_entries(struct ctl *ctl, struct table *t, const struct question *q,
			  json_object *rows)
{
	_cleanup_(row_maker_done) struct row_maker maker;
	struct gathering g = { .maker = &maker, .rows = rows, .directions = q->directions };
	int r;

	r = row_maker_init(&maker, ctl, t);
	if (r < 0)
		return r;

	r = table_covering(t, &q->address, gather, &g);
	if (r < 0 || !q->has_port)
		return r;
	return table_covering(t, &q->port, gather, &g);
}

static int print_answer(struct ctl *ctl, json_object *record)
{
	static const struct column fields[] = {
		{ "address", "address", COLUMN_TEXT },
		{ "port",    "port",    COLUMN_TEXT },
		{ "verdict", "verdict", COLUMN_TEXT },
		{ "reason",  "reason",  COLUMN_TEXT },
		{}
	};
	static const struct column directions[] = {
		{ "direction", "DIRECTION", COLUMN_TEXT },
		{ "verdict",   "VERDICT",   COLUMN_TEXT },
		{ "reason",    "REASON",    COLUMN_TEXT },
		{ "list",      "LIST",      COLUMN_TEXT },
		{}
	};
	static const struct section sections[] = {
		{ "directions", directions    },
		{ "entries",    entry_columns },
		{}
	};

	return output_record(ctl, record, fields, sections);
}

static int answer(struct ctl *ctl, struct table *t, const struct question *q)
{
	_cleanup_json_ json_object *record = json_object_new_object();
	json_object *directions = json_object_new_array();
	json_object *entries = json_object_new_array();
	json_object *decisive;
	size_t i_decisive = 0, n = 0;
	char text[TARGET_TEXT_MAX];
	bool is_drop, is_any_drop = false;
	int r;

	json_object_object_add(record, "address",
			       q->has_address ? json_text(target_format(&q->address, text)) : NULL);
	json_object_object_add(record, "port",
			       q->has_port ? json_text(target_format(&q->port, text)) : NULL);
	json_object_object_add(record, "verdict", NULL); /* keep their place before the tables */
	json_object_object_add(record, "reason", NULL);
	json_object_object_add(record, "directions", directions);
	json_object_object_add(record, "entries", entries);
	for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++) {
		if (!(q->directions >> d & 1))
			continue;
		r = ask(t, q, d, directions, &is_drop);
		if (r < 0)
			return r;
		if (is_drop && !is_any_drop) {
			is_any_drop = true;
			i_decisive = n;
		}
		n++;
	}
	r = gather_entries(ctl, t, q, entries);
	if (r < 0)
		return r;

	/* the first direction that drops speaks for both, else the first */
	decisive = json_object_array_get_idx(directions, i_decisive);
	json_object_object_add(record, "verdict",
			       json_object_get(json_object_object_get(decisive, "verdict")));
	json_object_object_add(record, "reason",
			       json_object_get(json_object_object_get(decisive, "reason")));

	r = print_answer(ctl, record);
	if (r < 0)
		return r;
	return is_any_drop ? EXIT_DONE : EXIT_NO;
}

int verb_check(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_(table_freep) struct table *table = NULL;
	struct question q = { .directions = ctl->directions ?: FW_BOTH };
	int status, r;

	status = parse_question(ctl, argc, argv, &q);
	if (status != EXIT_DONE)
		return status;
	status = session_open(ctl, &table);
	if (status != EXIT_DONE)
		return status;

	if (!q.has_address) {
		r = choose_neutral(table, &q.address);
		if (r < 0)
			return r;
	}
	return answer(ctl, table, &q);
}
