/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * struct packet + maps -> struct decision. Every covering entry counts, not only the longest: an
 * expired or audited /24 must not hide a live /16, and an allow entry wins whatever its length.
 * Of the maps only the hits of the deciding entry are written here, the other counters in count.h.
 */

#include <stdbool.h>

#include "filter.h"
#include "packet.h"

struct decision {
	enum fw_verdict verdict;
	enum fw_reason reason;
	__u32 list; /* the list that decided, where an entry did */
};

/* What the functions below are asked beside the address, in one number. */
#define ASK(direction, has_ports, protocol, dport) \
	((__u64)(direction) << 32 | (__u64)(has_ports) << 24 | (__u64)(protocol) << 16 | (dport))
#define ASK_COUNT          (1ull << 33) /* count a hit even if the entry does not settle the matter */
#define ASK_DIRECTION(ask) ((ask) >> 32 & 1)
#define ASK_HAS_PORTS(ask) ((ask) >> 24 & 1)
#define ASK_PROTOCOL(ask)  ((ask) >> 16 & 1)
#define ASK_DPORT(ask)     ((ask) & 0xffff)
_Static_assert(_FW_DIRECTION_MAX == 2 && _FW_PROTOCOL_MAX == 2, "one bit each");

/*
 * What one entry says, as a number that is the greater the more it weighs: in whichever order entries
 * come up, the greatest number decides. Among equals the more specific entry is the one to name.
 */
enum rank {
	RANK_NONE,
	RANK_AUDITED_PORT,
	RANK_AUDITED_ADDRESS,
	RANK_PORT,
	RANK_ADDRESS,
	RANK_ALLOWED,
};

#define FOUND(rank, specific, list, index) \
	((__u64)(rank) << 24 | (__u64)(specific) << 16 | (__u64)(list) << 8 | (index))
#define FOUND_SETTLED         (1ull << 32) /* no further entry can change the verdict */
#define FOUND_RANK(found)     ((found) >> 24 & 0xff)
#define FOUND_SPECIFIC(found) ((found) >> 16 & 0xff) /* prefix length; for ports, the less the wider */
#define FOUND_LIST(found)     ((found) >> 8 & 0xff)
#define FOUND_INDEX(found)    ((found) & 0xff) /* into port_entries */

/*
 * Position of the lowest set bit of a word that has one: multiplying by a de Bruijn sequence moves a
 * number that is different for each bit into the top six. clang has no instruction to make of
 * __builtin_ctzll() for BPF, and its expansions differ between releases.
 */
#define DEBRUIJN 0x03f79d71b4cb0a89ull
static const __u8 debruijn_positions[64] = {
	0,  1,  48, 2,  57, 49, 28, 3,  61, 58, 50, 42, 38, 29, 17, 4,
	62, 55, 59, 36, 53, 51, 43, 22, 45, 39, 33, 30, 24, 18, 12, 5,
	63, 47, 56, 27, 60, 41, 37, 16, 54, 35, 52, 21, 44, 32, 23, 11,
	46, 26, 40, 15, 34, 20, 31, 10, 25, 14, 19, 9,  13, 8,  7,  6,
};

static __always_inline __u32 lowest_bit(__u64 word)
{
	return debruijn_positions[((word & -word) * DEBRUIJN) >> 58];
}

/*
 * Ticks since boot, at most one jiffy old: asking the boot clock itself costs 30 ns, this 3. A global
 * function, as the next ones are, because the verifier takes such a function once, and not again on
 * every path that leads to it. Kernels before 5.12 let it have numbers only.
 */
__noinline __u32 fw_now_tick(void)
{
	__u64 jiffies = bpf_jiffies64();
	struct fw_clock *c;
	__u32 first = 0;

	c = bpf_map_lookup_elem(&clock, &first);
	if (!c)
		return 0; /* cannot happen, the verifier wants it */
	if (c->jiffies != jiffies) {
		c->tick = bpf_ktime_get_boot_ns() >> FW_TICK_SHIFT;
		c->jiffies = jiffies;
	}
	return c->tick;
}

