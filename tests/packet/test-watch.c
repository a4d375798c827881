// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * What who watches is told: each drop of the catalogue at each hook as an event with the right fields, through
 * each filter, and counts that add up to what was sent when not all is shown; samples; addresses and lengths.
 * Needs root.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "frame.h"
#include "kernel/pins.h"
#include "kernel/tick.h"
#include "observe/watch.h"
#include "stores.h"
#include "suite.h"

#define RING_BYTES   (1u << 18)
#define RING_SMALL   4096
#define N_EVENTS_MAX 4096
#define LEASE_NS     UINT64_C(600000000000) /* longer than any test */
#define POLL_USEC    10000 /* a jiffy */
#define BOTH_BLOCKED "manual 192.0.2.0/24,manual 2001:db8::/32"

static const struct hook {
	const char *program;
	enum fw_hook hook;
	enum fw_direction direction;
	size_t n_taken_off; /* a test run hands cgroup programs no Ethernet header */
} hooks[] = {
	{ "fw_xdp_in",     FW_HOOK_XDP,    FW_INGRESS, 0        },
	{ "fw_tc_in",      FW_HOOK_TC,     FW_INGRESS, 0        },
	{ "fw_tc_out",     FW_HOOK_TC,     FW_EGRESS,  0        },
	{ "fw_cgroup_in",  FW_HOOK_CGROUP, FW_INGRESS, ETH_HLEN },
	{ "fw_cgroup_out", FW_HOOK_CGROUP, FW_EGRESS,  ETH_HLEN },
};

static const struct hook *const tc_in = &hooks[1], *const tc_out = &hooks[2];

static struct fw_event events[N_EVENTS_MAX];
static size_t n_events;

/* One who watches, with what it has been told in events[]. */
struct viewer {
	struct watch *watch;
	int ring_fd;
	struct ring_buffer *ring;
};

/* The counts of sampling and of lengths are per CPU. */
static int set_up(void **state)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(sched_getcpu(), &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		return -errno;
	return suite_set_up(state);
}

static void set_entries(const char *entries)
{
	assert_int_equal(firewall_set(firewall, entries), 0);
}

static int take_event(void *userdata, void *data, size_t size)
{
	assert_in_range(size, sizeof(*events), sizeof(*events) + 7);
	assert_in_range(n_events, 0, N_EVENTS_MAX - 1);
	memcpy(&events[n_events++], data, sizeof(*events));
	return 0;
}

static void viewer_begin_for(struct viewer *v, const struct fw_watcher *want, uint32_t ring_bytes, uint64_t lease_ns)
{
	v->ring_fd = watch_new_ring(ring_bytes);
	assert_true(v->ring_fd >= 0);
	v->ring = ring_buffer__new(v->ring_fd, take_event, NULL, NULL);
	assert_non_null(v->ring);
	assert_int_equal(watch_open(firewall_pin_dir(), &v->watch), 0);
	assert_int_equal(watch_take(v->watch, want, v->ring_fd, lease_ns), 0);
	n_events = 0;
}

static void viewer_begin(struct viewer *v, const struct fw_watcher *want, uint32_t ring_bytes)
{
	viewer_begin_for(v, want, ring_bytes, LEASE_NS);
}

static struct fw_watch_counts viewer_end(struct viewer *v)
{
	struct fw_watch_counts counts;

	watch_release(v->watch);
	assert_true(ring_buffer__consume(v->ring) >= 0);
	assert_int_equal(watch_read_counts(v->watch, &counts), 0);
	ring_buffer__free(v->ring);
	close(v->ring_fd);
	watch_free(v->watch);
	return counts;
}

static struct fw_watcher all_drops(void)
{
	return (struct fw_watcher){ .watch = FW_WATCH_DROPS, .hooks = (1u << _FW_HOOK_MAX) - 1, .directions = FW_BOTH };
}

