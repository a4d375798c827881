// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Rows of entries and frames with the verdict they must get, judged by every program that can see them:
 * see judge.h. What a test run cannot produce is sent by the namespace tests. Needs root.
 */

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "judge.h"
#include "kernel/probe.h"
#include "suite.h"
#include "text/names.h"

#define ETHERNET_HEADER 14
#define N_INSNS_MAX 200000 /* a fifth of what the kernel allows */

static void set_entries(const char *entries)
{
	int r = firewall_set(firewall, entries);

	if (r < 0)
		fail_msg("cannot set '%s': %s", entries, strerror(-r));
}

static void test_load_cost(void **state)
{
	assert_in_range(firewall_load_cost(firewall)->n_insns_max, 1, N_INSNS_MAX);
}

/* What all frames of the catalogue get in one situation. */
struct situation {
	const char *name;
	const char *entries;
	bool is_strict;
	unsigned needs;        /* FRAME_*: frames that have all of this ... */
	enum fw_reason reason; /* ... get this reason */
	unsigned list;
	enum fw_reason hidden; /* what others get whose port cannot be read, 0 = as any other */
	unsigned hidden_list;
};

static const struct situation situations[] = {
	{ "nothing listed", "", false, FRAME_HAS_ADDRESS, FW_REASON_NO_MATCH, 0, 0, 0 },
	{ "address blocked", "manual 192.0.2.0/24,manual 2001:db8::/32", false, FRAME_HAS_ADDRESS,
	  FW_REASON_ADDRESS, LIST_MANUAL, 0, 0 },
	{ "other address blocked", "manual 203.0.113.0/24,manual 2001:db9::/32", false, FRAME_HAS_ADDRESS,
	  FW_REASON_NO_MATCH, 0, 0, 0 },
	{ "port blocked", "manual tcp/5000,other udp/5000", false, FRAME_HAS_PORT, FW_REASON_PORT, LIST_MANUAL,
	  FW_REASON_HIDDEN_PORT, LIST_MANUAL },
	{ "port of no frame blocked", "other tcp/1", false, FRAME_HAS_ADDRESS | FRAME_HAS_PORT, FW_REASON_NO_MATCH, 0,
	  FW_REASON_HIDDEN_PORT, LIST_OTHER },
	{ "port audited", "audit tcp/5000,audit udp/5000", false, FRAME_HAS_PORT, FW_REASON_AUDITED, LIST_AUDIT,
	  FW_REASON_AUDITED, LIST_AUDIT },
	{ "port allowed", "allow tcp/5000,allow udp/5000", false, FRAME_HAS_PORT, FW_REASON_ALLOWED, LIST_ALLOW, 0, 0 },
	{ "port of a disabled list", "disabled tcp/5000,disabled udp/5000", false, FRAME_HAS_ADDRESS, FW_REASON_NO_MATCH, 0,
	  0, 0 },
	{ "address and port blocked", "manual 192.0.2.0/24,manual 2001:db8::/32,other tcp/5000,other udp/5000",
	  false, FRAME_HAS_ADDRESS, FW_REASON_ADDRESS, LIST_MANUAL, FW_REASON_HIDDEN_PORT, LIST_OTHER },
	{ "allowed and blocked", "allow 192.0.0.0/8,allow 2000::/3,manual 192.0.2.0/24,manual 2001:db8::/32,"
	  "manual tcp/5000,manual udp/5000", false, FRAME_HAS_ADDRESS, FW_REASON_ALLOWED, LIST_ALLOW,
	  FW_REASON_HIDDEN_PORT, LIST_MANUAL },
	{ "audited", "audit 192.0.2.0/24,audit 2001:db8::/32", false, FRAME_HAS_ADDRESS, FW_REASON_AUDITED,
	  LIST_AUDIT, 0, 0 },
	{ "strict", "", true, FRAME_HAS_ADDRESS, FW_REASON_NO_MATCH, 0, 0, 0 },
	{ "strict, address blocked", "manual 192.0.2.0/24,manual 2001:db8::/32", true, FRAME_HAS_ADDRESS,
	  FW_REASON_ADDRESS, LIST_MANUAL, 0, 0 },
	/* no exception lets a malformed packet pass */
	{ "strict, address allowed", "allow 192.0.2.0/24,allow 2001:db8::/32", true, FRAME_HAS_ADDRESS, FW_REASON_ALLOWED,
	  LIST_ALLOW, 0, 0 },
};

/* What a frame gets that the situation has no entry for. */
static enum fw_reason reason_without_entry(unsigned is)
{
	if (is & FRAME_HAS_ADDRESS)
		return FW_REASON_NO_MATCH;
	return is & FRAME_IS_UNPARSED ? FW_REASON_UNPARSED : FW_REASON_NOT_IP;
}

static struct expectation expect_of(const struct situation *s, const struct frame_row *row)
{
	struct expectation e = { .is = row->is };

