// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * check: what would become of a packet? The verdict is the kernel program's own, by a test run that
 * counts nothing, in each direction in which a hook is attached; elsewhere the packet passes. The entries that
 * cover it are looked up separately, and from these what would become of it without each of their lists.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "inspect/attachment.h"
#include "inspect/others.h"
#include "inspect/reckon.h"
#include "inspect/where.h"
#include "log/log.h"
#include "output/explain.h"
#include "output/output.h"
#include "output/row.h"
#include "session.h"
#include "text/names.h"
#include "verbs.h"

#define ARGUMENT_TEXT_MAX 256

struct question {
	struct target address;
	struct target port;
	bool has_address;
	bool has_port;
	unsigned directions;
	uint32_t answers[_FW_DIRECTION_MAX]; /* the kernel's, for those directions */
	bool is_judged[_FW_DIRECTION_MAX];   /* is there a hook that gives this answer? */
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
			if (q->has_port)
				return output_fail(ctl, EXIT_USAGE, "'%s' is a second port: check takes one",
						   escaped);
			if (t.port.first != t.port.last)
				return output_fail(ctl, EXIT_USAGE,
						   "'%s': check takes one port, not a range", escaped);
			q->port = t;
			q->has_port = true;
		} else {
			if (q->has_address)
				return output_fail(ctl, EXIT_USAGE,
						   "'%s' is a second address: check takes one, and a port",
						   escaped);
			if (t.prefix.length != prefix_full_length(t.prefix.family))
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

/* What the packet would meet at each hook of the direction, as a verdict in its row; null: it is not attached. */
static void add_verdicts(json_object *judged, enum fw_verdict verdict)
{
	for (size_t i = 0; i < json_object_array_length(judged); i++) {
		json_object *row = json_object_array_get_idx(judged, i);
		bool is_attached = json_object_array_length(json_object_object_get(row, "where")) > 0;

		json_object_object_add(row, "verdict", is_attached ? json_text(verdict_to_string(verdict)) : NULL);
	}
}

/* An answer that holds for a part of the packets only, or for none. */
static void note_judged(struct ctl *ctl, json_object *judged, enum fw_direction d)
{
	if (!where_is_judged(judged))
		output_note(ctl, "%s is not judged: no hook is attached in that direction, and every packet passes; see Hooks= "
				 "and Interfaces= in ebpf-fw.conf(5), and 'fwctl status'", direction_to_string(d));
	else if (!where_is_judged_by(judged, FW_HOOK_XDP) && !where_is_judged_by(judged, FW_HOOK_TC))
		output_note(ctl, "%s is judged by the cgroup hook alone, which sees the packets of local sockets: a ping, a "
				 "closed port and what is forwarded pass", direction_to_string(d));
}

struct preceding {
	struct ctl *ctl;
	json_object *rows;
	json_object *judged;
	enum fw_direction direction;
};

/* Another owner's program that sees the packet before any of ours does, and may decide. */
static int add_preceding(const struct other *o, void *userdata)
{
	struct preceding *p = userdata;
	json_object *row;

	if (o->direction != p->direction || o->place != OTHER_BEFORE || o->harm == OTHER_HARMLESS)
		return 0;
	if (o->hook == FW_HOOK_TC && where_is_judged_at(p->judged, FW_HOOK_XDP, o->where))
		return 0;
	row = json_object_new_object();
	json_object_object_add(row, "hook", json_text(hook_to_string(o->hook)));
	json_object_object_add(row, "where", json_text(o->where));
	json_object_object_add(row, "program", o->program_id ? json_object_new_uint64(o->program_id) : NULL);
	json_object_object_add(row, "priority", o->priority ? json_object_new_uint64(o->priority) : NULL);
	json_object_array_add(p->rows, row);
	output_note(p->ctl, "%s at %s %s of %s may have decided first: %s", o->text, hook_to_string(o->hook),
		    direction_to_string(o->direction), o->where,
		    o->harm == OTHER_DIVERTS ? "what it sends elsewhere is not judged"
					     : "what it lets pass or sends elsewhere is not judged there");
	return 0;
}

static int add_direction(struct ctl *ctl, struct table *t, const struct question *q, enum fw_direction d,
			 json_object *judged, json_object *directions)
{
	enum fw_reason reason = FW_ANSWER_REASON(q->answers[d]);
	enum fw_verdict verdict = FW_ANSWER_VERDICT(q->answers[d]);
	struct preceding preceding = { .ctl = ctl, .judged = judged, .direction = d };
	struct fw_list list = {};
	json_object *o;
	int r;

	if (!q->is_judged[d])
		verdict = FW_PASS;
	else if (reason == FW_REASON_ADDRESS || reason == FW_REASON_PORT || reason == FW_REASON_ALLOWED ||
		 reason == FW_REASON_AUDITED) {
		r = table_get_list(t, FW_ANSWER_LIST(q->answers[d]), &list);
		if (r < 0)
			return r;
	}

	o = json_object_new_object();
	json_object_object_add(o, "direction", json_text(direction_to_string(d)));
	json_object_object_add(o, "verdict", json_text(verdict_to_string(verdict)));
	json_object_object_add(o, "reason", json_text(q->is_judged[d] ? reason_to_string(reason) : "not-judged"));
	json_object_object_add(o, "list", json_text(list.name));
	json_object_object_add(o, "hooks", verdict == FW_DROP || !q->is_judged[d] ? where_decided(judged, d) : NULL);
	add_verdicts(judged, verdict);
	json_object_object_add(o, "judged", json_object_get(judged));
	json_object_array_add(directions, o);
	note_judged(ctl, judged, d);
	preceding.rows = json_object_new_array();
	json_object_object_add(o, "before", preceding.rows);
	(void) others_foreach(ctl, NULL, add_preceding, &preceding); /* what cannot be asked is not said */
	return 0;
}

/* Asks the kernel for one direction. True in *ret_is_drop if the packet would be dropped. */
static int ask(struct ctl *ctl, struct table *t, struct question *q, enum fw_direction d, json_object *directions,
	       bool *ret_is_drop)
{
	_cleanup_json_ json_object *judged = NULL;
	int r;

	r = table_check(t, &q->address.prefix, d, q->has_port ? q->port.port.protocol : FW_TCP,
			q->has_port ? q->port.port.first : -1, &q->answers[d]);
	if (r < 0)
		return r;
	r = where_judged(ctl, table_meta(t), d, &judged);
	if (r < 0)
		return r;
	if (FW_ANSWER_REASON(q->answers[d]) == FW_REASON_PORT && table_left_ports(t) & 1u << d)
		where_leave_out(judged, FW_HOOK_CGROUP);
	q->is_judged[d] = where_is_judged(judged);
	*ret_is_drop = q->is_judged[d] && FW_ANSWER_VERDICT(q->answers[d]) == FW_DROP;
	return add_direction(ctl, t, q, d, judged, directions);
}

/* The covering entries that matter in a direction asked for. */
struct gathering {
	unsigned directions;
	struct table_entry *items;
	size_t n_items;
};

static void gathering_done(struct gathering *g)
{
	free(g->items);
}

static int gather(const struct table_entry *e, void *userdata)
{
	struct gathering *g = userdata;
	struct table_entry *items;

	if (!((g->directions & FW_IN && e->lists[FW_INGRESS]) ||
	      (g->directions & FW_OUT && e->lists[FW_EGRESS])))
		return 0;
	items = reallocarray(g->items, g->n_items + 1, sizeof(*items));
	if (!items)
		return -ENOMEM;
	items[g->n_items++] = *e;
	g->items = items;
	return 0;
}

static json_object *make_without(const char *list, enum fw_direction d, const struct reckoning *x,
				 const struct fw_list *lists)
{
	json_object *o = json_object_new_object();

	json_object_object_add(o, "list", json_text(list));
	json_object_object_add(o, "direction", json_text(direction_to_string(d)));
	json_object_object_add(o, "verdict", json_text(verdict_to_string(x->verdict)));
	json_object_object_add(o, "reason", json_text(reason_to_string(x->reason)));
	json_object_object_add(o, "by", json_text(x->list < FW_LISTS_MAX ? lists[x->list].name : NULL));
	return o;
}

/* What would happen to the packet without one of the lists, for each. */
static void add_without(struct ctl *ctl, json_object *rows, const struct question *q,
			const struct gathering *g, const struct fw_list *lists)
{
	struct reckoning all[_FW_DIRECTION_MAX], x;
	uint64_t held[_FW_DIRECTION_MAX] = {};

	for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++) {
		if (!(q->directions >> d & 1) || !q->is_judged[d])
			continue;
		all[d] = reckon(g->items, g->n_items, lists, d, 0);
		if (all[d].verdict != FW_ANSWER_VERDICT(q->answers[d]) ||
		    all[d].reason != FW_ANSWER_REASON(q->answers[d])) {
			output_note(ctl, "something was changed meanwhile: ask again");
			return;
		}
		held[d] = reckon_lists(g->items, g->n_items, lists, d);
	}
	for (unsigned i = 0; i < FW_LISTS_MAX; i++)
		for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++) {
			if (!(held[d] >> i & 1))
				continue;
			x = reckon(g->items, g->n_items, lists, d, 1ull << i);
			json_object_array_add(rows, make_without(lists[i].name, d, &x, lists));
		}
}

