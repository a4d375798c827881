// SPDX-License-Identifier: GPL-2.0-or-later

/* doctor: runs its checks, each in a file of its own, and prints what they found; see doctor.h. */

#include "doctor/doctor.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "kernel/pins.h"
#include "output/format.h"
#include "session.h"
#include "verbs.h"

static const struct check {
	const char *topic;
	int (*run)(struct doctor *d);
	bool needs_table;
} checks[] = {
	{ "loaded",   doctor_check_loaded,   false },
	{ "daemon",   doctor_check_daemon,   false },
	{ "boot",     doctor_check_boot,     false },
	{ "attached", doctor_check_attached, true  },
	{ "unseen",   doctor_check_unseen,   true  },
	{ "interfaces", doctor_check_interfaces, true },
	{ "orphans",  doctor_check_orphans,  false },
	{ "others",   doctor_check_others,   false },
	{ "lockout",  doctor_check_lockout,  true  },
	{ "changes",  doctor_check_changes,  true  },
	{ "room",     doctor_check_room,     true  },
	{ "files",    doctor_check_files,    false },
	{ "kernel",   doctor_check_kernel,   false },
	{ "run time", doctor_check_run_time, false },
};

int verb_doctor(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_json_ json_object *findings = json_object_new_array();
	_cleanup_(table_freep) struct table *table = NULL;
	struct doctor d = { .ctl = ctl, .findings = findings };
	int r;

	d.error = pins_check_dir(ctl->pin_dir);
	if (d.error == 0)
		d.error = table_open(ctl->pin_dir, &table);
	if (d.error == -EACCES || d.error == -EPERM)
		return session_explain(ctl, d.error); /* only root sees enough to judge */
	d.table = table;

	for (size_t i = 0; i < ELEMENTSOF(checks); i++) {
		if (checks[i].needs_table && !table)
			continue;
		d.topic = checks[i].topic;
		r = checks[i].run(&d);
		if (r < 0)
			doctor_say(&d, LEVEL_WARNING, NULL, "cannot look: %s", strerror(-r));
	}

	r = doctor_print(&d);
	if (r < 0)
		return r;
	return d.n[LEVEL_PROBLEM] + d.n[LEVEL_WARNING] > 0 ? EXIT_NO : EXIT_DONE;
}
