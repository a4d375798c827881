// SPDX-License-Identifier: GPL-2.0-or-later

/* daemon/config*.c: defaults, every key at both ends of its range, and mistakes with their lines. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"
#include "unit.h"

#define NAME_OF_16 "a234567890123456"
#define NAME_OF_128 NAME_OF_16 NAME_OF_16 NAME_OF_16 NAME_OF_16 NAME_OF_16 NAME_OF_16 NAME_OF_16 NAME_OF_16
#define SECTION "[Firewall]\n"

/* Words with blanks between. Returns the end. */
static char *print_words(char *const *words, char *out)
{
	for (char *const *w = words; *w; w++)
		out += sprintf(out, "%s%s", w > words ? " " : "", *w);
	return out;
}

/* As the file would have it, in the order of struct config. */
static void print(const struct config *c, char *out)
{
	static const char *const mechanisms[] = {
		[FW_MECHANISM_NONE] = "auto",
		[FW_MECHANISM_TCX] = "tcx",
		[FW_MECHANISM_CLSACT] = "clsact",
		[FW_MECHANISM_XDP_NATIVE] = "native",
		[FW_MECHANISM_XDP_GENERIC] = "generic",
	};

	out = print_words(c->interfaces, out);
	if (c->log_drops != 5)
		out += sprintf(out, "; %ju named", (uintmax_t)c->log_drops);
	if (!c->has_stats_idle)
		out += sprintf(out, "; no idle windows");
	out += sprintf(out, "; %s%s%s; %s; %ju us; %ju; %s; %s", c->has_xdp ? "xdp " : "", c->has_tc ? "tc " : "",
		c->has_cgroup ? "cgroup" : "", c->cgroup, (uintmax_t)c->stats_interval_usec,
		(uintmax_t)c->max_entries, c->is_strict ? "strict" : "lenient",
		mechanisms[c->tc_mechanism]);
	if (c->has_xdp) {
		out = print_words(c->xdp_interfaces, out + sprintf(out, "; "));
		sprintf(out, "; %s", mechanisms[c->xdp_mechanism]);
	}
}