/* n runs of a program over a frame. The verdict is the business of test-packet.c. */
static void send_frame(const struct hook *h, const struct frame_spec *spec, unsigned n, unsigned n_segments)
{
	struct __sk_buff ctx = { .gso_segs = n_segments };
	struct frame frame;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame.bytes, .repeat = n);
	int fd = firewall_open_program(h->program);

	assert_true(fd >= 0);
	assert_int_equal(frame_build(spec, &frame), 0);
	opts.data_size_in = frame.length;
	if (n_segments) {
		opts.ctx_in = &ctx;
		opts.ctx_size_in = sizeof(ctx);
	}
	assert_int_equal(bpf_prog_test_run_opts(fd, &opts), 0);
	close(fd);
}

/* An address as events have it. */
static void map_address(int family, const char *text, __be32 ret[static 4])
{
	memset(ret, 0, 4 * sizeof(*ret));
	if (family == AF_INET)
		ret[2] = htonl(0xffff);
	assert_int_equal(inet_pton(family, text, family == AF_INET ? &ret[3] : ret), 1);
}

static bool is_address(const __be32 found[static 4], int family, const char *text)
{
	__be32 want[4];

	map_address(family, text, want);
	return memcmp(found, want, sizeof(want)) == 0;
}

/* The protocol that a frame's IP headers end with, 0 = one cannot tell. */
static uint8_t protocol_of(const struct frame_row *row)
{
	if (row->is & FRAME_IS_MALFORMED)
		return 0;
	if (row->spec.headers && row->spec.headers[0] == '2' && row->spec.headers[1] != '\0')
		return 0; /* headers after that of a later fragment are data of the whole packet */
	if (row->spec.headers && strchr(row->spec.headers, 'n'))
		return IPPROTO_NONE;
	return row->spec.protocol ?: IPPROTO_UDP;
}

/* Prints what is wrong with the event of a frame that was dropped for its address. */
static int compare_event(const struct frame_row *row, const struct hook *h, size_t length, const struct fw_event *e)
{
	int family = row->spec.family, n = 0;
	uint8_t protocol = protocol_of(row), number = e->protocol;
	bool is_icmp = protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;
	const struct {
		const char *what;
		bool is_right;
	} checks[] = {
		{ "hook", e->hook == h->hook },
		{ "direction", e->direction == h->direction },
		{ "verdict", e->verdict == FW_DROP && e->reason == FW_REASON_ADDRESS },
		{ "list", e->list == LIST_MANUAL },
		{ "entry", e->entry_kind == (family == AF_INET ? FW_KIND_IPV4 : FW_KIND_IPV6) &&
			   e->entry_prefixlen == (family == AF_INET ? 24 : 32) },
		{ "source", e->flags & FW_EVENT_IP && is_address(e->source, family, family == AF_INET ? FRAME_SRC4 : FRAME_SRC6) },
		{ "destination", is_address(e->destination, family, row->spec.final && h->direction == FW_EGRESS ? row->spec.final :
								    family == AF_INET ? FRAME_DST4 : FRAME_DST6) },
		{ "protocol", !protocol || number == protocol },
		{ "ports", !(row->is & FRAME_HAS_PORT) == !(e->flags & FW_EVENT_PORTS) },
		{ "source port", !(row->is & FRAME_HAS_PORT) || e->source_port == FRAME_SPORT },
		{ "destination port", !(row->is & FRAME_HAS_PORT) || e->destination_port == FRAME_DPORT },
		{ "TCP flags", row->is & (FRAME_IS_UNPARSED | FRAME_IS_MALFORMED) || !(row->is & FRAME_HAS_PORT) ||
			       e->tcp_flags == row->spec.tcp_flags },
		{ "ICMP", is_icmp == !!(e->flags & FW_EVENT_ICMP) },
		{ "ICMP type", !is_icmp || (e->icmp_code == 0 && e->icmp_type == (protocol == IPPROTO_ICMP ? 8 : 128)) },
		{ "packets", e->n_packets == 1 && e->weight == 1 },
		{ "bytes", e->n_bytes == length - h->n_taken_off },
		{ "rest", e->entry_protocol == 0 && e->entry_first == 0 && e->entry_last == 0 && e->reserved == 0 },
	};

	for (size_t i = 0; i < ELEMENTSOF(checks); i++) {
		if (checks[i].is_right)
			continue;
		printf("# %s: %s: %s is wrong\n", row->name, h->program, checks[i].what);
		n++;
	}
	return n;
}

