/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Any frame -> its outline: tags, options, extension headers, fragments, bytes that are not linear,
 * nonsense. What cannot be read is said in flags, never guessed, and the place of an address that could be
 * read is kept even where what follows it is broken: a blocked sender gains nothing by sending nonsense.
 */

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <stdbool.h>
#include <stddef.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bits.h"
#include "context.h"
#include "maps.h"

#define NETWORK_OFFSET_MAX  0xffff /* of bpf_skb_load_bytes_relative() */
#define IP4_FRAGMENT_OFFSET 0x1fff /* 13 bits, RFC 791 */
#define IP6_FRAGMENT_OFFSET 0xfff8 /* 13 bits and 3 below, RFC 8200 4.5 */
#define TCP_FLAG_SYN        0x02   /* byte 13 of the header, RFC 9293 3.1 */
#define TCP_FLAG_ACK        0x10
#define TCP_FLAGS_END       14     /* bytes of a TCP header up to and including the flags */

enum {
	PACKET_IP4 = 1 << 0,       /* addr[0] is set */
	PACKET_IP6 = 1 << 1,       /* addr is set */
	PACKET_PORTS = 1 << 2,     /* protocol and dport are set */
	PACKET_UNPARSED = 1 << 3,  /* an address or an L4 header that should be there could not be read */
	PACKET_MALFORMED = 1 << 4, /* headers that contradict themselves or never end: Strict=yes drops it */
	PACKET_HIDDEN = 1 << 5,    /* there should be a port, and it cannot be read: protocol is FW_PROTOCOL_HIDDEN */
	PACKET_ROUTED = 1 << 6,    /* its headers may name a destination after that of the IP header: see final.h */
};

/* What there is to know but the addresses: what fits the result of fw_parse(). */
struct outline {
	__u32 flags;
	__u32 network; /* bytes from the first header to the IP header */
	__u16 dport;
	__u8 protocol;
	__u8 tcp_flags;
	__u8 number;     /* of the IP protocol, where the headers tell */
	__u32 transport; /* from the IP header to the L4 header, in words of 4 bytes; 0 = not there */
};

#define OUTLINE_PACK(o)                                                                            \
	((__u64)(o)->transport << 52 | (__u64)(o)->network << 44 | (__u64)(o)->dport << 28 |         \
	 (__u64)(o)->tcp_flags << 20 | (__u64)(o)->number << 12 | (__u64)(o)->protocol << 8 | (o)->flags)
#define OUTLINE_FLAGS(packed)     ((packed) & 0xff)
#define OUTLINE_PROTOCOL(packed)  ((packed) >> 8 & 0xf)
#define OUTLINE_NUMBER(packed)    ((packed) >> 12 & 0xff)
#define OUTLINE_TCP_FLAGS(packed) ((packed) >> 20 & 0xff)
#define OUTLINE_DPORT(packed)     ((packed) >> 28 & 0xffff)
#define OUTLINE_NETWORK(packed)   ((packed) >> 44 & 0xff)
#define OUTLINE_TRANSPORT(packed) ((packed) >> 52)

/* Where a frame starts. Without an Ethernet header the ethertype is skb->protocol. */
enum layer {
	LAYER_ETHERNET,
	LAYER_NETWORK, /* at the IP header */
	LAYER_TUNNEL,  /* often there, and after outer headers with some devices: see fw_network_start() */
};

/* As struct ethhdr, which is packed, so that its fields would be read byte by byte. */
struct ethernet {
	__be16 destination[3];
	__be16 source[3];
	__be16 ethertype;
};

struct vlan_tag {
	__be16 tci;
	__be16 ethertype;
};

struct ip6_extension { /* and the authentication header of IPv4 */
	__u8 nexthdr;
	__u8 length;
};

struct ip6_fragment {
	__u8 nexthdr;
	__u8 reserved;
	__be16 offset;
	__be32 id;
};

struct ip6_routing { /* of each type, RFC 8200 4.4; what any other extension header begins with */
	__u8 nexthdr;
	__u8 length;
	__u8 type;
	__u8 segments_left;
};

