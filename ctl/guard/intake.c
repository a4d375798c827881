// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * The import guard: see intake.h. Targets are sorted, so that each thing that is protected is
 * searched among a million of them, and not the other way round.
 */

#include "guard/intake.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "log/log.h"
#include "output/output.h"

#define BAD_LINES_MAX_PERCENT 5
#define GROWTH_MAX 10
#define SHARE_TEXT_MAX 24

/*
 * Of IPv6 a hundredth is much: all that is in use is little more. The largest country has over a third of IPv4, most
 * have less than a hundredth, and lists of attackers less than a thousandth.
 */
static const struct {
	const char *name;
	double share_max;
	double few; /* a list may grow up to here at once: a /12 of IPv4, a /32 of IPv6 */
} families[_COVERAGE_MAX] = {
	[COVERAGE_IPV4] = { "IPv4", 0.1,  0x1p20 },
	[COVERAGE_IPV6] = { "IPv6", 0.01, 0x1p96 },
};

#define NAME_TEXT_MAX 256

#define UNKNOWN_LOOK "no format of lists: give one address, prefix or range a line"

int intake_check(struct ctl *ctl, const struct feed *f, const char *name)
{
	size_t n_lines = f->n_entries + f->n_bad;
	char escaped[NAME_TEXT_MAX], line[FEED_SAMPLE_MAX * 4];

	(void) log_escape(name, escaped, sizeof(escaped));
	(void) log_escape(f->first_bad_text, line, sizeof(line));
	if (f->n_entries == 0 && f->n_bad > 0) /* not even by force: nothing was understood, which is not an empty list */
		return output_fail(ctl, EXIT_NO,
				   "'%s' holds no entry that can be read: it looks like %s. The first bad line is line %zu, '%s': %s. "
				   "Nothing was changed",
				   escaped, f->look ?: UNKNOWN_LOOK, f->first_bad_line, line, f->first_bad_error);
	if (f->doubt) /* nor this: entries could be the opposite of what they seem */
		return output_fail(ctl, EXIT_NO, "'%s' cannot be loaded, because of line %zu: %s. Nothing was changed", escaped,
				   f->doubt_line, f->doubt);
	if (f->n_bad > 0)
		output_note(ctl, "%s: %zu of %zu lines are bad and skipped; the first is line %zu, '%s': %s", escaped,
			    f->n_bad, n_lines, f->first_bad_line, line, f->first_bad_error);
	if (ctl->is_forced)
		return EXIT_DONE;

	if (f->looks_like_html)
		return output_fail(ctl, EXIT_NO,
				   "'%s' is a page of HTML and no list. Nothing was changed",
				   escaped);
	if (f->n_ports > 0 && f->format != FEED_LIST)
		return output_fail(ctl, EXIT_NO,
				   "'%s' names ports, the first in line %zu, which published lists do not: --force loads them. "
				   "Nothing was changed",
				   escaped, f->first_port_line);
	if (f->n_entries == 0)
		return output_fail(
			ctl, EXIT_NO,
			"'%s' holds no entry, it is empty%s: --force empties the list. Nothing was changed",
			escaped, f->n_lines > 0 ? " but for comments and headers" : "");
	if (f->n_bad * 100 > n_lines * BAD_LINES_MAX_PERCENT)
		return output_fail(
			ctl, EXIT_NO,
			"'%s' is no list that can be trusted: over %d %% of its lines are bad, it looks like %s. "
			"The first bad line is line %zu, '%s': %s; --force loads the rest. Nothing was changed",
			escaped, BAD_LINES_MAX_PERCENT, f->look ?: UNKNOWN_LOOK, f->first_bad_line, line,
			f->first_bad_error);
	return EXIT_DONE;
}

/* As a percentage that can be compared with the limit by eye. */
static const char *format_share(double share, char buffer[static SHARE_TEXT_MAX])
{
	(void) snprintf(buffer, SHARE_TEXT_MAX, share > 0 && share < 0.0001 ? "under 0.01 %%" : "%.2f %%", share * 100);
	return buffer;
}