/* What a test run refuses, or what is another frame where its first tag is not taken off. */
static bool is_left_out(const struct frame_row *row, const struct frame *f, const struct hook *h)
{
	if (row->is & (FRAME_SKB_ONLY | FRAME_XDP_ONLY) || f->length > 3000 || f->length < ETH_HLEN + 40)
		return true;
	return h->hook == FW_HOOK_CGROUP && (row->spec.tags[0] || row->spec.is_snap);
}

static void test_catalogue(void **state)
{
	const struct fw_watcher want = all_drops();
	int n_different = 0, n_compared = 0;
	struct fw_watch_counts counts;
	struct viewer v;
	struct frame f;

	set_entries(BOTH_BLOCKED);
	viewer_begin(&v, &want, RING_BYTES);
	for (size_t i = 0; i < n_frame_catalogue; i++) {
		const struct frame_row *row = &frame_catalogue[i];
		size_t n_want = row->is & FRAME_HAS_ADDRESS ? 1 : 0;

		assert_int_equal(frame_build(&row->spec, &f), 0);
		for (size_t k = 0; k < ELEMENTSOF(hooks); k++) {
			if (is_left_out(row, &f, &hooks[k]))
				continue;
			n_events = 0;
			send_frame(&hooks[k], &row->spec, 1, 0);
			(void) ring_buffer__consume(v.ring);
			if (n_events != n_want) {
				printf("# %s: %s: %zu events\n", row->name, hooks[k].program, n_events);
				n_different++;
			} else if (n_want) {
				n_different += compare_event(row, &hooks[k], f.length, &events[0]);
				n_compared++;
			}
		}
	}
	counts = viewer_end(&v);
	assert_int_equal(n_different, 0);
	assert_true(n_compared > 150);
	assert_int_equal(counts.shown, n_compared);
	assert_int_equal(counts.hidden + counts.lost, 0);
}

/* One event for each reason that there is to report, with the entry that decided. */
static void test_reasons(void **state)
{
	static const struct {
		const char *entries;
		const char *frame;
		enum fw_reason reason;
		unsigned list;
		enum fw_kind kind;
		uint16_t prefixlen, first, last;
	} rows[] = {
		{ "manual 192.0.2.10,other 192.0.0.0/8", "udp4", FW_REASON_ADDRESS, LIST_MANUAL, FW_KIND_IPV4, 32, 0, 0 },
		{ "other 192.0.0.0/8", "udp4", FW_REASON_ADDRESS, LIST_OTHER, FW_KIND_IPV4, 8, 0, 0 },
		{ "other 2001:db8::10", "udp6", FW_REASON_ADDRESS, LIST_OTHER, FW_KIND_IPV6, 128, 0, 0 },
		{ "manual ::/0", "udp6", FW_REASON_ADDRESS, LIST_MANUAL, FW_KIND_IPV6, 0, 0, 0 },
		{ "other tcp/4000-5000", "syn4", FW_REASON_PORT, LIST_OTHER, FW_KIND_PORT, 0, 4000, 5000 },
		{ "manual tcp/5000", "syn6", FW_REASON_PORT, LIST_MANUAL, FW_KIND_PORT, 0, 5000, 5000 },
		{ "audit 192.0.2.10", "udp4", FW_REASON_AUDITED, LIST_AUDIT, FW_KIND_IPV4, 32, 0, 0 },
		{ "audit tcp/5000", "syn4", FW_REASON_AUDITED, LIST_AUDIT, FW_KIND_PORT, 0, 5000, 5000 },
		{ "", "length4-short", FW_REASON_MALFORMED, 0, _FW_KIND_MAX, 0, 0, 0 },
		{ "", "version4-in-86dd", FW_REASON_MALFORMED, 0, _FW_KIND_MAX, 0, 0, 0 },
	};
	struct fw_watcher want = all_drops();
	struct viewer v;

	want.is_audit = 1;
	firewall_set_strict(firewall, true);
	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		const struct fw_event *e = &events[0];

		set_entries(rows[i].entries);
		viewer_begin(&v, &want, RING_BYTES);
		send_frame(tc_in, &frame_find(rows[i].frame)->spec, 1, 0);
		assert_int_equal(viewer_end(&v).shown, 1);
		if (e->reason != rows[i].reason || e->entry_kind != rows[i].kind ||
		    e->verdict != (rows[i].reason == FW_REASON_AUDITED ? FW_PASS : FW_DROP) ||
		    (rows[i].kind != _FW_KIND_MAX && e->list != rows[i].list) || e->entry_prefixlen != rows[i].prefixlen ||
		    e->entry_first != rows[i].first || e->entry_last != rows[i].last)
			fail_msg("'%s', %s: reason %u verdict %u list %u kind %u prefixlen %u ports %u-%u", rows[i].entries,
				 rows[i].frame, e->reason, e->verdict, e->list, e->entry_kind, e->entry_prefixlen,
				 e->entry_first, e->entry_last);
	}
	firewall_set_strict(firewall, false);
}

