// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * A writer changes ports, addresses and lists, and stops before each of its stores. Packets that come there are judged as before
 * or as after, never go back, and what they find by the port index in use is what it says. The writer is killed at each
 * store as well: what is not as the entries say is noticed, and a repair makes it so. Needs root and x86-64.
 */

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/cleanup.h"
#include "kernel/pins.h"
#include "kernel/tick.h"
#include "stores.h"
#include "suite.h"

#define QUESTIONS_MAX 5
#define LATER_NS      3600000000000ull

/* Of a packet that comes in. */
struct question {
	const char *from;
	const char *port; /* as a target */
	enum fw_verdict before, after;
};

struct scene {
	const char *name;
	const char *entries; /* see firewall_set() */
	unsigned n_others;   /* port entries beside */
	int (*work)(struct table_writer *w);
	struct question questions[QUESTIONS_MAX];
};

static int add(struct table_writer *w, unsigned list, const char *text, uint32_t until)
{
	struct target target = suite_target(text);

	return table_add(w, &target, list, FW_IN, until, NULL);
}

static int take(struct table_writer *w, unsigned list, const char *text)
{
	struct target target = suite_target(text);

	return table_remove(w, &target, list);
}

/* What a writer may be at. Each ends with table_commit(). */

static int allow_another(struct table_writer *w)
{
	int r = take(w, LIST_MANUAL, "udp/7777");

	return r < 0 ? r : add(w, LIST_ALLOW, "udp/8888", FW_UNTIL_NEVER);
}

static int block_another(struct table_writer *w)
{
	int r = take(w, LIST_MANUAL, "udp/7777");

	return r < 0 ? r : add(w, LIST_MANUAL, "udp/8888", FW_UNTIL_NEVER);
}

static int block_and_take_net(struct table_writer *w)
{
	int r = add(w, LIST_MANUAL, "udp/7777", FW_UNTIL_NEVER);

	return r < 0 ? r : take(w, LIST_MANUAL, "203.0.113.0/24");
}

static int allow_and_block_net(struct table_writer *w)
{
	int r = add(w, LIST_ALLOW, "udp/7777", FW_UNTIL_NEVER);

	return r < 0 ? r : add(w, LIST_MANUAL, "192.0.2.0/24", FW_UNTIL_NEVER);
}

static int allow_first(struct table_writer *w)
{
	int r = add(w, LIST_ALLOW, "192.0.2.1", FW_UNTIL_NEVER);

	for (unsigned i = 0; i < 3 && r >= 0; i++) {
		static const char *const nets[] = { "192.0.2.0/24", "192.0.0.0/16", "192.0.2.0/31" };

		r = add(w, LIST_MANUAL, nets[i], FW_UNTIL_NEVER);
	}
	return r;
}

static int load_range(struct table_writer *w)
{
	struct target range = suite_target("tcp/1000-2000"), port = suite_target("tcp/1500");

	return table_load(w, LIST_MANUAL, FW_IN, &range, 1, &port, 1);
}

static int load_port(struct table_writer *w)
{
	struct target range = suite_target("tcp/1000-2000"), port = suite_target("tcp/1500");

	return table_load(w, LIST_MANUAL, FW_IN, &port, 1, &range, 1);
}

static int add_end(struct table_writer *w)
{
	return add(w, LIST_OTHER, "tcp/80", tick_after(LATER_NS));
}

static int change_end_and_add(struct table_writer *w)
{
	int r = add(w, LIST_OTHER, "tcp/80", tick_after(2 * LATER_NS));

	return r < 0 ? r : take(w, LIST_MANUAL, "tcp/80");
}

static int sweep(struct table_writer *w)
{
	return table_sweep(w, NULL, NULL);
}

static int unblock_last(struct table_writer *w)
{
	return take(w, LIST_MANUAL, "udp/7777");
}

static int block_first(struct table_writer *w)
{
	return add(w, LIST_MANUAL, "udp/7777", FW_UNTIL_NEVER);
}

static int disable_list(struct table_writer *w)
{
	struct table *t = table_of(w);
	struct fw_list l;
	int r = table_get_list(t, LIST_OTHER, &l);

	l.is_enabled = 0;
	return r < 0 ? r : table_set_list(w, LIST_OTHER, &l);
}

