// SPDX-License-Identifier: GPL-2.0-or-later

/* feed*.c: blocklists as they are published, what is understood of them, and what is counted. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "feed/feed.h"
#include "unit.h"

#define BOM "\357\273\277"

/* From an allocation of its exact size, so that a sanitizer sees whoever reads on. */
static int parse(const char *text, size_t size, struct feed *ret)
{
	_cleanup_free_ char *copy = malloc(size);

	assert_true(copy || size == 0);
	if (size > 0)
		memcpy(copy, text, size);
	return feed_parse(copy, size, ret);
}

/* The targets, with a blank between them. */
static const char *print(const struct targets *t, char *out, size_t out_size)
{
	char one[TARGET_TEXT_MAX];
	size_t length = 0;

	out[0] = '\0';
	for (size_t i = 0; i < t->n_items; i++)
		length += (size_t)snprintf(out + length, out_size - length, i > 0 ? " %s" : "%s",
					   target_format(&t->items[i], one));
	assert_true(length < out_size);
	return out;
}

static void check_sum(const struct feed *f, const char *row)
{
	CHECK(f->n_lines == f->n_entries + f->n_exceptions + f->n_comments + f->n_metadata + f->n_bad,
	      "'%s': %zu lines, %zu entries, %zu comments, %zu metadata, %zu bad", row, f->n_lines,
	      f->n_entries, f->n_comments, f->n_metadata, f->n_bad);
	CHECK((f->n_bad > 0) == (f->first_bad_line > 0) && (f->n_bad > 0) == !!f->first_bad_error,
	      "'%s': %zu bad, first in line %zu: %s", row, f->n_bad, f->first_bad_line,
	      f->first_bad_error ?: "none");
	for (size_t i = 1; i < f->targets.n_items; i++)
		CHECK(target_compare(&f->targets.items[i - 1], &f->targets.items[i]) < 0,
		      "'%s': item %zu is not above the one before", row, i);
}

/* Ports are counted, with the line of the first, in whatever format. */
static void test_ports(void **state)
{
	static const struct {
		const char *in;
		size_t n_ports, first_port_line;
	} rows[] = {
		{ "192.0.2.1\n", 0, 0 },
		{ "192.0.2.1\ntcp/1-65535\nudp/53\n", 2, 2 },
		{ "tcp/22 # ssh\n192.0.2.1\n", 1, 1 },
		{ "create x hash:net\nadd x 192.0.2.1\nadd x tcp/80\n", 1, 3 },
		{ "tcp/99999\n192.0.2.1\n", 0, 0 }, /* bad, and nothing else */
		{ "#!ebpf-fw list=x\ntcp/80 out\n", 1, 2 },
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		struct feed f;

		assert_int_equal(parse(rows[i].in, strlen(rows[i].in), &f), 0);
		CHECK(f.n_ports == rows[i].n_ports && f.first_port_line == rows[i].first_port_line,
		      "row %zu: %zu ports, the first in line %zu", i, f.n_ports, f.first_port_line);
		feed_done(&f);
	}
}