/* A filter: what of it is set, and whether a frame from 192.0.2.10 to 192.0.2.1, or its like, comes through. */
static void test_filters(void **state)
{
	static const struct {
		const char *what;
		const char *source, *destination;
		unsigned source_bits, destination_bits; /* of the mask, from the left of 128 */
		uint64_t lists;
		uint8_t hooks, directions, is_audit;
		const char *entries;
		const char *frame;
		bool is_shown;
	} rows[] = {
		{ "its source", "::ffff:192.0.2.10", NULL, 128, 0, 0, 7, 3, 0, "manual 192.0.2.0/24", "udp4", true },
		{ "one bit beside it", "::ffff:192.0.2.11", NULL, 128, 0, 0, 7, 3, 0, "manual 192.0.2.0/24", "udp4", false },
		{ "which the mask leaves out", "::ffff:192.0.2.11", NULL, 127, 0, 0, 7, 3, 0, "manual 192.0.2.0/24", "udp4",
		  true },
		{ "its destination", NULL, "::ffff:192.0.2.1", 0, 128, 0, 7, 3, 0, "manual 192.0.2.0/24", "udp4", true },
		{ "another one", NULL, "::ffff:192.0.2.10", 0, 128, 0, 7, 3, 0, "manual 192.0.2.0/24", "udp4", false },
		{ "one right, one wrong", "::ffff:192.0.2.10", "::ffff:192.0.2.2", 128, 128, 0, 7, 3, 0, "manual 192.0.2.0/24",
		  "udp4", false },
		{ "all of IPv4", "::ffff:0.0.0.0", NULL, 96, 0, 0, 7, 3, 0, BOTH_BLOCKED, "udp4", true },
		{ "which is not IPv6", "::ffff:0.0.0.0", NULL, 96, 0, 0, 7, 3, 0, BOTH_BLOCKED, "udp6", false },
		{ "an IPv6 prefix", "2001:db8::", NULL, 32, 0, 0, 7, 3, 0, BOTH_BLOCKED, "udp6", true },
		{ "which is not IPv4", "2001:db8::", NULL, 32, 0, 0, 7, 3, 0, BOTH_BLOCKED, "udp4", false },
		{ "the hook", NULL, NULL, 0, 0, 0, 1 << FW_HOOK_TC, 3, 0, BOTH_BLOCKED, "udp4", true },
		{ "other hooks", NULL, NULL, 0, 0, 0, 7 & ~(1 << FW_HOOK_TC), 3, 0, BOTH_BLOCKED, "udp4", false },
		{ "the direction", NULL, NULL, 0, 0, 0, 7, FW_IN, 0, BOTH_BLOCKED, "udp4", true },
		{ "the other direction", NULL, NULL, 0, 0, 0, 7, FW_OUT, 0, BOTH_BLOCKED, "udp4", false },
		{ "its list", NULL, NULL, 0, 0, 1 << LIST_MANUAL, 7, 3, 0, BOTH_BLOCKED, "udp4", true },
		{ "another list", NULL, NULL, 0, 0, 1 << LIST_OTHER, 7, 3, 0, BOTH_BLOCKED, "udp4", false },
		{ "the last list", NULL, NULL, 0, 0, 1ull << 63, 7, 3, 0, BOTH_BLOCKED, "udp4", false },
		{ "drops alone", NULL, NULL, 0, 0, 0, 7, 3, 0, "audit 192.0.2.10", "udp4", false },
		{ "would-drops too", NULL, NULL, 0, 0, 0, 7, 3, 1, "audit 192.0.2.10", "udp4", true },
		{ "drops with would-drops", NULL, NULL, 0, 0, 0, 7, 3, 1, BOTH_BLOCKED, "udp4", true },
		{ "what is allowed", NULL, NULL, 0, 0, 0, 7, 3, 1, "allow 192.0.2.10,manual 192.0.2.10", "udp4", false },
		{ "what no entry decided, of a list", NULL, NULL, 0, 0, 1 << LIST_MANUAL, 7, 3, 0, "", "length4-short", false },
		{ "what no entry decided", NULL, NULL, 0, 0, 0, 7, 3, 0, "", "length4-short", true },
	};

	firewall_set_strict(firewall, true);
	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		struct fw_watcher want = { .watch = FW_WATCH_DROPS, .hooks = rows[i].hooks, .directions = rows[i].directions,
					   .is_audit = rows[i].is_audit, .lists = rows[i].lists };
		struct fw_watch_counts counts;
		struct viewer v;

		if (rows[i].source)
			assert_int_equal(inet_pton(AF_INET6, rows[i].source, want.source), 1);
		if (rows[i].destination)
			assert_int_equal(inet_pton(AF_INET6, rows[i].destination, want.destination), 1);
		for (unsigned bit = 0; bit < 128; bit++) {
			((uint8_t *)want.source_mask)[bit / 8] |= bit < rows[i].source_bits ? 0x80 >> bit % 8 : 0;
			((uint8_t *)want.destination_mask)[bit / 8] |= bit < rows[i].destination_bits ? 0x80 >> bit % 8 : 0;
		}

		set_entries(rows[i].entries);
		viewer_begin(&v, &want, RING_BYTES);
		send_frame(tc_in, &frame_find(rows[i].frame)->spec, 1, 0);
		counts = viewer_end(&v);
		if (counts.shown != rows[i].is_shown || n_events != rows[i].is_shown || counts.hidden || counts.lost)
			fail_msg("%s: %llu shown, %zu events", rows[i].what, (unsigned long long)counts.shown, n_events);
	}
	firewall_set_strict(firewall, false);
}

