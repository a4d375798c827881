// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * listread.c: whatever the file, its entries are those that listfile_read() finds, in the same order, and the lines
 * that are wrong are the same, in the same words. Nobody but listfile_read() is asked what is right.
 */

#include <errno.h>
#include <ftw.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lists/listread.h"
#include "unit.h"

static char dir[] = "/tmp/ebpf-fw-listread-XXXXXX";
static char path[sizeof(dir) + sizeof("/lists/some.list")];

static int remove_one(const char *name, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(name);
}

static int setup(void **state)
{
	if (!mkdtemp(dir))
		return -1;
	sprintf(path, "%s/lists", dir);
	if (mkdir(path, 0700) < 0)
		return -1;
	sprintf(path, "%s/lists/some.list", dir);
	return 0;
}

static int teardown(void **state)
{
	return nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void write_text(const char *text, size_t size)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, size, f), size);
	assert_int_equal(fclose(f), 0);
}

/* What is expected, and how far it has come. */
struct expected {
	const char *what;
	const struct list *list;
	size_t n;
	size_t stop_at;
};

static int check_entry(const struct list_line *line, void *userdata)
{
	struct expected *x = userdata;
	const struct list_line *want = &x->list->items[x->n];
	char text[TARGET_TEXT_MAX];

	CHECK(x->n < x->list->n_items, "%s: one more than the %zu: %s", x->what, x->list->n_items,
	      target_format(&line->target, text));
	CHECK(target_compare(&line->target, &want->target) == 0, "%s: entry %zu is %s", x->what, x->n,
	      target_format(&line->target, text));
	CHECK(line->until == want->until && line->directions == want->directions && !line->is_removal,
	      "%s: entry %zu, %s", x->what, x->n, target_format(&line->target, text));
	CHECK(!line->comment && line->since == 0, "%s: entry %zu says what nobody may believe", x->what, x->n);
	return ++x->n == x->stop_at ? -EINTR : 0;
}

static void check_same(const char *what)
{
	_cleanup_(list_reader_freep) struct list_reader *reader = NULL;
	_cleanup_(list_freep) struct list *list = NULL;
	const struct list_mistakes *m;
	struct expected x = { .what = what };
	uint64_t n = 0;
	int r, want;

	want = listfile_read(dir, "some", &list);
	r = list_reader_open(dir, "some", &reader);
	CHECK(r == want, "%s: %d where %d was expected", what, r, want);
	if (r < 0)
		return;
	m = list_reader_mistakes(reader);
	CHECK(memcmp(m, &list->mistakes, sizeof(*m)) == 0, "%s: %zu mistakes, the first in line %zu: %s", what, m->n,
	      m->first[0].line, m->first[0].error);
	CHECK(list_reader_is_list(reader) == (list->n_understood > 0 || m->n == 0), "%s", what);

	CHECK(list_reader_is_torn(reader) == list->is_torn, "%s", what);
	CHECK(strcmp(list_reader_header(reader)->name, list->header.name) == 0 &&
		      list_reader_header(reader)->action == list->header.action &&
		      list_reader_header(reader)->mode == list->header.mode &&
		      list_reader_header(reader)->is_enabled == list->header.is_enabled &&
		      list_reader_header(reader)->directions == list->header.directions &&
		      !list_reader_header(reader)->comment,
	      "%s", what);
	for (enum fw_kind kind = FW_KIND_IPV4; kind < _FW_KIND_MAX; kind++)
		n += list_reader_count(reader, kind);
	CHECK(n >= list->n_items, "%s: room for %ju is too little", what, (uintmax_t)n);

	x.list = list;
	for (unsigned i = 0; i < 2; i++) { /* it may be asked again */
		x.n = 0;
		CHECK(list_reader_each(reader, check_entry, &x) == 0, "%s", what);
		CHECK(x.n == list->n_items, "%s: %zu of %zu", what, x.n, list->n_items);
	}
	if (list->n_items == 0)
		return;
	x = (struct expected){ .what = what, .list = list, .stop_at = (list->n_items + 1) / 2 };
	CHECK(list_reader_each(reader, check_entry, &x) == -EINTR, "%s does not stop", what);
	CHECK(x.n == x.stop_at, "%s stops at %zu", what, x.n);
}

static void check_file(const char *name)
{
	_cleanup_fclose_ FILE *f = fopen(name, "r");
	static char text[65536];
	size_t n;

	CHECK(f, "cannot open '%s'", name);
	n = fread(text, 1, sizeof(text), f);
	for (size_t i = 0; i <= n; i++) { /* ended anywhere: torn */
		write_text(text, i);
		check_same(name);
	}
}

static void test_golden(void **state)
{
	const char *patterns[] = { GOLDEN_DIR "/*.list", GOLDEN_DIR "/*.bad" };

	for (size_t p = 0; p < 2; p++) {
		glob_t files = {};

		assert_int_equal(glob(patterns[p], 0, NULL, &files), 0);
		assert_true(files.gl_pathc >= 6);
		for (size_t i = 0; i < files.gl_pathc; i++)
			check_file(files.gl_pathv[i]);
		globfree(&files);
	}
}

