// SPDX-License-Identifier: GPL-2.0-or-later

/* Everybody's programs on each interface and on our cgroup, but for ours: see others.h. */

#include "inspect/others.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "hook/cgroup.h"
#include "hook/xdpquery.h"
#include "inspect/attachment.h"
#include "inspect/where.h"
#include "log/log.h"
#include "text/names.h"

#define OURS_MAX     4096
#define PROGRAMS_MAX 64 /* the kernel takes no more on one hook */
#define FILTER_TEXT_MAX 64
#define OUR_PREFIX "fw_tc_" /* of programs at tc; another firewall of this kind never ends the chain (I5) */

static const uint32_t cgroup_types[_FW_DIRECTION_MAX] = { BPF_CGROUP_INET_INGRESS, BPF_CGROUP_INET_EGRESS };

struct walk {
	others_fn fn;
	void *userdata;
	struct qdiscs qdiscs;
	uint32_t ours[OURS_MAX]; /* programs */
	size_t n_ours;
};

static bool is_ours(const struct walk *w, uint32_t id)
{
	for (size_t i = 0; i < w->n_ours; i++)
		if (w->ours[i] == id)
			return true;
	return false;
}

static int note_ours(const struct attachment *a, void *userdata)
{
	struct walk *w = userdata;

	if (w->n_ours < OURS_MAX && !is_ours(w, a->program_id)) /* one program is on many interfaces */
		w->ours[w->n_ours++] = a->program_id;
	return 0;
}

/* Where ours is, n = it is not. */
static size_t find_ours(const struct walk *w, const struct lineup *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->items[i].program_id != 0 && is_ours(w, l->items[i].program_id))
			return i;
	return l->n;
}

/* Fills in the text, and whether it is one of the same kind as ours. */
static void describe(struct other *o, const struct lineup_item *item)
{
	char escaped[FILTER_TEXT_MAX], kind[FILTER_TEXT_MAX], name[WHERE_PROGRAM_MAX] = "";

	o->program_id = item->program_id;
	o->priority = item->priority;
	if (item->program_id != 0)
		(void) where_program(item->program_id, name);
	if (o->hook == FW_HOOK_TC && strncmp(name, OUR_PREFIX, strlen(OUR_PREFIX)) == 0)
		o->harm = OTHER_HARMLESS;
	if (item->priority == 0)
		(void) snprintf(o->text, sizeof(o->text), "program %" PRIu32 " '%s'", item->program_id, name);
	else
		(void) snprintf(o->text, sizeof(o->text), "a filter of kind %s%s%s at priority %" PRIu32,
				log_escape(item->kind, kind, sizeof(kind)), item->name[0] ? ", " : "",
				log_escape(item->name, escaped, sizeof(escaped)), item->priority);
}

/* All but ours. o says where they are and what they could do to ours. */
static int visit(struct walk *w, const struct lineup *l, const struct other *at)
{
	size_t ours = find_ours(w, l);
	int r = 0;

	for (size_t i = 0; i < l->n && r >= 0; i++) {
		struct other o = *at;

		if (l->items[i].program_id != 0 && is_ours(w, l->items[i].program_id))
			continue;
		if (ours < l->n)
			o.place = i < ours ? OTHER_BEFORE : OTHER_AFTER;
		if (o.place != OTHER_BEFORE)
			o.harm = OTHER_HARMLESS;
		describe(&o, &l->items[i]);
		r = w->fn(&o, w->userdata);
	}
	return r;
}

static int visit_tc(struct walk *w, const struct if_nameindex *i, bool *ret_is_ours)
{
	int r = 0;

	*ret_is_ours = false;
	for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX && r >= 0; d++) {
		struct other at = { .hook = FW_HOOK_TC, .direction = d, .ifindex = i->if_index, .where = i->if_name,
				    .harm = OTHER_DECIDES };
		struct lineup l;

		if (qdisc_has_direction(qdiscs_find(&w->qdiscs, i->if_index), d))
			r = lineup_read(i->if_index, d, &l);
		else
			lineup_read_tcx(i->if_index, d, &l);
		if (r >= 0)
			r = visit(w, &l, &at);
		*ret_is_ours = *ret_is_ours || (d == FW_INGRESS && find_ours(w, &l) < l.n);
	}
	return r;
}

/* One program is all that an interface has there: ours, or one that runs before ours at tc. */
static int visit_xdp(struct walk *w, const struct if_nameindex *i, bool has_tc)
{
	struct other o = { .hook = FW_HOOK_XDP, .direction = FW_INGRESS, .ifindex = i->if_index, .where = i->if_name,
			   .place = has_tc ? OTHER_BEFORE : OTHER_ALONE,
			   .harm = has_tc ? OTHER_DIVERTS : OTHER_HARMLESS };
	struct xdp_programs p = {};
	struct lineup_item item = {};

	if (xdp_query(i->if_index, &p) < 0) /* the interface has gone */
		return 0;
	item.program_id = p.native_id ?: p.generic_id;
	if (item.program_id == 0 || is_ours(w, item.program_id))
		return 0;
	describe(&o, &item);
	return w->fn(&o, w->userdata);
}

static int visit_interfaces(struct walk *w)
{
	struct if_nameindex *interfaces;
	bool has_tc;
	int r;

	r = qdiscs_read(&w->qdiscs);
	if (r < 0)
		return r;
	interfaces = if_nameindex();
	if (!interfaces)
		return -errno;
	for (const struct if_nameindex *i = interfaces; i->if_index != 0 && r >= 0; i++) {
		r = visit_tc(w, i, &has_tc);
		if (r >= 0)
			r = visit_xdp(w, i, has_tc);
	}
	if_freenameindex(interfaces);
	return r;
}

static int visit_cgroup(struct walk *w, const char *path)
{
	_cleanup_close_ int fd = -1;
	uint64_t unused;
	int r;

	r = cgroup_open(path, &fd, &unused);
	for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX && r >= 0; d++) {
		struct other at = { .hook = FW_HOOK_CGROUP, .direction = d, .where = path };
		__u32 ids[PROGRAMS_MAX], n = PROGRAMS_MAX;
		struct lineup l = {};

		if (bpf_prog_query(fd, cgroup_types[d], 0, NULL, ids, &n) < 0)
			continue;
		for (; l.n < n; l.n++)
			l.items[l.n] = (struct lineup_item){ .program_id = ids[l.n] };
		r = visit(w, &l, &at);
	}
	return r;
}

static void walk_freep(struct walk **w)
{
	if (*w)
		qdiscs_done(&(*w)->qdiscs);
	free(*w);
}

int others_foreach(const struct ctl *ctl, const char *cgroup, others_fn fn, void *userdata)
{
	_cleanup_(walk_freep) struct walk *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return -ENOMEM;
	w->fn = fn;
	w->userdata = userdata;
	r = attachment_foreach(ctl->pin_dir, note_ours, w);
	if (r >= 0)
		r = attachment_foreach_orphan(ctl, note_ours, w); /* they judge, too */
	if (r == -EPERM)
		r = 0; /* links without pins cannot be told from others' */
	if (r >= 0)
		r = visit_interfaces(w);
	if (r >= 0 && cgroup)
		r = visit_cgroup(w, cgroup);
	return r;
}
