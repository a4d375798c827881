// SPDX-License-Identifier: GPL-2.0-or-later

/* Descriptions to bytes, and the catalogue of frames that have fooled a parser somewhere. */

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <string.h>

#include "base/cleanup.h"

#include "frame.h"

#define IP4_HEADER 20
#define IP6_HEADER 40
#define TCP_HEADER 20
#define UDP_HEADER 8
#define ICMP_HEADER 8

#define IP4_LSRR 131

#define ICMP4_ECHO 8
#define ICMP6_ECHO 128

/* What a field of a description stands for. */
static uint32_t value(uint32_t described, uint32_t right)
{
	return described == FRAME_ZERO ? 0 : described ?: right;
}

static void put8(struct frame *f, uint8_t value)
{
	f->bytes[f->length++] = value;
}

static void put16(struct frame *f, uint16_t value)
{
	put8(f, value >> 8);
	put8(f, value);
}

static void put_fill(struct frame *f, uint8_t value, size_t n)
{
	memset(f->bytes + f->length, value, n);
	f->length += n;
}

static void set16(uint8_t *p, uint16_t value)
{
	p[0] = value >> 8;
	p[1] = value;
}

static uint32_t sum_words(const uint8_t *p, size_t n, uint32_t sum)
{
	for (size_t i = 0; i + 1 < n; i += 2)
		sum += p[i] << 8 | p[i + 1];
	if (n % 2)
		sum += p[n - 1] << 8;
	return sum;
}

static uint16_t sum_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

static void put_ethernet(struct frame *f, const struct frame_spec *s)
{
	uint16_t ethertype = s->ethertype;

	if (!ethertype)
		ethertype = s->family == AF_INET6 ? ETH_P_IPV6 : ETH_P_IP;

	/* locally administered addresses; who sends on a wire puts the right ones in their place */
	put16(f, 0x0200), put16(f, 0), put16(f, 1);
	put16(f, 0x0200), put16(f, 0), put16(f, 2);

	for (size_t i = 0; i < FRAME_TAGS_MAX && s->tags[i]; i++) {
		put16(f, s->tags[i]);
		put16(f, s->vid);
	}
	if (s->is_snap) {
		put16(f, 8 + IP4_HEADER + UDP_HEADER); /* a length, as it is below 0x600 */
		put16(f, 0xaaaa), put16(f, 0x0300), put16(f, 0);
	}
	put16(f, ethertype);
}

static void put_l4(struct frame *f, const struct frame_spec *s, uint8_t protocol)
{
	uint16_t dport = value(s->dport, FRAME_DPORT);

	switch (protocol) {
	case IPPROTO_TCP:
		put16(f, FRAME_SPORT), put16(f, dport);
		put_fill(f, 0, 8);                       /* sequence numbers */
		put8(f, TCP_HEADER / 4 << 4), put8(f, s->tcp_flags);
		put16(f, 0xffff), put16(f, 0), put16(f, 0); /* window, checksum, urgent */
		break;
	case IPPROTO_UDP:
		put16(f, FRAME_SPORT), put16(f, dport);
		put16(f, UDP_HEADER + s->n_data), put16(f, 0);
		break;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		put8(f, protocol == IPPROTO_ICMP ? ICMP4_ECHO : ICMP6_ECHO), put8(f, 0);
		put16(f, 0), put16(f, FRAME_SPORT), put16(f, 1); /* checksum, identifier, sequence */
		break;
	default:
		break;
	}
	put_fill(f, 0, s->n_data);
}

/* Fills in the checksum of what put_l4() wrote at l4, between these addresses. */
static void set_l4_checksum(struct frame *f, size_t l4, uint8_t protocol, const uint8_t *addresses, size_t n)
{
	size_t length = f->length - l4, field;
	uint32_t sum;

	if (protocol == IPPROTO_TCP)
		field = 16;
	else if (protocol == IPPROTO_UDP)
		field = 6;
	else if (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6)
		field = 2;
	else
		return;

	sum = sum_words(f->bytes + l4, length, 0);
	if (protocol != IPPROTO_ICMP) /* all others sum up the addresses too */
		sum = sum_words(addresses, n, sum + protocol + length);
	set16(f->bytes + l4 + field, sum_fold(sum));
}

