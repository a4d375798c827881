/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What the files of the doctor share. A check looks at one thing, changes nothing, and says what it found, with what
 * to do about it; it returns a negative errno only where it could not look.
 */

#include <json-c/json.h>

#include "ctl.h"

enum level {
	LEVEL_OK,
	LEVEL_NOTE,    /* good to know */
	LEVEL_WARNING, /* wrong, or soon will be */
	LEVEL_PROBLEM, /* the firewall does not do what it is there for */
	_LEVEL_MAX,
};

struct doctor {
	struct ctl *ctl;
	struct table *table; /* NULL = not loaded */
	int error;           /* why not */
	const char *topic;   /* of the check that runs */
	json_object *findings;
	size_t n[_LEVEL_MAX];
};

/* advice: what to do, NULL = nothing; a sentence without its full stop, as the finding is. */
void doctor_say(struct doctor *d, enum level level, const char *advice, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* All of it, as text or JSON. */
int doctor_print(struct doctor *d);

/* doctor-state.c */
int doctor_check_loaded(struct doctor *d);
int doctor_check_daemon(struct doctor *d);
int doctor_check_boot(struct doctor *d);
int doctor_check_changes(struct doctor *d);
int doctor_check_files(struct doctor *d);

/* doctor-room.c */
int doctor_check_room(struct doctor *d);

/* doctor-hooks.c */
int doctor_check_attached(struct doctor *d);

/* doctor-unseen.c */
int doctor_check_unseen(struct doctor *d);

/* doctor-orphans.c */
int doctor_check_orphans(struct doctor *d);

/* doctor-interfaces.c */
int doctor_check_interfaces(struct doctor *d);

/* doctor-others.c */
int doctor_check_others(struct doctor *d);

/* doctor-lockout.c */
int doctor_check_lockout(struct doctor *d);

/* doctor-kernel.c */
int doctor_check_kernel(struct doctor *d);
int doctor_check_run_time(struct doctor *d);
int doctor_read_number(const char *path); /* what a file of /proc/sys says, or a negative errno */