/* Those of lists that still hold an entry with this end; where is its fw_ends_key, in pieces. */
#define WHERE(kind, prefixlen) ((__u64)(kind) << 32 | (prefixlen))
__noinline __u64 fw_live_lists(__u64 lists, __u32 until, __u64 where, __u64 addr01, __u64 addr23)
{
	struct fw_ends_key key = {
		.kind = where >> 32,
		.prefixlen = (__u32)where,
		.addr = { addr01 >> 32, (__u32)addr01, addr23 >> 32, (__u32)addr23 },
	};
	__u32 now = fw_now_tick(), list;
	struct fw_ends *all;
	__u64 live = 0;

	if (until != FW_UNTIL_MIXED)
		return now < until ? lists : 0;

	all = bpf_map_lookup_elem(&ends, &key);
	if (!all)
		return lists; /* cannot happen: the ends are written before the entry and removed after */

	for (int i = 0; i < FW_LISTS_MAX && lists; i++) {
		list = lowest_bit(lists);
		barrier_var(list); /* clang 19 knows the table and drops the mask, the verifier does not */
		list %= FW_LISTS_MAX;
		lists &= lists - 1;
		if (all->until[list] == FW_UNTIL_NEVER || now < all->until[list])
			live |= 1ull << list;
	}
	return live;
}

/*
 * Weighs one covering entry. specific and index are as in FOUND(), where and the address are its
 * fw_ends_key. A hit is counted if this settles the matter, and also if the question says so.
 */
static __always_inline __u64 weigh(struct fw_entry *e, __u64 ask, __u32 specific, __u64 where, __u64 addr01,
				   __u64 addr23, __u32 n_packets)
{
	bool is_port = where >> 32 == FW_KIND_PORT;
	const struct fw_policy *p;
	__u32 first = 0, index;
	__u64 lists, found;

	p = bpf_map_lookup_elem(&policy, &first);
	if (!p)
		return 0;

	lists = e->lists[ASK_DIRECTION(ask)] & (p->block | p->audit | p->allow);
	if (lists && e->until != FW_UNTIL_NEVER)
		lists = fw_live_lists(lists, e->until, where, addr01, addr23);

	index = is_port ? where & 0xff : 0;
	if (lists & p->allow)
		found = FOUND(RANK_ALLOWED, specific, lowest_bit(lists & p->allow), index) | FOUND_SETTLED;
	else if (lists & p->block)
		found = FOUND(is_port ? RANK_PORT : RANK_ADDRESS, specific, lowest_bit(lists & p->block), index) |
			(p->allow ? 0 : FOUND_SETTLED);
	else if (lists)
		found = FOUND(is_port ? RANK_AUDITED_PORT : RANK_AUDITED_ADDRESS, specific, lowest_bit(lists), index);
	else
		return 0;

	if (n_packets && (found & FOUND_SETTLED || ask & ASK_COUNT)) {
		/* several CPUs may hit one entry, and there is one of it */
		__sync_fetch_and_add(&e->hits, n_packets);
		e->last_hit = fw_now_tick();
	}
	return found;
}

/* The greater of two findings, without a branch: each would double the verifier's paths in a loop. */
static __always_inline __u64 weightier(__u64 a, __u64 b)
{
	__s64 more = a - b;

	return b + (more & ~(more >> 63));
}

/*
 * The next three ask about one entry: addresses are numbers in host order, host_bits is what a prefix
 * leaves of them, n_packets is what a hit counts, 0 to look without leaving a trace.
 */
