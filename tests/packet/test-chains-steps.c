// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * A writer in chains.c, step by step. It dies behind any of its stores: whoever looks then finds the entry that was changed
 * as it was or as it was to be, and all others; a repair leaves the same, counts it, and loses no slot. And packets come
 * at each step: all their hits stay. The writer is a child, which is traced. Needs root.
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <bpf/bpf.h>

#include "base/cleanup.h"
#include "pool.h"
#include "suite.h"

#define N_ENTRIES 12 /* there may be */
#define N_PRESENT 7  /* when the writer begins, all in one chain ... */
#define VICTIM    3  /* ... with this one in the middle */
#define NEWCOMER  N_PRESENT
#define N_STATES_MAX 500

struct scene {
	struct chains *c;
	union fw_element *elements; /* the same, all of it */
	uint32_t n_elements;
	struct pool pool;
	struct fw_entry entries[N_ENTRIES];
};

static struct fw_entry entry_of(uint32_t i)
{
	return (struct fw_entry){ .lists = { 1 + i, 2 + i }, .hits = 3 + i, .until = 4 + i, .last_hit = 5 + i };
}

static int replace(struct scene *s, uint32_t i)
{
	s->entries[i].lists[FW_EGRESS] += 100;
	s->entries[i].until += 100;
	return chains_put(s->c, &s->pool.prefixes[i], &s->entries[i]);
}

/* With slots that were given up long ago, others that were just now, and fresh ones. */
static void set_up(struct scene *s, int family, bool has_free)
{
	struct bpf_map_info info = { 0 };
	uint32_t size = sizeof(info);

	assert_int_equal(chains_new(N_ENTRIES, &s->c), 0);
	assert_int_equal(pool_new_in_chain(family, N_ENTRIES, s->c, &s->pool), 0);
	assert_int_equal(bpf_obj_get_info_by_fd(chains_fd(s->c), &info, &size), 0);
	s->n_elements = info.max_entries;
	s->elements = mmap(NULL, s->n_elements * sizeof(*s->elements), PROT_READ | PROT_WRITE, MAP_SHARED,
			   chains_fd(s->c), 0);
	assert_true(s->elements != MAP_FAILED);
	for (uint32_t i = 0; i < N_ENTRIES; i++) {
		s->entries[i] = entry_of(i);
		if (i < N_PRESENT)
			assert_int_equal(chains_put(s->c, &s->pool.prefixes[i], &s->entries[i]), 0);
	}
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(replace(s, i), 0);
	if (has_free)
		assert_int_equal(chains_settle(s->c), 0);
	assert_int_equal(replace(s, 0), 0);
}

static void tear_down(struct scene *s)
{
	(void) munmap(s->elements, s->n_elements * sizeof(*s->elements));
	chains_free(s->c);
	pool_done(&s->pool);
}

/* What a writer may be at. */

static int add(struct scene *s)
{
	return chains_put(s->c, &s->pool.prefixes[NEWCOMER], &s->entries[NEWCOMER]);
}

static int change(struct scene *s)
{
	s->entries[VICTIM].until += 100;
	return chains_put(s->c, &s->pool.prefixes[VICTIM], &s->entries[VICTIM]);
}

static int replace_victim(struct scene *s)
{
	return replace(s, VICTIM);
}

static int remove_victim(struct scene *s)
{
	return chains_remove(s->c, &s->pool.prefixes[VICTIM]);
}

static int remove_first(struct scene *s)
{
	return chains_remove(s->c, &s->pool.prefixes[N_PRESENT - 1]);
}

static int settle(struct scene *s)
{
	return chains_settle(s->c);
}

static int repair(struct scene *s)
{
	return chains_repair(s->c);
}

static const struct {
	const char *name;
	int (*work)(struct scene *s);
	uint32_t index; /* whom it is about */
	bool is_removal;
} works[] = {
	{ "add", add, NEWCOMER, false },
	{ "change", change, VICTIM, false },
	{ "replace", replace_victim, VICTIM, false },
	{ "remove", remove_victim, VICTIM, true },
	{ "remove the first", remove_first, N_PRESENT - 1, true },
	{ "settle", settle, NEWCOMER, false },
	{ "repair", repair, NEWCOMER, false },
};