/* The letters of frame_spec.headers. */
static const struct {
	char letter;
	uint8_t protocol;
	uint8_t n_bytes;
	uint8_t fields[4]; /* behind the next header field */
} extensions[] = {
	{ 'h', IPPROTO_HOPOPTS,  8,  { 0, 1, 4 }        }, /* PadN over the rest */
	{ 'd', IPPROTO_DSTOPTS,  8,  { 0, 1, 4 }        },
	{ 'D', IPPROTO_DSTOPTS,  24, { 2, 0x1e, 20 }    }, /* an experiment, to be skipped (RFC 4727) */
	{ 'r', IPPROTO_ROUTING,  8,  { 0, 0, 0 }        }, /* type 0 with no segment left */
	{ 's', IPPROTO_ROUTING,  24, { 2, 4 }           }, /* segment routing, see frame_spec.final */
	{ 't', IPPROTO_ROUTING,  24, { 2, 2 }           }, /* type 2 with the same */
	{ 'm', IPPROTO_MH,       8,  { 0, 0, 0 }        },
	{ 'a', IPPROTO_AH,       16, { 2, 0, 0 }        }, /* in words of 4, less 2 */
	{ 'A', IPPROTO_AH,       28, { 5, 0, 0 }        },
	{ 'f', IPPROTO_FRAGMENT, 8,  { 0, 0, 0 }        }, /* atomic */
	{ '1', IPPROTO_FRAGMENT, 8,  { 0, 0, 1 }        }, /* the first of several */
	{ '2', IPPROTO_FRAGMENT, 8,  { 0, 0, 0x08 }     }, /* the next one, at the lowest offset */
	{ '3', IPPROTO_FRAGMENT, 8,  { 0, 0x80, 0 }     }, /* at an offset of the highest bit alone */
	{ 'L', IPPROTO_DSTOPTS,  8,  { 255, 1, 4 }      }, /* claims to be 2048 bytes long */
	{ 'n', IPPROTO_NONE,     0,  { 0 }              },
};

/*
 * Headers of frame_spec.headers; next is where the number of the first one goes. Returns where that of what follows goes;
 * 0: nothing follows. -EINVAL: no such header.
 */
static int put_extensions(struct frame *f, const struct frame_spec *s, size_t next)
{
	size_t e;

	for (const char *h = s->headers; h && *h; h++) {
		for (e = 0; e < ELEMENTSOF(extensions) && extensions[e].letter != *h; e++)
			;
		if (e == ELEMENTSOF(extensions))
			return -EINVAL;
		f->bytes[next] = extensions[e].protocol;
		if (!extensions[e].n_bytes)
			return 0; /* no next header: nothing follows */
		next = f->length;
		put_fill(f, 0, extensions[e].n_bytes);
		memcpy(f->bytes + next + 1, extensions[e].fields, 3);
		if (extensions[e].protocol != IPPROTO_ROUTING || extensions[e].n_bytes < 24)
			continue;
		f->bytes[next + 3] = !s->is_route_over;
		if (s->final && inet_pton(AF_INET6, s->final, f->bytes + next + 8) != 1)
			return -EINVAL;
	}
	return next;
}

static int put_ip4(struct frame *f, const struct frame_spec *s)
{
	size_t start = f->length, header = IP4_HEADER + s->n_options, l4;
	uint8_t protocol = s->protocol ?: IPPROTO_UDP;
	int next;

	put8(f, value(s->version, 4) << 4 | value(s->ihl, header / 4)), put8(f, 0);
	put16(f, 0), put16(f, 1), put16(f, s->fragment); /* length follows, identification */
	put8(f, 64), put8(f, protocol), put16(f, 0);
	if (inet_pton(AF_INET, s->src ?: FRAME_SRC4, f->bytes + f->length) != 1 ||
	    inet_pton(AF_INET, s->dst ?: FRAME_DST4, f->bytes + f->length + 4) != 1)
		return -EINVAL;
	f->length += 8;
	put_fill(f, s->option ?: 1, s->n_options);
	if (s->final) { /* at the end of the options, before one byte that ends them */
		uint8_t *route = f->bytes + f->length - 8;

		route[0] = IP4_LSRR;
		route[1] = 7;
		route[2] = s->is_route_over ? 8 : 4;
		if (inet_pton(AF_INET, s->final, route + 3) != 1)
			return -EINVAL;
		route[7] = 0;
	}

	next = put_extensions(f, s, start + 9);
	if (next < 0)
		return next;
	f->bytes[next] = protocol;
	l4 = f->length;
	put_l4(f, s, protocol);
	set_l4_checksum(f, l4, protocol, f->bytes + start + 12, 8);

	set16(f->bytes + start + 2, value(s->length, f->length - start));
	set16(f->bytes + start + 10, sum_fold(sum_words(f->bytes + start, header, 0)));
	return 0;
}

