// SPDX-License-Identifier: GPL-2.0-or-later

/* See outlook.h. */

#include "change/outlook.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "inspect/reckon.h"
#include "output/output.h"
#include "text/names.h"

#define WHAT_TEXT_MAX (TARGET_TEXT_MAX + 16)

#define PASSES 100 /* in addition to exit statuses: there is nothing to say */

/* A packet that must pass. */
struct packet {
	struct target host;
	struct target port; /* kind TARGET_PREFIX: it has none */
	enum fw_direction direction;
	const char *what;
};

static void view_done(struct outlook_view *v)
{
	free(v->entries);
}

static int view_add(struct outlook_view *v, const struct table_entry *e)
{
	struct table_entry *entries = reallocarray(v->entries, v->n_entries + 1, sizeof(*entries));

	if (!entries)
		return -ENOMEM;
	v->entries = entries;
	v->entries[v->n_entries++] = *e;
	return 0;
}

/* For table_covering() and table_walk_ports(). */
static int gather(const struct table_entry *e, void *userdata)
{
	return view_add(userdata, e);
}

static struct table_entry *view_find(struct outlook_view *v, const struct target *target)
{
	for (size_t i = 0; i < v->n_entries; i++)
		if (target_compare(&v->entries[i].target, target) == 0)
			return &v->entries[i];
	return NULL;
}

int outlook_put(struct outlook_view *v, const struct target *target, unsigned list, unsigned directions,
		uint32_t until)
{
	struct table_entry *e = view_find(v, target);
	int r;

	if (!e) {
		r = view_add(v, &(struct table_entry){ .target = *target });
		if (r < 0)
			return r;
		e = &v->entries[v->n_entries - 1];
	}
	for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++)
		e->lists[d] = (e->lists[d] & ~(1ull << list)) | (uint64_t)(directions >> d & 1) << list;
	e->until[list] = until;
	return 0;
}

void outlook_take(struct outlook_view *v, const struct target *target, uint64_t lists)
{
	struct table_entry *e = view_find(v, target);

	for (enum fw_direction d = 0; e && d < _FW_DIRECTION_MAX; d++)
		e->lists[d] &= ~lists;
}

void outlook_empty(struct outlook_view *v, unsigned list)
{
	for (size_t i = 0; i < v->n_entries; i++)
		outlook_take(v, &v->entries[i].target, 1ull << list);
}

static int load_lists(struct outlook *o)
{
	int r;

	for (unsigned i = 0; i < FW_LISTS_MAX && !o->is_loaded; i++) {
		r = table_get_list(o->table, i, &o->lists[i]);
		if (r < 0)
			return r;
		o->after[i] = o->policy && i == o->list ? *o->policy : o->lists[i];
	}
	o->is_loaded = true;
	return 0;
}

int outlook_set_policy(struct outlook *o, unsigned list, const struct fw_list *policy)
{
	int r = load_lists(o);

	if (r >= 0)
		o->after[list] = *policy;
	return r;
}

static int edit(struct outlook *o, struct outlook_view *v, const struct target *covered)
{
	return o->edit ? o->edit(v, covered, o->userdata) : 0;
}

static bool ends_before(uint32_t a, uint32_t b)
{
	return a != FW_UNTIL_NEVER && (b == FW_UNTIL_NEVER || a < b);
}

/* When the last entry ends that drops something; *ret_is_found: there is one. */
static uint32_t last_end(const struct outlook_view *v, const struct fw_list *lists, bool *ret_is_found)
{
	uint32_t last = 0;

	*ret_is_found = false;
	for (const struct table_entry *e = v->entries; e < END_OF(v->entries, v->n_entries); e++)
		for (unsigned i = 0; i < FW_LISTS_MAX; i++) {
			if (!(table_entry_lists(e) >> i & 1) || lists[i].action != FW_ACTION_BLOCK || !lists[i].is_enabled ||
			    lists[i].mode != FW_MODE_ENFORCE)
				continue;
			if (!*ret_is_found || ends_before(last, e->until[i]))
				last = e->until[i];
			*ret_is_found = true;
		}
	return last;
}

