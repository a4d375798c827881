// SPDX-License-Identifier: GPL-2.0-or-later

/* See judge.h. */

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "judge.h"
#include "kernel/probe.h"
#include "text/names.h"

#define UNEXPECTED   0x7fffffff /* no program returns it */

/* Where each program's frame begins. */
enum layer {
	LAYER_XDP,     /* Ethernet; a test run takes frames of any length from 14 bytes */
	LAYER_SPLIT,   /* the same, all but the Ethernet header in a further buffer */
	LAYER_ETHERNET,
	LAYER_CGROUP,  /* a test run takes the Ethernet header off */
	LAYER_TUNNEL, /* and does not here: see put_outer_header() */
};

static const struct hook {
	const char *program;
	enum layer layer;
	enum fw_hook hook;
	enum fw_direction direction;
	int pass;
	int drop;
} hooks[] = {
	{ "fw_xdp_in",     LAYER_XDP,      FW_HOOK_XDP,    FW_INGRESS, 2,  1 },
	{ "fw_xdp_in",     LAYER_SPLIT,    FW_HOOK_XDP,    FW_INGRESS, 2,  1 },
	{ "fw_tc_in",      LAYER_ETHERNET, FW_HOOK_TC,     FW_INGRESS, -1, 2 },
	{ "fw_tc_out",     LAYER_ETHERNET, FW_HOOK_TC,     FW_EGRESS,  -1, 2 },
	{ "fw_tc_l3_in",   LAYER_TUNNEL,   FW_HOOK_TC,     FW_INGRESS, -1, 2 },
	{ "fw_tc_l3_out",  LAYER_TUNNEL,   FW_HOOK_TC,     FW_EGRESS,  -1, 2 },
	{ "fw_cgroup_in",  LAYER_CGROUP,   FW_HOOK_CGROUP, FW_INGRESS, 1,  0 },
	{ "fw_cgroup_out", LAYER_CGROUP,   FW_HOOK_CGROUP, FW_EGRESS,  1,  0 },
};

struct snapshot {
	struct fw_counters hooks[FW_COUNTERS_MAX];
	struct fw_list_counters lists[_LIST_MAX];
	uint64_t entry_hits;
};

static int add_hits(const struct table_entry *e, void *userdata)
{
	*(uint64_t *)userdata += e->hits;
	return 0;
}

static int take_snapshot(struct table *t, struct snapshot *ret)
{
	int r;

	for (unsigned i = 0; i < FW_COUNTERS_MAX; i++) {
		r = table_read_counters(t, i / _FW_DIRECTION_MAX, i % _FW_DIRECTION_MAX, &ret->hooks[i]);
		if (r < 0)
			return r;
	}
	for (unsigned i = 0; i < _LIST_MAX; i++) {
		r = table_read_list_counters(t, i, &ret->lists[i]);
		if (r < 0)
			return r;
	}
	ret->entry_hits = 0;
	return table_walk(t, add_hits, &ret->entry_hits);
}

static bool is_drop(enum fw_reason reason)
{
	return fw_reason_verdict(reason) == FW_DROP;
}

static bool is_by_list(const struct expectation *e)
{
	return e->reason == FW_REASON_ADDRESS || e->reason == FW_REASON_PORT || e->reason == FW_REASON_ALLOWED ||
	       e->reason == FW_REASON_AUDITED || e->reason == FW_REASON_HIDDEN_PORT;
}

/* A hidden port is one of a list, but of none of its entries. */
static bool is_by_entry(const struct expectation *e)
{
	return is_by_list(e) && e->reason != FW_REASON_HIDDEN_PORT && !e->is_hidden;
}

/* Adds to a snapshot what the counters must gain by one packet. */
static void expect(struct snapshot *s, const struct hook *h, const struct expectation *e, size_t n_bytes)
{
	struct fw_counters *c = &s->hooks[fw_counters_index(h->hook, h->direction)];
	struct fw_list_counters *l = &s->lists[e->list];
	uint64_t n = h->hook == FW_HOOK_XDP ? 1 : e->n_packets ?: 1; /* it sees what the wire has */

	c->packets += n;
	c->bytes += n_bytes;
	c->skbs++;
	c->syn += e->is & FRAME_IS_SYN ? n : 0;
	c->syn_ack += e->is & FRAME_IS_SYN_ACK ? n : 0;
	c->unparsed += e->is & FRAME_IS_UNPARSED ? n : 0;
	if (is_drop(e->reason)) {
		c->dropped += n;
		c->dropped_bytes += n_bytes;
	}
	if (e->reason != FW_REASON_NO_MATCH)
		c->reasons[e->reason] += n;

	if (!is_by_list(e))
		return;
	s->entry_hits += is_by_entry(e) ? n : 0;
	l->hits += n;
	l->would_drop += e->reason == FW_REASON_AUDITED ? n : 0;
	if (is_drop(e->reason)) {
		l->dropped += n;
		l->dropped_bytes += n_bytes;
	}
}

