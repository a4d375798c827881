/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The final destination of a packet that leaves by a detour: an IPv6 routing header, or an IPv4 source route. The IP
 * header has the next hop, and any process may ask for a detour. Types that only an administrator can set up, as RPL
 * (RFC 6554), are not looked into.
 */

#include "match.h"
#include "parse.h"

#define IP4_OPTIONS_MAX 40 /* bytes */
#define IP4_OPTION_END  0
#define IP4_OPTION_NOP  1
#define IP4_OPTION_LSRR 131 /* loose and strict source route, RFC 791 3.1 */
#define IP4_OPTION_SSRR 137
#define IP4_ROUTE_MIN   7 /* bytes of one with a single address */

#define ROUTING_SOURCE   0 /* RFC 2460 4.4, deprecated; the last address is the final one */
#define ROUTING_MOBILE   2 /* RFC 6275 6.4: the same, and there is one */
#define ROUTING_SEGMENTS 4 /* RFC 8754: the first segment is the final one */
#define ROUTING_FIRST    8 /* where the first address is */

/* c is at the IP header. */
static __always_inline __u32 final_find_ip4(struct cursor *c)
{
	const struct ip4_option *o;
	const struct iphdr *ip;
	__u32 length, left;

	ip = cursor_peek(c, sizeof(*ip));
	if (!ip || ip->ihl * 4 < sizeof(*ip))
		return 0;
	left = ip->ihl * 4 - sizeof(*ip);
	cursor_advance(c, sizeof(*ip));

	for (int i = 0; i < IP4_OPTIONS_MAX && left >= IP4_ROUTE_MIN; i++) {
		o = cursor_peek(c, sizeof(*o));
		if (!o || o->type == IP4_OPTION_END)
			return 0;
		length = o->type == IP4_OPTION_NOP ? 1 : o->length;
		if (length == 0 || length > left)
			return 0;
		if (o->type == IP4_OPTION_LSRR || o->type == IP4_OPTION_SSRR)
			return length < IP4_ROUTE_MIN || o->pointer > length ? 0 : c->off + length - sizeof(__be32);
		left = unknown(left - length, c->zero);
		cursor_advance(c, length);
	}
	return 0;
}

static __always_inline __u32 final_find_ip6(struct cursor *c)
{
	const struct ip6_routing *header;
	const struct ipv6hdr *ip;
	__u32 length, left;
	__u8 nexthdr;

	ip = cursor_peek(c, sizeof(*ip));
	if (!ip)
		return 0;
	nexthdr = ip->nexthdr;
	left = bpf_ntohs(ip->payload_len) ?: 0xffff; /* as in parse_ip6() */
	cursor_advance(c, sizeof(*ip));

	for (int i = 0; i < FW_IP6_HEADERS_MAX && is_ip6_extension(nexthdr); i++) {
		header = cursor_peek(c, sizeof(*header));
		if (!header)
			return 0;
		length = extension_length(nexthdr, header->length);
		if (nexthdr == IPPROTO_FRAGMENT) { /* its offset is where another header has type and segments_left */
			if ((header->type << 8 | header->segments_left) & IP6_FRAGMENT_OFFSET)
				return 0; /* the headers are in the first fragment */
			length = sizeof(struct ip6_fragment);
		}
		if (nexthdr == IPPROTO_ROUTING && header->segments_left) {
			if (header->type == ROUTING_SEGMENTS)
				return c->off + ROUTING_FIRST;
			if ((header->type == ROUTING_SOURCE || header->type == ROUTING_MOBILE) &&
			    length >= ROUTING_FIRST + sizeof(ip->daddr))
				return c->off + length - sizeof(ip->daddr);
			return 0;
		}
		if (length > left)
			return 0;
		left = unknown(left - length, c->zero);
		nexthdr = header->nexthdr;
		cursor_advance(c, length);
	}
	return 0;
}

/* Where in an skb the final destination is, if the headers of the packet at network name one; 0: they do not. */
__noinline __u32 fw_find_final(struct __sk_buff *skb, __u32 network, __u32 is_ip6)
{
	struct context context = CONTEXT_SKB(skb);
	const struct fw_policy *p;
	union header copy;
	__u32 first = 0;

	p = bpf_map_lookup_elem(&policy, &first);
	if (!p)
		return 0;

	struct cursor c = {
		.data = context_data(context),
		.data_end = context_data_end(context),
		.context = context,
		.copy = &copy,
		.off = network,
		.zero = p->zero,
	};

	return is_ip6 ? final_find_ip6(&c) : final_find_ip4(&c);
}

/* What is found for it by its address alone: 0 where there is nothing to be found, or no such address. */
__noinline __u64 fw_match_final(struct __sk_buff *skb, __u32 final, __u32 is_ip6, __u32 n_packets)
{
	__u64 ask = ASK(FW_EGRESS, false, 0, 0);
	__be32 addr[4] = {};

	if (context_load(CONTEXT_SKB(skb), final, addr, is_ip6 ? sizeof(addr) : sizeof(addr[0])) < 0)
		return 0;
	if (!is_ip6)
		return fw_match_ip4(bpf_ntohl(addr[0]), ask, n_packets);
	return fw_match_ip6((__u64)bpf_ntohl(addr[0]) << 32 | bpf_ntohl(addr[1]),
			    (__u64)bpf_ntohl(addr[2]) << 32 | bpf_ntohl(addr[3]), ask, n_packets);
}
