// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * The doctor's check of lock-outs: what "fwctl block" would have refused, but came by --force, by a file, or before the
 * host got this address. The kernel's own verdict counts, so that exceptions do, too.
 */

#include "doctor/doctor.h"

#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "change/outlook.h"
#include "guard/guard.h"
#include "text/names.h"

static const char *list_name(struct doctor *d, unsigned index, struct fw_list *l)
{
	return index < FW_LISTS_MAX && table_get_list(d->table, index, l) >= 0 ? l->name : "?";
}

static int check_packet(struct doctor *d, const struct guard_item *item, enum fw_direction direction, int port,
			const char *of_what, bool *ret_is_bad)
{
	struct prefix host = guard_host_of(&item->prefix);
	char text[PREFIX_TEXT_MAX];
	struct fw_list list;
	uint32_t answer;
	int r;

	r = table_check(d->table, &host, direction, FW_TCP, port, &answer);
	if (r < 0)
		return r;
	if (FW_ANSWER_VERDICT(answer) == FW_DROP)
		doctor_say(d, LEVEL_PROBLEM, "fwctl allow makes an exception, fwctl unblock ends it",
			   "%s, %s%s, is cut off on %s: by list '%s' (%s)", prefix_format(&host, text), item->what, of_what,
			   direction_to_string(direction), list_name(d, FW_ANSWER_LIST(answer), &list),
			   reason_to_string(FW_ANSWER_REASON(answer)));
	else if (FW_ANSWER_REASON(answer) == FW_REASON_AUDITED)
		doctor_say(d, LEVEL_WARNING, "fwctl allow makes an exception before that",
			   "%s, %s%s, would be cut off on %s if list '%s' enforced", prefix_format(&host, text), item->what,
			   of_what, direction_to_string(direction), list_name(d, FW_ANSWER_LIST(answer), &list));
	else
		return 0;
	*ret_is_bad = true;
	return 0;
}

static int check_item(struct doctor *d, const struct guard_item *item, bool *ret_is_bad)
{
	int r = 0;

	for (enum fw_direction direction = 0; r >= 0 && direction < _FW_DIRECTION_MAX; direction++)
		r = check_packet(d, item, direction, -1, "", ret_is_bad);
	return r;
}

static int check_session(struct doctor *d, const struct guard_session *s, bool *ret_is_bad)
{
	const struct guard_item peer = { .prefix = s->peer, .what = s->peer_is };
	int r;

	r = check_packet(d, &peer, FW_INGRESS, s->server_port, " with the server port of the session", ret_is_bad);
	if (r < 0)
		return r;
	return check_packet(d, &peer, FW_EGRESS, s->client_port, " with the client port of the session", ret_is_bad);
}

/* Ports of outgoing connections. */
static int check_ephemeral(struct doctor *d, const struct guard *g, bool *ret_is_bad)
{
	char reason[GUARD_TEXT_MAX];
	struct outlook o = { .ctl = d->ctl, .table = d->table, .guard = g };
	size_t n;
	int r = 0;

	for (enum fw_protocol protocol = 0; r >= 0 && protocol < _FW_PROTOCOL_MAX; protocol++)
		for (enum fw_direction direction = 0; r >= 0 && direction < _FW_DIRECTION_MAX; direction++) {
			r = outlook_count_ephemeral(&o, protocol, direction, &n);
			if (r < 0 || n == 0)
				continue;
			*ret_is_bad = true;
			doctor_say(d, guard_is_much(g, n) ? LEVEL_PROBLEM : LEVEL_NOTE, "fwctl unblock ends it", "%s",
				   guard_explain_ephemeral(g, protocol, direction, n, true, reason));
		}
	return r;
}

int doctor_check_lockout(struct doctor *d)
{
	_cleanup_(guard_done) struct guard g = {};
	bool is_bad = false;
	int r;

	r = guard_load(&g);
	for (size_t i = 0; r >= 0 && i < g.n_items; i++)
		r = check_item(d, &g.items[i], &is_bad);
	for (size_t i = 0; r >= 0 && !is_bad && i < g.n_sessions; i++)
		r = check_session(d, &g.sessions[i], &is_bad);
	if (r >= 0)
		r = check_ephemeral(d, &g, &is_bad);
	if (r >= 0 && !is_bad)
		doctor_say(d, LEVEL_OK, NULL, "loopback, this host, its gateways, its servers and the sessions at it pass");
	return r;
}
