/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * One entry and one packet: does it cover it, does it still hold, what does it say, and how much does that
 * weigh. Numbers go in and numbers come out, see fw_now_tick() for the reason.
 */

#include <stdbool.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bits.h"
#include "abi/chain-head.h"
#include "maps.h"

/* What the functions below are asked in addition to the address, in one number. */
#define ASK(direction, has_ports, protocol, dport) \
	((__u64)(direction) << 32 | (__u64)(has_ports) << 24 | (__u64)(protocol) << 16 | (dport))
#define ASK_COUNT          (1ull << 33) /* count a hit even if the entry does not settle the matter */
#define ASK_DIRECTION(ask) ((ask) >> 32 & 1)
#define ASK_HAS_PORTS(ask) ((ask) >> 24 & 1)
#define ASK_PROTOCOL(ask)  ((ask) >> 16 & 3)
#define ASK_DPORT(ask)     ((ask) & 0xffff)
_Static_assert(_FW_DIRECTION_MAX == 2 && FW_PROTOCOL_HIDDEN == 2, "one bit and two");

/*
 * What one entry says, as a number: the greater it is, the more it weighs. The greatest number decides, in any order of
 * entries. Among equals the more specific entry is the one to name.
 */
enum rank {
	RANK_NONE,
	RANK_AUDITED_HIDDEN,
	RANK_AUDITED_PORT,
	RANK_AUDITED_ADDRESS,
	RANK_HIDDEN,
	RANK_PORT,
	RANK_ADDRESS,
	RANK_ALLOWED,
};

#define FOUND(rank, specific, list, index) \
	((__u64)(rank) << 24 | (__u64)(specific) << 16 | (__u64)(list) << 8 | (index))
#define FOUND_SETTLED         (1ull << 32) /* no further entry can change the verdict */
#define FOUND_OTHER_NETNS     (1ull << 31) /* in another network namespace than the daemon's */
#define FOUND_RANK(found)     ((found) >> 24 & 0x7f)
#define FOUND_SPECIFIC(found) ((found) >> 16 & 0xff) /* prefix length; for ports, the less the wider */
#define FOUND_LIST(found)     ((found) >> 8 & 0xff)
#define FOUND_INDEX(found)    ((found) & 0xff) /* into port_entries; of an address FOUND_FINAL or 0 */
#define FOUND_FINAL           1 /* it is the final destination's, not the next hop's: see final.h */

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
	__u32 now, list, first = 0;
	struct fw_ends *all;
	__u64 live = 0;
	void *ends;

	if (!lists || until == FW_UNTIL_NEVER)
		return lists;
	now = fw_now_tick();
	if (until != FW_UNTIL_MIXED)
		return now < until ? lists : 0;

	ends = bpf_map_lookup_elem(&ends_slot, &first);
	if (!ends)
		return lists; /* cannot happen, the verifier wants it */
	all = bpf_map_lookup_elem(ends, &key);
	if (!all)
		return lists; /* they go after the entry, and only if none had ended: its lists hold as they were */

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
 * Weighs one covering entry by the lists that hold it in the packet's direction and by its end. specific and index are as in
 * FOUND(), where and the address are its fw_ends_key.
 */
static __always_inline __u64 weigh(__u64 lists, __u32 until, __u32 specific, __u64 where, __u64 addr01, __u64 addr23)
{
	bool is_port = where >> 32 == FW_KIND_PORT;
	const struct fw_policy *p;
	__u32 first = 0, index;

	p = bpf_map_lookup_elem(&policy, &first);
	if (!p)
		return 0;

	lists &= p->block | p->audit | p->allow;
	if (lists && until != FW_UNTIL_NEVER)
		lists = fw_live_lists(lists, until, where, addr01, addr23);

	index = is_port ? where & 0xff : 0;
	if (lists & p->allow)
		return FOUND(RANK_ALLOWED, specific, lowest_bit(lists & p->allow), index) | FOUND_SETTLED;
	if (lists & p->block)
		return FOUND(is_port ? RANK_PORT : RANK_ADDRESS, specific, lowest_bit(lists & p->block), index) |
		       (p->allow ? 0 : FOUND_SETTLED);
	if (lists)
		return FOUND(is_port ? RANK_AUDITED_PORT : RANK_AUDITED_ADDRESS, specific, lowest_bit(lists), index);
	return 0;
}

/* Several CPUs may hit one entry, and there is one of it. */
static __always_inline void count_hit(struct fw_entry *e, __u32 n_packets)
{
	__sync_fetch_and_add(&e->hits, n_packets);
	e->last_hit = fw_now_tick();
}

/*
 * The same for an entry of a table. Its end is read once: user space may change it now. A hit is counted if this settles the
 * matter, and also if the question says so.
 */