struct ip4_option {
	__u8 type;
	__u8 length;  /* not of the types 0 and 1, which are one byte */
	__u8 pointer; /* source routes: the next address, from 1; after the end where none is left */
};

/* A header copied out of a non-linear skb. One for all, the stack of a program is 512 bytes. */
union header {
	struct ethernet ethernet;
	struct vlan_tag tag;
	struct iphdr ip4;
	struct ipv6hdr ip6;
	struct ip6_extension extension;
	struct ip6_fragment fragment;
	struct ip6_routing routing;
	struct ip4_option option;
	__be16 ports[2];
	__u8 tcp[TCP_FLAGS_END];
	__u8 icmp[2]; /* type and code */
};

/* A frame and the position of the header to be read next. */
struct cursor {
	void *data;
	void *data_end;
	struct context context;
	union header *copy;    /* of the header looked at last, where it is not linear */
	__u64 off;             /* bytes from data */
	__u64 zero;            /* fw_policy.zero */
};

static __always_inline void cursor_advance(struct cursor *c, __u32 size)
{
	c->off = unknown(c->off + size, c->zero);
}

/*
 * A pointer to the next size bytes: into the packet where they are linear, else to a copy. NULL if the
 * frame ends before.
 */
static __always_inline const void *cursor_peek(struct cursor *c, __u32 size)
{
	__u64 off = c->off;
	const void *p;

	/* else clang tests one copy and adds another: "unbounded min value is not allowed" (5.10, 6.1) */
	barrier_var(off);
	if (off > HEADERS_MAX)
		return NULL;

	/* the verifier of 6.1 keeps no range of what was spilled before the test: the mask repeats it */
	barrier_var(off);
	p = c->data + (off & HEADERS_MAX);
	if (p + size <= c->data_end)
		return p;
	if (context_has_more(c->context) && context_load(c->context, off, c->copy, size) == 0)
		return c->copy;
	return NULL;
}

/*
 * The L4 header of a packet that is not a later fragment is out of reach. A host may still find it: by following more
 * headers, or after reassembly.
 */
static __always_inline void set_hidden(struct outline *o)
{
	o->protocol = FW_PROTOCOL_HIDDEN;
	o->flags |= PACKET_UNPARSED | PACKET_HIDDEN;
}

/*
 * Ports and TCP flags. left is how many bytes of L4 the IP header declares: padding is not a header. The ports come first: a
 * TCP header cut after them, as in a first fragment, is still judged by its port.
 */
static __always_inline void parse_l4(struct cursor *c, struct outline *o, __u8 l4, __u32 left)
{
	const __be16 *ports;
	const __u8 *tcp;

	o->number = l4;
	o->transport = c->off > HEADERS_MAX ? 0 : (c->off - o->network) / 4;
	if (l4 != IPPROTO_TCP && l4 != IPPROTO_UDP)
		return;
	ports = left < sizeof(c->copy->ports) ? NULL : cursor_peek(c, sizeof(c->copy->ports));
	if (!ports) {
		set_hidden(o);
		return;
	}
	o->protocol = l4 == IPPROTO_TCP ? FW_TCP : FW_UDP;
	o->dport = bpf_ntohs(ports[1]);
	o->flags |= PACKET_PORTS;
	if (l4 == IPPROTO_UDP)
		return;

	tcp = left < TCP_FLAGS_END ? NULL : cursor_peek(c, TCP_FLAGS_END);
	if (tcp)
		o->tcp_flags = tcp[TCP_FLAGS_END - 1];
	else
		o->flags |= PACKET_UNPARSED;
}

/* In bytes. RFC 4302 2.2 counts in other units than RFC 8200 4.3. */
static __always_inline __u32 extension_length(__u8 number, __u8 length)
{
	return number == IPPROTO_AH ? (length + 2) * 4 : (length + 1) * 8;
}

