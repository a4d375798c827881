// SPDX-License-Identifier: GPL-2.0-or-later

/* Top dropped sources: see drops.h. */

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/daemon.h"
#include "log/log.h"
#include "log/messages.h"
#include "observe/watch.h"
#include "report/drops.h"
#include "report/listnames.h"
#include "state/writerlock.h"
#include "text/names.h"
#include "text/prefix.h"

#define LEASE_NS     UINT64_C(60000000000) /* tended every 5 s: survives a daemon that is busy for a while */
#define RING_BYTES   (256 * 1024)
#define PLACES_MAX   8192 /* a power of two; at most half of them are used, so that a search ends soon */
#define FIELD_MAX    (PREFIX_TEXT_MAX + 16)
#define FIELDS_MAX   8

/* An address that packets were dropped from, or to. */
struct party {
	__be32 address[4];
	uint8_t direction; /* ingress: from */
	uint8_t hook;      /* of the latest drop, as reason */
	uint8_t reason;
	bool is_estimate;
	bool is_other_netns; /* any user may send from any address in a network namespace of his own */
	uint64_t n_packets; /* 0 = this place is free */
	uint64_t lists;     /* that decided, as bits: places in drops.lists */
};

struct drops {
	const char *run_dir;
	struct table *table;
	struct watch *watch;
	struct ring_buffer *ring;
	sd_event_source *source;
	int ring_fd;
	bool is_taking;
	int error; /* of the last attempt, so that it is said once */
	unsigned n_top;
	/* The lists of this window, by name: one that is removed leaves its number to the next. */
	char lists[FW_LISTS_MAX][FW_LIST_NAME_MAX];
	unsigned n_lists;
	size_t n_parties;
	size_t n_other_netns; /* of these */
	struct party parties[PLACES_MAX];
};

static bool is_other_netns(const struct fw_event *e)
{
	return e->flags & FW_EVENT_OTHER_NETNS;
}

static uint32_t hash(const struct fw_event *e, const __be32 *address)
{
	uint32_t h = e->direction + _FW_DIRECTION_MAX * is_other_netns(e);

	for (int i = 0; i < 4; i++)
		h = (h ^ address[i]) * 2654435761u;
	return h >> 16 ^ h;
}

/*
 * The place of an address, or NULL: there are too many. An address that is then left out has sent little. Those of other
 * network namespaces leave half of the places to our own.
 */
static struct party *find_party(struct drops *d, const struct fw_event *e)
{
	const __be32 *address = e->direction == FW_INGRESS ? e->source : e->destination;

	for (uint32_t i = hash(e, address);; i++) {
		struct party *p = &d->parties[i % PLACES_MAX];

		if (p->n_packets == 0) {
			if (d->n_parties >= PLACES_MAX / 2 || (is_other_netns(e) && d->n_other_netns >= PLACES_MAX / 4))
				return NULL;
			d->n_parties++;
			d->n_other_netns += is_other_netns(e);
			p->is_other_netns = is_other_netns(e);
			memcpy(p->address, address, sizeof(p->address));
			p->direction = e->direction;
			return p;
		}
		if (p->direction == e->direction && p->is_other_netns == is_other_netns(e) &&
		    memcmp(p->address, address, sizeof(p->address)) == 0)
			return p;
	}
}

/* The bit of the list that decided; 0: too many lists came and went. */
static uint64_t find_list(struct drops *d, const struct fw_event *e)
{
	char name[FW_LIST_NAME_MAX];
	unsigned i = 0;

	if (table_list_name_at(d->table, e->list, e->time_ns, name) < 0)
		return 0;
	while (i < d->n_lists && strcmp(d->lists[i], name) != 0)
		i++;
	if (i == FW_LISTS_MAX)
		return 0;
	if (i == d->n_lists)
		memcpy(d->lists[d->n_lists++], name, sizeof(name));
	return UINT64_C(1) << i;
}

static int on_event(void *userdata, void *data, size_t size)
{
	const struct fw_event *e = data;
	struct drops *d = userdata;
	struct party *p;

	if (size < sizeof(*e) || !(e->flags & FW_EVENT_IP) || e->weight == 0)
		return 0;
	p = find_party(d, e);
	if (!p)
		return 0;
	p->n_packets += e->weight;
	p->is_estimate = p->is_estimate || e->weight != e->n_packets;
	p->hook = e->hook;
	p->reason = e->reason;
	if (e->entry_kind < _FW_KIND_MAX)
		p->lists |= find_list(d, e);
	return 0;
}

static int on_ring(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct drops *d = userdata;

	(void) ring_buffer__consume(d->ring); /* on_event() never fails */
	return 0;
}

static void drops_freep(struct drops **d)
{
	*d = drops_free(*d);
}

int drops_new(const char *pin_dir, const char *run_dir, struct table *t, sd_event *event, struct drops **ret)
{
	_cleanup_(drops_freep) struct drops *d = calloc(1, sizeof(*d));
	int r;

	if (!d)
		return log_error(-ENOMEM, "Cannot watch drops: %m");
	d->run_dir = run_dir;
	d->table = t;
	d->ring_fd = watch_new_ring(RING_BYTES);
	if (d->ring_fd < 0)
		return log_error(d->ring_fd, "Cannot make a ring buffer: %m");
	r = watch_open(pin_dir, &d->watch);
	if (r < 0)
		return log_error(r, "Cannot open the maps for watching in '%s': %m", pin_dir);
	d->ring = ring_buffer__new(d->ring_fd, on_event, d, NULL);
	if (!d->ring)
		return log_error(-errno, "Cannot read the ring buffer: %m");
	r = sd_event_add_io(event, &d->source, ring_buffer__epoll_fd(d->ring), EPOLLIN, on_ring, d);
	if (r < 0)
		return log_error(r, "Cannot wait for drops: %m");
	*ret = TAKE_PTR(d);
	return 0;
}

