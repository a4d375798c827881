/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Writes a record of a drop, or of a would-be drop, for each watcher. This is the slow path: a packet takes it only during a
 * watch or when it is a sample. Reads again what struct packet does not keep. Nothing here can change a verdict.
 */

#include "classify.h"

/* What fw_report() is told in addition to the packet, in one number. The low half is what was found, see FOUND(). */
#define REPORT(hook, direction, reason, found, start) \
	((__u64)(start) << 48 | (__u64)(reason) << 40 | (__u64)(direction) << 36 | (__u64)(hook) << 32 | (found))
#define REPORT_HOOK(report)      ((report) >> 32 & 0xf)
#define REPORT_DIRECTION(report) ((report) >> 36 & 0xf)
#define REPORT_REASON(report)    ((report) >> 40 & 0xff)
#define REPORT_START(report)     ((report) >> 48) /* of the first header, see struct packet */

/* Another epoch, or none. The drop, of n_packets, has been counted already. */
static __always_inline void sampling_begin(struct fw_sampling *s, __u32 epoch, __u64 dropped, __u32 n_packets)
{
	s->epoch = epoch;
	s->n = 0;
	s->done = dropped - n_packets;
	s->next = epoch ? 0 : ~0ull;
}

/*
 * Finds out which watchers want the drop that has just been counted, and at which drop to look again. Returns how many
 * packets it represents as a sample: those since the previous one; 0 = it is none. The distances are random, because
 * otherwise a sender that uses four addresses in turn would always be caught with the same one. n_packets is 0 for a
 * would-be drop, which is never a sample.
 */
__noinline __u64 fw_take_sample(__u32 index, __u32 n_packets)
{
	__u32 now = fw_now_tick(), first = 0, step;
	const struct fw_policy *p;
	union fw_watch_drops watch;
	struct fw_sampling *s;
	struct fw_counters *c;
	__u64 weight = 0;

	p = bpf_map_lookup_elem(&policy, &first);
	if (!p)
		return 0;
	c = bpf_map_lookup_elem(&counters, &index);
	if (!c)
		return 0;

	s = &c->sampling;
	watch.both = *(volatile __u64 *)&p->watch_drops.both;
	if (s->epoch != watch.epoch || !watch.epoch)
		sampling_begin(s, watch.epoch, c->dropped, n_packets);
	if (n_packets && c->dropped >= s->next) {
		weight = c->dropped - s->done;
		s->done = c->dropped;
		step = ++s->n / FW_SAMPLES_PER_STEP;
		if (step > FW_SAMPLE_STEPS_MAX)
			step = FW_SAMPLE_STEPS_MAX;
		s->next = c->dropped + 1 + bpf_get_prandom_u32() % ((2u << step) - 1); /* 2^step on average */
	}

	/* in this order: a softirq in between may have found another word, and must not be left with our number */
	*(volatile __u64 *)&s->at = now <= watch.until ? 0 : s->next;
	*(volatile __u64 *)&s->watch = watch.both;
	return weight;
}

static __always_inline void event_set_ip4(struct fw_event *e, __be32 source, __be32 destination)
{
	e->source[2] = e->destination[2] = bpf_htonl(0xffff);
	e->source[3] = source;
	e->destination[3] = destination;
}

