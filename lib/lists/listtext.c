// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * The text of list files. Reading takes what a person may have typed (blanks, CRLF, words in any
 * order, ranges) but no word it does not know: a line that is half understood would be half a
 * firewall. Printing has one form for each line, and no comment can make it two.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/decimal.h"
#include "base/linewords.h"
#include "lists/listheader.h"
#include "lists/listtext.h"

#define SINCE_MIN 1000000000 /* in 2001: with a digit less it is cut off */

static bool is_control(char c)
{
	return (unsigned char)c < ' ' || c == 0x7f;
}

/* What follows the '#' or ';', as a string in place: the line's end has room for the NUL. */
static const char *take_comment(struct cursor *c)
{
	char *comment;

	if (c->at == c->end)
		return "";

	comment = c->at + 1;
	for (char *p = comment; p < c->end; p++)
		if (is_control(*p))
			*p = ' ';
	while (comment < c->end && *comment == ' ')
		comment++;
	while (c->end > comment && c->end[-1] == ' ')
		c->end--;
	*c->end = '\0';
	return comment;
}

/* Reads "until=SECONDS" or "since=SECONDS" into *ret. False: the word is neither. */
static bool parse_time(struct list_line *line, struct word w, const char **ret_error)
{
	int64_t *ret = word_skip(&w, "until=") ? &line->until : word_skip(&w, "since=") ? &line->since : NULL;
	uint64_t seconds;

	if (!ret)
		return false;
	if (*ret > 0)
		*ret_error = "until= or since= is given twice";
	else if (decimal_parse(w.text, w.length, UNIX_TIME_MAX, &seconds) < 0 || seconds == 0)
		*ret_error = "until= and since= must be in seconds since 1970, up to the year 9999";
	else
		*ret = (int64_t)seconds;
	return true;
}

/* What may follow a target: how it is in the list. */
static const char *parse_attributes(struct list_line *line, struct cursor *c)
{
	const char *error = NULL;

	for (struct word w = next_word(c); w.length > 0; w = next_word(c)) {
		int r;

		if (line->is_removal)
			return "nothing but a comment may follow the target of !remove";

		if (parse_time(line, w, &error)) {
			if (error)
				return error;
			continue;
		}

		r = directions_from_string(w.text, w.length);
		if (r < 0)
			return "unknown word, expected until=SECONDS, since=SECONDS, in, out, both or # COMMENT";
		if (line->directions != 0)
			return "the direction is given twice";
		line->directions = (unsigned)r;
	}
	return NULL;
}

static int add_line(struct list *l, size_t *n_allocated, const struct list_line *line)
{
	if (l->n_items == *n_allocated) {
		size_t n = *n_allocated ? 2 * *n_allocated : 64;
		struct list_line *items = reallocarray(l->items, n, sizeof(*items));

		if (!items)
			return -ENOMEM;
		l->items = items;
		*n_allocated = n;
	}

	l->items[l->n_items++] = *line;
	return 0;
}

int list_lines_new(const char *name, struct list_lines *ret)
{
	struct list *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->header = list_header_default(name);
	*ret = (struct list_lines){ .list = l };
	return 0;
}

void list_lines_done(struct list_lines *lines)
{
	(void) list_free(lines->list);
	targets_done(&lines->targets);
}

static void add_mistake(struct list *l, const char *error)
{
	struct list_mistakes *m = &l->mistakes;

	if (m->n < LIST_MISTAKES_SHOWN)
		m->first[m->n] = (struct list_mistake){ l->n_lines, error };
	m->n++;
}

static void parse_header(struct list *l, struct cursor *c)
{
	const char *error = "a header can only be the first line";
	bool has_action = true;

	if (l->n_lines == 1) {
		error = header_parse(&l->header, c, &has_action);
		l->header.comment = take_comment(c);
		l->mistakes.is_header_wrong = error;
		l->mistakes.is_action_unclear = error && !has_action;
	}
	if (error)
		add_mistake(l, error);
	else
		l->n_understood++;
}

/* Reads an entry or a removal into lines->targets and *line. -EBADMSG: *ret_error says why. */
static int parse_entry(struct list_lines *lines, struct cursor *c, struct list_line *line, const char **ret_error)
{
	struct word w = next_word(c);
	int r;

	if (word_is(w, "!remove")) {
		line->is_removal = true;
		w = next_word(c);
	}
	r = targets_parse(&lines->targets, w.text, w.length, ret_error);
	if (r < 0)
		return r == -ENOMEM ? r : -EBADMSG;
	*ret_error = parse_attributes(line, c);
	if (*ret_error)
		return -EBADMSG;
	line->comment = take_comment(c);
	return 0;
}

