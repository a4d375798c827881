// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * One line of a published blocklist: which format is this, and is all of it understood? An unknown word makes a line bad,
 * since it may mean the opposite of the address before it, or more than it (a netmask, the end of a range).
 */

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include <json-c/json.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/decimal.h"
#include "feed/feed-internal.h"

static const char order_doubt[] =
	"exceptions of an ACL depend on its order: give the list without them, or write each as '!ADDRESS' without ';'";

void line_reader_done(struct line_reader *l)
{
	collector_done(&l->collector);
	collector_done(&l->exceptions);
	if (l->tokener) /* json-c 0.16 does not take NULL */
		json_tokener_free(l->tokener);
	l->tokener = NULL;
}

/* The words of our own list files, read as they are there. */
static const char *read_attributes(struct word *rest, struct meaning *m)
{
	for (struct word w = line_take_word(rest, true); w.length > 0; w = line_take_word(rest, true)) {
		bool is_end = word_skip(&w, "until=");
		uint64_t seconds;

		if (is_end || word_skip(&w, "since=")) {
			if (decimal_parse(w.text, w.length, UNIX_TIME_MAX, &seconds) < 0)
				return "until= and since= must be in seconds since 1970";
			m->has_timeout = m->has_timeout || is_end;
		} else if (directions_from_string(w.text, w.length) >= 0)
			m->has_direction = true;
		else
			return "unknown words behind the entry, expected a comment after # or ;";
	}
	return NULL;
}

/* "192.0.2.1 - 192.0.2.9": the three words as one. */
static int add_wide_range(struct line_reader *l, struct word first, struct word last,
			  const char **ret_error)
{
	char text[2 * INET6_ADDRSTRLEN];
	size_t length = first.length + 1 + last.length;

	if (length > sizeof(text)) {
		*ret_error = "longer than any range of addresses";
		return -EBADMSG;
	}

	memcpy(text, first.text, first.length);
	text[first.length] = '-';
	memcpy(text + first.length + 1, last.text, last.length);
	return collector_add(&l->collector, text, length, ret_error);
}

#define RANGE_SIZE_MAX (1u << 24) /* larger numbers are dates */

/* A column after ';' that says more than an address or prefix does: another address, or a length. */
static const char *read_column(struct word column, struct word entry, bool is_first)
{
	_cleanup_(targets_done) struct targets t = {};
	const char *error;
	uint64_t number;

	if (word_skip(&column, "\"") && column.length > 0 && column.text[column.length - 1] == '"')
		column.length--;
	if (word_skip(&column, "/") || word_skip(&column, "!") ||
	    targets_parse(&t, column.text, column.length, &error) == 0)
		return "more than one address, or a length, in a line with ';': write a range as FIRST-LAST";
	if (is_first && !memchr(entry.text, '/', entry.length) && !memchr(entry.text, '-', entry.length) &&
	    decimal_parse(column.text, column.length, RANGE_SIZE_MAX, &number) == 0)
		return "a number after ';' may be a prefix length or the size of a range: write ADDRESS/LENGTH or FIRST-LAST";
	return NULL;
}

/*
 * A comment, as in Spamhaus DROP, or other columns, or more of an ACL: the first two are read by their first word. In
 * an ACL, each part counts.
 */
static const char *read_semicolon(struct line_reader *l, struct word rest, struct word entry)
{
	const char *error = NULL;
	bool is_first = true;

	rest = line_trim(rest);
	while (!error && word_skip(&rest, ";")) {
		struct word column = line_trim(rest);
		size_t n = 0;

		while (n < column.length && !feed_is_space(column.text[n]) && !memchr(";,|#", column.text[n], 4))
			n++;
		rest = (struct word) { column.text + n, column.length - n };
		column.length = n;
		error = n > 0 ? read_column(column, entry, is_first) : NULL;
		is_first = false;
		if (n > 0 && *column.text == '!')
			l->doubt = order_doubt;
	}
	return error;
}

/* "!192.0.2.1", of pf and rbldnsd. */
static int read_exception(struct line_reader *l, struct word line, struct meaning *m, const char **ret_error)
{
	struct word entry;

	(void) word_skip(&line, "!");
	if (memchr(line.text, ';', line.length)) {
		l->doubt = *ret_error = order_doubt;
		return -EBADMSG;
	}

	entry = line_take_word(&line, true);
	m->kind = LINE_EXCEPTION;
	if (line_take_word(&line, true).length > 0) {
		*ret_error = "unknown words after an exception, expected a comment after #";
		return -EBADMSG;
	}
	return collector_add(&l->exceptions, entry.text, entry.length, ret_error);
}

static int read_plain(struct line_reader *l, struct word line, struct meaning *m,
		      const char **ret_error)
{
	struct word whole = line, entry = line_take_word(&line, true), ahead = line;
	int r;

	if (word_is(entry, "!remove")) {
		l->doubt = *ret_error = "a removal cannot be loaded: export the list instead";
		return -EBADMSG;
	}
	if (entry.length > 0 && *entry.text == '!')
		return read_exception(l, whole, m, ret_error);

	if (word_is(line_take_word(&ahead, true), "-")) {
		r = add_wide_range(l, entry, line_take_word(&ahead, true), ret_error);
		line = ahead;
	} else
		r = collector_add(&l->collector, entry.text, entry.length, ret_error);
	if (r < 0)
		return r;

	*ret_error = read_attributes(&line, m) ?: read_semicolon(l, line, entry);
	return *ret_error ? -EBADMSG : 0;
}

