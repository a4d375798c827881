// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * The decision of bpf/classify.h beside other ways to come to it, all with the same parser and the same
 * counters: for bench-micro. A run judges N_LOOKUPS packets, so that what a test run costs by itself is
 * spread over them; their sources are not the frame's but the next ones of an array, and where the next one
 * is depends on what was found before, so that no two lookups that find something overlap.
 */

#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include "../../bpf/count.h"
#include "../../bpf/look.h"
#include "bench.h"

char _license[] SEC("license") = "GPL";

struct bench_run run;
__u32 sources4[_SOURCES_MAX][N_SOURCES];
__be32 sources6[_SOURCES_MAX][N_SOURCES][4];

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1 << 21);
	__type(key, struct bench_key4);
	__type(value, __u64);
} lpm4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1 << 21);
	__type(key, struct bench_key6);
	__type(value, __u64);
} lpm6 SEC(".maps");

/* Preallocated, as an entry table is, and sized to the list. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct bench_key4);
	__type(value, struct fw_entry);
} hash4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct bench_key6);
	__type(value, struct fw_entry);
} hash6 SEC(".maps");

static const struct decision no_match = { .reason = FW_REASON_NO_MATCH };
static const struct decision match = { .reason = FW_REASON_ADDRESS, .found = FOUND(RANK_ADDRESS, 0, 0, 0) };

/* These say what they have found as a number, not only that they have: see one(). */
static __always_inline __u64 lpm_find(const struct packet *pkt)
{
	struct bench_key6 key6 = { .prefixlen = 128 };
	struct bench_key4 key4 = { .prefixlen = 32, .addr = pkt->addr[0] };
	__u64 *lists;

	if (pkt->flags & PACKET_IP4) {
		lists = bpf_map_lookup_elem(&lpm4, &key4);
	} else {
		__builtin_memcpy(key6.addr, pkt->addr, sizeof(key6.addr));
		lists = bpf_map_lookup_elem(&lpm6, &key6);
	}
	return lists ? *lists : 0;
}

/* Hashes without a filter before them: asked for each prefix length in use, the longest first. */
static __always_inline __u64 hash_find_ip4(const struct fw_policy *p, __u32 addr)
{
	__u64 lengths = p->lengths4;
	struct fw_entry *e;
	struct bench_key4 key;

	for (int i = 0; i <= 32 && lengths; i++) {
		__u32 host_bits = lowest_bit(lengths);

		lengths &= lengths - 1;
		key.prefixlen = 32 - host_bits;
		key.addr = bpf_htonl(addr & (__u32)(~0ull << host_bits));
		e = bpf_map_lookup_elem(&hash4, &key);
		if (e)
			return e->lists[FW_INGRESS];
	}
	return 0;
}

static __always_inline __u64 hash_find_ip6(const struct fw_policy *p, __u64 high, __u64 low)
{
	struct fw_entry *e;
	struct bench_key6 key;
	__u32 host_bits;

	for (__u32 word = 0; word < 3; word++) {
		__u64 lengths = p->lengths6[word];

		for (int i = 0; i < 64 && lengths; i++) {
			host_bits = word * 64 + lowest_bit(lengths);
			lengths &= lengths - 1;
			key.prefixlen = 128 - host_bits;
			key.addr[0] = bpf_htonl(filter_keep_high(high, host_bits) >> 32);
			key.addr[1] = bpf_htonl(filter_keep_high(high, host_bits));
			key.addr[2] = bpf_htonl(filter_keep_low(low, host_bits) >> 32);
			key.addr[3] = bpf_htonl(filter_keep_low(low, host_bits));
			e = bpf_map_lookup_elem(&hash6, &key);
			if (e)
				return e->lists[FW_INGRESS];
		}
	}
	return 0;
}

/* Global functions, taken by the verifier once each. */
__noinline __u64 hash_find4(__u32 addr)
{
	const struct fw_policy *p;
	__u32 first = 0;

	p = bpf_map_lookup_elem(&policy, &first);
	return p ? hash_find_ip4(p, addr) : 0;
}

__noinline __u64 hash_find6(__u64 high, __u64 low)
{
	const struct fw_policy *p;
	__u32 first = 0;

	p = bpf_map_lookup_elem(&policy, &first);
	return p ? hash_find_ip6(p, high, low) : 0;
}

static __always_inline __u64 hash_find(const struct packet *pkt)
{
	const __be32 *addr = pkt->addr;

	if (pkt->flags & PACKET_IP4)
		return hash_find4(bpf_ntohl(addr[0]));
	return hash_find6((__u64)bpf_ntohl(addr[0]) << 32 | bpf_ntohl(addr[1]),
			 (__u64)bpf_ntohl(addr[2]) << 32 | bpf_ntohl(addr[3]));
}

static __always_inline void take_source(struct packet *pkt)
{
	__u32 at = run.at & run.mask & (N_SOURCES - 1), which = run.sources % _SOURCES_MAX;

	if (pkt->flags & PACKET_IP4)
		pkt->addr[0] = sources4[which][at];
	else
		__builtin_memcpy(pkt->addr, sources6[which][at], sizeof(pkt->addr));
}

/* One packet, from its bytes to its counters, as the hooks of fw.bpf.c do it. */
static __always_inline int one(struct __sk_buff *skb, enum bench_design design)
{
	struct terms t = { .c = CONTEXT_SKB(skb), .direction = FW_INGRESS, .is_counting = true };
	struct packet pkt = {};
	struct decision d = no_match;
	const struct fw_policy *p;
	__u64 found = 0;
	bool is_reported;
	__u32 first = 0;

	p = bpf_map_lookup_elem(&policy, &first);
	if (!p)
		return 0;
	packet_parse(CONTEXT_SKB(skb), LAYER_ETHERNET, FW_INGRESS, &pkt);
	take_source(&pkt);

	if (design == DESIGN_FW) {
		t.judges_ports = p->flags & FW_POLICY_PORTS;
		d = classify(&t, &pkt, p);
		found = d.found;
	} else if (design != DESIGN_NONE) {
		found = design == DESIGN_LPM_TRIE ? lpm_find(&pkt) : hash_find(&pkt);
		if (found)
			d = match;
	}
	is_reported = count(&pkt, &d, p, FW_HOOK_TC, FW_INGRESS);
	watch(&t, LAYER_ETHERNET, &pkt, &d, p, FW_HOOK_TC, is_reported);

	run.n_dropped += fw_reason_verdict(d.reason) == FW_DROP;
	asm volatile("%0 &= 0" : "+r"(found)); /* 0, but not before it is there: a verdict could be foreseen */
	run.at += 1 + found;
	return 0;
}

#define DESIGN(name, design)                                \
	__noinline int one_##name(struct __sk_buff *skb)    \
	{                                                   \
		return one(skb, design);                    \
	}                                                   \
	SEC("tc") int bench_##name(struct __sk_buff *skb)   \
	{                                                   \
		for (int i = 0; i < N_LOOKUPS; i++)         \
			one_##name(skb);                    \
		return TC_ACT_UNSPEC;                       \
	}

DESIGN(none, DESIGN_NONE)
DESIGN(fw, DESIGN_FW)
DESIGN(lpm_trie, DESIGN_LPM_TRIE)
DESIGN(hash, DESIGN_HASH)
