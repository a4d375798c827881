// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * listfile.c and listplace.c: list files in a directory of the test's own. Above all, what is left
 * of a file when writing it ends anywhere in the middle.
 */

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lists/listfile.h"
#include "unit.h"

static char dir[] = "/tmp/ebpf-fw-listfile-XXXXXX";
static char state_dir[sizeof(dir) + sizeof("/state")];

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static int setup(void **state)
{
	strcpy(dir + sizeof(dir) - 1 - strlen("XXXXXX"), "XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	sprintf(state_dir, "%s/state", dir);
	return 0;
}

static int teardown(void **state)
{
	return nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static const char *path_of(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/lists/%s", state_dir, name);
	return path;
}

static void freelistp(struct list **l)
{
	(void) list_free(*l);
}

static void write_text(const char *file, const char *text, size_t size)
{
	FILE *f = fopen(path_of(file), "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, size, f), size);
	assert_int_equal(fclose(f), 0);
}

/* Up to 4 KiB of a file of a list; "(none)" where there is no such file. */
static const char *read_text(const char *file)
{
	static char text[4096];
	_cleanup_fclose_ FILE *f = fopen(path_of(file), "r");

	if (!f)
		return "(none)";
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	return text;
}

static struct list_line line(const char *text)
{
	struct list_line l = {};
	const char *error = NULL;
	int r = target_parse(text, strlen(text), &l.target, &error);

	CHECK(r == 0, "'%s': %s", text, error);
	return l;
}

static int append(const char *name, const char *target)
{
	struct list_header header = list_header_default(name);
	struct list_line l = line(target);

	return listfile_append(state_dir, &header, &l, 1);
}

/* The targets of a list with blanks between, or "error N". */
static const char *targets_of(const char *name)
{
	static char text[4096];
	_cleanup_(freelistp) struct list *l = NULL;
	int r = listfile_read(state_dir, name, &l);

	text[0] = '\0';
	if (r < 0)
		snprintf(text, sizeof(text), "error %d", r);
	for (size_t i = 0; r >= 0 && i < l->n_items; i++) {
		char buffer[TARGET_TEXT_MAX];

		sprintf(text + strlen(text), "%s%s", i > 0 ? " " : "",
			target_format(&l->items[i].target, buffer));
	}
	return text;
}

static void assert_no_temporary(const char *file)
{
	struct stat st;
	char name[64];

	snprintf(name, sizeof(name), ".%s.new", file);
	assert_int_equal(lstat(path_of(name), &st), -1);
	assert_int_equal(errno, ENOENT);
}

#define HEADER "#!ebpf-fw list=manual action=block mode=enforce enabled=yes direction=default\n"

static void test_names(void **state)
{
	static const struct {
		const char *name;
		bool is_valid;
	} rows[] = {
		{ "manual", true },
		{ "a", true },
		{ "fail2ban/sshd", true },
		{ "crowdsec/CAPI", true },
		{ "a/b/c/d", true },
		{ "A.b_c:d@e+f-0", true },
		{ "a..b", true },
		{ "listed", true },
		{ "a.lists", true },
		{ "123456789012345678901234567890123456789012345678901234567890123", true },
		{ "1234567890123456789012345678901234567890123456789012345678901234", false },
		{ "", false },
		{ ".", false },
		{ "..", false },
		{ ".hidden", false },
		{ "a/.hidden", false },
		{ "../a", false },
		{ "a/..", false },
		{ "a/../b", false },
		{ "/a", false },
		{ "a/", false },
		{ "a//b", false },
		{ "/", false },
		{ "a b", false },
		{ "a\n", false },
		{ "a\\b", false },
		{ "a*", false },
		{ "a%b", false },
		{ "a=b", false },
		{ "a,b", false },
		{ "caf\303\251", false },
		{ "a.list", false },
		{ "a.list/b", false },
		{ ".list", false },
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++)
		CHECK(list_name_is_valid(rows[i].name) == rows[i].is_valid, "'%s'", rows[i].name);
}

static void test_invalid_name(void **state)
{
	struct list_header header = list_header_default("../escape");
	struct list *l;

	assert_int_equal(listfile_read(state_dir, "../escape", &l), -EINVAL);
	assert_int_equal(listfile_append(state_dir, &header, NULL, 0), -EINVAL);
	assert_int_equal(listfile_replace(state_dir, &header, NULL, 0), -EINVAL);
	assert_int_equal(listfile_set_aside(state_dir, "../escape"), -EINVAL);
	assert_int_equal(access(state_dir, F_OK), -1);
}

static void test_append(void **state)
{
	struct stat st;

	assert_string_equal(targets_of("manual"), "error -2");
	assert_int_equal(append("manual", "192.0.2.1"), 0);
	assert_string_equal(read_text("manual.list"), HEADER "192.0.2.1\n");
	assert_int_equal(append("manual", "192.0.2.0"), 0);
	assert_string_equal(read_text("manual.list"), HEADER "192.0.2.1\n192.0.2.0\n");
	assert_string_equal(targets_of("manual"), "192.0.2.0 192.0.2.1");
	assert_no_temporary("manual.list");

	assert_int_equal(stat(path_of("manual.list"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(stat(path_of(""), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(stat(state_dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
}

static void test_slashes(void **state)
{
	struct stat st;

	assert_int_equal(append("a/b/c", "192.0.2.1"), 0);
	assert_int_equal(append("a", "192.0.2.2"), 0); /* a.list beside a/ */
	assert_string_equal(targets_of("a/b/c"), "192.0.2.1");
	assert_string_equal(targets_of("a"), "192.0.2.2");
	assert_string_equal(targets_of("a/b"), "error -2");
	assert_string_equal(targets_of("x/y"), "error -2");
	assert_int_equal(stat(path_of("a/b"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
}

static void test_lines(void **state)
{
	struct list_header header = list_header_default("manual");
	struct list_line lines[] = { line("192.0.2.1"), line("tcp/80"), line("192.0.2.1") };
	_cleanup_(freelistp) struct list *l = NULL;

	lines[0].until = 1790000000;
	lines[0].directions = FW_IN;
	lines[0].comment = "seen\n198.51.100.1";
	lines[1].directions = FW_BOTH;
	lines[2].is_removal = true;

	assert_int_equal(listfile_append(state_dir, &header, lines, 2), 0);
	assert_string_equal(read_text("manual.list"), HEADER
			    "192.0.2.1 until=1790000000 in # seen 198.51.100.1\ntcp/80 both\n");

	assert_int_equal(listfile_read(state_dir, "manual", &l), 0);
	assert_int_equal(l->n_items, 2);
	assert_int_equal(l->n_lines, 3);
	assert_int_equal(l->items[0].until, 1790000000);
	assert_int_equal(l->items[0].directions, FW_IN);
	assert_string_equal(l->items[0].comment, "seen 198.51.100.1");
	assert_int_equal(l->items[1].directions, FW_BOTH);
	assert_string_equal(l->items[1].comment, "");

	assert_int_equal(listfile_append(state_dir, &header, lines + 2, 1), 0);
	assert_string_equal(targets_of("manual"), "tcp/80");
}

/* The policy in the file is what counts; an append does not touch it, a replacement sets it. */
static void test_header_kept(void **state)
{
	struct list_header header = {
		.name = "x", .action = FW_ACTION_ALLOW, .mode = FW_MODE_AUDIT, .directions = FW_OUT
	};
	struct list_header other = list_header_default("x");
	struct list_line l = line("192.0.2.1");
	_cleanup_(freelistp) struct list *list = NULL;
	static const char first[] = "#!ebpf-fw list=x action=allow mode=audit enabled=no direction=out\n";

	assert_int_equal(listfile_append(state_dir, &header, &l, 1), 0);
	assert_int_equal(listfile_append(state_dir, &other, &l, 1), 0);
	assert_memory_equal(read_text("x.list"), first, strlen(first));

	assert_int_equal(listfile_read(state_dir, "x", &list), 0);
	assert_string_equal(list->header.name, "x");
	assert_int_equal(list->header.action, FW_ACTION_ALLOW);
	assert_int_equal(list->header.mode, FW_MODE_AUDIT);
	assert_int_equal(list->header.is_enabled, false);
	assert_int_equal(list->header.directions, FW_OUT);

	assert_int_equal(listfile_replace(state_dir, &list->header, list->items, list->n_items), 0);
	assert_memory_equal(read_text("x.list"), first, strlen(first));
	assert_int_equal(listfile_replace(state_dir, &other, NULL, 0), 0);
	assert_string_equal(
		read_text("x.list"),
		"#!ebpf-fw list=x action=block mode=enforce enabled=yes direction=default\n");
}

/* The comment of a list stays when its policy or its entries are written anew, until another is given. */
static void test_header_comment(void **state)
{
	struct list_header header = list_header_default("x"), unsaid = header;
	struct list_line l = line("192.0.2.1");
	_cleanup_(freelistp) struct list *list = NULL;

	header.comment = "from the mail log # daily";
	assert_int_equal(listfile_read_header(state_dir, "x", &list), -ENOENT);
	assert_int_equal(listfile_append(state_dir, &header, &l, 1), 0);
	unsaid.mode = FW_MODE_AUDIT;
	assert_int_equal(listfile_set_header(state_dir, &unsaid), 0);
	assert_int_equal(listfile_replace(state_dir, &unsaid, &l, 1), 0);
	assert_string_equal(read_text("x.list"),
			    "#!ebpf-fw list=x action=block mode=audit enabled=yes direction=default"
			    " # from the mail log # daily\n192.0.2.1\n");
	assert_int_equal(listfile_read_header(state_dir, "x", &list), 0);
	assert_string_equal(list->header.comment, header.comment);
	assert_int_equal(list->header.mode, FW_MODE_AUDIT);
	assert_int_equal(list->n_items, 0);

	header.comment = "";
	assert_int_equal(listfile_set_header(state_dir, &header), 0);
	assert_string_equal(read_text("x.list"),
			    "#!ebpf-fw list=x action=block mode=enforce enabled=yes direction=default\n192.0.2.1\n");

	write_text("empty.list", "", 0);
	list = list_free(list);
	assert_int_equal(listfile_read_header(state_dir, "empty", &list), 0);
	assert_null(list->header.comment);
}

static void test_replace(void **state)
{
	struct list_header header = list_header_default("manual");
	struct list_line lines[] = { line("192.0.2.1"), line("192.0.2.2") };
	struct stat st;

	assert_int_equal(listfile_replace(state_dir, &header, lines, 2), 0);
	assert_string_equal(targets_of("manual"), "192.0.2.1 192.0.2.2");

	write_text(".manual.list.new", "left by a crash\n", 16);
	assert_int_equal(listfile_replace(state_dir, &header, lines, 1), 0);
	assert_string_equal(read_text("manual.list"), HEADER "192.0.2.1\n");
	assert_no_temporary("manual.list");
	assert_int_equal(stat(path_of("manual.list"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

/*
 * A write that ends after any of its bytes leaves the state before or after it; and the next append
 * then adds its own line to that state, whatever was torn.
 */
static void test_torn_append(void **state)
{
	static const char before[] = HEADER "192.0.2.1\n192.0.2.9 until=1790000000 since=1780000000 # x\n";
	static const struct {
		const char *added, *targets;
	} rows[] = {
		{ "192.0.2.10 in # a comment\n", "192.0.2.1 192.0.2.9 192.0.2.10"     },
		{ "!remove 192.0.2.9\n",         "192.0.2.1"                          },
		{ "tcp/8000-8100\n",             "192.0.2.1 192.0.2.9 tcp/8000-8100" },
	};

	assert_int_equal(append("manual", "192.0.2.1"), 0);
	for (size_t i = 0; i < ELEMENTSOF(rows); i++)
		for (size_t n = 0, length = strlen(rows[i].added); n <= length; n++) {
			char text[512], want[512];
			int size = sprintf(text, "%s%.*s", before, (int)n, rows[i].added);

			write_text("manual.list", text, (size_t)size);
			CHECK(strcmp(targets_of("manual"),
				     n == length ? rows[i].targets : "192.0.2.1 192.0.2.9") == 0,
			      "%zu bytes of '%s' give '%s'", n, rows[i].added,
			      targets_of("manual"));

			assert_int_equal(append("manual", "2001:db8::1"), 0);
			sprintf(want, "%s%s2001:db8::1\n", before,
				n == length ? rows[i].added : "");
			CHECK(strcmp(read_text("manual.list"), want) == 0,
			      "%zu bytes of '%s' become '%s'", n, rows[i].added,
			      read_text("manual.list"));
		}
}

/* Cut anywhere, the header too, a file still gives what its whole lines say. */
static void test_torn_anywhere(void **state)
{
	static const char text[] = HEADER "192.0.2.1 since=1780000000\n192.0.2.2\n192.0.2.3\n";
	static const char *const targets[] = { "", "", "192.0.2.1", "192.0.2.1 192.0.2.2",
					       "192.0.2.1 192.0.2.2 192.0.2.3" };

	assert_int_equal(append("manual", "192.0.2.1"), 0);
	for (size_t n = 0, n_lines = 0; n < sizeof(text); n++) {
		n_lines += n > 0 && text[n - 1] == '\n';
		write_text("manual.list", text, n);
		/* as long as nothing tells that fwctl has appended to the file, its last line may be that of a person */
		CHECK(n_lines == 1 || strcmp(targets_of("manual"), targets[n_lines]) == 0, "%zu bytes give '%s'", n,
		      targets_of("manual"));
	}
}

/* Somebody's last line without an end counts, and gets one before anything is appended. */
static void test_open_end(void **state)
{
	static const char text[] = HEADER "192.0.2.1\n192.0.2.2";
	static const char alone[] = "192.0.2.2 in";

	assert_int_equal(append("manual", "192.0.2.1"), 0);
	write_text("manual.list", text, strlen(text));
	assert_string_equal(targets_of("manual"), "192.0.2.1 192.0.2.2");
	assert_int_equal(append("manual", "192.0.2.3"), 0);
	assert_string_equal(read_text("manual.list"), HEADER "192.0.2.1\n192.0.2.2\n192.0.2.3\n");

	write_text("manual.list", alone, strlen(alone));
	assert_int_equal(append("manual", "192.0.2.3"), 0);
	assert_string_equal(read_text("manual.list"), "192.0.2.2 in\n192.0.2.3\n");
}

/* A byte order mark goes with the header that it stands before, or with the first that comes. */
static void test_byte_order_mark(void **state)
{
	static const char *const texts[] = { "\xef\xbb\xbf" HEADER "192.0.2.1\n", "\xef\xbb\xbf" "192.0.2.1\n" };
	struct list_header header = list_header_default("manual");

	assert_int_equal(append("manual", "192.0.2.9"), 0);
	for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
		write_text("manual.list", texts[i], strlen(texts[i]));
		assert_string_equal(targets_of("manual"), "192.0.2.1");
		assert_int_equal(listfile_set_header(state_dir, &header), 0);
		assert_string_equal(read_text("manual.list"), HEADER "192.0.2.1\n");
	}
}

/* A file without one whole line gets its header back. */
static void test_torn_header(void **state)
{
	static const char *const texts[] = { "", "#!ebpf-fw list=man", "192.0.2." };

	assert_int_equal(append("manual", "192.0.2.1"), 0);
	for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
		write_text("manual.list", texts[i], strlen(texts[i]));
		assert_int_equal(append("manual", "192.0.2.1"), 0);
		assert_string_equal(read_text("manual.list"), HEADER "192.0.2.1\n");
	}
}

/* A torn end longer than the buffer in which its start is looked for. */
static void test_torn_long(void **state)
{
	static const size_t lengths[] = { 4095, 4096, 4097, 8191, 8192, 8193, 100000 };
	static char text[200000];

	for (size_t i = 0; i < ELEMENTSOF(lengths); i++) {
		size_t start = (size_t)sprintf(text, "%s192.0.2.1\n", HEADER);

		assert_int_equal(append("manual", "192.0.2.1"), 0);
		memset(text + start, 'x', lengths[i]);
		write_text("manual.list", text, start + lengths[i]);
		assert_int_equal(append("manual", "192.0.2.2"), 0);
		assert_string_equal(read_text("manual.list"), HEADER "192.0.2.1\n192.0.2.2\n");
	}
}

/* From now on no file may become longer than this: a full disk, to a test without a disk to fill. */
static void limit_file_size(rlim_t size)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = size == RLIM_INFINITY ? limit.rlim_max : size;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void test_full_disk(void **state)
{
	static const char before[] = HEADER "192.0.2.1\n";
	const size_t n_before = strlen(before), n_added = strlen("2001:db8::1\n");
	struct list_header header = list_header_default("manual");
	struct list_line l = line("2001:db8::1");
	char torn[256];

	(void) signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(append("manual", "192.0.2.1"), 0);
	for (size_t n = 0; n < n_added; n++) {
		limit_file_size(n_before + n);
		assert_int_equal(append("manual", "2001:db8::1"), -EFBIG);
		limit_file_size(RLIM_INFINITY);
		CHECK(strcmp(read_text("manual.list"), before) == 0, "room for %zu bytes: '%s'", n,
		      read_text("manual.list"));
	}

	for (size_t n = 0; n < n_before; n += 7) {
		limit_file_size(n);
		assert_int_equal(listfile_replace(state_dir, &header, &l, 1), -EFBIG);
		assert_int_equal(append("new", "192.0.2.1"), -EFBIG);
		limit_file_size(RLIM_INFINITY);
		assert_string_equal(read_text("manual.list"), before);
		assert_string_equal(read_text("new.list"), "(none)");
		assert_no_temporary("manual.list");
		assert_no_temporary("new.list");
	}

	write_text("manual.list", torn, (size_t)sprintf(torn, "%s198.51", before));
	limit_file_size(n_before + 3);
	assert_int_equal(append("manual", "2001:db8::1"), -EFBIG);
	limit_file_size(RLIM_INFINITY);
	assert_string_equal(targets_of("manual"), "192.0.2.1");
}

static void test_not_a_file(void **state)
{
	static const struct {
		const char *name;
		int append_r;
	} rows[] = {
		{ "link", -ELOOP   },
		{ "fifo", -ENOTSUP },
		{ "dir",  -EISDIR  },
	};
	struct list_header header = list_header_default("link");
	char secret[sizeof(dir) + 16];
	_cleanup_fclose_ FILE *f = NULL;

	sprintf(secret, "%s/secret", dir);
	assert_non_null(f = fopen(secret, "w"));
	assert_int_equal(append("manual", "192.0.2.1"), 0);
	assert_int_equal(symlink(secret, path_of("link.list")), 0);
	assert_int_equal(symlink(dir, path_of("away")), 0);
	assert_int_equal(mkfifo(path_of("fifo.list"), 0600), 0);
	assert_int_equal(mkdir(path_of("dir.list"), 0700), 0); /* reported, as the link below */

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		struct list *l;
		int r = listfile_read(state_dir, rows[i].name, &l);

		CHECK(r == -EBADMSG, "%s gives %d", rows[i].name, r);
		r = append(rows[i].name, "192.0.2.1");
		CHECK(r == rows[i].append_r, "appending to %s gives %d", rows[i].name, r);
	}
	assert_int_equal(append("away/x", "192.0.2.1"), -ENOTDIR);
	assert_string_equal(targets_of("away/x"), "error -20");

	/* Replacing takes the place of the link, and leaves alone what it points to. */
	assert_int_equal(listfile_replace(state_dir, &header, NULL, 0), 0);
	assert_string_equal(targets_of("link"), "");
	assert_int_equal(fseek(f, 0, SEEK_END), 0);
	assert_int_equal(ftell(f), 0);
}

/* A line that is wrong stays in the file, whatever is appended; rewriting leaves it out, and keeps a copy. */
static void test_bad_line(void **state)
{
	static const char text[] = HEADER "192.0.2.1 # one\n192.0.2.0/33\n192.0.2.3\n";
	struct list_header header = list_header_default("manual");
	_cleanup_(freelistp) struct list *l = NULL;

	assert_int_equal(append("manual", "192.0.2.1"), 0);
	write_text("manual.list", text, strlen(text));
	assert_int_equal(append("manual", "192.0.2.4"), 0);
	assert_int_equal(listfile_read(state_dir, "manual", &l), 0);
	assert_int_equal(l->mistakes.n, 1);
	assert_int_equal(l->mistakes.first[0].line, 3);
	assert_string_equal(l->mistakes.first[0].error, "prefix length must be 0 to 32");
	assert_string_equal(targets_of("manual"), "192.0.2.1 192.0.2.3 192.0.2.4");

	assert_int_equal(listfile_rewrite(state_dir, &header, l), 1);
	assert_string_equal(read_text("manual.list"), HEADER "192.0.2.1 # one\n192.0.2.3\n192.0.2.4\n");
	assert_memory_equal(read_text("manual.list.bad-1"), text, strlen(text));
	assert_int_equal(listfile_rewrite(state_dir, &header, l), 2);
}

static void test_set_aside(void **state)
{
	assert_int_equal(listfile_set_aside(state_dir, "manual"), -ENOENT);
	for (unsigned i = 1; i <= 3; i++) {
		char bad[64];

		assert_int_equal(append("manual", "192.0.2.1"), 0);
		assert_int_equal(listfile_set_aside(state_dir, "manual"), i);
		assert_string_equal(targets_of("manual"), "error -2");
		sprintf(bad, "manual.list.bad-%u", i);
		assert_string_equal(read_text(bad), HEADER "192.0.2.1\n");
	}
	assert_int_equal(listfile_set_aside(state_dir, "manual"), -ENOENT);

	assert_int_equal(append("a/b", "192.0.2.1"), 0);
	assert_int_equal(listfile_set_aside(state_dir, "a/b"), 1);
	assert_string_not_equal(read_text("a/b.list.bad-1"), "(none)");
}

static int add_name(const char *name, void *userdata)
{
	strcat(strcat(userdata, name), " ");
	return strcmp(name, "stop") == 0 ? -ECANCELED : 0;
}

static void test_foreach(void **state)
{
	static const char *const lists[] = { "manual", "allow", "fail2ban/sshd", "fail2ban/apache", "fail2ban", "Z", "a/b/c" };
	char names[512] = "";

	assert_int_equal(listfile_foreach(state_dir, add_name, names), 0);
	assert_int_equal(mkdir(state_dir, 0700), 0);
	assert_int_equal(listfile_foreach(state_dir, add_name, names), 0);
	assert_string_equal(names, "");

	for (size_t i = 0; i < ELEMENTSOF(lists); i++)
		assert_int_equal(append(lists[i], "192.0.2.1"), 0);
	write_text(".x.list.new", "", 0);
	write_text("x.list.bad-1", "", 0);
	write_text("notes.txt", "", 0);
	write_text("a name.list", "", 0);
	assert_int_equal(mkdir(path_of("dir.list"), 0700), 0);
	assert_int_equal(mkdir(path_of(".hidden"), 0700), 0);
	write_text(".hidden/x.list", "", 0);
	assert_int_equal(symlink(dir, path_of("away")), 0);
	assert_int_equal(symlink("manual.list", path_of("link.list")),
			 0); /* reported, so that it is noticed */

	assert_int_equal(listfile_foreach(state_dir, add_name, names), 0);
	assert_string_equal(names,
			    "Z a/b/c allow dir fail2ban fail2ban/apache fail2ban/sshd link manual ");

	names[0] = '\0';
	assert_int_equal(append("stop", "192.0.2.1"), 0);
	assert_int_equal(append("zzz", "192.0.2.1"), 0);
	assert_int_equal(listfile_foreach(state_dir, add_name, names), -ECANCELED);
	assert_string_equal(
		names, "Z a/b/c allow dir fail2ban fail2ban/apache fail2ban/sshd link manual stop ");
}

static void test_no_state_dir(void **state)
{
	strcpy(state_dir, "/nonexistent/ebpf-fw");
	assert_string_equal(targets_of("manual"), "error -2");
	assert_int_equal(append("manual", "192.0.2.1"), -ENOENT);
	assert_int_equal(listfile_set_aside(state_dir, "manual"), -ENOENT);
}

/* A long list: written, read, appended to, read again, each in a fraction of a second. */
static void test_large(void **state)
{
	const size_t n = 200000;
	struct list_header header = list_header_default("manual");
	_cleanup_free_ struct list_line *lines = calloc(n, sizeof(*lines));
	clock_t start = clock();

	assert_non_null(lines);
	for (size_t i = 0; i < n; i++) {
		uint8_t bytes[4] = { 10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i };

		lines[i].target.prefix = prefix_from_bytes(AF_INET, bytes, 32);
	}
	assert_int_equal(listfile_replace(state_dir, &header, lines, n), 0);

	for (size_t i = 0; i < 2; i++) {
		_cleanup_(freelistp) struct list *l = NULL;

		assert_int_equal(listfile_read(state_dir, "manual", &l), 0);
		assert_int_equal(l->n_items, n + i);
		assert_int_equal(append("manual", "9.0.0.1"), 0);
	}
	assert_true(clock() - start < 5 * CLOCKS_PER_SEC); /* allows for sanitizers */
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(names),
		TEST(invalid_name),
		TEST(append),
		TEST(slashes),
		TEST(lines),
		TEST(header_kept),
		TEST(header_comment),
		TEST(replace),
		TEST(torn_append),
		TEST(torn_anywhere),
		TEST(torn_header),
		TEST(open_end),
		TEST(byte_order_mark),
		TEST(torn_long),
		TEST(full_disk),
		TEST(not_a_file),
		TEST(bad_line),
		TEST(set_aside),
		TEST(foreach),
		TEST(no_state_dir),
		TEST(large),
	};

	return cmocka_run_group_tests_name("listfile", tests, NULL, NULL);
}
