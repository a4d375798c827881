// SPDX-License-Identifier: GPL-2.0-or-later

/* Filters of ours on clsact, through libbpf's bpf_tc_*: see clsact.h. */

#include <errno.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "attach/clsact.h"
#include "base/cleanup.h"
#include "hook/filters.h"
#include "hook/ownqdiscs.h"

/* In the order in which they are wanted. */
static const uint32_t priorities[] = { FW_TC_PRIORITY, FW_TC_PRIORITY_SECOND };

static const struct bpf_tc_hook *hook(struct bpf_tc_hook *h, unsigned ifindex, enum fw_direction d)
{
	*h = (struct bpf_tc_hook){
		.sz = sizeof(*h),
		.ifindex = (int)ifindex,
		.attach_point = d == FW_INGRESS ? BPF_TC_INGRESS : BPF_TC_EGRESS,
	};
	return h;
}

static struct bpf_tc_opts place(uint32_t priority)
{
	return (struct bpf_tc_opts){
		.sz = sizeof(struct bpf_tc_opts),
		.priority = priority,
		.handle = FW_TC_HANDLE,
	};
}

/* Program id at a place of ours, 0 if nothing is there. libbpf would warn of each interface without clsact. */
static int query(unsigned ifindex, enum fw_direction d, uint32_t priority, uint32_t *ret_prog_id)
{
	struct bpf_tc_opts opts = place(priority);
	libbpf_print_fn_t print;
	struct bpf_tc_hook h;
	int r;

	print = libbpf_set_print(NULL);
	r = bpf_tc_query(hook(&h, ifindex, d), &opts);
	(void) libbpf_set_print(print);

	if (r < 0 && r != -ENOENT && r != -EINVAL) /* EINVAL: no clsact here, or filters of another kind */
		return r;
	*ret_prog_id = r < 0 ? 0 : opts.prog_id;
	return 0;
}

int clsact_query(const struct clsact *c, unsigned ifindex, enum fw_direction d, uint32_t *ret_prog_id)
{
	uint32_t prog_id = 0;
	int r;

	for (size_t i = 0; i < ELEMENTSOF(priorities); i++) {
		r = query(ifindex, d, priorities[i], &prog_id);
		if (r < 0)
			return r;
		if (prog_id != 0 && c->owns(prog_id, c->userdata))
			break;
		prog_id = 0;
	}
	*ret_prog_id = prog_id;
	return 0;
}

void clsact_forget_qdiscs(struct clsact *c)
{
	qdiscs_done(&c->qdiscs);
	c->qdiscs = (struct qdiscs){};
	c->has_qdiscs = false;
}

static int read_qdiscs(struct clsact *c)
{
	int r;

	if (c->has_qdiscs)
		return 0;
	r = qdiscs_read(&c->qdiscs);
	if (r >= 0)
		c->has_qdiscs = true;
	return r;
}

/* 1: there was none, and it is ours to remove. 0: one is there. Silent: "Exclusivity flag on" is no news. */
static int create_qdisc(struct clsact *c, unsigned ifindex, enum fw_direction d)
{
	libbpf_print_fn_t print = libbpf_set_print(NULL);
	struct bpf_tc_hook h;
	int r;

	(void) ownqdiscs_mark(c->pin_dir, ifindex); /* an unmarked qdisc stays, which does no harm */
	(void) hook(&h, ifindex, d);
	r = bpf_tc_hook_create(&h);
	(void) libbpf_set_print(print);
	if (r < 0) {
		ownqdiscs_forget(c->pin_dir, ifindex);
		return r == -EEXIST ? 0 : r;
	}
	(void) qdiscs_add_clsact(&c->qdiscs, ifindex); /* else its existence is found out once more */
	return 1;
}

/*
 * Our mark is on a qdisc with filters, of which none is ours: another tool has put its own in the place of ours. An
 * empty one is ours, from a start that was killed.
 */