	if (s->is_strict && row->is & FRAME_IS_MALFORMED) {
		e.reason = FW_REASON_MALFORMED;
	} else if ((row->is & s->needs) == s->needs) {
		e.reason = s->reason;
		e.list = s->list;
		if (s->reason == FW_REASON_PORT && row->spec.protocol != IPPROTO_TCP)
			e.list = LIST_OTHER; /* which has the UDP port */
	} else if (row->is & FRAME_IS_HIDDEN && s->hidden) {
		e.reason = s->hidden;
		e.list = s->hidden_list;
		e.is_hidden = true;
	} else {
		e.reason = reason_without_entry(row->is);
	}
	return e;
}

static void test_catalogue(void **state)
{
	char what[128];
	int n_different = 0;

	for (size_t i = 0; i < ELEMENTSOF(situations); i++) {
		const struct situation *s = &situations[i];

		set_entries(s->entries);
		firewall_set_strict(firewall, s->is_strict);
		for (size_t k = 0; k < n_frame_catalogue; k++) {
			struct expectation e = expect_of(s, &frame_catalogue[k]);

			snprintf(what, sizeof(what), "%s, %s", s->name, frame_catalogue[k].name);
			for (e.direction = 0; e.direction < _FW_DIRECTION_MAX; e.direction++)
				n_different += judge(firewall, what, &frame_catalogue[k].spec, &e);
		}
	}
	firewall_set_strict(firewall, false);
	assert_int_equal(n_different, 0);
}

/* Judges one address in the direction that looks at it, other addresses being out of the way. */
static int judge_address(const char *what, int family, const char *address, enum fw_direction direction,
			 enum fw_reason reason)
{
	struct frame_spec spec = { .family = family };
	struct expectation e = { .direction = direction, .reason = reason, .list = LIST_MANUAL };

	if (direction == FW_INGRESS)
		spec.src = address;
	else
		spec.dst = address;
	return judge(firewall, what, &spec, &e);
}

/* bytes +1 or -1 as a number; false if it wraps around: then there is no address outside. */
static bool step(uint8_t *bytes, size_t n, int by)
{
	for (size_t i = n; i-- > 0;) {
		bytes[i] += by;
		if (by > 0 ? bytes[i] != 0 : bytes[i] != 0xff)
			return true;
	}
	return false;
}

/* Each length: first and last address inside, the ones next to them outside. */
static int judge_lengths(int family, const char *base)
{
	size_t n = family == AF_INET6 ? 16 : 4;
	char entries[64], text[INET6_ADDRSTRLEN], what[128];
	uint8_t first[16], last[16], probe[16];
	int n_different = 0;

	for (unsigned length = 0; length <= n * 8; length++) {
		assert_int_equal(inet_pton(family, base, first), 1);
		for (unsigned bit = length; bit < n * 8; bit++)
			first[bit / 8] &= ~(0x80 >> bit % 8);
		memcpy(last, first, n);
		for (unsigned bit = length; bit < n * 8; bit++)
			last[bit / 8] |= 0x80 >> bit % 8;

		inet_ntop(family, first, text, sizeof(text));
		snprintf(entries, sizeof(entries), "manual %s/%u", text, length);
		set_entries(entries);

		for (unsigned end = 0; end < 2; end++) {
			const uint8_t *inside = end ? last : first;

			inet_ntop(family, inside, text, sizeof(text));
			snprintf(what, sizeof(what), "%s inside of %s", text, entries);
			for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++)
				n_different += judge_address(what, family, text, d, FW_REASON_ADDRESS);

			memcpy(probe, inside, n);
			if (!step(probe, n, end ? 1 : -1))
				continue;
			inet_ntop(family, probe, text, sizeof(text));
			snprintf(what, sizeof(what), "%s outside of %s", text, entries);
			for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++)
				n_different += judge_address(what, family, text, d, FW_REASON_NO_MATCH);
		}
	}
	return n_different;
}

static void test_lengths4(void **state)
{
	assert_int_equal(judge_lengths(AF_INET, "192.0.2.85"), 0);
}

static void test_lengths6(void **state)
{
	assert_int_equal(judge_lengths(AF_INET6, "2001:db8:5555:aaaa:5555:aaaa:5555:aaaa"), 0);
}

#define IN   FW_INGRESS
#define OUT  FW_EGRESS
#define V4   .family = AF_INET
#define V6   .family = AF_INET6
#define PORT(p) .dport = (p)

