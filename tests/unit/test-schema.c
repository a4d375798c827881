// SPDX-License-Identifier: GPL-2.0-or-later

/* schema.h: every byte that must be carried is described, and structs of other versions are read by name. */

#include <errno.h>
#include <string.h>

#include "abi/abi.h"
#include "base/cleanup.h"
#include "load/schema.h"
#include "unit.h"

/* A member that an upgrade would lose shows as bytes that no row covers. */
static void test_complete(void **state)
{
	static const struct {
		const char *type;
		size_t size;
		size_t n_left_out; /* bytes that are not carried, and why */
	} structs[] = {
		{ "fw_slot", sizeof(struct fw_slot), 14 }, /* reserved, and what chains are made of */
		{ "fw_ends_key", sizeof(struct fw_ends_key), 0 },
		{ "fw_ends", sizeof(struct fw_ends), 0 },
		{ "fw_port", sizeof(struct fw_port), 2 }, /* reserved */
		{ "fw_list", sizeof(struct fw_list), 80 }, /* of which list events are that nobody has read yet */
		{ "fw_counters", sizeof(struct fw_counters), sizeof(struct fw_sampling) }, /* begins anew */
		{ "fw_list_counters", sizeof(struct fw_list_counters), 0 },
	};

	for (size_t i = 0; i < ELEMENTSOF(structs); i++) {
		struct schema_plan plan;
		size_t n = 0;

		CHECK(schema_plan(&schema_own, &schema_own, structs[i].type, &plan) == 0,
		      "%s has too many members for a plan", structs[i].type);
		for (size_t k = 0; k < schema_own.n_rows; k++)
			if (strcmp(schema_own.rows[k].type, structs[i].type) == 0 &&
			    strcmp(schema_own.rows[k].member, ".") != 0)
				n += schema_own.rows[k].size * schema_own.rows[k].count;
		CHECK(schema_size(&schema_own, structs[i].type) == structs[i].size, "%s has another size",
		      structs[i].type);
		CHECK(n + structs[i].n_left_out == structs[i].size, "%s: %zu of %zu bytes are described", structs[i].type,
		      n, structs[i].size);
	}
}

static void test_round_trip(void **state)
{
	_cleanup_free_ char *text = schema_format(&schema_own), *again = NULL;
	struct schema s = {};

	assert_non_null(text);
	assert_true(strlen(text) < SCHEMA_TEXT_MAX / 2);
	assert_int_equal(schema_parse(text, &s), 0);
	assert_int_equal(s.n_rows, schema_own.n_rows);
	again = schema_format(&s);
	assert_string_equal(text, again);
	schema_done(&s);
}

/* Other places, other widths, shorter and longer arrays, a member that we lack and one that it lacks. */
static void test_other_version(void **state)
{
	static const char text[] = "fw_slot . 0 40 1\n"
				   "fw_slot entry.last_hit 0 8 1\n"
				   "fw_slot news 8 4 1\n"
				   "fw_slot entry.lists 16 8 1\n"
				   "fw_slot entry.hits 12 4 1\n"
				   "fw_list . 0 100 1\n"
				   "fw_list name 1 1 80\n"
				   "fw_list action 96 4 1\n";
	struct {
		uint64_t last_hit;
		uint32_t news;
		uint32_t hits;
		uint64_t lists;
		uint64_t reserved[2];
	} old = { .last_hit = 77, .news = 9, .hits = 0xfffffff0, .lists = 5 };
	struct fw_slot slot = { .entry.until = 1 };
	struct fw_list l = { .mode = 1 };
	struct schema s = {};
	struct schema_plan plan;
	char list[100] = { [96] = 1 };

	memset(list + 1, 'x', 80);
	assert_int_equal(schema_parse(text, &s), 0);
	assert_int_equal(schema_size(&s, "fw_slot"), sizeof(old));
	assert_int_equal(schema_size(&s, "fw_thing"), 0);
	assert_int_equal(schema_plan(&s, &schema_own, "fw_slot", &plan), 0);
	schema_convert(&plan, &old, &slot);
	assert_int_equal(slot.entry.last_hit, 77);
	assert_int_equal(slot.entry.hits, 0xfffffff0);
	assert_int_equal(slot.entry.lists[0], 5);
	assert_int_equal(slot.entry.lists[1], 0);
	assert_int_equal(slot.entry.until, 0);
	assert_int_equal(schema_plan(&s, &schema_own, "fw_list", &plan), 0);
	schema_convert(&plan, list, &l);
	assert_int_equal(l.name[0], 'x');
	assert_int_equal(l.name[FW_LIST_NAME_MAX - 1], 'x');
	assert_int_equal(l.action, 1);
	assert_int_equal(l.mode, 0);
	schema_done(&s);
}

/* A member that is left behind is a count or a list that is lost, without a word. */
static void test_too_many_members(void **state)
{
	struct schema_plan plan = { .n_moves = 99 };
	char text[SCHEMA_TEXT_MAX];
	struct schema s = {};
	size_t n;

	n = (size_t)snprintf(text, sizeof(text), "wide . 0 64 1\n");
	for (unsigned i = 0; i <= SCHEMA_MEMBERS_MAX; i++) {
		assert_int_equal(schema_parse(text, &s), 0);
		assert_int_equal(schema_plan(&s, &s, "wide", &plan), 0);
		assert_int_equal(plan.n_moves, i);
		schema_done(&s);
		n += (size_t)snprintf(text + n, sizeof(text) - n, "wide member%u %u 1 1\n", i, i);
	}
	assert_int_equal(schema_parse(text, &s), 0);
	assert_int_equal(schema_plan(&s, &s, "wide", &plan), -E2BIG);
	assert_int_equal(plan.n_moves, SCHEMA_MEMBERS_MAX);
	schema_done(&s);
}

static void test_refused(void **state)
{
	static const char *const texts[] = {
		"fw_thing",
		"fw_thing . 0 8 1",                           /* torn */
		"fw_thing . 0 8 one\n",
		"fw_thing addr 4 4 1\n",                      /* no struct */
		"fw_thing . 0 8 1\nfw_thing addr 5 4 1\n",     /* beyond its end */
		"fw_thing . 0 8 1\nfw_thing addr 0 4 3\n",
		"fw_thing . 0 8 1\nfw_thing addr 4294967292 4 1\n",
		"fw_thing . 0 8 1\nfw_thing addr 0 8 1073741824\n",
		"fw_thing . 0 8 1\nfw_thing addr 0 3 1\n",     /* no integer */
		"fw_thing . 0 8 1\nfw_thing addr 0 0 1\n",
		"fw_thing . 0 8 1\nfw_thing addr 0 4 0\n",
		"fw_thing . 0 0 1\n",
		"fw_thing . 0 99999999 1\n",
	};

	for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
		struct schema s = {};

		CHECK(schema_parse(texts[i], &s) == -EBADMSG, "taken: %s", texts[i]);
		assert_null(s.rows);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_complete),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_other_version),
		cmocka_unit_test(test_too_many_members),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests_name("schema", tests, NULL, NULL);
}
