// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Entries whose lists end at different times: there may be as many as entries, their ends are found while the map that holds
 * them is exchanged for a larger or a smaller one, and after a writer was killed in between. Needs root.
 */

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/cleanup.h"
#include "kernel/pins.h"
#include "kernel/tick.h"
#include "suite.h"

#define N_ENTRIES 40000 /* the map had room for 32768 */
#define N_STALE   500
#define N_WATCHED 6000  /* it grows three times */

static struct target entry_number(uint32_t i)
{
	uint8_t bytes[16] = { 0x20, 0x01, 0x0d, 0xb8, [12] = i >> 24, i >> 16, i >> 8, i };

	return (struct target){ .kind = TARGET_PREFIX, .prefix = prefix_from_bytes(AF_INET6, bytes, 128) };
}

static int add(struct table_writer *w, uint32_t i, unsigned list, uint32_t until)
{
	struct target target = entry_number(i);

	return table_add(w, &target, list, FW_BOTH, until, NULL);
}

static void remove_entry(struct table_writer *w, uint32_t i, unsigned list)
{
	struct target target = entry_number(i);

	assert_int_equal(table_remove(w, &target, list), 0);
}

static enum fw_verdict ask(struct table *t, uint32_t i)
{
	struct target target = entry_number(i);
	uint32_t answer;

	if (table_check(t, &target.prefix, FW_INGRESS, FW_TCP, 80, &answer) < 0)
		return _FW_VERDICT_MAX;
	return FW_ANSWER_VERDICT(answer);
}

static struct bpf_map_info ends_info(void)
{
	struct bpf_map_info info = {};
	uint32_t size = sizeof(info);
	_cleanup_close_ int fd = -1;

	fd = pins_open(firewall_pin_dir(), TABLE_ENDS_PIN);
	assert_true(fd >= 0);
	assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &size), 0);
	return info;
}

static uint32_t slot_id(void)
{
	uint32_t first = 0, id = 0;
	_cleanup_close_ int fd = -1;

	fd = pins_open(firewall_pin_dir(), "maps/ends_slot");
	assert_true(fd >= 0);
	assert_int_equal(bpf_map_lookup_elem(fd, &first, &id), 0);
	return id;
}

/* Blocked for longer than excepted, and the exception is over: only its end tells that it must not pass. */
static void add_over(struct table_writer *w, uint32_t i)
{
	assert_int_equal(add(w, i, LIST_OTHER, FW_UNTIL_NEVER), 0);
	assert_int_equal(add(w, i, LIST_ALLOW, tick_now() - 1), 0);
}

/* Asks the kernel about entry 0 until it is told to stop. Exit status: 0, or something passed. */
static pid_t start_asking(void)
{
	struct table *t;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	(void) prctl(PR_SET_PDEATHSIG, SIGKILL); /* where the test fails before it is stopped */
	if (table_open(firewall_pin_dir(), &t) < 0)
		_exit(2);
	while (ask(t, 0) == FW_DROP)
		;
	_exit(1);
}