__noinline __u64 fw_ask_ip4(__u32 addr, __u32 host_bits, __u64 ask, __u32 n_packets)
{
	const struct fw_policy *p;
	struct fw_key4 key;
	struct fw_entry *e;
	__u32 slot = 0;
	void *table;

	p = bpf_map_lookup_elem(&policy, &slot);
	if (!p)
		return 0;
	slot = fw_slot(p->table_generation[FW_KIND_IPV4]);
	table = bpf_map_lookup_elem(&tables4, &slot);
	if (!table)
		return 0; /* cannot happen: a slot is filled before it is named */

	host_bits &= 63;
	key.prefixlen = 32 - host_bits;
	key.addr = bpf_htonl(addr & (__u32)(~0ull << host_bits));
	e = bpf_map_lookup_elem(table, &key);
	if (!e)
		return 0;
	return weigh(e, ask, key.prefixlen & 0xff, WHERE(FW_KIND_IPV4, key.prefixlen),
		     (__u64)key.addr << 32, 0, n_packets);
}

__noinline __u64 fw_ask_ip6(__u64 high, __u64 low, __u32 host_bits, __u64 ask, __u32 n_packets)
{
	const struct fw_policy *p;
	struct fw_key6 key;
	struct fw_entry *e;
	__u32 slot = 0;
	void *table;

	p = bpf_map_lookup_elem(&policy, &slot);
	if (!p)
		return 0;
	slot = fw_slot(p->table_generation[FW_KIND_IPV6]);
	table = bpf_map_lookup_elem(&tables6, &slot);
	if (!table)
		return 0; /* cannot happen: a slot is filled before it is named */

	host_bits &= 255;
	high = filter_keep_high(high, host_bits);
	low = filter_keep_low(low, host_bits);
	key.prefixlen = 128 - host_bits;
	key.addr[0] = bpf_htonl(high >> 32);
	key.addr[1] = bpf_htonl(high);
	key.addr[2] = bpf_htonl(low >> 32);
	key.addr[3] = bpf_htonl(low);
	e = bpf_map_lookup_elem(table, &key);
	if (!e)
		return 0;
	return weigh(e, ask, key.prefixlen & 0xff, WHERE(FW_KIND_IPV6, key.prefixlen),
		     (__u64)key.addr[0] << 32 | key.addr[1], (__u64)key.addr[2] << 32 | key.addr[3], n_packets);
}

/* specific: the narrower the range, the greater. */
__noinline __u64 fw_ask_port(__u32 index, __u32 specific, __u64 ask, __u32 n_packets)
{
	struct fw_port *port;

	port = bpf_map_lookup_elem(&port_entries, &index);
	if (!port)
		return 0;
	return weigh(&port->entry, ask, specific & 0xff, WHERE(FW_KIND_PORT, index), 0, 0, n_packets);
}

/* Index of the segment that holds the value: the last one that does not start behind it. */
static __always_inline __u32 port_segment(const struct fw_port_index *index, __u32 value, __u64 zero)
{
	__u32 low = 0, next;

	for (__u32 step = FW_PORT_SEGMENTS_MAX / 2; step; step /= 2) {
		next = unknown(low + step, zero) % FW_PORT_SEGMENTS_MAX;
		if (index->start[next] <= value)
			low = next;
	}
	return low;
}

/* The weightiest of the port entries that cover the packet's port. */
__noinline __u64 fw_match_port(__u64 ask, __u32 n_packets)
{
	__u32 protocol = ASK_PROTOCOL(ask), dport = ASK_DPORT(ask), segment, first = 0;
	const struct fw_port_index *index;
	const struct fw_policy *p;
	__u64 any, found = 0;
	void *inner;

	p = bpf_map_lookup_elem(&policy, &first);
	if (!p)
		return 0;
	inner = bpf_map_lookup_elem(&port_index, &first);
	if (!inner)
		return 0;
	index = bpf_map_lookup_elem(inner, &first);
	if (!index)
		return 0;

	any = index->any[protocol][ASK_DIRECTION(ask)][dport / 64];
	if (!(any >> (dport % 64) & 1))
		return 0;

	segment = port_segment(index, protocol << 16 | dport, p->zero);
	for (__u32 n = 0; n < FW_PORT_OVERLAP_MAX; n++) {
		if (n >= index->n_covering[segment])
			break;
		found = weightier(fw_ask_port(index->covering[segment][n], FW_PORT_OVERLAP_MAX - n, ask, n_packets), found);
		if (found & FOUND_SETTLED)
			break;
	}
	return found;
}