static void test_accepted(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
#define REST "; tc cgroup; /; 5000000 us; 4194304; lenient; auto"
		{ "",                                         "auto" REST },
		{ SECTION,                                    "auto" REST },
		{ "# comment\n; comment\n\n" SECTION "\n",    "auto" REST },
		{ SECTION "Interfaces=eth* wg0 !docker*\n",   "eth* wg0 !docker*" REST },
		{ SECTION "Interfaces = \tauto \t wg0 \r\n",  "auto wg0" REST },
		{ SECTION "Interfaces=auto",                  "auto" REST },
		{ SECTION "  Interfaces=wg0\n",               "wg0" REST },
		{ "\xef\xbb\xbf" SECTION "Interfaces=wg0\n",  "wg0" REST },
#undef REST
#define WITH(hooks, cgroup, usec, entries, strict, tc) \
	"auto; " hooks "; " cgroup "; " usec " us; " entries "; " strict "; " tc
		{ SECTION "Hooks=tc\n",            WITH("tc ", "/", "5000000", "4194304", "lenient", "auto") },
		{ SECTION "Hooks=cgroup\n",        WITH("cgroup", "/", "5000000", "4194304", "lenient", "auto") },
		{ SECTION "Hooks=cgroup tc\n",     WITH("tc cgroup", "/", "5000000", "4194304", "lenient", "auto") },
		{ SECTION "Hooks=xdp\n",           WITH("xdp ", "/", "5000000", "4194304", "lenient", "auto; *; auto") },
		{ SECTION "Hooks=tc xdp\nXdpMode=native\n",
		  WITH("xdp tc ", "/", "5000000", "4194304", "lenient", "auto; *; native") },
		{ SECTION "Hooks=xdp tc cgroup\nXdpMode=generic\nXdpInterfaces=eth* !eth1\n",
		  WITH("xdp tc cgroup", "/", "5000000", "4194304", "lenient", "auto; eth* !eth1; generic") },
		{ SECTION "Cgroup=/system.slice\n",
		  WITH("tc cgroup", "/system.slice", "5000000", "4194304", "lenient", "auto") },
		{ SECTION "Cgroup=/a..b/..c\n",
		  WITH("tc cgroup", "/a..b/..c", "5000000", "4194304", "lenient", "auto") },
		{ SECTION "LogDrops=0\n",  "auto; 0 named; tc cgroup; /; 5000000 us; 4194304; lenient; auto" },
		{ SECTION "LogDrops=100\n",  "auto; 100 named; tc cgroup; /; 5000000 us; 4194304; lenient; auto" },
		{ SECTION "StatsIdle=no\n", "auto; no idle windows; tc cgroup; /; 5000000 us; 4194304; lenient; auto" },
		{ SECTION "StatsIdle=yes\n",       WITH("tc cgroup", "/", "5000000", "4194304", "lenient", "auto") },
		{ SECTION "StatsIntervalSec=0\n",  WITH("tc cgroup", "/", "0", "4194304", "lenient", "auto") },
		{ SECTION "StatsIntervalSec=1\n",  WITH("tc cgroup", "/", "1000000", "4194304", "lenient", "auto") },
		{ SECTION "StatsIntervalSec=3600\n",
		  WITH("tc cgroup", "/", "3600000000", "4194304", "lenient", "auto") },
		{ SECTION "MaxEntries=1\n",        WITH("tc cgroup", "/", "5000000", "1", "lenient", "auto") },
		{ SECTION "MaxEntries=33554432\n", WITH("tc cgroup", "/", "5000000", "33554432", "lenient", "auto") },
		{ SECTION "Strict=yes\n",          WITH("tc cgroup", "/", "5000000", "4194304", "strict", "auto") },
		{ SECTION "TcMechanism=tcx\n",     WITH("tc cgroup", "/", "5000000", "4194304", "lenient", "tcx") },
		{ SECTION "TcMechanism=clsact\nStrict=no\n",
		  WITH("tc cgroup", "/", "5000000", "4194304", "lenient", "clsact") },
#undef WITH
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_(config_done) struct config c = {};
		_cleanup_(config_errors_done) struct config_errors errors = {};
		char out[512];
		int r = config_parse_string(rows[i].in, strlen(rows[i].in), &c, &errors);

		CHECK(r == 0 && errors.n_items == 0, "row %zu gives %d: %s", i, r,
		      errors.n_items > 0 ? errors.items[0].text : "");
		print(&c, out);
		CHECK(strcmp(out, rows[i].out) == 0, "row %zu is '%s'", i, out);
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *in;
		size_t n_errors, line; /* of the first */
		const char *start;     /* of its text */
	} rows[] = {
		{ "Interfaces=auto\n",                      1, 1, "'Interfaces' stands before [Firewall]" },
		{ "\n[firewall]\n",                         1, 2, "unknown section [firewall]" },
		{ "[Firewall\n",                            1, 1, "unknown section" },
		{ "[Network]\nA=b\n" SECTION "Strict=1\n",  2, 1, "unknown section [Network]" },
		{ SECTION "Interface=auto\n",               1, 2, "unknown key 'Interface'" },
		{ SECTION "interfaces=auto\n",              1, 2, "unknown key 'interfaces'" },
		{ SECTION "Interfaces\n",                   1, 2, "expected KEY=VALUE" },
		{ SECTION "# x\n\nInterfaces auto\n",       1, 4, "expected KEY=VALUE" },
		{ SECTION "Strict=\n",                      1, 2, "Strict= is empty" },
		{ SECTION "Strict=no\nStrict=no\n",         1, 3, "Strict= is already set in line 2" },
		{ SECTION "Strict=true\n",                  1, 2, "Strict=true: expected 'yes' or 'no'" },
		{ SECTION "Strict=Yes\n",                   1, 2, "Strict=Yes: expected" },
		{ SECTION "Interfaces=eth0/1\n",            1, 2, "Interfaces=eth0/1: expected" },
		{ SECTION "Interfaces=!\n",                 1, 2, "Interfaces=!: expected" },
		{ SECTION "Interfaces=!!eth0\n",            1, 2, "Interfaces=!!eth0: expected" },
		{ SECTION "Interfaces=" NAME_OF_128 "\n",   1, 2, "Interfaces=a23456789012345" }, /* altnames have up to 127 */
		{ SECTION "Hooks=nft\n",                    1, 2, "Hooks=nft: expected one or more of" },
		{ SECTION "XdpMode=offload\n",              1, 2, "XdpMode=offload: expected" },
		{ SECTION "XdpInterfaces=\n",               1, 2, "XdpInterfaces= is empty" },
		{ SECTION "XdpInterfaces=eth0/1\n",         1, 2, "XdpInterfaces=eth0/1: expected" },
		{ SECTION "Hooks=tc,cgroup\n",              1, 2, "Hooks=tc,cgroup: expected" },
		{ SECTION "Cgroup=system.slice\n",          1, 2, "Cgroup=system.slice: expected" },
		{ SECTION "Cgroup=/a/..\n",                 1, 2, "Cgroup=/a/..: expected" },
		{ SECTION "Cgroup=/../a\n",                 1, 2, "Cgroup=/../a: expected" },
		{ SECTION "LogDrops=101\n",                1, 2, "LogDrops=101: expected" },
		{ SECTION "LogDrops=-1\n",                 1, 2, "LogDrops=-1: expected" },
		{ SECTION "LogDrops=yes\n",                1, 2, "LogDrops=yes: expected" },
		{ SECTION "StatsIntervalSec=00\n",          1, 2, "StatsIntervalSec=00: expected whole seconds, 0 to" },
		{ SECTION "StatsIdle=0\n",                  1, 2, "StatsIdle=0: expected 'yes' or 'no'" },
		{ SECTION "StatsIntervalSec=3601\n",        1, 2, "StatsIntervalSec=3601: expected" },
		{ SECTION "StatsIntervalSec=5s\n",          1, 2, "StatsIntervalSec=5s: expected" },
		{ SECTION "StatsIntervalSec=-5\n",          1, 2, "StatsIntervalSec=-5: expected" },
		{ SECTION "StatsIntervalSec=18446744073709551621\n", 1, 2, "StatsIntervalSec=18446744073709551621: " },
		{ SECTION "MaxEntries=0\n",                 1, 2, "MaxEntries=0: expected" },
		{ SECTION "MaxEntries=67108865\n",          1, 2, "MaxEntries=67108865: expected" },
		{ SECTION "MaxEntries=1k\n",                1, 2, "MaxEntries=1k: expected" },
		{ SECTION "TcMechanism=xdp\n",              1, 2, "TcMechanism=xdp: expected" },
		{ SECTION "Strict=\033[2J\n",               1, 2, "Strict=\\x1b[2J: expected" },
		{ SECTION "A=1\nB=2\nStrict=x\nnonsense\n", 4, 2, "unknown key 'A'" },
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_(config_errors_done) struct config_errors errors = {};
		struct config c = { .max_entries = 77 };
		int r = config_parse_string(rows[i].in, strlen(rows[i].in), &c, &errors);

		CHECK(r == -EBADMSG, "row %zu gives %d", i, r);
		CHECK(c.max_entries == 77 && !c.interfaces, "row %zu wrote its output", i);
		CHECK(errors.n_items == rows[i].n_errors, "row %zu has %zu errors", i, errors.n_items);
		CHECK(errors.items[0].line == rows[i].line, "row %zu: line %zu", i, errors.items[0].line);
		CHECK(strncmp(errors.items[0].text, rows[i].start, strlen(rows[i].start)) == 0,
		      "row %zu says '%s'", i, errors.items[0].text);
	}
}

