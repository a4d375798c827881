// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Lines of "ipset save". The "create" line of a set may change what its entries are: with "netmask 24",
 * the entry 192.0.2.0 is all of 192.0.2.0/24. An entry with "nomatch" is an exception.
 */

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/decimal.h"
#include "feed/feed-internal.h"

/* What may follow an entry, other than a comment and "nomatch". */
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

/* Takes the text of a comment, which may have blanks: it ends at the next quote. */
static bool take_quoted(struct word *line)
{
	struct word w = line_trim(*line);
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
	for (struct word w = line_take_word(&rest, false), value; w.length > 0;
	     w = line_take_word(&rest, false)) {
		size_t i = 0;

		if (word_is(w, "comment")) {
			if (!take_quoted(&rest))
				return "a comment of ipset stands in quotes";
			continue;
		}

		if (word_is(w, "nomatch")) {
			m->kind = LINE_EXCEPTION;
			continue;
		}

		while (i < ELEMENTSOF(ipset_words) && !word_is(w, ipset_words[i].name))
			i++;
		if (i == ELEMENTSOF(ipset_words))
			return "unknown word behind an entry of ipset";
		if (!ipset_words[i].has_value)
			continue;

		value = line_take_word(&rest, false);
		if (value.length == 0)
			return "a word of ipset lacks its value";
		if (word_is(w, "timeout"))
			m->has_timeout = !word_is(value, "0"); /* 0 is for ever */
	}
	return NULL;
}

/* The netmask of a set, 128 if it has none. The latest "create" counts. */
static unsigned netmask_of(const struct line_reader *l, struct word set)
{
	for (size_t i = l->n_masked_sets; i-- > 0;)
		if (l->masked_sets[i].name.length == set.length &&
		    memcmp(l->masked_sets[i].name.text, set.text, set.length) == 0)
			return l->masked_sets[i].netmask;
	return 128;
}

static const char *keep_netmask(struct line_reader *l, struct word set, struct word value)
{
	uint64_t netmask;

	if (decimal_parse(value.text, value.length, 128, &netmask) < 0)
		return "the netmask of the set must be a number of bits";
	if (l->n_masked_sets == ELEMENTSOF(l->masked_sets))
		return "there are too many sets with a netmask: load one set at a time";
	l->masked_sets[l->n_masked_sets].name = set;
	l->masked_sets[l->n_masked_sets++].netmask = (unsigned)netmask;
	return NULL;
}

const char *line_reader_read_create(struct line_reader *l, struct word line)
{
	struct word set = line_take_word(&line, false);

	while (set.length > 0 && *set.text == '-') /* -exist */
		set = line_take_word(&line, false);
	for (struct word w = line_take_word(&line, false); w.length > 0; w = line_take_word(&line, false)) {
		if (word_is(w, "bitmask"))
			return "a set with a bitmask has entries that are no prefixes: it cannot be loaded";
		if (word_is(w, "netmask"))
			return keep_netmask(l, set, line_take_word(&line, false));
	}
	return netmask_of(l, set) < 128 ? "the set is created twice: load one set at a time" : NULL;
}

int line_reader_read_ipset(struct line_reader *l, struct word line, struct meaning *m,
			   const char **ret_error)
{
	struct collector *c = &l->collector;
	struct collector_mark mark;
	struct word entry;
	int r;

	m->format = FEED_IPSET;
	m->set = line_take_word(&line, false);
	while (m->set.length > 0 && *m->set.text == '-') /* -exist */
		m->set = line_take_word(&line, false);
	entry = line_take_word(&line, false);

	*ret_error = read_ipset_words(line, m);
	if (m->kind == LINE_EXCEPTION)
		c = &l->exceptions;
	mark = collector_mark(c);
	if (!*ret_error) {
		r = collector_add(c, entry.text, entry.length, ret_error);
		if (r < 0)
			return r;
		collector_widen(c, mark, netmask_of(l, m->set));
		return 0;
	}
	return -EBADMSG;
}