/* Prints the words in which two structs of counters differ; names are in the order of the words. */
static int compare(const char *what, const char *program, const char *of, const char *const *names,
		   size_t n_names, const void *want, const void *got)
{
	const uint64_t *w = want, *g = got;
	int n_different = 0;

	for (size_t i = 0; i < n_names; i++) {
		if (w[i] == g[i])
			continue;
		printf("# %s: %s: %s %s is off by %+lld\n", what, program, of, names[i], (long long)(g[i] - w[i]));
		n_different++;
	}
	return n_different;
}

static int compare_snapshots(const char *what, const char *program, const struct snapshot *want,
			     const struct snapshot *got)
{
	static const char *const hook_fields[] = {
		"packets", "bytes", "syn", "syn_ack", "dropped", "dropped_bytes", "unparsed", "skbs",
		"reason no-match", "reason not-ip", "reason allowed", "reason audited", "reason unparsed",
		"reason address", "reason port", "reason malformed", "reason hidden-port",
		"dropped_other_netns",
	};
	static const char *const list_fields[] = { "hits", "dropped", "dropped_bytes", "would_drop", "other_netns" };
	static const char *const lists[_LIST_MAX] = { "manual", "allow", "other", "audit", "disabled" };
	int n = 0;
	char of[64];

	_Static_assert(offsetof(struct fw_counters, sampling) == sizeof(uint64_t) * ELEMENTSOF(hook_fields), "a name each");
	_Static_assert(sizeof(struct fw_list_counters) == sizeof(uint64_t) * ELEMENTSOF(list_fields), "a name each");

	for (unsigned i = 0; i < FW_COUNTERS_MAX; i++) {
		snprintf(of, sizeof(of), "%s %s", hook_to_string(i / _FW_DIRECTION_MAX),
			 direction_to_string(i % _FW_DIRECTION_MAX));
		n += compare(what, program, of, hook_fields, ELEMENTSOF(hook_fields), &want->hooks[i],
			     &got->hooks[i]);
	}
	for (unsigned i = 0; i < _LIST_MAX; i++)
		n += compare(what, program, lists[i], list_fields, ELEMENTSOF(list_fields), &want->lists[i],
			     &got->lists[i]);
	if (want->entry_hits != got->entry_hits) {
		printf("# %s: %s: the hits of entries are off by %+lld\n", what, program,
		       (long long)(got->entry_hits - want->entry_hits));
		n++;
	}
	return n;
}

/*
 * A test run leaves the Ethernet header before the network header, as some devices without one do with the outer headers.
 * What is there is the sender's: let it look like an IPv4 header with UDP.
 */
static void put_outer_header(struct frame *f)
{
	static const uint8_t outer[] = { 0x45, 0, 0, 100, 0, 0, 0, 0, 64, IPPROTO_UDP, 0, 0 };

	memcpy(f->bytes, outer, sizeof(outer));
}

bool judge_is_no_skb(const struct frame *f)
{
	uint16_t ethertype = f->bytes[12] << 8 | f->bytes[13];
	size_t left = f->length - ETH_HLEN;

	return f->length < ETH_HLEN || f->length > 3000 || (ethertype == ETH_P_IP && left < 20) ||
	       (ethertype == ETH_P_IPV6 && left < 40);
}

static int run_fd(int fd, struct bpf_test_run_opts *opts)
{
	return fd < 0 || bpf_prog_test_run_opts(fd, opts) < 0 ? UNEXPECTED : (int)opts->retval;
}

/* A test run of fw_xdp_in with n_linear bytes in the first buffer. */
static int run_xdp(const struct frame *f, size_t n_linear)
{
	struct xdp_md ctx = { .data_end = n_linear };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = f->bytes, .data_size_in = f->length, .repeat = 1);
	_cleanup_close_ int fd = -1;

	if (n_linear < f->length) {
		opts.ctx_in = &ctx;
		opts.ctx_size_in = sizeof(ctx);
	}
	fd = firewall_open_program("fw_xdp_in");
	return run_fd(fd, &opts);
}

/* A test run fills one buffer with as much, and asks no program whether it can do with more. */
static bool is_in_one_buffer(const struct frame *f)
{
	return f->length <= 3000;
}

/* Kernels before 6.18 fill the first buffer. */
static bool can_split(void)
{
	static enum { UNKNOWN, NO, YES } answer;
	struct frame f = { .length = 2 * ETH_HLEN };

	if (answer == UNKNOWN) {
		answer = probe_xdp_buffers() && run_xdp(&f, ETH_HLEN) != UNEXPECTED ? YES : NO;
		printf("# XDP frames in several buffers: %s\n",
		       answer == YES ? "judged" : "test runs of this kernel have them for large frames only, or none");
	}
	return answer == YES;
}

