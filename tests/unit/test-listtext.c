// SPDX-License-Identifier: GPL-2.0-or-later

/* listtext.c and listheader.c: what a list file may say, what it means, and how it is written. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lists/listtext.h"
#include "unit.h"

static void freelistp(struct list **l)
{
	(void) list_free(*l);
}

/* -EBADMSG: there is a mistake, the first is in this line. */
static int parse(const char *name, const char *text, size_t size, struct list **ret, size_t *lineno,
		 const char **error)
{
	char *copy = malloc(size + 1);
	int r;

	assert_non_null(copy);
	memcpy(copy, text, size);
	r = list_parse(name, copy, size, ret);
	if (r < 0 || (*ret)->mistakes.n == 0)
		return r;
	*lineno = (*ret)->mistakes.first[0].line;
	*error = (*ret)->mistakes.first[0].error;
	*ret = list_free(*ret);
	return -EBADMSG;
}

/* Parses and prints without the header, "; " for the end of a line. */
static int round_trip(const char *text, char *out, size_t out_size, size_t *lineno,
		      const char **error)
{
	_cleanup_(freelistp) struct list *l = NULL;
	_cleanup_free_ char *printed = NULL;
	size_t size = 0;
	int r;

	out[0] = '\0';
	r = parse("manual", text, strlen(text), &l, lineno, error);
	if (r < 0)
		return r;

	assert_int_equal(list_print(NULL, l->items, l->n_items, &printed, &size), 0);
	assert_true(size < out_size);
	memcpy(out, printed, size);
	out[size] = '\0';
	return 0;
}

#define HEADER "#!ebpf-fw list=manual action=block mode=enforce enabled=yes direction=default\n"