/* The cell of a /16. */
static __always_inline __u32 filter_cell(const struct fw_policy *p, enum fw_kind kind, __u32 top16)
{
	__u32 slot = kind * FW_TABLE_SLOTS + fw_slot(p->filter_generation[kind]);
	struct fw_cells *of_slot;

	of_slot = bpf_map_lookup_elem(&cells, &slot);
	if (!of_slot)
		return FW_CELL_SHORT | FW_CELL_LONG; /* cannot happen, the verifier wants it */
	top16 &= 0xffff;
	return of_slot->words[top16 / FW_CELLS_PER_WORD] >> (top16 % FW_CELLS_PER_WORD * 2) & 3;
}

/* A hashed word, or all bits where there is none. */
static __always_inline __u64 filter_word(const struct fw_policy *p, enum fw_kind kind, __u64 x)
{
	__u32 slot = fw_slot(p->filter_generation[kind]), i = filter_index(x, p->filters[kind][slot].mask);
	__u64 *word;
	void *words;

	slot += kind * FW_TABLE_SLOTS;
	words = bpf_map_lookup_elem(&filters, &slot);
	if (!words)
		return ~0ull;
	word = bpf_map_lookup_elem(words, &i);
	return word ? *word : ~0ull;
}

static __always_inline __u64 filter_seed(const struct fw_policy *p, enum fw_kind kind)
{
	return p->filters[kind][fw_slot(p->filter_generation[kind])].seed;
}

/* Of the prefix lengths in use, by position, those that may have an entry for the address. */
static __always_inline __u64 filter_ip4(const struct fw_policy *p, __u32 addr)
{
	__u64 lengths = p->lengths4, maybe = 0, x, word, y;
	__u32 cell = filter_cell(p, FW_KIND_IPV4, addr >> 16), host_bits;

	if (cell & FW_CELL_SHORT)
		maybe = ~0ull << (32 - FILTER_SHORT4);
	if (cell & FW_CELL_LONG) {
		x = filter_hash(addr >> (32 - FILTER_BLOCK4), filter_seed(p, FW_KIND_IPV4));
		word = filter_word(p, FW_KIND_IPV4, x);
		if (filter_has(word, FILTER_ANY(x)))
			maybe |= (filter_rotate(word, FILTER_LENGTHS_AT(x)) & 0xff) << (32 - FILTER_BLOCK4);
		y = filter_mix(x, addr & 0xff, 0);
		maybe |= filter_has(word, FILTER_LONG(y));
		if (lengths & 0xfe && filter_has(word, FILTER_INSIDE(x))) {
			__u64 inside = lengths & 0xfe;

			for (int i = 1; i < 8 && inside; i++) {
				host_bits = lowest_bit(inside);
				inside &= inside - 1;
				y = filter_mix(x, addr & 0xff & ~0u << host_bits, host_bits);
				maybe |= filter_has(word, FILTER_LONG(y)) << host_bits;
			}
		}
	}
	return lengths & maybe;
}

/* The same for one word of lengths6 and the prefixes whose hash begins with x. */
static __always_inline __u64 filter_long6(__u64 word, __u64 x, __u64 high, __u64 low, __u64 lengths,
					  __u32 host_bits)
{
	__u64 maybe = 0, y;
	__u32 position;

	for (int i = 0; i < 64 && lengths; i++) {
		position = lowest_bit(lengths);
		lengths &= lengths - 1;
		y = filter_mix(x, filter_digest6(high, low, host_bits + position), host_bits + position);
		maybe |= filter_has(word, FILTER_LONG(y)) << position;
	}
	return maybe;
}

/* Lengths 1..64, positions 64..127, are in the middle word of lengths6; these are the ones up to a length. */
#define MIDDLE6_UP_TO(length) (~0ull << (64 - (length)))

