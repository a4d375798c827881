// SPDX-License-Identifier: GPL-2.0-or-later

/* Links and clsact filters that are ours: see attachment.h. */

#include "inspect/attachment.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "hook/cgroup.h"
#include "hook/filters.h"
#include "hook/lineup.h"
#include "hook/xdpquery.h"
#include "kernel/pins.h"
#include "text/names.h"

#define LINK_TYPE_TCX  11 /* enum bpf_link_type; the headers of kernels before 6.6 lack it */
#define NAME_TEXT_MAX  256
#define PROGRAM_PREFIX "fw_tc_"
#define EGRESS_PROGRAM "fw_tc_out" /* as the pin is named, with the id after it during a start */
#define EGRESS_L3_PROGRAM "fw_tc_l3_out"
#define PROGRAMS_MAX   64 /* two generations of the programs, with room to spare */

struct walk {
	const char *pin_dir;
	attachment_fn fn;
	void *userdata;
	bool wants_orphans; /* filters that carry a program of ours that is not pinned, instead of one that is */
	struct program {
		struct bpf_prog_info info;
		bool is_egress; /* at tc, where a filter may carry the program of the wrong direction */
	} programs[PROGRAMS_MAX]; /* those that are pinned */
	size_t n_programs;
};

static const struct program *find_program(const struct walk *w, uint32_t id)
{
	for (size_t i = 0; i < w->n_programs; i++)
		if (w->programs[i].info.id == id)
			return &w->programs[i];
	return NULL;
}

static void set_program(const struct walk *w, struct attachment *a, uint32_t id)
{
	const struct program *p = find_program(w, id);

	a->program_id = id;
	if (!p)
		return;
	a->is_program_pinned = true;
	a->n_runs = p->info.run_cnt;
	a->run_ns = p->info.run_time_ns;
}

/* "tc_ingress_2", "cgroup_egress": false if the name is none of ours. */
static bool parse_link_name(const char *name, struct attachment *a)
{
	char start[NAME_TEXT_MAX];
	int length;

	for (enum fw_hook h = 0; h < _FW_HOOK_MAX; h++)
		for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++) {
			length = snprintf(start, sizeof(start), "%s_%s", hook_to_string(h),
					  direction_to_string(d));
			if (strncmp(name, start, length) != 0 ||
			    (name[length] != '\0' && name[length] != '_'))
				continue;
			a->hook = h;
			a->direction = d;
			return true;
		}
	return false;
}

static int open_link(const char *pin_dir, const char *link_name)
{
	char name[NAME_TEXT_MAX];

	(void) snprintf(name, sizeof(name), "links/%s", link_name);
	return pins_open(pin_dir, name);
}

/* The link does not say it, the interface does; not one in another network namespace. */
static enum fw_mechanism xdp_mode(unsigned ifindex, uint32_t prog_id)
{
	struct xdp_programs p = {};

	if (ifindex == 0 || xdp_query(ifindex, &p) < 0)
		return FW_MECHANISM_NONE;
	return xdp_mechanism_of(&p, prog_id);
}

