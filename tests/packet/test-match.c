// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * What the kernel finds among thousands of entries, against a search that looks at each of them: entries
 * of all lengths come and go, in lists of every kind, and after each batch of changes both must give the
 * same answer for random addresses and for those at the edges of entries. Needs root.
 * $SEED repeats a run.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "suite.h"
#include "text/names.h"

#define N_ROUNDS    24
#define N_ADDED     400  /* a round, of which some are not new; more than one table grows */
#define N_REMOVED   150
#define N_QUESTIONS 3000 /* a round */
#define N_HOLDS_MAX (N_ROUNDS * N_ADDED)

/* One entry's place in one list. */
struct hold {
	struct target target;
	unsigned list;
	unsigned directions;
};

static struct hold holds[N_HOLDS_MAX];
static size_t n_holds;
static size_t n_answers[_FW_REASON_MAX]; /* to see that the questions are about something */
static uint64_t seed;

static int set_up(void **state)
{
	const char *given = getenv("SEED");

	seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
	printf("# SEED=%llu\n", (unsigned long long)seed);
	return suite_set_up(state);
}

/* splitmix64: the same numbers from the same seed everywhere. */
static uint64_t random_below(uint64_t limit)
{
	uint64_t z = seed += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return (z ^ z >> 31) % limit;
}

/* Addresses from few networks, so that entries cover each other. */
static void random_address(int family, uint8_t bytes[16])
{
	static const uint8_t base4[] = { 198, 51, 100, 0 };
	static const uint8_t base6[] = { 0x20, 0x01, 0x0d, 0xb8 };
	size_t n = prefix_full_length(family) / 8, n_random = 1 + random_below(n);

	memset(bytes, 0, 16);
	memcpy(bytes, family == AF_INET ? base4 : base6, 4);
	for (size_t i = n - n_random; i < n; i++)
		bytes[i] = random_below(random_below(2) ? 4 : 256);
}

/* Mostly lengths that lists have, but each now and then. */
static unsigned random_length(int family)
{
	static const unsigned usual4[] = { 32, 32, 32, 24, 24, 16, 28, 23 };
	static const unsigned usual6[] = { 128, 128, 64, 64, 48, 56, 32, 127 };
	/* where filter.h goes from one place to another */
	static const unsigned borders4[] = { 16, 17, 20, 21, 24, 25 };
	static const unsigned borders6[] = { 16, 19, 20, 28, 29, 32, 33, 47, 48, 64, 65 };

	if (random_below(6) == 0)
		return family == AF_INET ? borders4[random_below(ELEMENTSOF(borders4))] :
					   borders6[random_below(ELEMENTSOF(borders6))];
	if (random_below(16) == 0)
		return random_below(prefix_full_length(family) + 1);
	return family == AF_INET ? usual4[random_below(8)] : usual6[random_below(8)];
}

/* Short prefixes and exceptions decide for so many addresses that they must be rare. */
static unsigned random_list(unsigned length)
{
	return random_below(length < 24 ? 16 : 6) == 0 ? LIST_ALLOW : LIST_OTHER + random_below(3);
}

static struct hold *find_hold(const struct target *target, unsigned list)
{
	for (size_t i = 0; i < n_holds; i++)
		if (holds[i].list == list && target_compare(&holds[i].target, target) == 0)
			return &holds[i];
	return NULL;
}

static void add_one(struct table_writer *w)
{
	int family = random_below(2) ? AF_INET : AF_INET6;
	struct hold h = { .target.kind = TARGET_PREFIX }, *old;
	uint8_t bytes[16];
	bool is_new;
	int r;

	random_address(family, bytes);
	h.target.prefix = prefix_from_bytes(family, bytes, random_length(family));
	h.list = random_below(3) == 0 ? LIST_MANUAL : random_list(h.target.prefix.length);
	h.directions = 1 + random_below(FW_BOTH);

	r = table_add(w, &h.target, h.list, h.directions, FW_UNTIL_NEVER, &is_new);
	if (r < 0)
		fail_msg("cannot add: %s", strerror(-r));
	old = find_hold(&h.target, h.list);
	assert_int_equal(is_new, !old);
	if (old)
		*old = h;
	else
		holds[n_holds++] = h;
}

static void remove_one(struct table_writer *w)
{
	size_t i = random_below(n_holds);
	int r;

	r = table_remove(w, &holds[i].target, holds[i].list);
	if (r < 0)
		fail_msg("cannot remove: %s", strerror(-r));
	holds[i] = holds[--n_holds];
}