#define BLOCKED  "203.0.113.5"
#define UNLISTED "192.0.2.1"

static const struct scene scenes[] = {
	{ "unblock a port, allow another: a blocked address does not reach the first", "allow 198.51.100.9, manual 203.0.113.0/24, manual udp/7777",
	  0, allow_another,
	  { { BLOCKED, "udp/7777", FW_DROP, FW_DROP }, { UNLISTED, "udp/7777", FW_DROP, FW_PASS },
	    { BLOCKED, "udp/8888", FW_DROP, FW_PASS }, { UNLISTED, "udp/8888", FW_PASS, FW_PASS } } },
	{ "the same with all port entries in use", "allow 198.51.100.9, manual 203.0.113.0/24, manual udp/7777",
	  FW_PORT_ENTRIES_MAX - 1, allow_another,
	  { { BLOCKED, "udp/7777", FW_DROP, FW_DROP }, { UNLISTED, "udp/7777", FW_DROP, FW_PASS },
	    { BLOCKED, "udp/8888", FW_DROP, FW_PASS }, { UNLISTED, "udp/8888", FW_PASS, FW_PASS } } },
	{ "unblock a port, block another: the first stays reachable", "manual udp/7777", 0, block_another,
	  { { UNLISTED, "udp/7777", FW_DROP, FW_PASS }, { UNLISTED, "udp/8888", FW_PASS, FW_DROP } } },
	{ "block a port, unblock a network: neither before nor between", "manual 203.0.113.0/24", 0, block_and_take_net,
	  { { BLOCKED, "udp/7777", FW_DROP, FW_DROP }, { BLOCKED, "udp/7778", FW_DROP, FW_PASS } } },
	{ "allow a port, block a network: the port stays reachable", "", 0, allow_and_block_net,
	  { { UNLISTED, "udp/7777", FW_PASS, FW_PASS }, { UNLISTED, "udp/7778", FW_PASS, FW_DROP } } },
	{ "the first exception, then its network is blocked", "", 0, allow_first,
	  { { UNLISTED, "udp/9", FW_PASS, FW_PASS }, { "192.0.2.2", "udp/9", FW_PASS, FW_DROP } } },
	{ "load a range in the place of a port", "manual tcp/1500", 0, load_range,
	  { { UNLISTED, "tcp/1500", FW_DROP, FW_DROP }, { UNLISTED, "tcp/1501", FW_PASS, FW_DROP } } },
	{ "load a port in the place of a range", "manual tcp/1000-2000", 0, load_port,
	  { { UNLISTED, "tcp/1500", FW_DROP, FW_DROP }, { UNLISTED, "tcp/1501", FW_DROP, FW_PASS } } },
	{ "block in another list, with an end", "manual tcp/80", 0, add_end, { { UNLISTED, "tcp/80", FW_DROP, FW_DROP } } },
	{ "another end in one list, none in the other", "manual tcp/80, other tcp/80 later", 0, change_end_and_add,
	  { { UNLISTED, "tcp/80", FW_DROP, FW_DROP } } },
	{ "sweep an exception that has ended", "manual tcp/80, allow tcp/80 ended", 0, sweep,
	  { { UNLISTED, "tcp/80", FW_DROP, FW_DROP } } },
	{ "the last port goes", "manual udp/7777", 0, unblock_last, { { UNLISTED, "udp/7777", FW_DROP, FW_PASS } } },
	{ "the first port comes", "", 0, block_first, { { UNLISTED, "udp/7777", FW_PASS, FW_DROP } } },
	{ "disable a list", "other 203.0.113.0/24, other udp/7777", 0, disable_list,
	  { { BLOCKED, "udp/9", FW_DROP, FW_PASS }, { UNLISTED, "udp/7777", FW_DROP, FW_PASS } } },
};

/* What goes on in one scene. */
struct run {
	const struct scene *scene;
	struct table *t;
	struct table_writer *w; /* of t */
	int port_index_fd;
	struct fw_port *ports;       /* mapped */
	struct fw_port_index index;  /* as last read */
	bool is_after[QUESTIONS_MAX];
	unsigned kill_at;
	const char *wrong; /* what was found, and */
	unsigned wrong_at; /* where */
};

