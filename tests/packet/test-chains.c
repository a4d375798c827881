// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * chains.c: what comes, changes and goes in one table, and what its limits say. test-chains-random.c has what cannot be
 * listed, test-chains-steps.c what there is in the middle of a change. Needs root.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <bpf/bpf.h>

#include "base/cleanup.h"
#include "pool.h"
#include "state/table.h"
#include "suite.h"

static const int families[] = { AF_INET, AF_INET6 };

static const struct fw_entry some = { .lists = { 1, 2 }, .hits = 3, .until = 4, .last_hit = 5 };

static struct fw_slot *slot_of(struct chains *c, const struct prefix *p)
{
	struct fw_slot *slot;

	assert_int_equal(chains_find(c, p, &slot), 0);
	return slot;
}

static void assert_entry(struct chains *c, const struct prefix *p, const struct fw_entry *want)
{
	struct fw_slot *slot = slot_of(c, p);
	struct prefix is = chains_prefix(p->family, slot);

	assert_memory_equal(&slot->entry, want, sizeof(*want));
	assert_int_equal(prefix_compare(&is, p), 0);
	assert_true(slot->is_used);
}

static int count(struct fw_slot *slot, void *userdata)
{
	(*(unsigned *)userdata)++;
	return 0;
}

static unsigned count_each(struct chains *c)
{
	unsigned n = 0;

	assert_int_equal(chains_each(c, count, &n), 0);
	return n;
}

static int stop(struct fw_slot *slot, void *userdata)
{
	(*(unsigned *)userdata)++;
	return -ECANCELED;
}

/* How many slots there are at all. */
static uint32_t n_slots(const struct chains *c)
{
	struct bpf_map_info info = { 0 };
	uint32_t size = sizeof(info);

	assert_int_equal(bpf_obj_get_info_by_fd(chains_fd(c), &info, &size), 0);
	return info.max_entries - chains_table(c)->first_slot;
}

/* Both: what it was before, and after. Another entry each time, so that its slot is given up. */
static int replace(struct chains *c, const struct prefix *p)
{
	struct fw_entry entry = slot_of(c, p)->entry;

	entry.lists[FW_INGRESS]++;
	entry.until++;
	return chains_put(c, p, &entry);
}

static void test_life(void **state)
{
	for (size_t f = 0; f < ELEMENTSOF(families); f++) {
		struct bpf_map_info info = { 0 };
		uint32_t size = sizeof(info);
		struct chains *c, *other;
		struct fw_slot *slot;
		unsigned n = 0;
		struct pool p;
		int fd;

		assert_int_equal(pool_new(families[f], 100, &p), 0);
		assert_int_equal(chains_new(p.n, &c), 0);
		assert_int_equal(chains_table(c)->n_entries, p.n);
		assert_int_equal(bpf_obj_get_info_by_fd(chains_fd(c), &info, &size), 0);
		assert_int_equal((uint64_t)info.max_entries * info.value_size, chains_bytes(p.n));
		assert_int_equal(count_each(c), 0);

		fd = fcntl(chains_fd(c), F_DUPFD_CLOEXEC, 0);
		assert_true(fd >= 0);
		assert_int_equal(chains_open(fd, &other), 0);
		for (uint32_t i = 0; i < p.n; i++) {
			struct fw_entry entry = some;

			entry.lists[FW_EGRESS] = i;
			assert_int_equal(chains_find(c, &p.prefixes[i], &slot), -ENOENT);
			assert_int_equal(chains_remove(c, &p.prefixes[i]), -ENOENT);
			assert_int_equal(chains_put(c, &p.prefixes[i], &entry), 0);
			assert_entry(c, &p.prefixes[i], &entry);
			assert_entry(other, &p.prefixes[i], &entry);
			assert_int_equal(chains_table(c)->n_used, i + 1);
		}
		assert_int_equal(count_each(c), p.n);
		assert_int_equal(count_each(other), p.n);
		assert_int_equal(chains_each(c, stop, &n), -ECANCELED);
		assert_int_equal(n, 1);

		for (uint32_t i = 0; i < p.n; i++) {
			assert_int_equal(chains_remove(i % 2 ? c : other, &p.prefixes[i]), 0);
			assert_int_equal(chains_find(c, &p.prefixes[i], &slot), -ENOENT);
			assert_int_equal(chains_find(other, &p.prefixes[i], &slot), -ENOENT);
			assert_int_equal(chains_table(other)->n_used, p.n - i - 1);
		}
		assert_int_equal(count_each(other), 0);
		assert_null(chains_free(c));
		assert_null(chains_free(other));
		assert_int_equal(fcntl(fd, F_GETFD), -1);
		pool_done(&p);
	}
}

