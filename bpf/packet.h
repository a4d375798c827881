/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Bytes -> struct packet, with parse.h the only code that reads packet memory. packet_parse_plain() takes
 * what nearly all traffic is, with every byte in place, and leaves all the rest to fw_parse().
 */

#include <stdbool.h>
#include <stddef.h>

#include "final.h"
#include "parse.h"

#define IP4_PLAIN    0x45   /* version 4, header of 5 words: no options */
#define IP4_FRAGMENT 0x3fff /* more fragments, or an offset: part of a datagram */

struct packet {
	__u32 flags;
	__be32 addr[4];  /* the one that is judged: source at ingress, destination at egress */
	__u16 dport;     /* host order */
	__u8 protocol;   /* enum fw_protocol, or FW_PROTOCOL_HIDDEN */
	__u8 tcp_flags;  /* 0 unless TCP */
	__u32 n_packets; /* wire packets in this skb */
	__u32 n_bytes;   /* length as the hook sees it */
	__u32 final;     /* at egress, where the headers name a final destination; 0 = they do not */
	__u32 start;     /* of the first header: not 0 where a device leaves outer headers before it */
};

/* Reads the address of an outlined packet. */
static __always_inline void packet_read_address(struct context c, __u32 network, enum fw_direction direction,
						struct packet *pkt)
{
	__u32 off4 = direction == FW_INGRESS ? offsetof(struct iphdr, saddr) : offsetof(struct iphdr, daddr);
	__u32 off6 = direction == FW_INGRESS ? offsetof(struct ipv6hdr, saddr) : offsetof(struct ipv6hdr, daddr);

	/* fw_parse() has read the header, so it is there */
	if (pkt->flags & PACKET_IP4)
		(void) context_load(c, network + off4, pkt->addr, 4);
	else if (pkt->flags & PACKET_IP6)
		(void) context_load(c, network + off6, pkt->addr, 16);
}

/* TCP and UDP after a plain IP header whose length field says length bytes follow. False: not plain. */
static __always_inline bool parse_plain_l4(const void *l4, const void *data_end, __u8 number, __u32 length,
					   struct packet *pkt)
{
	const union header *header = l4;

	if (number == IPPROTO_TCP) {
		if (length < TCP_FLAGS_END || l4 + TCP_FLAGS_END > data_end)
			return false;
		pkt->protocol = FW_TCP;
		pkt->tcp_flags = header->tcp[TCP_FLAGS_END - 1];
	} else if (number == IPPROTO_UDP) {
		if (length < sizeof(header->ports) || l4 + sizeof(header->ports) > data_end)
			return false;
		pkt->protocol = FW_UDP;
	} else {
		barrier_var(number); /* else clang looks for AH first, which is the rarest */
		return number != IPPROTO_AH;
	}
	pkt->dport = bpf_ntohs(header->ports[1]);
	pkt->flags |= PACKET_PORTS;
	return true;
}

/*
 * A frame without tags, options and extension headers, no fragment, all headers linear; or one that is no IP at all. False:
 * pass it to fw_parse().
 */
static __always_inline bool packet_parse_plain(struct context c, enum layer layer, enum fw_direction direction,
					       struct packet *pkt)
{
	const void *data = context_data(c), *data_end = context_data_end(c), *network = data;
	const struct ethernet *ethernet = data;
	const struct ipv6hdr *ip6;
	const struct iphdr *ip4;
	__be16 ethertype;

	if (layer == LAYER_ETHERNET) {
		network = ethernet + 1;
		if (network > data_end)
			return false;
		ethertype = ethernet->ethertype;
	} else {
		if (layer == LAYER_TUNNEL && pkt->start)
			return false;
		ethertype = ((struct __sk_buff *)c.of_hook)->protocol; /* no XDP frame starts there */
	}

	if (ethertype == bpf_htons(ETH_P_IP)) {
		ip4 = network;
		if ((void *)(ip4 + 1) > data_end || *(const __u8 *)network != IP4_PLAIN ||
		    ip4->frag_off & bpf_htons(IP4_FRAGMENT) || bpf_ntohs(ip4->tot_len) < sizeof(*ip4))
			return false;
		pkt->flags = PACKET_IP4;
		pkt->addr[0] = direction == FW_INGRESS ? ip4->saddr : ip4->daddr;
		return parse_plain_l4(ip4 + 1, data_end, ip4->protocol, bpf_ntohs(ip4->tot_len) - sizeof(*ip4), pkt);
	}
	if (ethertype == bpf_htons(ETH_P_IPV6)) {
		ip6 = network;
		if ((void *)(ip6 + 1) > data_end || ip6->version != 6 || is_ip6_extension(ip6->nexthdr))
			return false;
		pkt->flags = PACKET_IP6;
		__builtin_memcpy(pkt->addr, direction == FW_INGRESS ? &ip6->saddr : &ip6->daddr, sizeof(pkt->addr));
		return parse_plain_l4(ip6 + 1, data_end, ip6->nexthdr, bpf_ntohs(ip6->payload_len), pkt);
	}
	return !is_vlan(ethertype);
}

/* The packet of a hook, in one way or the other. */
static __always_inline void packet_parse(struct context c, enum layer layer, enum fw_direction direction,
					 struct packet *pkt)
{
	__u64 outline;

	pkt->n_packets = context_n_packets(c);
	pkt->n_bytes = context_n_bytes(c);
	if (layer == LAYER_TUNNEL)
		pkt->start = fw_network_start(c.of_hook);
	if (packet_parse_plain(c, layer, direction, pkt))
		return;

	outline = c.is_xdp ? fw_parse_xdp(c.of_hook) : fw_parse(c.of_hook, layer, pkt->start);
	pkt->flags = OUTLINE_FLAGS(outline);
	pkt->protocol = OUTLINE_PROTOCOL(outline);
	pkt->tcp_flags = OUTLINE_TCP_FLAGS(outline);
	pkt->dport = OUTLINE_DPORT(outline);
	if (direction == FW_EGRESS && pkt->flags & PACKET_ROUTED)
		pkt->final = fw_find_final(c.of_hook, pkt->start + OUTLINE_NETWORK(outline), pkt->flags & PACKET_IP6);
	packet_read_address(c, pkt->start + OUTLINE_NETWORK(outline), direction, pkt);
}
