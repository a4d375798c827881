// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * monitor: each drop as it happens, out of a ring of our own that the kernel fills. Needs no daemon. One loop
 * waits for the ring, for signals, for the reader of our output and for the lease; however it ends, what the
 * kernel counted says how much was not shown.
 */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>

#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "log/log.h"
#include "observe/watch.h"
#include "output/event.h"
#include "output/outlet.h"
#include "output/output.h"
#include "output/screen.h"
#include "session.h"
#include "verbs.h"
#include "verbs/viewer.h"

#define RING_BYTES     (1u << 20) /* 10 k events */
#define RATE_DEFAULT   1000       /* a second and CPU: ten screens, and no load to speak of */
#define RENEW_NS       UINT64_C(1000000000)
#define POLL_MSEC      200 /* at most between two looks at the clock */
#define LAST_LOOK_MSEC 1000 /* for a reader that has stopped reading when we end */

struct monitor {
	struct ctl *ctl;
	struct fw_watcher want;
	struct watch *watch;
	int ring_fd;
	struct ring_buffer *ring;
	int signals_fd;
	struct event_names names;
	struct outlet outlet;
	unsigned columns;  /* of the terminal, 0 = none */
	uint64_t n_events; /* shown */
	uint64_t n_shown;  /* packets */
	uint64_t n_interruptions; /* leases that ran out */
	uint64_t n_told;   /* packets not shown, as said last */
	struct fw_watch_counts past; /* under those leases */
};

static void monitor_done(struct monitor *m)
{
	ring_buffer__free(m->ring);
	(void) watch_free(m->watch);
	closep(&m->ring_fd);
	closep(&m->signals_fd);
	table_freep(&m->names.table);
}

/* What a filter compares: an address as ::ffff:a.b.c.d or IPv6, and the mask of its length. */
static void set_filter(const struct prefix *p, __be32 address[static 4], __be32 mask[static 4])
{
	uint8_t *bytes = (uint8_t *)address, *bits = (uint8_t *)mask;
	unsigned length = p->length, offset = 0;

	if (p->family == 0)
		return;
	if (p->family == AF_INET) {
		bytes[10] = bytes[11] = 0xff;
		offset = 12;
		length += 96;
	}
	memcpy(bytes + offset, p->bytes, 16 - offset);
	for (unsigned i = 0; i < length; i++)
		bits[i / 8] |= 0x80 >> i % 8;
}

static int set_want(struct monitor *m)
{
	struct ctl *ctl = m->ctl;
	uint64_t rate = ctl->rate == UINT64_MAX ? RATE_DEFAULT : ctl->rate;
	struct fw_watcher *w = &m->want;
	struct fw_list list;
	unsigned index;
	int status;

	w->watch = FW_WATCH_DROPS;
	w->hooks = ctl->hooks ?: (1u << _FW_HOOK_MAX) - 1;
	w->directions = ctl->directions ?: FW_BOTH;
	w->is_audit = ctl->is_audit;
	w->budget = ((rate << FW_TICK_SHIFT) + NS_PER_SEC - 1) / NS_PER_SEC; /* at least 1, but 0 for all */
	set_filter(&ctl->source, w->source, w->source_mask);
	set_filter(&ctl->destination, w->destination, w->destination_mask);
	if (!ctl->list)
		return EXIT_DONE;
	status = session_find_list(ctl, m->names.table, ctl->list, &index, &list);
	if (status == EXIT_DONE)
		w->lists = 1ull << index;
	return status;
}

static void add_json(struct monitor *m, json_object *o)
{
	const char *text;
	size_t length;

	text = json_object_to_json_string_length(o, OUTPUT_JSON_FLAGS, &length);
	outlet_add(&m->outlet, text, length);
	outlet_add(&m->outlet, "\n", 1);
	(void) json_object_put(o);
}

/* For ring_buffer__consume(): a negative return stops it after this event. */
static int show_event(void *userdata, void *data, size_t size)
{
	const struct fw_event *e = data;
	struct monitor *m = userdata;
	char text[EVENT_TEXT_MAX];
	json_object *o;

	if (size < sizeof(*e))
		return 0;
	if (m->ctl->is_json) {
		o = event_to_json(e, &m->names);
		if (!o)
			return -ENOMEM;
		add_json(m, o);
	} else {
		outlet_add(&m->outlet, text, event_to_text(e, &m->names, m->columns, text));
	}
	m->n_shown += e->n_packets;
	m->n_events++;
	return outlet_has_room(&m->outlet) && m->n_events != m->ctl->count ? 0 : -EAGAIN;
}