static enum fw_verdict ask(struct table *t, const struct question *q)
{
	struct target from = suite_target(q->from), port = suite_target(q->port);
	uint32_t answer;

	assert_int_equal(table_check(t, &from.prefix, FW_INGRESS, port.port.protocol, port.port.first, &answer), 0);
	return FW_ANSWER_VERDICT(answer);
}

static const char *look_at_verdicts(struct run *run)
{
	for (size_t i = 0; i < QUESTIONS_MAX && run->scene->questions[i].from; i++) {
		const struct question *q = &run->scene->questions[i];
		enum fw_verdict verdict = ask(run->t, q);

		if (verdict != q->before && verdict != q->after)
			return verdict == FW_PASS ? "a packet leaks" : "a packet is dropped that was to pass all the time";
		if (q->before == q->after)
			continue;
		if (run->is_after[i] && verdict == q->before)
			return "a packet is judged as before again";
		run->is_after[i] = verdict == q->after;
	}
	return NULL;
}

static void read_index(struct run *run)
{
	_cleanup_close_ int fd = -1;
	uint32_t first = 0, id;

	assert_int_equal(bpf_map_lookup_elem(run->port_index_fd, &first, &id), 0);
	fd = bpf_map_get_fd_by_id(id);
	assert_true(fd >= 0);
	assert_int_equal(bpf_map_lookup_elem(fd, &first, &run->index), 0);
}

/* A packet that has stopped between the index and an entry counts a hit there, and names it. */
static const char *look_at_owners(struct run *run)
{
	const struct fw_port_index *x = &run->index;

	read_index(run);
	for (unsigned s = 0; s < FW_PORT_SEGMENTS_MAX && x->start[s] != UINT32_MAX; s++)
		for (unsigned n = 0; n < x->n_covering[s]; n++) {
			const struct fw_port *p = &run->ports[x->covering[s][n]];

			if (p->protocol != x->start[s] >> 16 || p->first > (x->start[s] & 0xffff) ||
			    p->last < (x->start[s] & 0xffff))
				return "an index into the entries has another entry than the port index says";
		}
	return NULL;
}

static bool look(unsigned n, void *userdata)
{
	struct run *run = userdata;

	if (!run->wrong) {
		run->wrong = look_at_verdicts(run);
		if (!run->wrong)
			run->wrong = look_at_owners(run);
		run->wrong_at = n;
	}
	return n != run->kill_at;
}

static int work(void *userdata)
{
	struct run *run = userdata;
	int r = run->scene->work(run->w);

	*(volatile __u8 *)&run->ports[0].reserved = 0; /* a store, for a look at this state */
	return r < 0 ? r : table_commit(run->w);
}

/* The answer by what user space says of entries and lists. */
struct model {
	struct table *t;
	struct target from, port;
	uint64_t lists;
};

static int model_see(const struct table_entry *e, void *userdata)
{
	struct model *m = userdata;

	if (e->target.kind == TARGET_PORT ? e->target.port.protocol == m->port.port.protocol &&
						    e->target.port.first <= m->port.port.first &&
						    m->port.port.first <= e->target.port.last :
					    prefix_covers(&e->target.prefix, &m->from.prefix))
		m->lists |= e->lists[FW_INGRESS];
	return 0;
}

static enum fw_verdict model_ask(struct table *t, const struct question *q)
{
	struct model m = { .t = t, .from = suite_target(q->from), .port = suite_target(q->port) };
	enum fw_verdict verdict = FW_PASS;
	struct fw_list l;

	assert_int_equal(table_walk(t, model_see, &m), 0);
	for (unsigned i = 0; i < _LIST_MAX; i++) {
		assert_int_equal(table_get_list(t, i, &l), 0);
		if (!(m.lists >> i & 1) || !l.is_enabled || l.mode == FW_MODE_AUDIT)
			continue;
		if (l.action == FW_ACTION_ALLOW)
			return FW_PASS;
		verdict = FW_DROP;
	}
	return verdict;
}

