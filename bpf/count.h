/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Packet + decision -> counters. Plain increments in per-CPU maps: one shared atomic counter costs eight
 * times more as soon as two CPUs count in it. Nothing here can change a verdict.
 */

#include "classify.h"

/* Returns whether this is a drop, or would have been one, that somebody may want to know of: see struct fw_sampling. */
static __always_inline bool count(const struct packet *pkt, const struct decision *d, const struct fw_policy *p,
				  enum fw_hook hook, enum fw_direction direction)
{
	__u32 i = fw_counters_index(hook, direction), reason;
	struct fw_list_counters *list;
	struct fw_counters *c;
	bool is_reported = false;

	c = bpf_map_lookup_elem(&counters, &i);
	if (!c)
		return false;

	c->skbs++;
	if (pkt->tcp_flags & TCP_FLAG_SYN) {
		if (pkt->tcp_flags & TCP_FLAG_ACK)
			c->syn_ack += pkt->n_packets;
		else
			c->syn += pkt->n_packets;
	}
	if (pkt->flags & PACKET_UNPARSED)
		c->unparsed += pkt->n_packets;
	if (fw_reason_verdict(d->reason) == FW_PASS) {
		c->packets += pkt->n_packets;
		c->bytes += pkt->n_bytes;
	}
	if (d->reason == FW_REASON_NO_MATCH)
		return false;

	reason = d->reason;
	barrier_var(reason); /* clang knows its range and drops the test, the verifier has lost it */
	if (reason < _FW_REASON_MAX)
		c->reasons[reason] += pkt->n_packets;
	if (fw_reason_verdict(d->reason) == FW_DROP) {
		c->dropped += pkt->n_packets;
		c->dropped_bytes += pkt->n_bytes;
		if (d->found & FOUND_OTHER_NETNS)
			c->dropped_other_netns += pkt->n_packets;
	}
	if (fw_reason_verdict(d->reason) == FW_DROP || d->reason == FW_REASON_AUDITED)
		is_reported = c->sampling.watch != p->watch_drops.both || c->dropped >= c->sampling.at;
	if (!FOUND_RANK(d->found))
		return is_reported; /* no entry decided */

	i = FOUND_LIST(d->found);
	list = bpf_map_lookup_elem(&list_counters, &i);
	if (!list)
		return is_reported;
	if (d->found & FOUND_OTHER_NETNS) {
		list->other_netns += pkt->n_packets;
		return is_reported;
	}
	list->hits += pkt->n_packets;
	if (fw_reason_verdict(d->reason) == FW_DROP) {
		list->dropped += pkt->n_packets;
		list->dropped_bytes += pkt->n_bytes;
	} else if (d->reason == FW_REASON_AUDITED) {
		list->would_drop += pkt->n_packets;
	}
	return is_reported;
}