/* All that has passed the filter so far, split into what we showed and why we did not show the rest. */
static int read_counts(struct monitor *m, uint64_t *ret_matched, struct fw_watch_counts *ret)
{
	int r = watch_read_counts(m->watch, ret);

	if (r < 0)
		return r;
	ret->shown += m->past.shown;
	ret->hidden += m->past.hidden;
	ret->lost += m->past.lost;
	*ret_matched = ret->shown + ret->hidden + ret->lost;
	return 0;
}

static int say_counts_json(struct monitor *m, uint64_t matched, const struct fw_watch_counts *c)
{
	json_object *o = json_object_new_object(), *summary = json_object_new_object();

	json_object_object_add(summary, "matched", json_object_new_uint64(matched));
	json_object_object_add(summary, "shown", json_object_new_uint64(m->n_shown));
	json_object_object_add(summary, "hidden", json_object_new_uint64(c->hidden));
	json_object_object_add(summary, "lost", json_object_new_uint64(c->lost));
	json_object_object_add(summary, "interruptions", json_object_new_uint64(m->n_interruptions));
	json_object_object_add(o, "summary", summary);
	add_json(m, o);
	return 0;
}

/* In between, only if something was not shown that we have not told yet. */
static int say_hidden(struct monitor *m)
{
	struct fw_watch_counts c;
	uint64_t matched;
	char text[128];
	int r;

	r = read_counts(m, &matched, &c);
	if (r < 0 || c.hidden + c.lost == m->n_told || !outlet_has_room(&m->outlet))
		return r;
	if (m->ctl->is_json)
		(void) say_counts_json(m, matched, &c);
	else
		outlet_add(&m->outlet, text,
			   snprintf(text, sizeof(text), "... %llu packets not shown\n",
				    (unsigned long long)(c.hidden + c.lost - m->n_told)));
	m->n_told = c.hidden + c.lost;
	return 0;
}

/* The final account. What is in the ring but came after --count was not shown either. */
static int say_counts(struct monitor *m)
{
	struct fw_watch_counts c;
	uint64_t matched;
	int r;

	r = read_counts(m, &matched, &c);
	if (r < 0)
		return r;
	if (m->ctl->is_json)
		return say_counts_json(m, matched, &c);
	outlet_flush(&m->outlet, LAST_LOOK_MSEC);
	if (matched == m->n_shown)
		log_notice("%llu packets matched, all shown", (unsigned long long)matched);
	else
		log_notice("%llu packets matched, %llu shown, %llu not: %llu over the rate, %llu for a full ring, %llu "
			   "behind the end",
			   (unsigned long long)matched, (unsigned long long)m->n_shown,
			   (unsigned long long)(matched - m->n_shown), (unsigned long long)c.hidden,
			   (unsigned long long)c.lost, (unsigned long long)(c.shown - m->n_shown));
	return 0;
}

static int take_slot(struct monitor *m)
{
	_cleanup_(session_unlock) int lock = -1;
	int status, r;

	status = session_lock(m->ctl, m->names.table, &lock);
	if (status != EXIT_DONE)
		return status;
	r = watch_take(m->watch, &m->want, m->ring_fd, WATCH_LEASE_NS);
	return r == -EBUSY ? viewer_fail_busy(m->ctl) : r;
}

/* After having been stopped for longer than the lease, by Ctrl-Z say. */
static int take_slot_again(struct monitor *m)
{
	struct fw_watch_counts c;
	int r;

	watch_release(m->watch);
	r = watch_read_counts(m->watch, &c);
	if (r < 0)
		return r;
	m->past.shown += c.shown;
	m->past.hidden += c.hidden;
	m->past.lost += c.lost;
	m->n_interruptions++;
	if (!m->ctl->is_json)
		(void) log_warning(0, "Was stopped for a while: what was dropped meanwhile is in no number");
	return take_slot(m);
}

/* The filter has the number of a list. If the list is removed, another one may get that number. */
static int check_list(struct monitor *m)
{
	char escaped[FW_LIST_NAME_MAX * 4];
	struct fw_list l;
	int r;

	if (!m->want.lists)
		return 0;
	r = table_get_list(m->names.table, (unsigned)__builtin_ctzll(m->want.lists), &l);
	if (r < 0 || strncmp(l.name, m->ctl->list, sizeof(l.name)) == 0)
		return r;
	return output_fail(m->ctl, EXIT_NO, "List '%s' was removed meanwhile",
			   log_escape(m->ctl->list, escaped, sizeof(escaped)));
}

