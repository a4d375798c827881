// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * chains.c with somebody who looks while a writer changes: what is not touched is always found, and once in a walk; and
 * with somebody who counts hits as packets do: they stay. Each thread has opened the table for itself. Needs root.
 */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "kernel/tick.h"
#include "pool.h"
#include "state/table.h"
#include "suite.h"

#define N_POOL         1000 /* every other one is never touched */
#define N_USES         4    /* of each slot, on average, by the writer */
#define N_WALKS        50   /* that count */
#define N_REPLACEMENTS 100000
#define GIVE_UP_AFTER  (60u << (30 - FW_TICK_SHIFT)) /* ticks: about a minute */

struct look {
	struct chains *c;
	const struct pool *pool;
	unsigned n_seen[N_POOL];
	atomic_bool is_over;
	atomic_uint n_walks;
	_Atomic(const char *) wrong; /* what a walk or a search has found */
	uint32_t wrong_index; /* of which prefix */
};

static struct chains *open_again(const struct chains *c)
{
	struct chains *again;

	assert_int_equal(chains_open(fcntl(chains_fd(c), F_DUPFD_CLOEXEC, 0), &again), 0);
	return again;
}

/* What the writer puts in: says whose it is, and all that changes at once belongs together. */
static struct fw_entry entry_of(uint32_t index, uint32_t n)
{
	return (struct fw_entry){ .lists = { 1 + index, n }, .until = ~n };
}

static bool is_of(const struct fw_entry *e, uint32_t index)
{
	return e->lists[FW_INGRESS] == 1 + index && e->until == (uint32_t)~e->lists[FW_EGRESS];
}

static bool is_touched(uint32_t index)
{
	return index % 2;
}

static int see(const struct fw_slot *slot, void *userdata)
{
	struct look *l = userdata;
	struct prefix p = chains_prefix(l->pool->family, slot);
	int i = pool_index(l->pool, &p);

	if (i < 0 || !is_of(&slot->entry, i)) {
		l->wrong_index = i;
		return -EBADMSG;
	}
	l->n_seen[i]++;
	return 0;
}

static const char *look_once(struct look *l)
{
	memset(l->n_seen, 0, sizeof(l->n_seen));
	if (chains_read_each(l->c, see, l) < 0)
		return "a walk saw what never was";
	for (uint32_t i = 0; i < l->pool->n; i++) {
		struct fw_entry entry;
		int r = chains_read(l->c, &l->pool->prefixes[i], &entry);

		l->wrong_index = i;
		if (!is_touched(i) && l->n_seen[i] != 1)
			return l->n_seen[i] ? "a walk saw it again" : "a walk missed it";
		if (!is_touched(i) && r < 0)
			return "not found";
		if (r >= 0 && !is_of(&entry, i))
			return "found, and is another";
	}
	return NULL;
}

static void *look(void *userdata)
{
	struct look *l = userdata;

	while (!l->is_over && !l->wrong) {
		l->wrong = look_once(l);
		l->n_walks++;
	}
	return NULL;
}

/* Adds, replaces or removes one. No program looks, and of readers a writer knows nothing. */
static void touch(struct chains *c, const struct pool *p, uint32_t i, uint32_t n)
{
	struct fw_entry e = entry_of(i, n);
	int r;

	if (pool_random(3) == 0) {
		r = chains_remove(c, &p->prefixes[i]);
		assert_true(r == 0 || r == -ENOENT);
		return;
	}
	r = chains_put(c, &p->prefixes[i], &e);
	if (r == -EAGAIN) {
		assert_int_equal(chains_settle(c), 0);
		r = chains_put(c, &p->prefixes[i], &e);
	}
	assert_int_equal(r, 0);
}

static void test_readers(void **state)
{
	static struct look l;
	uint32_t begun = tick_now(), n = 0;
	struct chains *c;
	pthread_t thread;
	struct pool p;

	assert_int_equal(pool_new(AF_INET6, N_POOL, &p), 0);
	assert_int_equal(chains_new(N_POOL, &c), 0);
	for (uint32_t i = 0; i < N_POOL; i++) {
		struct fw_entry e = entry_of(i, 0);

		assert_int_equal(chains_put(c, &p.prefixes[i], &e), 0);
	}
	l.c = open_again(c);
	l.pool = &p;
	assert_int_equal(pthread_create(&thread, NULL, look, &l), 0);
	while ((n < N_USES * N_POOL || l.n_walks < N_WALKS) && !l.wrong && tick_now() - begun < GIVE_UP_AFTER) {
		touch(c, &p, pool_random(N_POOL / 2) * 2 + 1, ++n);
		if (n % 16 == 0)
			(void) sched_yield(); /* where there is but one CPU */
	}
	l.is_over = true;
	assert_int_equal(pthread_join(thread, NULL), 0);
	printf("# %u changes, %u walks\n", n, l.n_walks);
	if (l.wrong)
		fail_msg("prefix %u: %s", l.wrong_index, l.wrong);
	assert_true(n >= N_USES * N_POOL);
	assert_true(l.n_walks >= N_WALKS);
	chains_free(l.c);
	chains_free(c);
	pool_done(&p);
}

