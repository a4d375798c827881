/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the start and the event loop of the daemon share; for manager*.c alone. */

#include <systemd/sd-event.h>

#include "attach/hooks.h"
#include "handover.h"
#include "instance.h"
#include "load/loader.h"
#include "manager.h"
#include "net/interfaces.h"
#include "report/stats.h"
#include "restore.h"
#include "state/table.h"
#include "statedir.h"
#include "upgrade/upgrade.h"
#include "wallclock.h"
#include "witness.h"

struct manager {
	const struct options *options;
	struct config config;
	struct instance instance;
	struct handover handover;
	struct statedir statedir; /* as its lists were read */
	int mounts_fd; /* mountinfo, which says when it changes; -1 = it does not */
	sd_event *event;
	sd_event_source *check_timer;
	sd_event_source *stats_timer;
	struct loader *loader;
	struct table *table;
	struct wallclock wallclock;
	int wallclock_fd; /* a timer that the kernel cancels when the wall clock is set, -1 = there is none */
	struct upgrade upgrade;
	struct interfaces *interfaces;
	struct hooks *hooks;
	struct stats *stats;
	struct witness *witness;
	struct drops *drops; /* NULL = cannot be watched here */
	struct fw_meta meta; /* as last written */
	uint64_t configured_at; /* Unix seconds */
	bool is_counting_anew; /* this start made the counters */
	bool is_idle;        /* no interface is filtered although some should be: was said */
	bool is_strict;      /* as last put into the policy */
	uint64_t next_sweep_usec; /* CLOCK_MONOTONIC: not before */
	uint64_t next_try_usec; /* the same: to leave for a new start */
	struct restored restored; /* what is wrong with the list files, for STATUS= */
	int pins_error;      /* of the last check, so that it is said once */
	int interfaces_error; /* the same */
	int repair_error;    /* the same */
	int lists_error;     /* the same, of a state directory that came later */
};

/* Makes what is attached equal to what is wanted, and tells: fwctl in meta, systemctl status in STATUS=. */
int manager_sync_hooks(struct manager *m);

/* Puts back what somebody has removed of the pins, which may have gone as a whole with their directory. */
void manager_check_pins(struct manager *m);

/* How many addresses are named at the end of a window. */
unsigned manager_drops_named(const struct manager *m);

/* Signals are blocked before, by main(). */
int manager_make_loop(struct manager *m);

/*
 * Changes to the tables, if there are any to make. The writer lock is not waited for: a large load by fwctl must not keep us
 * from an interface that has just come.
 */
void manager_tend_table(struct manager *m);

/* If another directory has taken the place of the state directory, reads its lists. True: STATUS= may have to change. */
bool manager_follow_state_dir(struct manager *m);