static void test_accepted(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "",                                    "" },
		{ "\n\n\r\n",                            "" },
		{ HEADER,                                "" },
		{ "# comment\n   # comment\n#\n",        "" },
		{ "192.0.2.1\n",                         "192.0.2.1\n" },
		{ HEADER "192.0.2.1\n",                  "192.0.2.1\n" },
		{ "192.0.2.1\r\n2001:db8::/32\r\n",      "192.0.2.1\n2001:db8::/32\n" },
		{ "\t 192.0.2.1 \t \n",                  "192.0.2.1\n" },
		{ "192.0.2.9/24\n",                      "192.0.2.0/24\n" },
		{ "192.0.2.1-192.0.2.3 in\n",            "192.0.2.1 in\n192.0.2.2/31 in\n" },
		{ "tcp/8000-8100 out\n",                 "tcp/8000-8100 out\n" },
		{ "192.0.2.1 both\n",                    "192.0.2.1 both\n" },
		{ "192.0.2.1 until=1790000000 in # seen\n", "192.0.2.1 until=1790000000 in # seen\n" },
		{ "192.0.2.1 in until=1790000000\n",     "192.0.2.1 until=1790000000 in\n" },
		{ "192.0.2.1 until=1\n",                 "192.0.2.1 until=1\n" },
		{ "192.0.2.1 until=253402300799\n",      "192.0.2.1 until=253402300799\n" },
		{ "192.0.2.1 #\n",                       "192.0.2.1\n" },
		{ "192.0.2.1 #   \n",                    "192.0.2.1\n" },
		{ "192.0.2.1 #a # b  c \r\n",            "192.0.2.1 # a # b  c\n" },
		{ "192.0.2.1 # a\tb\033[2Jc\rd\n",       "192.0.2.1 # a b [2Jc d\n" },
		{ "192.0.2.1 # caf\303\251\n",           "192.0.2.1 # caf\303\251\n" },
		{ "192.0.2.1 # until=5 in\n",            "192.0.2.1 # until=5 in\n" },

		/* the last line about a target decides */
		{ "192.0.2.1 in\n192.0.2.1 out\n",       "192.0.2.1 out\n" },
		{ "192.0.2.1 in\n192.0.2.1\n",           "192.0.2.1\n" },
		{ "192.0.2.1\n!remove 192.0.2.1\n",      "" },
		{ "!remove 192.0.2.1\n192.0.2.1\n",      "192.0.2.1\n" },
		{ "192.0.2.1\n!remove 192.0.2.1\n192.0.2.1 until=7\n", "192.0.2.1 until=7\n" },
		{ "!remove 192.0.2.1\n",                 "" },
		{ "192.0.2.1\n!remove 192.0.2.1 # pardoned\n", "" },
		{ "192.0.2.0/24\n!remove 192.0.2.0/25\n", "192.0.2.0/24\n" }, /* another target */
		{ "192.0.2.0/30\n192.0.2.4\n!remove 192.0.2.0-192.0.2.4\n", "" },
		{ "tcp/80\ntcp/80-81\n!remove tcp/80\n", "tcp/80-81\n" },

		/* what it does not say it takes over, as long as the target was in the list all the time */
		{ "192.0.2.1 since=7 in # a\n",         "192.0.2.1 in since=7 # a\n" },
		{ "192.0.2.1 since=7 # a\n192.0.2.1 since=8\n", "192.0.2.1 since=7 # a\n" },
		{ "192.0.2.1 since=7 # a\n192.0.2.1 since=8 # b\n192.0.2.1 since=9\n",
		  "192.0.2.1 since=7 # b\n" },
		{ "192.0.2.1 # a\n192.0.2.1 since=8\n", "192.0.2.1 since=8 # a\n" },
		{ "192.0.2.1 since=7 # a\n!remove 192.0.2.1\n192.0.2.1 since=9\n", "192.0.2.1 since=9\n" },
		{ "192.0.2.1 since=7 until=9 # a\n192.0.2.1 since=9\n", "192.0.2.1 since=9\n" },
		{ "192.0.2.1 since=7 until=9 # a\n192.0.2.1 since=8\n", "192.0.2.1 since=7 # a\n" },
		{ "192.0.2.2 since=1 # b\n192.0.2.1 since=7 # a\n192.0.2.1 in\n192.0.2.2 out\n",
		  "192.0.2.1 in since=7 # a\n192.0.2.2 out since=1 # b\n" },

		/* sorted */
		{ "udp/53\ntcp/80\n2001:db8::1\n192.0.2.1\n192.0.2.0/24\n",
		  "192.0.2.0/24\n192.0.2.1\n2001:db8::1\ntcp/80\nudp/53\n" },

		/* as editors write it */
		{ "\357\273\277192.0.2.1\n",             "192.0.2.1\n" },
		{ "\357\273\277" HEADER "192.0.2.1\r\n", "192.0.2.1\n" },
		{ "; comment\n192.0.2.1 ; one\n ;\n",    "192.0.2.1 # one\n" },
		{ "192.0.2.1 in ; a # b\n",              "192.0.2.1 in # a # b\n" },

		/* a last line that has no end counts ... */
		{ "192.0.2.1",                           "192.0.2.1\n" },
		{ "192.0.2.1\r\n192.0.2.2\r",           "192.0.2.1\n192.0.2.2\n" },
		{ "192.0.2.1\n192.0.2.2 in # x",         "192.0.2.1\n192.0.2.2 in # x\n" },
		{ "192.0.2.1 both since=1790000000\n192.0.2.2 both since=1790000000",
		  "192.0.2.1 both since=1790000000\n192.0.2.2 both since=1790000000\n" },
		/* ... unless it is torn */
		{ "192.0.2.1 both since=1790000000\n192.0.2.2", "192.0.2.1 both since=1790000000\n" },
		{ "192.0.2.1 both since=1790000000\n192.0.2.2 both", "192.0.2.1 both since=1790000000\n" },
		{ "192.0.2.1 both since=1790000000\n192.0.2.2 both since=17900000", "192.0.2.1 both since=1790000000\n" },
		{ "192.0.2.1\n192.0.2.2 both since=17900000", "192.0.2.1\n" },
		{ "192.0.2.1\n!remove 192.0.2.9\n192.0.2.2", "192.0.2.1\n" },
		{ "192.0.2.1\n!remove 192.0.2.1",        "192.0.2.1\n" },
		{ "192.0.2.1\nnonsense",                 "192.0.2.1\n" },
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		char out[1024], again[1024];
		size_t lineno = 0;
		const char *error = NULL;
		int r = round_trip(rows[i].in, out, sizeof(out), &lineno, &error);

		CHECK(r == 0, "row %zu gives %d in line %zu: %s", i, r, lineno, error);
		CHECK(strcmp(out, rows[i].out) == 0, "row %zu is '%s'", i, out);

		r = round_trip(out, again, sizeof(again), &lineno, &error);
		CHECK(r == 0 && strcmp(out, again) == 0, "row %zu printed is '%s', then '%s'", i,
		      out, again);
	}
}

