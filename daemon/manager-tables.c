// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * What the daemon changes in the tables while it runs: it completes what a killed command has left, computes ends again, removes
 * what has ended, and reads the lists of a state directory that is mounted late. It does not wait for the writer lock.
 */

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/daemon.h"
#include "kernel/tick.h"
#include "log/log.h"
#include "manager-internal.h"
#include "report/expiry.h"
#include "state/writerlock.h"

#define SWEEP_SHARE 100 /* sweeps take at most this fraction of the time: what has ended decides nothing, it only takes room */

/* One change of the tables, with its begin and its end. */
static int change_table(struct manager *m, int lock_fd, int (*fn)(struct manager *m, struct table_writer *w))
{
	_cleanup_(table_endp) struct table_writer *w = NULL;
	int r;

	r = table_begin(m->table, lock_fd, &w);
	if (r >= 0)
		r = fn(m, w);
	return r < 0 ? r : table_commit(w);
}

static int correct_ends(struct manager *m, struct table_writer *w)
{
	return wallclock_correct(&m->wallclock, m->options->state_dir, w);
}

static int sweep(struct manager *m, struct table_writer *w)
{
	return expiry_sweep(w);
}

/*
 * Completes a change that a writer has left half done: the writer was killed, or it failed and could not undo the change.
 * Otherwise it might never be completed. With the lock: no writer is at work.
 */
static int repair_table(struct manager *m, int lock_fd)
{
	struct table_writer *w;
	int r;

	if (!table_is_damaged(m->table))
		return 0;
	r = table_begin(m->table, lock_fd, &w);
	if (r >= 0) {
		w = table_end(w);
		log_notice("A command was interrupted while it changed entries: completed what it had begun");
	} else if (r != m->repair_error) {
		(void) log_warning(r, "A command was interrupted while it changed entries, and what it had begun cannot be completed, "
				      "trying again: %m");
	}
	m->repair_error = r < 0 ? r : 0;
	return r;
}

/* What is due. With the writer lock held. */
static void change_what_is_due(struct manager *m, int lock_fd, bool is_clock_due, bool is_sweep_due)
{
	uint64_t start = clock_usec(CLOCK_MONOTONIC);
	int r;

	m->is_strict = m->config.is_strict;
	table_set_strict(m->table, m->is_strict);
	if (repair_table(m, lock_fd) < 0)
		return;
	if (is_clock_due) {
		r = change_table(m, lock_fd, correct_ends);
		if (r < 0)
			(void) log_warning(r, "Cannot compute the ends of entries again, trying again: %m");
		else
			wallclock_save(&m->wallclock, m->options->run_dir, m->meta.counting_since);
	}
	if (!is_sweep_due)
		return;
	r = change_table(m, lock_fd, sweep);
	m->next_sweep_usec = start + (clock_usec(CLOCK_MONOTONIC) - start) * SWEEP_SHARE;
	if (r < 0)
		(void) log_warning(r, "Cannot clear out entries that have ended, they only take room: %m");
}

static int restore_again(struct manager *m, struct table_writer *w)
{
	return restore_lists(m->options->state_dir, w, &m->wallclock, false, &m->restored);
}

/* Another directory has taken the place of the state directory: its lists, too. Does not wait for the lock. */
static void read_lists_again(struct manager *m)
{
	struct statedir before = m->statedir;
	int lock_fd, r;

	r = writerlock_try(m->options->run_dir, DAEMON_NAME, &lock_fd);
	if (r < 0)
		return; /* the next check tries again */
	if (m->lists_error == 0)
		log_info("'%s' is another directory than before, reading the lists there", m->options->state_dir);
	statedir_note(&m->statedir, m->options->state_dir); /* before it is read: it may change meanwhile */
	r = change_table(m, lock_fd, restore_again);
	if (r >= 0)
		wallclock_save(&m->wallclock, m->options->run_dir, m->meta.counting_since);
	else
		m->statedir = before; /* the next check tries again */
	if (r < 0 && r != m->lists_error)
		(void) log_warning(r, "Cannot restore the lists from '%s', trying again: %m", m->options->state_dir);
	m->lists_error = r < 0 ? r : 0;
	writerlock_release(lock_fd);
}

bool manager_follow_state_dir(struct manager *m)
{
	char before[sizeof(m->statedir.missing)];

	memcpy(before, m->statedir.missing, sizeof(before));
	if (!statedir_has_changed(&m->statedir, m->options->state_dir))
		return strcmp(before, m->statedir.missing) != 0;
	read_lists_again(m);
	return true;
}

void manager_tend_table(struct manager *m)
{
	bool is_sweep_due = clock_usec(CLOCK_MONOTONIC) >= m->next_sweep_usec && table_next_end(m->table) <= tick_now();
	bool is_clock_due = wallclock_is_due(&m->wallclock);
	int lock_fd, r;

	if (m->is_strict == m->config.is_strict && !is_sweep_due && !is_clock_due && !table_is_damaged(m->table))
		return;
	r = writerlock_try(m->options->run_dir, DAEMON_NAME, &lock_fd);
	if (r == -EBUSY)
		return; /* the next check tries again */
	if (r < 0) {
		(void) log_warning(r, "Cannot lock '%s/lock', trying again: %m", m->options->run_dir);
		return;
	}
	change_what_is_due(m, lock_fd, is_clock_due, is_sweep_due);
	writerlock_release(lock_fd);
}