int list_parse_line(struct list_lines *lines, struct cursor c)
{
	struct list *l = lines->list;
	struct list_line line = {};
	struct cursor ahead;
	const char *error;
	int r;

	l->n_lines++;
	if (l->n_lines == 1)
		c.at += byte_order_mark_length(c.at, (size_t)(c.end - c.at));
	if (c.end > c.at && c.end[-1] == '\r')
		c.end--;
	if (header_starts(&c)) {
		parse_header(l, &c);
		return 0;
	}
	ahead = c;
	if (next_word(&ahead).length == 0)
		return 0; /* empty, or a comment */

	lines->targets.n_items = 0;
	r = parse_entry(lines, &c, &line, &error);
	if (r == -EBADMSG) {
		add_mistake(l, error);
		return 0;
	}
	if (r < 0)
		return r;
	l->n_understood++;
	lines->is_log = lines->is_log || line.is_removal || line.since > 0;
	for (size_t i = 0; i < lines->targets.n_items; i++) {
		line.target = lines->targets.items[i];
		r = add_line(l, &lines->n_allocated, &line);
		if (r < 0)
			return r;
	}
	return 0;
}

/*
 * What fwctl appends ends with since=. In a file that has been appended to, a line that lacks it may be the start of
 * a longer one; anywhere else somebody has left out the last newline.
 */
static bool is_whole(const struct list_lines *lines, bool was_log, size_t n_items_before)
{
	const struct list *l = lines->list;

	for (size_t i = n_items_before; i < l->n_items; i++)
		if (l->items[i].is_removal || (was_log && l->items[i].since < SINCE_MIN) ||
		    (l->items[i].since > 0 && l->items[i].since < SINCE_MIN))
			return false;
	return true;
}

int list_parse_rest(struct list_lines *lines, struct cursor c)
{
	struct list *l = lines->list;
	size_t n_items = l->n_items, n_understood = l->n_understood, n_lines = l->n_lines;
	struct list_mistakes mistakes = l->mistakes;
	bool was_log = lines->is_log;
	int r;

	if (c.at == c.end)
		return 0;
	r = list_parse_line(lines, c);
	if (r < 0)
		return r;
	l->is_open = l->n_items > n_items && l->mistakes.n == mistakes.n && is_whole(lines, was_log, n_items);
	if (l->is_open)
		return 0;
	l->is_torn = true;
	l->n_items = n_items;
	l->n_understood = n_understood;
	l->n_lines = n_lines;
	l->mistakes = mistakes;
	return 0;
}

/* By target; where it is the same, the later line, which is at the higher address, comes last. */
static int compare_lines(const void *a, const void *b)
{
	const struct list_line *x = *(const struct list_line *const *)a;
	const struct list_line *y = *(const struct list_line *const *)b;
	int r = target_compare(&x->target, &y->target);

	return r != 0 ? r : (x > y) - (x < y);
}

/* How many items from the first on are sorted, and none is a removal: as list_print() was given them. */
static size_t count_settled(const struct list *l)
{
	size_t n = 0;

	while (n < l->n_items && !l->items[n].is_removal &&
	       (n == 0 || target_compare(&l->items[n - 1].target, &l->items[n].target) < 0))
		n++;
	return n;
}

/*
 * The later of two lines wins. Where the target has been in the list all the time from one to the other, it
 * takes over what it does not say: since when, and why.
 */
static struct list_line replace_line(const struct list_line *was, const struct list_line *is)
{
	struct list_line line = *is;

	if (was->is_removal || is->is_removal || (was->until > 0 && was->until <= is->since))
		return line;
	if (was->since > 0)
		line.since = was->since;
	if (line.comment[0] == '\0')
		line.comment = was->comment;
	return line;
}

/*
 * Sorts, and keeps the last line of each target. A long file is written sorted and then appended to: only the lines below
 * are sorted here, and merged with those above.
 */
