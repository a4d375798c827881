// SPDX-License-Identifier: GPL-2.0-or-later

/* Create, adopt, update and drop pinned bpf links: see link.h. Silent; hooks.c knows what to say. */

#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>

#include "attach/link.h"
#include "base/cleanup.h"
#include "hook/xdpquery.h"
#include "kernel/pins.h"

#define PROGRAMS_MAX 64 /* the kernel takes no more on one hook of an interface */

static bool is_tcx(uint32_t attach_type)
{
	return attach_type == LINK_TCX_INGRESS || attach_type == LINK_TCX_EGRESS;
}

static bool is_on_interface(uint32_t attach_type)
{
	return is_tcx(attach_type) || attach_type == BPF_XDP;
}

/* What a link says of itself. The id is that of its target: 0 = the target is gone. */
static int read_link(int fd, uint32_t attach_type, uint64_t *ret_id, uint32_t *ret_attach_type, uint32_t *ret_prog_id)
{
	struct bpf_link_info info = {};
	__u32 size = sizeof(info);
	int r;

	r = bpf_obj_get_info_by_fd(fd, &info, &size);
	if (r < 0)
		return r;

	if (is_tcx(attach_type)) {
		/* info.tcx has {ifindex, attach_type}: of the same layout as netns, which old headers know too */
		*ret_id = info.netns.netns_ino;
		*ret_attach_type = info.netns.attach_type;
	} else if (attach_type == BPF_XDP) {
		*ret_id = info.xdp.ifindex;
		*ret_attach_type = BPF_XDP;
	} else {
		*ret_id = info.cgroup.cgroup_id;
		*ret_attach_type = info.cgroup.attach_type;
	}
	*ret_prog_id = info.prog_id;
	return 0;
}

/* An ifindex in a link may be one of another network namespace: then this interface has not its program. */
static bool runs_on(unsigned ifindex, uint32_t attach_type, uint32_t prog_id)
{
	__u32 ids[PROGRAMS_MAX], n = PROGRAMS_MAX;
	struct xdp_programs p;

	if (attach_type == BPF_XDP)
		return xdp_query(ifindex, &p) >= 0 && (p.native_id == prog_id || p.generic_id == prog_id);
	if (bpf_prog_query((int)ifindex, (enum bpf_attach_type)attach_type, 0, NULL, ids, &n) < 0)
		return false;
	while (n > 0)
		if (ids[--n] == prog_id)
			return true;
	return false;
}

bool link_leads_to(int fd, const struct link_target *t)
{
	uint32_t attach_type, prog_id;
	uint64_t id;

	return read_link(fd, t->attach_type, &id, &attach_type, &prog_id) == 0 && id == t->id &&
	       attach_type == t->attach_type &&
	       (!is_on_interface(attach_type) || runs_on((unsigned)id, attach_type, prog_id));
}

bool link_has_program(int fd, uint32_t attach_type, uint32_t prog_id)
{
	uint32_t unused, found;
	uint64_t id;

	return read_link(fd, attach_type, &id, &unused, &found) == 0 && found == prog_id;
}

bool link_runs(int fd, const struct link_target *t, uint32_t prog_id)
{
	return link_leads_to(fd, t) && link_has_program(fd, t->attach_type, prog_id);
}

uint64_t link_target_id(int fd, uint32_t attach_type)
{
	uint32_t unused;
	uint64_t id;

	return read_link(fd, attach_type, &id, &unused, &unused) < 0 ? 0 : id;
}

int link_open(const char *pin_dir, const char *name, const struct link_target *t)
{
	_cleanup_close_ int fd = -1;

	fd = pins_open(pin_dir, name);
	if (fd < 0)
		return fd == -EPROTO ? -ENOENT : fd; /* what is no pin makes way for ours */
	if (!link_leads_to(fd, t))
		return -ENOENT;
	return TAKE_FD(fd);
}

int link_prepare(const char *pin_dir, const char *name, const struct link_target *t, int prog_fd,
		 int fd, int *ret_fd)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = t->flags);
	_cleanup_close_ int opened = -1;
	int r, live;

	if (fd >= 0 && link_leads_to(fd, t))
		live = fd;
	else
		live = opened = link_open(pin_dir, name, t);
	if (live < 0 && live != -ENOENT)
		return live;

	if (live >= 0) {
		r = bpf_link_update(live, prog_fd, NULL);
		if (r < 0 && r != -ENOLINK) /* died since we looked: attach again */
			return r;
		if (r == 0) {
			*ret_fd = TAKE_FD(opened);
			return 0;
		}
	}

	r = bpf_link_create(prog_fd, t->target, t->attach_type, &opts);
	if (r < 0)
		return r;
	*ret_fd = r;
	return 0;
}

int link_hold(const char *pin_dir, const char *name, int *prepared, int *fd)
{
	int r;

	if (*prepared < 0)
		return 0;
	r = pins_put(pin_dir, name, *prepared); /* replaces a dead one, or that of another target */
	if (r < 0)
		return r;
	closep(fd);
	*fd = TAKE_FD(*prepared);
	return 0;
}

int link_attach(const char *pin_dir, const char *name, const struct link_target *t, int prog_fd,
		int *fd)
{
	_cleanup_close_ int prepared = -1;
	int r;

	r = link_prepare(pin_dir, name, t, prog_fd, *fd, &prepared);
	return r < 0 ? r : link_hold(pin_dir, name, &prepared, fd);
}

int link_move_first(const char *pin_dir, const char *name, const struct link_target *t, int prog_fd, int copy_fd,
		    int *fd)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = LINK_FIRST);
	_cleanup_close_ int first = -1;
	int r;

	first = bpf_link_create(copy_fd, t->target, t->attach_type, &opts);
	if (first < 0)
		return first;
	r = pins_put(pin_dir, name, first);
	if (r < 0)
		return r;
	(void) bpf_link_detach(*fd); /* closing it does the same, on some kernels later */
	closep(fd);
	*fd = TAKE_FD(first);
	return bpf_link_update(*fd, prog_fd, NULL);
}

void link_detach(const char *pin_dir, const char *name, int *fd)
{
	if (*fd >= 0)
		(void) bpf_link_detach(*fd); /* at once: kernels before 6.9 release a pin some time later */
	(void) pins_remove(pin_dir, name); /* what stays is found and removed at the next start */
	closep(fd);
	*fd = -1;
}
