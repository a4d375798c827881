// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * stats --watch: what each hook counts per second, and what the kernel itself counts for the interfaces that
 * something of ours is attached to. The programs do not count by interface: what they drop is known by hook.
 */

#include "verbs/rates.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "inspect/attachment.h"
#include "inspect/links.h"
#include "output/output.h"
#include "output/screen.h"
#include "session.h"
#include "text/names.h"
#include "verbs/viewer.h"

#define TRIES_MAX  10 /* of a list of interfaces that changes while it is read */

/* Everything that is counted, at one moment. */
struct sample {
	struct fw_counters hooks[FW_COUNTERS_MAX];
	struct link_counters *links; /* by ifindex, those with an attachment */
	unsigned *used;              /* of these: which hooks, as bits */
	size_t n_links;
	unsigned attached;           /* bits of fw_counters_index() */
};

struct rates {
	struct ctl *ctl;
	struct table *table;
	struct watch *watch; /* watches nothing, but knows what is loaded */
	struct screen screen;
	struct sample before, now;
	double seconds; /* between the two */
};

static void sample_done(struct sample *s)
{
	free(s->links);
	free(s->used);
	*s = (struct sample){};
}

static void rates_done(struct rates *x)
{
	sample_done(&x->before);
	sample_done(&x->now);
	(void) watch_free(x->watch); /* returns NULL */
}

static int add_link(const struct link_counters *l, void *userdata)
{
	struct sample *s = userdata;
	struct link_counters *links = reallocarray(s->links, s->n_links + 1, sizeof(*links));
	unsigned *used = NULL;

	if (links) {
		s->links = links;
		used = reallocarray(s->used, s->n_links + 1, sizeof(*used));
	}
	if (!used)
		return -ENOMEM;
	s->used = used;
	used[s->n_links] = 0;
	links[s->n_links++] = *l;
	return 0;
}

static int mark_used(const struct attachment *a, void *userdata)
{
	struct sample *s = userdata;

	if (!a->is_live)
		return 0;
	s->attached |= 1u << fw_counters_index(a->hook, a->direction);
	for (size_t i = 0; i < s->n_links; i++)
		if (a->ifindex == s->links[i].ifindex)
			s->used[i] |= 1u << a->hook;
	return 0;
}

static int read_links(struct sample *s)
{
	int r = -EINTR;

	for (int n = 0; r == -EINTR && n < TRIES_MAX; n++) {
		sample_done(s);
		r = links_foreach(add_link, s);
	}
	return r;
}

static int read_sample(struct rates *x, struct sample *s)
{
	int r = read_links(s);

	for (enum fw_hook h = 0; h < _FW_HOOK_MAX; h++)
		for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX && r >= 0; d++)
			r = table_read_counters(x->table, h, d, &s->hooks[fw_counters_index(h, d)]);
	return r < 0 ? r : attachment_foreach(x->ctl->pin_dir, mark_used, s);
}

static void add_rate(json_object *o, const struct rates *x, const char *key, uint64_t now, uint64_t before)
{
	/* an interface that was reset, or replaced by another with its number, has started from zero */
	json_object_object_add(o, key, json_rate((now >= before ? now - before : now) / x->seconds));
}

static json_object *make_hooks(const struct rates *x)
{
	json_object *rows = json_object_new_array(), *o;

	for (enum fw_hook h = 0; h < _FW_HOOK_MAX; h++)
		for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++) {
			size_t i = fw_counters_index(h, d);
			const struct fw_counters *now = &x->now.hooks[i], *before = &x->before.hooks[i];

			if (!(x->now.attached >> i & 1) && now->packets == before->packets)
				continue;
			o = json_object_new_object();
			json_object_object_add(o, "hook", json_text(hook_to_string(h)));
			json_object_object_add(o, "direction", json_text(direction_to_string(d)));
			add_rate(o, x, "packets_per_second", now->packets, before->packets);
			add_rate(o, x, "bytes_per_second", now->bytes, before->bytes);
			add_rate(o, x, "syn_per_second", now->syn, before->syn);
			add_rate(o, x, "dropped_per_second", now->dropped, before->dropped);
			json_object_object_add(o, "packets", json_object_new_uint64(now->packets));
			json_object_object_add(o, "dropped", json_object_new_uint64(now->dropped));
			json_object_array_add(rows, o);
		}
	return rows;
}

