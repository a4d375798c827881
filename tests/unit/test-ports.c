// SPDX-License-Identifier: GPL-2.0-or-later

/* ports.c: the index answers, for every port, what going through all entries would. */

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "state/ports.h"
#include "unit.h"

static struct fw_port entries[FW_PORT_ENTRIES_MAX];
static struct fw_port_index index_built;

static int setup(void **state)
{
	memset(entries, 0, sizeof(entries));
	memset(&index_built, 0xa5, sizeof(index_built));
	return 0;
}

static void set(unsigned i, enum fw_protocol protocol, unsigned first, unsigned last, unsigned directions)
{
	entries[i] = (struct fw_port){
		.first = (__u16)first,
		.last = (__u16)last,
		.protocol = (__u8)protocol,
		.is_used = 1,
		.entry.lists[FW_INGRESS] = (directions & FW_IN) != 0,
		.entry.lists[FW_EGRESS] = (directions & FW_OUT) != 0,
	};
}

static bool covers(unsigned i, unsigned protocol, unsigned port)
{
	return entries[i].is_used && entries[i].protocol == protocol && entries[i].first <= port &&
	       port <= entries[i].last;
}

static unsigned width(unsigned i)
{
	return (unsigned)entries[i].last - entries[i].first;
}

/* The segment a program would find: the last that starts at or before the port. */
static unsigned find_segment(unsigned protocol, unsigned port)
{
	unsigned s = 0;

	while (s + 1 < FW_PORT_SEGMENTS_MAX && index_built.start[s + 1] <= (protocol << 16 | port))
		s++;
	return s;
}

static void check_port(unsigned protocol, unsigned port)
{
	unsigned s = find_segment(protocol, port), n = 0, previous_width = 0;
	bool any[_FW_DIRECTION_MAX] = {};

	for (unsigned i = 0; i < FW_PORT_ENTRIES_MAX; i++) {
		if (!covers(i, protocol, port))
			continue;
		n++;
		for (unsigned d = 0; d < _FW_DIRECTION_MAX; d++)
			any[d] |= entries[i].entry.lists[d] != 0;
	}

	CHECK(index_built.n_covering[s] == n, "%u/%u: %u entries, not %u", protocol, port,
	      index_built.n_covering[s], n);
	for (unsigned k = 0; k < n; k++) {
		unsigned i = index_built.covering[s][k];

		CHECK(covers(i, protocol, port), "%u/%u: entry %u", protocol, port, i);
		CHECK(width(i) >= previous_width, "%u/%u: entry %u comes too late", protocol, port, i);
		previous_width = width(i);
	}
	for (unsigned d = 0; d < _FW_DIRECTION_MAX; d++) {
		bool bit = index_built.any[protocol][d][port / 64] >> (port % 64) & 1;

		CHECK(bit == any[d], "%u/%u, direction %u: %d", protocol, port, d, bit);
	}
}

/* Every port at which something may change, and its neighbours. */
static void check_edges(void)
{
	for (unsigned p = 0; p < _FW_PROTOCOL_MAX; p++) {
		check_port(p, 0);
		check_port(p, 65535);
		for (unsigned i = 0; i < FW_PORT_ENTRIES_MAX; i++)
			for (int d = -1; d <= 1; d++) {
				if (!entries[i].is_used)
					continue;
				check_port(p, (__u16)(entries[i].first + d));
				check_port(p, (__u16)(entries[i].last + d));
			}
	}
}

static void build_and_check(void)
{
	assert_int_equal(ports_build_index(entries, &index_built), 0);
	assert_int_equal(index_built.start[0], 0);
	for (unsigned s = 1; s < FW_PORT_SEGMENTS_MAX; s++)
		CHECK(index_built.start[s] > index_built.start[s - 1] || index_built.start[s] == UINT32_MAX,
		      "segment %u starts at %u", s, index_built.start[s]);
	check_edges();
}

static void test_none(void **state)
{
	build_and_check();
	assert_int_equal(index_built.start[1], UINT32_MAX);
}

static void test_rows(void **state)
{
	static const struct {
		enum fw_protocol protocol;
		unsigned first, last, directions;
	} rows[] = {
		{ FW_TCP, 80,    80,    FW_IN   },
		{ FW_TCP, 0,     0,     FW_IN   },
		{ FW_TCP, 65535, 65535, FW_OUT  }, /* the next port on the line is udp/0 */
		{ FW_UDP, 0,     0,     FW_BOTH },
		{ FW_UDP, 65535, 65535, FW_BOTH }, /* behind it the line ends */
		{ FW_TCP, 0,     65535, FW_OUT  },
		{ FW_UDP, 0,     65535, FW_IN   },
		{ FW_TCP, 80,    90,    FW_BOTH },
		{ FW_TCP, 85,    95,    FW_IN   },
		{ FW_TCP, 80,    90,    FW_IN   }, /* the same again */
		{ FW_TCP, 91,    91,    FW_OUT  },
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) { /* each alone, then together with those before */
		setup(NULL);
		set(7, rows[i].protocol, rows[i].first, rows[i].last, rows[i].directions);
		build_and_check();
	}
	setup(NULL);
	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		set((unsigned)i * 20, rows[i].protocol, rows[i].first, rows[i].last, rows[i].directions);
		build_and_check();
	}
}