/* Addresses, ports, and what ICMP says. What an outline promises is there: it is read as fw_parse() has read it. */
static __always_inline void event_read(struct context context, __u64 outline, __u32 start, struct fw_event *e)
{
	union header copy;
	struct cursor c = {
		.data = context_data(context),
		.data_end = context_data_end(context),
		.context = context,
		.copy = &copy,
		.off = start + OUTLINE_NETWORK(outline),
	};
	const struct ipv6hdr *ip6;
	const struct iphdr *ip4;
	const __be16 *ports;
	const __u8 *icmp;

	if (OUTLINE_FLAGS(outline) & PACKET_IP4) {
		ip4 = cursor_peek(&c, sizeof(*ip4));
		if (!ip4)
			return;
		event_set_ip4(e, ip4->saddr, ip4->daddr);
	} else if (OUTLINE_FLAGS(outline) & PACKET_IP6) {
		ip6 = cursor_peek(&c, sizeof(*ip6));
		if (!ip6)
			return;
		__builtin_memcpy(e->source, &ip6->saddr, sizeof(e->source));
		__builtin_memcpy(e->destination, &ip6->daddr, sizeof(e->destination));
	} else {
		return;
	}
	e->flags |= FW_EVENT_IP;
	e->protocol = OUTLINE_NUMBER(outline);
	e->tcp_flags = OUTLINE_TCP_FLAGS(outline);

	if (!OUTLINE_TRANSPORT(outline))
		return;
	c.off = start + OUTLINE_NETWORK(outline) + OUTLINE_TRANSPORT(outline) * 4;
	if (OUTLINE_FLAGS(outline) & PACKET_PORTS) {
		ports = cursor_peek(&c, sizeof(copy.ports));
		if (!ports)
			return;
		e->source_port = bpf_ntohs(ports[0]);
		e->destination_port = bpf_ntohs(ports[1]);
		e->flags |= FW_EVENT_PORTS;
	} else if (e->protocol == IPPROTO_ICMP || e->protocol == IPPROTO_ICMPV6) {
		icmp = cursor_peek(&c, sizeof(copy.icmp));
		if (!icmp)
			return;
		e->icmp_type = icmp[0];
		e->icmp_code = icmp[1];
		e->flags |= FW_EVENT_ICMP;
	}
}

/* The entry that decided. A port entry is looked up by its index: it may have gone at this very moment. */
static __always_inline void event_set_entry(struct fw_event *e, __u64 found, bool is_ip6)
{
	const struct fw_port *port;
	__u32 index;

	e->entry_kind = _FW_KIND_MAX;
	e->list = FOUND_LIST(found);
	switch (FOUND_RANK(found)) {
	case RANK_ADDRESS:
	case RANK_AUDITED_ADDRESS:
		e->entry_kind = is_ip6 ? FW_KIND_IPV6 : FW_KIND_IPV4;
		e->entry_prefixlen = FOUND_SPECIFIC(found);
		break;
	case RANK_PORT:
	case RANK_AUDITED_PORT:
		index = FOUND_INDEX(found);
		port = bpf_map_lookup_elem(&port_entries, &index);
		if (!port)
			break;
		e->entry_kind = FW_KIND_PORT;
		e->entry_protocol = port->protocol;
		e->entry_first = port->first;
		e->entry_last = port->last;
		break;
	}
}

/* Not 0 where the filter keeps it out. Without a branch: there are FW_WATCHERS_MAX of them to follow. */
static __always_inline __u32 event_is_kept_out(const struct fw_event *e, const struct fw_watcher *w)
{
	__u64 is_of_list = w->lists >> (e->list % FW_LISTS_MAX) & (e->entry_kind != _FW_KIND_MAX);
	__u32 kept_out = 0;

	for (int i = 0; i < 4; i++) {
		kept_out |= (e->source[i] ^ w->source[i]) & w->source_mask[i];
		kept_out |= (e->destination[i] ^ w->destination[i]) & w->destination_mask[i];
	}
	kept_out |= ~((__u32)w->hooks >> e->hook) & 1;
	kept_out |= ~((__u32)w->directions >> e->direction) & 1;
	kept_out |= (e->verdict != FW_DROP) & !w->is_audit;
	kept_out |= w->lists && !is_of_list;
	return kept_out;
}

/*
 * Adds with the bus locked although each CPU has counts of its own: a softirq may come in between, and the sum must be
 * exact. Without a ring there is no watcher, not yet or not any more.
 */
static __always_inline void event_put(const struct fw_event *e, __u32 slot, __u32 budget)
{
	struct fw_watch_counts *counts;
	__u32 now = fw_now_tick();
	void *ring;

	ring = bpf_map_lookup_elem(&rings, &slot);
	counts = bpf_map_lookup_elem(&watch_counts, &slot);
	if (!ring || !counts)
		return;

	if (counts->tick != now) {
		counts->tick = now;
		counts->left = budget;
	}
	if (counts->left == 0) {
		__sync_fetch_and_add(&counts->hidden, e->n_packets);
		return;
	}
	counts->left--;
	if (bpf_ringbuf_output(ring, (void *)e, sizeof(*e), 0) == 0)
		__sync_fetch_and_add(&counts->shown, e->n_packets);
	else
		__sync_fetch_and_add(&counts->lost, e->n_packets);
}

