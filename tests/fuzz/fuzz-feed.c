// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * The input as a published list. Every line is counted in one place, the targets are sorted and parse again from
 * their text, and lines with IPv4 alone, which have a parser of their own, agree with the parser of targets.
 */

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "feed/feed.h"
#include "fuzz.h"

static bool has_same_targets(const struct feed *a, const struct feed *b)
{
	if (a->targets.n_items != b->targets.n_items)
		return false;
	for (size_t i = 0; i < a->targets.n_items; i++)
		if (target_compare(&a->targets.items[i], &b->targets.items[i]) != 0)
			return false;
	return true;
}

static void check_counts(const struct feed *f)
{
	MUST(f->n_lines == f->n_entries + f->n_exceptions + f->n_comments + f->n_metadata + f->n_bad);
	MUST((f->n_bad > 0) == (f->first_bad_line > 0));
	MUST((f->n_bad > 0) == (f->first_bad_error != NULL));
	MUST(f->first_bad_line <= f->n_lines);
	MUST(f->n_entries > 0 || f->targets.n_items == 0);
	MUST(f->n_entries == 0 || f->targets.n_items > 0 || f->n_exceptions > 0);
	MUST((f->doubt != NULL) == (f->doubt_line > 0));
	MUST(feed_format_to_string(f->format));
	for (size_t i = 1; i < f->targets.n_items; i++)
		MUST(target_compare(&f->targets.items[i - 1], &f->targets.items[i]) < 0);
}

/* Printed one a line, the targets are a list of their own, without a bad line. */
static void check_again(const struct feed *f)
{
	_cleanup_(feed_done) struct feed again = {};
	_cleanup_free_ char *text = malloc(f->targets.n_items * TARGET_TEXT_MAX + 1);
	char one[TARGET_TEXT_MAX];
	size_t size = 0;

	MUST(text);
	for (size_t i = 0; i < f->targets.n_items; i++)
		size += (size_t)sprintf(text + size, "%s\n", target_format(&f->targets.items[i], one));
	MUST(feed_parse(text, size, &again) == 0);
	MUST(again.n_bad == 0 && again.n_entries == f->targets.n_items && has_same_targets(f, &again));
}

/* A line that is an address, a prefix or a range means what it means as a TARGET. */
static void check_line(const char *line, size_t length)
{
	_cleanup_(targets_done) struct targets slow = {};
	_cleanup_(feed_done) struct feed fast = {};
	const char *error;
	int r;

	MUST(feed_parse(line, length, &fast) == 0);
	r = targets_parse(&slow, line, length, &error);
	MUST((r == 0) == (fast.n_bad == 0));
	MUST(slow.n_items == fast.targets.n_items);
	for (size_t i = 0; i < slow.n_items; i++)
		MUST(target_compare(&slow.items[i], &fast.targets.items[i]) == 0);
}

/* Made of what an IPv4 address, prefix or range is made of: these lines have a parser of their own. */
static bool is_plain(const char *line, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (!memchr("0123456789./-", line[i], 13))
			return false;
	return length > 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(feed_done) struct feed f = {};
	const char *at = (const char *)data, *end = at + size, *newline;
	int r;

	r = feed_parse(at, size, &f);
	MUST(r == 0 || r == -E2BIG);
	if (r < 0)
		return 0;
	check_counts(&f);
	if (f.targets.n_items < 1000)
		check_again(&f);

	for (; at < end; at = newline + 1) {
		newline = memchr(at, '\n', (size_t)(end - at)) ?: end;
		if (is_plain(at, (size_t)(newline - at)))
			check_line(at, (size_t)(newline - at));
		if (newline == end)
			break;
	}
	return 0;
}