/* One line of a history in which the same few targets come and go. */
static int print_line(char *text, size_t size, unsigned n)
{
	const char *tails[] = { "", " in", " out", " until=1790000000", " since=1789990000 # why", "\r" };
	const char *tail = tails[rand() % 6];

	switch (rand() % 9) {
	case 8:
		return snprintf(text, size, "192.0.2.%u%s\n", n, rand() % 2 ? " inn" : "-192.0.2.0");
	case 0:
		return snprintf(text, size, "!remove 192.0.2.%u\n", n);
	case 1:
		return snprintf(text, size, "2001:db8::%x%s\n", n, tail);
	case 2:
		return snprintf(text, size, "tcp/%u%s\n", n + 1, tail);
	case 3:
		return snprintf(text, size, "192.0.2.%u-192.0.2.%u%s\n", n, n + (unsigned)rand() % 9, tail);
	default:
		return snprintf(text, size, "192.0.2.%u%s\n", n, tail);
	}
}

static void test_histories(void **state)
{
	char text[16384], what[32];

	srand(1);
	for (unsigned i = 0; i < 500; i++) {
		int n = snprintf(text, sizeof(text), i % 2 ? "#!ebpf-fw list=some mode=audit direction=in # of tests\n" : "");
		unsigned n_sorted = (unsigned)rand() % 40, n_more = (unsigned)rand() % 20;

		for (unsigned k = 0; k < n_sorted; k++)
			n += snprintf(text + n, sizeof(text) - (size_t)n, "192.0.2.%u%s\n", 5 * k, k % 3 ? "" : " # one");
		for (unsigned k = 0; k < n_more; k++)
			n += print_line(text + n, sizeof(text) - (size_t)n, (unsigned)rand() % 220);
		write_text(text, (size_t)n);
		snprintf(what, sizeof(what), "history %u", i);
		check_same(what);
	}
}

/* Lines that cross the edge of what is read at a time, and one that is longer than that. */
static void test_long(void **state)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	for (unsigned i = 0; i < 40000; i++)
		fprintf(f, "10.%u.%u.0/24%s\n", i / 256, i % 256, i % 7 ? "" : " until=1790000000 # a comment");
	fprintf(f, "# %200000s\n", "a comment");
	for (unsigned i = 0; i < 20000; i++) /* more than are kept without asking for memory */
		fprintf(f, "%s10.%u.%u.0/24\n", i % 5 ? "" : "!remove ", i * 7 % 40000 / 256, i * 7 % 256);
	assert_int_equal(fclose(f), 0);
	check_same("a long file");
}

#define N_CHANGED 40000

static const char *line_of(unsigned i, char text[static 32])
{
	(void) snprintf(text, 32, "10.%u.%u.0/24\n", i / 256, i % 256);
	return text;
}

struct change {
	bool is_shorter; /* else it has as many lines, and each of them twice */
	bool is_done;
	struct target last;
};

static int overwrite_once(const struct list_line *line, void *userdata)
{
	struct change *c = userdata;
	char text[32];
	FILE *f;

	CHECK(!c->is_done || target_compare(&c->last, &line->target) < 0, "a target comes again");
	c->last = line->target;
	if (!c->is_done && c->is_shorter) {
		write_text("192.0.2.1\n", 10);
	} else if (!c->is_done) {
		f = fopen(path, "r+");
		assert_non_null(f);
		for (unsigned i = 0; i < N_CHANGED; i++)
			fputs(line_of(i / 2, text), f);
		assert_int_equal(fclose(f), 0);
	}
	c->is_done = true;
	return 0;
}

/* An editor that writes into the file, rather than beside it, while it is read. */
static void test_changed(void **state)
{
	char text[32];

	for (unsigned is_shorter = 0; is_shorter <= 1; is_shorter++) {
		_cleanup_(list_reader_freep) struct list_reader *reader = NULL;
		struct change change = { .is_shorter = is_shorter };
		FILE *f = fopen(path, "w");

		assert_non_null(f);
		for (unsigned i = 0; i < N_CHANGED; i++)
			fputs(line_of(i, text), f);
		assert_int_equal(fclose(f), 0);
		assert_int_equal(list_reader_open(dir, "some", &reader), 0);
		assert_int_equal(list_reader_each(reader, overwrite_once, &change), -ESTALE);
	}
}

static void test_not_there(void **state)
{
	(void) remove(path);
	check_same("no file");
	assert_int_equal(mkdir(path, 0700), 0);
	check_same("a directory");
	assert_int_equal(remove(path), 0);
	assert_int_equal(symlink("/dev/null", path), 0);
	check_same("a symbolic link");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden), cmocka_unit_test(test_histories), cmocka_unit_test(test_long),
		cmocka_unit_test(test_changed), cmocka_unit_test(test_not_there),
	};

	return cmocka_run_group_tests_name("listread", tests, setup, teardown);
}
