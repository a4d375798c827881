// SPDX-License-Identifier: GPL-2.0-or-later

/* tc programs on one interface: see device.h. */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "clsact.h"
#include "device.h"
#include "link.h"
#include "log.h"
#include "names.h"
#include "pins.h"
#include "repin.h"

static const uint32_t tcx_attach_types[_FW_DIRECTION_MAX] = {
	[FW_INGRESS] = LINK_TCX_INGRESS,
	[FW_EGRESS] = LINK_TCX_EGRESS,
};

const char *device_pin_name(unsigned ifindex, enum fw_direction d,
			    char buffer[static DEVICE_PIN_MAX])
{
	(void) snprintf(buffer, DEVICE_PIN_MAX, "links/tc_%s_%u", direction_to_string(d), ifindex);
	return buffer;
}

bool device_is_attached(const struct device *dev, const struct device_context *x,
			const struct interface *i)
{
	return dev->mechanism == x->tc && dev->serial == i->serial &&
	       dev->is_l3 == (interface_layer(i) == INTERFACE_NETWORK);
}

int device_fail(struct device *dev, int r, const char *format, ...)
{
	char text[DEVICE_ERROR_MAX];
	va_list ap;

	va_start(ap, format);
	(void) vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);

	if (strcmp(text, dev->error) == 0)
		return r;
	strcpy(dev->error, text);
	return log_error(r, "Interface '%s' is not filtered: %s", dev->name, text);
}

static int fail_attach(struct device *dev, const struct device_context *x, enum fw_direction d,
		       int r)
{
	const char *direction = direction_to_string(d);

	if (r == -ENODEV || (r == -EEXIST && x->tc == FW_MECHANISM_TCX))
		return r;
	if (r == -EEXIST)
		return device_fail(dev, r, "a filter that is not provably ours has our place; if 'tc filter show dev %s %s' "
					   "calls it fw_tc_*, its pin was lost: 'tc filter del dev %s %s pref %d'",
				   dev->name, direction, dev->name, direction, FW_TC_PRIORITY);
	if ((r == -EINVAL || r == -EOPNOTSUPP) && x->tc == FW_MECHANISM_TCX)
		return device_fail(dev, r, "the kernel has no tcx on %s, set TcMechanism=auto", direction);
	if (r == -EINVAL || r == -EOPNOTSUPP)
		return device_fail(dev, r, "no clsact filter on %s: the kernel lacks sch_ingress or cls_bpf, or "
					   "priority %d has filters of another kind", direction, FW_TC_PRIORITY);
	if (r == -EPERM)
		return device_fail(dev, r, "not permitted on %s, needs CAP_NET_ADMIN and CAP_BPF", direction);
	return device_fail(dev, r, "attaching on %s failed: %s", direction, strerror(-r));
}

static struct link_target tcx_target(const struct device *dev, enum fw_direction d)
{
	return (struct link_target){
		.target = (int)dev->ifindex,
		.attach_type = tcx_attach_types[d],
		.id = dev->ifindex,
	};
}

static int attach_tcx(struct device *dev, const struct device_context *x, enum fw_direction d,
		      int prog_fd)
{
	struct link_target t = tcx_target(dev, d);
	char name[DEVICE_PIN_MAX];

	return link_attach(x->pin_dir, device_pin_name(dev->ifindex, d, name), &t, prog_fd,
			   &dev->links[d]);
}

static void detach_tcx(struct device *dev, const struct device_context *x)
{
	char name[DEVICE_PIN_MAX];

	for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++)
		link_detach(x->pin_dir, device_pin_name(dev->ifindex, d, name), &dev->links[d]);
}

static void detach_clsact(struct device *dev, const struct device_context *x)
{
	for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++) {
		int r = clsact_detach(dev->ifindex, d, loader_owns, x->loader);

		if (r < 0 && r != -ENODEV)
			(void) log_warning(r, "Cannot remove our filter from '%s' %s, ignoring: %m", dev->name,
					   direction_to_string(d));
	}
}