/* What happened to one slot. Each replacement takes a new slot; the entry's egress lists say which replacement it was. */
struct stay {
	struct fw_slot *slot;
	uint64_t n;         /* hits in it */
	uint64_t n_certain; /* of these, those after which the slot was still in its chain */
};

struct count {
	struct chains *c;
	const struct prefix *prefix;
	struct stay *stays; /* 0..N_REPLACEMENTS */
	atomic_bool is_over;
	atomic_bool has_begun;
	int r;
};

/* One packet that finds the slot and counts a hit, and the next one, which may find the same. The writer may act in between. */
static void *count_hits(void *userdata)
{
	struct count *h = userdata;

	while (!h->is_over) {
		struct fw_slot *slot, *after;
		struct stay *stay;

		h->r = chains_find(h->c, h->prefix, &slot);
		if (h->r < 0)
			break;
		stay = &h->stays[slot->entry.lists[FW_EGRESS]];
		__atomic_fetch_add(&slot->entry.hits, 1, __ATOMIC_SEQ_CST);
		__atomic_thread_fence(__ATOMIC_SEQ_CST); /* as a locked add is: the counterpart of the one in replace() */
		h->r = chains_find(h->c, h->prefix, &after);
		if (h->r < 0)
			break;
		stay->n++;
		stay->n_certain += slot == after;
		h->has_begun = true;
	}
	return NULL;
}

/* The hits that a slot got from the one before it. */
static uint64_t hits_given(const struct stay *s)
{
	return s->slot->entry.hits - s->n;
}

/*
 * Only the hit of a packet that the replacement overtakes may be lost, and none is counted twice. This is checked for each
 * slot: in the sum a late hit that was still moved would hide one that was lost.
 */
static void test_hits(void **state)
{
	static struct stay stays[N_REPLACEMENTS + 1];
	static struct count h = { .stays = stays };
	uint64_t n_late = 0, n_moved = 0;
	struct chains *c;
	pthread_t thread;
	struct pool p;

	assert_int_equal(chains_new(N_REPLACEMENTS, &c), 0); /* no slot is used again: there is none to wait for */
	assert_int_equal(pool_new_in_chain(AF_INET, 3, c, &p), 0);
	for (uint32_t i = 0; i < p.n; i++) {
		struct fw_entry e = entry_of(i, 0);

		assert_int_equal(chains_put(c, &p.prefixes[i], &e), 0);
	}
	assert_int_equal(chains_find(c, &p.prefixes[1], &stays[0].slot), 0);
	h.c = open_again(c);
	h.prefix = &p.prefixes[1];
	assert_int_equal(pthread_create(&thread, NULL, count_hits, &h), 0);
	while (!h.has_begun)
		(void) sched_yield();
	for (uint32_t n = 1; n <= N_REPLACEMENTS; n++) {
		struct fw_entry e = entry_of(1, n);

		assert_int_equal(chains_put(c, &p.prefixes[1], &e), 0);
		assert_int_equal(chains_find(c, &p.prefixes[1], &stays[n].slot), 0);
		if (n % 64 == 0)
			(void) sched_yield();
	}
	h.is_over = true;
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(h.r, 0);
	for (uint32_t n = 0; n < N_REPLACEMENTS; n++) {
		uint64_t n_moved_here = hits_given(&stays[n + 1]) - hits_given(&stays[n]);

		if (n_moved_here < stays[n].n_certain || n_moved_here > stays[n].n || stays[n].n > stays[n].n_certain + 1)
			fail_msg("replacement %u: %llu hits, %llu of them certain, and %llu were moved", n,
				 (unsigned long long)stays[n].n, (unsigned long long)stays[n].n_certain,
				 (unsigned long long)n_moved_here);
		n_late += stays[n].n - stays[n].n_certain;
		n_moved += n_moved_here - stays[n].n_certain;
	}
	printf("# %u replacements overtook %llu packets, of which %llu hits were moved\n", N_REPLACEMENTS,
	       (unsigned long long)n_late, (unsigned long long)n_moved);
	chains_free(h.c);
	chains_free(c);
	pool_done(&p);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_readers),
		cmocka_unit_test(test_hits),
	};

	pool_seed();
	return suite_run(tests, NULL, NULL);
}
