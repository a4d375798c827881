// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Frames of the catalogue with bytes changed, put in, taken out and cut off, under random rules with entries, ports and
 * allow lists: each program's verdict against a slow parser and a linear scan. The seed is printed; MUTATED_SEED=N repeats a
 * run, MUTATED_FRAMES=N makes it longer or shorter.
 */

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "dissect.h"
#include "judge.h"
#include "suite.h"

#define N_FRAMES        200000
#define FRAMES_PER_RULES 500
#define N_RULES         12
#define LENGTH_MAX      600 /* longer ones of the catalogue are cut: their headers are at the front */

/* Each program that begins at Ethernet, and what it says. */
static struct program {
	const char *name;
	enum fw_direction direction;
	bool is_xdp, is_check;
	int drop, pass;
	int fd;
} programs[] = {
	{ "fw_xdp_in", FW_INGRESS, true,  false, 1, 2,  -1 },
	{ "fw_tc_in",  FW_INGRESS, false, false, 2, -1, -1 },
	{ "fw_tc_out", FW_EGRESS,  false, false, 2, -1, -1 },
	{ "fw_check",  FW_INGRESS, false, true,  0, 0,  -1 },
	{ "fw_check",  FW_EGRESS,  false, true,  0, 0,  -1 },
};

static uint64_t n_run[ELEMENTSOF(programs)], n_dropped[ELEMENTSOF(programs)];

static const char *const addresses[] = { FRAME_SRC4, FRAME_DST4, FRAME_SRC6, FRAME_DST6 };

static struct target random_target(void)
{
	struct target t = { .kind = random_below(2) ? TARGET_PREFIX : TARGET_PORT };
	bool is_masked;

	if (t.kind == TARGET_PORT) {
		t.port.protocol = random_below(_FW_PROTOCOL_MAX);
		t.port.first = random_below(2) ? FRAME_DPORT : random_below(65536);
		t.port.last = t.port.first + random_below(2) * random_below(65536 - t.port.first);
		return t;
	}
	const char *text = addresses[random_below(ELEMENTSOF(addresses))];
	struct prefix p;

	assert_int_equal(prefix_parse(text, strlen(text), &p, &is_masked), 0);
	t.prefix = prefix_from_bytes(p.family, p.bytes, 1 + random_below(p.length));
	return t;
}

static void clear_rules(struct rules *m, struct table_writer *w)
{
	while (m->n_rules > 0) {
		const struct rule *r = &m->rules[--m->n_rules];

		assert_int_equal(table_remove(w, &r->target, r->list), 0);
	}
	assert_int_equal(table_commit(w), 0);
}

/* Sometimes the lists also change sides, or are switched off. */
static void draw_rules(struct rules *m, struct table_writer *w)
{
	clear_rules(m, w);
	for (unsigned i = 0; i < RULES_LISTS; i++) {
		struct fw_list *list = &m->lists[i];

		*list = (struct fw_list){ .is_enabled = random_below(4) > 0 };
		snprintf(list->name, sizeof(list->name), "list%u", i);
		list->action = i == FW_LIST_ALLOW_ID || i == 4 ? FW_ACTION_ALLOW : FW_ACTION_BLOCK;
		if (list->action == FW_ACTION_BLOCK)
			list->mode = random_below(4) ? FW_MODE_ENFORCE : FW_MODE_AUDIT;
		assert_int_equal(table_set_list(w, i, list), 0);
	}
	for (unsigned n = random_below(N_RULES); n > 0; n--) {
		struct rule r = {
			.target = random_target(),
			.list = random_below(3) ? random_below(2) * 2 : random_below(RULES_LISTS),
			.directions = 1 + random_below(FW_BOTH),
		};
		bool is_there = false;

		for (size_t i = 0; i < m->n_rules; i++)
			is_there |= m->rules[i].list == r.list && target_compare(&m->rules[i].target, &r.target) == 0;
		if (is_there)
			continue;
		assert_int_equal(table_add(w, &r.target, r.list, r.directions, FW_UNTIL_NEVER, NULL), 0);
		m->rules[m->n_rules++] = r;
	}
	assert_int_equal(table_commit(w), 0);
}

/* One that means something to a parser more often than chance has it. */
static uint8_t random_byte(void)
{
	static const uint8_t known[] = { 0, 1, 2, 4, 7, 131, 5, 6, 8, 17, 20, 0x3a, 41, 43, 44, 50, 51, 59, 60, 135, 0x45, 0x4f,
					 0x60, 0x81, 0x86, 0x88, 0xa8, 0xdd, 0xff };

	return random_below(2) ? known[random_below(sizeof(known))] : random_below(256);
}

static void move_bytes(struct frame *f, size_t from, size_t to)
{
	memmove(f->bytes + to, f->bytes + from, f->length - from);
	f->length = f->length - from + to;
}