static __always_inline void parse_ip4(struct cursor *c, struct outline *o)
{
	const struct iphdr *ip;
	const struct ip6_extension *ah;
	__u32 header, total, left;
	__u8 l4;

	ip = cursor_peek(c, sizeof(*ip));
	if (!ip || ip->version != 4) {
		o->flags |= PACKET_UNPARSED | PACKET_MALFORMED;
		return;
	}

	o->flags |= PACKET_IP4;

	header = ip->ihl * 4;
	total = bpf_ntohs(ip->tot_len);
	if (total == 0) /* a segmented skb of more than 64 KiB has no length that fits */
		total = 0xffff;
	if (header < sizeof(*ip) || total < header) {
		o->flags |= PACKET_UNPARSED | PACKET_MALFORMED;
		return;
	}
	if (header > sizeof(*ip))
		o->flags |= PACKET_ROUTED;
	o->number = ip->protocol;
	if (ip->frag_off & bpf_htons(IP4_FRAGMENT_OFFSET))
		return; /* the L4 header was in the first fragment */

	l4 = ip->protocol;
	left = total - header;
	cursor_advance(c, header);
	if (l4 == IPPROTO_AH) {
		ah = cursor_peek(c, sizeof(*ah));
		header = ah ? extension_length(IPPROTO_AH, ah->length) : 0;
		if (!ah || header > left || ah->nexthdr == IPPROTO_AH) {
			o->flags |= PACKET_MALFORMED;
			set_hidden(o);
			return;
		}
		l4 = ah->nexthdr;
		left -= header;
		cursor_advance(c, header);
	}
	parse_l4(c, o, l4, left);
}

static __always_inline bool is_ip6_extension(__u8 nexthdr)
{
	return nexthdr == IPPROTO_HOPOPTS || nexthdr == IPPROTO_ROUTING || nexthdr == IPPROTO_DSTOPTS ||
	       nexthdr == IPPROTO_FRAGMENT || nexthdr == IPPROTO_AH || nexthdr == IPPROTO_MH;
}

static __always_inline void parse_ip6(struct cursor *c, struct outline *o)
{
	const struct ip6_extension *extension;
	const struct ip6_fragment *fragment;
	const struct ipv6hdr *ip;
	__u8 nexthdr, next;
	__u32 length, left;

	ip = cursor_peek(c, sizeof(*ip));
	if (!ip || ip->version != 6) {
		o->flags |= PACKET_UNPARSED | PACKET_MALFORMED;
		return;
	}

	o->flags |= PACKET_IP6;

	nexthdr = ip->nexthdr;
	left = bpf_ntohs(ip->payload_len);
	if (left == 0) /* jumbogram, or a segmented skb of more than 64 KiB */
		left = 0xffff;
	cursor_advance(c, sizeof(*ip));

	for (int i = 0; i < FW_IP6_HEADERS_MAX && is_ip6_extension(nexthdr); i++) {
		if (nexthdr == IPPROTO_ROUTING)
			o->flags |= PACKET_ROUTED;
		if (nexthdr == IPPROTO_FRAGMENT) {
			fragment = cursor_peek(c, sizeof(*fragment));
			if (!fragment)
				break;
			next = fragment->nexthdr;
			if (fragment->offset & bpf_htons(IP6_FRAGMENT_OFFSET)) {
				o->number = next;
				return; /* the L4 header was in the first fragment */
			}
			length = sizeof(*fragment);
		} else {
			extension = cursor_peek(c, sizeof(*extension));
			if (!extension)
				break;
			next = extension->nexthdr;
			length = extension_length(nexthdr, extension->length);
		}
		if (length > left)
			break;
		left = unknown(left - length, c->zero);
		nexthdr = next;
		cursor_advance(c, length);
	}

	if (is_ip6_extension(nexthdr)) { /* a header that does not end in this packet, or more than anyone has a use for */
		o->flags |= PACKET_MALFORMED;
		o->number = nexthdr;
		set_hidden(o);
		return;
	}
	parse_l4(c, o, nexthdr, left);
}

static __always_inline void parse_network(struct cursor *c, __be16 ethertype, struct outline *o)
{
	o->network = c->off;
	if (ethertype == bpf_htons(ETH_P_IP))
		parse_ip4(c, o);
	else if (ethertype == bpf_htons(ETH_P_IPV6))
		parse_ip6(c, o);
}

static __always_inline bool is_vlan(__be16 ethertype)
{
	return ethertype == bpf_htons(ETH_P_8021Q) || ethertype == bpf_htons(ETH_P_8021AD);
}

