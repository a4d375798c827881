// SPDX-License-Identifier: GPL-2.0-or-later

/* Filters of ours on clsact, through libbpf's bpf_tc_*: see clsact.h. */

#include <errno.h>

#include <bpf/libbpf.h>

#include "clsact.h"

static const struct bpf_tc_hook *hook(struct bpf_tc_hook *h, unsigned ifindex, enum fw_direction d)
{
	*h = (struct bpf_tc_hook){
		.sz = sizeof(*h),
		.ifindex = (int)ifindex,
		.attach_point = d == FW_INGRESS ? BPF_TC_INGRESS : BPF_TC_EGRESS,
	};
	return h;
}

static struct bpf_tc_opts place(void)
{
	return (struct bpf_tc_opts){
		.sz = sizeof(struct bpf_tc_opts),
		.priority = FW_TC_PRIORITY,
		.handle = FW_TC_HANDLE,
	};
}

/* Program id at our place, 0 if nothing is there. libbpf would warn of each interface without clsact. */
static int query(unsigned ifindex, enum fw_direction d, uint32_t *ret_prog_id)
{
	struct bpf_tc_opts opts = place();
	libbpf_print_fn_t print;
	struct bpf_tc_hook h;
	int r;

	print = libbpf_set_print(NULL);
	r = bpf_tc_query(hook(&h, ifindex, d), &opts);
	(void) libbpf_set_print(print);

	if (r < 0 && r != -ENOENT && r != -EINVAL) /* EINVAL: no clsact here */
		return r;
	*ret_prog_id = r < 0 ? 0 : opts.prog_id;
	return 0;
}

int clsact_attach(unsigned ifindex, enum fw_direction d, int prog_fd, clsact_owns_fn owns,
		  void *userdata)
{
	struct bpf_tc_opts opts = place();
	libbpf_print_fn_t print;
	struct bpf_tc_hook h;
	uint32_t prog_id;
	int r;

	print = libbpf_set_print(NULL); /* "Exclusivity flag on": it is there already, which is fine */
	(void) hook(&h, ifindex, d);
	r = bpf_tc_hook_create(&h);
	(void) libbpf_set_print(print);
	if (r < 0 && r != -EEXIST)
		return r;

	r = query(ifindex, d, &prog_id);
	if (r < 0)
		return r;
	if (prog_id != 0 && !owns(prog_id, userdata))
		return -EEXIST;

	opts.prog_fd = prog_fd;
	opts.flags = prog_id != 0 ? BPF_TC_F_REPLACE : 0;
	return bpf_tc_attach(&h, &opts);
}

int clsact_detach(unsigned ifindex, enum fw_direction d, clsact_owns_fn owns, void *userdata)
{
	struct bpf_tc_opts opts = place();
	struct bpf_tc_hook h;
	uint32_t prog_id;
	int r;

	r = query(ifindex, d, &prog_id);
	if (r < 0)
		return r;
	if (prog_id == 0 || !owns(prog_id, userdata))
		return 0;

	r = bpf_tc_detach(hook(&h, ifindex, d), &opts);
	return r < 0 ? r : 1;
}

int clsact_is_attached(unsigned ifindex, enum fw_direction d, clsact_owns_fn owns, void *userdata)
{
	uint32_t prog_id;
	int r;

	r = query(ifindex, d, &prog_id);
	if (r < 0)
		return r;
	return prog_id != 0 && owns(prog_id, userdata);
}