static void test_refused(void **state)
{
	static const char expected[] =
		"expected an address, prefix, range (192.0.2.1-192.0.2.9) or port (tcp/80)";
	static const char names[] =
		"names are not looked up: give an address, a range, or a port like tcp/80";
	static const char word[] = "unknown word, expected until=SECONDS, since=SECONDS, in, out, both or # COMMENT";
	static const char until[] = "until= and since= must be in seconds since 1970, up to the year 9999";
	static const char removal[] = "nothing but a comment may follow the target of !remove";
	static const char key[] = "unknown key in the header: list= action= mode= enabled= direction=";
	static const char twice[] = "a key is given twice in the header";
	static const struct {
		const char *in;
		size_t lineno;
		const char *error;
	} rows[] = {
		{ "nonsense\n",                          1, names },
		{ "192.0.2.1\n\n# x\n192.0.2\n",         4, expected },
		{ "192.0.2.0/33\n",                      1, "prefix length must be 0 to 32" },
		{ "192.0.2.2-192.0.2.1\n",               1, "range ends before it starts" },
		{ "192.0.2.1 192.0.2.2\n",               1, word },
		{ "192.0.2.1 inn\n",                     1, word },
		{ "192.0.2.1 IN\n",                      1, word },
		{ "192.0.2.1 until\n",                   1, word },
		{ "192.0.2.1 default\n",                 1, word },
		{ "192.0.2.1 in in\n",                   1, "the direction is given twice" },
		{ "192.0.2.1 in out\n",                  1, "the direction is given twice" },
		{ "192.0.2.1 until=1 until=1\n",         1, "until= or since= is given twice" },
		{ "192.0.2.1 until=\n",                  1, until },
		{ "192.0.2.1 until=0\n",                 1, until },
		{ "192.0.2.1 until=-1\n",                1, until },
		{ "192.0.2.1 until=01\n",                1, until },
		{ "192.0.2.1 until=1.5\n",               1, until },
		{ "192.0.2.1 until=10m\n",               1, until },
		{ "192.0.2.1 until=253402300800\n",      1, until },
		{ "192.0.2.1 until=99999999999999999999\n", 1, until },
		{ "192.0.2.1# comment\n",                1, expected },
		{ "192.0.2.1\v\n",                       1, expected },
		{ "192.0.2.1\r\r\n",                     1, expected },
		{ "\n\357\273\277192.0.2.1\n",           2, expected },
		{ "!remove\n",                           1, expected },
		{ "!remove # 192.0.2.1\n",               1, expected },
		{ "!remove 192.0.2.1 in\n",              1, removal },
		{ "!remove 192.0.2.1 until=1\n",         1, removal },
		{ "!remove 192.0.2.1 192.0.2.2\n",       1, removal },
		{ "!removed 192.0.2.1\n",                1, names },
		{ "! remove 192.0.2.1\n",                1, expected },
		{ "include other.list\n",                1, names },

		{ "#!ebpf-fw color=red\n",               1, key },
		{ "#!ebpf-fw action\n",                  1, key },
		{ "#!ebpf-fw Action=block\n",            1, key },
		{ "#!ebpf-fw action=drop\n",             1, "action= in the header must be block or allow" },
		{ "#!ebpf-fw action=\n",                 1, "action= in the header must be block or allow" },
		{ "#!ebpf-fw mode=off\n",                1, "mode= in the header must be enforce or audit" },
		{ "#!ebpf-fw enabled=1\n",               1, "enabled= in the header must be yes or no" },
		{ "#!ebpf-fw direction=inout\n",         1, "direction= in the header must be in, out, both or default" },
		{ "#!ebpf-fw list=other\n",              1, "list= in the header is not the name of this file" },
		{ "#!ebpf-fw list=manual2\n",            1, "list= in the header is not the name of this file" },
		{ "#!ebpf-fw mode=audit mode=audit\n",   1, twice },
		{ "192.0.2.1\n" HEADER,                  2, "a header can only be the first line" },
		{ HEADER HEADER,                         2, "a header can only be the first line" },
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		char out[1024];
		size_t lineno = 0;
		const char *error = NULL;
		int r = round_trip(rows[i].in, out, sizeof(out), &lineno, &error);

		CHECK(r == -EBADMSG, "row %zu, '%s', gives %d", i, rows[i].in, r);
		CHECK(lineno == rows[i].lineno, "row %zu: line %zu", i, lineno);
		CHECK(strcmp(error, rows[i].error) == 0, "row %zu, '%s', says '%s'", i, rows[i].in,
		      error);
	}
}

