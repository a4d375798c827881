// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * insert.c: all elements arrive, whichever thread takes them, and where the map is full, what is said to be there is
 * there and nothing else is: a failed load is undone by that. Needs root.
 */

#include <errno.h>
#include <stdio.h>

#include <bpf/bpf.h>

#include "cleanup.h"
#include "insert.h"
#include "suite.h"

static const struct {
	uint32_t n;
	uint32_t n_room;
} rows[] = {
	{ 1, 1 },       { 2, 2 },         { 2, 1 },         { 4096, 4096 },
	{ 4097, 4097 }, { 65536, 65536 }, { 65535, 65535 }, { 65536, 65535 },
	{ 65536, 1 },   { 65536, 40000 }, { 20001, 10000 },
};

static bool is_there(int fd, uint32_t key)
{
	uint64_t value;

	return bpf_map_lookup_elem(fd, &key, &value) == 0 && value == key + UINT64_C(7);
}

static void test_rows(void **state)
{
	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_free_ uint32_t *keys = calloc(rows[i].n, sizeof(*keys));
		_cleanup_free_ uint64_t *values = calloc(rows[i].n, sizeof(*values));
		const struct elements elements = { keys, values, sizeof(*keys), sizeof(*values), rows[i].n };
		uint32_t done[INSERT_HALVES], half = rows[i].n / INSERT_HALVES, n_there = 0;
		_cleanup_close_ int fd = -1;
		int r;

		assert_true(keys && values);
		fd = bpf_map_create(BPF_MAP_TYPE_HASH, "test", sizeof(*keys), sizeof(*values), rows[i].n_room, NULL);
		assert_true(fd >= 0);
		for (uint32_t k = 0; k < rows[i].n; k++) {
			keys[k] = k * 3;
			values[k] = keys[k] + UINT64_C(7);
		}

		r = insert_all(fd, &elements, done);
		assert_int_equal(r, rows[i].n <= rows[i].n_room ? 0 : -E2BIG);
		for (uint32_t k = 0; k < rows[i].n; k++) {
			bool want = k < half ? k < done[0] : k - half < done[1];

			if (is_there(fd, keys[k]) != want)
				fail_msg("row %zu, element %u: expected it %s", i, k, want ? "there" : "absent");
			n_there += want;
		}
		assert_int_equal(n_there, rows[i].n < rows[i].n_room ? rows[i].n : rows[i].n_room);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
	};

	return suite_run(tests, NULL, NULL);
}
