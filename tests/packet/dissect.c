// SPDX-License-Identifier: GPL-2.0-or-later

/* See dissect.h. */

#include <linux/if_ether.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "dissect.h"

/* The bytes of a packet from some header on. left is what the IP header says is there, frame what there really is. */
struct rest {
	const uint8_t *at;
	size_t frame;
	size_t left;
};

static unsigned get16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

static bool is_tag(unsigned ethertype)
{
	return ethertype == ETH_P_8021Q || ethertype == ETH_P_8021AD;
}

static bool is_extension(uint8_t number)
{
	return number == IPPROTO_HOPOPTS || number == IPPROTO_ROUTING || number == IPPROTO_DSTOPTS ||
	       number == IPPROTO_FRAGMENT || number == IPPROTO_AH || number == IPPROTO_MH;
}

static size_t extension_size(uint8_t number, const uint8_t *header)
{
	if (number == IPPROTO_FRAGMENT)
		return 8;
	return number == IPPROTO_AH ? 4 * (header[1] + 2) : 8 * (header[1] + 1);
}

static void read_port(struct question *q, uint8_t number, struct rest r)
{
	if (number != IPPROTO_TCP && number != IPPROTO_UDP)
		return;
	q->protocol = number == IPPROTO_TCP ? FW_TCP : FW_UDP;
	q->port = r.frame < 4 || r.left < 4 ? PORT_HIDDEN : (int)get16(r.at + 2);
}

/* Moves past an extension header. False: it does not end in this packet. */
static bool skip_extension(uint8_t *number, struct rest *r)
{
	size_t size;

	if (r->frame < (*number == IPPROTO_FRAGMENT ? 8 : 2))
		return false;
	size = extension_size(*number, r->at);
	if (size > r->left)
		return false;
	*number = r->at[0];
	r->at += size;
	r->left -= size;
	r->frame = size < r->frame ? r->frame - size : 0;
	return true;
}

static void read_ip4(struct question *q, const uint8_t *ip, size_t frame)
{
	size_t header, total;
	uint8_t number;
	struct rest r;

	if (frame < 20 || ip[0] >> 4 != 4)
		return;
	q->address = prefix_from_bytes(AF_INET, ip + (q->direction == FW_INGRESS ? 12 : 16), 32);

	header = (ip[0] & 15) * 4;
	total = get16(ip + 2) ?: 0xffff;
	if (header < 20 || total < header || get16(ip + 6) & 0x1fff)
		return; /* no host takes it, or a later fragment */

	number = ip[9];
	r = (struct rest){ ip + header, header < frame ? frame - header : 0, total - header };
	if (number == IPPROTO_AH && (!skip_extension(&number, &r) || number == IPPROTO_AH))
		q->port = PORT_HIDDEN;
	else
		read_port(q, number, r);
}

static void read_ip6(struct question *q, const uint8_t *ip, size_t frame)
{
	uint8_t number;
	struct rest r;

	if (frame < 40 || ip[0] >> 4 != 6)
		return;
	q->address = prefix_from_bytes(AF_INET6, ip + (q->direction == FW_INGRESS ? 8 : 24), 128);

	number = ip[6];
	r = (struct rest){ ip + 40, frame - 40, get16(ip + 4) ?: 0xffff };
	for (unsigned n = 0; is_extension(number); n++) {
		if (number == IPPROTO_FRAGMENT && r.frame >= 8 && get16(r.at + 2) & 0xfff8)
			return; /* a later fragment */
		if (n == FW_IP6_HEADERS_MAX || !skip_extension(&number, &r)) {
			q->port = PORT_HIDDEN;
			return;
		}
	}
	read_port(q, number, r);
}

/* Where IP begins, after the tags. 0: it does not. */
static size_t find_ip(const uint8_t *bytes, size_t length, unsigned n_tags, unsigned *ret_ethertype)
{
	size_t at = 14;

	if (length < at)
		return 0;
	*ret_ethertype = get16(bytes + 12);
	for (unsigned n = 0; is_tag(*ret_ethertype); n++) {
		if (n == n_tags || length < at + 4)
			return 0;
		*ret_ethertype = get16(bytes + at + 2);
		at += 4;
	}
	return at;
}

static const uint8_t *find_final4(const uint8_t *ip, size_t frame)
{
	size_t header, at = 20, size;

	if (frame < 20 || ip[0] >> 4 != 4)
		return NULL;
	header = (ip[0] & 15) * 4;
	if (header < 20 || (get16(ip + 2) ?: 0xffff) < header)
		return NULL;
	for (; at + 7 <= header && at + 3 <= frame && ip[at] != 0; at += size) {
		size = ip[at] == 1 ? 1 : ip[at + 1];
		if (size == 0 || at + size > header)
			return NULL;
		if (ip[at] == 131 || ip[at] == 137)
			return size >= 7 && ip[at + 2] <= size && at + size <= frame ? ip + at + size - 4 : NULL;
	}
	return NULL;
}

static const uint8_t *find_final6(const uint8_t *ip, size_t frame)
{
	size_t at = 40, size, end;
	uint8_t number;

	if (frame < 40 || ip[0] >> 4 != 6)
		return NULL;
	end = at + (get16(ip + 4) ?: 0xffff);
	number = ip[6];
	for (unsigned n = 0; n < FW_IP6_HEADERS_MAX && is_extension(number); n++) {
		if (at + 4 > frame || (number == IPPROTO_FRAGMENT && get16(ip + at + 2) & 0xfff8))
			return NULL;
		size = extension_size(number, ip + at);
		if (number == IPPROTO_ROUTING && ip[at + 3] != 0) {
			if (ip[at + 2] == 4)
				at += 8;
			else if ((ip[at + 2] == 0 || ip[at + 2] == 2) && size >= 24)
				at += size - 16;
			else
				return NULL;
			return at + 16 <= frame ? ip + at : NULL;
		}
		if (at + size > end)
			return NULL;
		number = ip[at];
		at += size;
	}
	return NULL;
}

bool dissect_final(const uint8_t *bytes, size_t length, unsigned n_tags, struct question *ret)
{
	const uint8_t *final = NULL;
	unsigned ethertype;
	size_t at;

	at = find_ip(bytes, length, n_tags, &ethertype);
	if (at > 0 && ethertype == ETH_P_IP)
		final = find_final4(bytes + at, length - at);
	else if (at > 0 && ethertype == ETH_P_IPV6)
		final = find_final6(bytes + at, length - at);
	if (!final)
		return false;
	*ret = (struct question){ .direction = FW_EGRESS, .port = PORT_NONE };
	ret->address = ethertype == ETH_P_IP ? prefix_from_bytes(AF_INET, final, 32) : prefix_from_bytes(AF_INET6, final, 128);
	return true;
}

struct question dissect(const uint8_t *bytes, size_t length, enum fw_direction direction, unsigned n_tags)
{
	struct question q = { .direction = direction, .port = PORT_NONE };
	size_t at = 14;
	unsigned ethertype;

	if (length < at)
		return q;
	ethertype = get16(bytes + 12);
	for (unsigned n = 0; is_tag(ethertype); n++) {
		if (n == n_tags) {
			q.port = PORT_HIDDEN;
			return q;
		}
		if (length < at + 4)
			return q;
		ethertype = get16(bytes + at + 2);
		at += 4;
	}
	if (ethertype == ETH_P_IP)
		read_ip4(&q, bytes + at, length - at);
	else if (ethertype == ETH_P_IPV6)
		read_ip6(&q, bytes + at, length - at);
	return q;
}