/* Files without a bad line. */
static void test_formats(void **state)
{
	static const struct {
		const char *in, *out;
		enum feed_format format;
		size_t n_entries, n_comments, n_metadata, n_duplicates, n_masked;
	} rows[] = {
		/* plain */
		{ "", "" },
		{ "\n", "", FEED_PLAIN, 0, 1 },
		{ BOM, "" },
		{ "192.0.2.1\n", "192.0.2.1", FEED_PLAIN, 1 },
		{ "192.0.2.1", "192.0.2.1", FEED_PLAIN, 1 },
		{ "192.0.2.1\r\n198.51.100.0/24\r\n", "192.0.2.1 198.51.100.0/24", FEED_PLAIN, 2 },
		{ "192.0.2.1\r\n\r\n198.51.100.0/24\r", "192.0.2.1 198.51.100.0/24", FEED_PLAIN, 2, 1 },
		{ BOM "192.0.2.1\n", "192.0.2.1", FEED_PLAIN, 1 },
		{ BOM "# x\n192.0.2.1\n", "192.0.2.1", FEED_PLAIN, 1, 1 },
		{ " \t192.0.2.1\t \n\t\n", "192.0.2.1", FEED_PLAIN, 1, 1 },
		{ "192.0.2.1 # x\n192.0.2.2#x\n192.0.2.3 ; x\n192.0.2.4;x\n",
		  "192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4", FEED_PLAIN, 4 },
		{ "# x\n; x\n  # x\n#\n;\n", "", FEED_PLAIN, 0, 5 },
		{ "# 192.0.2.1\n# x:192.0.2.0-192.0.2.9\n", "", FEED_PLAIN, 0, 2 },
		{ "#\n# firehol_level1\n#\n# Entries : 2 subnets, 257 unique IPs\n#\n192.0.2.0/24\n"
		  "198.51.100.7\n", "192.0.2.0/24 198.51.100.7", FEED_PLAIN, 2, 5 },
		{ "198.51.100.7\n192.0.2.9\n192.0.2.10\n", "192.0.2.9 192.0.2.10 198.51.100.7",
		  FEED_PLAIN, 3 },
		{ "udp/53\n2001:db8::1\ntcp/8000-8100\n203.0.113.0/24\n2001:db8::/32\n",
		  "203.0.113.0/24 2001:db8::/32 2001:db8::1 tcp/8000-8100 udp/53", FEED_PLAIN, 5 },
		{ "0.0.0.0/0\n255.255.255.255/32\n::/0\n0.0.0.0\n",
		  "0.0.0.0/0 0.0.0.0 255.255.255.255 ::/0", FEED_PLAIN, 4 },

		/* named twice; nested prefixes are no duplicates */
		{ "192.0.2.1\n192.0.2.1\n192.0.2.1/32\n", "192.0.2.1", FEED_PLAIN, 3, 0, 0, 2 },
		{ "2001:db8::1\n::ffff:192.0.2.1\n2001:DB8:0::1\n192.0.2.1\ntcp/80\ntcp/80\n",
		  "192.0.2.1 2001:db8::1 tcp/80", FEED_PLAIN, 6, 0, 0, 3 },
		{ "192.0.2.0/25\n192.0.2.0\n192.0.2.0/24\n192.0.2.128/25\n",
		  "192.0.2.0/24 192.0.2.0/25 192.0.2.0 192.0.2.128/25", FEED_PLAIN, 4 },

		/* host bits */
		{ "192.0.2.9/24\n192.0.2.0/24\n2001:db8::1/64\n", "192.0.2.0/24 2001:db8::/64",
		  FEED_PLAIN, 3, 0, 0, 1, 2 },
		{ "192.0.2.9/24 # x\n255.255.255.255/0\n", "0.0.0.0/0 192.0.2.0/24", FEED_PLAIN, 2,
		  0, 0, 0, 2 },

		/* ranges */
		{ "192.0.2.1-192.0.2.4\n", "192.0.2.1 192.0.2.2/31 192.0.2.4", FEED_PLAIN, 1 },
		{ "192.0.2.0 - 192.0.2.255 # x\n", "192.0.2.0/24", FEED_PLAIN, 1 },
		{ "192.0.2.7-192.0.2.7\n192.0.2.6-192.0.2.7\n192.0.2.7\n", "192.0.2.6/31 192.0.2.7",
		  FEED_PLAIN, 3, 0, 0, 1 },
		{ "2001:db8:: - 2001:db8::ffff\n", "2001:db8::/112", FEED_PLAIN, 1 },
		{ "::ffff:192.0.2.0-192.0.2.255\n", "192.0.2.0/24", FEED_PLAIN, 1 },

		/* Spamhaus DROP */
		{ "; Spamhaus DROP List\n; Expires: Fri\n192.0.2.0/24 ; SBL1\n198.51.100.0/24 ; SBL2\n",
		  "192.0.2.0/24 198.51.100.0/24", FEED_PLAIN, 2, 2 },
		{ "{\"cidr\":\"192.0.2.0/24\",\"sblid\":\"SBL1\",\"rir\":\"apnic\"}\n"
		  "{\"cidr\":\"2001:db8::/32\"}\n"
		  "{\"type\":\"metadata\",\"timestamp\":1790000000,\"size\":99,\"records\":2}\n",
		  "192.0.2.0/24 2001:db8::/32", FEED_JSON, 2, 0, 1 },
		{ " { \"rir\" : null, \"cidr\" : \"192.0.2.1\" } \r\n", "192.0.2.1", FEED_JSON, 1 },

		/* ipset save */
		{ "create a hash:net family inet hashsize 1024 maxelem 65536\nadd a 192.0.2.0/24\n"
		  "add a 198.51.100.7 timeout 0 packets 1 bytes 60 comment \"a # b; nomatch\"\n",
		  "192.0.2.0/24 198.51.100.7", FEED_IPSET, 2, 0, 1 },
		{ "add a 192.0.2.1 -exist\nadd a 192.0.2.2 comment \"\"\n", "192.0.2.1 192.0.2.2",
		  FEED_IPSET, 2 },

		/* P2P */
		{ "# x\nsome name:192.0.2.0-192.0.2.255\nother: a#b; c - d:198.51.100.7-198.51.100.7\n",
		  "192.0.2.0/24 198.51.100.7", FEED_P2P, 2, 1 },
		{ "192.0.2.1 Inc:198.51.100.0-198.51.100.255\nadd x:192.0.2.2-192.0.2.2 \r\n"
		  "create x:192.0.2.3-192.0.2.3\n203.0.113.9\n",
		  "192.0.2.2 192.0.2.3 198.51.100.0/24 203.0.113.9", FEED_P2P, 4 },
		{ "caf\351:192.0.2.0-192.0.2.1\n:192.0.2.2-192.0.2.3\n", "192.0.2.0/31 192.0.2.2/31",
		  FEED_P2P, 2 },

		/* our own */
		{ "#!ebpf-fw list=x action=block mode=enforce enabled=yes direction=default\n"
		  "192.0.2.0/24\n2001:db8::/32 until=1790000000 in # seen\ntcp/80 out\n",
		  "192.0.2.0/24 2001:db8::/32 tcp/80", FEED_LIST, 3, 0, 1 },
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_(feed_done) struct feed f = {};
		const char *in = rows[i].in;
		char out[1024];

		assert_int_equal(parse(in, strlen(in), &f), 0);
		check_sum(&f, in);
		CHECK(f.n_bad == 0, "'%s': line %zu: %s", in, f.first_bad_line, f.first_bad_error);
		print(&f.targets, out, sizeof(out));
		CHECK(strcmp(out, rows[i].out) == 0, "'%s' is '%s'", in, out);
		CHECK(f.format == rows[i].format, "'%s' is %s", in,
		      feed_format_to_string(f.format));
		CHECK(f.n_entries == rows[i].n_entries && f.n_comments == rows[i].n_comments &&
			      f.n_metadata == rows[i].n_metadata,
		      "'%s': %zu entries, %zu comments, %zu metadata", in, f.n_entries,
		      f.n_comments, f.n_metadata);
		CHECK(f.n_duplicates == rows[i].n_duplicates &&
			      f.targets.n_masked == rows[i].n_masked,
		      "'%s': %zu duplicates, %zu masked", in, f.n_duplicates, f.targets.n_masked);
		CHECK(!f.looks_like_html, "'%s' looks like HTML", in);
	}
}

