// SPDX-License-Identifier: GPL-2.0-or-later

/* The doctor's check of what is attached and does not see the packets of its interfaces, as the daemon has found it. */

#include "doctor/doctor.h"

#include "base/clock.h"
#include "hook/unseen.h"

int doctor_check_unseen(struct doctor *d)
{
	struct unseen_report report;
	char text[UNSEEN_TEXT_MAX];

	unseen_read(d->ctl->run_dir, clock_usec(CLOCK_BOOTTIME), &report);
	if (report.window_usec == 0)
		return 0; /* no daemon, or no windows: nobody compares */
	for (size_t i = 0; i < report.n; i++)
		doctor_say(d, LEVEL_PROBLEM, "see 'others' below for a program or filter that runs before ours, and WITNESS in "
			   "ebpf-fwd(8) for what else it can be",
			   "most packets are not judged: %s", unseen_describe(&report.items[i], text));
	if (report.n == 0)
		doctor_say(d, LEVEL_OK, NULL, "no hook misses most of what its interfaces count");
	return 0;
}