/* IPv6 addresses that stand for an IPv4 one: what is translated or tunnelled to it. Where the address begins, in bytes. */
static const struct {
	const char *prefix;
	const char *name;
	unsigned offset;
} embeddings[] = {
	{ "64:ff9b::/96", "NAT64", 12 }, /* RFC 6052 */
	{ "2002::/16",    "6to4",  2 },  /* RFC 3056 */
};

/*
 * Says if the address stands for an IPv4 address that would be dropped: IPv6 packets are judged by their IPv6 address
 * alone, so a block of the one does not cover the other.
 */
static int note_embedded(struct ctl *ctl, struct table *t, const struct question *q)
{
	const struct prefix *a = &q->address.prefix;
	char text[PREFIX_TEXT_MAX];
	struct prefix outer, inner;
	uint32_t answer;
	bool is_masked;
	int r;

	for (size_t i = 0; i < ELEMENTSOF(embeddings); i++) {
		r = prefix_parse(embeddings[i].prefix, strlen(embeddings[i].prefix), &outer, &is_masked);
		if (r < 0)
			return r;
		if (!prefix_covers(&outer, a))
			continue;
		inner = prefix_from_bytes(AF_INET, a->bytes + embeddings[i].offset, 32);
		for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++) {
			if (!(q->directions >> d & 1))
				continue;
			r = table_check(t, &inner, d, FW_TCP, -1, &answer);
			if (r < 0)
				return r;
			if (FW_ANSWER_VERDICT(answer) == FW_DROP && FW_ANSWER_VERDICT(q->answers[d]) == FW_PASS)
				output_note(ctl, "%s: this is the %s address of %s, which is blocked; IPv6 packets are "
						 "judged by their IPv6 address alone, so block it as well",
					    direction_to_string(d), embeddings[i].name, prefix_format(&inner, text));
		}
	}
	return 0;
}

