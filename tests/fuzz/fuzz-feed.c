// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * The input as a published list. Every line is counted in one place, the targets are sorted and parse again from
 * their text, and the fast way through plain IPv4 lines agrees with the one for all lines.
 */

#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "feed.h"
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
	MUST(f->n_lines == f->n_entries + f->n_comments + f->n_metadata + f->n_bad);
	MUST((f->n_bad > 0) == (f->first_bad_line > 0));
	MUST((f->n_bad > 0) == (f->first_bad_error != NULL));
	MUST(f->first_bad_line <= f->n_lines);
	MUST((f->n_entries > 0) == (f->targets.n_items > 0));
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

/* A blank before the entry changes nothing, but takes the line off the fast way. */
static void check_line(const char *line, size_t length)
{
	_cleanup_(feed_done) struct feed fast = {}, slow = {};
	_cleanup_free_ char *text = malloc(length + 2);

	MUST(text);
	text[0] = ' ';
	memcpy(text + 1, line, length);
	text[length + 1] = '\n';
	MUST(feed_parse(text + 1, length + 1, &fast) == 0);
	MUST(feed_parse(text, length + 2, &slow) == 0);
	MUST(fast.n_entries == slow.n_entries && fast.n_bad == slow.n_bad && has_same_targets(&fast, &slow));
}

/* What only an IPv4 address or prefix is made of: the lines that have a fast way. */
static bool is_plain(const char *line, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (!memchr("0123456789./\r", line[i], 13))
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
