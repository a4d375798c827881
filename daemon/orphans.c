// SPDX-License-Identifier: GPL-2.0-or-later

/* Looks for programs of runs before at each hook: see orphans.h. */

#include "orphans.h"

#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <string.h>

#include <bpf/bpf.h>

#include "base/cleanup.h"
#include "hook/cgroup.h"
#include "hook/footprint.h"
#include "hook/lineup.h"
#include "hook/xdpquery.h"
#include "kernel/pins.h"
#include "log/log.h"
#include "text/names.h"

#define PLACES_MAX     512
#define PIN_NAME_MAX   64
#define PROGRAMS_MAX   64 /* the kernel takes no more on one cgroup */

static const uint32_t cgroup_types[_FW_DIRECTION_MAX] = { BPF_CGROUP_INET_INGRESS, BPF_CGROUP_INET_EGRESS };

struct search {
	const char *pin_dir;
	const struct loader *loader;
	struct footprint before; /* what runs before have attached */
	struct footprint linked; /* what our pinned links run, whosever program that is */
	struct footprint now;
	char places[PLACES_MAX]; /* of what was found */
	size_t n;
};

static int note_linked(const char *name, void *userdata)
{
	struct bpf_link_info info = {};
	__u32 size = sizeof(info);
	_cleanup_close_ int fd = -1;
	struct search *s = userdata;
	char path[PIN_NAME_MAX];

	(void) snprintf(path, sizeof(path), "links/%s", name);
	fd = pins_open(s->pin_dir, path);
	if (fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &size) == 0)
		(void) footprint_add_program(&s->linked, info.prog_id);
	return 0;
}

static void look_at(struct search *s, uint32_t id, enum fw_hook hook, enum fw_direction d, const char *where)
{
	size_t n = strlen(s->places);

	if (id == 0 || !footprint_has_program(&s->before, id) || footprint_has_program(&s->linked, id) ||
	    loader_owns(id, (void *)s->loader))
		return;
	s->n++;
	(void) footprint_add_program(&s->now, id);
	if (hook == FW_HOOK_CGROUP)
		(void) footprint_add_cgroup(&s->now, where);
	(void) snprintf(s->places + n, sizeof(s->places) - n, "%sprogram %" PRIu32 " on %s %s of '%s'", n > 0 ? ", " : "", id,
			hook_to_string(hook), direction_to_string(d), where);
}

static void look_at_interface(struct search *s, const struct if_nameindex *i, const struct qdiscs *qdiscs)
{
	struct xdp_programs xdp = {};
	struct lineup l;

	for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++) {
		if (!qdisc_has_direction(qdiscs_find(qdiscs, i->if_index), d) || lineup_read(i->if_index, d, &l) < 0)
			lineup_read_tcx(i->if_index, d, &l);
		for (size_t n = 0; n < l.n; n++)
			look_at(s, l.items[n].program_id, FW_HOOK_TC, d, i->if_name);
	}
	if (xdp_query(i->if_index, &xdp) >= 0)
		look_at(s, xdp.native_id ?: xdp.generic_id, FW_HOOK_XDP, FW_INGRESS, i->if_name);
}

static void look_at_interfaces(struct search *s)
{
	_cleanup_(qdiscs_done) struct qdiscs qdiscs = {};
	struct if_nameindex *interfaces = if_nameindex();

	if (interfaces && qdiscs_read(&qdiscs) >= 0)
		for (const struct if_nameindex *i = interfaces; i->if_index != 0; i++)
			look_at_interface(s, i, &qdiscs);
	if_freenameindex(interfaces);
}

static void look_at_cgroup(struct search *s, const char *path)
{
	_cleanup_close_ int fd = -1;
	uint64_t unused;

	if (cgroup_open(path, &fd, &unused) < 0)
		return;
	for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++) {
		__u32 ids[PROGRAMS_MAX], n = PROGRAMS_MAX;

		if (bpf_prog_query(fd, cgroup_types[d], 0, NULL, ids, &n) < 0)
			continue;
		while (n > 0)
			look_at(s, ids[--n], FW_HOOK_CGROUP, d, path);
	}
}

/* The id of each program of this run, and where it may be on a cgroup. */
static void note_own(struct search *s, const char *cgroup)
{
	static const enum fw_hook hooks[] = { FW_HOOK_XDP, FW_HOOK_TC, FW_HOOK_CGROUP };

	for (size_t i = 0; i < ELEMENTSOF(hooks); i++)
		for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++)
			for (int is_l3 = false; is_l3 <= true; is_l3++)
				(void) footprint_add_program(&s->now, loader_program_id(s->loader, hooks[i], d, is_l3));
	if (cgroup[0])
		(void) footprint_add_cgroup(&s->now, cgroup);
}

void orphans_report(const char *run_dir, const char *pin_dir, const struct loader *loader, const char *cgroup)
{
	_cleanup_free_ struct search *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return; /* it will be known at the next start */
	s->pin_dir = pin_dir;
	s->loader = loader;
	footprint_read(run_dir, &s->before);
	note_own(s, cgroup);
	(void) pins_foreach(pin_dir, "links", note_linked, s);
	look_at_interfaces(s);
	for (size_t i = 0; i < s->before.n_cgroups; i++)
		look_at_cgroup(s, s->before.cgroups[i]);
	if (s->n > 0)
		(void) log_warning(0, "Programs of a firewall that ran before judge packets next to ours, and no pin in '%s' holds them, as if "
				      "a second bpffs was mounted over the first: %s; 'fwctl doctor' says what to do", pin_dir,
				   s->places);
	r = footprint_write(run_dir, &s->now);
	if (r < 0)
		(void) log_warning(r, "Cannot save '%s/attached': %m; if pins are hidden by a mount, the next start does not notice",
				   run_dir);
}