/* Over the budget, and for a full ring: nothing is shown twice, nothing gets lost uncounted. */
static void test_accounts(void **state)
{
	const struct frame_spec *spec = &frame_find("syn4")->spec;
	struct fw_watcher want = all_drops();
	struct fw_watch_counts counts;
	struct viewer v;

	set_entries(BOTH_BLOCKED);
	want.budget = 3;
	viewer_begin(&v, &want, RING_BYTES);
	send_frame(tc_in, spec, 1000, 0);
	counts = viewer_end(&v);
	assert_in_range(counts.shown, 3, 300); /* a slow machine may take some ticks */
	assert_int_equal(counts.shown, n_events);
	assert_int_equal(counts.shown + counts.hidden, 1000);
	assert_int_equal(counts.lost, 0);

	want.budget = 0; /* no limit */
	viewer_begin(&v, &want, RING_SMALL);
	send_frame(tc_in, spec, 1000, 0);
	counts = viewer_end(&v);
	assert_in_range(counts.shown, 30, RING_SMALL / sizeof(struct fw_event));
	assert_int_equal(counts.shown, n_events);
	assert_int_equal(counts.shown + counts.lost, 1000);
	assert_int_equal(counts.hidden, 0);

	viewer_begin(&v, &want, RING_BYTES);
	send_frame(tc_in, spec, 2, 7);
	counts = viewer_end(&v);
	assert_int_equal(n_events, 2);
	assert_int_equal(events[0].n_packets, 7);
	assert_int_equal(counts.shown, 14); /* of a segmented skb all segments count */
}

