// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * One line of a published blocklist: which format is this, and is all of it understood? A word
 * nobody knows makes a line bad, since what it says may be the opposite of the address before it
 * ("nomatch" of ipset), or more than it (a netmask, the end of a range).
 */

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include <json-c/json.h>

#include "cleanup.h"
#include "decimal.h"
#include "feed-internal.h"
#include "listtext.h"

/* What may follow an entry of ipset. Not "nomatch": an exception cannot be told here. */
static const struct {
	const char *name;
	bool has_value;
} ipset_words[] = {
	{ "-exist",   false },
	{ "bytes",    true  },
	{ "packets",  true  },
	{ "skbmark",  true  },
	{ "skbprio",  true  },
	{ "skbqueue", true  },
	{ "timeout",  true  },
};

void line_reader_done(struct line_reader *l)
{
	collector_done(&l->collector);
	if (l->tokener) /* json-c 0.16 does not take NULL */
		json_tokener_free(l->tokener);
	l->tokener = NULL;
}

static bool is_space(char c)
{
	return is_blank(c) || c == '\r';
}

static bool is_comment(char c)
{
	return c == '#' || c == ';';
}

static struct word trim(struct word w)
{
	while (w.length > 0 && is_space(*w.text)) {
		w.text++;
		w.length--;
	}
	while (w.length > 0 && is_space(w.text[w.length - 1]))
		w.length--;
	return w;
}

/* Takes the first word off *line; it is empty at the end, and before a comment if there are any. */
static struct word take_word(struct word *line, bool has_comments)
{
	struct word w = trim(*line);
	size_t n = 0;

	while (n < w.length && !is_space(w.text[n]) && !(has_comments && is_comment(w.text[n])))
		n++;

	*line = (struct word) { w.text + n, w.length - n };
	w.length = n;
	return w;
}

/* The words of our own list files, read as they are there. */
static const char *read_attributes(struct word rest, struct meaning *m)
{
	for (struct word w = take_word(&rest, true); w.length > 0; w = take_word(&rest, true)) {
		bool is_end = word_skip(&w, "until=");
		uint64_t seconds;

		if (is_end || word_skip(&w, "since=")) {
			if (decimal_parse(w.text, w.length, LIST_TIME_MAX, &seconds) < 0)
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

static int read_plain(struct line_reader *l, struct word line, struct meaning *m,
		      const char **ret_error)
{
	struct word entry = take_word(&line, true), ahead = line;
	int r;

	if (word_is(entry, "!remove")) {
		*ret_error = "a removal cannot be loaded: export the list instead";
		return -EBADMSG;
	}

	if (word_is(take_word(&ahead, true), "-")) {
		r = add_wide_range(l, entry, take_word(&ahead, true), ret_error);
		line = ahead;
	} else
		r = collector_add(&l->collector, entry.text, entry.length, ret_error);
	if (r < 0)
		return r;

	*ret_error = read_attributes(line, m);
	return *ret_error ? -EBADMSG : 0;
}

/* Takes the text of a comment, which may have blanks: it ends at the next quote. */
static bool take_quoted(struct word *line)
{
	struct word w = trim(*line);
	const char *quote;

	if (!word_skip(&w, "\""))
		return false;
	quote = memchr(w.text, '"', w.length);
	if (!quote)
		return false;

	*line = (struct word) { quote + 1, (size_t)(w.text + w.length - quote) - 1 };
	return true;
}

static const char *read_ipset_words(struct word rest, struct meaning *m)
{
	for (struct word w = take_word(&rest, false), value; w.length > 0;
	     w = take_word(&rest, false)) {
		size_t i = 0;

		if (word_is(w, "comment")) {
			if (!take_quoted(&rest))
				return "a comment of ipset stands in quotes";
			continue;
		}

		while (i < ELEMENTSOF(ipset_words) && !word_is(w, ipset_words[i].name))
			i++;
		if (i == ELEMENTSOF(ipset_words))
			return word_is(w, "nomatch") ? "exceptions (nomatch) cannot be loaded" :
						       "unknown word behind an entry of ipset";
		if (!ipset_words[i].has_value)
			continue;

		value = take_word(&rest, false);
		if (value.length == 0)
			return "a word of ipset lacks its value";
		if (word_is(w, "timeout"))
			m->has_timeout = !word_is(value, "0"); /* 0 is for ever */
	}
	return NULL;
}

/* "add SET ENTRY ..." from behind the "add" */
static int read_ipset(struct line_reader *l, struct word line, struct meaning *m,
		      const char **ret_error)
{
	struct word entry;
	int r;

	m->format = FEED_IPSET;
	m->set = take_word(&line, false);
	entry = take_word(&line, false);

	r = collector_add(&l->collector, entry.text, entry.length, ret_error);
	if (r < 0)
		return r;

	*ret_error = read_ipset_words(line, m);
	return *ret_error ? -EBADMSG : 0;
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

	range = trim((struct word) { colon + 1, (size_t)(line.text + line.length - colon) - 1 });
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
	struct word rest = line, first = take_word(&rest, true);

	if (*line.text == '{')
		return line_reader_read_json(l, line, m, ret_error);
	if (word_is(first, "add"))
		return read_ipset(l, rest, m, ret_error);
	return read_plain(l, line, m, ret_error);
}

/* Is it no entry, and not meant as one? */
static bool read_other(const struct line_reader *l, struct word line, struct meaning *m)
{
	struct word rest = line, first = take_word(&rest, false);

	m->kind = LINE_METADATA;
	if (word_is(first, "#!ebpf-fw")) {
		m->format = FEED_LIST;
		return true;
	}
	if (word_is(first, "create") && !l->expects_p2p) {
		m->format = FEED_IPSET;
		return true;
	}

	m->kind = LINE_COMMENT;
	return line.length == 0 || is_comment(*line.text);
}

typedef int (*read_fn)(struct line_reader *l, struct word line, struct meaning *m,
		       const char **ret_error);

/* Reads it one way. What a line adds before it turns out to be bad is forgotten. */
static int attempt(struct line_reader *l, struct word line, read_fn read_as, struct meaning *ret,
		   const char **ret_error)
{
	struct collector_mark mark = collector_mark(&l->collector);
	struct meaning m = { .kind = LINE_ENTRY };
	int r;

	r = read_as(l, line, &m, ret_error);
	if (r < 0) {
		collector_rewind(&l->collector, mark);
		return r;
	}

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

	line = trim(line);
	if (read_other(l, line, &m)) {
		*ret = m;
		return 0;
	}

	r = attempt(l, line, first, ret, ret_error);
	if (r == -EBADMSG && may_be_p2p(l, line))
		r = attempt(l, line, second, ret, &error); /* the first says what is wrong */
	return r;
}
