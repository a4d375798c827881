// SPDX-License-Identifier: GPL-2.0-or-later

/* Metrics for Prometheus: see prometheus.h. A metric is a row in families[]. */

#include "verbs/prometheus.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stddef.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/directory.h"
#include "hook/unseen.h"
#include "inspect/attachment.h"
#include "inspect/presence.h"
#include "observe/watch.h"
#include "text/names.h"

#define KINDS_MAX (FW_KIND_PORT + 1)

/* All that is printed, gathered before the first line. */
struct scrape {
	FILE *f;
	struct fw_meta meta;
	bool is_loaded;
	bool is_daemon_running;
	struct fw_counters counters[FW_COUNTERS_MAX];
	bool is_used[FW_COUNTERS_MAX];
	unsigned n_attached[FW_COUNTERS_MAX][_FW_MECHANISM_MAX];
	struct fw_list lists[FW_LISTS_MAX];
	struct fw_list_counters list_counters[FW_LISTS_MAX];
	struct fw_watch_counts events;
	bool misses[FW_COUNTERS_MAX]; /* most packets of its interfaces, as the daemon says */
	uint64_t n_entries[KINDS_MAX];
	uint64_t n_entries_max[KINDS_MAX];
};

struct family {
	const char *name; /* after "ebpffw_" */
	const char *type;
	const char *help;
	void (*print)(const struct scrape *s, const struct family *f);
	size_t field;    /* offset of the number in what print() goes through */
	size_t dropped;  /* of the same number, dropped packets alone */
	bool is_always;  /* also where nothing is loaded */
};

static uint64_t number_at(const void *object, size_t offset)
{
	return *(const uint64_t *)((const char *)object + offset);
}

/* The labels of a hook and a direction, up to the last one's end. */
static void print_place(const struct scrape *s, const struct family *f, unsigned i)
{
	fprintf(s->f, "ebpffw_%s{hook=\"%s\",direction=\"%s\"", f->name, hook_to_string(i / _FW_DIRECTION_MAX),
		direction_to_string(i % _FW_DIRECTION_MAX));
}

static void print_by_hook(const struct scrape *s, const struct family *f)
{
	for (unsigned i = 0; i < FW_COUNTERS_MAX; i++) {
		if (!s->is_used[i])
			continue;
		print_place(s, f, i);
		fprintf(s->f, "} %" PRIu64 "\n", number_at(&s->counters[i], f->field));
	}
}

static void print_by_verdict(const struct scrape *s, const struct family *f)
{
	for (unsigned i = 0; i < FW_COUNTERS_MAX; i++) {
		if (!s->is_used[i])
			continue;
		print_place(s, f, i);
		fprintf(s->f, ",verdict=\"%s\"} %" PRIu64 "\n", verdict_to_string(FW_PASS),
			number_at(&s->counters[i], f->field) - number_at(&s->counters[i], f->dropped));
		print_place(s, f, i);
		fprintf(s->f, ",verdict=\"%s\"} %" PRIu64 "\n", verdict_to_string(FW_DROP),
			number_at(&s->counters[i], f->dropped));
	}
}

/* Those that are counted: "no-match" is the rest of the packets. */
static void print_by_reason(const struct scrape *s, const struct family *f)
{
	for (unsigned i = 0; i < FW_COUNTERS_MAX; i++)
		for (enum fw_reason r = FW_REASON_NO_MATCH + 1; s->is_used[i] && r < _FW_REASON_MAX; r++) {
			print_place(s, f, i);
			fprintf(s->f, ",reason=\"%s\"} %llu\n", reason_to_string(r),
				s->counters[i].reasons[r]);
		}
}

static void print_attached(const struct scrape *s, const struct family *f)
{
	for (unsigned i = 0; i < FW_COUNTERS_MAX; i++)
		for (enum fw_mechanism m = FW_MECHANISM_NONE + 1; m < _FW_MECHANISM_MAX; m++) {
			if (s->n_attached[i][m] == 0)
				continue;
			print_place(s, f, i);
			fprintf(s->f, ",mechanism=\"%s\"} %u\n", mechanism_to_string(m), s->n_attached[i][m]);
		}
}

