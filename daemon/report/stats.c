// SPDX-License-Identifier: GPL-2.0-or-later

/* Windows of statistics: see stats.h. */

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/rewrite.h"
#include "log/log.h"
#include "log/messages.h"
#include "report/stats.h"
#include "text/names.h"

#define FIELD_MAX 64

/* What was reported last. */
struct sample {
	uint64_t usec; /* CLOCK_BOOTTIME */
	struct fw_counters counters[_FW_HOOK_MAX][_FW_DIRECTION_MAX];
};

struct stats {
	char path[PATH_MAX];
	struct table *table;
	uint64_t counting_since; /* says which counters they are */
	struct sample last;
	bool was_down; /* the window began under the daemon before us, and should have ended since */
	unsigned long n_lost;
	int save_error; /* that was said, 0 = none */
};

static int take_sample(struct stats *s, struct sample *ret)
{
	struct sample fresh = { .usec = clock_usec(CLOCK_BOOTTIME) };
	int r;

	for (enum fw_hook h = 0; h < _FW_HOOK_MAX; h++) {
		for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++) {
			r = table_read_counters(s->table, h, d, &fresh.counters[h][d]);
			if (r < 0)
				return r;
		}
	}
	*ret = fresh;
	return 0;
}

/*
 * The file: "counters SINCE USEC", then a line "HOOK DIRECTION PACKETS BYTES SYN SYN_ACK DROPPED UNPARSED" for
 * each, then "HOOK DIRECTION DROPPED_OTHER_NETNS", which versions up to 3 neither write nor read. Returns 0 only if all
 * of it is there and of these counters.
 */
static int read_sample(const struct stats *s, struct sample *ret)
{
	_cleanup_fclose_ FILE *f = NULL;
	struct sample saved = {};
	uint64_t since;

	f = fopen(s->path, "re");
	if (!f)
		return -errno;
	if (fscanf(f, "counters %" SCNu64 " %" SCNu64 "\n", &since, &saved.usec) != 2 || since != s->counting_since)
		return -ESTALE;

	for (enum fw_hook h = 0; h < _FW_HOOK_MAX; h++) {
		for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++) {
			uint64_t n[6];

			if (fscanf(f, "%*s %*s %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 "\n",
				   &n[0], &n[1], &n[2], &n[3], &n[4], &n[5]) != 6)
				return -EBADMSG;
			saved.counters[h][d] = (struct fw_counters){
				.packets = n[0], .bytes = n[1], .syn = n[2],
				.syn_ack = n[3], .dropped = n[4], .unparsed = n[5],
			};
		}
	}
	for (enum fw_hook h = 0; h < _FW_HOOK_MAX; h++)
		for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++) {
			uint64_t n = 0;

			(void) fscanf(f, "%*s %*s %" SCNu64 "\n", &n); /* else they had counted none */
			saved.counters[h][d].dropped_other_netns = n;
		}
	*ret = saved;
	return 0;
}

/* For rewrite_file(). */
static int write_sample(FILE *f, const void *userdata)
{
	const struct stats *s = userdata;

	(void) fprintf(f, "counters %" PRIu64 " %" PRIu64 "\n", s->counting_since, s->last.usec);
	for (enum fw_hook h = 0; h < _FW_HOOK_MAX; h++) {
		for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++) {
			const struct fw_counters *c = &s->last.counters[h][d];

			(void) fprintf(f, "%s %s %llu %llu %llu %llu %llu %llu\n", hook_to_string(h),
				      direction_to_string(d), c->packets, c->bytes, c->syn,
				      c->syn_ack, c->dropped, c->unparsed);
		}
	}
	for (enum fw_hook h = 0; h < _FW_HOOK_MAX; h++)
		for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++)
			(void) fprintf(f, "%s %s %llu\n", hook_to_string(h), direction_to_string(d),
				      s->last.counters[h][d].dropped_other_netns);
	return 0;
}

static void save_sample(struct stats *s)
{
	int r;

	r = rewrite_file(s->path, write_sample, s);
	if (r < 0 && r != s->save_error)
		(void) log_warning(r, "Cannot save the last statistics to '%s', ignoring: %m", s->path);
	s->save_error = r < 0 ? r : 0;
}

int stats_new(const char *run_dir, struct table *t, uint64_t counting_since, bool is_fresh,
	      uint64_t window_usec, struct stats **ret)
{
	_cleanup_free_ struct stats *s = NULL;
	struct sample now;
	int r;

	s = calloc(1, sizeof(*s));
	if (!s)
		return log_error(-ENOMEM, "Cannot keep statistics: %m");
	s->table = t;
	s->counting_since = counting_since;
	(void) snprintf(s->path, sizeof(s->path), "%s/stats", run_dir);

	r = take_sample(s, &now);
	if (r < 0)
		return log_error(r, "Cannot read the counters: %m");
	if (is_fresh)
		s->last.usec = now.usec; /* counting begins with zero */
	else if (read_sample(s, &s->last) >= 0 && s->last.usec <= now.usec)
		s->was_down = now.usec - s->last.usec > window_usec;
	else
		s->last = now; /* it is unknown what was reported: begin here */
	if (window_usec > 0)
		save_sample(s);
	else
		stats_end(s);

	*ret = TAKE_PTR(s);
	return 0;
}