/* Does it, and calls fn before each of its instructions. */
static void go_through(struct scene *s, int (*work)(struct scene *s), void (*fn)(struct scene *s))
{
	int status, r;
	pid_t pid;

	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void) ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		(void) kill(getpid(), SIGSTOP);
		r = work(s);
		(void) kill(getpid(), SIGSTOP); /* a step is a SIGTRAP */
		_exit(r < 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	do {
		fn(s);
		assert_int_equal(ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
	} while (WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP);
	assert_int_equal(ptrace(PTRACE_CONT, pid, NULL, NULL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* All that the table was in the course of something: what it is for those who come when the writer has died there. */
static union fw_element *states[N_STATES_MAX];
static unsigned n_states;

static void keep_state(struct scene *s)
{
	size_t size = s->n_elements * sizeof(*s->elements);

	if (n_states > 0 && memcmp(states[n_states - 1], s->elements, size) == 0)
		return;
	assert_true(n_states < N_STATES_MAX);
	states[n_states] = malloc(size);
	assert_non_null(states[n_states]);
	memcpy(states[n_states++], s->elements, size);
}

static int see(struct fw_slot *slot, void *userdata)
{
	struct scene *s = userdata;
	struct prefix p = chains_prefix(s->pool.family, slot);
	int i = pool_index(&s->pool, &p);

	if (i < 0)
		return -EBADMSG;
	s->entries[i].hits += 1000; /* once */
	return 0;
}

static bool is_entry(const struct fw_slot *slot, const struct fw_entry *want)
{
	return memcmp(&slot->entry, want, sizeof(*want)) == 0;
}

/* What all three ways to look say of a prefix: by its chain, by a walk, and by going through the slots. */
struct sight {
	struct fw_slot *found; /* NULL: nothing */
	unsigned n_walked;
	unsigned n_used;
};

static struct sight look_for(struct scene *s, uint32_t i)
{
	struct prefix_halves h = prefix_to_halves(&s->pool.prefixes[i]);
	const struct fw_table *t = &s->elements->table;
	uint64_t hits = s->entries[i].hits;
	struct sight sight = { 0 };

	if (chains_find(s->c, &s->pool.prefixes[i], &sight.found) < 0)
		sight.found = NULL;
	assert_int_equal(chains_each(s->c, see, s), 0);
	sight.n_walked = (s->entries[i].hits - hits) / 1000;
	for (uint32_t k = 0; k < N_ENTRIES; k++)
		s->entries[k].hits = 3 + k;
	for (uint32_t k = t->first_slot; k < s->n_elements; k++) {
		struct fw_slot *slot = &s->elements[k].slot;

		sight.n_used += slot->is_used && slot->high == h.high && slot->low == h.low &&
				slot->prefixlen == s->pool.prefixes[i].length;
	}
	return sight;
}

/* Those whom it was not about. */
static const char *look_at_others(struct scene *s, uint32_t index)
{
	for (uint32_t i = 0; i < N_ENTRIES; i++) {
		struct sight sight;

		if (i == index)
			continue;
		sight = look_for(s, i);
		if (!!sight.found != (i < N_PRESENT))
			return sight.found ? "found what was never there" : "another is not found";
		if (sight.found && !is_entry(sight.found, &s->entries[i]))
			return "another is changed";
		if (sight.n_walked != (i < N_PRESENT) || sight.n_used != (i < N_PRESENT))
			return "another is not there once";
	}
	return NULL;
}

/* Changes an entry until no slot is left for that; returns how often it went well. */
static unsigned use_up(struct scene *s, uint32_t i)
{
	unsigned n = 0;
	int r;

	while ((r = replace(s, i)) >= 0)
		n++;
	assert_int_equal(r, -EAGAIN);
	return n;
}

/* All slots that there are can be used. */
static const char *fill_up(struct scene *s)
{
	uint32_t n_slots = s->n_elements - s->elements->table.first_slot;

	assert_int_equal(chains_settle(s->c), 0);
	for (uint32_t i = 0; i < N_ENTRIES; i++)
		if (chains_put(s->c, &s->pool.prefixes[i], &s->entries[i]) < 0)
			return "there is no place for what there was";
	if (s->elements->table.n_used != N_ENTRIES)
		return "it does not know that it is full";
	return use_up(s, VICTIM) < n_slots - N_ENTRIES ? "slots are lost" : NULL;
}

static const char *look_and_repair(struct scene *s, size_t w)
{
	uint32_t index = works[w].index;
	struct fw_entry before = s->entries[index], after = before;
	const char *wrong = look_at_others(s, index);
	struct sight sight;
	unsigned is_there;

	if (wrong)
		return wrong;
	if (works[w].work == change || works[w].work == replace_victim)
		after.until += 100;
	if (works[w].work == replace_victim)
		after.lists[FW_EGRESS] += 100;
	sight = look_for(s, index);
	is_there = !!sight.found;
	if (is_there && !is_entry(sight.found, &before) && !is_entry(sight.found, &after))
		return "it is neither what it was nor what it was to be";
	if (!is_there && index < N_PRESENT && !works[w].is_removal)
		return "it is not found";
	if (sight.n_walked != is_there)
		return "a walk and a search differ";
	if (index < N_PRESENT && !works[w].is_removal && sight.n_used == 0)
		return "no slot says that it has it";
	if (!is_there && sight.n_used > 0)
		return "a slot says that it has what no chain has";
	if (is_there)
		s->entries[index] = sight.found->entry;

	if (chains_repair(s->c) < 0)
		return "it cannot be repaired";
	wrong = look_at_others(s, index);
	if (wrong)
		return wrong;
	sight = look_for(s, index);
	if (!!sight.found != is_there || sight.n_walked != is_there || sight.n_used != is_there)
		return "it is not there as before, once, after the repair";
	if (is_there && !is_entry(sight.found, &s->entries[index]))
		return "the repair has changed it";
	if (s->elements->table.n_used != N_PRESENT - (index < N_PRESENT) + is_there)
		return "the repair has counted wrong";
	return fill_up(s);
}

static unsigned die_of(size_t w, int family, bool has_free)
{
	struct scene s, before;

	set_up(&s, family, has_free);
	if (works[w].work == repair) { /* of something */
		s.elements->table.n_used += 3;
		s.elements->table.free_first = 0;
	}
	before = s;
	n_states = 0;
	go_through(&s, works[w].work, keep_state);
	for (unsigned i = 0; i < n_states; i++) {
		const char *wrong;

		s = before;
		memcpy(s.elements, states[i], s.n_elements * sizeof(*s.elements));
		wrong = look_and_repair(&s, w);
		if (wrong)
			fail_msg("%s, death %u of %u: %s", works[w].name, i, n_states, wrong);
		free(states[i]);
	}
	tear_down(&s);
	return n_states;
}

static void test_deaths(void **state)
{
	for (size_t w = 0; w < ELEMENTSOF(works); w++) {
		unsigned n_fresh = die_of(w, AF_INET, false), n_free = die_of(w, AF_INET6, true);

		printf("# %s: %u deaths with fresh slots, %u with free ones\n", works[w].name, n_fresh, n_free);
		assert_true(n_fresh > 1 && n_free > 1);
	}
}

static uint64_t n_hits;

static void hit(struct scene *s)
{
	struct fw_slot *slot;

	assert_int_equal(chains_find(s->c, &s->pool.prefixes[VICTIM], &slot), 0);
	slot->entry.hits++; /* the writer stands still */
	slot->entry.last_hit = ++n_hits;
}

static void test_hits(void **state)
{
	for (size_t w = 0; w < ELEMENTSOF(works); w++) {
		struct fw_entry before;
		struct fw_slot *slot;
		struct scene s;

		if (works[w].work == remove_victim)
			continue;
		set_up(&s, AF_INET6, true);
		before = s.entries[VICTIM];
		n_hits = 0;
		go_through(&s, works[w].work, hit);
		assert_true(n_hits > 20);
		assert_int_equal(chains_find(s.c, &s.pool.prefixes[VICTIM], &slot), 0);
		if (slot->entry.hits != before.hits + n_hits || slot->entry.last_hit != n_hits)
			fail_msg("%s: of %llu hits %llu have stayed, the last is %u", works[w].name, (unsigned long long)n_hits,
				 (unsigned long long)(slot->entry.hits - before.hits), slot->entry.last_hit);
		tear_down(&s);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_deaths),
		cmocka_unit_test(test_hits),
	};

	pool_seed();
	return suite_run(tests, NULL, NULL);
}