/* Each has a ring and counts of its own; fw_check and what comes before or after is nobody's. */
static void test_several(void **state)
{
	const struct frame_spec *spec = &frame_find("udp4")->spec;
	struct fw_watcher want = all_drops(), out = want;
	static const struct hook check = { .program = "fw_check" };
	struct viewer first, second;

	set_entries(BOTH_BLOCKED);
	send_frame(tc_in, spec, 3, 0);
	viewer_begin(&first, &want, RING_BYTES);
	send_frame(tc_in, spec, 2, 0);
	out.directions = FW_OUT;
	viewer_begin(&second, &out, RING_BYTES);
	send_frame(tc_out, spec, 5, 0);
	send_frame(&check, spec, 9, 0);
	assert_int_equal(viewer_end(&second).shown, 5);
	send_frame(tc_in, spec, 1, 0);
	assert_int_equal(viewer_end(&first).shown, 8);
	assert_int_equal(n_events, 5 + 8);
}

/* Until its lease has run out, and no longer, although others look. */
static void test_ended_lease(void **state)
{
	const struct frame_spec *spec = &frame_find("udp4")->spec;
	struct fw_watcher want = all_drops();
	struct fw_watch_counts counts;
	struct viewer ended, other;
	uint32_t end;

	set_entries(BOTH_BLOCKED);
	viewer_begin(&other, &want, RING_BYTES); /* first: who begins frees the slots that have run out */
	viewer_begin_for(&ended, &want, RING_BYTES, 0);
	end = tick_after(0);
	while (tick_now() <= end)
		(void) usleep(POLL_USEC);
	(void) usleep(2 * POLL_USEC); /* the programs' clock may be that old */
	send_frame(tc_in, spec, 3, 0);
	counts = viewer_end(&ended);
	assert_int_equal(counts.shown + counts.hidden + counts.lost, 0);
	assert_int_equal(viewer_end(&other).shown, 3);
}

/* One that leaves, while another is about to renew its lease. */
struct leaving {
	struct watch *watch;
	struct fw_watcher *watchers; /* mapped */
	struct fw_policy *policy;    /* mapped */
	uint32_t slot;               /* of the other */
	uint32_t renewed_until;
	uint32_t gate; /* as it was before */
};

static int leave(void *userdata)
{
	struct leaving *l = userdata;

	watch_release(l->watch);
	return 0;
}

/* The two halves of a renewal that was under way: the lease is stored, and the gate is found open for long enough. */
static bool renew_before_store(unsigned n, void *userdata)
{
	struct leaving *l = userdata;
	bool is_alone = true;

	for (uint32_t i = FW_WATCHER_DAEMON + 1; i < FW_WATCHERS_MAX; i++)
		if (i != l->slot && l->watchers[i].until)
			is_alone = false;
	if (is_alone && l->policy->watch_drops.until == l->gate)
		__atomic_store_n(&l->watchers[l->slot].until, l->renewed_until, __ATOMIC_SEQ_CST);
	return true;
}

/* The one that leaves has seen that nobody looks, and shuts the gate after the other has renewed its lease. */
static void test_gate_is_open_for_who_renews_while_another_leaves(void **state)
{
	const struct frame_spec *spec = &frame_find("udp4")->spec;
	struct fw_watcher want = all_drops();
	struct leaving l = {};
	struct viewer other;
	int n;

	set_entries(BOTH_BLOCKED);
	assert_int_equal(pins_map_array(firewall_pin_dir(), "maps/watchers", sizeof(*l.watchers), FW_WATCHERS_MAX,
					(void **)&l.watchers), 0);
	assert_int_equal(pins_map_array(firewall_pin_dir(), "maps/policy", sizeof(*l.policy), 1, (void **)&l.policy), 0);
	for (l.slot = FW_WATCHER_DAEMON + 1; l.watchers[l.slot].until; l.slot++) /* the next one to be taken */
		;
	viewer_begin_for(&other, &want, RING_BYTES, 0);
	assert_int_equal(watch_open(firewall_pin_dir(), &l.watch), 0);
	assert_int_equal(watch_take(l.watch, &want, -1, LEASE_NS), 0);
	while (tick_now() <= l.watchers[l.slot].until)
		(void) usleep(POLL_USEC);
	l.gate = l.policy->watch_drops.until;
	l.renewed_until = tick_after(LEASE_NS / 2);

	n = stores_go_through(leave, renew_before_store, &l);
	if (n == -ENOTSUP)
		skip();
	assert_true(n > 2);
	assert_int_equal(l.watchers[l.slot].until, l.renewed_until);
	send_frame(tc_in, spec, 3, 0);
	assert_true(ring_buffer__consume(other.ring) >= 0);
	assert_int_equal(n_events, 3);

	__atomic_store_n(&l.watchers[l.slot].until, 1, __ATOMIC_SEQ_CST); /* over: the next one frees it */
	watch_free(l.watch);
	(void) viewer_end(&other);
	(void) munmap(l.watchers, FW_WATCHERS_MAX * sizeof(*l.watchers));
	(void) munmap(l.policy, sizeof(*l.policy));
}