/* What entries and lists do to each other. */
static const struct {
	const char *name;
	const char *entries;
	struct frame_spec spec;
	enum fw_direction direction;
	enum fw_reason reason;
	unsigned list;
} rows[] = {
	{ "ingress looks at the source", "manual 192.0.2.10", { V4 }, IN, FW_REASON_ADDRESS, LIST_MANUAL },
	{ "ingress ignores the destination", "manual 192.0.2.1", { V4 }, IN, FW_REASON_NO_MATCH, 0 },
	{ "egress looks at the destination", "manual 192.0.2.1", { V4 }, OUT, FW_REASON_ADDRESS, LIST_MANUAL },
	{ "egress ignores the source", "manual 192.0.2.10", { V4 }, OUT, FW_REASON_NO_MATCH, 0 },
	{ "in only, ingress", "manual 192.0.2.0/24 in", { V4 }, IN, FW_REASON_ADDRESS, LIST_MANUAL },
	{ "in only, egress", "manual 192.0.2.0/24 in", { V4 }, OUT, FW_REASON_NO_MATCH, 0 },
	{ "out only, ingress", "manual 192.0.2.0/24 out", { V4 }, IN, FW_REASON_NO_MATCH, 0 },
	{ "out only, egress", "manual 192.0.2.0/24 out", { V4 }, OUT, FW_REASON_ADDRESS, LIST_MANUAL },
	{ "families are apart, v4", "manual ::/0", { V4 }, IN, FW_REASON_NO_MATCH, 0 },
	{ "families are apart, v6", "manual 0.0.0.0/0", { V6 }, IN, FW_REASON_NO_MATCH, 0 },
	{ "both ends in the middle of a word", "manual 2001:db8:0:0:8000::/65", { V6 }, IN, FW_REASON_NO_MATCH, 0 },

	{ "allow wins over a longer prefix", "allow 192.0.0.0/8,manual 192.0.2.10", { V4 }, IN,
	  FW_REASON_ALLOWED, LIST_ALLOW },
	{ "allow wins over a shorter prefix", "allow 192.0.2.10,manual 0.0.0.0/0", { V4 }, IN,
	  FW_REASON_ALLOWED, LIST_ALLOW },
	{ "allow wins over the same prefix", "allow 192.0.2.10,manual 192.0.2.10", { V4 }, IN,
	  FW_REASON_ALLOWED, LIST_ALLOW },
	{ "allow wins at /0", "allow 0.0.0.0/0,manual 192.0.2.10,other 192.0.2.0/24", { V4 }, IN,
	  FW_REASON_ALLOWED, LIST_ALLOW },
	{ "allow wins over a port", "allow 192.0.2.10,manual udp/5000", { V4 }, IN, FW_REASON_ALLOWED, LIST_ALLOW },
	{ "allow wins in IPv6", "allow ::/0,manual 2001:db8::10", { V6 }, IN, FW_REASON_ALLOWED, LIST_ALLOW },
	{ "allow of the other direction does not count", "allow 192.0.2.10 out,manual 192.0.2.10", { V4 }, IN,
	  FW_REASON_ADDRESS, LIST_MANUAL },
	{ "allow of another address does not count", "allow 192.0.2.11,manual 192.0.2.0/24", { V4 }, IN,
	  FW_REASON_ADDRESS, LIST_MANUAL },
	{ "allow that has ended does not count", "allow 192.0.2.10 ended,manual 192.0.2.0/24", { V4 }, IN,
	  FW_REASON_ADDRESS, LIST_MANUAL },
	{ "an allowed port wins over a blocked range", "allow udp/5000,manual udp/0-65535", { V4 }, IN,
	  FW_REASON_ALLOWED, LIST_ALLOW },

	{ "the longest that blocks is named", "manual 192.0.0.0/16,other 192.0.2.0/24", { V4 }, IN,
	  FW_REASON_ADDRESS, LIST_OTHER },
	{ "the lowest list of an entry is named", "other 192.0.2.10,manual 192.0.2.10", { V4 }, IN,
	  FW_REASON_ADDRESS, LIST_MANUAL },
	{ "an address is named before a port", "manual udp/5000,other 192.0.2.0/24", { V4 }, IN,
	  FW_REASON_ADDRESS, LIST_OTHER },

	{ "audit passes", "audit 192.0.2.0/24", { V4 }, IN, FW_REASON_AUDITED, LIST_AUDIT },
	{ "audit does not hide a shorter block", "audit 192.0.2.10,manual 192.0.0.0/16", { V4 }, IN,
	  FW_REASON_ADDRESS, LIST_MANUAL },
	{ "audit does not hide a longer block", "audit 192.0.0.0/16,manual 192.0.2.10", { V4 }, IN,
	  FW_REASON_ADDRESS, LIST_MANUAL },
	{ "audit does not hide a blocked port", "audit 192.0.2.10,manual udp/5000", { V4 }, IN, FW_REASON_PORT,
	  LIST_MANUAL },
	{ "audit of a port", "audit udp/5000", { V4 }, IN, FW_REASON_AUDITED, LIST_AUDIT },
	{ "audit does not hide an allow", "audit 192.0.2.10,allow 192.0.0.0/16", { V4 }, IN, FW_REASON_ALLOWED,
	  LIST_ALLOW },
	{ "one entry in audit and block", "audit 192.0.2.10,manual 192.0.2.10", { V4 }, IN, FW_REASON_ADDRESS,
	  LIST_MANUAL },
	{ "a disabled list decides nothing", "disabled 192.0.2.10", { V4 }, IN, FW_REASON_NO_MATCH, 0 },
	{ "a disabled list does not hide", "disabled 192.0.2.10,manual 192.0.0.0/16", { V4 }, IN,
	  FW_REASON_ADDRESS, LIST_MANUAL },
	{ "one entry in a disabled list and another", "disabled 192.0.2.10,other 192.0.2.10", { V4 }, IN,
	  FW_REASON_ADDRESS, LIST_OTHER },

	{ "what has an end holds until then", "manual 192.0.2.10 later", { V4 }, IN, FW_REASON_ADDRESS, LIST_MANUAL },
	{ "what has ended does not block", "manual 192.0.2.10 ended", { V4 }, IN, FW_REASON_NO_MATCH, 0 },
	{ "what has ended does not hide a shorter prefix", "manual 192.0.2.0/24 ended,other 192.0.0.0/16", { V4 }, IN,
	  FW_REASON_ADDRESS, LIST_OTHER },
	{ "what has ended does not hide, IPv6", "manual 2001:db8::/64 ended,other 2001:db8::/32", { V6 }, IN,
	  FW_REASON_ADDRESS, LIST_OTHER },
	{ "different ends: the later one holds", "manual 192.0.2.10 ended,other 192.0.2.10 later", { V4 }, IN,
	  FW_REASON_ADDRESS, LIST_OTHER },
	{ "different ends: one without end", "manual 192.0.2.10 ended,other 192.0.2.10", { V4 }, IN,
	  FW_REASON_ADDRESS, LIST_OTHER },
	{ "different ends: the end of an allow", "allow 192.0.2.10 ended,manual 192.0.2.10 later", { V4 }, IN,
	  FW_REASON_ADDRESS, LIST_MANUAL },
	{ "different ends: the end of a block", "manual 192.0.2.10 ended,audit 192.0.2.10 later", { V4 }, IN,
	  FW_REASON_AUDITED, LIST_AUDIT },
	{ "different ends in IPv6", "manual 2001:db8::/32 ended,other 2001:db8::/32 later", { V6 }, IN,
	  FW_REASON_ADDRESS, LIST_OTHER },
	{ "different ends: both are over", "manual 192.0.2.10 ended,other 192.0.2.10 ended", { V4 }, IN,
	  FW_REASON_NO_MATCH, 0 },
	{ "a port that has ended", "manual udp/5000 ended", { V4 }, IN, FW_REASON_NO_MATCH, 0 },
	{ "different ends of a port", "manual udp/5000 ended,other udp/5000 later", { V4 }, IN, FW_REASON_PORT,
	  LIST_OTHER },
	{ "a port that has ended does not hide a range", "manual udp/5000 ended,other udp/4000-6000", { V4 }, IN,
	  FW_REASON_PORT, LIST_OTHER },

	{ "port of ingress is the destination's", "manual udp/40000", { V4 }, IN, FW_REASON_NO_MATCH, 0 },
	{ "port of egress is the destination's", "manual udp/5000", { V4 }, OUT, FW_REASON_PORT, LIST_MANUAL },
	{ "port in only, egress", "manual udp/5000 in", { V4 }, OUT, FW_REASON_NO_MATCH, 0 },
	{ "port out only, ingress", "manual udp/5000 out", { V4 }, IN, FW_REASON_NO_MATCH, 0 },
	{ "port of the other protocol", "manual tcp/5000", { V4 }, IN, FW_REASON_NO_MATCH, 0 },
	{ "port in IPv6", "manual udp/5000", { V6 }, IN, FW_REASON_PORT, LIST_MANUAL },
	{ "port below a range", "manual udp/5001-5010", { V4 }, IN, FW_REASON_NO_MATCH, 0 },
	{ "port first in a range", "manual udp/5000-5010", { V4 }, IN, FW_REASON_PORT, LIST_MANUAL },
	{ "port last in a range", "manual udp/4990-5000", { V4 }, IN, FW_REASON_PORT, LIST_MANUAL },
	{ "port above a range", "manual udp/4990-4999", { V4 }, IN, FW_REASON_NO_MATCH, 0 },
	{ "port 0", "manual udp/0", { V4, PORT(FRAME_ZERO) }, IN, FW_REASON_PORT, LIST_MANUAL },
	{ "port 1 beside 0", "manual udp/0", { V4, PORT(1) }, IN, FW_REASON_NO_MATCH, 0 },
	{ "port 65535", "manual udp/65535", { V4, PORT(65535) }, IN, FW_REASON_PORT, LIST_MANUAL },
	{ "port 65534 beside 65535", "manual udp/65535", { V4, PORT(65534) }, IN, FW_REASON_NO_MATCH, 0 },
	{ "port 0 of the whole range", "manual udp/0-65535", { V4, PORT(FRAME_ZERO) }, IN, FW_REASON_PORT, LIST_MANUAL },
	{ "port 65535 of the whole range", "manual udp/0-65535", { V4, PORT(65535) }, IN, FW_REASON_PORT,
	  LIST_MANUAL },
	{ "TCP 65535 does not reach UDP 0", "manual tcp/65535", { V4, PORT(FRAME_ZERO) }, IN, FW_REASON_NO_MATCH, 0 },
	{ "the narrowest of overlapping ports is named", "manual udp/1-65535,other udp/4000-6000", { V4 }, IN,
	  FW_REASON_PORT, LIST_OTHER },
	{ "a narrower port of the other direction does not hide", "other udp/5000 out,manual udp/1-65535", { V4 }, IN,
	  FW_REASON_PORT, LIST_MANUAL },
	{ "overlapping ports, only the first covers", "manual udp/4000-5000,other udp/5001-6000", { V4 }, IN,
	  FW_REASON_PORT, LIST_MANUAL },
	{ "ICMP has no port", "manual udp/0-65535,manual tcp/0-65535", { V4, .protocol = IPPROTO_ICMP }, IN,
	  FW_REASON_NO_MATCH, 0 },
	{ "a fragment without port is not blocked by port", "manual udp/0-65535", { V4, .fragment = 1 }, IN,
	  FW_REASON_NO_MATCH, 0 },
};