static __always_inline void filter_ip6(const struct fw_policy *p, __u64 high, __u64 low, __u64 maybe[3])
{
	__u32 cell = filter_cell(p, FW_KIND_IPV6, high >> 48);
	__u64 seed = filter_seed(p, FW_KIND_IPV6), x, word, inside, deep;

	maybe[0] = maybe[1] = maybe[2] = 0;
	if (cell & FW_CELL_SHORT) {
		maybe[1] = p->lengths6[1] & MIDDLE6_UP_TO(FILTER_SHORT6);
		maybe[2] = p->lengths6[2];
	}
	if (!(cell & FW_CELL_LONG))
		return;

	x = filter_hash(high >> (64 - FILTER_BLOCK6), seed);
	word = filter_word(p, FW_KIND_IPV6, x);
	if (filter_has(word, FILTER_ANY(x)))
		maybe[1] |= p->lengths6[1] & filter_rotate(word, FILTER_LENGTHS_AT(x)) << (64 - FILTER_BLOCK6) &
			    ~MIDDLE6_UP_TO(FILTER_SHORT6);
	inside = p->lengths6[1] & (MIDDLE6_UP_TO(FILTER_DEEP6 - 1) & ~MIDDLE6_UP_TO(FILTER_BLOCK6));
	if (inside && filter_has(word, FILTER_INSIDE(x)))
		maybe[1] |= filter_long6(word, x, high, low, inside, 64);
	if (!filter_has(word, FILTER_DEEP(x)))
		return;

	x = filter_hash(high >> (64 - FILTER_DEEP6), ~seed);
	word = filter_word(p, FW_KIND_IPV6, x);
	deep = p->lengths6[1] & ~MIDDLE6_UP_TO(FILTER_DEEP6 - 1);
	maybe[1] |= filter_long6(word, x, high, low, deep, 64);
	maybe[0] = filter_long6(word, x, high, low, p->lengths6[0], 0);
}

static __always_inline __u64 match_ip4(__u32 addr, __u64 lengths, __u64 ask, __u32 n_packets)
{
	__u64 found = 0;

	for (int i = 0; i <= 32 && lengths; i++) {
		found = weightier(fw_ask_ip4(addr, lowest_bit(lengths), ask, n_packets), found);
		if (found & FOUND_SETTLED)
			break;
		lengths &= lengths - 1;
	}
	return found;
}

/* One word of fw_policy.lengths6. */
static __always_inline __u64 match_ip6(__u64 high, __u64 low, __u64 lengths, __u32 host_bits, __u64 ask,
				       __u32 n_packets, __u64 found)
{
	for (int i = 0; i < 64 && lengths; i++) {
		if (found & FOUND_SETTLED)
			break;
		found = weightier(fw_ask_ip6(high, low, host_bits + lowest_bit(lengths), ask, n_packets), found);
		lengths &= lengths - 1;
	}
	return found;
}

/* All there is to find for one packet. A hit that no entry has settled is counted at the end. */
__noinline __u64 fw_match_ip4(__u32 addr, __u64 ask, __u32 n_packets)
{
	const struct fw_policy *p;
	__u32 first = 0;
	__u64 found;

	p = bpf_map_lookup_elem(&policy, &first);
	if (!p)
		return 0;

	found = match_ip4(addr, filter_ip4(p, addr), ask, n_packets);
	if (!(found & FOUND_SETTLED) && ASK_HAS_PORTS(ask))
		found = weightier(fw_match_port(ask, n_packets), found);
	if (!found || found & FOUND_SETTLED)
		return found;

	if (FOUND_RANK(found) == RANK_PORT || FOUND_RANK(found) == RANK_AUDITED_PORT)
		fw_ask_port(FOUND_INDEX(found), FOUND_SPECIFIC(found), ask | ASK_COUNT, n_packets);
	else
		fw_ask_ip4(addr, 32 - FOUND_SPECIFIC(found), ask | ASK_COUNT, n_packets);
	return found;
}