static bool is_as_entries_say(struct run *run)
{
	for (size_t i = 0; i < QUESTIONS_MAX && run->scene->questions[i].from; i++)
		if (ask(run->t, &run->scene->questions[i]) != model_ask(run->t, &run->scene->questions[i]))
			return false;
	return true;
}

/* As many in a list that blocks as there may be, with the one of the scene. */
static unsigned list_of_other(unsigned i)
{
	return i < FW_PORT_BANS_MAX - 1 ? LIST_MANUAL : LIST_ALLOW;
}

static void set_up(struct run *run, const struct scene *scene, unsigned kill_at)
{
	struct fw_list other;

	assert_int_equal(table_get_list(run->t, LIST_OTHER, &other), 0);
	other.is_enabled = 1;
	assert_int_equal(table_set_list(run->w, LIST_OTHER, &other), 0);
	assert_int_equal(firewall_set(firewall, scene->entries), 0);
	for (unsigned i = 0; i < scene->n_others; i++) {
		char text[32];

		(void) snprintf(text, sizeof(text), "tcp/%u", 10000 + i);
		assert_int_equal(add(run->w, list_of_other(i), text, FW_UNTIL_NEVER), 0);
	}
	assert_int_equal(table_commit(run->w), 0);
	run->scene = scene;
	run->kill_at = kill_at;
	run->wrong = NULL;
	memset(run->is_after, 0, sizeof(run->is_after));
}

static void remove_others(struct run *run)
{
	for (unsigned i = 0; i < run->scene->n_others; i++) {
		char text[32];

		(void) snprintf(text, sizeof(text), "tcp/%u", 10000 + i);
		assert_int_equal(take(run->w, list_of_other(i), text), 0);
	}
	assert_int_equal(table_commit(run->w), 0);
}

static void set_up_run(struct run *run)
{
	*run = (struct run){ .t = firewall_table(firewall), .w = firewall_writer(firewall) };
	run->port_index_fd = pins_open(firewall_pin_dir(), "maps/port_index");
	assert_true(run->port_index_fd >= 0);
	assert_int_equal(pins_map_array(firewall_pin_dir(), "maps/port_entries", sizeof(struct fw_port), FW_PORT_ENTRIES_MAX,
					(void **)&run->ports), 0);
}

static void test_steps(void **state)
{
	static struct run run;

	set_up_run(&run);
	for (size_t i = 0; i < ELEMENTSOF(scenes); i++) {
		int n;

		set_up(&run, &scenes[i], UINT32_MAX);
		n = stores_go_through(work, look, &run);
		if (n == -ENOTSUP)
			skip();
		if (n < 0)
			fail_msg("%s: %s", scenes[i].name, strerror(-n));
		assert_true(n > 3);
		if (!run.wrong)
			run.wrong = look_at_verdicts(&run);
		for (size_t q = 0; q < QUESTIONS_MAX && scenes[i].questions[q].from && !run.wrong; q++)
			if (ask(run.t, &scenes[i].questions[q]) != scenes[i].questions[q].after)
				run.wrong = "the change has not come into force";
		if (run.wrong)
			fail_msg("%s: before store %u of %d: %s", scenes[i].name, run.wrong_at, n, run.wrong);
		printf("# %s: %d stores\n", scenes[i].name, n);
		remove_others(&run);
	}
}

static void test_deaths(void **state)
{
	static struct run run;

	set_up_run(&run);
	for (size_t i = 0; i < ELEMENTSOF(scenes); i++) {
		unsigned n_noticed = 0, kill_at = 0;
		int n;

		if (scenes[i].n_others)
			continue;
		do {
			set_up(&run, &scenes[i], kill_at);
			n = stores_go_through(work, look, &run);
			if (n == -ENOTSUP)
				skip();
			if (n < 0)
				fail_msg("%s: %s", scenes[i].name, strerror(-n));
			if (!run.wrong && !table_is_damaged(run.t) && !is_as_entries_say(&run))
				run.wrong = "packets are not judged as the entries say, and nobody can notice";
			n_noticed += table_is_damaged(run.t);
			if (!run.wrong && table_is_damaged(run.t))
				assert_int_equal(table_repair(run.w), 0);
			if (!run.wrong)
				run.wrong = look_at_verdicts(&run);
			if (!run.wrong && !is_as_entries_say(&run))
				run.wrong = "packets are not judged as the entries say, after a repair";
			if (run.wrong)
				fail_msg("%s: death at store %u: %s", scenes[i].name, kill_at, run.wrong);
		} while ((unsigned)n > kill_at++);
		printf("# %s: %u deaths, %u noticed\n", scenes[i].name, kill_at, n_noticed);
		assert_true(n_noticed > 0);
	}
}