static void print_misses(const struct scrape *s, const struct family *f)
{
	for (unsigned i = 0; i < FW_COUNTERS_MAX; i++) {
		if (!s->is_used[i])
			continue;
		print_place(s, f, i);
		fprintf(s->f, "} %d\n", s->misses[i] ? 1 : 0);
	}
}

/* A list is the source of its entries; its name has no character that a label would have to escape. */
static void print_by_list(const struct scrape *s, const struct family *f)
{
	for (unsigned i = 0; i < FW_LISTS_MAX; i++)
		if (s->lists[i].name[0])
			fprintf(s->f, "ebpffw_%s{source=\"%s\"} %" PRIu64 "\n", f->name, s->lists[i].name,
				number_at(&s->list_counters[i], f->field));
}

static void print_list_entries(const struct scrape *s, const struct family *f)
{
	for (unsigned i = 0; i < FW_LISTS_MAX; i++)
		if (s->lists[i].name[0])
			fprintf(s->f, "ebpffw_%s{source=\"%s\"} %llu\n", f->name, s->lists[i].name,
				s->lists[i].n_entries);
}

static void print_list_info(const struct scrape *s, const struct family *f)
{
	for (unsigned i = 0; i < FW_LISTS_MAX; i++) {
		const struct fw_list *l = &s->lists[i];

		if (l->name[0])
			fprintf(s->f, "ebpffw_%s{source=\"%s\",action=\"%s\",mode=\"%s\",enabled=\"%s\"} 1\n",
				f->name, l->name, action_to_string(l->action), mode_to_string(l->mode),
				l->is_enabled ? "yes" : "no");
	}
}

/* field is that of an array by enum fw_kind. */
static void print_by_kind(const struct scrape *s, const struct family *f)
{
	static const char *const names[KINDS_MAX] = {
		[FW_KIND_IPV4] = "ipv4",
		[FW_KIND_IPV6] = "ipv6",
		[FW_KIND_PORT] = "port",
	};

	for (unsigned kind = 0; kind < KINDS_MAX; kind++)
		fprintf(s->f, "ebpffw_%s{map=\"%s\"} %" PRIu64 "\n", f->name, names[kind],
			number_at(s, f->field + kind * sizeof(uint64_t)));
}

static void print_events_lost(const struct scrape *s, const struct family *f)
{
	fprintf(s->f, "ebpffw_%s{cause=\"rate-limit\"} %llu\nebpffw_%s{cause=\"ring-full\"} %llu\n", f->name,
		s->events.hidden, f->name, s->events.lost);
}

static void print_flag(const struct scrape *s, const struct family *f)
{
	fprintf(s->f, "ebpffw_%s %d\n", f->name, *((const bool *)s + f->field) ? 1 : 0);
}

static void print_time(const struct scrape *s, const struct family *f)
{
	fprintf(s->f, "ebpffw_%s %" PRIu64 "\n", f->name, number_at(&s->meta, f->field));
}

static void print_build(const struct scrape *s, const struct family *f)
{
	fprintf(s->f, "ebpffw_%s{version=\"%s\"} 1\n", f->name, FW_VERSION);
}

#define HOOK(field)    offsetof(struct fw_counters, field)
#define LIST(field)    offsetof(struct fw_list_counters, field)
#define SCRAPE(field)  offsetof(struct scrape, field)
#define META(field)    offsetof(struct fw_meta, field)

