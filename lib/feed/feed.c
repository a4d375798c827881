// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Published blocklists as a whole: cut into lines, counted by what feed-line.c makes of them, and
 * handed over as feed-sort.c has sorted them.
 */

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/words.h"
#include "feed/feed-internal.h"

static const char byte_order_mark[] = "\xef\xbb\xbf";

static const char *const formats[_FEED_FORMAT_MAX] = {
	[FEED_PLAIN] = "plain",
	[FEED_JSON] = "json",
	[FEED_IPSET] = "ipset",
	[FEED_P2P] = "p2p",
	[FEED_LIST] = "list",
};

const char *feed_format_to_string(enum feed_format f)
{
	return words_get(formats, ELEMENTSOF(formats), f);
}

void feed_done(struct feed *f)
{
	targets_done(&f->targets);
}

/* No format begins with a tag. */
static bool looks_like_html(const char *at, const char *end)
{
	while (at < end && (is_blank(*at) || *at == '\r' || *at == '\n'))
		at++;
	return at < end && *at == '<';
}

static bool is_same(struct word a, struct word b)
{
	return a.length == b.length && memcmp(a.text, b.text, a.length) == 0;
}

/* *first is the first one of the file. */
static void count_bad(struct feed *f, struct word line, const char *error, struct word *first)
{
	size_t n = line.length < sizeof(f->first_bad_text) ? line.length : sizeof(f->first_bad_text) - 1;

	if (f->n_bad++ > 0)
		return;
	while (n > 0 && (line.text[n - 1] == '\r' || is_blank(line.text[n - 1])))
		n--;
	f->first_bad_line = f->n_lines;
	f->first_bad_error = error;
	memcpy(f->first_bad_text, line.text, n);
	*first = line;
}

static void count_entry(struct feed *f, const struct meaning *m)
{
	f->n_entries++;
	f->n_timeouts += m->has_timeout;
	f->n_directions += m->has_direction;
	if (m->has_port && f->n_ports++ == 0)
		f->first_port_line = f->n_lines;
}

/* One line that is more than an IPv4 address or prefix. *set is that of the latest "add", *bad the first bad line. */
static int read_line(struct feed *f, struct line_reader *l, struct word line, struct word *set, struct word *bad)
{
	const char *error;
	struct meaning m;
	int r;

	r = line_reader_read(l, line, &m, &error);
	if (l->doubt && !f->doubt) {
		f->doubt = l->doubt;
		f->doubt_line = f->n_lines;
	}
	if (r == -EBADMSG) {
		count_bad(f, line, error, bad);
		return 0;
	}
	if (r < 0)
		return r;

	if (f->n_entries + f->n_exceptions == 0 && m.format != FEED_PLAIN) {
		f->format = m.format;
		l->expects_p2p = m.format == FEED_P2P;
	}
	if (m.format == FEED_IPSET && m.kind >= LINE_ENTRY && !is_same(m.set, *set)) {
		f->n_sets++;
		*set = m.set;
	}

	switch (m.kind) {
	case LINE_COMMENT:
		f->n_comments++;
		break;
	case LINE_METADATA:
		f->n_metadata++;
		break;
	case LINE_ENTRY:
		count_entry(f, &m);
		break;
	case LINE_EXCEPTION:
		if (f->n_exceptions++ == 0)
			f->first_exception_line = f->n_lines;
		break;
	}
	return 0;
}

static int read_lines(struct feed *f, struct line_reader *l, const char *at, const char *end, struct word *bad)
{
	struct word set = { .text = "" };
	int r;

	while (at < end) {
		const char *newline;

		f->n_lines++;
		r = collector_add_ipv4_line(&l->collector, &at, end);
		if (r < 0)
			return r;
		if (r > 0) {
			f->n_entries++;
			continue;
		}

		newline = memchr(at, '\n', (size_t)(end - at));
		if (!newline)
			newline = end;
		r = read_line(f, l, (struct word) { at, (size_t)(newline - at) }, &set, bad);
		if (r < 0)
			return r;
		at = newline < end ? newline + 1 : end;
	}
	return 0;
}

/* In which of several sets an exception counts is lost when they are joined. */
static int apply_exceptions(struct feed *f, struct collector *exceptions)
{
	_cleanup_(targets_done) struct targets t = {};
	size_t n_duplicates;
	int r;

	if (f->n_exceptions == 0)
		return 0;
	if (f->n_sets > 1 && !f->doubt) {
		f->doubt = "an exception in one of several sets, which would be joined: load one set at a time";
		f->doubt_line = f->first_exception_line;
	}
	r = collector_finish(exceptions, &t, &n_duplicates);
	return r < 0 ? r : targets_except(&f->targets, &t);
}

int feed_parse(const char *text, size_t size, struct feed *ret)
{
	_cleanup_(line_reader_done) struct line_reader l = {};
	const char *at = text, *end = text + size;
	struct word bad = { .text = "" };
	struct feed f = {};
	int r;

	if (size >= strlen(byte_order_mark) &&
	    memcmp(text, byte_order_mark, strlen(byte_order_mark)) == 0)
		at += strlen(byte_order_mark);
	f.looks_like_html = looks_like_html(at, end);

	r = read_lines(&f, &l, at, end, &bad);
	if (r < 0)
		return r;
	if (f.n_bad > 0)
		f.look = feed_look(at, (size_t)(end - at), bad.text, bad.length);

	r = collector_finish(&l.collector, &f.targets, &f.n_duplicates);
	if (r < 0)
		return r;

	f.is_allow_list = l.has_allow;
	r = apply_exceptions(&f, &l.exceptions);
	if (r < 0) {
		feed_done(&f);
		return r;
	}

	*ret = f;
	return 0;
}