/* A typo costs its line, and no other. */
static void test_one_bad_line(void **state)
{
	static const struct {
		const char *name, *in, *out;
		size_t n_mistakes, line;
		bool is_action_unclear;
	} rows[] = {
		{ "manual", "192.0.2.1\n192.0.2.x\n192.0.2.3\n", "192.0.2.1\n192.0.2.3\n", 1, 2, false },
		{ "manual", "x\n192.0.2.1\n192.0.2.2 inn\ntcp/80\n", "192.0.2.1\ntcp/80\n", 2, 1, false },
		{ "manual", "192.0.2.1-192.0.2.9 out in\n192.0.2.3\n", "192.0.2.3\n", 1, 1, false },
		{ "manual", "#!ebpf-fw actoin=block\n192.0.2.3\n", "192.0.2.3\n", 1, 1, false },
		{ "manual", "#!ebpf-fw list=other action=allow mode=audit\n192.0.2.3\n", "192.0.2.3\n", 1, 1, false },
		{ "x", "#!ebpf-fw list=other action=allow\n192.0.2.3\n", "192.0.2.3\n", 1, 1, false },
		{ "x", "#!ebpf-fw action=drop\n192.0.2.3\n", "192.0.2.3\n", 1, 1, true },
		{ "x", "#!ebpf-fw actoin=allow mode=audit\n192.0.2.3\n", "192.0.2.3\n", 1, 1, true },
		{ "x", "192.0.2.1\n#!ebpf-fw action=drop\n192.0.2.3\n", "192.0.2.1\n192.0.2.3\n", 1, 2, false },
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_(freelistp) struct list *l = NULL;
		_cleanup_free_ char *printed = NULL;
		size_t size;

		assert_int_equal(list_parse(rows[i].name, strdup(rows[i].in), strlen(rows[i].in), &l), 0);
		assert_int_equal(list_print(NULL, l->items, l->n_items, &printed, &size), 0);
		CHECK(strcmp(printed, rows[i].out) == 0, "row %zu is '%s'", i, printed);
		CHECK(l->mistakes.n == rows[i].n_mistakes && l->mistakes.first[0].line == rows[i].line &&
			      l->mistakes.is_action_unclear == rows[i].is_action_unclear,
		      "row %zu: %zu mistakes, the first in line %zu: %s", i, l->mistakes.n, l->mistakes.first[0].line,
		      l->mistakes.first[0].error);
	}
}