static void mutate(struct frame *f)
{
	size_t n_headers = f->length < 120 ? f->length : 120, at = 12 + random_below(n_headers - 12), n;

	switch (random_below(8)) {
	case 0: /* cut */
		f->length = 14 + random_below(f->length - 13);
		break;
	case 1: /* a gap */
		n = 4 + random_below(3) * 4;
		if (f->length + n > LENGTH_MAX)
			break;
		move_bytes(f, at, at + n);
		for (size_t i = 0; i < n; i++)
			f->bytes[at + i] = random_byte();
		break;
	case 2: /* some bytes less */
		n = 1 + random_below(8);
		if (at + n < f->length && f->length - n >= 14)
			move_bytes(f, at + n, at);
		break;
	default:
		f->bytes[at] = random_byte();
	}
}

static void draw_frame(struct frame *f)
{
	const struct frame_row *row;

	do
		row = &frame_catalogue[random_below(n_frame_catalogue)];
	while (frame_build(&row->spec, f) < 0 || f->length < 20);
	if (f->length > LENGTH_MAX)
		f->length = LENGTH_MAX;
	for (unsigned n = random_below(5); n > 0 && f->length > 20; n--)
		mutate(f);
}

/* The verdict, or -1: a test run makes no such packet. */
static int run(struct program *p, const struct frame *f)
{
	struct __sk_buff skb = {};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = f->bytes, .data_size_in = f->length, .repeat = 1);

	if (!p->is_xdp) {
		if (judge_is_no_skb(f))
			return -1;
		skb.cb[0] = p->is_check ? p->direction : 0;
		opts.ctx_in = &skb;
		opts.ctx_size_in = sizeof(skb);
	}
	assert_int_equal(bpf_prog_test_run_opts(p->fd, &opts), 0);
	if (p->is_check)
		return FW_ANSWER_VERDICT(opts.retval);
	if ((int)opts.retval == p->drop)
		return FW_DROP;
	assert_int_equal((int)opts.retval, p->pass);
	return FW_PASS;
}

static void print_frame(const struct frame *f)
{
	printf("# frame:");
	for (size_t i = 0; i < f->length; i++)
		printf("%s%02x", i % 4 ? "" : " ", f->bytes[i]);
	printf("\n");
}

static void print_rules(const struct rules *m)
{
	char text[TARGET_TEXT_MAX];

	for (size_t i = 0; i < m->n_rules; i++) {
		const struct rule *r = &m->rules[i];
		const struct fw_list *l = &m->lists[r->list];

		printf("# rule: %s directions %u in list %u: action %u mode %u enabled %u\n",
		       target_format(&r->target, text), r->directions, r->list, l->action, l->mode, l->is_enabled);
	}
}

static void compare(const struct rules *m, const struct frame *f)
{
	for (size_t i = 0; i < ELEMENTSOF(programs); i++) {
		struct program *p = &programs[i];
		unsigned n_tags = FW_VLAN_TAGS_MAX + (p->is_xdp ? 1 : 0); /* nobody has taken off the outermost one */
		struct question q = dissect(f->bytes, f->length, p->direction, n_tags);
		enum fw_verdict want = rules_ask(m, &q);
		int got = run(p, f);

		if (p->direction == FW_EGRESS && dissect_final(f->bytes, f->length, n_tags, &q) && rules_ask(m, &q) == FW_DROP)
			want = FW_DROP;

		if (got < 0)
			continue;
		n_run[i]++;
		n_dropped[i] += got == FW_DROP;
		if (got == (int)want)
			continue;
		print_frame(f);
		print_rules(m);
		fail_msg("%s, direction %u: the program says %s, the model %s (port %d)", p->name, p->direction,
			 got ? "drop" : "pass", want ? "drop" : "pass", q.port);
	}
}

static void test_mutated(void **state)
{
	_cleanup_free_ struct rules *m = calloc(1, sizeof(*m));
	struct table_writer *w = firewall_writer(firewall);
	const char *given = getenv("MUTATED_FRAMES");
	uint64_t n_frames = given ? strtoull(given, NULL, 10) : N_FRAMES;
	struct frame f;

	assert_non_null(m);
	(void) random_seed("MUTATED_SEED");
	for (size_t i = 0; i < ELEMENTSOF(programs); i++) {
		programs[i].fd = firewall_open_program(programs[i].name);
		assert_true(programs[i].fd >= 0);
	}
	for (uint64_t n = 0; n < n_frames; n++) {
		if (n % FRAMES_PER_RULES == 0)
			draw_rules(m, w);
		draw_frame(&f);
		compare(m, &f);
	}
	for (size_t i = 0; i < ELEMENTSOF(programs); i++) {
		const struct program *p = &programs[i];

		printf("# %s: %llu frames, %llu dropped\n", p->name, (unsigned long long)n_run[i],
		       (unsigned long long)n_dropped[i]);
		assert_true(n_dropped[i] > 0 && n_dropped[i] < n_run[i]); /* or nothing was compared */
		close(p->fd);
	}
	clear_rules(m, w);
}

int main(void)
{
	static const struct CMUnitTest tests[] = { cmocka_unit_test(test_mutated) };

	return suite_run(tests, suite_set_up, suite_tear_down);
}
