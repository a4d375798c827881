// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * A reader without the lock that is made to wait, at any instruction, while a writer gives up the slots that it stands on
 * and uses them for another chain: what stays is found all the same, and once in a walk. The reader is a child, which is
 * traced; the writer knows that no program stands on a slot, and of readers nothing. Needs root.
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <bpf/bpf.h>

#include "base/cleanup.h"
#include "pool.h"
#include "suite.h"

#define N_PRESENT  4 /* in one chain, behind ... */
#define N_MOVERS   3 /* ... those that come and go: no part of the slots, so each gets all of them in turn */
#define N_MOVES    41 /* each time, an odd number: all slots are used again */
#define N_WALKS    20
#define BUSY_AFTER 2000 /* instructions at most: a chain can be read in peace at last, but not many of them */

struct scene {
	struct chains *c;
	struct pool chain; /* N_PRESENT, then N_MOVERS */
	struct pool others; /* in other chains */
	bool is_moved;
};

static const struct fw_entry some = { .lists = { 1, 1 } };

/* Which of those that stay, or -ENOENT. */
static int find_present(const struct scene *s, const struct fw_slot *slot)
{
	struct prefix p = chains_prefix(s->chain.family, slot);
	int i = pool_index(&s->chain, &p);

	return i >= 0 && i < N_PRESENT ? i : -ENOENT;
}

struct walk {
	const struct scene *scene;
	unsigned n_seen[N_PRESENT];
};

static int see(const struct fw_slot *slot, void *userdata)
{
	struct walk *w = userdata;
	int i = find_present(w->scene, slot);

	if (i >= 0)
		w->n_seen[i]++;
	return 0;
}

enum { IS_RIGHT, IS_MISSING, IS_TWICE, IS_NOT_FOUND, IS_BROKEN };

static int read_all(struct scene *s)
{
	for (unsigned n = 0; n < N_WALKS; n++) {
		struct walk w = { .scene = s };
		struct fw_entry entry;

		if (chains_read_each(s->c, see, &w) < 0)
			return IS_BROKEN;
		for (unsigned i = 0; i < N_PRESENT; i++) {
			if (w.n_seen[i] != 1)
				return w.n_seen[i] ? IS_TWICE : IS_MISSING;
			if (chains_read(s->c, &s->chain.prefixes[i], &entry) < 0)
				return IS_NOT_FOUND;
		}
	}
	return IS_RIGHT;
}

/* Takes the movers out of the chain and gives their slots to others, or the reverse. */
static void move(struct scene *s)
{
	struct prefix *movers = s->chain.prefixes + N_PRESENT, *others = s->others.prefixes + 1;

	for (unsigned i = 0; i < N_MOVERS; i++)
		assert_int_equal(chains_remove(s->c, s->is_moved ? &others[i] : &movers[i]), 0);
	assert_int_equal(chains_settle(s->c), 0);
	for (unsigned i = 0; i < N_MOVERS; i++)
		assert_int_equal(chains_put(s->c, s->is_moved ? &movers[i] : &others[i], &some), 0);
	s->is_moved = !s->is_moved;
}

static uint32_t n_slots(const struct chains *c)
{
	struct bpf_map_info info = {};
	uint32_t size = sizeof(info);

	assert_int_equal(bpf_obj_get_info_by_fd(chains_fd(c), &info, &size), 0);
	return info.max_entries - chains_table(c)->first_slot;
}

static unsigned go_through(struct scene *s)
{
	unsigned n_stops = 0, left = 1;
	int status;
	pid_t pid;

	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void) ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		(void) kill(getpid(), SIGSTOP);
		_exit(read_all(s));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	while (WIFSTOPPED(status)) {
		if (--left == 0) {
			for (unsigned i = 0; i < N_MOVES; i++)
				move(s);
			n_stops++;
			left = 1 + pool_random(BUSY_AFTER);
		}
		assert_int_equal(ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
	}
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), IS_RIGHT);
	return n_stops;
}

/* None that is in the chain, as the first and the last of every pool may be. */
static void draw_others(struct scene *s)
{
	bool is_drawn = false;

	while (!is_drawn) {
		pool_done(&s->others);
		assert_int_equal(pool_new(s->chain.family, 1 + N_MOVERS + 1, &s->others), 0);
		is_drawn = true;
		for (unsigned i = 1; i <= N_MOVERS; i++)
			is_drawn = is_drawn && pool_index(&s->chain, &s->others.prefixes[i]) < 0;
	}
}

static void test_stopped(void **state)
{
	static const int families[] = { AF_INET, AF_INET6 };

	for (size_t f = 0; f < ELEMENTSOF(families); f++) {
		struct scene s = { 0 };

		assert_int_equal(chains_new(N_PRESENT + N_MOVERS, &s.c), 0);
		assert_int_equal(pool_new_in_chain(families[f], N_PRESENT + N_MOVERS, s.c, &s.chain), 0);
		draw_others(&s);
		for (unsigned i = 0; i < N_PRESENT + N_MOVERS; i++) /* who comes last is the first of its chain */
			assert_int_equal(chains_put(s.c, &s.chain.prefixes[i], &some), 0);
		assert_true((n_slots(s.c) + N_MOVERS - 1) / N_MOVERS < N_MOVES);
		printf("# %u times stopped\n", go_through(&s));
		pool_done(&s.others);
		pool_done(&s.chain);
		chains_free(s.c);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stopped),
	};

	pool_seed();
	return suite_run(tests, NULL, NULL);
}
