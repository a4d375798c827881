// SPDX-License-Identifier: GPL-2.0-or-later

/* The doctor's check of limits: how full is what can be full? */

#include "doctor/doctor.h"

#include <inttypes.h>

#include "observe/watch.h"

#define FULL_PERCENT 90

static void say_fill(struct doctor *d, const char *what, uint64_t n, uint64_t n_max, const char *advice)
{
	if (n >= n_max)
		doctor_say(d, LEVEL_PROBLEM, advice, "%" PRIu64 " of %" PRIu64 " %s: full, more are refused", n, n_max, what);
	else if (n >= n_max / 100 * FULL_PERCENT + n_max % 100 * FULL_PERCENT / 100)
		doctor_say(d, LEVEL_WARNING, advice, "%" PRIu64 " of %" PRIu64 " %s", n, n_max, what);
	else
		doctor_say(d, LEVEL_OK, NULL, "%" PRIu64 " of %" PRIu64 " %s", n, n_max, what);
}

static int check_watchers(struct doctor *d)
{
	struct fw_watcher slots[FW_WATCHERS_MAX];
	struct watch *w;
	uint64_t n = 0;
	int r;

	r = watch_open(d->ctl->pin_dir, &w);
	if (r < 0)
		return r;
	watch_slots(w, slots);
	(void) watch_free(w); /* returns NULL */
	for (unsigned i = FW_WATCHER_DAEMON + 1; i < FW_WATCHERS_MAX; i++)
		n += slots[i].until != 0;
	say_fill(d, "viewers", n, FW_WATCHERS_MAX - FW_WATCHER_DAEMON - 1, "end one of monitor, top and hist");
	return 0;
}

int doctor_check_room(struct doctor *d)
{
	static const char raise_limit[] = "raise MaxEntries=, or block prefixes instead of addresses";
	uint64_t n_lists = 0;
	struct fw_list list;
	unsigned n_bans;
	int r;

	say_fill(d, "IPv4 entries", table_count(d->table, FW_KIND_IPV4), table_limit(d->table, FW_KIND_IPV4), raise_limit);
	say_fill(d, "IPv6 entries", table_count(d->table, FW_KIND_IPV6), table_limit(d->table, FW_KIND_IPV6), raise_limit);
	say_fill(d, "port entries", table_count(d->table, FW_KIND_PORT), table_limit(d->table, FW_KIND_PORT),
		 "block ranges instead of ports");
	r = table_count_port_bans(d->table, &n_bans);
	if (r < 0)
		return r;
	say_fill(d, "port entries of lists that block", n_bans, FW_PORT_BANS_MAX, "block ranges instead of ports");

	for (unsigned i = 0; i < FW_LISTS_MAX; i++) {
		r = table_get_list(d->table, i, &list);
		if (r < 0)
			return r;
		n_lists += list.name[0] != '\0';
	}
	say_fill(d, "lists", n_lists, FW_LISTS_MAX, "fwctl list del what nobody needs");

	return check_watchers(d);
}
