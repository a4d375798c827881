// SPDX-License-Identifier: GPL-2.0-or-later

/* The doctor's check of other programs on the hooks, and of those that can decide before ours does. */

#include "doctor/doctor.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "inspect/attachment.h"
#include "inspect/others.h"
#include "text/names.h"

struct said {
	struct doctor *doctor;
	size_t n;
};

static const char *hook_text(const struct other *o)
{
	if (o->hook != FW_HOOK_TC)
		return hook_to_string(o->hook);
	return o->priority == 0 ? "tcx" : "clsact";
}

static int say_other(const struct other *o, void *userdata)
{
	static const char *const places[] = {
		[OTHER_ALONE] = "",
		[OTHER_BEFORE] = ", which runs before ours",
		[OTHER_AFTER] = ", which runs after ours",
	};
	const char *where = places[o->place], *what = "", *advice = NULL;
	struct said *s = userdata;
	enum level level = LEVEL_NOTE;

	s->n++;
	if (o->hook == FW_HOOK_CGROUP && attachment_is_like_ours(o->program_id)) {
		level = LEVEL_WARNING;
		where = "";
		what = ", of another firewall of this kind: what its lists block is blocked for these processes, too, whatever ours say";
		advice = "if it is that of a network namespace or container, set Hooks=tc or another Cgroup= in its configuration";
	} else if (o->hook == FW_HOOK_CGROUP) {
		where = "";
		what = ": both run, and what one of them drops is dropped";
	} else if (o->harm == OTHER_DECIDES) {
		level = LEVEL_PROBLEM;
		what = ": ours never sees what it lets pass or sends elsewhere";
		advice = o->priority == 0 ? "stop what has attached it, or 'systemctl reload ebpf-fw' to move ours before it once more"
					  : "give it a greater priority, or remove it with 'tc filter del'";
	} else if (o->harm == OTHER_DIVERTS) {
		level = LEVEL_WARNING;
		what = ": what it lets pass is judged at tc, what it sends elsewhere is not";
		advice = "see what has attached it; with xdp in Hooks= ours takes its place when it has gone";
	}
	doctor_say(s->doctor, level, advice, "%s %s on %s: %s%s%s", hook_text(o), direction_to_string(o->direction), o->where,
		   o->text, where, what);
	return 0;
}

/* The root is above our group: what is there judges our processes, too. */
static int say_firewall_on_root(const struct other *o, void *userdata)
{
	return o->hook == FW_HOOK_CGROUP && attachment_is_like_ours(o->program_id) ? say_other(o, userdata) : 0;
}

int doctor_check_others(struct doctor *d)
{
	const char *cgroup = d->table ? table_meta(d->table)->cgroup : "";
	struct said s = { .doctor = d };
	int r;

	r = others_foreach(d->ctl, cgroup[0] ? cgroup : NULL, say_other, &s);
	if (r >= 0 && strcmp(cgroup, "/") != 0)
		r = others_foreach(d->ctl, "/", say_firewall_on_root, &s);
	if (r == -ENODEV) /* no cgroup2 */
		r = 0;
	if (r >= 0 && s.n == 0)
		doctor_say(d, LEVEL_OK, NULL, "nobody else is on tc, xdp or our cgroup");
	return r;
}