static int settle(struct list *l)
{
	_cleanup_free_ const struct list_line **order = NULL;
	_cleanup_free_ struct list_line *items = NULL;
	size_t n_above = count_settled(l), n_below = l->n_items - n_above, above = 0, n = 0;

	if (n_below == 0)
		return 0;

	order = reallocarray(NULL, n_below, sizeof(*order));
	items = reallocarray(NULL, l->n_items, sizeof(*items));
	if (!order || !items)
		return -ENOMEM;

	for (size_t i = 0; i < n_below; i++)
		order[i] = &l->items[n_above + i];
	qsort(order, n_below, sizeof(*order), compare_lines);

	for (size_t i = 0; i < n_below; i++) {
		struct list_line line = *order[i];

		while (above < n_above && target_compare(&l->items[above].target, &line.target) < 0)
			items[n++] = l->items[above++];
		if (above < n_above && target_compare(&l->items[above].target, &line.target) == 0)
			line = replace_line(&l->items[above++], &line);
		for (; i + 1 < n_below && target_compare(&line.target, &order[i + 1]->target) == 0; i++)
			line = replace_line(&line, order[i + 1]);
		if (!line.is_removal)
			items[n++] = line;
	}
	while (above < n_above)
		items[n++] = l->items[above++];

	free(l->items);
	l->items = TAKE_PTR(items);
	l->n_items = n;
	return 0;
}

struct list *list_free(struct list *l)
{
	if (!l)
		return NULL;

	free(l->items);
	free(l->text);
	free(l);
	return NULL;
}

int list_parse(const char *name, char *text, size_t size, struct list **ret_list)
{
	_cleanup_(list_lines_done) struct list_lines lines = {};
	struct list *l;
	char *next = text, *end = text + size, *newline;
	int r;

	r = list_lines_new(name, &lines);
	if (r < 0) {
		free(text);
		return r;
	}
	l = lines.list;
	l->text = text;

	while ((newline = memchr(next, '\n', (size_t)(end - next)))) {
		r = list_parse_line(&lines, (struct cursor){ next, newline });
		if (r < 0)
			return r;
		next = newline + 1;
	}
	r = list_parse_rest(&lines, (struct cursor){ next, end });
	if (r < 0)
		return r;
	r = settle(l);
	if (r < 0)
		return r;

	*ret_list = TAKE_PTR(lines.list);
	return 0;
}

/* With the byte order mark before it; of one without a header, that alone. */
size_t list_header_length(const char *text, size_t size)
{
	size_t n_mark = byte_order_mark_length(text, size);
	char *newline = size > 0 ? memchr(text, '\n', size) : NULL;
	struct cursor c = { (char *)END_OF(text, n_mark), newline };

	return newline && header_starts(&c) ? (size_t)(newline - text) + 1 : n_mark;
}

/* The end of a line, with a comment before it or none. Control characters become blanks. */
static void print_comment(FILE *f, const char *comment)
{
	if (comment && comment[0] != '\0')
		fputs(" # ", f);
	for (; comment && *comment != '\0'; comment++)
		fputc(is_control(*comment) ? ' ' : *comment, f);
	fputc('\n', f);
}

static void print_line(FILE *f, const struct list_line *line)
{
	char target[TARGET_TEXT_MAX];

	if (line->is_removal)
		fputs("!remove ", f);
	fputs(target_format(&line->target, target), f);

	if (!line->is_removal && line->until > 0)
		fprintf(f, " until=%" PRId64, line->until);
	if (!line->is_removal && line->directions != 0)
		fprintf(f, " %s", directions_to_string(line->directions));
	if (!line->is_removal && line->since > 0)
		fprintf(f, " since=%" PRId64, line->since);
	print_comment(f, line->comment);
}

void list_write(FILE *f, const struct list_header *header, const struct list_line *lines, size_t n_lines)
{
	if (header) {
		header_print(f, header);
		print_comment(f, header->comment);
	}
	for (size_t i = 0; i < n_lines && !ferror(f); i++)
		print_line(f, &lines[i]);
}

int list_print(const struct list_header *header, const struct list_line *lines, size_t n_lines,
	       char **ret_text, size_t *ret_size)
{
	_cleanup_free_ char *text = NULL;
	size_t size = 0;
	bool failed;
	FILE *f;

	f = open_memstream(&text, &size);
	if (!f)
		return -errno;

	list_write(f, header, lines, n_lines);
	failed = ferror(f);
	if (fclose(f) != 0 || failed)
		return -ENOMEM; /* a stream in memory has no other reason */

	*ret_text = TAKE_PTR(text);
	*ret_size = size;
	return 0;
}
