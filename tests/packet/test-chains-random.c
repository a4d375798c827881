// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * chains.c against a model that is obviously right: an array that says for each prefix of a pool whether it is there. In
 * few slots and in many, in one chain, and through a second opener. The seed is printed; CHAINS_SEED=N repeats a run.
 * Needs root.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>

#include "base/cleanup.h"
#include "pool.h"
#include "suite.h"

#define N_CHECKS 16 /* of everything, in each row; between two the table fills, or empties */

static const struct {
	int family;
	uint32_t n_pool;
	uint32_t n_entries;
	uint32_t n_changes;
	bool in_one_chain;
} rows[] = {
	{ AF_INET, 60, 40, 40000, false },
	{ AF_INET6, 60, 40, 40000, false },
	{ AF_INET, 40, 100, 20000, true },
	{ AF_INET6, 40, 100, 20000, true },
	{ AF_INET, 90000, 60000, 60000, false }, /* windows of chains.c are of 1 MiB */
	{ AF_INET6, 90000, 60000, 60000, false },
};

struct model {
	size_t row;
	struct pool pool;
	struct fw_entry *entries;
	bool *is_there;
	bool *is_seen;
	struct chains *c;
	struct chains *other; /* the same table */
	uint32_t n_there;
	uint32_t n_there_max;
	int r_full;
	uint32_t n_slots;
	uint32_t n_given_up; /* since the last chains_settle() */
};

static void set_up_model(struct model *m, size_t row)
{
	struct bpf_map_info info = { 0 };
	uint32_t size = sizeof(info);

	*m = (struct model){ .row = row };
	assert_int_equal(chains_new(rows[row].n_entries, &m->c), 0);
	if (rows[row].in_one_chain)
		assert_int_equal(pool_new_in_chain(rows[row].family, rows[row].n_pool, m->c, &m->pool), 0);
	else
		assert_int_equal(pool_new(rows[row].family, rows[row].n_pool, &m->pool), 0);
	m->n_there_max = rows[row].in_one_chain ? FW_CHAIN_MAX : rows[row].n_entries;
	m->r_full = rows[row].in_one_chain ? -EXFULL : -E2BIG;
	m->entries = calloc(m->pool.n, sizeof(*m->entries));
	m->is_there = calloc(m->pool.n, sizeof(*m->is_there));
	m->is_seen = calloc(m->pool.n, sizeof(*m->is_seen));
	assert_true(m->entries && m->is_there && m->is_seen);
	assert_int_equal(bpf_obj_get_info_by_fd(chains_fd(m->c), &info, &size), 0);
	m->n_slots = info.max_entries - chains_table(m->c)->first_slot;
	assert_int_equal(chains_open(fcntl(chains_fd(m->c), F_DUPFD_CLOEXEC, 0), &m->other), 0);
}

static void tear_down_model(struct model *m)
{
	chains_free(m->c);
	chains_free(m->other);
	pool_done(&m->pool);
	free(m->entries);
	free(m->is_there);
	free(m->is_seen);
}

static bool is_right(const struct model *m, uint32_t i, const struct fw_slot *slot)
{
	return m->is_there[i] && slot->is_used && memcmp(&slot->entry, &m->entries[i], sizeof(slot->entry)) == 0;
}

static int see(struct fw_slot *slot, void *userdata)
{
	struct model *m = userdata;
	struct prefix p = chains_prefix(m->pool.family, slot);
	int i = pool_index(&m->pool, &p);

	if (i < 0 || !is_right(m, i, slot))
		return -EBADMSG;
	if (m->is_seen[i])
		return -EEXIST;
	m->is_seen[i] = true;
	return 0;
}