static void stop_asking(pid_t pid)
{
	int status;

	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

static void test_ends_are_found_while_the_map_grows(void **state)
{
	struct table_writer *w = firewall_writer(firewall);
	struct table *t = table_of(w);
	uint32_t n_max = ends_info().max_entries;
	pid_t pid;

	add_over(w, 0);
	assert_int_equal(table_commit(w), 0);
	assert_int_equal(ask(t, 0), FW_DROP);
	pid = start_asking();
	for (uint32_t i = 1; i < N_WATCHED; i++) {
		assert_int_equal(add(w, i, LIST_MANUAL, tick_now() + 10000), 0);
		assert_int_equal(add(w, i, LIST_OTHER, tick_now() + 20000), 0);
	}
	assert_int_equal(table_commit(w), 0);
	assert_true(ends_info().max_entries > n_max);
	assert_true(ends_info().max_entries < 4 * N_WATCHED);
	assert_int_equal(slot_id(), ends_info().id);

	for (uint32_t i = 1; i < N_WATCHED; i++) {
		remove_entry(w, i, LIST_MANUAL);
		remove_entry(w, i, LIST_OTHER);
	}
	assert_int_equal(table_commit(w), 0);
	assert_true(ends_info().max_entries <= n_max);
	assert_int_equal(slot_id(), ends_info().id);
	stop_asking(pid);
	remove_entry(w, 0, LIST_OTHER);
	assert_int_equal(table_commit(w), 0);
}

static uint32_t count_ends(void)
{
	struct fw_ends_key key, *before = NULL;
	_cleanup_close_ int fd = -1;
	uint32_t n = 0;

	fd = pins_open(firewall_pin_dir(), TABLE_ENDS_PIN);
	assert_true(fd >= 0);
	for (; bpf_map_get_next_key(fd, before, &key) == 0; before = &key)
		n++;
	return n;
}

/*
 * A packet that has read the entry just before its exception goes still has to see that the exception has ended: it
 * would pass by an entry without ends.
 */
static void test_ends_outlast_an_exception_that_has_ended(void **state)
{
	struct table_writer *w = firewall_writer(firewall);
	struct table *t = table_of(w);

	add_over(w, 0);
	assert_int_equal(table_commit(w), 0);
	assert_int_equal(table_sweep(w, NULL, NULL), 0);
	assert_int_equal(table_commit(w), 0);
	assert_int_equal(ask(t, 0), FW_DROP);
	assert_int_equal(count_ends(), 1);

	add_over(w, 1); /* for another sweep */
	assert_int_equal(table_sweep(w, NULL, NULL), 0);
	assert_int_equal(table_commit(w), 0);
	assert_int_equal(count_ends(), 1); /* of the other entry */

	assert_int_equal(add(w, 0, LIST_MANUAL, tick_now() + 10000), 0); /* none of its lists has ended */
	assert_int_equal(table_commit(w), 0);
	assert_int_equal(count_ends(), 2);
	remove_entry(w, 0, LIST_MANUAL);
	assert_int_equal(count_ends(), 1);
	remove_entry(w, 0, LIST_OTHER);
	remove_entry(w, 1, LIST_OTHER);
	assert_int_equal(table_commit(w), 0);
}

/* Two tools ban addresses of one /64, each with an end of its own. */
static void test_allow_after_many_mixed_ends(void **state)
{
	struct table_writer *w = firewall_writer(firewall);
	struct table *t = table_of(w);
	struct target last = entry_number(N_ENTRIES - 1);
	uint32_t soon = tick_now() + 10000, late = tick_now() + 20000;
	struct table_entry e;

	for (uint32_t i = 0; i < N_ENTRIES; i++)
		if (add(w, i, LIST_MANUAL, soon) < 0 || add(w, i, LIST_OTHER, late) < 0)
			fail_msg("number %u is refused", i);
	assert_int_equal(table_commit(w), 0);
	assert_int_equal(ask(t, N_ENTRIES - 1), FW_DROP);
	assert_int_equal(add(w, N_ENTRIES - 1, LIST_ALLOW, FW_UNTIL_NEVER), 0);
	assert_int_equal(table_commit(w), 0);
	assert_int_equal(ask(t, N_ENTRIES - 1), FW_PASS);
	assert_int_equal(table_get(t, &last, &e), 0);
	assert_int_equal(e.until[LIST_MANUAL], soon);
	assert_int_equal(e.until[LIST_OTHER], late);
	assert_int_equal(e.until[LIST_ALLOW], FW_UNTIL_NEVER);

	remove_entry(w, N_ENTRIES - 1, LIST_ALLOW);
	for (uint32_t i = 0; i < N_ENTRIES; i++) {
		remove_entry(w, i, LIST_MANUAL);
		remove_entry(w, i, LIST_OTHER);
	}
	assert_int_equal(table_commit(w), 0);
}

/* The larger map is pinned, and the writer dies before the programs use it. */
static void test_writer_killed_while_the_map_grows(void **state)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_NO_PREALLOC);
	struct table_writer *w = firewall_writer(firewall);
	struct table *t = table_of(w);
	_cleanup_close_ int old_fd = -1, fd = -1;
	struct fw_census *census;
	struct fw_ends_key key;
	struct fw_ends ends;
	uint32_t id;

	add_over(w, 0);
	assert_int_equal(table_commit(w), 0);
	id = ends_info().id;

	old_fd = pins_open(firewall_pin_dir(), TABLE_ENDS_PIN);
	fd = bpf_map_create(BPF_MAP_TYPE_HASH, "ends", sizeof(key), sizeof(ends), 4096, &opts);
	assert_true(old_fd >= 0 && fd >= 0);
	assert_int_equal(bpf_map_get_next_key(old_fd, NULL, &key), 0);
	assert_int_equal(bpf_map_lookup_elem(old_fd, &key, &ends), 0);
	assert_int_equal(bpf_map_update_elem(fd, &key, &ends, BPF_ANY), 0);
	assert_int_equal(pins_put(firewall_pin_dir(), TABLE_ENDS_PIN, fd), 0);
	assert_int_equal(pins_map_array(firewall_pin_dir(), "maps/census", sizeof(*census), 1, (void **)&census), 0);
	census->is_changing = 1;
	assert_int_equal(slot_id(), id);
	assert_int_equal(ask(t, 0), FW_DROP);

	firewall_end_writer(firewall);
	w = firewall_writer(firewall); /* repairs first */
	add_over(w, 1);
	assert_int_equal(table_commit(w), 0);
	assert_int_equal(slot_id(), ends_info().id);
	assert_true(slot_id() != id);
	assert_int_equal(ask(t, 0), FW_DROP);
	assert_int_equal(ask(t, 1), FW_DROP);
	assert_int_equal(census->n_ends, 2);
	(void) munmap(census, sizeof(*census));
	remove_entry(w, 0, LIST_OTHER);
	remove_entry(w, 1, LIST_OTHER);
	assert_int_equal(table_commit(w), 0);
}