static void test_rows(void **state)
{
	int n_different = 0;

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		struct expectation e = {
			.direction = rows[i].direction,
			.reason = rows[i].reason,
			.list = rows[i].list,
		};

		set_entries(rows[i].entries);
		n_different += judge(firewall, rows[i].name, &rows[i].spec, &e);
	}
	assert_int_equal(n_different, 0);
}

/* What lists with ports do to a packet that should have a port, and whose port cannot be read. */
static const struct {
	const char *name;
	const char *entries;
	enum fw_direction direction;
	enum fw_reason reason;
	unsigned list;
} hidden_rows[] = {
	{ "a hidden port, and ports in", "manual udp/1 in", IN, FW_REASON_HIDDEN_PORT, LIST_MANUAL },
	{ "a hidden port, and ports in, at egress", "manual udp/1 in", OUT, FW_REASON_NO_MATCH, 0 },
	{ "a hidden port, and ports out", "manual udp/1 out", OUT, FW_REASON_HIDDEN_PORT, LIST_MANUAL },
	{ "a hidden port, and ports out, at ingress", "manual udp/1 out", IN, FW_REASON_NO_MATCH, 0 },
	{ "a hidden port of an allowed address", "manual udp/1,allow 192.0.2.0/24,allow 2001:db8::/32", IN, FW_REASON_ALLOWED,
	  LIST_ALLOW },
	{ "a hidden port of a blocked address", "manual udp/1,other 192.0.2.0/24,other 2001:db8::/32", IN, FW_REASON_ADDRESS,
	  LIST_OTHER },
	{ "a hidden port of an audited address", "other udp/1,audit 192.0.2.0/24,audit 2001:db8::/32", IN,
	  FW_REASON_HIDDEN_PORT, LIST_OTHER },
	{ "a hidden port, and ports audited and blocked", "audit udp/1,other tcp/1", IN,
	  FW_REASON_HIDDEN_PORT, LIST_OTHER },
	{ "a hidden port, and ports that have ended", "manual udp/1 in ended", IN, FW_REASON_NO_MATCH, 0 },
	{ "a hidden port, and ports that end later", "manual udp/1 in later", IN, FW_REASON_HIDDEN_PORT, LIST_MANUAL },
	{ "a hidden port, and ports that have ended in one list", "manual udp/1 in ended,other tcp/1 in", IN,
	  FW_REASON_HIDDEN_PORT, LIST_OTHER },
	{ "a hidden port, and one port that has ended in one list", "manual udp/1 in ended,other udp/1 in", IN,
	  FW_REASON_HIDDEN_PORT, LIST_OTHER },
	{ "a hidden port, and ports that have ended next to audited ones", "manual udp/1 in ended,audit tcp/1 in", IN,
	  FW_REASON_AUDITED, LIST_AUDIT },
	{ "a hidden port, and ports of one list that have ended and not", "manual udp/1 in ended,manual tcp/9 in later", IN,
	  FW_REASON_HIDDEN_PORT, LIST_MANUAL },
	{ "a hidden port, and ports allowed and blocked", "allow udp/0-65535,other tcp/1", IN,
	  FW_REASON_HIDDEN_PORT, LIST_OTHER },
};

