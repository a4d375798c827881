// SPDX-License-Identifier: GPL-2.0-or-later

/* The tc hook of an interface, ingress and egress, by either mechanism: see device.h. */

#include <errno.h>
#include <string.h>

#include "attach/clsact.h"
#include "attach/device-hook.h"
#include "log/log.h"
#include "text/names.h"

static int fail_attach(struct device *dev, const struct device_context *x, enum fw_direction d,
		       int r)
{
	const char *direction = direction_to_string(d);

	if (r == -ENODEV || (r == -EEXIST && x->tc == FW_MECHANISM_TCX))
		return r;
	if (r == -EBUSY)
		return device_fail(dev, FW_HOOK_TC, r, "%s, which its qdisc 'ingress' of another tool lacks; ingress is filtered. "
						       "'tc qdisc del dev %s ingress' makes room for clsact",
				   direction, dev->name);
	if (r == -EEXIST)
		return device_fail(dev, FW_HOOK_TC, r, "a filter that is not provably ours has our place; if 'tc filter "
						       "show dev %s %s' calls it fw_tc_*, its pin was lost: 'tc filter "
						       "del dev %s %s'",
				   dev->name, direction, dev->name, direction);
	if ((r == -EINVAL || r == -EOPNOTSUPP) && x->tc == FW_MECHANISM_TCX)
		return device_fail(dev, FW_HOOK_TC, r, "the kernel has no tcx on %s, set TcMechanism=auto", direction);
	if (r == -EINVAL || r == -EOPNOTSUPP)
		return device_fail(dev, FW_HOOK_TC, r, "no clsact filter on %s: the kernel lacks sch_ingress or cls_bpf, "
						       "priorities %d and %d have filters of another kind, or the qdisc shares "
						       "its block", direction, FW_TC_PRIORITY, FW_TC_PRIORITY_SECOND);
	if (r == -ENOTUNIQ)
		return device_fail(dev, FW_HOOK_TC, r, "after attaching, %s does not answer with our program: another tool "
						       "replaces it, trying again", direction);
	if (r == -EPERM)
		return device_fail(dev, FW_HOOK_TC, r, "not permitted on %s, needs CAP_NET_ADMIN and CAP_BPF",
				   direction);
	return device_fail(dev, FW_HOOK_TC, r, "attaching on %s failed: %s, trying again", direction, strerror(-r));
}

void device_detach_filters(struct device *dev, const struct device_context *x)
{
	int r = clsact_detach(x->clsact, dev->ifindex);

	if (r < 0 && r != -ENODEV)
		(void) log_warning(r, "Cannot remove our filters from '%s', ignoring: %m", dev->name);
}

bool device_has_filters(unsigned ifindex, const struct device_context *x)
{
	uint32_t id;

	for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++)
		if (clsact_query(x->clsact, ifindex, d, &id) >= 0 && id != 0)
			return true;
	return false;
}

/* Does the kernel answer for this direction with the program of this direction? */
static bool has_filter(const struct device *dev, const struct device_context *x, enum fw_direction d, bool is_l3)
{
	uint32_t id;

	return clsact_query(x->clsact, dev->ifindex, d, &id) < 0 ||
	       (id != 0 && id == loader_program_id(x->loader, FW_HOOK_TC, d, is_l3));
}

int device_attach_tc(struct device *dev, const struct device_context *x, const struct interface *i)
{
	struct device_hook *h = &dev->hooks[FW_HOOK_TC];
	enum interface_layer layer = interface_layer(i);
	int r;

	if (layer == INTERFACE_UNKNOWN)
		return device_fail(dev, FW_HOOK_TC, -EPROTONOSUPPORT,
				   "its link type %u is neither Ethernet nor plain IP, leave it out: Interfaces= with !%s",
				   i->type, i->name);

	for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++) {
		int prog_fd = loader_program(x->loader, FW_HOOK_TC, d, layer == INTERFACE_NETWORK);

		if (x->tc == FW_MECHANISM_TCX)
			r = device_attach_link(dev, FW_HOOK_TC, d, LINK_FIRST, x, prog_fd);
		else
			r = clsact_attach(x->clsact, dev->ifindex, d, prog_fd);
		if (r < 0)
			return fail_attach(dev, x, d, r);
	}
	for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++)
		if (x->tc == FW_MECHANISM_CLSACT && !has_filter(dev, x, d, layer == INTERFACE_NETWORK))
			return fail_attach(dev, x, d, -ENOTUNIQ);

	if (x->tc == FW_MECHANISM_TCX) /* the other mechanism's, of a run before or from before a reload */
		device_detach_filters(dev, x);
	else
		device_detach_links(dev, FW_HOOK_TC, x);
	h->mechanism = x->tc;
	h->note[0] = '\0';
	return 0;
}

void device_check_filters(struct device *dev, const struct device_context *x)
{
	struct device_hook *h = &dev->hooks[FW_HOOK_TC];

	for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++) {
		if (has_filter(dev, x, d, h->is_l3))
			continue;
		h->mechanism = FW_MECHANISM_NONE;
		h->was_robbed = true;
	}
}