/* Walks of maps from their start, where the kernel goes from one empty bucket to the next: the linker leads the calls here. */
static unsigned n_starts;

int __real_bpf_map_get_next_key(int fd, const void *key, void *next_key);
int __wrap_bpf_map_get_next_key(int fd, const void *key, void *next_key);

int __wrap_bpf_map_get_next_key(int fd, const void *key, void *next_key)
{
	struct fw_ends unused;

	n_starts += !key || bpf_map_lookup_elem(fd, key, &unused) < 0;
	return __real_bpf_map_get_next_key(fd, key, next_key);
}

/* Ends that nothing needs any more are removed in one walk, not in one for each: time would be the square of their number. */
static void test_stale_ends_go_in_one_walk(void **state)
{
	struct table_writer *w = firewall_writer(firewall);
	uint32_t until = tick_now() + 12;

	for (uint32_t i = 0; i < N_STALE; i++) {
		assert_int_equal(add(w, i, LIST_MANUAL, until), 0);
		assert_int_equal(add(w, i, LIST_OTHER, FW_UNTIL_NEVER), 0);
	}
	while (tick_now() <= until)
		usleep(10000);
	assert_int_equal(table_sweep(w, NULL, NULL), 0); /* keeps the ends: a packet may have read the entries */
	assert_int_equal(table_commit(w), 0);

	n_starts = 0;
	assert_int_equal(table_repair(w), 0);
	assert_int_equal(table_commit(w), 0);
	printf("# %u walks from the start\n", n_starts);
	assert_in_range(n_starts, 1, 4);
	for (uint32_t i = 0; i < N_STALE; i++)
		remove_entry(w, i, LIST_OTHER);
	assert_int_equal(table_commit(w), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ends_are_found_while_the_map_grows),
		cmocka_unit_test(test_ends_outlast_an_exception_that_has_ended),
		cmocka_unit_test(test_allow_after_many_mixed_ends),
		cmocka_unit_test(test_writer_killed_while_the_map_grows),
		cmocka_unit_test(test_stale_ends_go_in_one_walk),
	};

	return suite_run(tests, suite_set_up, suite_tear_down);
}