static void test_hidden_ports(void **state)
{
	static const struct frame_spec specs[] = {
		{ V6, .length = 3 },
		{ V6, .headers = "hdddddddddddddddd" },
		{ V6, .headers = "1dd", .length = 16, .n_ip = 56 },
		{ V4, .src = "192.0.2.10", .length = 23 },
	};
	int n_different = 0;

	for (size_t i = 0; i < ELEMENTSOF(hidden_rows); i++) {
		struct expectation e = {
			.direction = hidden_rows[i].direction,
			.reason = hidden_rows[i].reason,
			.list = hidden_rows[i].list,
			.is = FRAME_IS_UNPARSED,
			.is_hidden = hidden_rows[i].reason == FW_REASON_AUDITED,
		};

		set_entries(hidden_rows[i].entries);
		for (size_t k = 0; k < ELEMENTSOF(specs); k++)
			n_different += judge(firewall, hidden_rows[i].name, &specs[k], &e);
	}
	assert_int_equal(n_different, 0);
}

/* Where the headers name a final destination, egress looks at it as well as at the next hop. */
#define FINAL4 V4, .n_options = 8, .final = "203.0.113.9"
#define FINAL6 V6, .final = "2001:db8:f::9"
static const struct {
	const char *name;
	const char *entries;
	struct frame_spec spec;
	enum fw_direction direction;
	enum fw_reason reason;
	unsigned list;
} final_rows[] = {
	{ "a segment header leads to a blocked address", "manual 2001:db8:f::9", { FINAL6, .headers = "s" }, OUT,
	  FW_REASON_ADDRESS, LIST_MANUAL },
	{ "the same after other headers", "manual 2001:db8:f::/48", { FINAL6, .headers = "hds" }, OUT, FW_REASON_ADDRESS,
	  LIST_MANUAL },
	{ "the same in fragments", "manual 2001:db8:f::9", { FINAL6, .headers = "s2" }, OUT, FW_REASON_ADDRESS,
	  LIST_MANUAL },
	{ "the same after a fragment header", "manual 2001:db8:f::9", { FINAL6, .headers = "fs" }, OUT, FW_REASON_ADDRESS,
	  LIST_MANUAL },
	{ "a routing header of type 2", "manual 2001:db8:f::9", { FINAL6, .headers = "t" }, OUT, FW_REASON_ADDRESS,
	  LIST_MANUAL },
	{ "a segment header, no segment left", "manual 2001:db8:f::9", { FINAL6, .headers = "s", .is_route_over = true }, OUT,
	  FW_REASON_NO_MATCH, 0 },
	{ "a segment header at ingress", "manual 2001:db8:f::9", { FINAL6, .headers = "s" }, IN, FW_REASON_NO_MATCH, 0 },
	{ "a segment header to no blocked address", "manual 2001:db8:f::8", { FINAL6, .headers = "s" }, OUT,
	  FW_REASON_NO_MATCH, 0 },
	{ "a blocked hop to an allowed address", "manual 2001:db8::1,allow 2001:db8:f::9", { FINAL6, .headers = "s" }, OUT,
	  FW_REASON_ADDRESS, LIST_MANUAL },
	{ "an allowed hop to a blocked address", "allow 2001:db8::1,other 2001:db8:f::9", { FINAL6, .headers = "s" }, OUT,
	  FW_REASON_ADDRESS, LIST_OTHER },
	{ "a segment header to an audited address", "audit 2001:db8:f::9", { FINAL6, .headers = "s" }, OUT,
	  FW_REASON_AUDITED, LIST_AUDIT },
	{ "a blocked port and an audited address", "audit 2001:db8:f::9,other udp/5000", { FINAL6, .headers = "s" }, OUT,
	  FW_REASON_PORT, LIST_OTHER },
	{ "a source route to a blocked address", "manual 203.0.113.9", { FINAL4 }, OUT, FW_REASON_ADDRESS, LIST_MANUAL },
	{ "a source route after other options", "manual 203.0.113.9", { V4, .n_options = 40, .final = "203.0.113.9" }, OUT, FW_REASON_ADDRESS,
	  LIST_MANUAL },
	{ "a source route that is over", "manual 203.0.113.9", { FINAL4, .is_route_over = true }, OUT, FW_REASON_NO_MATCH,
	  0 },
	{ "a source route at ingress", "manual 203.0.113.9", { FINAL4 }, IN, FW_REASON_NO_MATCH, 0 },
	{ "options without a route", "manual 203.0.113.9", { V4, .n_options = 40 }, OUT, FW_REASON_NO_MATCH, 0 },
};

