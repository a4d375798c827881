// SPDX-License-Identifier: GPL-2.0-or-later

/* The cgroup hook: see hooks.h. */

#include <errno.h>
#include <string.h>

#include <linux/bpf.h>

#include "attach/hooks-internal.h"
#include "attach/link.h"
#include "base/cleanup.h"
#include "hook/cgroup.h"
#include "kernel/netns.h"
#include "kernel/pins.h"
#include "load/repin.h"
#include "log/log.h"
#include "text/names.h"

const char *const hooks_cgroup_pins[_FW_DIRECTION_MAX] = {
	[FW_INGRESS] = "links/cgroup_ingress",
	[FW_EGRESS] = "links/cgroup_egress",
};
static const uint32_t cgroup_attach_types[_FW_DIRECTION_MAX] = {
	[FW_INGRESS] = BPF_CGROUP_INET_INGRESS,
	[FW_EGRESS] = BPF_CGROUP_INET_EGRESS,
};

static void drop_cgroup(struct hooks *h)
{
	for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++)
		link_detach(h->pin_dir, hooks_cgroup_pins[d], &h->cgroup_links[d]);
	h->cgroup[0] = h->cgroup_reason[0] = '\0';
}

/*
 * Both directions, or neither: the links to another cgroup get their names, and so replace those to the
 * cgroup before, when the kernel has taken both.
 */
static int attach_cgroup(struct hooks *h, const char *path, char *reason, size_t size)
{
	_cleanup_close_ int fd = -1, ingress = -1, egress = -1;
	int *const links[_FW_DIRECTION_MAX] = { [FW_INGRESS] = &ingress, [FW_EGRESS] = &egress };
	uint64_t id = 0;
	int r;

	r = cgroup_open(path, &fd, &id);
	if (r < 0) {
		(void) cgroup_explain(path, -1, 0, r, reason, size);
		return r;
	}
	for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++) {
		struct link_target t = { .target = fd,
					 .attach_type = cgroup_attach_types[d],
					 .id = id };

		r = link_prepare(h->pin_dir, hooks_cgroup_pins[d], &t,
				 loader_program(h->context.loader, FW_HOOK_CGROUP, d, false),
				 h->cgroup_links[d], links[d]);
		if (r < 0) {
			(void) cgroup_explain(path, fd, t.attach_type, r, reason, size);
			return r;
		}
	}
	for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++) {
		r = link_hold(h->pin_dir, hooks_cgroup_pins[d], links[d], &h->cgroup_links[d]);
		if (r < 0) {
			(void) snprintf(reason, size, "cannot pin '%s/%s': %s", h->pin_dir, hooks_cgroup_pins[d],
					strerror(-r));
			return r;
		}
	}
	return 0;
}

static void say_attached(const char *pin_dir, const char *path)
{
	struct cgroup_mount m;

	if (strcmp(path, "/") == 0 && strcmp(pin_dir, PINS_DIR_DEFAULT) != 0 && !netns_is_that_of_init())
		(void) log_warning(0, "Cgroup=/ is every process of the host, in all network namespaces, and this firewall with pins in '%s' "
				      "runs in one of them: what it blocks is blocked for the host, too; set Hooks=tc, or Cgroup= to the "
				      "group of that namespace", pin_dir);
	if (cgroup_find_mount(&m) < 0) /* it was there a moment ago */
		return;
	if (cgroup_mount_is_whole(&m))
		log_info("Cgroup '%s': filtering, below '%s'", path, m.point);
	else
		(void) log_warning(0, "Cgroup '%s': filtering, below '%s', where only the part '%s' of all cgroups is mounted: processes "
				      "outside of it are not filtered by the cgroup hook", path, m.point, m.root);
}

void hooks_sync_cgroup(struct hooks *h, const struct config *c)
{
	char reason[FW_TEXT_MAX];
	int r;

	if (!c->has_cgroup) {
		drop_cgroup(h);
		return;
	}
	if (strcmp(h->cgroup, c->cgroup) == 0) {
		h->cgroup_reason[0] = '\0'; /* of a configuration that was taken back */
		return;
	}

	r = attach_cgroup(h, c->cgroup, reason, sizeof(reason));
	if (r < 0) {
		if (strcmp(reason, h->cgroup_reason) == 0)
			return;
		strcpy(h->cgroup_reason, reason);
		if (h->cgroup[0])
			(void) log_warning(r, "Cgroup '%s' stays the one that is filtered: %s", h->cgroup, reason);
		else
			(void) log_warning(r, "The cgroup hook is off, tc goes on without it: %s", reason);
		return;
	}
	(void) snprintf(h->cgroup, sizeof(h->cgroup), "%s", c->cgroup);
	h->cgroup_reason[0] = '\0';
	say_attached(h->pin_dir, h->cgroup);
}

unsigned hooks_may_leave_ports(const struct config *c)
{
	return c->has_tc ? FW_BOTH : c->has_xdp ? FW_IN : 0;
}

unsigned hooks_left_ports(const struct hooks *h, const struct config *c)
{
	unsigned attached = 0;

	if (loader_tells_netns(h->context.loader))
		return 0;
	if (hooks_count(h, FW_HOOK_TC) > 0)
		attached |= FW_BOTH;
	if (hooks_count(h, FW_HOOK_XDP) > 0)
		attached |= FW_IN;
	return attached & hooks_may_leave_ports(c);
}

void hooks_check_cgroup(struct hooks *h)
{
	for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++) {
		int r;

		if (h->cgroup_links[d] < 0)
			continue;
		if (link_is_dead(h->cgroup_links[d], cgroup_attach_types[d])) {
			(void) log_warning(0, "Cgroup '%s' was removed or our %s link detached, attaching again",
					   h->cgroup, direction_to_string(d));
			drop_cgroup(h);
			return;
		}
		if (!link_has_program(h->cgroup_links[d], cgroup_attach_types[d],
				      loader_program_id(h->context.loader, FW_HOOK_CGROUP, d, false))) {
			(void) log_warning(0, "Cgroup '%s': our %s link was given another program, putting it right",
					   h->cgroup, direction_to_string(d));
			h->cgroup[0] = '\0'; /* the links stay, and get their programs at the next sync */
			return;
		}
		r = repin(h->pin_dir, hooks_cgroup_pins[d], h->cgroup_links[d]);
		if (r > 0)
			(void) log_warning(0, "The pin '%s/%s' was removed, put it back", h->pin_dir,
					   hooks_cgroup_pins[d]);
		else if (r < 0)
			(void) log_warning(r, "The pin '%s/%s' was removed, cannot put it back: %m", h->pin_dir,
					   hooks_cgroup_pins[d]);
	}
}
