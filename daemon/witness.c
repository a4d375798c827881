// SPDX-License-Identifier: GPL-2.0-or-later

/* Compares the counters of interfaces with those of hooks: see witness.h. */

#include "witness.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "hook/unseen.h"
#include "kernel/netlink.h"
#include "log/log.h"
#include "report/judge.h"
#include "text/names.h"

#define HOOKS FW_HOOK_CGROUP /* those of interfaces; what of it is for sockets of this host no interface knows */

/* Devices that count what does not go through tc there: it is another device's, or no packet of a network. */
static const char *const strange_kinds[] = { "vrf", "ipvlan", "ipvtap", "ifb", "nlmon", "vsockmon" };

/* An interface at the end of a window. */
struct meter {
	unsigned ifindex;
	uint64_t serial;
	char name[IFNAMSIZ];
	bool is_on[HOOKS]; /* is the hook on it, and does nothing of others take packets away before? */
	struct judge_count crossed[_FW_DIRECTION_MAX];
	uint64_t n_lost;   /* received, and dropped by the driver or by the kernel */
};

struct sample {
	struct meter *meters;
	size_t n_meters;
	struct judge_count seen[HOOKS][_FW_DIRECTION_MAX];
	struct judge_count xdp_dropped;
};

struct witness {
	const char *run_dir;
	struct table *table;
	struct sample last; /* no meters: there was none, or nothing is attached */
	struct judge_state states[HOOKS][_FW_DIRECTION_MAX];
	struct unseen found[HOOKS][_FW_DIRECTION_MAX];
	int error; /* that was said, 0 = none */
};

struct reading {
	const struct hooks *hooks;
	const struct interfaces *interfaces;
	struct sample *sample;
};

int witness_new(const char *run_dir, struct table *t, struct witness **ret)
{
	struct witness *w = calloc(1, sizeof(*w));

	if (!w)
		return log_error(-ENOMEM, "Cannot compare counters: %m");
	w->run_dir = run_dir;
	w->table = t;
	witness_forget(w);
	*ret = w;
	return 0;
}

struct witness *witness_free(struct witness *w)
{
	if (w)
		free(w->last.meters);
	free(w);
	return NULL;
}

void witness_forget(struct witness *w)
{
	int r;

	free(w->last.meters);
	w->last = (struct sample){};
	memset(w->states, 0, sizeof(w->states));
	r = unseen_remove(w->run_dir);
	if (r < 0)
		(void) log_warning(r, "Cannot remove '%s/unseen', ignoring: %m", w->run_dir);
}

static bool is_strange(const struct interface *i)
{
	for (size_t n = 0; n < ELEMENTSOF(strange_kinds); n++)
		if (strcmp(i->kind, strange_kinds[n]) == 0)
			return true;
	return false;
}

static bool has_xdp(const struct nlattr *xdp)
{
	const struct nlattr *a;

	mnl_attr_for_each_nested(a, xdp)
		if (mnl_attr_get_type(a) == IFLA_XDP_ATTACHED)
			return mnl_attr_get_u8(a) != XDP_ATTACHED_NONE;
	return false;
}

static void take_stats(struct meter *m, const struct nlattr *a)
{
	struct rtnl_link_stats64 stats = {}; /* kernels send more or less of it */
	size_t size = mnl_attr_get_payload_len(a);

	memcpy(&stats, mnl_attr_get_payload(a), size < sizeof(stats) ? size : sizeof(stats));
	m->crossed[FW_INGRESS] = (struct judge_count){ stats.rx_packets, stats.rx_bytes };
	m->crossed[FW_EGRESS] = (struct judge_count){ stats.tx_packets, stats.tx_bytes };
	m->n_lost = stats.rx_dropped + stats.rx_nohandler;
}