/* Once a second. */
static int renew(struct monitor *m)
{
	int r;

	r = viewer_check(m->ctl, m->watch);
	if (r == 0)
		r = check_list(m);
	if (r != 0)
		return r;
	r = watch_renew(m->watch, WATCH_LEASE_NS);
	if (r == -ESTALE)
		r = take_slot_again(m);
	if (r != 0)
		return r;
	m->columns = m->ctl->is_json ? 0 : terminal_size().columns;
	event_names_forget(&m->names);
	return say_hidden(m);
}

static bool is_over(const struct monitor *m)
{
	return m->outlet.is_closed || m->n_events >= m->ctl->count;
}

static int loop(struct monitor *m)
{
	uint64_t now = screen_now_ns(), next = now + RENEW_NS, end = now + m->ctl->duration_ns;
	enum { SIGNALS, OUTPUT, RING, _N };
	int r;

	if (end < now) /* for ever */
		end = UINT64_MAX;
	while (!is_over(m)) {
		struct pollfd fds[_N] = {
			[SIGNALS] = { .fd = m->signals_fd, .events = POLLIN },
			[OUTPUT] = { .fd = STDOUT_FILENO, .events = m->outlet.n_bytes > 0 ? POLLOUT : 0 },
			[RING] = { .fd = outlet_has_room(&m->outlet) ? ring_buffer__epoll_fd(m->ring) : -1,
				   .events = POLLIN },
		};

		if (poll(fds, _N, POLL_MSEC) < 0 && errno != EINTR)
			return -errno;
		now = screen_now_ns();
		if (fds[SIGNALS].revents || now >= end)
			return 0;
		if (now >= next) {
			r = renew(m);
			if (r != 0)
				return r;
			next = now + RENEW_NS;
		}
		if (fds[OUTPUT].revents & POLLOUT)
			outlet_write(&m->outlet);
		else if (fds[OUTPUT].revents)
			m->outlet.is_closed = true; /* the reader is gone: end as head(1) wants us to */
		if (fds[RING].revents)
			(void) ring_buffer__consume(m->ring); /* negative where show_event() stopped it */
	}
	return 0;
}

/* What came until the slot was released, as far as there is a reader. */
static void show_rest(struct monitor *m)
{
	int r;

	do {
		outlet_flush(&m->outlet, LAST_LOOK_MSEC);
		if (is_over(m) || !outlet_has_room(&m->outlet))
			return;
		r = ring_buffer__consume(m->ring);
	} while (r != 0);
}

static int take_signals(struct monitor *m)
{
	sigset_t set;
	int r;

	(void) signal(SIGPIPE, SIG_IGN);
	r = screen_block_signals(&set);
	if (r < 0)
		return r;
	m->signals_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return m->signals_fd < 0 ? -errno : 0;
}

static int start(struct monitor *m)
{
	int status, r;

	status = session_open(m->ctl, &m->names.table);
	if (status == EXIT_DONE)
		status = set_want(m);
	if (status != EXIT_DONE)
		return status;
	r = watch_open(m->ctl->pin_dir, &m->watch);
	if (r < 0)
		return session_explain(m->ctl, r);
	m->ring_fd = watch_new_ring(RING_BYTES);
	if (m->ring_fd < 0)
		return m->ring_fd;
	m->ring = ring_buffer__new(m->ring_fd, show_event, m, NULL);
	if (!m->ring)
		return -errno;
	r = take_signals(m);
	return r < 0 ? r : take_slot(m);
}

int verb_monitor(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_(monitor_done) struct monitor m = { .ctl = ctl, .ring_fd = -1, .signals_fd = -1 };
	int status, r;

	status = start(&m);
	if (status != 0)
		return status;
	m.columns = ctl->is_json ? 0 : terminal_size().columns;
	if (ctl->is_json) /* from here on nothing is missed: a script that waits for that waits for this line */
		(void) say_counts_json(&m, 0, &(struct fw_watch_counts){});
	else
		log_notice("watching, Ctrl-C ends it");

	status = loop(&m);
	watch_release(m.watch);
	show_rest(&m);
	if (m.outlet.error) {
		errno = m.outlet.error;
		return output_fail(ctl, EXIT_NO, "Cannot write the output: %m");
	}
	if (m.outlet.is_closed)
		return status;
	r = say_counts(&m);
	outlet_flush(&m.outlet, LAST_LOOK_MSEC);
	return status != 0 ? status : r;
}