/* A line that is too long or has a NUL is an error of its own, and the next line is read again. */
static void test_broken_lines(void **state)
{
	static const char nul[] = SECTION "Str\0ict=yes\nMaxEntries=x\n";
	_cleanup_(config_errors_done) struct config_errors with_nul = {}, with_long = {};
	char text[3000] = SECTION;
	struct config c;

	assert_int_equal(config_parse_string(nul, sizeof(nul) - 1, &c, &with_nul), -EBADMSG);
	assert_int_equal(with_nul.n_items, 2);
	assert_int_equal(with_nul.items[0].line, 2);
	assert_int_equal(with_nul.items[1].line, 3);

	memset(text + strlen(text), 'a', 2500);
	strcat(text, "\nMaxEntries=x\n");
	assert_int_equal(config_parse_string(text, strlen(text), &c, &with_long), -EBADMSG);
	assert_int_equal(with_long.n_items, 2);
	assert_int_equal(with_long.items[0].line, 2);
	assert_int_equal(with_long.items[1].line, 3);
}

static void test_file(void **state)
{
	static const char text[] = SECTION "MaxEntries=5\n";
	_cleanup_(config_errors_done) struct config_errors errors = {};
	_cleanup_(config_done) struct config c = {};
	char path[] = "/tmp/ebpf-fw-config-XXXXXX";
	_cleanup_close_ int fd = mkstemp(path);
	struct config other;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(config_parse_file(path, &c, &errors), 0);
	assert_int_equal(c.max_entries, 5);

	assert_int_equal(ftruncate(fd, 1024 * 1024), 0);
	assert_int_equal(config_parse_file(path, &other, &errors), -EBADMSG);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(config_parse_file(path, &other, &errors), -ENOENT);
	assert_int_equal(config_parse_file("/tmp", &other, &errors), -EBADMSG);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(config_parse_file(path, &other, &errors), -EBADMSG); /* and does not wait */
	assert_int_equal(unlink(path), 0);
}