static int turn_round(struct table_writer *w)
{
	struct target target = suite_target("udp/7777");

	return table_add(w, &target, LIST_MANUAL, FW_OUT, FW_UNTIL_NEVER, NULL);
}

/* An entry that changes its direction is in one of the two, wherever the writer dies. */
static void test_direction(void **state)
{
	static const struct scene scene = { "another direction", "manual udp/7777 in", 0, turn_round, {} };
	struct target target = suite_target("udp/7777");
	static struct run run;
	unsigned kill_at = 0;
	int n;

	set_up_run(&run);
	do {
		struct table_entry e;
		struct fw_list l;

		set_up(&run, &scene, kill_at);
		n = stores_go_through(work, look, &run);
		if (n == -ENOTSUP)
			skip();
		assert_true(n > 0);
		if (table_is_damaged(run.t))
			assert_int_equal(table_repair(run.w), 0);
		assert_int_equal(table_get(run.t, &target, &e), 0);
		assert_int_equal(table_get_list(run.t, LIST_MANUAL, &l), 0);
		if (!((e.lists[FW_INGRESS] | e.lists[FW_EGRESS]) >> LIST_MANUAL & 1) || l.n_entries != 1)
			fail_msg("death at store %u: in %llx, out %llx, %llu entries", kill_at,
				 (unsigned long long)e.lists[FW_INGRESS], (unsigned long long)e.lists[FW_EGRESS],
				 (unsigned long long)l.n_entries);
	} while ((unsigned)n > kill_at++);
}

/* A table that is kept open, and a change of it that fails: it must not undo what others do afterwards. */
static void test_abandoned(void **state)
{
	const struct question question = { UNLISTED, "tcp/22", FW_PASS, FW_DROP };
	struct table_writer *w = firewall_writer(firewall), *kept_writer;
	struct table *t = table_of(w), *kept;
	struct rlimit was, none;
	struct fw_list l;

	assert_int_equal(firewall_set(firewall, "manual udp/7777 ended, manual 203.0.113.0/24, manual tcp/23"), 0);
	assert_int_equal(table_open(firewall_pin_dir(), &kept), 0);
	assert_int_equal(table_begin(kept, FIREWALL_LOCK_FD, &kept_writer), 0);
	assert_int_equal(table_sweep(kept_writer, NULL, NULL), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	none = (struct rlimit){ .rlim_max = was.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_true(table_commit(kept_writer) < 0); /* no descriptor for the new index */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	kept_writer = table_end(kept_writer);
	assert_true(table_is_damaged(kept));

	firewall_end_writer(firewall);
	w = firewall_writer(firewall); /* repairs */
	assert_int_equal(add(w, LIST_MANUAL, "tcp/22", FW_UNTIL_NEVER), 0);
	assert_int_equal(table_commit(w), 0);
	assert_int_equal(ask(t, &question), FW_DROP);
	assert_int_equal(table_begin(kept, FIREWALL_LOCK_FD, &kept_writer), 0);
	assert_int_equal(table_sweep(kept_writer, NULL, NULL), 0);
	assert_int_equal(table_commit(kept_writer), 0);
	assert_int_equal(ask(t, &question), FW_DROP);
	assert_int_equal(table_get_list(t, LIST_MANUAL, &l), 0);
	assert_int_equal(l.n_entries, 3);
	table_free(kept);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_deaths),
		cmocka_unit_test(test_direction),
		cmocka_unit_test(test_abandoned),
	};

	return suite_run(tests, suite_set_up, suite_tear_down);
}
