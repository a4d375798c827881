// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * The generator of bench-live: run with live frames, it gives each the next source of an array and sends it out
 * of a veth, whose other end receives it as any packet. And a filter that filters nothing.
 */

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "live.h"

char _license[] SEC("license") = "GPL";

struct live_run run;
__u32 sources[_LIVE_SOURCES_MAX][N_LIVE_SOURCES];

SEC("xdp")
int generate(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *data_end = (void *)(long)ctx->data_end;
	__u32 source = sources[run.sources % _LIVE_SOURCES_MAX][run.at++ & run.mask & (N_LIVE_SOURCES - 1)], sum;
	struct iphdr *ip = data + sizeof(struct ethhdr);

	if ((void *)(ip + 1) > data_end)
		return XDP_DROP;
	sum = run.checksum + (source >> 16) + (source & 0xffff);
	sum = (sum >> 16) + (sum & 0xffff);
	ip->saddr = source;
	ip->check = ~((sum >> 16) + sum);
	return bpf_redirect(run.ifindex, 0);
}

SEC("tc")
int empty(void *skb)
{
	(void) skb;
	return TC_ACT_UNSPEC;
}