const char *intake_format_coverage(const struct coverage *c, char buffer[static INTAKE_TEXT_MAX])
{
	char ipv4[SHARE_TEXT_MAX], ipv6[SHARE_TEXT_MAX];

	(void) snprintf(buffer, INTAKE_TEXT_MAX, "%s of the public IPv4 addresses, %s of IPv6",
			format_share(coverage_share(c, COVERAGE_IPV4), ipv4),
			format_share(coverage_share(c, COVERAGE_IPV6), ipv6));
	return buffer;
}

/* Reports as a failure; as a note with --force, and where nothing would be done anyhow. */
static int refuse(struct ctl *ctl, const char *text)
{
	if (ctl->is_forced) {
		output_note(ctl, "forced: %s", text);
		return EXIT_DONE;
	}
	if (!ctl->is_dry_run)
		return output_fail(ctl, EXIT_NO, "%s: --force does it. Nothing was changed", text);
	output_note(ctl, "%s: this would be refused without --force", text);
	return EXIT_NO;
}

int intake_check_share(struct ctl *ctl, const char *what, const struct coverage *c)
{
	char text[INTAKE_TEXT_MAX], share[SHARE_TEXT_MAX], limit[SHARE_TEXT_MAX];

	int status = EXIT_DONE;

	for (unsigned i = 0; status == EXIT_DONE && i < _COVERAGE_MAX; i++) {
		if (coverage_share(c, i) <= families[i].share_max)
			continue;
		(void) snprintf(text, sizeof(text), "%s would cover %s of the public %s addresses, more than %s", what,
				format_share(coverage_share(c, i), share), families[i].name,
				format_share(families[i].share_max, limit));
		status = refuse(ctl, text);
	}
	return status;
}

int intake_check_coverage(struct ctl *ctl, const struct fw_list *policy, const struct coverage *now,
			  const struct coverage *wanted)
{
	char text[INTAKE_TEXT_MAX], what[INTAKE_TEXT_MAX / 2];
	int status;

	if (policy->action == FW_ACTION_ALLOW)
		return EXIT_DONE; /* exceptions for a country, or for everybody, drop nothing */
	(void) snprintf(what, sizeof(what), "List '%s'", policy->name);
	status = intake_check_share(ctl, what, wanted);
	for (unsigned i = 0; status == EXIT_DONE && i < _COVERAGE_MAX; i++) {
		double before = now->addresses[i], after = wanted->addresses[i];

		if (before == 0 || after <= families[i].few || after <= before * GROWTH_MAX)
			continue;
		(void) snprintf(text, sizeof(text), "%s would grow to %.0f times the %s addresses that it covers, more than %d times",
				what, after / before, families[i].name, GROWTH_MAX);
		status = refuse(ctl, text);
	}
	return status;
}

int intake_check_size(struct ctl *ctl, const struct fw_list *policy, size_t n_now, size_t n_wanted)
{
	char text[INTAKE_TEXT_MAX];

	if (n_wanted * 2 >= n_now)
		return EXIT_DONE;
	(void) snprintf(text, sizeof(text), "List '%s' would shrink from %zu to %zu entries, by more than half", policy->name,
			n_now, n_wanted);
	return refuse(ctl, text);
}

/* What is to be left out, and the first reason. */
struct sieve {
	struct targets *targets;
	bool *is_left_out; /* parallel to the targets */
	size_t n_left_out;
	size_t first;
	char reason[GUARD_TEXT_MAX];
};

static void leave_out(struct sieve *s, const struct guard *guard, size_t i)
{
	if (s->is_left_out[i])
		return;
	if (s->n_left_out++ == 0) {
		s->first = i;
		(void) guard_check(guard, &s->targets->items[i], FW_BOTH, s->reason);
	}
	s->is_left_out[i] = true;
}