/* Takes the exceptions out that end before that. */
static void forget_exceptions(struct outlook_view *v, const struct fw_list *lists, uint32_t end)
{
	for (struct table_entry *e = v->entries; e < END_OF(v->entries, v->n_entries); e++)
		for (unsigned i = 0; i < FW_LISTS_MAX; i++)
			for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++)
				if (lists[i].action == FW_ACTION_ALLOW && ends_before(e->until[i], end))
					e->lists[d] &= ~(1ull << i);
}

/* Does it pass now and not then? By this list. */
static bool is_cut_between(const struct outlook *o, const struct outlook_view *now, const struct outlook_view *then,
			   enum fw_direction d, unsigned *ret_list)
{
	struct reckoning x = reckon(then->entries, then->n_entries, o->after, d, 0);

	*ret_list = x.list;
	return x.verdict == FW_DROP && reckon(now->entries, now->n_entries, o->lists, d, 0).verdict == FW_PASS;
}

/* Does it pass now, and would it be dropped, at once or later? By this list. */
static int is_cut(struct outlook *o, const struct packet *p, bool *ret_is_cut, unsigned *ret_list)
{
	_cleanup_(view_done) struct outlook_view now = {}, then = {};
	bool has_port = p->port.kind == TARGET_PORT, is_dropped;
	uint32_t end;
	int r;

	r = load_lists(o);
	if (r >= 0)
		r = table_covering(o->table, &p->host, gather, &now);
	if (r >= 0 && has_port)
		r = table_covering(o->table, &p->port, gather, &now);
	for (size_t i = 0; r >= 0 && i < now.n_entries; i++)
		r = view_add(&then, &now.entries[i]);
	if (r >= 0)
		r = edit(o, &then, &p->host);
	if (r >= 0 && has_port)
		r = edit(o, &then, &p->port);
	if (r < 0)
		return r;
	*ret_is_cut = is_cut_between(o, &now, &then, p->direction, ret_list);
	end = last_end(&then, o->after, &is_dropped);
	if (*ret_is_cut || !is_dropped)
		return 0;
	forget_exceptions(&now, o->lists, end);
	forget_exceptions(&then, o->after, end);
	*ret_is_cut = is_cut_between(o, &now, &then, p->direction, ret_list);
	return 0;
}

static int report(struct outlook *o, const char *reason)
{
	if (!o->ctl->is_forced && !o->ctl->is_dry_run)
		return output_fail(o->ctl, EXIT_NO, "Refusing to %s: %s; --force overrides", o->what, reason);
	output_note(o->ctl, "%s to %s although %s", o->ctl->is_dry_run ? "it would take --force" : "forced", o->what, reason);
	return o->ctl->is_forced ? EXIT_DONE : EXIT_NO;
}

/* reason: why it must pass, NULL = the packet says so. Returns PASSES, or as outlook_check() where it does not. */
static int check_packet(struct outlook *o, const struct packet *p, const char *reason)
{
	char text[PREFIX_TEXT_MAX], buffer[2 * GUARD_TEXT_MAX + FW_LIST_NAME_MAX];
	unsigned list;
	bool is_bad;
	int r;

	r = is_cut(o, p, &is_bad, &list);
	if (r < 0)
		return r;
	if (!is_bad)
		return PASSES;
	if (!reason) {
		(void) snprintf(buffer, sizeof(buffer), "list '%s' would then cut off %s, %s, on %s", o->after[list].name,
				prefix_format(&p->host.prefix, text), p->what, direction_to_string(p->direction));
		reason = buffer;
	}
	return report(o, reason);
}

static struct packet packet_of(const struct prefix *host, enum fw_direction direction, int port, const char *what)
{
	struct packet p = { .host = { .kind = TARGET_PREFIX, .prefix = *host }, .direction = direction, .what = what };

	if (port >= 0) {
		p.port.kind = TARGET_PORT;
		p.port.port.protocol = FW_TCP;
		p.port.port.first = p.port.port.last = (uint16_t)port;
	}
	return p;
}

static int check_host(struct outlook *o, const struct prefix *host, const char *what, const char *reason)
{
	struct packet p;
	int r = PASSES;

	for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX && r == PASSES; d++) {
		p = packet_of(host, d, -1, what);
		r = check_packet(o, &p, reason);
	}
	return r;
}