/* Lines that are refused, between two that are not. */
static void test_bad(void **state)
{
	static const char expected[] =
		"expected an address, prefix, range (192.0.2.1-192.0.2.9) or port (tcp/80)";
	static const char names[] =
		"names are not looked up: give an address, a range, or a port like tcp/80";
	static const char words[] = "unknown words behind the entry, expected a comment after # or ;";
	static const char until[] = "until= and since= must be in seconds since 1970";
	static const char ipset[] = "unknown word behind an entry of ipset";
	static const char json[] = "expected one whole JSON object on the line";
	static const struct {
		const char *in, *error;
	} rows[] = {
		{ "nonsense",                    names },
		{ "www.example.com",             names },
		{ "198.51.100",                  expected },
		{ "198.51.100.256",              expected },
		{ "198.51.100.7.9",              expected },
		{ "198.51.100.07",               "an IPv4 address has no leading zeros, they may be read as octal" },
		{ "198.51.100.0/33",             "prefix length must be 0 to 32" },
		{ "198.51.100.0/024",            expected },
		{ "198.51.100.0/",               expected },
		{ "198.51.100.0/255.255.255.0",  expected },
		{ "198.51.100.7\v",              expected },
		{ "198.51.100.7\r198.51.100.8",  words },
		{ "198.51.100.7 198.51.100.8",   words },
		{ "198.51.100.0\t198.51.100.255\t24\t1234", words },
		{ "198.51.100.7,x",              names },
		{ "198.51.100.7 x # y",          words },
		{ "198.51.100.7 nomatch",        words },
		{ "2001:db8:::1",                expected },
		{ "fe80::1%eth0",                "an address has no zone here, leave out what follows the '%'" },
		{ BOM "198.51.100.7",            expected }, /* in the middle of a file */
		{ "198.51.100.9-198.51.100.7",   "range ends before it starts" },
		{ "198.51.100.9 - 198.51.100.7", "range ends before it starts" },
		{ "198.51.100.7 -",              expected },
		{ "198.51.100.7 - # x",          expected },
		{ "198.51.100.7 - 198.51.100.9 - 198.51.100.11", words },
		{ "198.51.100.7 - 198.51.100.9198.51.100.9198.51.100.9198.51.100.9198.51.100.9"
		  "198.51.100.9198.51.100.9",    "longer than any range of addresses" },
		{ "tcp/65536",                   "port must be a number 0 to 65535 or a range such as 8000-8100" },
		{ "198.51.100.7 until=",         until },
		{ "198.51.100.7 until=x",        until },
		{ "!remove 198.51.100.7",        "a removal cannot be loaded: export the list instead" },

		{ "add",                         expected },
		{ "add a",                       expected },
		{ "add a www.example.com",       names },
		{ "add a 198.51.100.7,tcp:80",   "names are not looked up: give an address, a range, or a port like tcp/80" },
		{ "add a 198.51.100.7 timeout",  "a word of ipset lacks its value" },
		{ "add a 198.51.100.7 comment x", "a comment of ipset stands in quotes" },
		{ "add a 198.51.100.7 comment \"x", "a comment of ipset stands in quotes" },
		{ "add a 198.51.100.7 # x",      ipset },
		{ "add a 198.51.100.7 198.51.100.8", ipset },
		{ "del a 198.51.100.7",          names },

		{ "{",                           json },
		{ "{}",                          "a JSON object needs a \"cidr\"" },
		{ "{\"cidr\":\"198.51.100.7\"",  json },
		{ "{\"cidr\":\"198.51.100.7\"} x", json },
		{ "{\"cidr\":\"198.51.100.7\"}{\"cidr\":\"198.51.100.8\"}", json },
		{ "{\"cidr\":198}",              "\"cidr\" must be a string" },
		{ "{\"cidr\":null}",             "\"cidr\" must be a string" },
		{ "{\"cidr\":\"198.51.100.7\\u0000\"}", expected },
		{ "{\"cidr\":\"\"}",             expected },
		{ "{\"type\":\"metadat\"}",      "a JSON object needs a \"cidr\"" },
		{ "{\"type\":[\"metadata\"]}",   "a JSON object needs a \"cidr\"" },
		{ "[{\"cidr\":\"198.51.100.7\"}]", names },

		{ "name:198.51.100.7",           names },
		{ "name:2001:db8::1-2001:db8::2", names },
		{ "name:198.51.100.9-198.51.100.7", names },
		{ "name:198.51.100.7-198.51.100.9 # x", names },
		{ "name # x:198.51.100.7-198.51.100.9", names }, /* the range may be in the comment */
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_(feed_done) struct feed f = {};
		char in[512], out[1024];

		(void) snprintf(in, sizeof(in), "203.0.113.1\n# x\n%s\nnonsense\n192.0.2.1/24\n",
				rows[i].in);
		assert_int_equal(parse(in, strlen(in), &f), 0);
		check_sum(&f, rows[i].in);
		CHECK(f.n_bad == 2 && f.first_bad_line == 3, "'%s': %zu bad, first in line %zu",
		      rows[i].in, f.n_bad, f.first_bad_line);
		CHECK(strcmp(f.first_bad_error, rows[i].error) == 0, "'%s' says '%s'", rows[i].in,
		      f.first_bad_error);
		print(&f.targets, out, sizeof(out));
		CHECK(strcmp(out, "192.0.2.0/24 203.0.113.1") == 0, "'%s' gives '%s'", rows[i].in,
		      out);
		CHECK(f.targets.n_masked == 1, "'%s': %zu masked", rows[i].in, f.targets.n_masked);
		CHECK(f.n_timeouts == 0 && f.n_directions == 0 && f.n_sets == 0,
		      "'%s' is counted as an entry", rows[i].in);
	}
}

/* What entries say beyond their address, and is not kept. */
static void test_words(void **state)
{
	static const struct {
		const char *in;
		size_t n_timeouts, n_directions, n_sets;
	} rows[] = {
		{ "192.0.2.1\n192.0.2.2 # until=5 in\n",                 0, 0, 0 },
		{ "192.0.2.1 until=5\n192.0.2.2 in until=6 # x\n192.0.2.3 both ; x\n", 2, 2, 0 },
		{ "create a hash:ip\n",                                  0, 0, 0 },
		{ "add a 192.0.2.1 timeout 60\nadd a 192.0.2.2\nadd a 192.0.2.3 timeout 0\n", 1, 0, 1 },
		{ "add a 192.0.2.1\nadd b 192.0.2.2 timeout 5\nadd b 192.0.2.3\n", 1, 0, 2 },
		{ "add a 192.0.2.1\nadd b nonsense\n",                   0, 0, 1 },
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_(feed_done) struct feed f = {};

		assert_int_equal(parse(rows[i].in, strlen(rows[i].in), &f), 0);
		check_sum(&f, rows[i].in);
		CHECK(f.n_timeouts == rows[i].n_timeouts &&
			      f.n_directions == rows[i].n_directions && f.n_sets == rows[i].n_sets,
		      "'%s': %zu timeouts, %zu directions, %zu sets", rows[i].in, f.n_timeouts,
		      f.n_directions, f.n_sets);
	}

	for (unsigned i = 0; i < _FEED_FORMAT_MAX; i++)
		assert_non_null(feed_format_to_string((enum feed_format)i));
	assert_null(feed_format_to_string(_FEED_FORMAT_MAX));
}

static void test_html(void **state)
{
	static const struct {
		const char *in;
		bool is_html;
	} rows[] = {
		{ "<!DOCTYPE html>\n<html>\n192.0.2.1\n",    true  },
		{ "\r\n \t<html><body>403 Forbidden</body>", true  },
		{ BOM "<?xml version=\"1.0\"?>",             true  },
		{ "<",                                       true  },
		{ "# <html>\n192.0.2.1\n",                   false },
		{ "192.0.2.1\n<html>\n",                     false },
		{ " \n\n",                                   false },
		{ "",                                        false },
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_(feed_done) struct feed f = {};

		assert_int_equal(parse(rows[i].in, strlen(rows[i].in), &f), 0);
		check_sum(&f, rows[i].in);
		CHECK(f.looks_like_html == rows[i].is_html, "'%s': %d", rows[i].in,
		      f.looks_like_html);
	}
}