/* "64:ff9b:" and what ends with "::" before a range is half of an address and no name. */
static bool is_like_ipv6(struct word name)
{
	bool has_colon = false;

	for (size_t i = 0; i < name.length; i++) {
		if (!memchr("0123456789abcdefABCDEF:", name.text[i], 23))
			return false;
		has_colon |= name.text[i] == ':';
	}
	return has_colon;
}

/* "name:192.0.2.0-192.0.2.255": the last colon counts, the name may have any before. */
static int read_p2p(struct line_reader *l, struct word line, struct meaning *m,
		    const char **ret_error)
{
	const char *colon = memrchr(line.text, ':', line.length);
	struct word range;

	*ret_error = "expected NAME:FIRST-LAST";
	if (!colon)
		return -EBADMSG;

	if (is_like_ipv6((struct word) { line.text, (size_t)(colon - line.text) }))
		return -EBADMSG;
	range = line_trim((struct word) { colon + 1, (size_t)(line.text + line.length - colon) - 1 });
	if (!memchr(range.text, '-', range.length) || !memchr(range.text, '.', range.length))
		return -EBADMSG;

	m->format = FEED_P2P;
	return collector_add(&l->collector, range.text, range.length, ret_error);
}

/* A colon in a comment is no sign of P2P, unless lines before have shown it is the format. */
static bool may_be_p2p(const struct line_reader *l, struct word line)
{
	return l->expects_p2p || !(memchr(line.text, '#', line.length) ||
				   memchr(line.text, ';', line.length));
}

static int read_entry(struct line_reader *l, struct word line, struct meaning *m,
		      const char **ret_error)
{
	struct word rest = line, first = line_take_word(&rest, true);

	if (*line.text == '{')
		return line_reader_read_json(l, line, m, ret_error);
	if (word_is(first, "add"))
		return line_reader_read_ipset(l, rest, m, ret_error);
	return read_plain(l, line, m, ret_error);
}

/* Of our own lists: only whether it blocks or allows matters here. */
static void read_header(struct line_reader *l, struct word rest)
{
	bool allows = false;

	for (struct word w = line_take_word(&rest, false); w.length > 0; w = line_take_word(&rest, false))
		allows |= word_is(w, "action=allow") || word_is(w, "list=allow"); /* which says so by its name */
	l->has_allow |= allows;
	l->has_block |= !allows;
	if (l->has_allow && l->has_block && !l->doubt)
		l->doubt = "lists that block and lists that allow in one file: use 'fwctl import', or export one list";
}

/* Is it no entry, and not meant as one? */
static bool read_other(struct line_reader *l, struct word line, struct meaning *m)
{
	struct word rest = line, first = line_take_word(&rest, false);

	m->kind = LINE_METADATA;
	if (word_is(first, "#!ebpf-fw")) {
		read_header(l, rest);
		m->format = FEED_LIST;
		return true;
	}
	if (word_is(first, "create") && !l->expects_p2p) {
		const char *doubt = line_reader_read_create(l, rest);

		l->doubt = l->doubt ?: doubt;
		l->has_ipset = true;
		m->format = FEED_IPSET;
		return true;
	}
	if (word_is(first, "flush") && l->has_ipset) {
		if (l->collector.n_keys > 0 || l->collector.others.n_items > 0)
			l->doubt = "the set is flushed after it was filled: give the output of 'ipset save'";
		m->format = FEED_IPSET;
		return true;
	}

	m->kind = LINE_COMMENT;
	return line.length == 0 || feed_is_comment(*line.text);
}

typedef int (*read_fn)(struct line_reader *l, struct word line, struct meaning *m,
		       const char **ret_error);

/* Reads it one way. What a line adds before it turns out to be bad is forgotten. */
static int attempt(struct line_reader *l, struct word line, read_fn read_as, struct meaning *ret,
		   const char **ret_error)
{
	struct collector_mark mark = collector_mark(&l->collector), exceptions = collector_mark(&l->exceptions);
	struct meaning m = { .kind = LINE_ENTRY };
	int r;

	r = read_as(l, line, &m, ret_error);
	if (r < 0) {
		collector_rewind(&l->collector, mark);
		collector_rewind(&l->exceptions, exceptions);
		return r;
	}

	if (l->exceptions.others.n_items > exceptions.n_others &&
	    l->exceptions.others.items[exceptions.n_others].kind == TARGET_PORT) {
		collector_rewind(&l->exceptions, exceptions);
		*ret_error = "an exception must be an address, a prefix or a range";
		return -EBADMSG;
	}
	l->has_ipset |= m.format == FEED_IPSET;
	for (size_t i = mark.n_others; i < l->collector.others.n_items; i++)
		m.has_port = m.has_port || l->collector.others.items[i].kind == TARGET_PORT;
	*ret = m;
	return 0;
}

int line_reader_read(struct line_reader *l, struct word line, struct meaning *ret,
		     const char **ret_error)
{
	read_fn first = l->expects_p2p ? read_p2p : read_entry;
	read_fn second = l->expects_p2p ? read_entry : read_p2p;
	struct meaning m = {};
	const char *error;
	int r;

	line = line_trim(line);
	if (feed_opens_comment(line))
		l->doubt = l->doubt ?: "a comment of several lines cannot be told from entries: remove it";
	if (read_other(l, line, &m)) {
		*ret = m;
		return 0;
	}

	r = attempt(l, line, first, ret, ret_error);
	if (r == -EBADMSG && may_be_p2p(l, line))
		r = attempt(l, line, second, ret, &error); /* the first says what is wrong */
	if (r == -EBADMSG && !l->doubt)
		l->doubt = feed_doubt(line);
	return r;
}
