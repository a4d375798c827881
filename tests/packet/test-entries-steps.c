// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * A writer changes entries of addresses, and stops before each of its stores. Packets that come then find each entry that
 * is in the table, and an exception that has ended lets none of them pass. Hits that they count while a table is exchanged
 * for a larger one are there afterwards. Needs root and x86-64.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>

#include "base/cleanup.h"
#include "frame.h"
#include "kernel/tick.h"
#include "stores.h"
#include "suite.h"

#define SOURCE    "198.51.100.7"
#define N_GROWING 40 /* entries that are there before the table grows */

struct scene {
	const char *name;
	const char *entries; /* see firewall_set() */
	int (*work)(struct table_writer *w);
	const char *stays_blocked; /* a source that is blocked all the time */
};

static int add(struct table_writer *w, unsigned list, const char *text, uint32_t until)
{
	struct target target = suite_target(text);

	return table_add(w, &target, list, FW_BOTH, until, NULL);
}

/* What a writer may be at. Each ends with table_commit(). */

static int block_of_all_lengths(struct table_writer *w)
{
	static const char *const texts[] = {
		"198.51.100.1", "198.51.100.0/24", "203.0.112.0/20", "10.0.0.0/8", "100.64.0.0/10",
		"2001:db8:1::1", "2001:db8:2::/48", "2001:db8::/32", "2a00::/20", "2001:db8:3:4::/64",
	};
	int r = 0;

	for (size_t i = 0; i < ELEMENTSOF(texts) && r >= 0; i++)
		r = add(w, LIST_MANUAL, texts[i], FW_UNTIL_NEVER);
	return r;
}

static int except_until_now(struct table_writer *w)
{
	return add(w, LIST_ALLOW, "192.0.2.10", tick_now() - 1);
}

static int forget_exception(struct table_writer *w)
{
	return table_sweep(w, NULL, NULL);
}

static int block_for_longer(struct table_writer *w)
{
	return add(w, LIST_ALLOW, "192.0.2.10", FW_UNTIL_NEVER);
}

static const struct scene scenes[] = {
	{ "addresses and networks are blocked, short prefixes and long ones", "manual 192.0.2.10,manual 2001:db8:ffff::1",
	  block_of_all_lengths, "192.0.2.10" },
	{ "an exception comes that has ended", "other 192.0.2.10", except_until_now, "192.0.2.10" },
	{ "an exception goes that has ended", "other 192.0.2.10,allow 192.0.2.10 ended", forget_exception, "192.0.2.10" },
	{ "an exception gets another end", "other 192.0.2.10,allow 192.0.2.10 ended", block_for_longer, NULL },
};

struct run {
	const struct scene *scene;
	struct table *t;
	struct table_writer *w; /* of t */
	const char *wrong;      /* what was found, and */
	unsigned wrong_at;      /* where */
};

static enum fw_verdict ask(struct table *t, const struct prefix *p)
{
	struct prefix address = prefix_from_bytes(p->family, p->bytes, prefix_full_length(p->family));
	uint32_t answer;

	assert_int_equal(table_check(t, &address, FW_INGRESS, FW_UDP, 9, &answer), 0);
	return FW_ANSWER_VERDICT(answer);
}

/* For an entry that blocks and is not allowed by another. */
static int is_found(const struct table_entry *e, void *userdata)
{
	struct run *run = userdata;

	if (e->lists[FW_INGRESS] & 1ull << LIST_ALLOW || ask(run->t, &e->target.prefix) == FW_DROP)
		return 0;
	run->wrong = "an entry is in the table, and packets do not find it";
	return 0;
}

static bool look(unsigned n, void *userdata)
{
	struct run *run = userdata;
	struct target stays;

	if (run->wrong)
		return true;
	assert_int_equal(table_walk(run->t, is_found, run), 0);
	if (run->scene->stays_blocked) {
		stays = suite_target(run->scene->stays_blocked);
		if (ask(run->t, &stays.prefix) != FW_DROP)
			run->wrong = "a packet leaks";
	}
	run->wrong_at = n;
	return true;
}

static int work(void *userdata)
{
	struct run *run = userdata;
	int r = run->scene->work(run->w);

	return r < 0 ? r : table_commit(run->w);
}

static void test_entries_are_found_at_each_store(void **state)
{
	struct run run = { .t = firewall_table(firewall), .w = firewall_writer(firewall) };

	for (size_t i = 0; i < ELEMENTSOF(scenes); i++) {
		int n;

		assert_int_equal(firewall_set(firewall, scenes[i].entries), 0);
		run.scene = &scenes[i];
		run.wrong = NULL;
		n = stores_go_through(work, look, &run);
		if (n == -ENOTSUP)
			skip();
		if (n < 0)
			fail_msg("%s: %s", scenes[i].name, strerror(-n));
		assert_true(n > 3);
		if (run.wrong)
			fail_msg("%s: before store %u of %d: %s", scenes[i].name, run.wrong_at, n, run.wrong);
		printf("# %s: %d stores\n", scenes[i].name, n);
	}
}

/* One packet of this source at tc: a hit of its entry. */
static int send_from(const char *source)
{
	struct frame_spec spec = { .family = AF_INET, .src = source };
	struct frame frame;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame.bytes, .repeat = 1);
	_cleanup_close_ int fd = -1;

	fd = firewall_open_program("fw_tc_in");
	if (fd < 0 || frame_build(&spec, &frame) < 0)
		return -EINVAL;
	opts.data_size_in = frame.length;
	return bpf_prog_test_run_opts(fd, &opts);
}

struct growth {
	struct table_writer *w;
	uint64_t n_sent;
};

static bool send_one(unsigned n, void *userdata)
{
	struct growth *g = userdata;

	assert_int_equal(send_from(SOURCE), 0);
	g->n_sent++;
	return true;
}

static int grow(void *userdata)
{
	struct growth *g = userdata;
	int r = table_reserve(g->w, FW_KIND_IPV4, 5000);

	return r < 0 ? r : table_commit(g->w);
}

/* Each hit is in the old table or in the new one when it is counted, and in the new one at the end. */
static void test_hits_stay_while_a_table_grows(void **state)
{
	struct growth g = { .w = firewall_writer(firewall) };
	struct target target = suite_target(SOURCE);
	struct table_entry e;
	int n;

	assert_int_equal(firewall_set(firewall, "manual " SOURCE), 0);
	for (unsigned i = 0; i < N_GROWING; i++) {
		char text[32];

		(void) snprintf(text, sizeof(text), "203.0.113.%u", i);
		assert_int_equal(add(g.w, LIST_MANUAL, text, FW_UNTIL_NEVER), 0);
	}
	assert_int_equal(table_commit(g.w), 0);
	n = stores_go_through(grow, send_one, &g);
	if (n == -ENOTSUP)
		skip();
	assert_true(n > (int)N_GROWING);
	send_one(0, &g);
	assert_int_equal(table_get(firewall_table(firewall), &target, &e), 0);
	assert_int_equal(e.hits, g.n_sent);
	assert_int_equal(firewall_set(firewall, ""), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entries_are_found_at_each_store),
		cmocka_unit_test(test_hits_stay_while_a_table_grows),
	};

	return suite_run(tests, suite_set_up, suite_tear_down);
}