static void check_mark(struct clsact *c, unsigned ifindex)
{
	uint32_t prog_id = 0;

	if (!ownqdiscs_is_marked(c->pin_dir, ifindex))
		return;
	for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++)
		if (clsact_query(c, ifindex, d, &prog_id) < 0 || prog_id != 0)
			return;
	if (filters_is_empty(ifindex) == 0)
		ownqdiscs_forget(c->pin_dir, ifindex);
}

/* Makes a clsact qdisc, or finds out whether what is in its place can take a filter. */
static int make_qdisc(struct clsact *c, unsigned ifindex, enum fw_direction d)
{
	int r;

	r = read_qdiscs(c);
	if (r < 0)
		return r;
	if (!qdiscs_find(&c->qdiscs, ifindex)) {
		r = create_qdisc(c, ifindex, d);
		if (r != 0)
			return r < 0 ? r : 0;
		clsact_forget_qdiscs(c); /* somebody was faster */
		r = read_qdiscs(c);
		if (r < 0)
			return r;
	}
	if (d == FW_INGRESS)
		check_mark(c, ifindex);
	return qdisc_has_direction(qdiscs_find(&c->qdiscs, ifindex), d) ? 0 : -EBUSY;
}

/* -EINVAL: the priority has filters of another kind. */
static int attach_at(const struct clsact *c, unsigned ifindex, enum fw_direction d, uint32_t priority, int prog_fd)
{
	struct bpf_tc_opts opts = place(priority);
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);
	libbpf_print_fn_t print;
	struct bpf_tc_hook h;
	uint32_t prog_id;
	int r;

	r = bpf_obj_get_info_by_fd(prog_fd, &info, &size);
	if (r >= 0)
		r = query(ifindex, d, priority, &prog_id);
	if (r < 0)
		return r;
	if (prog_id == info.id)
		return 0;
	if (prog_id != 0 && !c->owns(prog_id, c->userdata))
		return -EEXIST;

	opts.prog_fd = prog_fd;
	opts.flags = prog_id != 0 ? BPF_TC_F_REPLACE : 0;
	print = libbpf_set_print(NULL); /* the caller says what failed, if nothing else helps */
	r = bpf_tc_attach(hook(&h, ifindex, d), &opts);
	(void) libbpf_set_print(print);
	return r;
}

/* 1: there was one. */
static int detach_at(const struct clsact *c, unsigned ifindex, enum fw_direction d, uint32_t priority)
{
	struct bpf_tc_opts opts = place(priority);
	struct bpf_tc_hook h;
	uint32_t prog_id;
	int r;

	r = query(ifindex, d, priority, &prog_id);
	if (r < 0)
		return r;
	if (prog_id == 0 || !c->owns(prog_id, c->userdata))
		return 0;

	r = bpf_tc_detach(hook(&h, ifindex, d), &opts);
	return r < 0 ? r : 1;
}

int clsact_attach(struct clsact *c, unsigned ifindex, enum fw_direction d, int prog_fd)
{
	size_t taken;
	int r;

	r = make_qdisc(c, ifindex, d);
	if (r < 0)
		return r;

	for (taken = 0; taken < ELEMENTSOF(priorities); taken++) {
		r = attach_at(c, ifindex, d, priorities[taken], prog_fd);
		if (r != -EINVAL && r != -EEXIST)
			break;
	}
	if (r < 0)
		return r;
	for (size_t i = 0; i < ELEMENTSOF(priorities); i++)
		if (i != taken) /* of a version before, or from when the first one was taken */
			(void) detach_at(c, ifindex, d, priorities[i]);
	return 0;
}

int clsact_detach(struct clsact *c, unsigned ifindex)
{
	int n = 0, error = 0, r;

	for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++) {
		for (size_t i = 0; i < ELEMENTSOF(priorities); i++) {
			r = detach_at(c, ifindex, d, priorities[i]);
			if (r < 0)
				error = r;
			n = n || r > 0;
		}
	}
	r = ownqdiscs_remove(c->pin_dir, ifindex); /* of an interface that is gone, the mark goes */
	if (r > 0)
		clsact_forget_qdiscs(c);
	return error < 0 ? error : r < 0 ? r : n;
}