static void test_final(void **state)
{
	int n_different = 0;

	for (size_t i = 0; i < ELEMENTSOF(final_rows); i++) {
		struct expectation e = {
			.direction = final_rows[i].direction,
			.reason = final_rows[i].reason,
			.list = final_rows[i].list,
		};

		set_entries(final_rows[i].entries);
		n_different += judge(firewall, final_rows[i].name, &final_rows[i].spec, &e);
	}
	assert_int_equal(n_different, 0);
}

/* A segmented skb counts as what leaves the wire. */
static void test_segments(void **state)
{
	static const struct frame_spec spec = { V4, .protocol = IPPROTO_TCP, .tcp_flags = FRAME_SYN };
	struct expectation e = { .is = FRAME_IS_SYN, .n_packets = 43, .list = LIST_MANUAL };
	int n_different = 0;

	for (e.direction = 0; e.direction < _FW_DIRECTION_MAX; e.direction++) {
		set_entries("");
		e.reason = FW_REASON_NO_MATCH;
		n_different += judge(firewall, "segments pass", &spec, &e);
		set_entries("manual 192.0.2.0/24");
		e.reason = FW_REASON_ADDRESS;
		n_different += judge(firewall, "segments dropped", &spec, &e);
	}
	assert_int_equal(n_different, 0);
}

