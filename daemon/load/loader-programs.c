// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Programs are new in each run. Their pins prove which clsact filters are ours, so those of the run before stay
 * until nothing carries them: see loader.h.
 */

#include <errno.h>
#include <limits.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "kernel/pins.h"
#include "load/loader-internal.h"
#include "load/repin.h"
#include "log/log.h"

static int program_id(int fd, uint32_t *ret)
{
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);
	int r;

	r = bpf_obj_get_info_by_fd(fd, &info, &size);
	if (r < 0)
		return r;
	*ret = info.id;
	return 0;
}

static int own(struct loader *l, int fd, uint32_t *ret_id)
{
	uint32_t *owned;
	int r;

	owned = reallocarray(l->owned, l->n_owned + 1, sizeof(*owned));
	if (!owned)
		return -ENOMEM;
	l->owned = owned;

	r = program_id(fd, &l->owned[l->n_owned]);
	if (r < 0)
		return r;
	*ret_id = l->owned[l->n_owned++];
	return 0;
}

/* Ids of maps and links are numbers too, and might be those of somebody's program. */
static bool is_program(int fd)
{
	char path[64], name[32] = "";

	(void) snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return readlink(path, name, sizeof(name) - 1) < 0 || strcmp(name, "anon_inode:bpf-prog") == 0;
}

/* For pins_foreach(): a program of a run before. What is none loses its pin. */
static int own_pinned(const char *name, void *userdata)
{
	_cleanup_close_ int fd = -1;
	struct loader *l = userdata;
	char path[NAME_MAX_PIN];
	uint32_t unused;

	(void) snprintf(path, sizeof(path), "progs/%s", name);
	fd = pins_open(l->pin_dir, path);
	if (fd == -EPROTO || (fd >= 0 && !is_program(fd)))
		return pins_remove(l->pin_dir, path);
	return fd < 0 ? fd : own(l, fd, &unused);
}

/*
 * The new programs, as progs/NAME-ID next to the old ones. A filter may carry one of our programs. If the daemon is killed
 * between here and loader_retire(), each of these programs still has a pin that proves it.
 */
int loader_pin_programs(struct loader *l)
{
	struct bpf_program *program;
	char name[NAME_MAX_PIN];
	uint32_t id;
	int r;

	r = pins_foreach(l->pin_dir, "progs", own_pinned, l);
	if (r < 0)
		return log_error(r, "Cannot read the pins in '%s/progs': %m", l->pin_dir);

	bpf_object__for_each_program(program, l->skel->obj) {
		(void) snprintf(name, sizeof(name), "progs/%s", bpf_program__name(program));
		r = repin(l->pin_dir, name, bpf_program__fd(program)); /* 1: there was none to keep */
		if (r == 0) {
			r = own(l, bpf_program__fd(program), &id);
			if (r >= 0) {
				(void) snprintf(name, sizeof(name), "progs/%s-%u", bpf_program__name(program), id);
				r = pins_put(l->pin_dir, name, bpf_program__fd(program));
			}
		} else if (r > 0) {
			r = own(l, bpf_program__fd(program), &id);
		}
		if (r < 0)
			return log_error(r, "Cannot pin '%s/%s': %m", l->pin_dir, name);
	}
	return 0;
}

/* For pins_foreach(): additional pins, and those of programs that only another version has. */
static int remove_other(const char *name, void *userdata)
{
	struct loader *l = userdata;
	char path[NAME_MAX_PIN];

	if (bpf_object__find_program_by_name(l->skel->obj, name))
		return 0;
	(void) snprintf(path, sizeof(path), "progs/%s", name);
	return pins_remove(l->pin_dir, path);
}

int loader_retire(struct loader *l)
{
	struct bpf_program *program;
	char name[NAME_MAX_PIN];
	int r;

	bpf_object__for_each_program(program, l->skel->obj) {
		(void) snprintf(name, sizeof(name), "progs/%s", bpf_program__name(program));
		r = pins_put(l->pin_dir, name, bpf_program__fd(program));
		if (r < 0)
			return log_error(r, "Cannot pin '%s/%s': %m", l->pin_dir, name);
	}
	r = pins_foreach(l->pin_dir, "progs", remove_other, l);
	if (r < 0)
		return log_error(r, "Cannot remove old pins from '%s/progs': %m", l->pin_dir);
	return 0;
}

struct bpf_program *loader_find_program(const struct fw *skel, enum fw_hook hook, enum fw_direction d, bool is_l3)
{
	if (hook == FW_HOOK_XDP)
		return skel->progs.fw_xdp_in; /* there is no egress */
	if (hook == FW_HOOK_CGROUP)
		return d == FW_INGRESS ? skel->progs.fw_cgroup_in : skel->progs.fw_cgroup_out;
	if (is_l3)
		return d == FW_INGRESS ? skel->progs.fw_tc_l3_in : skel->progs.fw_tc_l3_out;
	return d == FW_INGRESS ? skel->progs.fw_tc_in : skel->progs.fw_tc_out;
}

int loader_program(const struct loader *l, enum fw_hook hook, enum fw_direction d, bool is_l3)
{
	return bpf_program__fd(loader_find_program(l->skel, hook, d, is_l3));
}

uint32_t loader_program_id(const struct loader *l, enum fw_hook hook, enum fw_direction d, bool is_l3)
{
	uint32_t id;

	return program_id(loader_program(l, hook, d, is_l3), &id) < 0 ? 0 : id;
}

bool loader_owns(uint32_t prog_id, void *loader)
{
	const struct loader *l = loader;

	for (size_t n = 0; n < l->n_owned; n++)
		if (l->owned[n] == prog_id)
			return true;
	return false;
}