/* There is room for 15 beside the daemon; one that goes makes room for another. */
static void test_slots(void **state)
{
	const struct fw_watcher want = { .watch = FW_WATCH_SIZES };
	struct watch *w[FW_WATCHERS_MAX];

	for (size_t i = 0; i < ELEMENTSOF(w); i++) {
		assert_int_equal(watch_open(firewall_pin_dir(), &w[i]), 0);
		assert_int_equal(watch_take(w[i], &want, -1, LEASE_NS), i < FW_WATCHERS_MAX - 1 ? 0 : -EBUSY);
	}
	assert_int_equal(watch_renew(w[0], LEASE_NS), 0);
	watch_release(w[7]);
	assert_int_equal(watch_renew(w[7], LEASE_NS), -ESTALE);
	assert_int_equal(watch_take(w[FW_WATCHERS_MAX - 1], &want, -1, LEASE_NS), 0);
	for (size_t i = 0; i < ELEMENTSOF(w); i++)
		watch_free(w[i]);
}

/* All at first, then fewer and fewer, each standing for those since the one before. */
static void test_samples(void **state)
{
	const struct fw_watcher want = { .watch = FW_WATCH_SAMPLES };
	const struct frame_spec *spec = &frame_find("udp4")->spec;
	uint64_t sum = 0, n_sent = 20000;
	struct viewer v;

	set_entries(BOTH_BLOCKED ",audit 198.51.100.1");
	viewer_begin(&v, &want, RING_BYTES);
	send_frame(tc_in, spec, 5, 0);
	(void) ring_buffer__consume(v.ring);
	assert_int_equal(n_events, 0); /* not asked for yet */

	watch_sample(v.watch, true);
	send_frame(tc_in, &(struct frame_spec){ .family = AF_INET, .src = "198.51.100.1" }, 3, 0);
	send_frame(tc_in, spec, n_sent, 0);
	(void) ring_buffer__consume(v.ring);
	for (size_t i = 0; i < n_events; i++) {
		if (i < FW_SAMPLES_PER_STEP)
			assert_int_equal(events[i].weight, 1);
		assert_int_equal(events[i].reason, FW_REASON_ADDRESS); /* would-drops are no samples */
		sum += events[i].weight;
	}
	assert_in_range(n_events, 5 * FW_SAMPLES_PER_STEP, 12 * FW_SAMPLES_PER_STEP);
	assert_in_range(sum, n_sent * 3 / 4, n_sent); /* what came after the last one is in none */

	n_events = 0;
	watch_sample(v.watch, true);
	send_frame(tc_in, spec, 10, 0);
	(void) ring_buffer__consume(v.ring);
	assert_int_equal(n_events, 10); /* a new epoch begins with all */
	assert_int_equal(events[0].weight, 1);

	n_events = 0;
	watch_sample(v.watch, false);
	send_frame(tc_in, spec, 10, 0);
	(void) viewer_end(&v);
	assert_int_equal(n_events, 0);
}