static int put_ip6(struct frame *f, const struct frame_spec *s)
{
	size_t start = f->length, addresses = start + 8, l4;
	uint8_t protocol = s->protocol ?: IPPROTO_UDP;
	int next;

	put8(f, value(s->version, 6) << 4), put_fill(f, 0, 3);
	put16(f, 0), put8(f, 0), put8(f, 64);
	if (inet_pton(AF_INET6, s->src ?: FRAME_SRC6, f->bytes + f->length) != 1 ||
	    inet_pton(AF_INET6, s->dst ?: FRAME_DST6, f->bytes + f->length + 16) != 1)
		return -EINVAL;
	f->length += 32;

	next = put_extensions(f, s, start + 6);
	if (next < 0)
		return next;
	if (next > 0) {
		f->bytes[next] = protocol;
		l4 = f->length;
		put_l4(f, s, protocol);
		set_l4_checksum(f, l4, protocol, f->bytes + addresses, 32);
	}
	set16(f->bytes + start + 4, value(s->length, f->length - start - IP6_HEADER));
	return 0;
}

int frame_build(const struct frame_spec *spec, struct frame *ret)
{
	int r = 0;

	ret->length = 0;
	put_ethernet(ret, spec);
	ret->network = ret->length;

	if (spec->family == AF_INET)
		r = put_ip4(ret, spec);
	else if (spec->family == AF_INET6)
		r = put_ip6(ret, spec);
	else
		put_fill(ret, 0, 46);
	if (r < 0)
		return r;

	if (spec->n_ip)
		ret->length = ret->network + spec->n_ip;
	if (spec->n_frame)
		ret->length = spec->n_frame;
	return 0;
}

#define V4            .family = AF_INET
#define V6            .family = AF_INET6
#define TCP(f)        .protocol = IPPROTO_TCP, .tcp_flags = (f)
#define TAGS(...)     .tags = { __VA_ARGS__ }
#define READABLE      (FRAME_HAS_ADDRESS | FRAME_HAS_PORT)
#define BROKEN        (FRAME_IS_UNPARSED | FRAME_IS_MALFORMED)
#define HIDDEN        (FRAME_IS_UNPARSED | FRAME_IS_HIDDEN)
#define MORE_FRAGMENTS 0x2000