/* What a packet may stand on changes by one store at a time: in place, or by a slot that takes the place of the old one. */
static void test_change(void **state)
{
	struct fw_slot *slot, old, *next;
	struct fw_entry entry = some;
	struct chains *c;
	struct pool p;

	assert_int_equal(chains_new(100, &c), 0);
	assert_int_equal(pool_new_in_chain(AF_INET6, 3, c, &p), 0);
	for (uint32_t i = 0; i < p.n; i++)
		assert_int_equal(chains_put(c, &p.prefixes[i], &some), 0);

	/* in the middle of its chain, so that there is a way on */
	slot = slot_of(c, &p.prefixes[1]);
	slot->entry.hits += 7; /* packets since */
	slot->entry.last_hit = 8;
	entry.hits = 1000; /* no business of who changes lists */
	entry.last_hit = 2000;
	for (unsigned i = 0; i < _FW_DIRECTION_MAX; i++) {
		entry.lists[i] |= 64;
		assert_int_equal(chains_put(c, &p.prefixes[1], &entry), 0);
		assert_ptr_equal(slot_of(c, &p.prefixes[1]), slot);
		assert_int_equal(slot->entry.lists[i], some.lists[i] | 64);
	}
	entry.until = 99;
	assert_int_equal(chains_put(c, &p.prefixes[1], &entry), 0);
	assert_ptr_equal(slot_of(c, &p.prefixes[1]), slot);
	assert_int_equal(slot->entry.until, 99);
	assert_int_equal(slot->entry.hits, some.hits + 7);
	assert_int_equal(slot->entry.last_hit, 8);

	old = *slot;
	entry.lists[FW_EGRESS] = 128;
	entry.until = 100;
	assert_int_equal(chains_put(c, &p.prefixes[1], &entry), 0);
	next = slot_of(c, &p.prefixes[1]);
	assert_ptr_not_equal(next, slot);
	assert_int_equal(next->entry.lists[FW_EGRESS], 128);
	assert_int_equal(next->entry.until, 100);
	assert_int_equal(next->entry.hits, some.hits + 7);
	assert_int_equal(next->entry.last_hit, 8);
	assert_int_equal(next->next, old.next);

	/* and the old one is what it was, for who stands there */
	assert_false(slot->is_used);
	assert_int_equal(slot->next, old.next);
	assert_int_equal(slot->high, old.high);
	assert_int_equal(slot->low, old.low);
	assert_int_equal(slot->prefixlen, old.prefixlen);
	assert_memory_equal(&slot->entry, &old.entry, sizeof(old.entry));

	old = *next;
	assert_int_equal(chains_remove(c, &p.prefixes[1]), 0);
	assert_false(next->is_used);
	assert_int_equal(next->next, old.next);
	assert_memory_equal(&next->entry, &old.entry, sizeof(old.entry));
	assert_entry(c, &p.prefixes[0], &some);
	assert_entry(c, &p.prefixes[2], &some);
	assert_int_equal(chains_table(c)->n_used, 2);
	chains_free(c);
	pool_done(&p);
}

