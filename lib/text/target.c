// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * What a user may name: text <-> struct. Every refusal comes with a sentence, made
 * here, so that the command line and list files refuse in the same words. Names are never resolved.
 */

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/decimal.h"
#include "base/words.h"
#include "text/target.h"

static const char *const protocols[_FW_PROTOCOL_MAX] = {
	[FW_TCP] = "tcp",
	[FW_UDP] = "udp",
};

static const char *const directions[] = {
	[FW_IN] = "in",
	[FW_OUT] = "out",
	[FW_BOTH] = "both",
};

const char *protocol_to_string(enum fw_protocol p)
{
	return words_get(protocols, ELEMENTSOF(protocols), p);
}

int protocol_from_string(const char *text, size_t length)
{
	return words_find(protocols, ELEMENTSOF(protocols), text, length);
}

const char *directions_to_string(unsigned d)
{
	return words_get(directions, ELEMENTSOF(directions), d);
}

int directions_from_string(const char *text, size_t length)
{
	return words_find(directions, ELEMENTSOF(directions), text, length);
}

unsigned target_default_directions(const struct target *t)
{
	return t->kind == TARGET_PORT ? FW_IN : FW_BOTH;
}

void targets_done(struct targets *t)
{
	free(t->items);
	*t = (struct targets) {};
}

int targets_add(struct targets *t, const struct target *target)
{
	if (t->n_items == t->n_allocated) {
		size_t n = t->n_allocated ? 2 * t->n_allocated : 16;
		struct target *items = reallocarray(t->items, n, sizeof(*items));

		if (!items)
			return -ENOMEM;
		t->items = items;
		t->n_allocated = n;
	}

	t->items[t->n_items++] = *target;
	return 0;
}

/* What is most likely wrong with a text that is no address. */
static const char *explain(const char *text, size_t length)
{
	size_t n_digits = 0;

	for (size_t i = 0; i < length; i++) {
		bool starts_number = i == 0 || text[i - 1] == '.';

		if (text[i] == '%')
			return "an address has no zone here, leave out what follows the '%'";
		if (starts_number && text[i] == '0' && i + 1 < length &&
		    isdigit((unsigned char)text[i + 1]))
			return "an IPv4 address has no leading zeros, they may be read as octal";
		if (isalpha((unsigned char)text[i]) && !isxdigit((unsigned char)text[i]))
			return "names are not looked up: give an address, a range, or a port like tcp/80";
		n_digits += isdigit((unsigned char)text[i]) != 0;
	}
	if (length > 0 && n_digits == length)
		return "a number alone says nothing: a port is written tcp/80";
	return "expected an address, prefix, range (192.0.2.1-192.0.2.9) or port (tcp/80)";
}

static int parse_prefix(const char *text, size_t length, struct target *ret, bool *ret_masked,
			const char **ret_error)
{
	int r;

	r = prefix_parse(text, length, &ret->prefix, ret_masked);
	if (r == -ERANGE)
		*ret_error = memchr(text, ':', length) ? "prefix length must be 0 to 128" :
							 "prefix length must be 0 to 32";
	else if (r < 0)
		*ret_error = explain(text, length);
	else
		ret->kind = TARGET_PREFIX;
	return r;
}

/* "80" or "8000-8100", after the slash. */
static int parse_ports(const char *text, size_t length, struct target *ret, const char **ret_error)
{
	const char *dash = memchr(text, '-', length);
	size_t n_first = dash ? (size_t)(dash - text) : length;
	uint64_t first = 0, last;
	int r;

	r = decimal_parse(text, n_first, UINT16_MAX, &first);
	last = first;
	if (r >= 0 && dash)
		r = decimal_parse(dash + 1, length - n_first - 1, UINT16_MAX, &last);
	if (r < 0) {
		*ret_error = "port must be a number 0 to 65535 or a range such as 8000-8100";
		return r;
	}
	if (last < first) {
		*ret_error = "range ends before it starts";
		return -ERANGE;
	}

	ret->kind = TARGET_PORT;
	ret->port.first = (uint16_t)first;
	ret->port.last = (uint16_t)last;
	return 0;
}

/* A word before a slash says that a port is meant; an address has a dot or a colon there. */
static bool is_port(const char *text, size_t length)
{
	const char *slash = memchr(text, '/', length);
	size_t n_word = slash ? (size_t)(slash - text) : 0;

	return n_word > 0 && isalpha((unsigned char)text[0]) && !memchr(text, ':', n_word) &&
	       !memchr(text, '.', n_word);
}