static int visit_link(const char *name, struct walk *w)
{
	struct attachment a = { .link_name = name };
	struct bpf_link_info info = {};
	uint32_t size = sizeof(info);
	_cleanup_close_ int fd = -1;

	if (!parse_link_name(name, &a))
		return 0;
	fd = open_link(w->pin_dir, name);
	if (fd == -ENOENT)
		return 0; /* gone since the directory was read */
	if (fd < 0)
		return fd;
	if (bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		return -errno;

	switch (info.type) {
	case LINK_TYPE_TCX:
		a.mechanism = FW_MECHANISM_TCX;
		a.ifindex = info.netns.netns_ino; /* info.tcx begins with it, where headers know that */
		a.is_live = a.ifindex != 0;
		break;
	case BPF_LINK_TYPE_CGROUP:
		a.mechanism = FW_MECHANISM_CGROUP;
		a.is_live = info.cgroup.cgroup_id != 0;
		break;
	case BPF_LINK_TYPE_XDP:
		a.mechanism = xdp_mode(info.xdp.ifindex, info.prog_id);
		a.ifindex = info.xdp.ifindex;
		a.is_live = a.ifindex != 0;
		break;
	default:
		return 0;
	}
	a.link_id = info.id;
	set_program(w, &a, info.prog_id);
	return w->fn(&a, w->userdata);
}

static int visit_program(const char *name, void *userdata)
{
	struct bpf_prog_info info = {};
	uint32_t size = sizeof(info);
	_cleanup_close_ int fd = -1;
	char path[NAME_TEXT_MAX];
	struct walk *w = userdata;

	(void) snprintf(path, sizeof(path), "progs/%s", name);
	fd = pins_open(w->pin_dir, path);
	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return fd;
	if (bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		return -errno;
	if (w->n_programs < PROGRAMS_MAX)
		w->programs[w->n_programs++] = (struct program){
			.info = info,
			.is_egress = strncmp(name, EGRESS_PROGRAM, strlen(EGRESS_PROGRAM)) == 0 ||
				     strncmp(name, EGRESS_L3_PROGRAM, strlen(EGRESS_L3_PROGRAM)) == 0,
		};
	return 0;
}

static struct bpf_tc_hook filter_hook(unsigned ifindex, enum fw_direction d)
{
	return (struct bpf_tc_hook){
		.sz = sizeof(struct bpf_tc_hook),
		.ifindex = ifindex,
		.attach_point = d == FW_INGRESS ? BPF_TC_INGRESS : BPF_TC_EGRESS,
	};
}

static struct bpf_tc_opts filter_place(uint32_t priority)
{
	return (struct bpf_tc_opts){
		.sz = sizeof(struct bpf_tc_opts),
		.handle = FW_TC_HANDLE,
		.priority = priority,
	};
}

/*
 * A filter is ours if it sits at our place and carries a program of ours: both, or it is not. One whose program
 * is not pinned is an orphan if that has our name. One with the program of the other direction judges nothing: a version
 * before could leave it on a qdisc 'ingress'.
 */
static int visit_filter(const struct tc_filter *f, void *userdata)
{
	struct attachment a = {
		.hook = FW_HOOK_TC,
		.direction = f->direction,
		.mechanism = FW_MECHANISM_CLSACT,
		.ifindex = f->ifindex,
		.is_live = true,
		.priority = f->priority,
	};
	const struct program *p;
	struct walk *w = userdata;

	if ((f->priority != FW_TC_PRIORITY && f->priority != FW_TC_PRIORITY_SECOND) || f->handle != FW_TC_HANDLE)
		return 0;
	set_program(w, &a, f->program_id);
	p = find_program(w, f->program_id);
	if (p && p->is_egress != (f->direction == FW_EGRESS))
		a.is_live = false;
	if (a.is_program_pinned == w->wants_orphans)
		return 0;
	if (w->wants_orphans && strncmp(f->name, PROGRAM_PREFIX, strlen(PROGRAM_PREFIX)) != 0)
		return 0;
	return w->fn(&a, w->userdata);
}

/* Names of pins, to be visited in an order that people expect: a directory of a bpffs has none. */
struct pin_names {
	char **items;
	size_t n, n_allocated;
};

static void pin_names_done(struct pin_names *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->items[i]);
	free(p->items);
}

static int keep_name(const char *name, void *userdata)
{
	struct pin_names *p = userdata;

	if (p->n == p->n_allocated) {
		size_t n = p->n_allocated ? 2 * p->n_allocated : 64;
		char **items = reallocarray(p->items, n, sizeof(*items));

		if (!items)
			return -ENOMEM;
		p->items = items;
		p->n_allocated = n;
	}
	p->items[p->n] = strdup(name);
	if (!p->items[p->n])
		return -ENOMEM;
	p->n++;
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strverscmp(*(char *const *)a, *(char *const *)b);
}

static int visit_links(struct walk *w)
{
	_cleanup_(pin_names_done) struct pin_names names = {};
	int r;

	r = pins_foreach(w->pin_dir, "links", keep_name, &names);
	if (r < 0 || names.n == 0)
		return r == -ENOENT ? 0 : r;
	qsort(names.items, names.n, sizeof(*names.items), compare_names);
	for (size_t i = 0; i < names.n && r >= 0; i++)
		r = visit_link(names.items[i], w);
	return r;
}

/* Programs that are pinned. That nothing is, is no error. */
static int load_programs(struct walk *w)
{
	int r;

	r = pins_foreach(w->pin_dir, "progs", visit_program, w);
	return r == -ENOENT ? 0 : r;
}

int attachment_foreach(const char *pin_dir, attachment_fn fn, void *userdata)
{
	struct walk w = { .pin_dir = pin_dir, .fn = fn, .userdata = userdata };
	int r;

	r = load_programs(&w);
	if (r < 0)
		return r;
	r = visit_links(&w);
	if (r < 0)
		return r;
	return w.n_programs > 0 ? filters_foreach(visit_filter, &w) : 0;
}

int attachment_foreach_orphan_filter(const char *pin_dir, attachment_fn fn, void *userdata)
{
	struct walk w = { .pin_dir = pin_dir, .fn = fn, .userdata = userdata, .wants_orphans = true };
	int r;

	r = load_programs(&w);
	return r < 0 ? r : filters_foreach(visit_filter, &w);
}

/* Of those on the cgroup itself; all of them run, those of its parents too. */
static int read_cgroup_order(const struct attachment *a, const char *cgroup, struct attachment_order *ret)
{
	__u32 ids[PROGRAMS_MAX], n = PROGRAMS_MAX;
	_cleanup_close_ int fd = -1;
	uint64_t unused;
	int r;

	r = cgroup_open(cgroup, &fd, &unused);
	if (r >= 0)
		r = bpf_prog_query(fd, a->direction == FW_INGRESS ? BPF_CGROUP_INET_INGRESS : BPF_CGROUP_INET_EGRESS, 0,
				   NULL, ids, &n);
	if (r < 0)
		return r;
	ret->n = n;
	for (__u32 i = 0; i < n; i++)
		if (ids[i] == a->program_id)
			ret->position = i + 1;
	return 0;
}

int attachment_read_order(const struct attachment *a, const char *cgroup, struct attachment_order *ret)
{
	struct attachment_order order = {};
	struct lineup l = {};
	int r = 0;

	switch (a->mechanism) {
	case FW_MECHANISM_XDP_NATIVE:
	case FW_MECHANISM_XDP_GENERIC: /* the kernel takes one */
		order = (struct attachment_order){ 1, 1 };
		break;
	case FW_MECHANISM_CGROUP:
		r = read_cgroup_order(a, cgroup, &order);
		break;
	case FW_MECHANISM_TCX:
		lineup_read_tcx(a->ifindex, a->direction, &l);
		order = (struct attachment_order){ lineup_position(&l, a->program_id), l.n };
		break;
	default:
		r = lineup_read(a->ifindex, a->direction, &l);
		order = (struct attachment_order){ lineup_position(&l, a->program_id), l.n };
	}
	if (r < 0)
		return r;
	if (order.position == 0) /* an interface in another network namespace */
		return -ENOENT;
	*ret = order;
	return 0;
}

int attachment_detach(const char *pin_dir, const struct attachment *a)
{
	struct bpf_tc_hook hook = filter_hook(a->ifindex, a->direction);
	struct bpf_tc_opts opts = filter_place(a->priority);
	_cleanup_close_ int fd = -1;
	int r;

	if (a->link_id == 0) {
		r = bpf_tc_detach(&hook, &opts);
		return r == -ENOENT ? 0 : r;
	}

	fd = a->link_name ? open_link(pin_dir, a->link_name) : bpf_link_get_fd_by_id(a->link_id);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	r = bpf_link_detach(fd);
	return r < 0 && errno != ENOLINK ? -errno : 0;
}