static void test_full(void **state)
{
	static const uint32_t rows[] = { 1, 2, 16, 1000, 16384 };

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		uint32_t n = rows[i];
		struct fw_entry entry = some;
		struct fw_slot *slot;
		struct chains *c;
		struct pool p;

		assert_int_equal(pool_new(AF_INET, n + 1, &p), 0);
		assert_int_equal(chains_new(n, &c), 0);
		for (uint32_t k = 0; k < n; k++)
			assert_int_equal(chains_put(c, &p.prefixes[k], &some), 0);
		assert_int_equal(chains_put(c, &p.prefixes[n], &some), -E2BIG);
		assert_int_equal(chains_find(c, &p.prefixes[n], &slot), -ENOENT);
		assert_int_equal(count_each(c), n);
		assert_int_equal(chains_table(c)->n_used, n);

		entry.until = 77;
		assert_int_equal(chains_put(c, &p.prefixes[0], &entry), 0);
		entry.until = 78;
		entry.lists[FW_INGRESS] = 79;
		assert_int_equal(chains_put(c, &p.prefixes[0], &entry), 0);
		assert_entry(c, &p.prefixes[0], &entry);
		assert_int_equal(chains_table(c)->n_used, n);

		assert_int_equal(chains_remove(c, &p.prefixes[n / 2]), 0);
		assert_int_equal(chains_put(c, &p.prefixes[n], &some), 0);
		assert_entry(c, &p.prefixes[n], &some);
		assert_int_equal(chains_put(c, &p.prefixes[n / 2], &some), -E2BIG);
		assert_int_equal(count_each(c), n);
		chains_free(c);
		pool_done(&p);
	}
}

static void test_long_chain(void **state)
{
	for (size_t f = 0; f < ELEMENTSOF(families); f++) {
		const struct prefix *more;
		struct fw_slot *slot;
		struct chains *c;
		struct pool p;

		assert_int_equal(chains_new(100, &c), 0);
		assert_int_equal(pool_new_in_chain(families[f], FW_CHAIN_MAX + 1, c, &p), 0);
		more = &p.prefixes[FW_CHAIN_MAX];
		for (unsigned i = 0; i < FW_CHAIN_MAX; i++)
			assert_int_equal(chains_put(c, &p.prefixes[i], &some), 0);
		assert_int_equal(chains_put(c, more, &some), -EXFULL);
		assert_int_equal(chains_find(c, more, &slot), -ENOENT);
		assert_int_equal(chains_remove(c, more), -ENOENT);
		assert_int_equal(count_each(c), FW_CHAIN_MAX);
		assert_int_equal(chains_table(c)->n_used, FW_CHAIN_MAX);

		/* one goes, wherever in the chain, and there is place for one */
		for (unsigned i = 0; i < FW_CHAIN_MAX; i++) {
			assert_int_equal(replace(c, &p.prefixes[i]), 0);
			assert_int_equal(chains_remove(c, &p.prefixes[i]), 0);
			assert_int_equal(chains_put(c, more, &some), 0);
			assert_int_equal(chains_put(c, &p.prefixes[i], &some), -EXFULL);
			assert_int_equal(count_each(c), FW_CHAIN_MAX);
			assert_int_equal(chains_remove(c, more), 0);
			assert_int_equal(chains_settle(c), 0); /* nobody looks */
			assert_int_equal(chains_put(c, &p.prefixes[i], &some), 0);
			for (unsigned k = 0; k < FW_CHAIN_MAX; k++)
				assert_entry(c, &p.prefixes[k], &some);
		}
		chains_free(c);
		pool_done(&p);
	}
}

/* Changes an entry until no slot is left for that; returns how often it went well. */
static unsigned use_up(struct chains *c, const struct prefix *p)
{
	unsigned n = 0;
	int r;

	while ((r = replace(c, p)) >= 0)
		n++;
	assert_int_equal(r, -EAGAIN);
	return n;
}

static int put(struct chains *c, const struct prefix *p)
{
	return chains_put(c, p, &some);
}

static void test_young_slots(void **state)
{
	struct fw_entry before;
	struct chains *c;
	uint32_t n_spare;
	struct pool p;

	assert_int_equal(pool_new(AF_INET, 6, &p), 0);
	assert_int_equal(chains_new(5, &c), 0);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(put(c, &p.prefixes[i]), 0);
	n_spare = n_slots(c) - 5;
	assert_true(n_spare > 0);

	assert_int_equal(use_up(c, &p.prefixes[0]), n_spare);
	before = slot_of(c, &p.prefixes[0])->entry;
	assert_int_equal(replace(c, &p.prefixes[0]), -EAGAIN);
	assert_entry(c, &p.prefixes[0], &before);
	assert_int_equal(count_each(c), 5);
	before.lists[FW_EGRESS] = 1234; /* in place */
	assert_int_equal(chains_put(c, &p.prefixes[0], &before), 0);

	/* the same for one that comes, until nobody looks any more */
	assert_int_equal(chains_remove(c, &p.prefixes[1]), 0);
	assert_int_equal(put(c, &p.prefixes[5]), -EAGAIN);
	assert_int_equal(chains_settle(c), 0);
	assert_int_equal(put(c, &p.prefixes[5]), 0);
	assert_int_equal(use_up(c, &p.prefixes[0]), n_spare);
	assert_int_equal(chains_settle(c), 0);
	assert_int_equal(use_up(c, &p.prefixes[0]), n_spare);
	assert_entry(c, &p.prefixes[5], &some);
	assert_int_equal(count_each(c), 5);
	chains_free(c);
	pool_done(&p);
}

