// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * The doctor's check of lock-outs: what "fwctl block" would have refused, but came by --force, by a file, or before the
 * host got this address. The kernel's own verdict counts, so that exceptions do, too.
 */

#include "doctor.h"

#include <string.h>
#include <sys/socket.h>

#include "cleanup.h"
#include "guard.h"
#include "names.h"

static const char *list_name(struct doctor *d, unsigned index, struct fw_list *l)
{
	return index < FW_LISTS_MAX && table_get_list(d->table, index, l) >= 0 ? l->name : "?";
}

/* The address itself, or the first host of a prefix such as loopback. */
static struct prefix host_of(const struct prefix *p)
{
	struct prefix host = *p;

	host.length = prefix_full_length(p->family);
	if (p->length < host.length)
		host.bytes[host.length / 8 - 1] |= 1;
	return host;
}

static int check_packet(struct doctor *d, const struct guard_item *item, enum fw_direction direction, int port,
			const char *of_what, bool *ret_is_bad)
{
	struct prefix host = host_of(&item->prefix);
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

static int check_item(struct doctor *d, const struct guard *g, const struct guard_item *item, bool *ret_is_bad)
{
	int r = 0;

	for (enum fw_direction direction = 0; r >= 0 && direction < _FW_DIRECTION_MAX; direction++)
		r = check_packet(d, item, direction, -1, "", ret_is_bad);
	for (size_t i = 0; r >= 0 && !*ret_is_bad && i < g->n_sessions; i++) {
		r = check_packet(d, item, FW_INGRESS, g->sessions[i].server_port, " with the server port of this session",
				 ret_is_bad);
		if (r >= 0)
			r = check_packet(d, item, FW_EGRESS, g->sessions[i].client_port,
					 " with the client port of this session", ret_is_bad);
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
		r = check_item(d, &g, &g.items[i], &is_bad);
	if (r >= 0 && !is_bad)
		doctor_say(d, LEVEL_OK, NULL, "loopback, this host, its gateways and this session pass");
	return r;
}