/* A file of which nothing is understood looks like something, and the first bad line is kept. */
static void test_looks(void **state)
{
#define ROW(in, look) { in, sizeof(in) - 1, look }
	static const struct {
		const char *in;
		size_t size;
		const char *look; /* a part of it; NULL: nothing known */
	} rows[] = {
		ROW("\x1f\x8b\x08\0\0\0\0\0\0\3", "gzip"),
		ROW("\x1f\x8b\n", "gzip"),
		ROW("\x1f\x9d\x90", "compress"),
		ROW("\x28\xb5\x2f\xfd\x04", "zstd"),
		ROW("\xfd\x37zXZ\0\0\4", "xz"),
		ROW("\x5d\0\0\x80", "lzma"),
		ROW("BZh91AY&SY", "bzip2"),
		ROW("\x04\x22\x4d\x18", "lz4"),
		ROW("LZIP\1", "lzip"),
		ROW("PK\x03\x04\x14\0", "zip archive"),
		ROW("PK\x05\x06\0\0", "empty zip"),
		ROW("7z\xbc\xaf\x27\x1c", "7z"),
		ROW("Rar!\x1a\7", "rar"),
		ROW("%PDF-1.7\n%\xe2\xe3", "PDF"),
		ROW("{\\rtf1\\ansi\n", "RTF"),
		ROW("\xd0\xcf\x11\xe0\xa1", "office"),
		ROW("\xff\xfe" "1\0" "9\0" "2\0.\0", "UTF-16"),
		ROW("\xfe\xff\0" "1\0" "9", "UTF-16"),
		ROW("\xff\xfe\0\0" "1\0\0\0", "UTF-32"),
		ROW("1\0" "9\0" "2\0.\0" "0\0\n\0", "UTF-16"),
		ROW("\0" "1\0" "9\0" "2\0.\0\n", "UTF-16"),
		ROW("\x7f" "ELF\2", "program"),
		ROW("\x89PNG\r\n", "picture"),
		ROW("\xff\xd8\xff\xe0", "picture"),
		ROW("GIF89a", "picture"),
		ROW("SQLite format 3\0", "SQLite"),
		ROW("\xd4\xc3\xb2\xa1\2", "capture"),
		ROW("PAR1\x15", "Parquet"),
		ROW("x\0\0\0y", "binary"),
		ROW("\1\2\3 abc \xab\xcd\xefMaxMind.com\xe9", "MaxMind"),

		ROW("<!DOCTYPE html>\n<html>", "HTML"),
		ROW("\n\n  <html><body>403", "HTML"),
		ROW(BOM "<html>", "HTML"),
		ROW("<?xml version=\"1.0\"?>\n", "XML"),
		ROW("HTTP/1.1 200 OK\r\nServer: x\r\n", "header"),
		ROW("404: Not Found\n", "error of the server"),
		ROW("404 page not found\n", "error of the server"),
		ROW("Error 502\n", "error of the server"),
		ROW("Rate limit exceeded\n", "error of the server"),
		ROW("curl: (22) The requested URL returned error: 404\n", "curl"),
		ROW("version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "Git LFS"),
		ROW("<<<<<<< HEAD\n192.0.2.x\n", "merge conflicts"),
		ROW("-----BEGIN PGP SIGNED MESSAGE-----\n", "PGP"),
		ROW("-----BEGIN CERTIFICATE-----\n", "certificate"),

		ROW("{\n  \"prefixes\": [\n    { \"ip_prefix\": \"192.0.2.0/24\" }\n  ]\n}\n", "JSON"),
		ROW("{\"ip\":\"192.0.2.1\"}\n", "JSON"),
		ROW("{\"error\":\"no such list\"}\n", "JSON"),
		ROW("[\"192.0.2.1\",\"192.0.2.2\"]\n", "JSON"),
		ROW("[\n  \"192.0.2.1\",\n]\n", "JSON"),
		ROW("[{\"cidr\":\"192.0.2.0/24\"}]\n", "JSON"),
		ROW("ip,date,reason\n192.0.2.1,2026-01-01,ssh\n", "CSV"),
		ROW("192.0.2.0,192.0.2.255,DE\n", "CSV"),
		ROW("\"192.0.2.0\",\"192.0.2.255\",\"DE\"\n", "CSV"),
		ROW("\"3221225984\",\"3221226239\",\"DE\"\n", "CSV"),
		ROW("network,geoname_id\n192.0.2.0/24,1\n", "CSV"),
		ROW("ip;country\n", "semicolons"),
		ROW("192.0.2.0\t192.0.2.255\t24\t900\n", "tabs"),
		ROW("192.0.2.1\t9\n", "tabs"),
		ROW("2|ripencc|20260101|1|1|1|+0100\n", "'|'"),
		ROW("ripencc|DE|ipv4|192.0.2.0|256|20200101|allocated\n", "'|'"),
		ROW("\"192.0.2.1\"\n", "quotes"),
		ROW("3221225985\n3221225986\n", "numbers"),
		ROW("192.0.2.1:8080\n", "ports"),
		ROW("192.0.2.*\n", "wildcards"),
		ROW("00:53:00:ab:cd:ef\n", "MAC"),
		ROW("127.0.0.1 localhost\n0.0.0.0 ads.example.com\n", "hosts file"),
		ROW("0.0.0.0 ads.example.com\n", "hosts file"),
		ROW("www.example.com\n", "names"),
		ROW("http://192.0.2.1/x\n", "URLs"),
		ROW("||example.com^\n", "browser"),
		ROW("[Adblock Plus 2.0]\n", "browser"),
		ROW("192.0.2.1x\r192.0.2.2\r", "CR alone"),

		ROW("# Generated by iptables-save v1.8\n*filter\n:INPUT ACCEPT [0:0]\n", "iptables-save"),
		ROW("-A INPUT -s 192.0.2.1/32 -j DROP\n", "iptables"),
		ROW("iptables -A INPUT -s 192.0.2.1 -j DROP\n", "iptables"),
		ROW("Chain INPUT (policy ACCEPT)\n", "iptables -L"),
		ROW("ipset add x 192.0.2.1\n", "ipset"),
		ROW("Name: x\nType: hash:ip\nMembers:\n", "ipset list"),
		ROW("table inet filter {\n\tset x {\n", "nftables"),
		ROW("add element inet t s { 192.0.2.1 }\n", "nftables"),
		ROW("#!/usr/sbin/nft -f\nflush ruleset\n", "nftables"),
		ROW("table <bad> persist { 192.0.2.1 }\n", "pf"),
		ROW("block in from 192.0.2.1\n", "pf"),
		ROW("acl \"bad\" {\n", "BIND"),
		ROW("deny 192.0.2.1;\n", "web server"),
		ROW("Require not ip 192.0.2.1\n", "web server"),
		ROW("ALL: 192.0.2.1\n", "hosts.deny"),
		ROW("sshd: 192.0.2.1\n", "hosts.deny"),
		ROW("Status: active\n", "ufw"),
		ROW("$TTL 3600\n", "DNS zone"),
		ROW("$SOA 3600 a b 1 2 3 4 5\n", "rbldnsd"),
		ROW(":127.0.0.2:spam\n", "rbldnsd"),
		ROW("alert ip [192.0.2.1] any -> $HOME_NET any (msg:\"x\";)\n", "Suricata"),
		ROW("access-list 1 deny 192.0.2.0 0.0.0.255\n", "router"),
		ROW("/ip firewall address-list\n", "router"),
		ROW("route:          192.0.2.0/24\n", "RPSL"),
		ROW("---\n- 192.0.2.1\n", "YAML"),
		ROW("- 192.0.2.1\n", "YAML"),
		ROW("[blocked]\n", "sections"),
		ROW("block 192.0.2.1\n", "batch"),
		ROW("what is this\n", NULL),
	};
#undef ROW

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_(feed_done) struct feed f = {};

		assert_int_equal(parse(rows[i].in, rows[i].size, &f), 0);
		check_sum(&f, rows[i].in);
		CHECK(f.n_entries == 0 && f.n_bad > 0, "'%s': %zu entries", rows[i].in, f.n_entries);
		CHECK(rows[i].look ? f.look && strstr(f.look, rows[i].look) : !f.look, "'%s' looks like '%s'",
		      rows[i].in, f.look ?: "nothing");
	}
}