static void check_all(struct model *m)
{
	struct chains *openers[] = { m->c, m->other };

	assert_int_equal(chains_table(m->other)->n_used, m->n_there);
	for (size_t o = 0; o < ELEMENTSOF(openers); o++) {
		memset(m->is_seen, 0, m->pool.n * sizeof(*m->is_seen));
		assert_int_equal(chains_each(openers[o], see, m), 0);
		for (uint32_t i = 0; i < m->pool.n; i++) {
			struct fw_slot *slot;
			int r = chains_find(openers[o], &m->pool.prefixes[i], &slot);

			if (m->is_seen[i] != m->is_there[i] || r != (m->is_there[i] ? 0 : -ENOENT) ||
			    (r == 0 && !is_right(m, i, slot)))
				fail_msg("row %zu: prefix %u is wrong", m->row, i);
		}
	}
}

/* As often as must be: nobody looks, so all slots may be used at once; but it asks for that only where there is need. */
static int put(struct model *m, uint32_t i, const struct fw_entry *e)
{
	int r = chains_put(m->c, &m->pool.prefixes[i], e);

	if (r != -EAGAIN)
		return r;
	if (m->n_there + m->n_given_up < m->n_slots)
		fail_msg("row %zu: %u there, %u given up, and no slot of %u is left", m->row, m->n_there, m->n_given_up,
			 m->n_slots);
	assert_int_equal(chains_settle(m->c), 0);
	m->n_given_up = 0;
	return chains_put(m->c, &m->pool.prefixes[i], e);
}

static void put_one(struct model *m, uint32_t i)
{
	struct fw_entry e = m->entries[i];
	struct fw_slot *before = NULL, *after;
	int r;

	if (pool_random(2))
		e.until = pool_random(5);
	if (pool_random(2))
		e.lists[pool_random(_FW_DIRECTION_MAX)] = 1 + pool_random(5);
	if (!m->is_there[i])
		e.hits = pool_random(100);
	(void) chains_find(m->c, &m->pool.prefixes[i], &before);
	r = put(m, i, &e);
	if (!m->is_there[i] && m->n_there == m->n_there_max) {
		assert_int_equal(r, m->r_full);
		return;
	}
	if (r < 0)
		fail_msg("row %zu: cannot put prefix %u: %d", m->row, i, r);
	assert_int_equal(chains_find(m->c, &m->pool.prefixes[i], &after), 0);
	m->n_given_up += before && before != after;
	m->n_there += !m->is_there[i];
	m->is_there[i] = true;
	m->entries[i] = e;
}

static void remove_one(struct model *m, uint32_t i)
{
	assert_int_equal(chains_remove(m->c, &m->pool.prefixes[i]), m->is_there[i] ? 0 : -ENOENT);
	m->n_given_up += m->is_there[i];
	m->n_there -= m->is_there[i];
	m->is_there[i] = false;
	m->entries[i] = (struct fw_entry){ 0 };
}

/* As a packet does it. */
static void hit_one(struct model *m, uint32_t i)
{
	struct fw_slot *slot;

	if (chains_find(m->other, &m->pool.prefixes[i], &slot) < 0)
		return;
	m->entries[i].hits++;
	slot->entry.hits++;
	m->entries[i].last_hit = slot->entry.last_hit = pool_random(1000);
}

static void run_row(size_t row)
{
	struct model m;

	set_up_model(&m, row);
	for (uint32_t i = 0; i < m.pool.n; i++)
		put_one(&m, i);
	assert_int_equal(m.n_there, m.n_there_max);
	check_all(&m);
	for (unsigned check = 0; check < N_CHECKS; check++) {
		uint32_t put_percent = check % 2 ? 65 : 20;

		for (uint32_t n = 0; n < rows[row].n_changes / N_CHECKS; n++) {
			uint32_t i = pool_random(m.pool.n), percent = pool_random(100);

			if (percent < put_percent)
				put_one(&m, i);
			else if (percent < 85)
				remove_one(&m, i);
			else
				hit_one(&m, i);
		}
		check_all(&m);
	}
	for (uint32_t i = 0; i < m.pool.n; i++)
		remove_one(&m, i);
	check_all(&m);
	tear_down_model(&m);
}

static void test_rows(void **state)
{
	for (size_t i = 0; i < ELEMENTSOF(rows); i++)
		run_row(i);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
	};

	pool_seed();
	return suite_run(tests, NULL, NULL);
}