/* Of each link the kernel tells; those with a hook of ours become a meter. */
static int take_link(const struct nlmsghdr *h, void *userdata)
{
	struct reading *reading = userdata;
	const struct ifinfomsg *link = mnl_nlmsg_get_payload(h);
	const struct interface *i = interfaces_find(reading->interfaces, (unsigned)link->ifi_index);
	struct sample *s = reading->sample;
	bool is_foreign = false, has_stats = false;
	const struct nlattr *a;
	struct meter m;

	if (!i || is_strange(i))
		return 0;
	m = (struct meter){ .ifindex = i->ifindex, .serial = i->serial };
	strcpy(m.name, i->name);
	for (enum fw_hook hook = 0; hook < HOOKS; hook++)
		m.is_on[hook] = hooks_is_on(reading->hooks, i, hook);
	mnl_attr_for_each(a, h, sizeof(*link)) {
		if (mnl_attr_get_type(a) == IFLA_STATS64) {
			take_stats(&m, a);
			has_stats = true;
		} else if ((mnl_attr_get_type(a) & NLA_TYPE_MASK) == IFLA_XDP) {
			is_foreign = has_xdp(a) && !m.is_on[FW_HOOK_XDP];
		}
	}
	if (!has_stats || is_foreign || (!m.is_on[FW_HOOK_XDP] && !m.is_on[FW_HOOK_TC]))
		return 0;
	s->meters[i - reading->interfaces->items] = m; /* may be told again, because something has changed meanwhile */
	return 0;
}

/* Leaves out interfaces without a meter. Those with one stay in the order of their ifindex, by which find_meter() finds them. */
static void compact(struct sample *s)
{
	size_t n_meters = 0;

	for (size_t n = 0; n < s->n_meters; n++)
		if (s->meters[n].ifindex != 0)
			s->meters[n_meters++] = s->meters[n];
	s->n_meters = n_meters;
}

static int take_sample(const struct witness *w, const struct hooks *h, const struct interfaces *s, struct sample *ret)
{
	static const struct ifinfomsg every = {};
	struct sample fresh = { .meters = calloc(s->n_items + 1, sizeof(*fresh.meters)), .n_meters = s->n_items };
	struct reading reading = { h, s, &fresh };
	struct fw_counters c = {};
	int r;

	if (!fresh.meters)
		return -ENOMEM;
	r = netlink_ask(RTM_GETLINK, &every, sizeof(every), take_link, &reading);
	compact(&fresh);
	for (enum fw_hook hook = 0; r >= 0 && hook < HOOKS; hook++)
		for (enum fw_direction d = 0; r >= 0 && d < _FW_DIRECTION_MAX; d++) {
			r = table_read_counters(w->table, hook, d, &c);
			fresh.seen[hook][d] = (struct judge_count){ c.packets, c.bytes };
			if (hook == FW_HOOK_XDP && d == FW_INGRESS)
				fresh.xdp_dropped = (struct judge_count){ c.dropped, c.dropped_bytes };
		}
	if (r < 0) {
		free(fresh.meters);
		return r;
	}
	*ret = fresh;
	return 0;
}

static int compare_ifindex(const void *a, const void *b)
{
	unsigned x = ((const struct meter *)a)->ifindex, y = ((const struct meter *)b)->ifindex;

	return (x > y) - (x < y);
}

/* The same interface in the sample before, if the hook was on it then. */
static const struct meter *find_meter(const struct sample *s, const struct meter *m, enum fw_hook hook)
{
	const struct meter *old = s->n_meters > 0 ? bsearch(m, s->meters, s->n_meters, sizeof(*m), compare_ifindex) : NULL;

	return old && old->serial == m->serial && old->is_on[hook] ? old : NULL;
}

static void add(struct judge_count *sum, const struct judge_count *c)
{
	sum->packets += c->packets;
	sum->bytes += c->bytes;
}

/*
 * A window of one hook and direction over the interfaces that it was on at both ends. What it saw on others stays in:
 * that can hide something, and not make it up. ret_busiest: the interface with most, and its own window.
 */
