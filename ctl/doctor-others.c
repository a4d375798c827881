// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * The doctor's check of who else sits on the hooks. Their programs are found by id, which takes CAP_SYS_ADMIN, for
 * their names alone: nothing is decided by what is found here.
 */

#include "doctor.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <string.h>

#include "attachment.h"
#include "cgroup.h"
#include "cleanup.h"
#include "filters.h"
#include "log.h"
#include "names.h"
#include "where.h"
#include "xdpquery.h"

#define OURS_MAX     1024
#define PROGRAMS_MAX 64 /* the kernel takes no more on one hook */
#define FILTER_TEXT_MAX 128

/* enum bpf_attach_type; the headers of kernels before 6.6 lack it */
static const uint32_t tcx_types[_FW_DIRECTION_MAX] = { 46, 47 };
static const uint32_t cgroup_types[_FW_DIRECTION_MAX] = { BPF_CGROUP_INET_INGRESS, BPF_CGROUP_INET_EGRESS };

struct others {
	struct doctor *doctor;
	uint32_t ours[OURS_MAX]; /* programs */
	size_t n_ours;
	size_t n_found;
};

static int note_ours(const struct attachment *a, void *userdata)
{
	struct others *o = userdata;

	if (o->n_ours < OURS_MAX)
		o->ours[o->n_ours++] = a->program_id;
	return 0;
}

static bool is_ours(const struct others *o, uint32_t id)
{
	for (size_t i = 0; i < o->n_ours; i++)
		if (o->ours[i] == id)
			return true;
	return false;
}

/* Programs on one hook run in this order; what one of them drops, those behind it never see. */
static void say_programs(struct others *o, const char *hook, enum fw_direction d, const char *where,
			 const uint32_t *ids, uint32_t n)
{
	char name[WHERE_PROGRAM_MAX];
	uint32_t ours = n;

	for (uint32_t i = 0; i < n; i++)
		if (is_ours(o, ids[i]))
			ours = i;
	for (uint32_t i = 0; i < n; i++) {
		if (is_ours(o, ids[i]))
			continue;
		o->n_found++;
		doctor_say(o->doctor, LEVEL_NOTE, NULL, "%s %s on %s: program %" PRIu32 " '%s'%s", hook,
			   direction_to_string(d), where, ids[i], where_program(ids[i], name),
			   ours == n ? "" : i < ours ? ", which runs before ours" : ", which runs behind ours");
	}
}

static void check_tcx(struct others *o, unsigned ifindex, const char *where)
{
	for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++) {
		uint32_t ids[PROGRAMS_MAX], n = PROGRAMS_MAX;

		if (bpf_prog_query((int)ifindex, tcx_types[d], 0, NULL, ids, &n) == 0) /* else there is no tcx */
			say_programs(o, "tcx", d, where, ids, n);
	}
}

static int say_filter(const struct tc_filter *f, void *userdata)
{
	char escaped[FILTER_TEXT_MAX], kind[FILTER_TEXT_MAX], where[IF_NAMESIZE];
	struct others *o = userdata;

	if ((f->program_id != 0 && is_ours(o, f->program_id)) || !if_indextoname(f->ifindex, where))
		return 0;
	o->n_found++;
	doctor_say(o->doctor, LEVEL_NOTE, NULL, "clsact %s on %s: a filter of kind %s%s%s at priority %" PRIu32,
		   direction_to_string(f->direction), where, log_escape(f->kind, kind, sizeof(kind)),
		   f->name[0] ? ", " : "", log_escape(f->name, escaped, sizeof(escaped)), f->priority);
	return 0;
}

static void check_xdp(struct others *o, unsigned ifindex, const char *where)
{
	struct xdp_programs p = {};

	if (xdp_query(ifindex, &p) < 0) /* the interface has gone */
		return;
	if (p.native_id != 0)
		say_programs(o, "xdp", FW_INGRESS, where, &p.native_id, 1);
	if (p.generic_id != 0)
		say_programs(o, "xdp", FW_INGRESS, where, &p.generic_id, 1);
}

static int check_interfaces(struct others *o)
{
	struct if_nameindex *interfaces = if_nameindex();

	if (!interfaces)
		return -errno;
	for (const struct if_nameindex *i = interfaces; i->if_index != 0; i++) {
		check_xdp(o, i->if_index, i->if_name);
		check_tcx(o, i->if_index, i->if_name);
	}
	if_freenameindex(interfaces);
	return filters_foreach(say_filter, o);
}

static int check_cgroup(struct others *o, const char *path)
{
	_cleanup_close_ int fd = -1;
	uint64_t id;
	int r;

	r = cgroup_open(path, &fd, &id);
	if (r < 0)
		return r;
	for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++) {
		uint32_t ids[PROGRAMS_MAX], n = PROGRAMS_MAX;

		if (bpf_prog_query(fd, cgroup_types[d], 0, NULL, ids, &n) == 0)
			say_programs(o, "cgroup", d, path, ids, n);
	}
	return 0;
}

int doctor_check_others(struct doctor *d)
{
	_cleanup_free_ struct others *o = calloc(1, sizeof(*o));
	int r;

	if (!o)
		return -ENOMEM;
	o->doctor = d;
	r = attachment_foreach(d->ctl->pin_dir, note_ours, o);
	if (r >= 0)
		r = attachment_foreach_orphan(d->ctl->pin_dir, note_ours, o); /* another check speaks of them */
	if (r >= 0)
		r = check_interfaces(o);
	if (r >= 0 && d->table && table_meta(d->table)->cgroup[0])
		r = check_cgroup(o, table_meta(d->table)->cgroup);
	if (r >= 0 && o->n_found == 0)
		doctor_say(d, LEVEL_OK, NULL, "nobody else is on tc, xdp or our cgroup");
	return r;
}
