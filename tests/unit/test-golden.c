// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * The files in tests/golden. NAME.list, parsed and printed, is NAME.want, and that gives itself
 * again. NAME.bad has a mistake, of which NAME.err says "LINE: sentence". A new case is a new pair of
 * files.
 */

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lists/listtext.h"
#include "unit.h"

static void freelistp(struct list **l)
{
	(void) list_free(*l);
}

/* Whole, with a NUL behind it; from malloc(3). */
static char *read_file(const char *path, size_t *ret_size)
{
	_cleanup_fclose_ FILE *f = fopen(path, "r");
	char *text = malloc(65536);

	CHECK(f, "cannot open '%s': %s", path, strerror(errno));
	assert_non_null(text);
	*ret_size = fread(text, 1, 65535, f);
	text[*ret_size] = '\0';
	return text;
}

/* "DIR/NAME.list" -> "NAME" */
static void name_of(const char *path, char name[static FW_LIST_NAME_MAX])
{
	const char *file = strrchr(path, '/') + 1;

	snprintf(name, FW_LIST_NAME_MAX, "%.*s", (int)strcspn(file, "."), file);
}

/* "DIR/NAME.list" -> "DIR/NAME.want" */
static char *read_beside(const char *path, const char *suffix)
{
	char other[4096];
	size_t size;

	snprintf(other, sizeof(other), "%.*s%s", (int)(strrchr(path, '.') - path), path, suffix);
	return read_file(other, &size);
}

static void check_print(const char *path, const char *name, char *text, size_t size,
			const char *want)
{
	_cleanup_(freelistp) struct list *l = NULL;
	_cleanup_free_ char *printed = NULL;
	size_t n_printed;

	assert_int_equal(list_parse(name, text, size, &l), 0);
	CHECK(l->mistakes.n == 0, "'%s', line %zu: %s", path, l->mistakes.first[0].line, l->mistakes.first[0].error);
	assert_int_equal(list_print(&l->header, l->items, l->n_items, &printed, &n_printed), 0);
	CHECK(strcmp(printed, want) == 0, "'%s' prints\n%s", path, printed);
}

static void check_list(const char *path)
{
	_cleanup_free_ char *want = read_beside(path, ".want");
	char name[FW_LIST_NAME_MAX];
	size_t size;
	char *text = read_file(path, &size);

	name_of(path, name);
	check_print(path, name, text, size, want);
	check_print(path, name, strdup(want), strlen(want), want);
}

static void check_bad(const char *path)
{
	_cleanup_free_ char *want = read_beside(path, ".err");
	_cleanup_(freelistp) struct list *l = NULL;
	char name[FW_LIST_NAME_MAX], got[1024];
	size_t size;
	char *text = read_file(path, &size);

	name_of(path, name);
	assert_int_equal(list_parse(name, text, size, &l), 0);
	CHECK(l->mistakes.n > 0, "'%s' is taken", path);
	snprintf(got, sizeof(got), "%zu: %s\n", l->mistakes.first[0].line, l->mistakes.first[0].error);
	CHECK(strcmp(got, want) == 0, "'%s' says %s", path, got);
}

static void check_all(const char *pattern, size_t n_least, void (*check)(const char *path))
{
	glob_t files = {};

	assert_int_equal(glob(pattern, 0, NULL, &files), 0);
	assert_true(files.gl_pathc >= n_least); /* a wrong directory must not pass for success */
	for (size_t i = 0; i < files.gl_pathc; i++)
		check(files.gl_pathv[i]);
	globfree(&files);
}

static void test_lists(void **state)
{
	check_all(GOLDEN_DIR "/*.list", 6, check_list);
}

static void test_bad(void **state)
{
	check_all(GOLDEN_DIR "/*.bad", 17, check_bad);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_bad),
	};

	return cmocka_run_group_tests_name("golden", tests, NULL, NULL);
}
