// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * The generators of bench-live: run with live frames, they give each the next source of an array and send it out
 * of a veth, whose other end receives it as any packet. And filters to compare with: those that pass all or drop all,
 * and the program of the article that this project began with.
 */

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "live.h"

char _license[] SEC("license") = "GPL";

struct live_run run;
__u32 sources[_LIVE_SOURCES_MAX][N_LIVE_SOURCES];
__u32 sources6[_LIVE_SOURCES6_MAX][N_LIVE_SOURCES][4];

static __always_inline __u32 next_source(void)
{
	return run.at++ & run.mask & (N_LIVE_SOURCES - 1);
}

static __always_inline __u16 fold(__u64 sum)
{
	sum = (sum >> 32) + (sum & 0xffffffff);
	sum = (sum >> 16) + (sum & 0xffff);
	sum = (sum >> 16) + (sum & 0xffff);
	return ~((sum >> 16) + sum);
}

SEC("xdp")
int generate(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *data_end = (void *)(long)ctx->data_end;
	__u32 source = sources[run.sources % _LIVE_SOURCES_MAX][next_source()];
	struct iphdr *ip = data + sizeof(struct ethhdr);

	if ((void *)(ip + 1) > data_end)
		return XDP_DROP;
	ip->saddr = source;
	ip->check = fold((__u64)run.checksum + source);
	return bpf_redirect(run.ifindex, 0);
}

SEC("xdp")
int generate6(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *data_end = (void *)(long)ctx->data_end;
	__u32 *source = sources6[run.sources % _LIVE_SOURCES6_MAX][next_source()];
	struct ipv6hdr *ip = data + sizeof(struct ethhdr);
	struct udphdr *udp = (void *)(ip + 1);

	if ((void *)(udp + 1) > data_end)
		return XDP_DROP;
	__builtin_memcpy(&ip->saddr, source, sizeof(ip->saddr));
	udp->check = fold((__u64)run.checksum + source[0] + source[1] + source[2] + source[3]) ?: 0xffff;
	return bpf_redirect(run.ifindex, 0);
}

SEC("tc")
int empty(void *skb)
{
	(void) skb;
	return TC_ACT_UNSPEC;
}

SEC("xdp")
int empty_xdp(void *xdp)
{
	(void) xdp;
	return XDP_PASS;
}

/* What no filter at these hooks can be faster than, for packets that pass and, here, for those that it drops. */
SEC("tc")
int drop_all(void *skb)
{
	(void) skb;
	return TC_ACT_SHOT;
}

SEC("xdp")
int drop_all_xdp(void *xdp)
{
	(void) xdp;
	return XDP_DROP;
}

/* The article's program: a hash of addresses, shared atomic counters, and an event for each packet it drops. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 10240);
	__type(key, __u32);
	__type(value, __u8);
} black_list SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} stats SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} drop_events SEC(".maps");

static __always_inline void article_count(__u32 which)
{
	__u64 *n = bpf_map_lookup_elem(&stats, &which);

	if (n)
		__sync_fetch_and_add(n, 1);
}

static __always_inline int article(void *ctx, void *data, void *data_end, int pass, int drop)
{
	struct ethhdr *ethernet = data;
	struct iphdr *ip = (void *)(ethernet + 1);
	struct tcphdr *tcp = (void *)(ip + 1);
	__u32 source;

	article_count(0);
	if ((void *)(ip + 1) > data_end || ethernet->h_proto != bpf_htons(ETH_P_IP))
		return pass;
	source = ip->saddr;
	if (bpf_map_lookup_elem(&black_list, &source)) {
		bpf_perf_event_output(ctx, &drop_events, BPF_F_CURRENT_CPU, &source, sizeof(source));
		return drop;
	}
	if (ip->protocol == IPPROTO_TCP && (void *)(tcp + 1) <= data_end && tcp->syn)
		article_count(1);
	return pass;
}

SEC("tc")
int article_tc(struct __sk_buff *skb)
{
	return article(skb, (void *)(long)skb->data, (void *)(long)skb->data_end, TC_ACT_UNSPEC, TC_ACT_SHOT);
}

SEC("xdp")
int article_xdp(struct xdp_md *xdp)
{
	return article(xdp, (void *)(long)xdp->data, (void *)(long)xdp->data_end, XDP_PASS, XDP_DROP);
}
