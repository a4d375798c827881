// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * hist: how long packets are, and how far apart, since it was started, by hook and direction. Rows are powers
 * of two. The kernel counts only while somebody looks, for all viewers together: each shows what has been
 * added since it came.
 */

#include <limits.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "output/output.h"
#include "output/screen.h"
#include "text/names.h"
#include "verbs.h"
#include "verbs/viewer.h"

#define BAR_MAX    20
#define LABEL_MAX  32

struct hist {
	struct ctl *ctl;
	struct viewer viewer;
	struct screen screen;
	unsigned hooks, directions; /* that are shown, as bits */
	uint64_t start_ns;
	struct fw_sizes first[FW_COUNTERS_MAX], now[FW_COUNTERS_MAX]; /* by fw_counters_index */
	unsigned n_lines; /* of this block */
};

/* One of the two kinds of rows. */
struct measure {
	const char *key;   /* "sizes" */
	const char *count; /* "packets" */
	const char *from, *to;
	const char *title;
	size_t offset; /* into struct fw_sizes */
	unsigned n_rows;
	void (*label)(unsigned row, char text[static LABEL_MAX]);
};

static void label_bytes(unsigned row, char text[static LABEL_MAX])
{
	(void) snprintf(text, LABEL_MAX, "%llu-%llu", row > 0 ? 1ull << row : 0, (2ull << row) - 1);
}

/* "1us", "512ns": rounded down, the rows are powers of two and not of ten. */
static void format_ns(uint64_t ns, char *text, size_t size)
{
	static const char *const units[] = { "ns", "us", "ms", "s" };
	size_t unit = 0;

	for (; ns >= 1000 && unit + 1 < sizeof(units) / sizeof(units[0]); unit++)
		ns /= 1000;
	(void) snprintf(text, size, "%llu%s", (unsigned long long)ns, units[unit]);
}

static void label_ns(unsigned row, char text[static LABEL_MAX])
{
	char from[LABEL_MAX / 2 - 1], to[LABEL_MAX / 2 - 1];

	format_ns(row > 0 ? 1ull << row : 0, from, sizeof(from));
	format_ns(2ull << row, to, sizeof(to));
	(void) snprintf(text, LABEL_MAX, "%s-%s", from, to);
}

static const struct measure measures[] = {
	{ "sizes", "packets", "from", "to", "bytes", offsetof(struct fw_sizes, size), FW_SIZES_MAX, label_bytes },
	{ "gaps", "skbs", "from_ns", "to_ns", "apart", offsetof(struct fw_sizes, gap), FW_GAPS_MAX, label_ns },
};

static int read_all(struct hist *h, struct fw_sizes *ret)
{
	int r = 0;

	for (enum fw_hook hook = 0; hook < _FW_HOOK_MAX; hook++)
		for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX && r == 0; d++)
			r = watch_read_sizes(h->viewer.watch, hook, d, &ret[fw_counters_index(hook, d)]);
	return r;
}

/* What was added to one row since we look. */
static uint64_t count_of(const struct hist *h, enum fw_hook hook, enum fw_direction d,
			 const struct measure *m, unsigned row)
{
	size_t index = fw_counters_index(hook, d);
	const uint64_t *now = (const void *)((const char *)&h->now[index] + m->offset);
	const uint64_t *first = (const void *)((const char *)&h->first[index] + m->offset);

	return now[row] - first[row];
}

static uint64_t sum_of(const struct hist *h, enum fw_hook hook, enum fw_direction d, const struct measure *m)
{
	uint64_t sum = 0;

	for (unsigned row = 0; row < m->n_rows; row++)
		sum += count_of(h, hook, d, m, row);
	return sum;
}

static json_object *make_buckets(const struct hist *h, enum fw_hook hook, enum fw_direction d,
				 const struct measure *m)
{
	json_object *buckets = json_object_new_array(), *o;
	uint64_t n;

	for (unsigned row = 0; row < m->n_rows; row++) {
		n = count_of(h, hook, d, m, row);
		if (n == 0)
			continue;
		o = json_object_new_object();
		json_object_object_add(o, m->from, json_object_new_uint64(row > 0 ? 1ull << row : 0));
		json_object_object_add(o, m->to, row + 1 == m->n_rows ? NULL :
							json_object_new_uint64((2ull << row) - 1));
		json_object_object_add(o, m->count, json_object_new_uint64(n));
		json_object_array_add(buckets, o);
	}
	return buckets;
}

