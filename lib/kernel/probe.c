// SPDX-License-Identifier: GPL-2.0-or-later

/* See probe.h. */

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include "base/cleanup.h"
#include "kernel/probe.h"

bool probe_xdp_buffers(void)
{
	static const struct bpf_insn pass[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .prog_flags = BPF_F_XDP_HAS_FRAGS);
	_cleanup_close_ int fd = -1;

	fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "fw_probe", "GPL", pass, ELEMENTSOF(pass), &opts);
	return fd >= 0;
}

bool probe_netns_cookie(void)
{
	static const struct bpf_insn ask[] = {
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_get_netns_cookie },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_CGROUP_INET_INGRESS);
	_cleanup_close_ int fd = -1;

	fd = bpf_prog_load(BPF_PROG_TYPE_CGROUP_SKB, "fw_probe", "GPL", ask, ELEMENTSOF(ask), &opts);
	return fd >= 0;
}
