/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The one parser, printer and comparer of addresses and prefixes. Strict on purpose: what inet_aton()
 * accepts beyond dotted decimal (octal, hexadecimal, fewer than four parts) has let wrong addresses
 * into other firewalls. Pure functions, no allocation.
 */

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "ffff:...:ffff/128" and the final NUL */
#define PREFIX_TEXT_MAX (INET6_ADDRSTRLEN + 4)

struct prefix {
	uint8_t family;    /* AF_INET or AF_INET6 */
	uint8_t length;    /* bits, 0..32 or 0..128 */
	uint8_t bytes[16]; /* network order; IPv4 in the first four; bits past length are zero */
};

/*
 * Parses "192.0.2.0/24", "2001:db8::/32" or an address, which is a prefix of full length. An IPv4-mapped
 * IPv6 address or prefix (::ffff:0:0/96 and longer) becomes the IPv4 one. Host bits are cleared;
 * *ret_masked, if not NULL, says whether any was set. text needs no NUL: length bytes are read.
 * -EINVAL: not an address; -ERANGE: prefix length out of range. Outputs unchanged on failure.
 */
int prefix_parse(const char *text, size_t length, struct prefix *ret, bool *ret_masked);

/* From an address in network order (4 or 16 bytes), masked to length bits. */
struct prefix prefix_from_bytes(int family, const void *bytes, unsigned length);

/* The address as two numbers in host order, as the programs have it: IPv4 all in high. */
struct prefix_halves {
	uint64_t high;
	uint64_t low;
};
struct prefix_halves prefix_to_halves(const struct prefix *p);
struct prefix prefix_from_halves(int family, struct prefix_halves halves, unsigned length);

/* From an address as the kernel's events and keys have it: 16 bytes, IPv4 as ::ffff:a.b.c.d. */
struct prefix prefix_from_mapped(const void *bytes);

/* Canonical text: RFC 5952 for IPv6, the length left out where it is full. Returns buffer. */
const char *prefix_format(const struct prefix *p, char buffer[static PREFIX_TEXT_MAX]);

/* Order by family, address, length: a prefix comes before what it covers. <0, 0, >0. */
int prefix_compare(const struct prefix *a, const struct prefix *b);

/* Does outer cover all of inner? Never across families. */
bool prefix_covers(const struct prefix *outer, const struct prefix *inner);

/* 32 or 128 */
unsigned prefix_full_length(int family);

/*
 * The fewest prefixes that cover first..last and nothing else: calls fn for each in ascending order
 * and stops at its first negative return, which is returned. At most 62 for IPv4, 254 for IPv6.
 * first and last are of full length and of one family; -ERANGE: last is below first.
 */
int prefix_split_range(const struct prefix *first, const struct prefix *last,
		       int (*fn)(const struct prefix *p, void *userdata), void *userdata);
