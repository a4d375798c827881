// SPDX-License-Identifier: GPL-2.0-or-later

/* The doctor's check of programs that judge packets as ours do, but cannot be reached through pins: see attachment.h. */

#include "doctor/doctor.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "inspect/attachment.h"
#include "inspect/presence.h"
#include "inspect/where.h"
#include "kernel/mounts.h"
#include "text/names.h"

#define ADVICE_MAX 512
#define ADVICE_FILTER \
	"if no other firewall of this kind runs here, stop the daemon, fwctl unload --force, and start it again"

struct orphans {
	struct doctor *doctor;
	char link_advice[ADVICE_MAX];
	size_t n;
};

/* Where the file system is mounted that has the pin directory, and how often. */
struct stack {
	const char *pin_dir;
	char point[PATH_MAX];
	size_t n;
};

static int count_mount(const struct mount *m, void *userdata)
{
	struct stack *s = userdata;
	size_t length = strlen(m->point);

	if (strcmp(m->type, "bpf") != 0 || length < strlen(s->point) || length >= sizeof(s->point) ||
	    strncmp(s->pin_dir, m->point, length) != 0 || s->pin_dir[length] != '/')
		return 0;
	s->n = length == strlen(s->point) ? s->n + 1 : 1;
	strcpy(s->point, m->point);
	return 0;
}

/*
 * The pins are below another mount. A firewall that was started on that mount goes first, because it could not be reached
 * afterwards. Its lists may have changed, so the one below it must then be filled from the files again.
 */
static void find_link_advice(struct orphans *o)
{
	struct stack s = { .pin_dir = o->doctor->ctl->pin_dir };
	bool is_loaded = o->doctor->table, is_running = presence_daemon_pid(o->doctor->ctl) > 0;

	(void) mounts_foreach(count_mount, &s); /* then there is one at most */
	if (s.n < 2)
		(void) snprintf(o->link_advice, sizeof(o->link_advice),
				"a bpffs that cannot be seen from here has its pins; if no other firewall of this kind is meant to "
				"run here, stop the daemon, fwctl unload --force, and start it again");
	else
		(void) snprintf(o->link_advice, sizeof(o->link_advice),
				"%zu bpffs are mounted at '%.*s', and the last one hides the pins: %s%sumount '%.*s', %ssystemctl start "
				"ebpf-fw; or stop the daemon, fwctl unload --force, and start it again", s.n, ADVICE_MAX / 8, s.point,
				is_running ? "systemctl stop ebpf-fw, " : "", is_loaded ? "fwctl unload, " : "", ADVICE_MAX / 8, s.point,
				is_loaded ? "fwctl unload once more, " : "");
}

static int say_orphan(const struct attachment *a, void *userdata)
{
	struct orphans *o = userdata;
	char where[WHERE_NAME_MAX];

	o->n++;
	if (a->link_id == 0)
		doctor_say(o->doctor, LEVEL_PROBLEM, ADVICE_FILTER,
			   "a filter on tc %s of %s is named and placed like ours, and no pin proves it: program %" PRIu32
			   " judges packets by lists that nobody can change",
			   direction_to_string(a->direction), where_name(a, NULL, where), a->program_id);
	else
		doctor_say(o->doctor, LEVEL_PROBLEM, o->link_advice,
			   "a program like ours is on %s %s of %s by a link whose pin cannot be seen: program %" PRIu32
			   " judges packets by lists that nobody can change",
			   hook_to_string(a->hook), direction_to_string(a->direction), where_name(a, NULL, where), a->program_id);
	return 0;
}

int doctor_check_orphans(struct doctor *d)
{
	struct orphans o = { .doctor = d };
	int r;

	find_link_advice(&o);
	r = attachment_foreach_orphan(d->ctl, say_orphan, &o);
	if (r >= 0 && o.n == 0)
		doctor_say(d, LEVEL_OK, NULL, "no filter and no link without a pin");
	return r;
}
