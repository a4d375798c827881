// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * top: which addresses send and receive most, since it was started and at this moment. The kernel notes them
 * only while somebody looks, in a map of bounded size that all viewers share.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "inspect/seen.h"
#include "kernel/tick.h"
#include "log/log.h"
#include "output/output.h"
#include "output/screen.h"
#include "verbs.h"
#include "verbs/viewer.h"

#define ARGUMENT_TEXT_MAX 256
#define NEARLY_ALL        (VIEWER_ADDRESSES / 16 * 15) /* the kernel keeps some places free, a few for each CPU */
#define LINES_AROUND      4 /* of a screen: the first, an empty one, titles, and the cursor */

/* One address as it is shown. */
struct talker {
	const struct seen_item *item;
	struct seen_flow total; /* since we look */
	double packets_per_second;
	double bytes_per_second;
	double rank;            /* the greater the higher */
};

struct top {
	struct ctl *ctl;
	struct viewer viewer;
	struct screen screen;
	double (*rank)(const struct talker *t); /* NULL = by address */
	struct seen first, before, now;
	uint64_t start_ns;
	double seconds; /* of the latest interval */
	struct talker *talkers;
	size_t n_talkers;
};

static void top_done(struct top *t)
{
	viewer_end(&t->viewer);
	seen_done(&t->first);
	seen_done(&t->before);
	seen_done(&t->now);
	free(t->talkers);
}

static double rank_rate(const struct talker *t)
{
	return t->packets_per_second;
}

static double rank_packets(const struct talker *t)
{
	return t->total.at[FW_INGRESS].packets + t->total.at[FW_EGRESS].packets;
}

static double rank_bytes(const struct talker *t)
{
	return t->total.at[FW_INGRESS].bytes + t->total.at[FW_EGRESS].bytes;
}

static double rank_syn(const struct talker *t)
{
	return t->total.at[FW_INGRESS].syn + t->total.at[FW_EGRESS].syn;
}

static double rank_dropped(const struct talker *t)
{
	return t->total.at[FW_INGRESS].dropped + t->total.at[FW_EGRESS].dropped;
}

static double rank_last(const struct talker *t)
{
	return t->item->value.last;
}

static const struct {
	const char *name;
	double (*rank)(const struct talker *t);
} orders[] = {
	{ "rate",    rank_rate    }, /* the default */
	{ "packets", rank_packets },
	{ "bytes",   rank_bytes   },
	{ "syn",     rank_syn     },
	{ "dropped", rank_dropped },
	{ "last",    rank_last    },
	{ "address", NULL         },
};

static int parse_order(struct top *t)
{
	const char *name = t->ctl->sort ?: orders[0].name;
	char escaped[ARGUMENT_TEXT_MAX];

	for (size_t i = 0; i < ELEMENTSOF(orders); i++)
		if (strcmp(name, orders[i].name) == 0) {
			t->rank = orders[i].rank;
			return EXIT_DONE;
		}
	return output_fail(t->ctl, EXIT_USAGE,
			   "'%s' is no order: rate, packets, bytes, syn, dropped, last, address",
			   log_escape(name, escaped, sizeof(escaped)));
}

static int compare(const void *a, const void *b)
{
	const struct talker *x = a, *y = b;
	struct prefix p, q;

	if (x->rank != y->rank)
		return x->rank > y->rank ? -1 : 1;
	p = prefix_from_mapped(x->item->key.addr);
	q = prefix_from_mapped(y->item->key.addr);
	return prefix_compare(&p, &q);
}

/* Those of t->now that were seen since we look, in order. */
static int find_talkers(struct top *t)
{
	struct talker *talkers = reallocarray(t->talkers, t->now.n_items + 1, sizeof(*talkers));
	struct seen_flow latest;

	if (!talkers)
		return -ENOMEM;
	t->talkers = talkers;
	t->n_talkers = 0;
	for (const struct seen_item *i = t->now.items; i < END_OF(t->now.items, t->now.n_items); i++) {
		struct talker x = { .item = i, .total = seen_since(i, &t->first) };

		if (x.total.at[FW_INGRESS].packets + x.total.at[FW_EGRESS].packets + x.total.other_netns.packets == 0)
			continue;
		latest = seen_since(i, &t->before);
		x.packets_per_second =
			(latest.at[FW_INGRESS].packets + latest.at[FW_EGRESS].packets) / t->seconds;
		x.bytes_per_second = (latest.at[FW_INGRESS].bytes + latest.at[FW_EGRESS].bytes) / t->seconds;
		x.rank = t->rank ? t->rank(&x) : 0;
		talkers[t->n_talkers++] = x;
	}
	qsort(talkers, t->n_talkers, sizeof(*talkers), compare);
	return 0;
}