struct drops *drops_free(struct drops *d)
{
	if (!d)
		return NULL;
	(void) sd_event_source_unref(d->source);
	ring_buffer__free(d->ring);
	d->watch = watch_free(d->watch);
	closep(&d->ring_fd);
	free(d);
	return NULL;
}

/* With the writer lock held; also frees what killed viewers have left. */
static int take(struct drops *d)
{
	const struct fw_watcher want = { .watch = FW_WATCH_SAMPLES, .budget = UINT32_MAX };
	int r;

	r = watch_sweep(d->watch);
	if (r < 0 || d->is_taking || d->n_top == 0)
		return r;
	r = watch_take(d->watch, &want, d->ring_fd, LEASE_NS);
	if (r < 0)
		return r;
	watch_sample(d->watch, true);
	d->is_taking = true;
	return 0;
}

void drops_tend(struct drops *d, unsigned n_top)
{
	int lock_fd = -1, r;

	d->n_top = n_top;
	if (d->is_taking && (n_top == 0 || watch_renew(d->watch, LEASE_NS) < 0)) {
		watch_release(d->watch);
		d->is_taking = false;
	}

	r = writerlock_try(d->run_dir, DAEMON_NAME, &lock_fd);
	if (r == -EBUSY)
		return;
	if (r >= 0)
		r = take(d);
	writerlock_release(lock_fd);
	if (r < 0 && r != d->error)
		(void) log_warning(r, "Cannot watch drops, the journal does not name their sources: %m");
	d->error = r;
}

/*
 * Our own network namespace before others, in which users can make up what they like; then the most packets first. The order
 * of the rest is the address's, so that it is always the same.
 */
static int compare(const void *a, const void *b)
{
	const struct party *x = a, *y = b;

	if (x->is_other_netns != y->is_other_netns)
		return x->is_other_netns ? 1 : -1;
	if (x->n_packets != y->n_packets)
		return x->n_packets < y->n_packets ? 1 : -1;
	return memcmp(x->address, y->address, sizeof(x->address));
}

static void report(struct drops *d, const struct party *p, uint64_t usec)
{
	const char *fields[FIELDS_MAX + FW_LISTS_MAX + 1] = {};
	char text[FIELDS_MAX][FIELD_MAX], address[PREFIX_TEXT_MAX];
	struct prefix prefix = prefix_from_mapped(p->address);
	bool is_from = p->direction == FW_INGRESS;
	struct list_names lists;
	size_t n = 0;

	list_names_begin(&lists);
	for (unsigned i = 0; i < d->n_lists; i++)
		if (p->lists >> i & 1)
			list_names_add(&lists, d->lists[i]);
	(void) prefix_format(&prefix, address);
	(void) snprintf(text[n++], FIELD_MAX, "%s=%s", is_from ? "FW_SRC" : "FW_DST", address);
	(void) snprintf(text[n++], FIELD_MAX, "FW_HOOK=%s", hook_to_string(p->hook));
	(void) snprintf(text[n++], FIELD_MAX, "FW_DIRECTION=%s", direction_to_string(p->direction));
	(void) snprintf(text[n++], FIELD_MAX, "FW_REASON=%s", reason_to_string(p->reason));
	(void) snprintf(text[n++], FIELD_MAX, "FW_DROPPED=%" PRIu64, p->n_packets);
	(void) snprintf(text[n++], FIELD_MAX, "FW_ESTIMATE=%s", p->is_estimate ? "yes" : "no");
	(void) snprintf(text[n++], FIELD_MAX, "FW_INTERVAL_USEC=%" PRIu64, usec);
	if (p->is_other_netns)
		(void) snprintf(text[n++], FIELD_MAX, "FW_OTHER_NETNS=yes");
	for (size_t i = 0; i < n; i++)
		fields[i] = text[i];
	for (size_t i = 0; i < lists.n_fields; i++)
		fields[n + i] = lists.fields[i];

	log_record(LOG_INFO, MESSAGE_SOURCE, fields, "dropped %s %s%s: %s%" PRIu64 " packets, %s%s (%" PRIu64 " s)",
		   is_from ? "from" : "to", address, p->is_other_netns ? " in another network namespace" : "",
		   p->is_estimate ? "about " : "", p->n_packets,
		   lists.text[0] ? "list " : "", lists.text[0] ? lists.text : reason_to_string(p->reason),
		   (usec + USEC_PER_SEC / 2) / USEC_PER_SEC);
}

void drops_report(struct drops *d, uint64_t window_usec)
{
	size_t n = 0;

	if (!d->is_taking)
		return;
	watch_sample(d->watch, true); /* the window after this one begins */
	(void) ring_buffer__consume(d->ring);
	for (size_t i = 0; i < PLACES_MAX; i++)
		if (d->parties[i].n_packets > 0)
			d->parties[n++] = d->parties[i];
	qsort(d->parties, n, sizeof(*d->parties), compare);
	for (size_t i = 0; i < n && i < d->n_top; i++)
		report(d, &d->parties[i], window_usec);
	memset(d->parties, 0, sizeof(d->parties));
	d->n_parties = 0;
	d->n_other_netns = 0;
	d->n_lists = 0;
}