/* A test run of an skb program; its return value, or UNEXPECTED. */
static int run_skb(const char *program, const struct frame *f, const struct expectation *e, bool is_check)
{
	struct __sk_buff ctx = { .gso_segs = e->n_packets };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = f->bytes, .data_size_in = f->length,
		    .ctx_in = &ctx, .ctx_size_in = sizeof(ctx), .repeat = 1);
	_cleanup_close_ int fd = -1;

	if (is_check)
		ctx.cb[0] = e->direction;
	fd = firewall_open_program(program);
	return run_fd(fd, &opts);
}

static int run(const struct hook *h, const struct frame *f, const struct expectation *e)
{
	switch (h->layer) {
	case LAYER_XDP:
		return run_xdp(f, f->length);
	case LAYER_SPLIT:
		return run_xdp(f, ETH_HLEN);
	default:
		return run_skb(h->program, f, e, false);
	}
}

static int judge_hook(struct table *t, const char *what, const struct hook *h, const struct frame *frame,
		      const struct expectation *e)
{
	size_t n_bytes = frame->length - (h->layer == LAYER_CGROUP ? ETH_HLEN : 0);
	int want = is_drop(e->reason) ? h->drop : h->pass, got;
	struct snapshot before, after;
	int n_different = 0;

	if (take_snapshot(t, &before) < 0) {
		printf("# %s: %s: cannot read the counters\n", what, h->program);
		return 1;
	}
	got = run(h, frame, e);
	if (got != want) {
		printf("# %s: %s returns %d, expected %d%s%s\n", what, h->program, got, want,
		       got == UNEXPECTED ? ": " : "", got == UNEXPECTED ? strerror(errno) : "");
		n_different++;
	}
	if (take_snapshot(t, &after) < 0) {
		printf("# %s: %s: cannot read the counters\n", what, h->program);
		return 1;
	}
	expect(&before, h, e, n_bytes);
	return n_different + compare_snapshots(what, h->program, &before, &after);
}

/* fw_check must say what the hooks say, name the list, and leave no trace. */
static int judge_check(struct table *t, const char *what, const struct frame *frame, const struct expectation *e)
{
	struct snapshot before, after;
	int n_different = 0;
	uint32_t want, got;

	want = FW_ANSWER(is_drop(e->reason) ? FW_DROP : FW_PASS, e->reason, is_by_list(e) ? e->list : 0);
	if (take_snapshot(t, &before) < 0)
		return 1;
	got = run_skb("fw_check", frame, e, true);
	if (got != want) {
		printf("# %s: fw_check says %s, list %u; expected %s, list %u\n", what,
		       reason_to_string(FW_ANSWER_REASON(got)) ?: "nothing", FW_ANSWER_LIST(got),
		       reason_to_string(e->reason), FW_ANSWER_LIST(want));
		n_different++;
	}
	if (take_snapshot(t, &after) < 0)
		return 1;
	return n_different + compare_snapshots(what, "fw_check", &before, &after);
}

int judge(struct firewall *f, const char *what, const struct frame_spec *spec, const struct expectation *e)
{
	struct frame frame, whole;
	int n_different = 0;

	if (frame_build(spec, &whole) < 0) {
		printf("# %s: no such frame\n", what);
		return 1;
	}
	for (size_t i = 0; i < ELEMENTSOF(hooks); i++) {
		const struct hook *h = &hooks[i];

		if (h->direction != e->direction)
			continue;
		if (e->is & (h->hook == FW_HOOK_XDP ? FRAME_SKB_ONLY : FRAME_XDP_ONLY))
			continue;
		if (h->hook != FW_HOOK_XDP && judge_is_no_skb(&whole))
			continue; /* sent live by the namespace tests */
		if (h->layer == LAYER_SPLIT && (whole.length == ETH_HLEN || !can_split()))
			continue;
		if (h->layer == LAYER_XDP && !is_in_one_buffer(&whole) && !probe_xdp_buffers())
			continue; /* no driver would hand it to this program */
		if (h->layer == LAYER_CGROUP && (spec->tags[0] || spec->is_snap))
			continue; /* the stack has taken off the tags before the socket's hook */
		frame = whole;
		if (h->layer == LAYER_TUNNEL)
			put_outer_header(&frame);
		n_different += judge_hook(firewall_table(f), what, h, &frame, e);
	}
	if (judge_is_no_skb(&whole) || e->is & FRAME_XDP_ONLY)
		return n_different;
	return n_different + judge_check(firewall_table(f), what, &whole, e);
}
