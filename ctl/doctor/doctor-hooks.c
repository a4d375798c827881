// SPDX-License-Identifier: GPL-2.0-or-later

/* The doctor's checks of what is attached: where, by which mechanism and why, and what should be and is not. */

#include "doctor/doctor.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/cleanup.h"
#include "hook/cgroup.h"
#include "inspect/attachment.h"
#include "inspect/where.h"
#include "kernel/netns.h"
#include "output/format.h"
#include "text/names.h"

#define COST_TEXT_MAX 48
#define LINE_TEXT_MAX 128

struct hooks {
	struct doctor *doctor;
	size_t n_live;
};

static int say_attached(const struct attachment *a, void *userdata)
{
	struct hooks *h = userdata;
	struct doctor *d = h->doctor;
	char where[WHERE_NAME_MAX], cost[COST_TEXT_MAX] = "";
	const char *name = where_name(a, table_meta(d->table), where);

	if (!a->is_live && !a->link_name) {
		doctor_say(d, LEVEL_PROBLEM, "systemctl restart ebpf-fw",
			   "the filter on tc %s of %s carries the program of the other direction", direction_to_string(a->direction),
			   name);
		return 0;
	}
	if (!a->is_live) {
		doctor_say(d, LEVEL_NOTE, "the daemon removes the pin at its next start",
			   "the link of %s %s is pinned, and its interface or cgroup is gone", hook_to_string(a->hook),
			   direction_to_string(a->direction));
		return 0;
	}
	h->n_live++;
	if (a->n_runs > 0)
		(void) snprintf(cost, sizeof(cost), ", %" PRIu64 " ns a packet", a->run_ns / a->n_runs);
	doctor_say(d, LEVEL_OK, NULL, "%s %s on %s by %s, program %" PRIu32 "%s", hook_to_string(a->hook),
		   direction_to_string(a->direction), name, mechanism_to_string(a->mechanism), a->program_id, cost);
	if (!a->is_program_pinned)
		doctor_say(d, LEVEL_WARNING, "systemctl restart ebpf-fw, which pins what it loads",
			   "the program of %s %s on %s has no pin: 'fwctl check' may ask another one", hook_to_string(a->hook),
			   direction_to_string(a->direction), name);
	return 0;
}

/* A direction that no hook judges, while the other one is. */
static void check_directions(struct doctor *d)
{
	for (enum fw_direction i = 0; i < _FW_DIRECTION_MAX; i++) {
		_cleanup_json_ json_object *judged = NULL;

		if (where_judged(d->ctl, table_meta(d->table), i, &judged) >= 0 && !where_is_judged(judged))
			doctor_say(d, LEVEL_WARNING, "add tc to Hooks=, see ebpf-fw.conf(5)",
				   "%s is judged nowhere: no hook is attached in that direction", direction_to_string(i));
	}
}

/* Are there groups of net_cls or net_prio? A line of /proc/cgroups: name, hierarchy, number of groups, enabled. */
static bool has_socket_classes(void)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/cgroups", "re");
	char line[LINE_TEXT_MAX], name[LINE_TEXT_MAX];
	unsigned hierarchy, n;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%127s %u %u", name, &hierarchy, &n) == 3 && hierarchy != 0 && n > 1 &&
		    (strcmp(name, "net_cls") == 0 || strcmp(name, "net_prio") == 0))
			return true;
	return false;
}

/* Before 5.15 a socket remembers its class or its group, not both; from the first class on, it is the class. */
static bool forgets_groups(void)
{
	unsigned major = 0, minor = 0;
	struct utsname u;

	return uname(&u) == 0 && sscanf(u.release, "%u.%u", &major, &minor) == 2 && (major < 5 || (major == 5 && minor < 15));
}

static void check_cgroup(struct doctor *d, const char *path)
{
	struct cgroup_mount m;

	if (cgroup_find_mount(&m) == 0 && !cgroup_mount_is_whole(&m))
		doctor_say(d, LEVEL_WARNING, "mount all of it: mkdir /run/cgroup2; mount -t cgroup2 none /run/cgroup2",
			   "only the part '%s' of all cgroups is mounted, on '%s': the cgroup hook does not judge processes outside of it",
			   m.root, m.point);
	if (strcmp(path, "/") == 0)
		return;
	doctor_say(d, LEVEL_NOTE, NULL,
		   "the cgroup hook does not judge sockets that a process outside of '%s' has created and handed in, as "
		   "systemd does for socket activation", path);
	if (forgets_groups() && has_socket_classes())
		doctor_say(d, LEVEL_WARNING, "set Cgroup=/, or do without net_cls and net_prio",
			   "net_cls or net_prio is in use, and before Linux 5.15 a socket that is made after that counts as one of the "
			   "root: the cgroup hook on '%s' does not judge it", path);
}

int doctor_check_attached(struct doctor *d)
{
	const struct fw_meta *meta = table_meta(d->table);
	_cleanup_json_ json_object *xdp_notes = where_xdp_notes(meta);
	struct hooks h = { .doctor = d };
	int r;

	if (netns_is_other(meta))
		doctor_say(d, LEVEL_WARNING, "look from there: 'nsenter --net', lsns(8) has its processes; this namespace needs a firewall "
			   "with a --pin-dir of its own", "it filters in network namespace net:[%" PRIu64 "], which is another one "
			   "than this: interfaces here are not filtered by it", (uint64_t)meta->netns_inode);
	r = attachment_foreach(d->ctl->pin_dir, say_attached, &h);
	if (r < 0)
		return r;
	if (h.n_live == 0)
		doctor_say(d, LEVEL_PROBLEM, "see Interfaces= and Hooks= in ebpf-fw.conf(5), and journalctl -u ebpf-fw",
			   "it is attached nowhere: no packet is filtered");
	else
		check_directions(d);
	if (meta->tc_reason[0])
		doctor_say(d, LEVEL_NOTE, NULL, "why %s: %s", mechanism_to_string(meta->tc_mechanism), meta->tc_reason);
	if (xdp_notes)
		doctor_say(d, LEVEL_NOTE, NULL, "xdp: %s", json_object_get_string(xdp_notes));
	if (meta->cgroup_reason[0])
		doctor_say(d, LEVEL_WARNING, "see Cgroup= and Hooks= in ebpf-fw.conf(5)",
			   "the cgroup hook is %s: %s", meta->cgroup[0] ? "on another cgroup than it should be" : "off",
			   meta->cgroup_reason);
	if (meta->cgroup_ports[0])
		doctor_say(d, LEVEL_NOTE, NULL, "cgroup: %s", meta->cgroup_ports);
	if (meta->cgroup[0])
		check_cgroup(d, meta->cgroup);
	if (meta->pending[0])
		doctor_say(d, LEVEL_NOTE, "see Interfaces= if that is a mistake",
			   "attached as soon as they exist: %s", meta->pending);
	if (meta->failed[0])
		doctor_say(d, LEVEL_PROBLEM, "the daemon goes on trying; journalctl -u ebpf-fw says more",
			   "not attached: %s", meta->failed);
	return 0;
}