/* Addresses by hook and direction, as long as somebody looks. */
static void test_seen(void **state)
{
	const struct fw_watcher want = { .watch = FW_WATCH_SEEN };
	struct frame_spec pass = { .family = AF_INET, .src = "203.0.113.5", .protocol = IPPROTO_TCP, .tcp_flags = FRAME_SYN };
	struct fw_seen_key key;
	struct fw_seen seen;
	const struct fw_seen_at *at = &seen.at[fw_counters_index(FW_HOOK_TC, FW_INGRESS)];
	struct watch *w;
	int fd;

	set_entries(BOTH_BLOCKED);
	assert_int_equal(watch_open(firewall_pin_dir(), &w), 0);
	assert_int_equal(watch_take(w, &want, -1, LEASE_NS), 0);
	fd = watch_open_seen(w, 64);
	assert_true(fd >= 0);
	send_frame(tc_in, &pass, 3, 0);
	send_frame(tc_in, &frame_find("udp6")->spec, 2, 5);
	send_frame(tc_out, &frame_find("udp6")->spec, 1, 0);

	map_address(AF_INET, "203.0.113.5", key.addr);
	assert_int_equal(bpf_map_lookup_elem(fd, &key, &seen), 0);
	assert_int_equal(at->packets, 3);
	assert_int_equal(at->syn, 3);
	assert_int_equal(at->dropped, 0);
	assert_int_equal(at->bytes, 3 * 54);
	assert_in_range(seen.last, tick_now() - 20, tick_now());
	map_address(AF_INET6, FRAME_SRC6, key.addr);
	assert_int_equal(bpf_map_lookup_elem(fd, &key, &seen), 0);
	assert_int_equal(at->packets, 10);
	assert_int_equal(at->dropped, 10);
	assert_int_equal(at->syn, 0);
	map_address(AF_INET6, FRAME_DST6, key.addr);
	assert_int_equal(bpf_map_lookup_elem(fd, &key, &seen), 0);
	assert_int_equal(at->packets, 0);
	assert_int_equal(seen.at[fw_counters_index(FW_HOOK_TC, FW_EGRESS)].dropped, 1);

	watch_release(w);
	send_frame(tc_in, &frame_find("udp6")->spec, 2, 0);
	map_address(AF_INET6, FRAME_SRC6, key.addr);
	assert_int_equal(bpf_map_lookup_elem(fd, &key, &seen), 0);
	assert_int_equal(at->packets, 10); /* nobody looks any more */
	close(fd);
	watch_free(w);
}

static void test_sizes(void **state)
{
	const struct fw_watcher want = { .watch = FW_WATCH_SIZES };
	struct fw_sizes before, after;
	uint64_t n_gaps = 0;
	struct watch *w;

	set_entries("");
	assert_int_equal(watch_open(firewall_pin_dir(), &w), 0);
	assert_int_equal(watch_take(w, &want, -1, LEASE_NS), 0);
	send_frame(tc_in, &frame_find("udp4")->spec, 1, 0); /* the first has none before it */
	assert_int_equal(watch_read_sizes(w, FW_HOOK_TC, FW_INGRESS, &before), 0);
	send_frame(tc_in, &(struct frame_spec){ .family = AF_INET, .n_data = 22 }, 3, 0);   /* 64 bytes */
	send_frame(tc_in, &(struct frame_spec){ .family = AF_INET, .n_data = 21 }, 2, 0);   /* 63 */
	send_frame(tc_in, &(struct frame_spec){ .family = AF_INET, .n_data = 982 }, 1, 4); /* 1024 in 4 */
	assert_int_equal(watch_read_sizes(w, FW_HOOK_TC, FW_INGRESS, &after), 0);
	assert_int_equal(after.size[6] - before.size[6], 3);
	assert_int_equal(after.size[5] - before.size[5], 2);
	assert_int_equal(after.size[8] - before.size[8], 4);
	for (size_t i = 0; i < FW_GAPS_MAX; i++)
		n_gaps += after.gap[i] - before.gap[i];
	assert_int_equal(n_gaps, 6);
	watch_free(w);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_catalogue),
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_accounts),
		cmocka_unit_test(test_several),
		cmocka_unit_test(test_ended_lease),
		cmocka_unit_test(test_gate_is_open_for_who_renews_while_another_leaves),
		cmocka_unit_test(test_slots),
		cmocka_unit_test(test_samples),
		cmocka_unit_test(test_seen),
		cmocka_unit_test(test_sizes),
	};

	return suite_run(tests, set_up, suite_tear_down);
}