/* What does make sense of a header counts; the two lists that are always there cannot be turned round. */
static void test_bad_header(void **state)
{
	static const struct {
		const char *name, *in;
		enum fw_action action;
		enum fw_mode mode;
		bool is_wrong;
	} rows[] = {
		{ "manual", "#!ebpf-fw list=manual action=allow mode=audit\n", FW_ACTION_BLOCK, FW_MODE_AUDIT,   true  },
		{ "allow",  "#!ebpf-fw action=block\n",                        FW_ACTION_ALLOW, FW_MODE_ENFORCE, true  },
		{ "manual", "#!ebpf-fw action=block\n",                        FW_ACTION_BLOCK, FW_MODE_ENFORCE, false },
		{ "allow",  "#!ebpf-fw action=allow\n",                        FW_ACTION_ALLOW, FW_MODE_ENFORCE, false },
		{ "manual2", "#!ebpf-fw action=allow\n",                       FW_ACTION_ALLOW, FW_MODE_ENFORCE, false },
		{ "x",      "#!ebpf-fw mode=off action=allow\n",               FW_ACTION_ALLOW, FW_MODE_ENFORCE, true  },
		{ "x",      "#!ebpf-fw enabled=1 mode=audit\n",                FW_ACTION_BLOCK, FW_MODE_AUDIT,   true  },
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_(freelistp) struct list *l = NULL;

		assert_int_equal(list_parse(rows[i].name, strdup(rows[i].in), strlen(rows[i].in), &l), 0);
		CHECK(l->header.action == rows[i].action && l->header.mode == rows[i].mode &&
			      l->mistakes.is_header_wrong == rows[i].is_wrong,
		      "row %zu: action %d, mode %d", i, l->header.action, l->header.mode);
	}
}

static void test_nul(void **state)
{
	static const struct {
		const char *text;
		size_t size;
		int r;
	} rows[] = {
		{ "192.0.2.1\0\n",              11, -EBADMSG },
		{ "192.0.2.1 in\0\n",           14, -EBADMSG },
		{ "\0\n",                       2,  -EBADMSG },
		{ "#!ebpf-fw list=manual\0\n",  23, -EBADMSG },
		{ "192.0.2.1 # a\0b\n",         16, 0 },
		{ "192.0.2.1\n\0\0\0\0",        14, 0 }, /* what a crash may leave behind the last write */
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_(freelistp) struct list *l = NULL;
		size_t lineno;
		const char *error = NULL;
		int r = parse("manual", rows[i].text, rows[i].size, &l, &lineno, &error);

		CHECK(r == rows[i].r, "row %zu gives %d", i, r);
		CHECK(r < 0 || l->n_items == 1, "row %zu has %zu items", i, r < 0 ? 0 : l->n_items);
	}
}

static void test_counts(void **state)
{
	static const struct {
		const char *in;
		size_t n_lines, n_items;
		bool is_torn;
	} rows[] = {
		{ "",                                   0, 0, false },
		{ "192.0.2.1",                          1, 1, false },
		{ "\n",                                 1, 0, false },
		{ HEADER "192.0.2.1\n192.0.2.1\n!remove 192.0.2.2\n", 4, 1, false },
		{ HEADER "192.0.2.1\n192",              2, 1, true  },
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_(freelistp) struct list *l = NULL;
		size_t lineno;
		const char *error;

		assert_int_equal(
			parse("manual", rows[i].in, strlen(rows[i].in), &l, &lineno, &error), 0);
		CHECK(l->n_lines == rows[i].n_lines && l->n_items == rows[i].n_items &&
			      l->is_torn == rows[i].is_torn,
		      "row %zu: %zu lines, %zu items, torn %d", i, l->n_lines, l->n_items,
		      l->is_torn);
	}
}