/* The same interface in the sample before; nothing was counted for one that was not there. */
static struct rtnl_link_stats64 stats_before(const struct rates *x, unsigned ifindex)
{
	for (size_t i = 0; i < x->before.n_links; i++)
		if (x->before.links[i].ifindex == ifindex)
			return x->before.links[i].stats;
	return (struct rtnl_link_stats64){};
}

static json_object *make_interfaces(const struct rates *x)
{
	json_object *rows = json_object_new_array(), *o, *hooks;

	for (size_t i = 0; i < x->now.n_links; i++) {
		const struct link_counters *l = &x->now.links[i];
		struct rtnl_link_stats64 before = stats_before(x, l->ifindex);

		if (x->now.used[i] == 0)
			continue;
		o = json_object_new_object();
		hooks = json_object_new_array();
		for (enum fw_hook h = 0; h < _FW_HOOK_MAX; h++)
			if (x->now.used[i] >> h & 1)
				json_object_array_add(hooks, json_text(hook_to_string(h)));
		json_object_object_add(o, "interface", json_text(l->name));
		json_object_object_add(o, "hooks", hooks);
		add_rate(o, x, "rx_packets_per_second", l->stats.rx_packets, before.rx_packets);
		add_rate(o, x, "rx_bytes_per_second", l->stats.rx_bytes, before.rx_bytes);
		add_rate(o, x, "tx_packets_per_second", l->stats.tx_packets, before.tx_packets);
		add_rate(o, x, "tx_bytes_per_second", l->stats.tx_bytes, before.tx_bytes);
		json_object_array_add(rows, o);
	}
	return rows;
}

static int print_block(struct rates *x)
{
	static const struct column nothing[] = { {} };
	static const struct column hooks[] = {
		{ "hook",               "HOOK",      COLUMN_TEXT  },
		{ "direction",          "DIRECTION", COLUMN_TEXT  },
		{ "packets_per_second", "PACKETS/S", COLUMN_SHORT },
		{ "bytes_per_second",   "BYTES/S",   COLUMN_SHORT },
		{ "syn_per_second",     "SYN/S",     COLUMN_SHORT },
		{ "dropped_per_second", "DROPPED/S", COLUMN_SHORT },
		{}
	};
	static const struct column interfaces[] = {
		{ "interface",             "INTERFACE",    COLUMN_TEXT  },
		{ "hooks",                 "HOOKS",        COLUMN_TEXT  },
		{ "rx_packets_per_second", "RX PACKETS/S", COLUMN_SHORT },
		{ "rx_bytes_per_second",   "RX BYTES/S",   COLUMN_SHORT },
		{ "tx_packets_per_second", "TX PACKETS/S", COLUMN_SHORT },
		{ "tx_bytes_per_second",   "TX BYTES/S",   COLUMN_SHORT },
		{}
	};
	static const struct section sections[] = {
		{ "hooks",      hooks      },
		{ "interfaces", interfaces },
		{}
	};
	_cleanup_json_ json_object *record = json_object_new_object();
	int r;

	json_object_object_add(record, "time", json_time(time(NULL)));
	json_object_object_add(record, "interval", json_rate(x->seconds));
	json_object_object_add(record, "hooks", make_hooks(x));
	json_object_object_add(record, "interfaces", make_interfaces(x));
	screen_begin_block(&x->screen);
	if (!x->ctl->is_json)
		printf("per second, over %.1f s\n", x->seconds);
	r = output_record(x->ctl, record, nothing, sections);
	return r < 0 ? r : screen_end_block(&x->screen);
}

/* While we wait: maps that are no longer the firewall's count nothing. */
static int check_loaded(void *userdata)
{
	const struct rates *x = userdata;

	return viewer_check(x->ctl, x->watch);
}

int rates_watch(struct ctl *ctl, struct table *t)
{
	_cleanup_(rates_done) struct rates x = { .ctl = ctl, .table = t };
	struct sample was;
	uint64_t elapsed_ns;
	int r;

	r = watch_open(ctl->pin_dir, &x.watch);
	if (r < 0)
		return session_explain(ctl, r);
	r = screen_begin(&x.screen, ctl);
	if (r == 0)
		r = read_sample(&x, &x.before);
	while (r == 0) {
		r = screen_wait(&x.screen, check_loaded, &x, &elapsed_ns);
		if (r != 0 || elapsed_ns == 0)
			break;
		x.seconds = (double)elapsed_ns / NS_PER_SEC;
		r = read_sample(&x, &x.now);
		if (r == 0)
			r = print_block(&x);
		was = x.before; /* its memory is freed by the next sample */
		x.before = x.now;
		x.now = was;
	}
	return r;
}