/*
 * Tags in the frame, then IP. A tag that the driver or the stack moved into the skb is gone from the frame
 * already; more may follow, and the stack takes off priority tags one by one.
 */
static __always_inline void parse_tags(struct cursor *c, __be16 ethertype, struct outline *o)
{
	int n_max = FW_VLAN_TAGS_MAX + (c->context.is_xdp ? 1 : 0); /* the outermost one has not been moved yet */
	const struct vlan_tag *tag;

	for (int i = 0; i < n_max; i++) {
		if (!is_vlan(ethertype))
			break;
		tag = cursor_peek(c, sizeof(*tag));
		if (!tag)
			return;
		ethertype = tag->ethertype;
		cursor_advance(c, sizeof(*tag));
	}
	if (is_vlan(ethertype)) { /* the stack would strip any number of priority tags, and find IP after them */
		o->flags |= PACKET_MALFORMED;
		set_hidden(o);
		return;
	}
	parse_network(c, ethertype, o);
}

/* The frame's own ethertype counts: skb->protocol is what an AF_PACKET sender chose to write there. */
static __always_inline void parse_ethernet(struct cursor *c, struct outline *o)
{
	const struct ethernet *ethernet;
	__be16 ethertype;

	ethernet = cursor_peek(c, sizeof(*ethernet));
	if (!ethernet)
		return; /* not even an ethertype: nothing an IP stack would take */
	ethertype = ethernet->ethertype;
	cursor_advance(c, sizeof(*ethernet));
	parse_tags(c, ethertype, o);
}

/* start is where the first header is, of which the network of an outline is relative. */
static __always_inline __u64 parse(struct context context, enum layer layer, __be16 ethertype, __u32 start)
{
	const struct fw_policy *p;
	struct outline o = {};
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
		.zero = p->zero,
		.off = start,
	};

	if (layer == LAYER_ETHERNET)
		parse_ethernet(&c, &o);
	else
		parse_tags(&c, ethertype, &o); /* a tun with packet information may be told of tags */
	if (o.flags & (PACKET_IP4 | PACKET_IP6))
		o.network -= start;
	return OUTLINE_PACK(&o);
}

/*
 * Bytes from the start of an skb to its network header. Devices without an Ethernet header differ: IP is at the start of
 * most skbs, but xfrm and vti leave the MAC header of the outer packet there at ingress, a gre device without a remote has
 * the outer IP and GRE headers there in both directions, and with kernel 5.10 all tunnels have them at ingress. The sender
 * controls these bytes, and they may look like IP.
 *
 * No field of the context tells. So this counts the linear bytes from the network header on, of which the helper reads one:
 * if the last of the skb's linear bytes is as far from there as from the start, both are the same place.
 */
__noinline __u32 fw_network_start(struct __sk_buff *skb)
{
	__u64 n_linear = context_data_end(CONTEXT_SKB(skb)) - context_data(CONTEXT_SKB(skb)), n = 0;
	__u8 byte;

	if (n_linear == 0 || n_linear - 1 > NETWORK_OFFSET_MAX) /* further than the helper goes: so large is only an skb of tun */
		return 0;
	if (bpf_skb_load_bytes_relative(skb, n_linear - 1, &byte, 1, BPF_HDR_START_NET) == 0)
		return 0;

	for (__u64 step = (NETWORK_OFFSET_MAX + 1) / 2; step; step /= 2) /* without a branch, which would double the paths */
		n += step & ~(bpf_skb_load_bytes_relative(skb, n + step - 1, &byte, 1, BPF_HDR_START_NET) >> 63);
	return n_linear - n;
}

/*
 * Parse any frame. Global functions: the verifier takes each by itself, and none of their many paths
 * meets those of the decision. They can hand back no more than a number, see OUTLINE_PACK().
 */
__noinline __u64 fw_parse(struct __sk_buff *skb, __u32 layer, __u32 start)
{
	return parse(CONTEXT_SKB(skb), layer, skb->protocol, start);
}

__noinline __u64 fw_parse_xdp(struct xdp_md *xdp)
{
	return parse(CONTEXT_XDP(xdp), LAYER_ETHERNET, 0, 0);
}
