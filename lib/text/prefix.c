// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Addresses and prefixes: text <-> bytes, order, cover, and ranges cut into prefixes. Everything
 * works on bytes in network order, so that IPv4 and IPv6 share each function but the two readers of
 * text.
 */

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/decimal.h"
#include "text/prefix.h"

static const uint8_t mapped_start[12] = { [10] = 0xff, [11] = 0xff }; /* ::ffff:0:0/96 */

static uint8_t bit_of(unsigned position)
{
	return 0x80 >> (position % 8);
}

/* Clears the bits past length. Was any set? */
static bool clear_host_bits(struct prefix *p)
{
	unsigned n_bytes = prefix_full_length(p->family) / 8, i = p->length / 8;
	uint8_t host_mask = 0xff >> (p->length % 8);
	bool was_set = false;

	for (; i < n_bytes; i++) {
		was_set |= p->bytes[i] & host_mask;
		p->bytes[i] &= ~host_mask;
		host_mask = 0xff;
	}
	return was_set;
}

/* An IPv6 prefix that lies in the IPv4-mapped block becomes the IPv4 prefix it stands for. */
static void fold_mapped(struct prefix *p)
{
	if (p->family != AF_INET6 || p->length < 96 ||
	    memcmp(p->bytes, mapped_start, sizeof(mapped_start)) != 0)
		return;

	p->family = AF_INET;
	p->length -= 96;
	memcpy(p->bytes, p->bytes + 12, 4);
	memset(p->bytes + 4, 0, 12);
}

/* Four numbers of 0 to 255, nothing shorter. */
static bool parse_ipv4(const char *text, size_t length, uint8_t *ret_bytes)
{
	const char *end = text + length;

	for (unsigned i = 0; i < 4; i++) {
		const char *stop = i < 3 ? memchr(text, '.', (size_t)(end - text)) : end;
		uint64_t number;

		if (!stop || decimal_parse(text, (size_t)(stop - text), 255, &number) < 0)
			return false;

		ret_bytes[i] = (uint8_t)number;
		text = i < 3 ? stop + 1 : stop;
	}
	return true;
}

/*
 * The forms of RFC 4291. inet_pton(3) knows them; what it may let through, depending on the C
 * library, is looked at before: zones, and an embedded IPv4 address that parse_ipv4() would refuse.
 */
static bool parse_ipv6(const char *text, size_t length, uint8_t *ret_bytes)
{
	char buffer[INET6_ADDRSTRLEN];
	uint8_t ipv4[4];
	size_t start = length; /* of what follows the last colon */

	if (length >= sizeof(buffer))
		return false;

	memcpy(buffer, text, length);
	buffer[length] = '\0';
	if (strspn(buffer, "0123456789abcdefABCDEF:.") != length)
		return false;

	while (start > 0 && text[start - 1] != ':')
		start--;
	if (memchr(text, '.', length) && !parse_ipv4(text + start, length - start, ipv4))
		return false;

	return inet_pton(AF_INET6, buffer, ret_bytes) == 1;
}

int prefix_parse(const char *text, size_t length, struct prefix *ret, bool *ret_masked)
{
	const char *slash = memchr(text, '/', length);
	size_t n_address = slash ? (size_t)(slash - text) : length;
	bool is_ipv6 = memchr(text, ':', n_address);
	struct prefix p = { .family = is_ipv6 ? AF_INET6 : AF_INET };
	uint64_t bits = prefix_full_length(p.family);
	bool masked;
	int r;

	if (!(is_ipv6 ? parse_ipv6 : parse_ipv4)(text, n_address, p.bytes))
		return -EINVAL;

	if (slash) {
		r = decimal_parse(slash + 1, length - n_address - 1, bits, &bits);
		if (r < 0)
			return r;
	}

	p.length = (uint8_t)bits;
	masked = clear_host_bits(&p);
	fold_mapped(&p);

	*ret = p;
	if (ret_masked)
		*ret_masked = masked;
	return 0;
}

struct prefix prefix_from_mapped(const void *bytes)
{
	struct prefix p = prefix_from_bytes(AF_INET6, bytes, 128);

	fold_mapped(&p);
	return p;
}

struct prefix prefix_from_bytes(int family, const void *bytes, unsigned length)
{
	struct prefix p = { .family = (uint8_t)family, .length = (uint8_t)length };

	memcpy(p.bytes, bytes, prefix_full_length(family) / 8);
	(void) clear_host_bits(&p); /* that is what was asked for */
	return p;
}