static void compare(const struct sample *was, const struct sample *is, enum fw_hook hook, enum fw_direction d,
		    struct judge_window *ret, struct judge_window *ret_busiest, const char **ret_name, size_t *ret_n)
{
	struct judge_window all = {}, busiest = {};
	const char *name = "";
	size_t n_busy = 0;

	(void) judge_since(&was->seen[hook][d], &is->seen[hook][d], &all.seen);
	if (hook == FW_HOOK_TC && d == FW_INGRESS)
		(void) judge_since(&was->xdp_dropped, &is->xdp_dropped, &all.ahead);
	busiest = all;
	for (size_t n = 0; n < is->n_meters; n++) {
		const struct meter *m = &is->meters[n], *old = m->is_on[hook] ? find_meter(was, m, hook) : NULL;
		struct judge_count crossed;
		uint64_t n_lost;

		if (!old || !judge_since(&old->crossed[d], &m->crossed[d], &crossed) || m->n_lost < old->n_lost)
			continue;
		n_lost = d == FW_INGRESS ? m->n_lost - old->n_lost : 0;
		crossed.packets -= n_lost < crossed.packets ? n_lost : crossed.packets;
		add(&all.crossed, &crossed);
		n_busy += crossed.packets > 0;
		if (crossed.packets > busiest.crossed.packets) {
			busiest.crossed = crossed;
			name = m->name;
		}
	}
	*ret = all;
	*ret_busiest = busiest;
	*ret_name = name;
	*ret_n = n_busy;
}

static void judge(struct witness *w, const struct sample *now, enum fw_hook hook, enum fw_direction d)
{
	struct judge_window all, busiest;
	struct unseen *u = &w->found[hook][d];
	char text[UNSEEN_TEXT_MAX];
	enum judge_news news;
	const char *name;
	size_t n;

	compare(&w->last, now, hook, d, &all, &busiest, &name, &n);
	news = judge_window(&w->states[hook][d], &all);
	if (judge_is_missed(&all)) {
		bool is_sure = n == 1 || judge_is_missed(&busiest);

		*u = (struct unseen){ .hook = hook, .direction = d };
		u->n_expected = judge_expected(is_sure ? &busiest : &all);
		u->n_seen = all.seen.packets;
		strcpy(u->name, is_sure ? name : "");
	}
	if (news == JUDGE_MISSES)
		(void) log_warning(0, "Attached, and most packets are not judged: %s; another program may come first, see 'fwctl doctor'",
				   unseen_describe(u, text));
	else if (news == JUDGE_SEES_AGAIN)
		log_notice("%s %s sees the packets of its interfaces again", hook_to_string(hook), direction_to_string(d));
}

static int publish(const struct witness *w, uint64_t window_usec)
{
	struct unseen_report report = { .usec = clock_usec(CLOCK_BOOTTIME), .window_usec = window_usec };

	for (enum fw_hook hook = 0; hook < HOOKS; hook++)
		for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++)
			if (w->states[hook][d].is_missing)
				report.items[report.n++] = w->found[hook][d];
	return unseen_write(w->run_dir, &report);
}

void witness_look(struct witness *w, const struct hooks *h, const struct interfaces *s, uint64_t window_usec)
{
	struct sample now;
	int r;

	r = take_sample(w, h, s, &now);
	if (r >= 0) {
		for (enum fw_hook hook = 0; hook < HOOKS; hook++)
			for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++)
				if (w->last.n_meters > 0 && (hook != FW_HOOK_XDP || d == FW_INGRESS))
					judge(w, &now, hook, d);
		free(w->last.meters);
		w->last = now;
		r = publish(w, window_usec);
	}
	if (r < 0 && r != w->error)
		(void) log_warning(r, "Cannot compare the counters of interfaces with ours, trying again: %m");
	w->error = r < 0 ? r : 0;
}