static void test_first_bad_text(void **state)
{
	static const char in[] = "192.0.2.1\n\nwww.example.com \r\nother\n";
	_cleanup_(feed_done) struct feed f = {}, large = {}, good = {};
	char text[200];

	assert_int_equal(parse(in, strlen(in), &f), 0);
	assert_string_equal(f.first_bad_text, "www.example.com");
	assert_int_equal(f.first_bad_line, 3);

	memset(text, 'x', sizeof(text));
	assert_int_equal(parse(text, sizeof(text), &large), 0);
	assert_int_equal(strlen(large.first_bad_text), FEED_SAMPLE_MAX - 1);

	assert_int_equal(parse("192.0.2.1\n# x\n", 14, &good), 0);
	assert_string_equal(good.first_bad_text, "");
	assert_null(good.look);
}

static void test_nul(void **state)
{
	static const struct {
		const char *in;
		size_t size, n_bad;
	} rows[] = {
		{ "\0",                              1,  1 },
		{ "\0\n\0\n",                        4,  2 },
		{ "192.0.2.1\0\n",                   11, 1 },
		{ "192.0.2.1 \0\n",                  12, 1 },
		{ "192.0.2.1\0",                     10, 1 },
		{ "192.0.2.0/24\0",                  13, 1 },
		{ "192.0.2.1 - 192.0.2.2\0\n",       23, 1 },
		{ "add a 192.0.2.1\0\n",             17, 1 },
		{ "{\"cidr\":\"192.0.2.1\"}\0\n",    22, 1 },
		{ "x:192.0.2.1-192.0.2.2\0\n",       23, 1 },
		{ "192.0.2.1\n\0\0\0\0\0\0\0\0\0\0", 20, 1 },
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_(feed_done) struct feed f = {};

		assert_int_equal(parse(rows[i].in, rows[i].size, &f), 0);
		CHECK(f.n_bad == rows[i].n_bad, "row %zu: %zu bad", i, f.n_bad);
	}
}