static json_object *make_record(const struct hist *h)
{
	json_object *record = json_object_new_object(), *hooks = json_object_new_array(), *o;

	json_object_object_add(record, "hooks", hooks);
	for (enum fw_hook hook = 0; hook < _FW_HOOK_MAX; hook++)
		for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++) {
			if (!(h->hooks >> hook & 1) || !(h->directions >> d & 1) || sum_of(h, hook, d, &measures[0]) == 0)
				continue;
			o = json_object_new_object();
			json_object_object_add(o, "hook", json_text(hook_to_string(hook)));
			json_object_object_add(o, "direction", json_text(direction_to_string(d)));
			for (size_t i = 0; i < sizeof(measures) / sizeof(measures[0]); i++)
				json_object_object_add(o, measures[i].key,
						       make_buckets(h, hook, d, &measures[i]));
			json_object_array_add(hooks, o);
		}
	json_object_object_add(record, "time", json_time(time(NULL)));
	json_object_object_add(record, "seconds", json_rate((double)(screen_now_ns() - h->start_ns) / NS_PER_SEC));
	return record;
}

/* A line, unless the screen is full: the top must not scroll away. */
static void print_line(struct hist *h, const char *format, ...)
{
	va_list args;

	if (h->screen.size.rows > 0 && ++h->n_lines >= h->screen.size.rows)
		return;
	va_start(args, format);
	(void) vprintf(format, args); /* output_finish() looks whether it failed */
	va_end(args);
	putchar('\n');
}

/* "   1000 ##########", as wide as its half of the line. */
static void format_bar(uint64_t n, uint64_t most, char *text, size_t size)
{
	static const char bar[BAR_MAX + 1] = "####################";
	int length = most > 0 ? (int)((n * BAR_MAX + most - 1) / most) : 0;

	(void) snprintf(text, size, "%9llu%s%.*s", (unsigned long long)n, length > 0 ? " " : "", length, bar);
}

/* One hook: both directions side by side, from the first row in use to the last. */
static void print_measure(struct hist *h, enum fw_hook hook, const struct measure *m)
{
	uint64_t n[_FW_DIRECTION_MAX], most[_FW_DIRECTION_MAX] = {};
	unsigned first = m->n_rows, last = 0;
	char label[LABEL_MAX], left[64], right[64];

	for (unsigned row = 0; row < m->n_rows; row++)
		for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++) {
			n[d] = h->directions >> d & 1 ? count_of(h, hook, d, m, row) : 0;
			if (n[d] == 0)
				continue;
			first = row < first ? row : first;
			last = row;
			most[d] = n[d] > most[d] ? n[d] : most[d];
		}
	if (first == m->n_rows)
		return;

	(void) snprintf(label, sizeof(label), "%s, %s", hook_to_string(hook), m->title);
	if (h->directions == FW_BOTH)
		print_line(h, "%-16s %9s %*s %9s", label, "ingress", BAR_MAX, "", "egress");
	else
		print_line(h, "%-16s %9s", label, h->directions & FW_IN ? "ingress" : "egress");
	for (unsigned row = first; row <= last; row++) {
		m->label(row, label);
		format_bar(count_of(h, hook, FW_INGRESS, m, row), most[FW_INGRESS], left, sizeof(left));
		format_bar(count_of(h, hook, FW_EGRESS, m, row), most[FW_EGRESS], right, sizeof(right));
		if (h->directions == FW_BOTH)
			print_line(h, "%16s %-*s %s", label, BAR_MAX + 10, left, right);
		else
			print_line(h, "%16s %s", label, h->directions & FW_IN ? left : right);
	}
	print_line(h, "%s", "");
}

static int show(struct hist *h)
{
	_cleanup_json_ json_object *record = NULL;
	int r;

	r = read_all(h, h->now);
	if (r < 0)
		return r;
	screen_begin_block(&h->screen);
	if (h->ctl->is_json) {
		record = make_record(h);
		r = output_record(h->ctl, record, NULL, NULL);
		return r < 0 ? r : screen_end_block(&h->screen);
	}

	h->n_lines = 0;
	print_line(h, "packets in %.1f s, by length, and by how far they are apart on one CPU",
		   (double)(screen_now_ns() - h->start_ns) / NS_PER_SEC);
	print_line(h, "%s", "");
	for (size_t i = 0; i < sizeof(measures) / sizeof(measures[0]); i++)
		for (enum fw_hook hook = 0; hook < _FW_HOOK_MAX; hook++)
			if (h->hooks >> hook & 1)
				print_measure(h, hook, &measures[i]);
	return screen_end_block(&h->screen);
}

static void hist_done(struct hist *h)
{
	viewer_end(&h->viewer);
}

int verb_hist(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_(hist_done) struct hist h = {
		.ctl = ctl,
		.hooks = ctl->hooks ?: UINT_MAX,
		.directions = ctl->directions ?: FW_BOTH,
	};
	uint64_t elapsed_ns;
	int status, r;

	status = viewer_begin(&h.viewer, ctl, FW_WATCH_SIZES);
	if (status != EXIT_DONE)
		return status;

	r = screen_begin(&h.screen, ctl);
	h.start_ns = screen_now_ns();
	if (r == 0)
		r = read_all(&h, h.first);
	while (r == 0) {
		r = screen_wait(&h.screen, viewer_renew, &h.viewer, &elapsed_ns);
		if (r != 0 || elapsed_ns == 0)
			break;
		r = show(&h);
	}
	return r;
}