/* Both ways of a session. */
static int check_session(struct outlook *o, const struct guard_session *s, const char *reason)
{
	struct packet in = packet_of(&s->peer, FW_INGRESS, s->server_port, s->peer_is);
	struct packet out = packet_of(&s->peer, FW_EGRESS, s->client_port, s->peer_is);
	int r;

	r = check_packet(o, &in, reason);
	return r == PASSES ? check_packet(o, &out, reason) : r;
}

/* What a port entry comes to by itself, over all that no address decides: bytes are 1 where packets are dropped. */
static void mark_ports(const struct outlook_view *v, const struct fw_list *lists, enum fw_protocol protocol,
		       enum fw_direction direction, uint8_t marks[static UINT16_MAX + 1])
{
	struct reckoning x;

	memset(marks, 0, UINT16_MAX + 1);
	for (int is_allowed = 0; is_allowed <= 1; is_allowed++) /* the exceptions last: they win */
		for (const struct table_entry *e = v->entries; e < END_OF(v->entries, v->n_entries); e++) {
			if (e->target.port.protocol != protocol)
				continue;
			x = reckon(e, 1, lists, direction, 0);
			if (is_allowed ? x.reason == FW_REASON_ALLOWED : x.verdict == FW_DROP)
				memset(marks + e->target.port.first, !is_allowed,
				       (size_t)(e->target.port.last - e->target.port.first) + 1);
		}
}

static size_t count_ephemeral(const struct guard *g, const uint8_t marks[static UINT16_MAX + 1])
{
	size_t n = 0;

	for (unsigned port = g->ephemeral_first; port <= g->ephemeral_last; port++)
		n += marks[port] && guard_is_ephemeral(g, port);
	return n;
}

int outlook_count_ephemeral(struct outlook *o, enum fw_protocol protocol, enum fw_direction direction, size_t *ret)
{
	_cleanup_(view_done) struct outlook_view v = {};
	_cleanup_free_ uint8_t *marks = malloc(UINT16_MAX + 1);
	int r;

	if (!marks)
		return -ENOMEM;
	r = table_walk_ports(o->table, gather, &v);
	if (r >= 0)
		r = load_lists(o);
	if (r < 0)
		return r;
	mark_ports(&v, o->lists, protocol, direction, marks);
	*ret = count_ephemeral(o->guard, marks);
	return 0;
}

static int check_ephemeral_of(struct outlook *o, const struct outlook_view *now, const struct outlook_view *then,
			      enum fw_protocol protocol, enum fw_direction d, uint8_t *marks)
{
	char reason[GUARD_TEXT_MAX];
	size_t before, after;

	mark_ports(now, o->lists, protocol, d, marks);
	before = count_ephemeral(o->guard, marks);
	mark_ports(then, o->after, protocol, d, marks);
	after = count_ephemeral(o->guard, marks);
	if (after <= before)
		return PASSES;
	if (guard_is_much(o->guard, after))
		return report(o, guard_explain_ephemeral(o->guard, protocol, d, after, false, reason));
	output_note(o->ctl, "%s", guard_explain_ephemeral(o->guard, protocol, d, after, false, reason));
	return PASSES;
}

/* Are the ports that outgoing connections use blocked, by all entries together? */
static int check_ephemeral(struct outlook *o)
{
	_cleanup_(view_done) struct outlook_view now = {}, then = {};
	_cleanup_free_ uint8_t *marks = malloc(UINT16_MAX + 1);
	int r;

	if (!marks)
		return -ENOMEM;
	r = table_walk_ports(o->table, gather, &now);
	for (size_t i = 0; r >= 0 && i < now.n_entries; i++)
		r = view_add(&then, &now.entries[i]);
	if (r >= 0)
		r = edit(o, &then, NULL);
	if (r >= 0 && now.n_entries + then.n_entries == 0)
		return PASSES;
	if (r >= 0)
		r = load_lists(o);
	if (r < 0)
		return r;
	r = PASSES;
	for (enum fw_protocol protocol = 0; protocol < _FW_PROTOCOL_MAX && r == PASSES; protocol++)
		for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX && r == PASSES; d++)
			r = check_ephemeral_of(o, &now, &then, protocol, d, marks);
	return r;
}

int outlook_check_ephemeral(struct outlook *o)
{
	int r = check_ephemeral(o);

	return r == PASSES ? EXIT_DONE : r;
}

