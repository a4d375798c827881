// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * The match engine against a model that is obviously right: a list of rules and a linear scan. Random rules
 * come and go over nested prefixes, ports, lists, directions and ends, one by one and in bulk, and after
 * every few changes the kernel is asked about addresses at and around the edges of them. The seed is
 * printed; EQUIVALENCE_SEED=N repeats a run.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "judge.h"
#include "kernel/tick.h"
#include "rules.h"
#include "suite.h"

#define N_COMPARISONS 1000000

/* Few bits vary, in places all over the address, so that prefixes nest and meet. */
static struct prefix random_address(void)
{
	static const uint8_t choices[] = { 0x00, 0x01, 0x80, 0xc0, 0xfe, 0xff };
	uint8_t bytes[16] = { 0x20, 0x01, 0x0d, 0xb8 };
	bool is_ip4 = random_below(2);

	if (is_ip4) {
		bytes[0] = 192 + random_below(2);
		bytes[1] = random_below(3);
	}
	for (unsigned i = 2; i < 16; i++)
		if (random_below(3) == 0)
			bytes[i] = choices[random_below(ELEMENTSOF(choices))];
	return prefix_from_bytes(is_ip4 ? AF_INET : AF_INET6, bytes, is_ip4 ? 32 : 128);
}

static struct target random_target(void)
{
	struct target t = { .kind = random_below(8) ? TARGET_PREFIX : TARGET_PORT };

	if (t.kind == TARGET_PREFIX) {
		struct prefix a = random_address();

		t.prefix = prefix_from_bytes(a.family, a.bytes, 1 + random_below(a.length));
		if (random_below(3) == 0)
			t.prefix = a;
		else if (random_below(200) == 0)
			t.prefix = prefix_from_bytes(a.family, a.bytes, 0);
	} else {
		t.port.protocol = random_below(_FW_PROTOCOL_MAX);
		t.port.first = random_below(100);
		t.port.last = t.port.first + (random_below(2) ? 0 : random_below(60));
	}
	return t;
}

/* An address at the edge of a rule, or anywhere. */
static struct question random_question(const struct rules *m)
{
	struct question q = {
		.address = random_address(),
		.direction = random_below(_FW_DIRECTION_MAX),
		.protocol = random_below(_FW_PROTOCOL_MAX),
		.port = (int)random_below(3) ? PORT_NONE : (int)random_below(170),
	};

	if (m->n_rules && random_below(4)) {
		const struct prefix *p = &m->rules[random_below(m->n_rules)].target.prefix;
		unsigned full = prefix_full_length(p->family);

		if (p->family) {
			q.address = prefix_from_bytes(p->family, p->bytes, full);
			for (unsigned i = p->length / 8 + 1; i < full / 8; i++)
				q.address.bytes[i] = random_below(2) ? 0xff : q.address.bytes[i];
			if (p->length && random_below(2)) /* just outside */
				q.address.bytes[(p->length - 1) / 8] ^= 0x80 >> (p->length - 1) % 8;
		}
	}
	return q;
}

static struct rule *find_rule(struct rules *m, const struct target *target, unsigned list)
{
	for (size_t i = 0; i < m->n_rules; i++)
		if (m->rules[i].list == list && target_compare(&m->rules[i].target, target) == 0)
			return &m->rules[i];
	return NULL;
}

static void add_rule(struct rules *m, struct table_writer *w)
{
	struct rule fresh = { .target = random_target(), .list = random_below(RULES_LISTS) }, *r;
	uint32_t until = FW_UNTIL_NEVER;
	int result;

	fresh.directions = 1 + random_below(FW_BOTH);
	fresh.has_ended = random_below(6) == 0;
	if (fresh.has_ended)
		until = tick_now() - 1;
	else if (random_below(4) == 0)
		until = tick_now() + 100000 + random_below(3);

	result = table_add(w, &fresh.target, fresh.list, fresh.directions, until, NULL);
	if (result == -E2BIG && fresh.target.kind == TARGET_PORT)
		return; /* too many cover one port: refused, and nothing changed */
	assert_int_equal(result, 0);
	r = find_rule(m, &fresh.target, fresh.list) ?: &m->rules[m->n_rules++];
	*r = fresh;
}

static void remove_rule(struct rules *m, struct table_writer *w)
{
	struct rule *r;

	if (m->n_rules == 0)
		return;
	r = &m->rules[random_below(m->n_rules)];
	assert_int_equal(table_remove(w, &r->target, r->list), r->has_ended ? -ENOENT : 0);
	*r = m->rules[--m->n_rules];
}