static void test_header(void **state)
{
	static const struct {
		const char *name, *in, *out;
	} rows[] = {
		{ "manual", "", HEADER },
		{ "manual", "#!ebpf-fw\n", HEADER },
		{ "manual", HEADER, HEADER },
		{ "manual", "#! /bin/sh\n", HEADER }, /* a comment like any other */
		{ "manual", "#!ebpf-fwx\n", HEADER },
		{ "allow", "",
		  "#!ebpf-fw list=allow action=allow mode=enforce enabled=yes "
		  "direction=default\n" },
		{ "fail2ban/sshd", "#!ebpf-fw enabled=no  mode=audit\tdirection=in #  mine # own \r\n",
		  "#!ebpf-fw list=fail2ban/sshd action=block mode=audit enabled=no "
		  "direction=in # mine # own\n" },
		{ "manual", "#!ebpf-fw # \n", HEADER },
		{ "x", "#!ebpf-fw direction=out action=allow list=x\n",
		  "#!ebpf-fw list=x action=allow mode=enforce enabled=yes direction=out\n" },
		{ "x", "#!ebpf-fw direction=both\n",
		  "#!ebpf-fw list=x action=block mode=enforce enabled=yes direction=both\n" },
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_(freelistp) struct list *l = NULL;
		_cleanup_free_ char *printed = NULL;
		size_t lineno, size;
		const char *error = NULL;
		int r = parse(rows[i].name, rows[i].in, strlen(rows[i].in), &l, &lineno, &error);

		CHECK(r == 0, "row %zu: %s", i, error);
		assert_int_equal(list_print(&l->header, NULL, 0, &printed, &size), 0);
		CHECK(strcmp(printed, rows[i].out) == 0, "row %zu: '%s'", i, printed);
	}
}

/* Whatever a comment holds, it stays one comment on one line. */
static void test_comment_injection(void **state)
{
	static const char *const comments[] = {
		"\n198.51.100.1",
		"x\n!remove 192.0.2.1\n",
		"\r\n198.51.100.1\r\n",
		"a\rb",
		"\033[2J",
		"\n\n\n",
		"#",
		"# x",
		"\t",
		" x ",
		"\177",
		"x\n#!ebpf-fw action=allow\n",
		"until=1 in",
	};
	const char *error;

	for (size_t i = 0; i < ELEMENTSOF(comments); i++) {
		struct list_line line = { .comment = comments[i] };
		_cleanup_(freelistp) struct list *l = NULL;
		_cleanup_free_ char *printed = NULL;
		size_t size, lineno;

		assert_int_equal(target_parse("192.0.2.1", 9, &line.target, &error), 0);
		assert_int_equal(list_print(NULL, &line, 1, &printed, &size), 0);
		for (size_t k = 0; k + 1 < size; k++)
			CHECK(printed[k] >= ' ' && printed[k] != 0x7f,
			      "row %zu has a control character", i);

		assert_int_equal(parse("manual", printed, size, &l, &lineno, &error), 0);
		CHECK(l->n_lines == 1 && l->n_items == 1, "row %zu makes %zu lines", i, l->n_lines);
		CHECK(target_compare(&l->items[0].target, &line.target) == 0 &&
			      l->items[0].until == 0 && l->items[0].directions == 0,
		      "row %zu changes its entry", i);
	}
}

static void test_words(void **state)
{
	static const char *const wrong[] = { "", "BLOCK", "bloc", "blocks", "block ", "drop", "Audit", "off" };

	for (unsigned a = 0; a < _FW_ACTION_MAX; a++) {
		const char *word = action_to_string((enum fw_action)a);

		assert_non_null(word);
		assert_int_equal(action_from_string(word, strlen(word)), a);
	}
	assert_null(action_to_string(_FW_ACTION_MAX));

	for (unsigned m = 0; m < _FW_MODE_MAX; m++) {
		const char *word = mode_to_string((enum fw_mode)m);

		assert_non_null(word);
		assert_int_equal(mode_from_string(word, strlen(word)), m);
	}
	assert_null(mode_to_string(_FW_MODE_MAX));

	for (size_t i = 0; i < ELEMENTSOF(wrong); i++) {
		assert_int_equal(action_from_string(wrong[i], strlen(wrong[i])), -EINVAL);
		assert_int_equal(mode_from_string(wrong[i], strlen(wrong[i])), -EINVAL);
	}
}