/* A generator of its own, so that every run and every C library has the same lines. */
static uint64_t random_next(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static uint32_t random_below(uint64_t *seed, uint32_t n)
{
	return (uint32_t)((random_next(seed) >> 32) % n);
}

/* An IPv4 line, in two of three cases with an accident. */
static size_t random_line(uint64_t *seed, char line[static 48])
{
	static const char accidents[] = "0123456789./ -:#;x\r\t\0{";
	int n = sprintf(line, "%u.%u.%u.%u", random_below(seed, 260), random_below(seed, 256),
			random_below(seed, 12), random_below(seed, 256));

	if (random_below(seed, 2))
		n += sprintf(line + n, "/%u", random_below(seed, 36));
	if (random_below(seed, 3) == 0)
		n += sprintf(line + n, "-%u.%u.%u.%u", random_below(seed, 256),
			     random_below(seed, 256), random_below(seed, 12),
			     random_below(seed, 256));

	if (random_below(seed, 3) > 0) {
		char accident = accidents[random_below(seed, sizeof(accidents))];
		size_t at = random_below(seed, (uint32_t)n);

		switch (random_below(seed, 3)) {
		case 0: /* changed */
			line[at] = accident;
			break;
		case 1: /* put in */
			memmove(line + at + 1, line + at, (size_t)n++ - at);
			line[at] = accident;
			break;
		case 2: /* left out */
			memmove(line + at, line + at + 1, (size_t)n-- - at);
			break;
		}
	}
	return (size_t)n;
}

/* A line of its own gives what targets_parse() gives, wherever in a file it stands. */
static void test_same_as_target(void **state)
{
	const uint64_t first_seed = 0x9e3779b97f4a7c15;
	uint64_t seed = first_seed;

	for (size_t i = 0; i < 200000; i++) {
		_cleanup_(targets_done) struct targets want = {};
		_cleanup_(feed_done) struct feed f = {};
		char line[48], text[160], out[2048], wanted[2048];
		size_t n = random_line(&seed, line), n_before = i % 3, n_text = 0;
		const char *error;
		int r;

		/* What the line format takes away, or knows beyond a target. */
		if (strcspn(line, " \r\t#;") < n || line[0] == '{' || memchr(line, ':', n))
			continue;
		r = targets_parse(&want, line, n, &error);

		memset(text, '\n', sizeof(text));
		n_text = n_before + n + (i % 5 < 2 ? i % 5 : 64); /* no room for the fast way, or some */
		memcpy(text + n_before, line, n);
		assert_int_equal(parse(text, n_text, &f), 0);

		CHECK((n == 0 || r == 0) == (f.n_bad == 0), "seed %#llx, line %zu '%.*s': %d, %zu bad",
		      (unsigned long long)first_seed, i, (int)n, line, r, f.n_bad);
		CHECK(f.targets.n_masked == want.n_masked, "line %zu '%.*s': %zu masked", i, (int)n,
		      line, f.targets.n_masked);
		CHECK(strcmp(print(&f.targets, out, sizeof(out)),
			     print(&want, wanted, sizeof(wanted))) == 0,
		      "line %zu '%.*s' is %s, not %s", i, (int)n, line, out, wanted);
	}
}

static int compare(const void *a, const void *b)
{
	return target_compare(a, b);
}

/* Lines that are read as something else than an entry of their own, and what the file then means. */
static void test_exceptions(void **state)
{
	static const struct {
		const char *in, *out;
		size_t n_exceptions;
	} rows[] = {
		/* of ipset */
		{ "add a 192.0.2.0/30\nadd a 192.0.2.1 nomatch\n", "192.0.2.0 192.0.2.2/31", 1 },
		{ "add a 192.0.2.1 nomatch\nadd a 192.0.2.0/30\n", "192.0.2.0 192.0.2.2/31", 1 },
		{ "add a 192.0.2.0/30\nadd a 192.0.2.1 nomatch timeout 5\n", "192.0.2.0 192.0.2.2/31", 1 },
		{ "add a 192.0.2.0/30\nadd a 192.0.2.1 timeout 5 nomatch comment \"x\"\n", "192.0.2.0 192.0.2.2/31", 1 },
		{ "add a 192.0.2.0/30\nadd a 192.0.2.1 comment \"nomatch\"\n", "192.0.2.0/30 192.0.2.1", 0 },
		{ "add a 192.0.2.0/24\nadd a 198.51.100.0/24 nomatch\n", "192.0.2.0/24", 1 },
		{ "add a 2001:db8::/126\nadd a 2001:db8::2/127 nomatch\n", "2001:db8::/127", 1 },
		{ "add a 192.0.2.0/24\nadd a 192.0.2.0/24 nomatch\n", "", 1 },
		{ "add a 192.0.2.1 nomatch\n", "", 1 },
		/* the most specific one decides */
		{ "add a 192.0.2.0/30\nadd a 192.0.2.0/31 nomatch\nadd a 192.0.2.1\n", "192.0.2.1 192.0.2.2/31", 1 },
		{ "!192.0.2.0/29\n192.0.2.0/28\n192.0.2.0/30\n!192.0.2.0/31\n", "192.0.2.2/31 192.0.2.8/29", 2 },

		/* of pf */
		{ "192.0.2.0/30\n!192.0.2.1\n", "192.0.2.0 192.0.2.2/31", 1 },
		{ "192.0.2.0/30\n! 192.0.2.1 # ours\n", "192.0.2.0 192.0.2.2/31", 1 },
		{ "192.0.2.0/30\n  !192.0.2.2/31\r\n", "192.0.2.0/31", 1 },
		{ "192.0.2.0/30\n!192.0.2.1-192.0.2.2\n", "192.0.2.0 192.0.2.3", 1 },
		{ "0.0.0.0/0\n!128.0.0.0/1\n", "0.0.0.0/1", 1 },
		{ "0.0.0.0/0\n!0.0.0.0/0\ntcp/80\n", "tcp/80", 1 },
		{ "::/0\n!8000::/1\n192.0.2.1\n", "192.0.2.1 ::/1", 1 },

		/* a set of ipset with a netmask */
		{ "create a hash:ip family inet hashsize 1024 maxelem 65536 netmask 24\nadd a 192.0.2.0\nadd a 198.51.100.0\n",
		  "192.0.2.0/24 198.51.100.0/24", 0 },
		{ "create a hash:ip family inet6 netmask 64\nadd a 2001:db8:0:1::\n", "2001:db8:0:1::/64", 0 },
		{ "create a bitmap:ip range 192.0.2.0-192.0.3.255 netmask 24\nadd a 192.0.2.0 timeout 5\n", "192.0.2.0/24", 0 },
		{ "create -exist a hash:ip netmask 24\nadd -exist a 192.0.2.7\n", "192.0.2.0/24", 0 },
		{ "create a hash:ip netmask 24\nadd a 192.0.2.0/30\nadd a 198.51.0.0/16\n", "192.0.2.0/24 198.51.0.0/16", 0 },
		{ "create a hash:ip netmask 31\nadd a 192.0.2.0-192.0.2.2\n", "192.0.2.0/31 192.0.2.2/31", 0 },
		{ "create a hash:ip netmask 24\ncreate b hash:ip\nadd b 192.0.2.0\nadd a 198.51.100.0\n",
		  "192.0.2.0 198.51.100.0/24", 0 },
		{ "create a hash:ip netmask 32\nadd a 192.0.2.0\n", "192.0.2.0", 0 },
		{ "create a hash:net\nflush a\nadd a 192.0.2.0\n", "192.0.2.0", 0 },
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_(feed_done) struct feed f = {};
		char out[1024];

		assert_int_equal(parse(rows[i].in, strlen(rows[i].in), &f), 0);
		check_sum(&f, rows[i].in);
		CHECK(f.n_bad == 0 && !f.doubt, "'%s': %s, doubt %s", rows[i].in, f.first_bad_error ?: "good",
		      f.doubt ?: "none");
		CHECK(f.n_exceptions == rows[i].n_exceptions, "'%s': %zu exceptions", rows[i].in, f.n_exceptions);
		print(&f.targets, out, sizeof(out));
		CHECK(strcmp(out, rows[i].out) == 0, "'%s' is '%s'", rows[i].in, out);
	}
}

/* Against a search for the longest prefix, address by address. */
static void test_exceptions_model(void **state)
{
	uint64_t seed = 11;

	for (size_t i = 0; i < 500; i++) {
		_cleanup_(feed_done) struct feed f = {};
		int8_t longest[256];
		bool is_in[256] = {}, is_found[256] = {};
		char text[1024], *at = text;

		memset(longest, -1, sizeof(longest));
		for (unsigned n = 1 + random_below(&seed, 12); n > 0; n--) {
			unsigned length = 24 + random_below(&seed, 9), size = 1u << (32 - length);
			unsigned first = random_below(&seed, 256) / size * size;
			bool is_exception = random_below(&seed, 2);

			at += sprintf(at, "%s192.0.2.%u/%u\n", is_exception ? "!" : "", first, length);
			for (unsigned a = first; a < first + size; a++)
				if ((int)length > longest[a]) {
					longest[a] = (int8_t)length;
					is_in[a] = !is_exception;
				} else if ((int)length == longest[a])
					is_in[a] &= !is_exception;
		}

		assert_int_equal(parse(text, (size_t)(at - text), &f), 0);
		check_sum(&f, text);
		for (size_t k = 0; k < f.targets.n_items; k++) {
			const struct prefix *p = &f.targets.items[k].prefix;

			for (unsigned a = 0; a < 1u << (32 - p->length); a++)
				is_found[p->bytes[3] + a] = true;
		}
		for (unsigned a = 0; a < 256; a++)
			CHECK(is_found[a] == is_in[a], "round %zu, 192.0.2.%u of\n%s", i, a, text);
	}
}

/* One line that cannot be read and may change what others mean: the file is in doubt. */
static void test_doubts(void **state)
{
	static const struct {
		const char *in;
		bool is_doubtful;
	} rows[] = {
		{ "!198.51.100.7;",                              true  },
		{ "!198.51.100.7 ; x",                           true  },
		{ "!www.example.com",                            true  },
		{ "!198.51.100.7 198.51.100.8",                  true  },
		{ "!tcp/80",                                     true  },
		{ "!",                                           true  },
		{ "!{ 198.51.100.0/24; };",                      true  },
		{ "198.51.100.0/24 !198.51.100.7",               true  },
		{ "198.51.100.0/24; !198.51.100.7;",             true  },
		{ "198.51.100.0/24;x;!198.51.100.7;",            true  },
		{ "acl bad { 198.51.100.0/24; !198.51.100.7; };", true },
		{ "table <bad> { 198.51.100.0/24, !198.51.100.7 }", true },
		{ "table <bad> { 198.51.100.0/24, ! 198.51.100.7 }", true },
		{ "!remove 198.51.100.7",                        true  },
		{ "@@||198.51.100.7^",                           true  },
		{ "allow 198.51.100.7",                          true  },
		{ "allow 198.51.100.7;",                         true  },
		{ "not 198.51.100.7",                            true  },
		{ "198.51.100.0/24 except 198.51.100.7",         true  },
		{ "198.51.100.0/24 EXCEPT 198.51.100.7",         true  },
		{ "198.51.100.7 nomatch",                        true  },
		{ "whitelist: 198.51.100.7 yes",                 true  },
		{ "whitelist 198.51.100.7",                      true  },
		{ "198.51.100.7,whitelist",                      true  },
		{ "del a 198.51.100.7",                          true  },
		{ "-D a 198.51.100.7",                           true  },
		{ "-A x ! -s 198.51.100.7/32 -j DROP",           true  },
		{ "[allowed]",                                   true  },
		{ "[blocked] # ours",                            true  },
		{ "/* x",                                        true  },
		{ "198.51.100.7; /* x",                          true  },
		{ "<!-- x",                                      true  },
		{ "create a hash:ip bitmask 255.0.255.0",        true  },
		{ "create a hash:ip netmask 255.255.255.0",      true  },
		{ "create a hash:ip netmask",                    true  },
		{ "-exist create a hash:ip netmask 24",          true  },
		{ "-N a iphash --netmask 24",                    true  },
		{ "add a 198.51.100.7 nomatch x",                true  },
		{ "add a www.example.com nomatch",               false },
		{ "{\"cidr\":\"198.51.100.0/24\",\"except\":[\"198.51.100.7\"]}", true },
		{ "{\"cidr\":\"198.51.100.7\",\"negate\":true}", true  },
		{ "{\"cidr\":\"198.51.100.7\",\"action\":\"allow\"}", true },
		{ "{\"cidr\":\"!198.51.100.7\"}",                true  },
		{ "{\"cidr\":\"198.51.100.7\",\"mask\":24}",     false },

		{ "nonsense",                                    false },
		{ "198.51.100.7 x",                              false },
		{ "198.51.100.7;198.51.100.9;DE",                false },
		{ "198.51.100.0;24;DE",                          false },
		{ "198.51.100.0;256;DE",                         false },
		{ "198.51.100.0;\"198.51.100.9\"",               false },
		{ "198.51.100.0; 198.51.100.9;",                 false },
		{ "198.51.100.0;/24",                            false },
		{ "198.51.100.1-9",                              false },
		{ "198.51.100.7:8080",                           false },
		{ "198.51.100.7,DE",                             false },
		{ "0.0.0.0 www.example.com",                     false },
		{ "198.51.100.0 0.0.0.255",                      false },
		{ "198.51.100.*",                                false },
		{ "-A a 198.51.100.7",                           false },
		{ "64:ff9b::198.51.100.1-198.51.100.9",          false },
		{ "64:ff9b:198.51.100.1-198.51.100.9",           false },
		{ "it is not found",                             false },
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_(feed_done) struct feed f = {};
		char in[512], out[1024];

		(void) snprintf(in, sizeof(in), "203.0.113.1\n%s\n203.0.113.2\n", rows[i].in);
		assert_int_equal(parse(in, strlen(in), &f), 0);
		check_sum(&f, rows[i].in);
		CHECK(!!f.doubt == rows[i].is_doubtful, "'%s': doubt %s", rows[i].in, f.doubt ?: "none");
		CHECK(f.doubt_line == (rows[i].is_doubtful ? 2 : 0), "'%s': line %zu", rows[i].in, f.doubt_line);
		if (rows[i].is_doubtful)
			continue;
		CHECK(f.n_bad == 1, "'%s' is not bad", rows[i].in);
		print(&f.targets, out, sizeof(out));
		CHECK(strcmp(out, "203.0.113.1 203.0.113.2") == 0, "'%s' gives '%s'", rows[i].in, out);
	}
}

/* What looks alike, and is what it seems. */
static void test_no_doubts(void **state)
{
	static const char *const rows[] = {
		"192.0.2.1 # !192.0.2.2",
		"192.0.2.1 # not 192.0.2.2, see /* x",
		"192.0.2.1 ; SBL1",
		"192.0.2.1 ; not seen since 192",
		"192.0.2.1;DE;2026-01-01",
		"192.0.2.1;DE;5",
		"192.0.2.1;20260101",
		"#!ebpf-fw list=a action=block\n192.0.2.1\n#!ebpf-fw list=b\n192.0.2.2",
		"192.0.2.1;",
		"192.0.2.0/24 ; 64496",
		"# allow 192.0.2.1",
		"; !192.0.2.1",
		"# [allowed]",
		"; http://www.example.com/*",
		"{\"cidr\":\"192.0.2.0/24\",\"except\":[],\"negate\":false,\"not\":null,\"action\":\"block\"}",
		"add x 192.0.2.1 comment \"not !192.0.2.2 netmask 24\"",
		"not good:192.0.2.0-192.0.2.255",
		"add a 192.0.2.1 timeout 5",
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_(feed_done) struct feed f = {};

		assert_int_equal(parse(rows[i], strlen(rows[i]), &f), 0);
		CHECK(f.n_bad == 0 && !f.doubt && f.n_exceptions == 0, "'%s': %s, doubt %s", rows[i],
		      f.first_bad_error ?: "good", f.doubt ?: "none");
	}
}

/* Doubts that more than one line makes. */
static void test_doubts_of_files(void **state)
{
	static const struct {
		const char *in;
		size_t line;
	} rows[] = {
		{ "add a 192.0.2.0/24\nadd b 192.0.2.1 nomatch\n", 2 },
		{ "create a hash:net\nadd a 192.0.2.1\nflush a\nadd a 192.0.2.2\n", 3 },
		{ "create a hash:ip netmask 24\ncreate a hash:ip\n", 2 },
		{ "#!ebpf-fw list=a action=block\n192.0.2.1\n#!ebpf-fw list=b action=allow\n192.0.2.2\n", 3 },
		{ "#!ebpf-fw list=a action=allow\n192.0.2.1\n#!ebpf-fw list=b\n192.0.2.2\n", 3 },
		{ "#!ebpf-fw list=manual\n192.0.2.1\n#!ebpf-fw list=allow\n192.0.2.2\n", 3 },
		{ "/* old:\n192.0.2.1\n*/\n192.0.2.2\n", 1 },
		{ "192.0.2.1\n[allowed]\n192.0.2.2\n!x\n", 2 },
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_(feed_done) struct feed f = {};

		assert_int_equal(parse(rows[i].in, strlen(rows[i].in), &f), 0);
		CHECK(f.doubt && f.doubt_line == rows[i].line, "'%s': line %zu, %s", rows[i].in, f.doubt_line,
		      f.doubt ?: "none");
	}
}

/* The order by bytes is that of target_compare(), over all lengths and families. */
static void test_sorted(void **state)
{
	for (uint64_t seed = 1; seed <= 40; seed++) {
		_cleanup_(targets_done) struct targets want = {};
		_cleanup_(feed_done) struct feed f = {};
		char text[8192], *at = text;
		uint64_t s = seed;
		size_t n_kept = 0;
		const char *error;

		for (unsigned i = 0; i < 150; i++) {
			char *line = at;

			if (random_below(&s, 4) == 0)
				at += sprintf(at, "2001:db8:%x::%x/%u", random_below(&s, 3),
					      random_below(&s, 4), random_below(&s, 129));
			else
				at += sprintf(at, "%u.%u.%u.%u/%u", random_below(&s, 256),
					      random_below(&s, 2), random_below(&s, 2) * 255,
					      random_below(&s, 256), random_below(&s, 33));
			assert_int_equal(targets_parse(&want, line, (size_t)(at - line), &error), 0);
			*at++ = '\n';
		}

		qsort(want.items, want.n_items, sizeof(*want.items), compare);
		for (size_t i = 0; i < want.n_items; i++)
			if (i == 0 || compare(&want.items[i], &want.items[n_kept - 1]) != 0)
				want.items[n_kept++] = want.items[i];

		assert_int_equal(parse(text, (size_t)(at - text), &f), 0);
		CHECK(f.targets.n_items == n_kept && f.n_duplicates == want.n_items - n_kept,
		      "seed %u: %zu items, not %zu", (unsigned)seed, f.targets.n_items, n_kept);
		for (size_t i = 0; i < n_kept; i++)
			CHECK(compare(&f.targets.items[i], &want.items[i]) == 0,
			      "seed %u: item %zu", (unsigned)seed, i);
	}
}

static void test_garbage(void **state)
{
	uint64_t seed = 7;

	for (size_t i = 0; i < 2000; i++) {
		_cleanup_(feed_done) struct feed f = {};
		char text[256];

		for (size_t k = 0; k < sizeof(text); k++)
			text[k] = i % 2 ? (char)random_next(&seed) :
					  "0123456789./-:{}\"add \n"[random_below(&seed, 22)];
		assert_int_equal(parse(text, i % sizeof(text), &f), 0);
		check_sum(&f, "garbage");
	}
}

/* A range is many prefixes: a small file cannot fill the memory. */
static void test_too_many(void **state)
{
	static const char line[] = "0.0.0.1-255.255.255.254\n";
	const size_t n_line = strlen(line), n = FEED_TARGETS_MAX / 62 + 1;
	_cleanup_free_ char *text = malloc(n * n_line);
	struct feed f = { .n_lines = 77 };

	assert_non_null(text);
	for (size_t i = 0; i < n; i++)
		memcpy(text + i * n_line, line, n_line);

	assert_int_equal(feed_parse(text, n * n_line, &f), -E2BIG);
	assert_int_equal(f.n_lines, 77);
}

/* Printed, not judged: machines differ, and sanitizers are slow. */
static void test_million(void **state)
{
	const size_t n = 1000000;
	_cleanup_(feed_done) struct feed f = {};
	_cleanup_free_ char *text = malloc(n * 20);
	struct timespec start, end;
	uint64_t seed = 1;
	char *at = text;

	assert_non_null(text);
	for (size_t i = 0; i < n; i++) {
		uint32_t a = (uint32_t)(random_next(&seed) >> 32);
		unsigned kind = random_below(&seed, 10);
		unsigned length = kind < 7 ? 32 : kind < 9 ? 24 : 8 + random_below(&seed, 16);

		at += sprintf(at, "%u.%u.%u.%u", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
		at += sprintf(at, length < 32 ? "/%u\n" : "\n", length);
	}

	(void) clock_gettime(CLOCK_MONOTONIC, &start);
	assert_int_equal(feed_parse(text, (size_t)(at - text), &f), 0);
	(void) clock_gettime(CLOCK_MONOTONIC, &end);

	assert_int_equal(f.n_entries, n);
	assert_int_equal(f.targets.n_items + f.n_duplicates, n);
	check_sum(&f, "a million lines");
	print_message("# %zu lines read, sorted and made unique in %.0f ms\n", n,
		      (double)(end.tv_sec - start.tv_sec) * 1e3 +
			      (double)(end.tv_nsec - start.tv_nsec) / 1e6);
}

static void test_read_file(void **state)
{
	static const size_t sizes[] = { 0, 1, 1000, 65535, 65536, 65537, 300000 };

	for (size_t i = 0; i < ELEMENTSOF(sizes); i++) {
		_cleanup_fclose_ FILE *file = tmpfile();
		_cleanup_free_ char *text = NULL, *again = NULL;
		size_t size = 77;

		assert_non_null(file);
		for (size_t k = 0; k < sizes[i]; k++)
			(void) fputc((int)(k % 251), file);
		rewind(file);

		assert_int_equal(feed_read_fd(fileno(file), sizes[i], &text, &size), 0);
		CHECK(size == sizes[i], "%zu bytes are %zu", sizes[i], size);
		for (size_t k = 0; k < size; k++)
			CHECK((unsigned char)text[k] == k % 251, "byte %zu of %zu", k, size);

		if (sizes[i] == 0)
			continue;
		rewind(file);
		CHECK(feed_read_fd(fileno(file), sizes[i] - 1, &again, &size) == -EFBIG,
		      "%zu bytes are not too many", sizes[i]);
		CHECK(!again, "%zu bytes: wrote its output", sizes[i]);
	}
}

static void test_read_other(void **state)
{
	_cleanup_close_ int directory = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int endless = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	_cleanup_close_ int empty = open("/dev/null", O_RDONLY | O_CLOEXEC);
	_cleanup_close_ int proc = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *nothing = NULL, *status = NULL, *piped = NULL;
	size_t size;
	int ends[2];

	assert_int_equal(feed_read_fd(-1, 100, &piped, &size), -EBADF);
	assert_int_equal(feed_read_fd(directory, 100, &piped, &size), -EISDIR);
	assert_int_equal(feed_read_fd(endless, 1 << 20, &piped, &size), -EFBIG);
	assert_null(piped);

	assert_int_equal(feed_read_fd(empty, 0, &nothing, &size), 0);
	assert_int_equal(size, 0);

	assert_int_equal(feed_read_fd(proc, 1 << 20, &status, &size), 0); /* says it has 0 bytes */
	assert_true(size > 100);

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(write(ends[1], "192.0.2.1\n", 10), 10);
	assert_int_equal(write(ends[1], "192.0.2.2", 9), 9);
	assert_int_equal(close(ends[1]), 0);
	assert_int_equal(feed_read_fd(ends[0], 19, &piped, &size), 0);
	assert_int_equal(close(ends[0]), 0);
	assert_int_equal(size, 19);
	assert_memory_equal(piped, "192.0.2.1\n192.0.2.2", 19);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_html),
		cmocka_unit_test(test_looks),
		cmocka_unit_test(test_first_bad_text),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_same_as_target),
		cmocka_unit_test(test_exceptions),
		cmocka_unit_test(test_exceptions_model),
		cmocka_unit_test(test_doubts),
		cmocka_unit_test(test_no_doubts),
		cmocka_unit_test(test_doubts_of_files),
		cmocka_unit_test(test_sorted),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_million),
		cmocka_unit_test(test_read_file),
		cmocka_unit_test(test_read_other),
	};

	return cmocka_run_group_tests_name("feed", tests, NULL, NULL);
}