static const struct family families[] = {
	{ "packets_total", "counter", "Packets judged, as they are on the wire.",
	  print_by_verdict, HOOK(packets), HOOK(dropped), false },
	{ "bytes_total", "counter", "Bytes of the packets judged, as the hook sees them.",
	  print_by_verdict, HOOK(bytes), HOOK(dropped_bytes), false },
	{ "tcp_syn_total", "counter", "TCP SYN without ACK, counted before the verdict.",
	  print_by_hook, HOOK(syn), 0, false },
	{ "tcp_syn_ack_total", "counter", "TCP SYN with ACK, counted before the verdict.",
	  print_by_hook, HOOK(syn_ack), 0, false },
	{ "unparsed_packets_total", "counter", "Packets whose address or ports could not be read.",
	  print_by_hook, HOOK(unparsed), 0, false },
	{ "decided_packets_total", "counter", "Packets by what decided them; the rest matched nothing.",
	  print_by_reason, 0, 0, false },
	{ "dropped_other_netns_packets_total", "counter", "Of the packets dropped: in another network namespace.",
	  print_by_hook, HOOK(dropped_other_netns), 0, false },
	{ "hits_total", "counter", "Packets decided by an entry of this list.",
	  print_by_list, LIST(hits), 0, false },
	{ "drops_total", "counter", "Packets dropped by an entry of this list.",
	  print_by_list, LIST(dropped), 0, false },
	{ "dropped_bytes_total", "counter", "Bytes of the packets dropped by an entry of this list.",
	  print_by_list, LIST(dropped_bytes), 0, false },
	{ "would_drop_total", "counter", "Packets that passed because this list is in mode audit.",
	  print_by_list, LIST(would_drop), 0, false },
	{ "hits_other_netns_total", "counter", "Packets decided by an entry of this list in another network namespace.",
	  print_by_list, LIST(other_netns), 0, false },
	{ "list_info", "gauge", "The policy of a list.",
	  print_list_info, 0, 0, false },
	{ "list_entries", "gauge", "Entries of a list; one that is in two lists counts in both.",
	  print_list_entries, 0, 0, false },
	{ "entries", "gauge", "Entries in a map, whichever list they are in.",
	  print_by_kind, SCRAPE(n_entries), 0, false },
	{ "map_capacity_entries", "gauge", "Entries that a map may hold.",
	  print_by_kind, SCRAPE(n_entries_max), 0, false },
	{ "events_lost_total", "counter", "Drops that a viewer asked for and was not shown.",
	  print_events_lost, 0, 0, false },
	{ "attached_programs", "gauge", "Programs attached, one for each interface or cgroup and direction.",
	  print_attached, 0, 0, false },
	{ "misses_packets", "gauge", "Whether a hook is attached and does not see most packets of its interfaces.",
	  print_misses, 0, 0, false },
	{ "last_load_timestamp_seconds", "gauge", "When the daemon last loaded the programs.",
	  print_time, META(loaded_at), 0, false },
	{ "last_reload_timestamp_seconds", "gauge", "When the daemon last took over its configuration.",
	  print_time, META(configured_at), 0, false },
	{ "loaded", "gauge", "Whether the firewall is loaded.",
	  print_flag, SCRAPE(is_loaded), 0, true },
	{ "daemon_running", "gauge", "Whether the daemon runs; without it filtering goes on.",
	  print_flag, SCRAPE(is_daemon_running), 0, true },
	{ "build_info", "gauge", "The version of fwctl.",
	  print_build, 0, 0, true },
};

static int count_attachment(const struct attachment *a, void *userdata)
{
	struct scrape *s = userdata;
	unsigned i = fw_counters_index(a->hook, a->direction);

	if (a->is_live) {
		s->n_attached[i][a->mechanism]++;
		s->is_used[i] = true;
	}
	return 0;
}

static int gather_events(struct ctl *ctl, struct scrape *s)
{
	struct watch *w;
	int r;

	r = watch_open(ctl->pin_dir, &w);
	if (r < 0)
		return r;
	r = watch_read_totals(w, &s->events);
	(void) watch_free(w); /* returns NULL */
	return r;
}

static void gather_unseen(const struct ctl *ctl, struct scrape *s)
{
	struct unseen_report report;

	unseen_read(ctl->run_dir, clock_usec(CLOCK_BOOTTIME), &report);
	for (size_t n = 0; n < report.n; n++)
		s->misses[fw_counters_index(report.items[n].hook, report.items[n].direction)] = true;
}