/* The answer by looking at everything, packed as fw_check packs it. */
static uint32_t search(const struct prefix *address, enum fw_direction direction)
{
	enum fw_reason reason = FW_REASON_NO_MATCH;
	unsigned list = 0;
	int length = -1;

	for (size_t i = 0; i < n_holds; i++) {
		const struct hold *h = &holds[i];
		bool is_longer = h->target.prefix.length > length;
		bool is_lower = h->target.prefix.length == length && h->list < list;

		if (!(h->directions & 1u << direction) || h->list == LIST_DISABLED ||
		    !prefix_covers(&h->target.prefix, address))
			continue;

		if (h->list == LIST_ALLOW) {
			reason = FW_REASON_ALLOWED;
			list = LIST_ALLOW;
		} else if (reason == FW_REASON_ALLOWED) {
			continue;
		} else if (h->list == LIST_AUDIT) {
			if (reason == FW_REASON_NO_MATCH) {
				reason = FW_REASON_AUDITED;
				list = LIST_AUDIT;
			}
		} else if (reason != FW_REASON_ADDRESS || is_longer || is_lower) {
			reason = FW_REASON_ADDRESS;
			list = h->list;
			length = h->target.prefix.length;
		}
	}
	return FW_ANSWER(reason == FW_REASON_ADDRESS ? FW_DROP : FW_PASS, reason, list);
}

/* Half of the questions are about addresses in or next to an entry. */
static struct prefix random_question(void)
{
	const struct hold *h = &holds[random_below(n_holds)];
	int family = h->target.prefix.family;
	uint8_t bytes[16];
	unsigned bit;

	random_address(family, bytes);
	if (random_below(2)) {
		memcpy(bytes, h->target.prefix.bytes, 16);
		for (unsigned n = random_below(3); n > 0; n--) {
			bit = random_below(prefix_full_length(family));
			bytes[bit / 8] ^= 0x80 >> bit % 8;
		}
	}
	return prefix_from_bytes(family, bytes, prefix_full_length(family));
}

static int ask(struct table *t)
{
	struct prefix address = random_question();
	enum fw_direction direction = random_below(2);
	char text[PREFIX_TEXT_MAX];
	uint32_t want, got;
	int r;

	r = table_check(t, &address, direction, FW_TCP, 80, &got);
	if (r < 0)
		fail_msg("cannot ask: %s", strerror(-r));
	want = search(&address, direction);
	n_answers[FW_ANSWER_REASON(want)]++;
	if (got == want)
		return 0;

	printf("# %s %s: the kernel says %s by list %u, the search says %s by list %u\n",
	       prefix_format(&address, text), direction_to_string(direction),
	       reason_to_string(FW_ANSWER_REASON(got)), FW_ANSWER_LIST(got),
	       reason_to_string(FW_ANSWER_REASON(want)), FW_ANSWER_LIST(want));
	return 1;
}

static void test_search(void **state)
{
	struct table_writer *w = firewall_writer(firewall);
	struct table *t = table_of(w);
	int n_different = 0;

	for (int round = 0; round < N_ROUNDS; round++) {
		for (int i = 0; i < N_ADDED; i++)
			add_one(w);
		for (int i = 0; i < N_REMOVED; i++)
			remove_one(w);
		assert_int_equal(table_commit(w), 0);

		for (int i = 0; i < N_QUESTIONS; i++)
			n_different += ask(t);
		assert_int_equal(n_different, 0);
	}
	printf("# %zu entries in lists at the end; %zu questions had no match, %zu blocked, %zu allowed, %zu audited\n",
	       n_holds, n_answers[FW_REASON_NO_MATCH], n_answers[FW_REASON_ADDRESS], n_answers[FW_REASON_ALLOWED],
	       n_answers[FW_REASON_AUDITED]);
}

/* The other way: until nothing is left, what is removed must be gone and the rest must stay. */
static void test_removal(void **state)
{
	struct table_writer *w = firewall_writer(firewall);
	struct table *t = table_of(w);
	int n_different = 0;

	while (n_holds > 1) {
		for (int i = 0; i < N_ADDED && n_holds > 1; i++)
			remove_one(w);
		assert_int_equal(table_commit(w), 0);

		for (int i = 0; i < N_QUESTIONS / 4; i++)
			n_different += ask(t);
		assert_int_equal(n_different, 0);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_search),
		cmocka_unit_test(test_removal),
	};

	return suite_run(tests, set_up, suite_tear_down);
}