__noinline __u64 fw_match_ip6(__u64 high, __u64 low, __u64 ask, __u32 n_packets)
{
	const struct fw_policy *p;
	__u64 found = 0, maybe[3];
	__u32 first = 0;

	p = bpf_map_lookup_elem(&policy, &first);
	if (!p)
		return 0;

	filter_ip6(p, high, low, maybe);
	for (int i = 0; i < 3; i++)
		found = match_ip6(high, low, maybe[i], i * 64, ask, n_packets, found);
	if (!(found & FOUND_SETTLED) && ASK_HAS_PORTS(ask))
		found = weightier(fw_match_port(ask, n_packets), found);
	if (!found || found & FOUND_SETTLED)
		return found;

	if (FOUND_RANK(found) == RANK_PORT || FOUND_RANK(found) == RANK_AUDITED_PORT)
		fw_ask_port(FOUND_INDEX(found), FOUND_SPECIFIC(found), ask | ASK_COUNT, n_packets);
	else
		fw_ask_ip6(high, low, 128 - FOUND_SPECIFIC(found), ask | ASK_COUNT, n_packets);
	return found;
}

static __always_inline struct decision found_to_decision(__u64 found)
{
	struct decision d = { .verdict = FW_PASS, .reason = FW_REASON_NO_MATCH, .list = FOUND_LIST(found) };

	switch (FOUND_RANK(found)) {
	case RANK_ALLOWED:
		d.reason = FW_REASON_ALLOWED;
		break;
	case RANK_ADDRESS:
		d.verdict = FW_DROP;
		d.reason = FW_REASON_ADDRESS;
		break;
	case RANK_PORT:
		d.verdict = FW_DROP;
		d.reason = FW_REASON_PORT;
		break;
	case RANK_AUDITED_ADDRESS:
	case RANK_AUDITED_PORT:
		d.reason = FW_REASON_AUDITED;
		break;
	}
	return d;
}

/* The decision for one packet. With nothing listed it costs a few tests of fw_policy. */
static __always_inline struct decision classify(const struct packet *pkt, enum fw_direction direction,
						const struct fw_policy *p, bool is_counting)
{
	const struct decision no_match = { .verdict = FW_PASS, .reason = FW_REASON_NO_MATCH };
	bool has_ports = pkt->flags & PACKET_PORTS && p->flags & FW_POLICY_PORTS;
	__u64 ask = ASK(direction, has_ports, pkt->protocol, pkt->dport);
	const __be32 *addr = pkt->addr;
	__u32 n_packets = is_counting ? pkt->n_packets : 0;

	if (p->flags & FW_POLICY_STRICT && pkt->flags & PACKET_MALFORMED)
		return (struct decision){ .verdict = FW_DROP, .reason = FW_REASON_MALFORMED };

	if (pkt->flags & PACKET_IP4) {
		if (!has_ports && (!p->lengths4 || !filter_cell(p, FW_KIND_IPV4, bpf_ntohl(addr[0]) >> 16)))
			return no_match;
		return found_to_decision(fw_match_ip4(bpf_ntohl(addr[0]), ask, n_packets));
	}
	if (pkt->flags & PACKET_IP6) {
		if (!has_ports && (!(p->lengths6[0] | p->lengths6[1] | p->lengths6[2]) ||
				   !filter_cell(p, FW_KIND_IPV6, bpf_ntohl(addr[0]) >> 16)))
			return no_match;
		return found_to_decision(fw_match_ip6((__u64)bpf_ntohl(addr[0]) << 32 | bpf_ntohl(addr[1]),
						      (__u64)bpf_ntohl(addr[2]) << 32 | bpf_ntohl(addr[3]), ask,
						      n_packets));
	}
	return (struct decision){
		.verdict = FW_PASS,
		.reason = pkt->flags & PACKET_UNPARSED ? FW_REASON_UNPARSED : FW_REASON_NOT_IP,
	};
}
