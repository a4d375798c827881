// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Lines that change what other lines mean: exceptions, removals, sections, comments over several
 * lines. If one of them cannot be read, the entries around it cannot be trusted, and the file as a
 * whole is refused.
 */

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "feed/feed-internal.h"

static const char separators[] = " \t\r,;{}()[]|\"'=";

/* As words of their own in a line with an address. Leading dashes do not count. */
static const struct {
	const char *word;
	const char *doubt;
} words[] = {
#define EXCEPTION "an exception that cannot be read: without it the other lines would block too much"
#define REMOVAL   "a removal cannot be loaded: give the list as it is after it"
	{ "nomatch",   EXCEPTION },
	{ "except",    EXCEPTION },
	{ "exclude",   EXCEPTION },
	{ "excluding", EXCEPTION },
	{ "not",       EXCEPTION },
	{ "allow",     EXCEPTION },
	{ "allowed",   EXCEPTION },
	{ "permit",    EXCEPTION },
	{ "accept",    EXCEPTION },
	{ "pass",      EXCEPTION },
	{ "unblock",   EXCEPTION },
	{ "whitelist", EXCEPTION },
	{ "del",       REMOVAL   },
	{ "delete",    REMOVAL   },
	{ "remove",    REMOVAL   },
	{ "-D",        REMOVAL   }, /* of ipset and iptables */
};

static bool is_separator(char c)
{
	return memchr(separators, c, sizeof(separators)) != NULL; /* a NUL is one, too */
}

static struct word take_part(struct word *line)
{
	size_t start = 0, end;

	while (start < line->length && is_separator(line->text[start]))
		start++;
	end = start;
	while (end < line->length && !is_separator(line->text[end]))
		end++;

	struct word w = { line->text + start, end - start };

	*line = (struct word) { line->text + end, line->length - end };
	return w;
}

static bool is_address(struct word w)
{
	_cleanup_(targets_done) struct targets t = {};
	const char *error;

	return targets_parse(&t, w.text, w.length, &error) == 0 && t.items[0].kind == TARGET_PREFIX;
}

static bool is_same(struct word w, const char *text)
{
	return w.length == strlen(text) && strncasecmp(w.text, text, w.length) == 0;
}

/* "--netmask", "whitelist:" */
static struct word bare_word(struct word w)
{
	while (word_skip(&w, "-"))
		;
	w.length -= w.length > 0 && w.text[w.length - 1] == ':';
	return w;
}

static const char *doubt_of_word(struct word w)
{
	for (size_t i = 0; i < ELEMENTSOF(words); i++)
		if (word_is(w, words[i].word) || is_same(bare_word(w), words[i].word))
			return words[i].doubt;
	return NULL;
}

static struct word without_comment(struct word line)
{
	const char *hash = memchr(line.text, '#', line.length);

	if (hash)
		line.length = (size_t)(hash - line.text);
	return line_trim(line);
}

/* "[allowed]", and not an array of JSON or an IPv6 address. */
static bool is_section(struct word line)
{
	return line.length > 2 && *line.text == '[' && line.text[line.length - 1] == ']' &&
	       isalpha((unsigned char)line.text[1]) && !memchr(line.text, ',', line.length) &&
	       !memchr(line.text, ':', line.length);
}

const char *feed_doubt(struct word line)
{
	struct word rest = line = without_comment(line);
	bool has_address = false;
	const char *doubt = NULL;

	if (word_skip(&rest, "!") || word_skip(&rest, "@@"))
		return EXCEPTION;
	if (is_section(line))
		return "a file with sections, of which some may be exceptions: give the lines of one section";

	for (struct word w = take_part(&rest); w.length > 0; w = take_part(&rest)) {
		if (is_same(bare_word(w), "netmask") || is_same(bare_word(w), "bitmask"))
			return "a netmask that cannot be read: it may change what the entries mean";
		if (word_skip(&w, "!"))
			doubt = EXCEPTION;
		else if (!doubt)
			doubt = doubt_of_word(w);
		has_address = has_address || is_address(w);
	}
	return has_address ? doubt : NULL;
}

bool feed_opens_comment(struct word line)
{
	struct word code = without_comment(line);
	const char *open, *end = code.text + code.length;

	if (code.length == 0 || *code.text == ';')
		return false;
	open = memmem(code.text, code.length, "/*", 2);
	if (open && (open == code.text || is_blank(open[-1]) || open[-1] == ';'))
		return !memmem(open + 2, (size_t)(end - open) - 2, "*/", 2);
	open = memmem(code.text, code.length, "<!--", 4);
	return open && !memmem(open, (size_t)(end - open), "-->", 3);
}