/* The destination that decided is the one to show. */
static __always_inline void event_set_final(struct context c, __u64 outline, __u32 start, struct fw_event *e)
{
	bool is_ip6 = OUTLINE_FLAGS(outline) & PACKET_IP6;
	__u32 final = fw_find_final(c.of_hook, start + OUTLINE_NETWORK(outline), is_ip6);

	if (is_ip6)
		(void) context_load(c, final, e->destination, sizeof(e->destination));
	else
		(void) context_load(c, final, &e->destination[3], sizeof(e->destination[3]));
}

/* One packet for one watcher: weight 0 is for those that have a filter. */
static __always_inline void report_to(struct context c, __u64 outline, __u64 what, __u32 slot, __u64 weight)
{
	const struct fw_watcher *w = bpf_map_lookup_elem(&watchers, &slot);
	struct fw_event e = {
		.time_ns = bpf_ktime_get_boot_ns(),
		.n_packets = context_n_packets(c),
		.n_bytes = context_n_bytes(c),
		.ifindex = context_ifindex(c),
		.hook = REPORT_HOOK(what),
		.direction = REPORT_DIRECTION(what),
		.reason = REPORT_REASON(what),
		.flags = what & FOUND_OTHER_NETNS ? FW_EVENT_OTHER_NETNS : 0,
	};

	e.weight = weight ?: e.n_packets;
	e.verdict = fw_reason_verdict(e.reason);
	event_set_entry(&e, what, OUTLINE_FLAGS(outline) & PACKET_IP6);
	event_read(c, outline, REPORT_START(what), &e);
	if (!c.is_xdp && FOUND_INDEX(what) == FOUND_FINAL && e.entry_kind <= FW_KIND_IPV6)
		event_set_final(c, outline, REPORT_START(what), &e);
	if (w && (weight || !event_is_kept_out(&e, w)))
		event_put(&e, slot, w->budget);
}

/*
 * Global functions for the same reason as fw_parse(); the outline is their result. Each call serves one watcher, although it
 * then reads the packet again for each: otherwise the verifier would follow every way to fill an event through every slot,
 * 400 k instructions. This way it takes the function once.
 */
__noinline int fw_report_to(struct __sk_buff *skb, __u64 outline, __u64 what, __u32 slot, __u64 weight)
{
	report_to(CONTEXT_SKB(skb), outline, what, slot, weight);
	return 0;
}

__noinline int fw_report_xdp_to(struct xdp_md *xdp, __u64 outline, __u64 what, __u32 slot, __u64 weight)
{
	report_to(CONTEXT_XDP(xdp), outline, what, slot, weight);
	return 0;
}

static __always_inline void report_to_slot(struct context c, __u64 outline, __u64 what, __u32 slot, __u64 weight)
{
	if (c.is_xdp)
		(void) fw_report_xdp_to(c.of_hook, outline, what, slot, weight);
	else
		(void) fw_report_to(c.of_hook, outline, what, slot, weight);
}

/* Reports to all watchers. */
static __always_inline void report(struct context c, __u64 outline, __u64 what)
{
	__u32 index = fw_counters_index(REPORT_HOOK(what), REPORT_DIRECTION(what)), now = fw_now_tick(), first = 0, key;
	bool is_drop = fw_reason_verdict(REPORT_REASON(what)) == FW_DROP;
	const struct fw_watcher *w;
	const struct fw_policy *p;
	__u64 weight;

	weight = fw_take_sample(index, is_drop ? context_n_packets(c) : 0);
	if (weight)
		report_to_slot(c, outline, what, FW_WATCHER_DAEMON, weight);

	p = bpf_map_lookup_elem(&policy, &first);
	if (!p || p->watch_drops.until < now)
		return;
	for (__u32 slot = FW_WATCHER_DAEMON + 1; slot < FW_WATCHERS_MAX; slot++) {
		key = slot;
		w = bpf_map_lookup_elem(&watchers, &key);
		if (w && w->until >= now && w->watch == FW_WATCH_DROPS)
			report_to_slot(c, outline, what, slot, 0);
	}
}

__noinline int fw_report(struct __sk_buff *skb, __u64 outline, __u64 what)
{
	report(CONTEXT_SKB(skb), outline, what);
	return 0;
}

__noinline int fw_report_xdp(struct xdp_md *xdp, __u64 outline, __u64 what)
{
	report(CONTEXT_XDP(xdp), outline, what);
	return 0;
}