/* What covers the question, and what each list of it is needed for. */
static int add_entries(struct ctl *ctl, struct table *t, const struct question *q, json_object *record)
{
	_cleanup_(row_maker_done) struct row_maker maker = {};
	_cleanup_(gathering_done) struct gathering g = { .directions = q->directions };
	json_object *entries = json_object_new_array(), *without = json_object_new_array();
	int r;

	json_object_object_add(record, "entries", entries);
	json_object_object_add(record, "without", without);
	r = row_maker_init(&maker, ctl, t);
	if (r < 0)
		return r;
	maker.is_detailed = true;

	r = table_covering(t, &q->address, gather, &g);
	if (r >= 0 && q->has_port)
		r = table_covering(t, &q->port, gather, &g);
	if (r < 0)
		return r;
	for (size_t i = 0; i < g.n_items; i++)
		json_object_array_add(entries, row_make(&maker, &g.items[i]));
	add_without(ctl, without, q, &g, maker.lists);
	return 0;
}

static int answer(struct ctl *ctl, struct table *t, struct question *q)
{
	_cleanup_json_ json_object *record = json_object_new_object();
	json_object *directions = json_object_new_array();
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
	for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++) {
		if (!(q->directions >> d & 1))
			continue;
		r = ask(ctl, t, q, d, directions, &is_drop);
		if (r < 0)
			return r;
		if (is_drop && !is_any_drop) {
			is_any_drop = true;
			i_decisive = n;
		}
		n++;
	}
	attachment_note_orphans(ctl, attachment_count_orphans(ctl));
	r = note_embedded(ctl, t, q);
	if (r >= 0)
		r = add_entries(ctl, t, q, record);
	if (r < 0)
		return r;

	/* the first direction that drops speaks for both, else the first */
	decisive = json_object_array_get_idx(directions, i_decisive);
	json_object_object_add(record, "verdict",
			       json_object_get(json_object_object_get(decisive, "verdict")));
	json_object_object_add(record, "reason",
			       json_object_get(json_object_object_get(decisive, "reason")));

	r = explain_check(ctl, record);
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