#define SIZE sizeof(union fw_element)

/* Each but the first is a table but for one thing. */
static const struct {
	const char *what;
	enum bpf_map_type type;
	uint32_t value_size;
	uint32_t n;
	uint32_t flags;
	uint32_t n_heads;
	uint32_t first_slot;
	int r;
} rows[] = {
	{ "sound", BPF_MAP_TYPE_ARRAY, SIZE, 90, BPF_F_MMAPABLE, 16, 2, 0 },
	{ "sound, and larger", BPF_MAP_TYPE_ARRAY, SIZE, 200, BPF_F_MMAPABLE, 128, 9, 0 },
	{ "a hash", BPF_MAP_TYPE_HASH, SIZE, 90, 0, 16, 2, -EPROTO },
	{ "of halves", BPF_MAP_TYPE_ARRAY, SIZE / 2, 90, BPF_F_MMAPABLE, 16, 2, -EPROTO },
	{ "not to be mapped", BPF_MAP_TYPE_ARRAY, SIZE, 90, 0, 16, 2, -EPROTO },
	{ "never made", BPF_MAP_TYPE_ARRAY, SIZE, 90, BPF_F_MMAPABLE, 0, 0, -EPROTO },
	{ "no head", BPF_MAP_TYPE_ARRAY, SIZE, 90, BPF_F_MMAPABLE, 0, 1, -EPROTO },
	{ "half an element of heads", BPF_MAP_TYPE_ARRAY, SIZE, 90, BPF_F_MMAPABLE, 8, 1, -EPROTO },
	{ "no power of two", BPF_MAP_TYPE_ARRAY, SIZE, 90, BPF_F_MMAPABLE, 48, 4, -EPROTO },
	{ "slots too early", BPF_MAP_TYPE_ARRAY, SIZE, 90, BPF_F_MMAPABLE, 32, 2, -EPROTO },
	{ "slots too late", BPF_MAP_TYPE_ARRAY, SIZE, 90, BPF_F_MMAPABLE, 16, 3, -EPROTO },
	{ "cut short", BPF_MAP_TYPE_ARRAY, SIZE, 4, BPF_F_MMAPABLE, 64, 5, -EPROTO },
	{ "far too many heads", BPF_MAP_TYPE_ARRAY, SIZE, 90, BPF_F_MMAPABLE, 1u << 31, 1 + (1u << 27), -EPROTO },
};

static void test_open(void **state)
{
	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = rows[i].flags);
		uint32_t first_slot = rows[i].first_slot;
		union fw_element e = {
			.table = {
				.n_heads = rows[i].n_heads,
				.n_entries = 10,
				.first_slot = first_slot,
				.fresh = first_slot,
			},
		};
		struct chains *c = NULL;
		uint32_t first = 0;
		int fd, r;

		fd = bpf_map_create(rows[i].type, "test", sizeof(uint32_t), rows[i].value_size, rows[i].n, &opts);
		assert_true(fd >= 0);
		assert_int_equal(bpf_map_update_elem(fd, &first, &e, BPF_ANY), 0);
		r = chains_open(fd, &c);
		if (r != rows[i].r)
			fail_msg("%s: %d, not %d", rows[i].what, r, rows[i].r);
		if (r < 0) {
			assert_null(c);
			assert_int_equal(close(fd), 0); /* still ours */
		}
		chains_free(c);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_life),       cmocka_unit_test(test_change),      cmocka_unit_test(test_full),
		cmocka_unit_test(test_long_chain), cmocka_unit_test(test_young_slots), cmocka_unit_test(test_open),
	};

	pool_seed();
	return suite_run(tests, NULL, NULL);
}
