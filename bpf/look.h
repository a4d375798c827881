/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Watchers and what they watch: one test per packet while there are none, two more per drop. The slow paths are here for
 * watchers of every packet, and in event.h for drops.
 */

#include "event.h"

/* The numbers of one packet for fw_look(). */
#define LOOK(index, is_ip, is_syn, is_dropped, is_other_netns) \
	((__u32)(index) | (__u32)(is_ip) << 8 | (__u32)(is_syn) << 9 | (__u32)(is_dropped) << 10 | \
	 (__u32)(is_other_netns) << 11)
#define LOOK_INDEX(look)      ((look) & 0xff)
#define LOOK_IS_IP(look)      ((look) >> 8 & 1)
#define LOOK_IS_SYN(look)     ((look) >> 9 & 1)
#define LOOK_IS_DROPPED(look) ((look) >> 10 & 1)
#define LOOK_IS_OTHER_NETNS(look) ((look) >> 11 & 1)

static const struct fw_seen never_seen;

/* Notes the address. One that is new may take the place of another; if there is no room at all it goes unnoted. */
static __always_inline void look_seen(__u64 high, __u64 low, __u32 look, __u32 n_packets, __u32 n_bytes, __u32 now)
{
	struct fw_seen_key key = {
		.addr = { bpf_htonl(high >> 32), bpf_htonl(high), bpf_htonl(low >> 32), bpf_htonl(low) },
	};
	__u32 index = LOOK_INDEX(look), first = 0;
	struct fw_seen_at *at;
	struct fw_seen *s;
	__u64 bounded;
	void *map;

	if (LOOK_IS_OTHER_NETNS(look))
		index = FW_SEEN_OTHER_NETNS + index % _FW_DIRECTION_MAX;
	map = bpf_map_lookup_elem(&seen, &first);
	if (!map || index >= FW_SEEN_MAX)
		return;
	bounded = index;
	s = bpf_map_lookup_elem(map, &key);
	if (!s) {
		(void) bpf_map_update_elem(map, &key, &never_seen, BPF_NOEXIST); /* another CPU may have been first */
		s = bpf_map_lookup_elem(map, &key);
		if (!s)
			return;
	}

	/* the compiler may have kept a copy that the verifier does not know to be bounded */
	_Static_assert((FW_SEEN_MAX & (FW_SEEN_MAX - 1)) == 0, "a mask bounds it");
	asm volatile("%0 &= %1" : "+r"(bounded) : "i"(FW_SEEN_MAX - 1));
	at = &s->at[bounded]; /* all CPUs share it */
	__sync_fetch_and_add(&at->packets, n_packets);
	__sync_fetch_and_add(&at->bytes, n_bytes);
	if (LOOK_IS_SYN(look))
		__sync_fetch_and_add(&at->syn, n_packets);
	if (LOOK_IS_DROPPED(look))
		__sync_fetch_and_add(&at->dropped, n_packets);
	s->last = now;
}

static __always_inline void look_sizes(__u32 look, __u32 n_packets, __u32 n_bytes)
{
	__u64 now = bpf_ktime_get_ns();
	__u32 index = LOOK_INDEX(look), size, gap;
	struct fw_sizes *s;

	s = bpf_map_lookup_elem(&sizes, &index);
	if (!s || n_packets == 0)
		return;

	size = highest_bit(n_bytes / n_packets | 1);
	if (size < FW_SIZES_MAX)
		s->size[size] += n_packets;
	else
		s->size[FW_SIZES_MAX - 1] += n_packets;
	if (s->last_ns) {
		gap = highest_bit((now - s->last_ns) | 1);
		if (gap < FW_GAPS_MAX)
			s->gap[gap]++;
		else
			s->gap[FW_GAPS_MAX - 1]++;
	}
	s->last_ns = now;
}

/* One packet for the watchers of all packets; the address is in host order, IPv4 as ::ffff:a.b.c.d. */
__noinline int fw_look(__u64 high, __u64 low, __u32 look, __u32 n_packets, __u32 n_bytes)
{
	__u32 now = fw_now_tick(), first = 0;
	struct fw_policy *p;

	p = bpf_map_lookup_elem(&policy, &first);
	if (!p)
		return 0;
	if (p->watch_packets < now) {
		/* a viewer that takes a lease between these two waits until it renews */
		p->watch_packets = 0;
		return 0;
	}
	if (now <= p->seen_until && LOOK_IS_IP(look))
		look_seen(high, low, look, n_packets, n_bytes, now);
	if (now <= p->sizes_until)
		look_sizes(look, n_packets, n_bytes);
	return 0;
}

static __always_inline void look(const struct packet *pkt, const struct decision *d, enum fw_hook hook,
				 enum fw_direction direction, bool is_other_netns)
{
	bool is_syn = (pkt->tcp_flags & (TCP_FLAG_SYN | TCP_FLAG_ACK)) == TCP_FLAG_SYN;
	__u32 look = LOOK(fw_counters_index(hook, direction), pkt->flags & (PACKET_IP4 | PACKET_IP6) ? 1 : 0, is_syn,
			  fw_reason_verdict(d->reason) == FW_DROP, is_other_netns);
	const __be32 *addr = pkt->addr;

	if (pkt->flags & PACKET_IP4)
		fw_look(0, 0xffffull << 32 | bpf_ntohl(addr[0]), look, pkt->n_packets, pkt->n_bytes);
	else
		fw_look((__u64)bpf_ntohl(addr[0]) << 32 | bpf_ntohl(addr[1]),
			(__u64)bpf_ntohl(addr[2]) << 32 | bpf_ntohl(addr[3]), look, pkt->n_packets, pkt->n_bytes);
}

/* Tells the watchers of this packet, after it was counted. */
static __always_inline void watch(const struct terms *t, enum layer layer, const struct packet *pkt,
				  const struct decision *d, const struct fw_policy *p, enum fw_hook hook,
				  bool is_reported)
{
	struct context c = t->c;
	__u64 what;

	if (p->watch_packets)
		look(pkt, d, hook, t->direction, terms_netns(t, p) != 0);

	if (is_reported) {
		what = REPORT(hook, t->direction, d->reason, d->found, pkt->start);
		if (c.is_xdp)
			fw_report_xdp(c.of_hook, fw_parse_xdp(c.of_hook), what);
		else
			fw_report(c.of_hook, fw_parse(c.of_hook, layer, pkt->start), what);
	}
}