static json_object *make_row(const struct talker *x)
{
	const struct fw_seen_at *in = &x->total.at[FW_INGRESS], *out = &x->total.at[FW_EGRESS];
	struct prefix address = prefix_from_mapped(x->item->key.addr);
	json_object *row = json_object_new_object();
	char text[PREFIX_TEXT_MAX];

	json_object_object_add(row, "address", json_object_new_string(prefix_format(&address, text)));
	json_object_object_add(row, "packets_in", json_object_new_uint64(in->packets));
	json_object_object_add(row, "bytes_in", json_object_new_uint64(in->bytes));
	json_object_object_add(row, "packets_out", json_object_new_uint64(out->packets));
	json_object_object_add(row, "bytes_out", json_object_new_uint64(out->bytes));
	json_object_object_add(row, "syn", json_object_new_uint64(in->syn + out->syn));
	json_object_object_add(row, "dropped", json_object_new_uint64(in->dropped + out->dropped));
	json_object_object_add(row, "packets_other_netns", json_object_new_uint64(x->total.other_netns.packets));
	json_object_object_add(row, "dropped_other_netns", json_object_new_uint64(x->total.other_netns.dropped));
	json_object_object_add(row, "packets_per_second", json_rate(x->packets_per_second));
	json_object_object_add(row, "bytes_per_second", json_rate(x->bytes_per_second));
	json_object_object_add(row, "last_seen", json_time(tick_to_unix(x->item->value.last)));
	return row;
}

static const struct column columns[] = {
	{ "address",            "ADDRESS",   COLUMN_TEXT  },
	{ "packets_in",         "PKT IN",    COLUMN_SHORT },
	{ "bytes_in",           "BYTE IN",   COLUMN_SHORT },
	{ "packets_out",        "PKT OUT",   COLUMN_SHORT },
	{ "bytes_out",          "BYTE OUT",  COLUMN_SHORT },
	{ "syn",                "SYN",       COLUMN_SHORT },
	{ "dropped",            "DROP",      COLUMN_SHORT },
	{ "packets_other_netns", "OTHER",    COLUMN_SHORT },
	{ "packets_per_second", "PKT/S",     COLUMN_SHORT },
	{}
};

/* As many as the screen has lines for; one with a long address takes two. */
static size_t count_fitting(const struct top *t)
{
	size_t rows = t->screen.size.rows, used = LINES_AROUND, n = 0;

	if (rows == 0 || t->ctl->is_json)
		return t->n_talkers;
	while (n < t->n_talkers) {
		used += prefix_from_mapped(t->talkers[n].item->key.addr).family == AF_INET6 ? 2 : 1;
		if (used > rows)
			break;
		n++;
	}
	return n;
}

static int print_block(struct top *t)
{
	double seconds = (double)(screen_now_ns() - t->start_ns) / NS_PER_SEC;
	struct output_rows rows;
	size_t n;
	int r, end;

	screen_begin_block(&t->screen);
	n = count_fitting(t);
	if (!t->ctl->is_json)
		printf("%zu addresses in %.1f s, sorted by %s%s\n\n", t->n_talkers, seconds,
		       t->ctl->sort ?: orders[0].name,
		       t->now.n_items >= NEARLY_ALL ? "; there may have been more" : "");
	r = output_rows_begin(&rows, t->ctl, "addresses", columns);
	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < n; i++)
		r = output_rows_add(&rows, make_row(&t->talkers[i]));
	output_rows_more(&rows, "time", json_time(time(NULL)));
	output_rows_more(&rows, "seconds", json_rate(seconds));
	output_rows_more(&rows, "interval", json_rate(t->seconds));
	end = output_rows_end(&rows);
	return r < 0 ? r : end < 0 ? end : screen_end_block(&t->screen);
}

/* From now on: what the map holds already is not ours. */
static int start_anew(struct top *t)
{
	int r;

	t->viewer.is_anew = false;
	t->start_ns = screen_now_ns();
	r = seen_read(&t->first, t->viewer.seen_fd);
	return r < 0 ? r : seen_read(&t->before, t->viewer.seen_fd);
}

static int show(struct top *t, uint64_t elapsed_ns)
{
	struct seen was;
	int r;

	t->seconds = (double)elapsed_ns / NS_PER_SEC;
	r = seen_read(&t->now, t->viewer.seen_fd);
	if (r >= 0)
		r = find_talkers(t);
	if (r < 0)
		return r;
	r = print_block(t);
	was = t->before; /* its memory is used again */
	t->before = t->now;
	t->now = was;
	return r;
}

int verb_top(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_(top_done) struct top t = { .ctl = ctl, .viewer.seen_fd = -1 };
	uint64_t elapsed_ns;
	int status, r;

	status = parse_order(&t);
	if (status == EXIT_DONE)
		status = viewer_begin(&t.viewer, ctl, FW_WATCH_SEEN);
	if (status != EXIT_DONE)
		return status;

	r = screen_begin(&t.screen, ctl);
	if (r == 0)
		r = start_anew(&t);
	while (r == 0) {
		r = screen_wait(&t.screen, viewer_renew, &t.viewer, &elapsed_ns);
		if (r != 0 || elapsed_ns == 0)
			break;
		r = t.viewer.is_anew ? start_anew(&t) : 0;
		if (r == 0)
			r = show(&t, elapsed_ns);
	}
	return r;
}