/* Some new rules and the loss of some old ones, in one call. */
static void load_rules(struct rules *m, struct table_writer *w)
{
	struct target add[64], remove[64];
	size_t n_add = 0, n_remove = 0;
	unsigned list = random_below(RULES_LISTS), directions = 1 + random_below(FW_BOTH);

	for (size_t i = 0; i < m->n_rules && n_remove < ELEMENTSOF(remove);) {
		struct rule *r = &m->rules[i];

		if (r->list != list || r->has_ended || random_below(2)) {
			i++;
			continue;
		}
		remove[n_remove++] = r->target;
		*r = m->rules[--m->n_rules];
	}
	while (n_add < 20 && m->n_rules < RULES_MAX - 1) {
		struct target target = random_target();
		bool is_removed = false;

		for (size_t i = 0; i < n_remove; i++)
			is_removed |= target_compare(&remove[i], &target) == 0;
		if (target.kind == TARGET_PORT || is_removed || find_rule(m, &target, list))
			continue;
		add[n_add++] = target;
		m->rules[m->n_rules++] = (struct rule){ .target = target, .list = list, .directions = directions };
	}
	assert_int_equal(table_load(w, list, directions, add, n_add, remove, n_remove), 0);
}

static void change_list(struct rules *m, struct table_writer *w)
{
	struct table *t = table_of(w);
	unsigned i = random_below(RULES_LISTS);
	struct fw_list list;

	assert_int_equal(table_get_list(t, i, &list), 0);
	list.is_enabled = random_below(4) > 0;
	if (list.action == FW_ACTION_BLOCK)
		list.mode = random_below(4) ? FW_MODE_ENFORCE : FW_MODE_AUDIT;
	assert_int_equal(table_set_list(w, i, &list), 0);
	m->lists[i] = list;
}

static void drop_ended(struct rules *m)
{
	for (size_t i = 0; i < m->n_rules;)
		if (m->rules[i].has_ended)
			m->rules[i] = m->rules[--m->n_rules];
		else
			i++;
}

static void change(struct rules *m, struct table_writer *w)
{
	switch (random_below(16)) {
	case 0:
		load_rules(m, w);
		break;
	case 1:
		change_list(m, w);
		break;
	case 2:
		assert_int_equal(table_sweep(w, NULL, NULL), 0);
		drop_ended(m);
		break;
	case 3:
		if (random_below(10)) /* it waits for the kernel, for milliseconds */
			break;
		assert_int_equal(table_commit(w), 0);
		assert_int_equal(table_repair(w), 0);
		break;
	case 4 ... 8:
		remove_rule(m, w);
		break;
	default:
		if (m->n_rules < RULES_MAX - 32)
			add_rule(m, w);
	}
	assert_int_equal(table_commit(w), 0);
}

static void make_lists(struct rules *m, struct table_writer *w)
{
	for (unsigned i = 0; i < RULES_LISTS; i++) {
		struct fw_list list = { .is_enabled = true, .action = i == 1 || i == 4 ? FW_ACTION_ALLOW : FW_ACTION_BLOCK };

		snprintf(list.name, sizeof(list.name), "list%u", i);
		assert_int_equal(table_set_list(w, i, &list), 0);
		m->lists[i] = list;
	}
	assert_int_equal(table_commit(w), 0);
}

static void compare(const struct rules *m, struct table *t, uint64_t seed)
{
	struct question q = random_question(m);
	char text[PREFIX_TEXT_MAX];
	uint32_t answer;

	assert_int_equal(table_check(t, &q.address, q.direction, q.protocol, q.port, &answer), 0);
	if (FW_ANSWER_VERDICT(answer) != rules_ask(m, &q))
		fail_msg("seed %llu: %s direction %u protocol %u port %d: kernel says %u, model %u",
			 (unsigned long long)seed, prefix_format(&q.address, text), q.direction, q.protocol, q.port,
			 FW_ANSWER_VERDICT(answer), rules_ask(m, &q));
}

static void test_equivalence(void **state)
{
	struct table_writer *w = firewall_writer(firewall);
	struct table *t = table_of(w);
	_cleanup_free_ struct rules *m = calloc(1, sizeof(*m));
	uint64_t seed = random_seed("EQUIVALENCE_SEED"), n = 0, n_drops = 0;

	assert_non_null(m);
	make_lists(m, w);
	while (n < N_COMPARISONS) {
		change(m, w);
		for (unsigned i = 0; i < 200; i++, n++)
			compare(m, t, seed);
		n_drops += rules_ask(m, &(struct question){ .address = random_address(), .port = PORT_NONE });
	}
	printf("# %llu comparisons, %zu rules at the end\n", (unsigned long long)n, m->n_rules);
	assert_true(n_drops > 0); /* or nothing was compared but passes */
}

int main(void)
{
	static const struct CMUnitTest tests[] = { cmocka_unit_test(test_equivalence) };

	return suite_run(tests, suite_set_up, suite_tear_down);
}