/* 200000 lines in the worst order are read in a fraction of a second; the limit allows for sanitizers. */
/*
 * What a failing disk may make of a file: bits that flip, stretches that are lost or doubled. Whatever comes out,
 * it is a list in order, or refused with a line; a sanitizer sees what is read beside it.
 */
static void test_damaged(void **state)
{
	static const char whole[] = "#!ebpf-fw list=manual action=block mode=enforce enabled=yes direction=default\n"
				    "192.0.2.0/24 until=1790000000 in # seen\n2001:db8::/32\ntcp/8000-8100 out\n"
				    "!remove 192.0.2.0/24\n198.51.100.7 both since=1780000000\n";
	uint32_t random = 2463534242; /* xorshift: the same damage in each run */
	size_t n_refused = 0;

	for (unsigned turn = 0; turn < 20000; turn++) {
		_cleanup_(freelistp) struct list *l = NULL;
		char text[2 * sizeof(whole)];
		size_t size = sizeof(whole) - 1, at, n, lineno = 0;
		const char *error = NULL;
		int r;

		memcpy(text, whole, size);
		for (unsigned i = 0; i <= turn % 4; i++) {
			random ^= random << 13;
			random ^= random >> 17;
			random ^= random << 5;
			at = random % size;
			n = random >> 16 & 15;
			if (turn % 3 == 0 || at + n > size || size + n > sizeof(text)) {
				text[at] ^= 1 << (random >> 24 & 7);
			} else if (turn % 3 == 1) {
				memmove(text + at, text + at + n, size - at - n);
				size -= n;
			} else {
				memmove(text + at + n, text + at, size - at);
				size += n;
			}
		}

		r = parse("manual", text, size, &l, &lineno, &error);
		CHECK(r == 0 || (r == -EBADMSG && error && lineno > 0), "turn %u gives %d at line %zu", turn, r, lineno);
		n_refused += r < 0;
		for (size_t i = 1; r == 0 && i < l->n_items; i++)
			CHECK(target_compare(&l->items[i - 1].target, &l->items[i].target) < 0, "turn %u", turn);
	}
	assert_in_range(n_refused, 1000, 19000); /* else the damage is too much or too little to tell anything */
}

static void test_long(void **state)
{
	static const char *const rows[] = {
		"192.0.2.0/99999999999999999999999999\n",
		"192.0.2.0 until=99999999999999999999999999\n",
		"tcp/99999999999999999999\n",
		"192.0.2.0 until=-1\n",
		"999999999999999999999.0.2.1\n",
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_(freelistp) struct list *l = NULL;
		const char *error = NULL;
		size_t lineno = 0;

		CHECK(parse("manual", rows[i], strlen(rows[i]), &l, &lineno, &error) == -EBADMSG && lineno == 1, "%s",
		      rows[i]);
	}
}

static void test_large(void **state)
{
	const size_t n = 200000;
	_cleanup_(freelistp) struct list *l = NULL;
	char *text = malloc(n * 40), *at = text;
	clock_t start;

	assert_non_null(text);
	for (size_t i = n; i-- > 0;)
		at += sprintf(at, "10.%zu.%zu.%zu until=1790000000 # x\n", i >> 16 & 0xff,
			      i >> 8 & 0xff, i & 0xff);

	start = clock();
	assert_int_equal(list_parse("manual", text, (size_t)(at - text), &l), 0);
	assert_true(clock() - start < 5 * CLOCKS_PER_SEC);
	assert_int_equal(l->n_items, n);
	for (size_t i = 1; i < n; i++)
		assert_true(target_compare(&l->items[i - 1].target, &l->items[i].target) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_one_bad_line),
		cmocka_unit_test(test_bad_header),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_comment_injection),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_large),
	};

	return cmocka_run_group_tests_name("listtext", tests, NULL, NULL);
}
