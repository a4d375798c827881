// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * The programs: one short adapter per hook around one parser and one decision.
 *
 * hook          context     frame starts at            pass                    drop
 * ------------  ----------  -------------------------  ----------------------  ----------------
 * xdp           xdp_md      Ethernet header            XDP_PASS (2)            XDP_DROP (1)
 * tc            __sk_buff   Ethernet header            TC_ACT_UNSPEC (-1)      TC_ACT_SHOT (2)
 * tc, L3 only   __sk_buff   IP header, or outer ones    TC_ACT_UNSPEC (-1)      TC_ACT_SHOT (2)
 * cgroup_skb    __sk_buff   IP header                  1                       0
 *
 * -1 lets the tcx programs and the clsact filters of others run after us; TC_ACT_OK would switch
 * them off. No CO-RE relocation and no kfunc: a kernel without BTF loads this object as well.
 */

#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include "count.h"
#include "look.h"

#define CGROUP_PASS 1
#define CGROUP_DROP 0

char _license[] SEC("license") = "GPL";

static __always_inline const struct fw_policy *policy_get(void)
{
	__u32 first = 0;

	return bpf_map_lookup_elem(&policy, &first);
}

static __always_inline struct decision judge(const struct terms *t, enum layer layer, const struct fw_policy *p,
					     struct packet *pkt)
{
	struct decision final = { .reason = FW_REASON_NO_MATCH }, d;

	packet_parse(t->c, layer, t->direction, pkt);
	if (t->direction == FW_EGRESS && pkt->flags & PACKET_ROUTED && pkt->final) {
		final = classify_final(t, pkt, p, false);
		if (fw_reason_verdict(final.reason) == FW_DROP) /* even if the next hop is allowed */
			return t->is_counting ? classify_final(t, pkt, p, true) : final;
	}
	d = classify(t, pkt, p);
	if (final.reason == FW_REASON_AUDITED && d.reason == FW_REASON_NO_MATCH)
		return t->is_counting ? classify_final(t, pkt, p, true) : final;
	return d;
}

/*
 * Does this hook judge ports? Entries name ports of the daemon's network namespace. The cgroup hook also meets packets of
 * other namespaces, where the same number is another service. A kernel that does not tell them apart leaves the choice
 * to the daemon.
 */
static __always_inline bool judges_ports(struct context c, enum fw_hook hook, enum fw_direction direction,
					 const struct fw_policy *p)
{
	if (!(p->flags & FW_POLICY_PORTS))
		return false;
	if (hook != FW_HOOK_CGROUP)
		return true;
	if (has_netns_cookie)
		return context_is_own_netns(c);
	return !(p->flags & FW_POLICY_LEAVES_PORTS(direction));
}

static __always_inline enum fw_verdict decide(struct context c, enum fw_hook hook, enum layer layer,
					      enum fw_direction direction)
{
	const struct fw_policy *p = policy_get();
	struct terms t = {
		.c = c,
		.direction = direction,
		.is_cgroup = hook == FW_HOOK_CGROUP,
		.is_counting = true,
	};
	struct packet pkt = {};
	struct decision d;
	bool is_reported;

	if (!p)
		return FW_PASS; /* cannot happen, the verifier wants it */
	if (hook == FW_HOOK_CGROUP && context_ifindex(c) == LOOPBACK_IFINDEX && !(p->flags & FW_POLICY_LOOPBACK))
		return FW_PASS; /* not judged, hence not counted */
	t.judges_ports = judges_ports(c, hook, direction, p);
	d = judge(&t, layer, p, &pkt);

	/* bookkeeping may fail, the verdict does not change */
	is_reported = count(&pkt, &d, p, hook, direction);
	watch(&t, layer, &pkt, &d, p, hook, is_reported);
	return fw_reason_verdict(d.reason);
}

static __always_inline int tc(struct __sk_buff *skb, enum layer layer, enum fw_direction direction)
{
	return decide(CONTEXT_SKB(skb), FW_HOOK_TC, layer, direction) == FW_DROP ? TC_ACT_SHOT : TC_ACT_UNSPEC;
}

static __always_inline int cgroup(struct __sk_buff *skb, enum fw_direction direction)
{
	return decide(CONTEXT_SKB(skb), FW_HOOK_CGROUP, LAYER_NETWORK, direction) == FW_DROP ? CGROUP_DROP : CGROUP_PASS;
}

SEC("xdp")
int fw_xdp_in(struct xdp_md *xdp)
{
	return decide(CONTEXT_XDP(xdp), FW_HOOK_XDP, LAYER_ETHERNET, FW_INGRESS) == FW_DROP ? XDP_DROP : XDP_PASS;
}

SEC("tc")
int fw_tc_in(struct __sk_buff *skb)
{
	return tc(skb, LAYER_ETHERNET, FW_INGRESS);
}

SEC("tc")
int fw_tc_out(struct __sk_buff *skb)
{
	return tc(skb, LAYER_ETHERNET, FW_EGRESS);
}

SEC("tc")
int fw_tc_l3_in(struct __sk_buff *skb)
{
	return tc(skb, LAYER_TUNNEL, FW_INGRESS);
}

SEC("tc")
int fw_tc_l3_out(struct __sk_buff *skb)
{
	return tc(skb, LAYER_TUNNEL, FW_EGRESS);
}

SEC("cgroup_skb/ingress")
int fw_cgroup_in(struct __sk_buff *skb)
{
	return cgroup(skb, FW_INGRESS);
}

SEC("cgroup_skb/egress")
int fw_cgroup_out(struct __sk_buff *skb)
{
	return cgroup(skb, FW_EGRESS);
}

/*
 * Answers "what would happen to this packet?" in a test run, and counts nothing: never attached. The
 * packet is Ethernet, its direction is in cb[0], and the answer is packed as FW_ANSWER().
 */
SEC("tc")
int fw_check(struct __sk_buff *skb)
{
	const struct fw_policy *p = policy_get();
	struct packet pkt = {};
	struct decision d;

	if (!p)
		return FW_ANSWER(FW_PASS, FW_REASON_UNPARSED, 0); /* cannot happen, as above */
	if (skb->cb[0] == FW_EGRESS)
		d = judge(&(struct terms){ CONTEXT_SKB(skb), FW_EGRESS, .judges_ports = p->flags & FW_POLICY_PORTS },
			  LAYER_ETHERNET, p, &pkt);
	else
		d = judge(&(struct terms){ CONTEXT_SKB(skb), FW_INGRESS, .judges_ports = p->flags & FW_POLICY_PORTS },
			  LAYER_ETHERNET, p, &pkt);
	return FW_ANSWER(fw_reason_verdict(d.reason), d.reason, FOUND_LIST(d.found));
}