/* Cut at each byte: never an address that is not there, never a pass where the address is. */
static int judge_cut(const struct frame_spec *whole, size_t n_header)
{
	struct frame_spec spec = *whole;
	struct expectation e;
	struct frame frame;
	char what[64];
	int n_different = 0;
	size_t n_whole;

	assert_int_equal(frame_build(whole, &frame), 0);
	n_whole = frame.length - frame.network;
	for (spec.n_ip = 1; spec.n_ip < n_whole; spec.n_ip++) {
		bool has_address = spec.n_ip >= n_header;
		bool has_flags = spec.n_ip >= n_whole - 20 + 14; /* of the TCP header, which comes last */
		bool has_headers = spec.n_ip >= n_whole - 20;
		bool has_ports = spec.n_ip >= n_whole - 20 + 4;

		e = (struct expectation){ .list = LIST_MANUAL };
		e.is = has_flags ? FRAME_IS_SYN : FRAME_IS_UNPARSED;
		snprintf(what, sizeof(what), "cut after %u bytes", spec.n_ip);

		set_entries("");
		e.reason = has_address ? FW_REASON_NO_MATCH : FW_REASON_UNPARSED;
		n_different += judge(firewall, what, &spec, &e);

		set_entries("manual 192.0.2.0/24,manual 2001:db8::/32");
		e.reason = has_address ? FW_REASON_ADDRESS : FW_REASON_UNPARSED;
		n_different += judge(firewall, what, &spec, &e);

		set_entries("manual tcp/1");
		e.reason = !has_address ? FW_REASON_UNPARSED : has_ports ? FW_REASON_NO_MATCH : FW_REASON_HIDDEN_PORT;
		n_different += judge(firewall, what, &spec, &e);

		set_entries("manual 192.0.2.0/24,manual 2001:db8::/32");
		if (has_headers || !has_address) { /* in between, a header may end where the cut is */
			firewall_set_strict(firewall, true);
			e.reason = has_address ? FW_REASON_ADDRESS : FW_REASON_MALFORMED;
			n_different += judge(firewall, what, &spec, &e);
			firewall_set_strict(firewall, false);
		}
	}
	return n_different;
}

static void test_cut(void **state)
{
	static const struct frame_spec specs[] = {
		{ V4, .protocol = IPPROTO_TCP, .tcp_flags = FRAME_SYN },
		{ V4, .protocol = IPPROTO_TCP, .tcp_flags = FRAME_SYN, .n_options = 40 },
		{ V4, .protocol = IPPROTO_TCP, .tcp_flags = FRAME_SYN, .tags = { 0x8100, 0x88a8 } },
		{ V6, .protocol = IPPROTO_TCP, .tcp_flags = FRAME_SYN },
		{ V6, .protocol = IPPROTO_TCP, .tcp_flags = FRAME_SYN, .headers = "hDrfa" },
		{ V6, .protocol = IPPROTO_TCP, .tcp_flags = FRAME_SYN, .headers = "d", .tags = { 0x8100 } },
	};
	int n_different = 0;

	for (size_t i = 0; i < ELEMENTSOF(specs); i++)
		n_different += judge_cut(&specs[i], specs[i].family == AF_INET6 ? 40 : 20);
	assert_int_equal(n_different, 0);
}

/* Cut before the IP header: inside a tag there is no ethertype yet, behind them all one that promises too much. */
static void test_cut_ethernet(void **state)
{
	static const struct frame_spec specs[] = {
		{ V4 }, { V4, .tags = { 0x8100 } }, { V4, .tags = { 0x88a8, 0x8100 } },
		{ V6 }, { V6, .tags = { 0x8100, 0x8100, 0x8100, 0x8100 } },
	};
	struct frame frame;
	int n_different = 0;
	char what[64];

	set_entries("manual 0.0.0.0/0,manual ::/0,manual udp/0-65535");
	for (size_t i = 0; i < ELEMENTSOF(specs); i++) {
		struct frame_spec spec = specs[i];

		assert_int_equal(frame_build(&spec, &frame), 0);
		for (spec.n_frame = ETHERNET_HEADER; spec.n_frame <= frame.network; spec.n_frame++) {
			bool is_ip = spec.n_frame == frame.network;
			struct expectation e = { .is = is_ip ? FRAME_IS_UNPARSED : 0 };

			snprintf(what, sizeof(what), "spec %zu cut after %u bytes", i, spec.n_frame);
			e.reason = is_ip ? FW_REASON_UNPARSED : FW_REASON_NOT_IP;
			n_different += judge(firewall, what, &spec, &e);
			firewall_set_strict(firewall, true);
			e.reason = is_ip ? FW_REASON_MALFORMED : FW_REASON_NOT_IP;
			n_different += judge(firewall, what, &spec, &e);
			firewall_set_strict(firewall, false);
		}
	}
	assert_int_equal(n_different, 0);
}