static int parse_port(const char *text, size_t length, struct target *ret, const char **ret_error)
{
	size_t n_word = (size_t)((const char *)memchr(text, '/', length) - text);
	int protocol = protocol_from_string(text, n_word);

	if (protocol < 0) {
		*ret_error = "protocol of a port must be tcp or udp";
		return -EINVAL;
	}

	ret->port.protocol = (enum fw_protocol)protocol;
	return parse_ports(text + n_word + 1, length - n_word - 1, ret, ret_error);
}

static bool is_range(const char *text, size_t length)
{
	return !is_port(text, length) && memchr(text, '-', length);
}

/* Anything but a range of addresses. */
static int parse_single(const char *text, size_t length, struct target *ret, bool *ret_masked,
			const char **ret_error)
{
	*ret = (struct target) {}; /* what the kind does not use is zero */
	*ret_masked = false;

	return is_port(text, length) ? parse_port(text, length, ret, ret_error) :
				       parse_prefix(text, length, ret, ret_masked, ret_error);
}

static int add_prefix(const struct prefix *p, void *userdata)
{
	struct target target = { .kind = TARGET_PREFIX, .prefix = *p };

	return targets_add(userdata, &target);
}

static int parse_range(struct targets *t, const char *text, size_t length, const char **ret_error)
{
	size_t n_first = (size_t)((const char *)memchr(text, '-', length) - text);
	size_t n_items = t->n_items; /* to go back to */
	struct target first, last;
	bool masked;
	int r;

	if (memchr(text, '/', length)) {
		*ret_error = "a range goes from one address to another, without prefix lengths";
		return -EINVAL;
	}

	r = parse_prefix(text, n_first, &first, &masked, ret_error);
	if (r >= 0)
		r = parse_prefix(text + n_first + 1, length - n_first - 1, &last, &masked,
				 ret_error);
	if (r < 0)
		return r;

	if (first.prefix.family != last.prefix.family) {
		*ret_error = "both ends of a range must be IPv4, or both IPv6";
		return -EINVAL;
	}

	r = prefix_split_range(&first.prefix, &last.prefix, add_prefix, t);
	if (r < 0) {
		t->n_items = n_items;
		*ret_error = r == -ERANGE ? "range ends before it starts" : "out of memory";
	}
	return r;
}

int targets_parse(struct targets *t, const char *text, size_t length, const char **ret_error)
{
	struct target target;
	bool masked;
	int r;

	if (is_range(text, length))
		return parse_range(t, text, length, ret_error);

	r = parse_single(text, length, &target, &masked, ret_error);
	if (r < 0)
		return r;

	r = targets_add(t, &target);
	if (r < 0) {
		*ret_error = "out of memory";
		return r;
	}

	t->n_masked += masked;
	return 0;
}

int target_parse(const char *text, size_t length, struct target *ret, const char **ret_error)
{
	struct target target;
	bool masked;
	int r;

	if (is_range(text, length)) {
		*ret_error = "expected one address, prefix or port, not a range of addresses";
		return -EINVAL;
	}

	r = parse_single(text, length, &target, &masked, ret_error);
	if (r < 0)
		return r;

	*ret = target;
	return 0;
}

const char *target_format(const struct target *t, char buffer[static TARGET_TEXT_MAX])
{
	int n;

	if (t->kind == TARGET_PREFIX)
		return prefix_format(&t->prefix, buffer);

	n = sprintf(buffer, "%s/%u", protocol_to_string(t->port.protocol), t->port.first);
	if (t->port.last != t->port.first)
		(void) sprintf(buffer + n, "-%u", t->port.last);
	return buffer;
}

int target_compare(const struct target *a, const struct target *b)
{
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->kind == TARGET_PREFIX)
		return prefix_compare(&a->prefix, &b->prefix);

	if (a->port.protocol != b->port.protocol)
		return a->port.protocol < b->port.protocol ? -1 : 1;
	if (a->port.first != b->port.first)
		return a->port.first - b->port.first;
	return a->port.last - b->port.last;
}

bool target_covers(const struct target *outer, const struct target *inner)
{
	if (outer->kind != inner->kind)
		return false;
	if (outer->kind == TARGET_PREFIX)
		return prefix_covers(&outer->prefix, &inner->prefix);
	return outer->port.protocol == inner->port.protocol && outer->port.first <= inner->port.first &&
	       inner->port.last <= outer->port.last;
}

enum fw_kind target_fw_kind(const struct target *t)
{
	if (t->kind == TARGET_PORT)
		return FW_KIND_PORT;
	return t->prefix.family == AF_INET ? FW_KIND_IPV4 : FW_KIND_IPV6;
}
