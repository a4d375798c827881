/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * struct packet + maps -> struct decision. Of the maps only the clock and the hits of the deciding entry are
 * written on the way, all counters in count.h.
 */

#include <stdbool.h>

#include "match.h"
#include "packet.h"

/* The verdict follows from the reason: one number less to keep, which each drop would pay for. */
struct decision {
	enum fw_reason reason;
	__u32 found; /* the entry that decided, see FOUND(); rank 0 = none did */
};

static __always_inline struct decision found_to_decision(__u64 found)
{
	struct decision d = { .reason = FW_REASON_NO_MATCH, .found = found };

	switch (FOUND_RANK(found)) {
	case RANK_ALLOWED:
		d.reason = FW_REASON_ALLOWED;
		break;
	case RANK_ADDRESS:
		d.reason = FW_REASON_ADDRESS;
		break;
	case RANK_PORT:
		d.reason = FW_REASON_PORT;
		break;
	case RANK_HIDDEN:
		d.reason = FW_REASON_HIDDEN_PORT;
		break;
	case RANK_AUDITED_ADDRESS:
	case RANK_AUDITED_PORT:
	case RANK_AUDITED_HIDDEN:
		d.reason = FW_REASON_AUDITED;
		break;
	}
	return d;
}

/* How to judge a packet, apart from what it is. */
struct terms {
	struct context c;
	enum fw_direction direction;
	bool is_cgroup;    /* at that hook packets of other network namespaces are seen, too */
	bool judges_ports;
	bool is_counting;
};

/*
 * FOUND_OTHER_NETNS, or 0. Any user may be root of a network namespace of his own, and send anything from any address there.
 * A packet in it is judged, but proves nothing. Asked only where the filter says "maybe", so that a passing packet does not
 * pay for it; and not again where ports have asked.
 */
static __always_inline __u64 terms_netns(const struct terms *t, const struct fw_policy *p)
{
	if (!t->is_cgroup || !has_netns_cookie)
		return 0;
	if (p->flags & FW_POLICY_PORTS)
		return t->judges_ports ? 0 : FOUND_OTHER_NETNS;
	return context_is_own_netns(t->c) ? 0 : FOUND_OTHER_NETNS;
}

/* What a hit of the packet counts. */
static __always_inline __u32 terms_n_hits(const struct terms *t, const struct packet *pkt, __u64 netns)
{
	return t->is_counting && !netns ? pkt->n_packets : 0;
}

/* The decision for the final destination of a packet whose headers name one, by its address alone. */
static __always_inline struct decision classify_final(const struct terms *t, const struct packet *pkt,
						      const struct fw_policy *p, bool is_counting)
{
	__u64 netns = is_counting ? terms_netns(t, p) : 0;
	__u64 found = fw_match_final(t->c.of_hook, pkt->final, pkt->flags & PACKET_IP6,
				     is_counting ? terms_n_hits(t, pkt, netns) : 0);

	return found_to_decision(found ? found | FOUND_FINAL | netns : 0);
}

/* The decision for one packet. With nothing listed it costs a few tests of fw_policy. */
static __always_inline struct decision classify(const struct terms *t, const struct packet *pkt,
						const struct fw_policy *p)
{
	const struct decision no_match = { .reason = FW_REASON_NO_MATCH };
	bool has_ports = pkt->flags & (PACKET_PORTS | PACKET_HIDDEN) && t->judges_ports;
	__u64 ask = ASK(t->direction, has_ports, pkt->protocol, pkt->dport);
	const __be32 *addr = pkt->addr;
	__u64 found, netns;

	if (p->flags & FW_POLICY_STRICT && pkt->flags & PACKET_MALFORMED)
		return (struct decision){ .reason = FW_REASON_MALFORMED, .found = terms_netns(t, p) };

	if (pkt->flags & PACKET_IP4) {
		if (!has_ports && (!p->lengths4 || !filter_cell(FW_KIND_IPV4, filter_slot(p, FW_KIND_IPV4), bpf_ntohl(addr[0]) >> 16)))
			return no_match;
		netns = terms_netns(t, p);
		return found_to_decision(fw_match_ip4(bpf_ntohl(addr[0]), ask, terms_n_hits(t, pkt, netns)) | netns);
	}
	if (pkt->flags & PACKET_IP6) {
		if (!has_ports && (!(p->lengths6[0] | p->lengths6[1] | p->lengths6[2]) ||
				   !filter_cell(FW_KIND_IPV6, filter_slot(p, FW_KIND_IPV6), bpf_ntohl(addr[0]) >> 16)))
			return no_match;
		netns = terms_netns(t, p);
		return found_to_decision(fw_match_ip6((__u64)bpf_ntohl(addr[0]) << 32 | bpf_ntohl(addr[1]),
						      (__u64)bpf_ntohl(addr[2]) << 32 | bpf_ntohl(addr[3]), ask,
						      terms_n_hits(t, pkt, netns)) | netns);
	}
	if (!(pkt->flags & PACKET_UNPARSED))
		return (struct decision){ .reason = FW_REASON_NOT_IP };
	found = has_ports ? fw_match_port(ask) : 0;
	return found ? found_to_decision(found) : (struct decision){ .reason = FW_REASON_UNPARSED };
}