struct stats *stats_free(struct stats *s)
{
	free(s);
	return NULL;
}

uint64_t stats_window_start_usec(const struct stats *s)
{
	return s->last.usec;
}

/*
 * What has been counted since. Two contexts of one CPU may count in the same place, and the one that was
 * interrupted puts back what it had read: a counter may be seen to go back by those few.
 */
static uint64_t since(uint64_t was, uint64_t is)
{
	return is > was ? is - was : 0;
}

/* where: the hook and direction in words, or of an idle window "all hooks". */
static void report_window(const char *hook, const char *direction, const char *where, const struct fw_counters *was,
			  const struct fw_counters *is, uint64_t usec, bool was_down)
{
	uint64_t other = since(was->dropped_other_netns, is->dropped_other_netns);
	const struct {
		const char *name;
		uint64_t value;
	} numbers[] = {
		{ "FW_TOTAL", since(was->packets, is->packets) },
		{ "FW_SYN", since(was->syn, is->syn) },
		{ "FW_SYN_ACK", since(was->syn_ack, is->syn_ack) },
		{ "FW_DROPPED", since(was->dropped, is->dropped) },
		{ "FW_DROPPED_OTHER_NETNS", other },
		{ "FW_UNPARSED", since(was->unparsed, is->unparsed) },
		{ "FW_BYTES", since(was->bytes, is->bytes) },
		{ "FW_INTERVAL_USEC", usec },
	};
	char text[ELEMENTSOF(numbers) + 2][FIELD_MAX];
	const char *fields[ELEMENTSOF(text) + 1] = {};
	char of_these[FIELD_MAX] = "";

	if (other > 0)
		(void) snprintf(of_these, sizeof(of_these), ", %" PRIu64 " of them in other namespaces", other);
	for (size_t n = 0; n < ELEMENTSOF(text); n++)
		fields[n] = text[n];
	(void) snprintf(text[0], FIELD_MAX, "FW_HOOK=%s", hook);
	(void) snprintf(text[1], FIELD_MAX, "FW_DIRECTION=%s", direction);
	for (size_t n = 0; n < ELEMENTSOF(numbers); n++)
		(void) snprintf(text[n + 2], FIELD_MAX, "%s=%" PRIu64, numbers[n].name, numbers[n].value);

	log_record(LOG_INFO, MESSAGE_WINDOW, fields,
		   "%s: total %" PRIu64 ", syn %" PRIu64 ", dropped %" PRIu64 "%s (%" PRIu64 " s%s)", where,
		   since(was->packets, is->packets), since(was->syn, is->syn),
		   since(was->dropped, is->dropped), of_these, (usec + USEC_PER_SEC / 2) / USEC_PER_SEC,
		   was_down ? ", daemon was down" : "");
}

void stats_report_lost(struct stats *s)
{
	unsigned long n = log_lost();
	char text[FIELD_MAX];
	const char *fields[] = { text, NULL };

	if (n == s->n_lost)
		return;
	(void) snprintf(text, sizeof(text), "FW_LOST=%lu", n - s->n_lost);
	log_record(LOG_WARNING, MESSAGE_LOST, fields, "%lu records were lost, the journal did not take them",
		   n - s->n_lost);
	s->n_lost = n;
}

/* A record for each hook and direction that has seen packets. Returns how many there were. */
static size_t report_hooks(const struct sample *was, const struct sample *is, bool was_down)
{
	char where[FIELD_MAX];
	size_t n = 0;

	for (enum fw_hook h = 0; h < _FW_HOOK_MAX; h++)
		for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++) {
			if (since(was->counters[h][d].packets, is->counters[h][d].packets) == 0)
				continue;
			(void) snprintf(where, sizeof(where), "%s %s", hook_to_string(h), direction_to_string(d));
			report_window(hook_to_string(h), direction_to_string(d), where, &was->counters[h][d],
				      &is->counters[h][d], is->usec - was->usec, was_down);
			n++;
		}
	return n;
}

void stats_report(struct stats *s, bool has_idle)
{
	static const struct fw_counters none;
	struct sample now;
	int r;

	r = take_sample(s, &now);
	if (r < 0) {
		(void) log_warning(r, "Cannot read the counters, the next window will have them: %m");
		return;
	}

	if (report_hooks(&s->last, &now, s->was_down) == 0 && has_idle)
		report_window("all", "both", "all hooks", &none, &none, now.usec - s->last.usec, s->was_down);
	stats_report_lost(s);

	s->last = now;
	s->was_down = false;
	save_sample(s);
}

int stats_begin(struct stats *s)
{
	int r;

	r = take_sample(s, &s->last);
	if (r < 0)
		return log_error(r, "Cannot read the counters: %m");
	s->was_down = false;
	save_sample(s);
	return 0;
}

void stats_end(struct stats *s)
{
	if (unlink(s->path) < 0 && errno != ENOENT)
		(void) log_warning(-errno, "Cannot remove '%s', ignoring: %m", s->path);
}
