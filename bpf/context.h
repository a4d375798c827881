/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What a hook hands to its program: an skb, or an XDP buffer before there is an skb. Parser and decision know neither.
 * is_xdp is a constant wherever a context is made. So inlining leaves one half of each function here, and the verifier sees
 * no field and no helper that the hook does not have.
 */

#include <linux/bpf.h>
#include <stdbool.h>

#include <bpf/bpf_helpers.h>

/* No IP header chain that we walk ends later; also the bound the verifier wants on an offset. */
#define HEADERS_MAX 0x3fff

struct context {
	void *of_hook; /* struct __sk_buff *, or struct xdp_md * */
	bool is_xdp;
};

#define CONTEXT_SKB(skb) ((struct context){ .of_hook = (skb), .is_xdp = false })
#define CONTEXT_XDP(xdp) ((struct context){ .of_hook = (xdp), .is_xdp = true })

/*
 * May an XDP frame be in several buffers, of which only the first is in reach of a pointer? Kernel 5.18 and later: the
 * loader asks. Without it the verifier drops the calls of helpers that older kernels do not know.
 */
const volatile bool has_xdp_buffers = false;

/*
 * Does the kernel tell a cgroup program the network namespace of the packet's socket? 6.15 and later: the loader asks, as
 * above. own_netns is the namespace in which the daemon runs.
 */
const volatile bool has_netns_cookie = false;
const volatile __u64 own_netns = 0;

static __always_inline void *context_data(struct context c)
{
	return (void *)(long)(c.is_xdp ? ((struct xdp_md *)c.of_hook)->data : ((struct __sk_buff *)c.of_hook)->data);
}

static __always_inline void *context_data_end(struct context c)
{
	return (void *)(long)(c.is_xdp ? ((struct xdp_md *)c.of_hook)->data_end
				       : ((struct __sk_buff *)c.of_hook)->data_end);
}

/* Wire packets: a segmented skb is several. */
static __always_inline __u32 context_n_packets(struct context c)
{
	return c.is_xdp ? 1 : ((struct __sk_buff *)c.of_hook)->gso_segs ?: 1;
}

static __always_inline __u32 context_n_bytes(struct context c)
{
	if (!c.is_xdp)
		return ((struct __sk_buff *)c.of_hook)->len;
	if (has_xdp_buffers)
		return bpf_xdp_get_buff_len(c.of_hook);
	return context_data_end(c) - context_data(c);
}

/* May there be bytes that a pointer does not reach? */
static __always_inline bool context_has_more(struct context c)
{
	return !c.is_xdp || has_xdp_buffers;
}

static __always_inline __u32 context_ifindex(struct context c)
{
	return c.is_xdp ? ((struct xdp_md *)c.of_hook)->ingress_ifindex : ((struct __sk_buff *)c.of_hook)->ifindex;
}

#define LOOPBACK_IFINDEX 1 /* in every network namespace */

/* For cgroup programs, where has_netns_cookie: is the socket in the network namespace of the daemon? */
static __always_inline bool context_is_own_netns(struct context c)
{
	return bpf_get_netns_cookie(c.of_hook) == own_netns;
}

/*
 * Copies bytes that need not be linear: 0, or negative where the frame ends before.
 * bpf_skb_load_bytes_relative() would not do, it reads linear bytes only; bpf_skb_pull_data() would,
 * but un-clones the head of every such packet.
 */
static __always_inline long context_load(struct context c, __u64 off, void *to, __u32 size)
{
	const void *p;

	if (!c.is_xdp)
		return bpf_skb_load_bytes(c.of_hook, off, to, size);
	if (has_xdp_buffers)
		return bpf_xdp_load_bytes(c.of_hook, off, to, size);

	barrier_var(off); /* as in cursor_peek() */
	p = context_data(c) + off;
	if (off > HEADERS_MAX || p + size > context_data_end(c))
		return -1;
	__builtin_memcpy(to, p, size);
	return 0;
}