/* What a cgroup program says to a frame, in a test run in this network namespace or in another; a loopback packet to it. */
static int run_cgroup(enum fw_direction direction, const struct frame *f, bool is_elsewhere)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = f->bytes, .data_size_in = f->length, .repeat = 1);
	_cleanup_close_ int fd = firewall_open_program(direction == FW_INGRESS ? "fw_cgroup_in" : "fw_cgroup_out");
	int status;
	pid_t pid;

	if (!is_elsewhere)
		return fd < 0 || bpf_prog_test_run_opts(fd, &opts) < 0 ? -1 : (int)opts.retval;

	pid = fork();
	if (pid == 0)
		_exit(fd < 0 || unshare(CLONE_NEWNET) < 0 || bpf_prog_test_run_opts(fd, &opts) < 0 ? 2 : (int)opts.retval);
	return pid < 0 || waitpid(pid, &status, 0) < 0 || !WIFEXITED(status) ? -1 : WEXITSTATUS(status);
}

static void test_cgroup_scope(void **state)
{
	static const char address[] = "manual 192.0.2.0/24,manual 2001:db8::/32", port[] = "manual udp/5000";
	static const struct {
		const char *name;
		const char *entries;
		bool judges_loopback;
		unsigned left_ports; /* means nothing where the kernel tells namespaces apart */
		bool is_elsewhere;
		int told[_FW_DIRECTION_MAX];   /* what the program returns where it does, by direction */
		int untold[_FW_DIRECTION_MAX]; /* and where it does not */
	} scopes[] = {
		{ "loopback, an address",            address, false, 0,       false, { 1, 1 }, { 1, 1 } },
		{ "loopback, a port",                port,    false, 0,       false, { 1, 1 }, { 1, 1 } },
		{ "loopback elsewhere",              address, false, 0,       true,  { 1, 1 }, { 1, 1 } },
		{ "loopback that is judged",         address, true,  0,       false, { 0, 0 }, { 0, 0 } },
		{ "an address elsewhere",            address, true,  FW_BOTH, true,  { 0, 0 }, { 0, 0 } },
		{ "a port",                          port,    true,  0,       false, { 0, 0 }, { 0, 0 } },
		{ "a port elsewhere",                port,    true,  0,       true,  { 1, 1 }, { 0, 0 } },
		{ "a port left to others",           port,    true,  FW_BOTH, false, { 0, 0 }, { 1, 1 } },
		{ "an incoming port left to others", port,    true,  FW_IN,   true,  { 1, 1 }, { 1, 0 } },
		{ "an outgoing port left to others", port,    true,  FW_OUT,  true,  { 1, 1 }, { 0, 1 } },
	};
	static const struct frame_spec specs[] = { { V4, .protocol = IPPROTO_UDP }, { V6, .protocol = IPPROTO_UDP } };
	bool is_told = probe_netns_cookie();
	struct frame frame;

	printf("# network namespaces: %s\n", is_told ? "the kernel tells" : "not told");
	for (size_t i = 0; i < ELEMENTSOF(scopes); i++) {
		set_entries(scopes[i].entries);
		table_set_scope(firewall_table(firewall), scopes[i].judges_loopback, scopes[i].left_ports);
		for (size_t k = 0; k < ELEMENTSOF(specs); k++)
			for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++) {
				int want = is_told ? scopes[i].told[d] : scopes[i].untold[d], got;

				assert_int_equal(frame_build(&specs[k], &frame), 0);
				got = run_cgroup(d, &frame, scopes[i].is_elsewhere);
				if (got != want)
					fail_msg("%s, IPv%d, %s: %d, expected %d", scopes[i].name, k == 0 ? 4 : 6,
						 direction_to_string(d), got, want);
			}
	}
	table_set_scope(firewall_table(firewall), true, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_load_cost),
		cmocka_unit_test(test_catalogue),
		cmocka_unit_test(test_lengths4),
		cmocka_unit_test(test_lengths6),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_hidden_ports),
		cmocka_unit_test(test_final),
		cmocka_unit_test(test_segments),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_cut_ethernet),
		cmocka_unit_test(test_cgroup_scope),
	};

	return suite_run(tests, suite_set_up, suite_tear_down);
}