static void test_full(void **state)
{
	for (unsigned i = 0; i < FW_PORT_ENTRIES_MAX; i++)
		set(i, i % 2 ? FW_TCP : FW_UDP, i * 250, i * 250 + 300, FW_BOTH);
	build_and_check();
}

static void test_overlap(void **state)
{
	for (unsigned i = 0; i < FW_PORT_OVERLAP_MAX; i++)
		set(i, FW_TCP, 1000 - i, 1000 + i, FW_IN);
	build_and_check();

	set(200, FW_UDP, 1000, 1000, FW_IN); /* another protocol is another port */
	set(201, FW_TCP, 2000, 2000, FW_IN);
	build_and_check();

	set(202, FW_TCP, 1000, 1000, FW_IN);
	assert_int_equal(ports_build_index(entries, &index_built), -E2BIG);
}

/* What bans may take is counted by the lists: those of others are no matter. */
static void test_bans(void **state)
{
	static const uint64_t bans = 1 << 0 | 1 << 4, allow = 1 << 1;
	struct fw_port p = { .protocol = FW_TCP, .first = 990, .last = 1010 };

	for (unsigned i = 0; i < 20; i++) {
		set(i, FW_TCP, 1000 + i, 1100, FW_IN); /* 11 of them begin at 1010 or before */
		entries[i].entry.lists[FW_INGRESS] = i % 2 ? bans : allow;
	}
	assert_int_equal(ports_count(entries, bans), 10);
	assert_int_equal(ports_count(entries, allow), 10);
	assert_int_equal(ports_overlap(entries, bans, &p), 5);
	assert_int_equal(ports_overlap(entries, allow, &p), 6);
	assert_int_equal(ports_overlap(entries, bans | allow, &p), 11);

	p = (struct fw_port){ .protocol = FW_TCP, .first = 1100, .last = 65535 };
	assert_int_equal(ports_overlap(entries, bans, &p), 10);
	p.first = 1101;
	assert_int_equal(ports_overlap(entries, bans, &p), 0);
	p = (struct fw_port){ .protocol = FW_UDP, .first = 0, .last = 65535 };
	assert_int_equal(ports_overlap(entries, bans, &p), 0);

	entries[1].entry.lists[FW_INGRESS] = 0; /* in one direction is in the list */
	entries[1].entry.lists[FW_EGRESS] = 1 << 4;
	assert_int_equal(ports_count(entries, bans), 10);
	entries[1].is_used = 0;
	assert_int_equal(ports_count(entries, bans), 9);
}

/* Random entries, always the same ones. */
static void test_random(void **state)
{
	unsigned seed = 1;

	for (unsigned round = 0; round < 50; round++) {
		setup(NULL);
		for (unsigned i = 0; i < 40; i++) {
			unsigned first, last, span;

			seed = seed * 1103515245 + 12345;
			first = seed >> 8 & 0xffff;
			span = seed % 7 == 0 ? 5000 : 3;
			last = first + span > 65535 ? 65535 : first + span;
			set(i * 6, seed >> 30 & 1 ? FW_TCP : FW_UDP, first, last, 1 + seed % 3);
		}
		build_and_check();
	}
}

/* A place that was given up is the last choice, until the index that leads to it has gone. */
static void test_given_up(void **state)
{
	const struct fw_port used = { .protocol = FW_TCP, .first = 1, .last = 1, .is_used = 1 }, unused = {};

	for (unsigned i = 0; i < FW_PORT_ENTRIES_MAX - 1; i++)
		ports_set(&entries[i], &used);
	ports_set(&entries[0], &unused);
	assert_int_equal(ports_find_free(entries), FW_PORT_ENTRIES_MAX - 1);
	ports_set(&entries[FW_PORT_ENTRIES_MAX - 1], &used);
	assert_int_equal(ports_find_free(entries), 0);
	assert_true(entries[0].is_given_up);
	ports_settle(entries);
	assert_false(entries[0].is_given_up);
	ports_set(&entries[0], &used);
	assert_int_equal(ports_find_free(entries), FW_PORT_ENTRIES_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_none, setup),
		cmocka_unit_test_setup(test_rows, setup),
		cmocka_unit_test_setup(test_full, setup),
		cmocka_unit_test_setup(test_overlap, setup),
		cmocka_unit_test_setup(test_bans, setup),
		cmocka_unit_test_setup(test_random, setup),
		cmocka_unit_test_setup(test_given_up, setup),
	};

	return cmocka_run_group_tests_name("ports", tests, NULL, NULL);
}