int outlook_check(struct outlook *o)
{
	const struct guard *g = o->guard;
	struct prefix host;
	int r = PASSES;

	for (const struct guard_item *i = g->items; i < END_OF(g->items, g->n_items) && r == PASSES; i++) {
		host = guard_host_of(&i->prefix);
		r = check_host(o, &host, i->what, NULL);
	}
	for (const struct guard_session *s = g->sessions; s < END_OF(g->sessions, g->n_sessions) && r == PASSES; s++)
		r = check_session(o, s, NULL);
	if (r == PASSES)
		r = check_ephemeral(o);
	return r == PASSES ? EXIT_DONE : r;
}

static int edit_changes(struct outlook_view *v, const struct target *covered, const void *userdata)
{
	const struct changes *c = userdata;
	int r = 0;

	for (const struct change *i = c->items; i < END_OF(c->items, c->n_items) && r == 0; i++) {
		if (covered ? !target_covers(&i->target, covered) : i->target.kind != TARGET_PORT)
			continue;
		if (c->is_removal)
			outlook_take(v, &i->target, i->lists);
		for (unsigned list = 0; list < FW_LISTS_MAX && !c->is_removal && r == 0; list++)
			if (i->lists >> list & 1)
				r = outlook_put(v, &i->target, list, i->directions, i->until);
	}
	return r;
}

/* What is protected in a prefix, or what a part of which it is. */
static int check_prefix(struct outlook *o, const struct prefix *p, bool is_block)
{
	const struct guard *g = o->guard;
	char reason[GUARD_TEXT_MAX];
	struct prefix host;
	int r = PASSES;

	for (const struct guard_item *i = g->items; i < END_OF(g->items, g->n_items) && r == PASSES; i++) {
		if (!guard_concerns(i, p))
			continue;
		host = guard_host_of(prefix_covers(p, &i->prefix) ? &i->prefix : p);
		r = check_host(o, &host, i->what, is_block ? guard_explain(i, p, reason) : NULL);
	}
	for (const struct guard_session *s = g->sessions; s < END_OF(g->sessions, g->n_sessions) && r == PASSES; s++)
		if (prefix_covers(p, &s->peer))
			r = check_session(o, s, NULL);
	return r;
}

static int check_port(struct outlook *o, const struct target *t, bool is_block)
{
	const struct guard *g = o->guard;
	char reason[GUARD_TEXT_MAX];
	int r = PASSES;

	for (const struct guard_session *s = g->sessions; s < END_OF(g->sessions, g->n_sessions) && r == PASSES; s++)
		r = check_session(o, s, is_block ? guard_explain_session(s, t, reason) : NULL);
	return r;
}

int outlook_check_changes(struct outlook *o, const struct changes *c, unsigned list)
{
	bool is_block = c->action == FW_ACTION_BLOCK && !c->is_removal, has_ports = false;
	const struct fw_list *l = &c->policy;
	char what[WHAT_TEXT_MAX], target[TARGET_TEXT_MAX];
	int r = PASSES;

	if (c->action == FW_ACTION_BLOCK && c->is_removal)
		return EXIT_DONE; /* what is dropped less is no harm */
	o->policy = list < FW_LISTS_MAX ? l : NULL;
	o->list = list;
	o->edit = edit_changes;
	o->userdata = c;
	o->what = what;
	for (const struct change *i = c->items; i < END_OF(c->items, c->n_items) && r == PASSES; i++) {
		(void) snprintf(what, sizeof(what), "%s%s %s", c->is_removal ? "un" : "", action_to_string(c->action),
				target_format(&i->target, target));
		has_ports = has_ports || i->target.kind == TARGET_PORT;
		if (i->target.kind == TARGET_PORT)
			r = check_port(o, &i->target, is_block);
		else if (is_block && i->target.prefix.length < GUARD_LENGTH_MIN && l->is_enabled && l->mode == FW_MODE_ENFORCE)
			r = report(o, GUARD_SHORT_TEXT);
		else
			r = check_prefix(o, &i->target.prefix, is_block);
		if (r == EXIT_DONE) /* forced, and told: there may be more of it */
			r = PASSES;
	}
	if (r == PASSES && has_ports)
		r = check_ephemeral(o);
	return r == PASSES ? EXIT_DONE : r;
}