static __always_inline __u64 weigh_entry(struct fw_entry *e, __u64 ask, __u32 specific, __u64 where, __u64 addr01,
					 __u64 addr23, __u32 n_packets)
{
	__u32 until = *(volatile __u32 *)&e->until;
	__u64 found = weigh(e->lists[ASK_DIRECTION(ask)], until, specific, where, addr01, addr23);

	if (found && n_packets && (found & FOUND_SETTLED || ask & ASK_COUNT))
		count_hit(e, n_packets);
	return found;
}

/* The greater of two findings, without a branch: each would double the verifier's paths in a loop. */
static __always_inline __u64 weightier(__u64 a, __u64 b)
{
	__s64 more = a - b;

	return b + (more & ~(more >> 63));
}

/*
 * The entry of exactly this prefix in the table in use, NULL if there is none. User space fills a table before it names it,
 * and removes it when no packet can look it up any more. At any moment in between, each next is 0 or a slot.
 */
static __always_inline struct fw_entry *find_entry(enum fw_kind kind, __u64 high, __u64 low, __u32 prefixlen)
{
	const struct fw_chains *chains;
	const struct fw_policy *p;
	__u32 slot, i = 0, head;
	union fw_element *e;
	void *table;

	p = bpf_map_lookup_elem(&policy, &i);
	if (!p)
		return NULL;
	slot = fw_slot(*(volatile const __u32 *)&p->table_generation[kind]);
	chains = &p->chains[kind][slot];
	if (kind == FW_KIND_IPV4)
		head = chains_head4(high, prefixlen, chains->seed, chains->n_heads);
	else
		head = chains_head6(high, low, prefixlen, chains->seed, chains->n_heads);

	slot += kind * FW_TABLE_SLOTS;
	table = bpf_map_lookup_elem(&tables, &slot);
	if (!table)
		return NULL;
	i = CHAINS_ELEMENT(head);
	e = bpf_map_lookup_elem(table, &i);
	if (!e)
		return NULL;
	i = e->heads[head % FW_HEADS];
	for (int n = 0; n < FW_CHAIN_MAX && i; n++) {
		e = bpf_map_lookup_elem(table, &i);
		if (!e)
			return NULL;
		if (e->slot.high == high && (kind == FW_KIND_IPV4 || e->slot.low == low) && e->slot.prefixlen == prefixlen)
			return &e->slot.entry;
		i = e->slot.next;
	}
	return NULL;
}

/*
 * The next three ask about one entry: addresses are numbers in host order, host_bits is what a prefix
 * leaves of them, n_packets is what a hit counts, 0 to look without leaving a trace.
 */
__noinline __u64 fw_ask_ip4(__u32 addr, __u32 host_bits, __u64 ask, __u32 n_packets)
{
	__u32 prefixlen;
	struct fw_entry *e;

	host_bits &= 63;
	prefixlen = (32 - host_bits) & 0xff;
	addr &= (__u32)(~0ull << host_bits);
	e = find_entry(FW_KIND_IPV4, addr, 0, prefixlen);
	if (!e)
		return 0;
	return weigh_entry(e, ask, prefixlen, WHERE(FW_KIND_IPV4, prefixlen), (__u64)bpf_htonl(addr) << 32, 0, n_packets);
}

__noinline __u64 fw_ask_ip6(__u64 high, __u64 low, __u32 host_bits, __u64 ask, __u32 n_packets)
{
	__u32 prefixlen;
	struct fw_entry *e;

	host_bits &= 255;
	prefixlen = (128 - host_bits) & 0xff;
	high = filter_keep_high(high, host_bits);
	low = filter_keep_low(low, host_bits);
	e = find_entry(FW_KIND_IPV6, high, low, prefixlen);
	if (!e)
		return 0;
	/* the halves in network order: fw_ends_key has them so, on a machine of either kind */
	return weigh_entry(e, ask, prefixlen, WHERE(FW_KIND_IPV6, prefixlen),
			   (__u64)bpf_htonl(high >> 32) << 32 | bpf_htonl(high),
			   (__u64)bpf_htonl(low >> 32) << 32 | bpf_htonl(low), n_packets);
}

/* specific: the narrower the range, the greater. The lists and the end are those that the port index has for it. */
__noinline __u64 fw_weigh_port(__u64 lists, __u32 until, __u32 index, __u32 specific)
{
	return weigh(lists, until, specific & 0xff, WHERE(FW_KIND_PORT, index & 0xff), 0, 0);
}

__noinline int fw_count_port(__u32 index, __u32 n_packets)
{
	struct fw_port *port;

	port = bpf_map_lookup_elem(&port_entries, &index);
	if (port)
		count_hit(&port->entry, n_packets);
	return 0;
}