const struct frame_row frame_catalogue[] = {
	{ "udp4",                { V4 }, READABLE },
	{ "udp4-large",          { V4, .n_data = 4900 }, READABLE }, /* more than a test run takes */
	{ "udp4-padded",         { V4, .n_data = 2, .n_ip = 46 }, READABLE },
	{ "udp4-options-4",      { V4, .n_options = 4 }, READABLE },
	{ "udp4-options-40",     { V4, .n_options = 40 }, READABLE },
	{ "udp4-route",          { V4, .n_options = 8, .final = "192.0.2.200" }, READABLE },
	{ "udp4-vlan",           { V4, TAGS(0x8100), .vid = 5 }, READABLE },
	{ "udp4-priority-1",     { V4, TAGS(0x8100) }, READABLE },
	{ "udp4-priority-2",     { V4, TAGS(0x8100, 0x8100) }, READABLE },
	{ "udp4-priority-3",     { V4, TAGS(0x8100, 0x8100, 0x8100) }, READABLE },
	{ "udp4-priority-4",     { V4, TAGS(0x8100, 0x8100, 0x8100, 0x8100) }, READABLE },
	{ "udp4-qinq",           { V4, TAGS(0x88a8, 0x8100), .vid = 5 }, READABLE },
	{ "udp4-qinq-priority",  { V4, TAGS(0x88a8, 0x8100) }, READABLE },
	{ "udp4-tags-4",         { V4, TAGS(0x88a8, 0x8100, 0x88a8, 0x8100), .vid = 5 }, READABLE },
	{ "icmp4",               { V4, .protocol = IPPROTO_ICMP }, FRAME_HAS_ADDRESS },
	{ "gre4",                { V4, .protocol = IPPROTO_GRE, .n_data = 8 }, FRAME_HAS_ADDRESS },
	{ "igmp4",               { V4, .protocol = IPPROTO_IGMP, .n_data = 8, .n_options = 4 }, FRAME_HAS_ADDRESS },
	{ "esp4",                { V4, .protocol = IPPROTO_ESP, .n_data = 32 }, FRAME_HAS_ADDRESS },
	{ "ospf4",               { V4, .protocol = 89, .n_data = 24 }, FRAME_HAS_ADDRESS },
	{ "empty4",              { V4, .protocol = IPPROTO_IPIP }, FRAME_HAS_ADDRESS },
	{ "sctp4",               { V4, .protocol = IPPROTO_SCTP, .n_data = 12 }, FRAME_HAS_ADDRESS },
	{ "udplite4",            { V4, .protocol = IPPROTO_UDPLITE, .n_data = 8 }, FRAME_HAS_ADDRESS },
	{ "syn4-ah",             { V4, TCP(FRAME_SYN), .headers = "A" }, READABLE | FRAME_IS_SYN },
	{ "esp4-ah",             { V4, .protocol = IPPROTO_ESP, .headers = "a", .n_data = 32 }, FRAME_HAS_ADDRESS },
	{ "ah4-twice",           { V4, TCP(FRAME_SYN), .headers = "aa" }, FRAME_HAS_ADDRESS | BROKEN | HIDDEN },
	{ "ah4-cut",             { V4, TCP(FRAME_SYN), .headers = "A", .fragment = MORE_FRAGMENTS, .length = 36, .n_ip = 36 },
	                         FRAME_HAS_ADDRESS | BROKEN | HIDDEN },
	{ "syn4",                { V4, TCP(FRAME_SYN) }, READABLE | FRAME_IS_SYN },
	{ "syn4-data",           { V4, TCP(FRAME_SYN), .n_data = 100 }, READABLE | FRAME_IS_SYN },
	{ "syn4-options",        { V4, TCP(FRAME_SYN), .n_options = 8 }, READABLE | FRAME_IS_SYN },
	{ "syn4-priority-2",     { V4, TCP(FRAME_SYN), TAGS(0x8100, 0x8100) }, READABLE | FRAME_IS_SYN },
	{ "syn-fin4",            { V4, TCP(FRAME_SYN | FRAME_FIN) }, READABLE | FRAME_IS_SYN },
	{ "syn-ack4",            { V4, TCP(FRAME_SYN | FRAME_ACK) }, READABLE | FRAME_IS_SYN_ACK },
	{ "rst4",                { V4, TCP(FRAME_RST) }, READABLE },
	{ "ack4",                { V4, TCP(FRAME_ACK) }, READABLE },
	{ "ack4-option-syn",     { V4, TCP(FRAME_ACK), .n_options = 40, .option = FRAME_SYN }, READABLE },
	{ "fragment4-first",     { V4, TCP(FRAME_SYN), .fragment = MORE_FRAGMENTS, .n_data = 4 },
	                         READABLE | FRAME_IS_SYN },
	{ "fragment4-first-8",   { V4, TCP(FRAME_SYN), .fragment = MORE_FRAGMENTS, .length = 28, .n_ip = 28 },
	                         READABLE | FRAME_IS_UNPARSED },
	{ "fragment4-next",      { V4, TCP(FRAME_SYN), .fragment = 1 }, FRAME_HAS_ADDRESS },
	{ "fragment4-far",       { V4, TCP(FRAME_SYN), .fragment = 0x1000 }, FRAME_HAS_ADDRESS },
	{ "short4-tcp",          { V4, TCP(FRAME_SYN), .length = 33 }, READABLE | FRAME_IS_UNPARSED },
	{ "short4-udp",          { V4, .length = 23 }, FRAME_HAS_ADDRESS | HIDDEN },
	{ "cut4-tcp",            { V4, TCP(FRAME_SYN), .n_ip = 33 }, READABLE | FRAME_IS_UNPARSED },
	{ "cut4-options",        { V4, .n_options = 40, .n_ip = 40 }, FRAME_HAS_ADDRESS | HIDDEN },
	{ "ihl4",                { V4, .ihl = 4 }, FRAME_HAS_ADDRESS | BROKEN },
	{ "ihl0",                { V4, .ihl = FRAME_ZERO }, FRAME_HAS_ADDRESS | BROKEN },
	{ "ihl15",               { V4, .ihl = 15 }, FRAME_HAS_ADDRESS | BROKEN },
	{ "length4-short",       { V4, .length = 19 }, FRAME_HAS_ADDRESS | BROKEN },
	{ "length4-zero",        { V4, .length = FRAME_ZERO }, READABLE }, /* a segmented skb above 64 KiB */
	{ "version6-in-0800",    { V4, .version = 6 }, BROKEN },
	{ "version0-in-0800",    { V4, .version = FRAME_ZERO }, BROKEN },

	{ "udp6",                { V6 }, READABLE },
	{ "udp6-priority-2",     { V6, TAGS(0x8100, 0x8100) }, READABLE },
	{ "udp6-hop-by-hop",     { V6, .headers = "h" }, READABLE },
	{ "udp6-options-2",      { V6, .headers = "hd" }, READABLE },
	{ "udp6-options-long",   { V6, .headers = "D" }, READABLE },
	{ "udp6-ah",             { V6, .headers = "aA" }, READABLE },
	{ "udp6-routing",        { V6, .headers = "r" }, READABLE },
	{ "udp6-segments",       { V6, .headers = "s", .final = "2001:db8:f::9" }, READABLE },
	{ "udp6-type2",          { V6, .headers = "t", .final = "2001:db8:f::9" }, READABLE },
	{ "udp6-mobility",       { V6, .headers = "m" }, READABLE },
	{ "udp6-atomic",         { V6, .headers = "f" }, READABLE },
	{ "icmp6",               { V6, .protocol = IPPROTO_ICMPV6 }, FRAME_HAS_ADDRESS },
	{ "icmp6-alert",         { V6, .protocol = IPPROTO_ICMPV6, .headers = "h" }, FRAME_HAS_ADDRESS },
	{ "esp6",                { V6, .protocol = IPPROTO_ESP, .headers = "d", .n_data = 32 }, FRAME_HAS_ADDRESS },
	{ "ospf6",               { V6, .protocol = 89, .n_data = 24 }, FRAME_HAS_ADDRESS },
	{ "empty6",              { V6, .protocol = IPPROTO_IPIP }, FRAME_HAS_ADDRESS },
	{ "hip6",                { V6, .protocol = 139, .n_data = 40 }, FRAME_HAS_ADDRESS },
	{ "shim6",               { V6, .protocol = 140, .n_data = 16 }, FRAME_HAS_ADDRESS },
	{ "experimental6",       { V6, .protocol = 253, .headers = "d", .n_data = 16 }, FRAME_HAS_ADDRESS },
	{ "none6",               { V6, .headers = "n" }, FRAME_HAS_ADDRESS },
	{ "syn6",                { V6, TCP(FRAME_SYN) }, READABLE | FRAME_IS_SYN },
	{ "syn6-headers-8",      { V6, TCP(FRAME_SYN), .headers = "hddrfaad" }, READABLE | FRAME_IS_SYN },
	{ "syn6-headers-9",      { V6, TCP(FRAME_SYN), .headers = "hdddddddd" }, READABLE | FRAME_IS_SYN },
	{ "syn6-headers-16",     { V6, TCP(FRAME_SYN), .headers = "hddddddddddddddd" }, READABLE | FRAME_IS_SYN },
	{ "udp6-headers-9",      { V6, .headers = "hdddddddd" }, READABLE },
	{ "udp6-headers-17",     { V6, .headers = "hdddddddddddddddd" }, FRAME_HAS_ADDRESS | BROKEN | HIDDEN },
	{ "syn6-headers-17",     { V6, TCP(FRAME_SYN), .headers = "hdddddddddddddddd" },
	                         FRAME_HAS_ADDRESS | BROKEN | HIDDEN },
	{ "syn6-headers-20",     { V6, TCP(FRAME_SYN), .headers = "dddddddddddddddddddd" },
	                         FRAME_HAS_ADDRESS | BROKEN | HIDDEN },
	{ "fragment6-first",     { V6, TCP(FRAME_SYN), .headers = "1" }, READABLE | FRAME_IS_SYN },
	{ "fragment6-first-8",   { V6, TCP(FRAME_SYN), .headers = "1", .length = 16, .n_ip = 56 },
	                         READABLE | FRAME_IS_UNPARSED },
	{ "fragment6-next",      { V6, TCP(FRAME_SYN), .headers = "2" }, FRAME_HAS_ADDRESS },
	{ "fragment6-far",       { V6, TCP(FRAME_SYN), .headers = "3" }, FRAME_HAS_ADDRESS },
	{ "fragment6-again",     { V6, TCP(FRAME_SYN), .headers = "12" }, FRAME_HAS_ADDRESS },
	{ "fragment6-headers",   { V6, TCP(FRAME_SYN), .headers = "1d" }, READABLE | FRAME_IS_SYN },
	{ "fragment6-between",   { V6, TCP(FRAME_SYN), .headers = "1dd", .length = 16, .n_ip = 56 },
	                         FRAME_HAS_ADDRESS | BROKEN | HIDDEN },
	{ "udp6-between",        { V6, .headers = "1dd", .length = 16, .n_ip = 56 }, /* of two fragments, for the wire */
	                         FRAME_HAS_ADDRESS | BROKEN | HIDDEN },
	{ "udp6-between-next",   { V6, .headers = "2d" }, FRAME_HAS_ADDRESS },
	{ "fragment6-inside",    { V6, TCP(FRAME_SYN), .headers = "1D", .length = 16, .n_ip = 56 },
	                         FRAME_HAS_ADDRESS | BROKEN | HIDDEN },
	{ "fragment6-empty",     { V6, TCP(FRAME_SYN), .headers = "1", .length = 8, .n_ip = 48 },
	                         FRAME_HAS_ADDRESS | HIDDEN },
	{ "fragment6-all-headers", { V6, TCP(FRAME_SYN), .headers = "1d", .length = 16, .n_ip = 56 },
	                         FRAME_HAS_ADDRESS | HIDDEN },
	{ "length6-short",       { V6, .length = 3 }, FRAME_HAS_ADDRESS | HIDDEN },
	{ "header6-too-long",    { V6, .headers = "L" }, FRAME_HAS_ADDRESS | BROKEN | HIDDEN },
	{ "header6-cut",         { V6, .headers = "d", .n_ip = 41 }, FRAME_HAS_ADDRESS | BROKEN | HIDDEN },
	{ "version4-in-86dd",    { V6, .version = 4 }, BROKEN },
	{ "udp4-in-86dd",        { V4, .ethertype = ETH_P_IPV6, .n_data = 40 }, BROKEN },

	/* on the wire the first tag goes into the skb; in a test run it stays where it is */
	{ "udp4-tags-5",         { V4, TAGS(0x8100, 0x8100, 0x8100, 0x8100, 0x8100) }, BROKEN | HIDDEN | FRAME_SKB_ONLY },
	{ "udp4-tags-5-xdp",     { V4, TAGS(0x8100, 0x8100, 0x8100, 0x8100, 0x8100) }, READABLE | FRAME_XDP_ONLY },
	{ "udp4-tags-6",         { V4, TAGS(0x8100, 0x8100, 0x8100, 0x8100, 0x8100, 0x8100) }, BROKEN | HIDDEN },
	{ "udp4-snap",           { V4, .is_snap = true }, 0 },
	{ "arp",                 { .ethertype = ETH_P_ARP }, 0 },
};

const size_t n_frame_catalogue = ELEMENTSOF(frame_catalogue);

const struct frame_row *frame_find(const char *name)
{
	for (size_t i = 0; i < n_frame_catalogue; i++)
		if (strcmp(frame_catalogue[i].name, name) == 0)
			return &frame_catalogue[i];
	return NULL;
}