static void test_interfaces(void **state)
{
	static const struct {
		const char *words, *name;
		bool is_auto, is_wanted;
	} rows[] = {
		{ "auto",               "eth0",    true,  true  },
		{ "auto",               "veth1",   false, false },
		{ "auto",               "lo",      false, false },
		{ "eth0",               "eth0",    false, true  },
		{ "eth0",               "eth00",   true,  false },
		{ "eth0",               "ETH0",    false, false },
		{ "eth*",               "eth1",    false, true  },
		{ "eth*",               "veth1",   false, false },
		{ "*",                  "eth0",    false, true  },
		{ "*",                  "lo",      false, false }, /* only by its own name */
		{ "lo",                 "lo",      false, true  },
		{ "auto !eth0",         "eth0",    true,  false },
		{ "!eth0 auto",         "eth0",    true,  true  }, /* the last word that matches decides */
		{ "* !docker* docker0", "docker0", false, true  },
		{ "* !docker* docker0", "docker1", false, false },
		{ "* !auto",            "eth0",    true,  false },
		{ "wg[0-3]",            "wg3",     false, true  },
		{ "wg[0-3]",            "wg4",     false, false },
		{ "enx020000000001",    "eth0",    false, true  }, /* an altname */
		{ "auto !enp3s0",       "eth0",    true,  false },
		{ "enp3s",              "eth0",    false, false },
		{ "en*",                "eth0",    false, false }, /* patterns are for the name alone */
		{ "auto !enx*",         "eth0",    true,  true  },
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_(config_errors_done) struct config_errors errors = {};
		_cleanup_(config_done) struct config c = {};
		struct interface interface = { .altnames = (char *)"enp3s0\0enx020000000001\0" };
		char text[128];
		int n = sprintf(text, SECTION "Interfaces=%s\n", rows[i].words);

		assert_int_equal(config_parse_string(text, (size_t)n, &c, &errors), 0);
		(void) snprintf(interface.name, sizeof(interface.name), "%s", rows[i].name);
		CHECK(config_wants_interface(&c, &interface, rows[i].is_auto) == rows[i].is_wanted,
		      "'%s' and %s", rows[i].words, rows[i].name);
	}

	assert_true(config_word_is_name("eth0"));
	assert_false(config_word_is_name("auto"));
	assert_false(config_word_is_name("!eth0"));
	assert_false(config_word_is_name("eth*"));
	assert_false(config_word_is_name("eth?"));
	assert_false(config_word_is_name("eth[0]"));
}

/* Of the interfaces that Interfaces= wants, those of XdpInterfaces=. */
static void test_xdp_interfaces(void **state)
{
	static const struct {
		const char *words, *xdp_words, *name;
		bool is_auto, is_wanted;
	} rows[] = {
		{ "auto",    "*",          "eth0", true,  true  },
		{ "auto",    "*",          "eth0", false, false }, /* not one of Interfaces= */
		{ "eth0",    "eth1",       "eth0", true,  false },
		{ "eth0",    "eth1",       "eth1", true,  false },
		{ "eth*",    "* !eth1",    "eth0", false, true  },
		{ "eth*",    "* !eth1",    "eth1", false, false },
		{ "eth* lo", "auto",       "eth0", true,  true  },
		{ "eth* lo", "auto",       "eth0", false, false },
		{ "eth* lo", "*",          "lo",   false, true  }, /* Interfaces= has named it */
		{ "*",       "*",          "lo",   false, false },
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_(config_errors_done) struct config_errors errors = {};
		_cleanup_(config_done) struct config c = {};
		struct interface interface = {};
		char text[128];
		int n = sprintf(text, SECTION "Interfaces=%s\nXdpInterfaces=%s\n", rows[i].words, rows[i].xdp_words);

		assert_int_equal(config_parse_string(text, (size_t)n, &c, &errors), 0);
		(void) snprintf(interface.name, sizeof(interface.name), "%s", rows[i].name);
		CHECK(config_wants_xdp(&c, &interface, rows[i].is_auto) == rows[i].is_wanted, "'%s', '%s' and %s",
		      rows[i].words, rows[i].xdp_words, rows[i].name);
	}
}

/* The file that is installed shows the defaults: with its keys uncommented it means the same. */
static void test_shipped_file(void **state)
{
	_cleanup_(config_errors_done) struct config_errors errors = {};
	_cleanup_(config_done) struct config shipped = {}, uncommented = {}, fallback = {};
	_cleanup_fclose_ FILE *f = fopen(SHIPPED_CONFIG, "r");
	char line[1024], text[16384] = "", out[512], want[512];

	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		size_t n_key = strspn(line + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
		bool is_key = line[0] == '#' && n_key > 0 && line[1 + n_key] == '=';

		strcat(text, is_key ? line + 1 : line);
	}

	assert_int_equal(config_default(&fallback), 0);
	print(&fallback, want);
	assert_int_equal(config_parse_file(SHIPPED_CONFIG, &shipped, &errors), 0);
	print(&shipped, out);
	assert_string_equal(out, want);
	assert_int_equal(config_parse_string(text, strlen(text), &uncommented, &errors), 0);
	print(&uncommented, out);
	assert_string_equal(out, want);
	assert_non_null(strstr(text, "\nInterfaces=")); /* it did find them */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_broken_lines),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_interfaces),
		cmocka_unit_test(test_xdp_interfaces),
		cmocka_unit_test(test_shipped_file),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
