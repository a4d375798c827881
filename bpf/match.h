/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * An address and a port -> the weightiest finding among all entries that cover them: not only the longest
 * prefix, for an expired or audited /24 must not hide a live /16, and an allow entry wins whatever its
 * length.
 */

#include "entry.h"
#include "shortcut.h"

/* Index of the segment that holds the value: the last one that does not start after it. */
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

/* The one that packets go by now. To be looked up once for a packet: user space may exchange it at any time. */
static __always_inline const struct fw_port_index *current_port_index(const __u32 *first)
{
	void *inner = bpf_map_lookup_elem(&port_index, first);

	return inner ? bpf_map_lookup_elem(inner, first) : NULL;
}

/*
 * A packet whose port cannot be read may go to any port; only a dishonest sender makes one (RFC 7112). So it is dropped
 * while an enforcing block list has a port entry for the direction. No entry has decided, and none counts a hit. An entry
 * that has ended stays until the next sweep, so this asks the entries until each of the lists has one that is still active.
 */
__noinline __u64 fw_match_hidden(__u64 ask)
{
	const struct fw_port_index *index;
	const struct fw_port_rule *rule;
	__u64 wanted, lists, live = 0;
	const struct fw_policy *p;
	__u32 first = 0;

	p = bpf_map_lookup_elem(&policy, &first);
	if (!p)
		return 0;
	index = current_port_index(&first);
	if (!index)
		return 0;

	wanted = index->lists[ASK_DIRECTION(ask)] & (p->block | p->audit);
	for (__u32 i = 0; i < FW_PORT_ENTRIES_MAX && wanted; i++) {
		rule = &index->rules[i];
		/* without a condition, which the verifier would follow both ways in each of 256 rounds */
		lists = fw_live_lists(rule->lists[ASK_DIRECTION(ask)] & wanted, rule->until, WHERE(FW_KIND_PORT, i), 0, 0);
		live |= lists;
		wanted &= ~lists;
	}

	if (live & p->block)
		return FOUND(RANK_HIDDEN, 0, lowest_bit(live & p->block), 0);
	if (live)
		return FOUND(RANK_AUDITED_HIDDEN, 0, lowest_bit(live), 0);
	return 0;
}

/*
 * The weightiest of the port entries that cover the packet's port. The index is looked up once: user space may exchange it
 * now, and this packet must not see some entries as they were and others as they are.
 */
__noinline __u64 fw_match_port(__u64 ask)
{
	__u32 protocol = ASK_PROTOCOL(ask), dport = ASK_DPORT(ask), segment, first = 0, i;
	const struct fw_port_index *index;
	const struct fw_port_rule *rule;
	const struct fw_policy *p;
	__u64 any, found = 0;

	if (protocol >= FW_PROTOCOL_HIDDEN)
		return fw_match_hidden(ask);

	p = bpf_map_lookup_elem(&policy, &first);
	if (!p)
		return 0;
	index = current_port_index(&first);
	if (!index)
		return 0;

	any = index->any[protocol][ASK_DIRECTION(ask)][dport / 64];
	if (!(any >> (dport % 64) & 1))
		return 0;

	segment = port_segment(index, protocol << 16 | dport, p->zero);
	for (__u32 n = 0; n < FW_PORT_OVERLAP_MAX; n++) {
		if (n >= index->n_covering[segment])
			break;
		i = index->covering[segment][n];
		rule = &index->rules[i];
		found = weightier(fw_weigh_port(rule->lists[ASK_DIRECTION(ask)], rule->until, i, FW_PORT_OVERLAP_MAX - n), found);
		if (found & FOUND_SETTLED)
			break;
	}
	return found;
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

/*
 * The same for one word of fw_policy.lengths6. A global function: the verifier checks it once and not for each word. The
 * lower half of packets is n_packets, the upper half the host bits that position 0 of the word stands for.
 */
#define IN_WORD(n_packets, host_bits) ((__u64)(host_bits) << 32 | (n_packets))
__noinline __u64 fw_match_word6(__u64 high, __u64 low, __u64 lengths, __u64 ask, __u64 packets)
{
	__u64 found = 0;

	for (int i = 0; i < 64 && lengths; i++) {
		found = weightier(fw_ask_ip6(high, low, (packets >> 32) + lowest_bit(lengths), ask, packets), found);
		if (found & FOUND_SETTLED)
			break;
		lengths &= lengths - 1;
	}
	return found;
}

static __always_inline bool is_hidden(__u64 found)
{
	return FOUND_RANK(found) == RANK_HIDDEN || FOUND_RANK(found) == RANK_AUDITED_HIDDEN;
}

/* What is found with the ports, unless the address has settled it; a hit of theirs is counted. */
static __always_inline __u64 match_ports_too(__u64 found, __u64 ask, __u32 n_packets)
{
	__u64 of_port;

	if (found & FOUND_SETTLED || !ASK_HAS_PORTS(ask))
		return found;

	of_port = fw_match_port(ask);
	if (weightier(of_port, found) == found)
		return found;
	if (n_packets && !is_hidden(of_port))
		fw_count_port(FOUND_INDEX(of_port), n_packets);
	return of_port;
}

static __always_inline bool is_address_uncounted(__u64 found)
{
	return !(found & FOUND_SETTLED) &&
	       (FOUND_RANK(found) == RANK_ADDRESS || FOUND_RANK(found) == RANK_AUDITED_ADDRESS);
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
	found = match_ports_too(found, ask, n_packets);
	if (is_address_uncounted(found))
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
		if (maybe[i] && !(found & FOUND_SETTLED))
			found = weightier(fw_match_word6(high, low, maybe[i], ask, IN_WORD(n_packets, i * 64)), found);
	found = match_ports_too(found, ask, n_packets);
	if (is_address_uncounted(found))
		fw_ask_ip6(high, low, 128 - FOUND_SPECIFIC(found), ask | ASK_COUNT, n_packets);
	return found;
}