int device_attach(struct device *dev, const struct device_context *x, const struct interface *i)
{
	enum interface_layer layer = interface_layer(i);
	int r;

	(void) snprintf(dev->name, sizeof(dev->name), "%s", i->name);
	if (layer == INTERFACE_UNKNOWN)
		return device_fail(dev, -EPROTONOSUPPORT, "its link type %u is neither Ethernet nor plain IP",
				   i->type);

	for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++) {
		int prog_fd = loader_program(x->loader, FW_HOOK_TC, d, layer == INTERFACE_NETWORK);

		if (x->tc == FW_MECHANISM_TCX)
			r = attach_tcx(dev, x, d, prog_fd);
		else
			r = clsact_attach(dev->ifindex, d, prog_fd, loader_owns, x->loader);
		if (r < 0)
			return fail_attach(dev, x, d, r);
	}

	if (x->tc == FW_MECHANISM_TCX) /* the other mechanism's, of a run before or from before a reload */
		detach_clsact(dev, x);
	else
		detach_tcx(dev, x);

	dev->mechanism = x->tc;
	dev->serial = i->serial;
	dev->is_l3 = layer == INTERFACE_NETWORK;
	dev->error[0] = '\0';
	if (dev->was_robbed)
		(void) log_warning(0, "Interface '%s': our programs were detached, attached them again", dev->name);
	else
		log_info("Interface '%s': filtering by %s", dev->name, mechanism_to_string(x->tc));
	dev->was_robbed = false;
	return 0;
}

void device_detach(struct device *dev, const struct device_context *x)
{
	detach_tcx(dev, x);
	detach_clsact(dev, x);
	dev->mechanism = FW_MECHANISM_NONE;
}

bool device_is_elsewhere(const struct device *dev)
{
	for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++)
		if (dev->links[d] >= 0 && !link_is_dead(dev->links[d], tcx_attach_types[d]))
			return true;
	return false;
}

bool device_take_over(struct device *dev, struct device *from, const struct device_context *x)
{
	char to_name[DEVICE_PIN_MAX], from_name[DEVICE_PIN_MAX];
	bool is_any = false;

	for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++) {
		struct link_target t = tcx_target(dev, d);

		if (dev->links[d] >= 0 || from->links[d] < 0 || !link_leads_to(from->links[d], &t))
			continue;
		if (pins_put(x->pin_dir, device_pin_name(dev->ifindex, d, to_name),
			     from->links[d]) < 0)
			continue; /* attaching then fails with "exists", and says so */
		(void) pins_remove(x->pin_dir, device_pin_name(from->ifindex, d, from_name));
		dev->links[d] = TAKE_FD(from->links[d]);
		is_any = true;
	}
	return is_any;
}

static void check_tcx(struct device *dev, const struct device_context *x)
{
	char name[DEVICE_PIN_MAX];

	for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++) {
		int r;

		if (link_is_dead(dev->links[d], tcx_attach_types[d])) {
			dev->mechanism = FW_MECHANISM_NONE;
			dev->was_robbed = true;
			continue;
		}
		r = repin(x->pin_dir, device_pin_name(dev->ifindex, d, name), dev->links[d]);
		if (r > 0)
			(void) log_warning(0, "The pin '%s/%s' was removed, put it back", x->pin_dir, name);
		else if (r < 0)
			(void) log_warning(r, "The pin '%s/%s' was removed, cannot put it back: %m", x->pin_dir,
					   name);
	}
}

static void check_clsact(struct device *dev, const struct device_context *x)
{
	for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++) {
		if (clsact_is_attached(dev->ifindex, d, loader_owns, x->loader) != 0)
			continue;
		dev->mechanism = FW_MECHANISM_NONE;
		dev->was_robbed = true;
	}
}

void device_check(struct device *dev, const struct device_context *x)
{
	if (dev->mechanism == FW_MECHANISM_TCX)
		check_tcx(dev, x);
	else if (dev->mechanism == FW_MECHANISM_CLSACT)
		check_clsact(dev, x);
}