/* The first target that does not come before p. */
static size_t find(const struct targets *t, const struct prefix *p)
{
	const struct target wanted = { .kind = TARGET_PREFIX, .prefix = *p };
	size_t low = 0, high = t->n_items, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (target_compare(&t->items[middle], &wanted) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_in(const struct prefix *outer, const struct target *t)
{
	return t->kind == TARGET_PREFIX && prefix_covers(outer, &t->prefix);
}

/* What covers an item, then what is in it: sorting puts a prefix right before what it covers. */
static void leave_out_item(struct sieve *s, const struct guard *guard, const struct guard_item *item)
{
	const struct targets *t = s->targets;
	struct prefix p;
	size_t i;

	for (unsigned length = GUARD_LENGTH_MIN; length < item->prefix.length; length++) {
		p = prefix_from_bytes(item->prefix.family, item->prefix.bytes, length);
		i = find(t, &p);
		if (i < t->n_items && t->items[i].kind == TARGET_PREFIX &&
		    prefix_compare(&t->items[i].prefix, &p) == 0)
			leave_out(s, guard, i);
	}
	for (i = find(t, &item->prefix); i < t->n_items && is_in(&item->prefix, &t->items[i]); i++)
		if (!item->is_whole || prefix_compare(&item->prefix, &t->items[i].prefix) == 0)
			leave_out(s, guard, i);
}

/* Prefixes too short for any list, and the ports of this session. */
static void leave_out_others(struct sieve *s, const struct guard *guard,
			     const struct fw_list *policy)
{
	char buffer[GUARD_TEXT_MAX];
	const struct target *t;

	for (size_t i = 0; i < s->targets->n_items; i++) {
		t = &s->targets->items[i];
		if (t->kind == TARGET_PREFIX
			    ? t->prefix.length < GUARD_LENGTH_MIN
			    : !!guard_check(guard, t,
					    policy->directions ?: target_default_directions(t),
					    buffer))
			leave_out(s, guard, i);
	}
}

static void report(struct ctl *ctl, const struct sieve *s)
{
	char text[TARGET_TEXT_MAX], more[64] = "";

	if (s->n_left_out > 1)
		(void) snprintf(more, sizeof(more), ", and %zu more", s->n_left_out - 1);
	output_note(ctl, "left out %s: %s%s; --force loads all",
		    target_format(&s->targets->items[s->first], text), s->reason, more);
}

/* With --force nothing is left out, and some of the reasons are told. */
static void report_forced(struct ctl *ctl, const struct sieve *s, const struct guard *guard, const struct fw_list *policy)
{
	char text[TARGET_TEXT_MAX], reason[GUARD_TEXT_MAX];
	const struct target *t;
	size_t n = 0;

	for (size_t i = 0; i < s->targets->n_items && n < INTAKE_NOTES_MAX; i++) {
		if (!s->is_left_out[i])
			continue;
		t = &s->targets->items[i];
		if (!guard_check(guard, t, policy->directions ?: target_default_directions(t), reason))
			continue;
		output_note(ctl, "forced to load %s although %s", target_format(t, text), reason);
		n++;
	}
	if (s->n_left_out > n)
		output_note(ctl, "forced to load %zu more that the guard would leave out", s->n_left_out - n);
}

int intake_filter(struct ctl *ctl, const struct guard *guard, const struct fw_list *policy,
		  struct targets *targets, size_t *ret_n_left_out)
{
	_cleanup_free_ bool *is_left_out = calloc(targets->n_items + 1, sizeof(bool));
	struct sieve s = { .targets = targets, .is_left_out = is_left_out };
	size_t n = 0;

	if (!is_left_out)
		return -ENOMEM;
	for (size_t i = 0; i < guard->n_items; i++)
		leave_out_item(&s, guard, &guard->items[i]);
	leave_out_others(&s, guard, policy);

	if (ctl->is_forced) {
		report_forced(ctl, &s, guard, policy);
		s.n_left_out = 0;
	} else if (s.n_left_out > 0) {
		report(ctl, &s);
		for (size_t i = 0; i < targets->n_items; i++)
			if (!is_left_out[i])
				targets->items[n++] = targets->items[i];
		targets->n_items = n;
	}
	*ret_n_left_out = s.n_left_out;
	return EXIT_DONE;
}