struct prefix_halves prefix_to_halves(const struct prefix *p)
{
	struct prefix_halves h = {};
	uint32_t ip4;

	if (p->family == AF_INET) {
		memcpy(&ip4, p->bytes, sizeof(ip4));
		h.high = ntohl(ip4);
	} else {
		memcpy(&h, p->bytes, sizeof(h));
		h.high = be64toh(h.high);
		h.low = be64toh(h.low);
	}
	return h;
}

struct prefix prefix_from_halves(int family, struct prefix_halves h, unsigned length)
{
	uint32_t ip4 = htonl((uint32_t)h.high);

	h.high = htobe64(h.high);
	h.low = htobe64(h.low);
	return prefix_from_bytes(family, family == AF_INET ? (const void *)&ip4 : &h, length);
}

/* RFC 5952: lower case, no leading zeros, "::" for the first longest run of at least two zeros. */
static char *format_ipv6(const uint8_t *bytes, char *at)
{
	unsigned groups[8], run_start = 8, run_length = 1, i = 0;

	for (unsigned g = 0; g < 8; g++)
		groups[g] = (unsigned)bytes[2 * g] << 8 | bytes[2 * g + 1];

	for (unsigned g = 0; g < 8; g++) {
		unsigned n = 0;

		while (g + n < 8 && groups[g + n] == 0)
			n++;
		if (n > run_length) {
			run_start = g;
			run_length = n;
		}
	}

	while (i < 8) {
		if (i == run_start) {
			at += sprintf(at, "::");
			i += run_length;
			continue;
		}
		at += sprintf(at, i == 0 || i == run_start + run_length ? "%x" : ":%x", groups[i]);
		i++;
	}
	return at;
}

const char *prefix_format(const struct prefix *p, char buffer[static PREFIX_TEXT_MAX])
{
	char *at = buffer;

	if (p->family == AF_INET6)
		at = format_ipv6(p->bytes, at);
	else
		at += sprintf(at, "%u.%u.%u.%u", p->bytes[0], p->bytes[1], p->bytes[2],
			      p->bytes[3]);

	if (p->length < prefix_full_length(p->family))
		(void) sprintf(at, "/%u", p->length);
	return buffer;
}

int prefix_compare(const struct prefix *a, const struct prefix *b)
{
	int r;

	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;

	r = memcmp(a->bytes, b->bytes, sizeof(a->bytes));
	return r != 0 ? r : a->length - b->length;
}

bool prefix_covers(const struct prefix *outer, const struct prefix *inner)
{
	struct prefix cut;

	if (outer->family != inner->family || outer->length > inner->length)
		return false;

	cut = prefix_from_bytes(inner->family, inner->bytes, outer->length);
	return memcmp(cut.bytes, outer->bytes, sizeof(cut.bytes)) == 0;
}

unsigned prefix_full_length(int family)
{
	return family == AF_INET6 ? 128 : 32;
}

int prefix_split_range(const struct prefix *first, const struct prefix *last,
		       int (*fn)(const struct prefix *p, void *userdata), void *userdata)
{
	unsigned full = prefix_full_length(first->family), n_bytes = full / 8;
	struct prefix block = *first;
	int r;

	if (first->family != last->family || memcmp(last->bytes, first->bytes, n_bytes) < 0)
		return -ERANGE;

	for (;;) {
		uint8_t end[16]; /* last address of the block */
		struct prefix p;

		memcpy(end, block.bytes, sizeof(end));
		block.length = (uint8_t)full;

		/* Double the block as long as it keeps its start and ends within the range. */
		for (; block.length > 0; block.length--) {
			unsigned position = block.length - 1;

			if (block.bytes[position / 8] & bit_of(position))
				break;
			end[position / 8] |= bit_of(position);
			if (memcmp(end, last->bytes, n_bytes) > 0) {
				end[position / 8] &= ~bit_of(position);
				break;
			}
		}

		p = block;
		fold_mapped(&p); /* the same spelling rule as for a prefix that was typed */
		r = fn(&p, userdata);
		if (r < 0)
			return r;

		if (memcmp(end, last->bytes, n_bytes) == 0)
			return 0;

		/* The next block starts one past the end, which is below last: this cannot wrap. */
		for (unsigned i = n_bytes; i-- > 0 && ++end[i] == 0;)
			;
		memcpy(block.bytes, end, sizeof(end));
	}
}