static int gather(struct ctl *ctl, struct table *t, struct scrape *s)
{
	int r;

	s->is_loaded = true;
	s->meta = *table_meta(t);
	gather_unseen(ctl, s);
	r = attachment_foreach(ctl->pin_dir, count_attachment, s);
	for (unsigned i = 0; r >= 0 && i < FW_COUNTERS_MAX; i++) {
		r = table_read_counters(t, i / _FW_DIRECTION_MAX, i % _FW_DIRECTION_MAX, &s->counters[i]);
		s->is_used[i] = s->is_used[i] || s->counters[i].packets > 0;
	}
	for (unsigned i = 0; r >= 0 && i < FW_LISTS_MAX; i++) {
		r = table_get_list(t, i, &s->lists[i]);
		if (r >= 0)
			r = table_read_list_counters(t, i, &s->list_counters[i]);
	}
	for (unsigned kind = 0; r >= 0 && kind < KINDS_MAX; kind++) {
		s->n_entries[kind] = table_count(t, kind);
		s->n_entries_max[kind] = table_limit(t, kind);
	}
	return r < 0 ? r : gather_events(ctl, s);
}

int prometheus_print(struct ctl *ctl, struct table *t, FILE *f)
{
	_cleanup_free_ struct scrape *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->f = f;
	s->is_daemon_running = presence_daemon_pid(ctl) > 0;
	if (t) {
		r = gather(ctl, t, s);
		if (r < 0)
			return r;
	}

	for (size_t i = 0; i < ELEMENTSOF(families); i++) {
		const struct family *family = &families[i];

		if (!s->is_loaded && !family->is_always)
			continue;
		fprintf(f, "# HELP ebpffw_%s %s\n# TYPE ebpffw_%s %s\n", family->name, family->help,
			family->name, family->type);
		family->print(s, family);
	}
	return 0;
}

static int write_temporary(struct ctl *ctl, struct table *t, int fd)
{
	_cleanup_fclose_ FILE *f = NULL;
	int r;

	f = fdopen(fd, "we");
	if (!f) {
		r = -errno;
		(void) close(fd);
		return r;
	}
	r = prometheus_print(ctl, t, f);
	if (r < 0)
		return r;
	if (fchmod(fd, 0644) < 0) /* the collector runs as another user, and there are no secrets */
		return -errno;
	return fflush(f) == EOF || ferror(f) ? -EIO : 0; /* one check for all of the above */
}

/* A file next to the one it is to replace, which starts with a dot: no collector reads it. Returns its descriptor. */
static int make_temporary(int dir_fd, const char *name, char temporary[static NAME_MAX + 1])
{
	unsigned char random[8];
	int fd;

	do {
		if (getrandom(random, sizeof(random), 0) != sizeof(random))
			return -EIO;
		if (snprintf(temporary, NAME_MAX + 1, ".%s.%02x%02x%02x%02x%02x%02x", name, random[0], random[1], random[2],
			     random[3], random[4], random[5]) > NAME_MAX)
			return -ENAMETOOLONG;
		fd = openat(dir_fd, temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	} while (fd < 0 && errno == EEXIST);
	return fd < 0 ? -errno : fd;
}

int prometheus_write(struct ctl *ctl, struct table *t, const char *path)
{
	char temporary[NAME_MAX + 1];
	_cleanup_close_ int dir_fd = -1;
	const char *name = NULL;
	struct stat st;
	int fd, r;

	dir_fd = directory_open_parent(path, &name);
	if (dir_fd < 0)
		return dir_fd;
	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(st.st_mode))
		return -ENOTSUP;
	fd = make_temporary(dir_fd, name, temporary);
	if (fd < 0)
		return fd;

	r = write_temporary(ctl, t, fd);
	if (r >= 0 && renameat(dir_fd, temporary, dir_fd, name) < 0)
		r = -errno;
	if (r < 0)
		(void) unlinkat(dir_fd, temporary, 0);
	return r;
}
