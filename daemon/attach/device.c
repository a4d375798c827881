// SPDX-License-Identifier: GPL-2.0-or-later

/* Programs on one interface, for all hooks: see device.h. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "attach/device-hook.h"
#include "base/cleanup.h"
#include "log/log.h"
#include "text/names.h"

#define FAILED_XDP_CHECKS 12 /* a minute; -EBUSY, another owner's program, costs the driver nothing: 1 */

struct device device_null(unsigned ifindex)
{
	struct device dev = { .ifindex = ifindex };

	for (enum fw_hook hook = 0; hook < DEVICE_HOOKS; hook++)
		for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++)
			dev.hooks[hook].links[d] = DEVICE_LINK_NONE;
	return dev;
}

void device_done(struct device *dev)
{
	for (enum fw_hook hook = 0; hook < DEVICE_HOOKS; hook++)
		for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++)
			closep(&dev->hooks[hook].links[d]);
}

bool device_is_attached(const struct device *dev, enum fw_hook hook, const struct device_context *x,
			const struct interface *i)
{
	const struct device_hook *h = &dev->hooks[hook];
	enum fw_mechanism wanted = hook == FW_HOOK_XDP ? x->xdp : x->tc;

	if (hook == FW_HOOK_XDP && device_has_wrong_mode(dev, x, i))
		return false;
	return h->mechanism != FW_MECHANISM_NONE &&
	       (wanted == FW_MECHANISM_NONE || wanted == h->mechanism) && h->serial == i->serial &&
	       h->is_l3 == (interface_layer(i) == INTERFACE_NETWORK);
}

bool device_is_due(const struct device *dev, enum fw_hook hook)
{
	return dev->hooks[hook].n_checks_to_wait == 0;
}

bool device_is_bare(const struct device *dev, enum fw_hook hook)
{
	const struct device_hook *h = &dev->hooks[hook];

	return h->mechanism == FW_MECHANISM_NONE && !h->note[0] && !device_has_link(dev, hook);
}

int device_attach(struct device *dev, enum fw_hook hook, const struct device_context *x,
		  const struct interface *i)
{
	struct device_hook *h = &dev->hooks[hook];
	int r;

	(void) snprintf(dev->name, sizeof(dev->name), "%s", i->name);
	h->foreign_id = 0;
	r = hook == FW_HOOK_XDP ? device_attach_xdp(dev, x, i) : device_attach_tc(dev, x, i);
	if (r < 0) {
		if (hook == FW_HOOK_XDP && r != -ENODEV)
			h->n_checks_to_wait = r == -EBUSY ? 1 : FAILED_XDP_CHECKS;
		return r;
	}

	h->serial = i->serial;
	h->is_l3 = interface_layer(i) == INTERFACE_NETWORK;
	if (h->was_robbed)
		(void) log_warning(0, "Interface '%s': our programs were detached, attached them again", dev->name);
	else if (!dev->is_quiet || (hook == FW_HOOK_XDP && h->mechanism != FW_MECHANISM_XDP_GENERIC))
		log_info("Interface '%s': filtering by %s%s%s", dev->name, mechanism_to_string(h->mechanism),
			 h->note[0] ? ", as " : "", h->note);
	h->was_robbed = false;
	if (hook == FW_HOOK_TC)
		device_check_order(dev, x);
	return 0;
}

void device_detach(struct device *dev, enum fw_hook hook, const struct device_context *x)
{
	device_detach_links(dev, hook, x);
	if (hook == FW_HOOK_TC)
		device_detach_filters(dev, x);
	dev->hooks[hook].mechanism = FW_MECHANISM_NONE;
	dev->hooks[hook].was_robbed = false;
	dev->hooks[hook].n_checks_to_wait = 0;
	dev->hooks[hook].foreign_id = 0;
	dev->hooks[hook].note[0] = '\0';
	memset(dev->hooks[hook].orders, 0, sizeof(dev->hooks[hook].orders));
}

bool device_has_been_on(const struct device *dev, const struct interface *i)
{
	for (enum fw_hook hook = 0; hook < DEVICE_HOOKS; hook++)
		if (dev->hooks[hook].serial == i->serial)
			return true;
	return false;
}

void device_check(struct device *dev, const struct device_context *x)
{
	for (enum fw_hook hook = 0; hook < DEVICE_HOOKS; hook++) {
		if (dev->hooks[hook].n_checks_to_wait > 0)
			dev->hooks[hook].n_checks_to_wait--;
		if (dev->hooks[hook].n_checks_to_native > 0)
			dev->hooks[hook].n_checks_to_native--;
		if (dev->hooks[hook].mechanism == FW_MECHANISM_CLSACT)
			device_check_filters(dev, x);
		else if (dev->hooks[hook].mechanism != FW_MECHANISM_NONE)
			device_check_links(dev, hook, x);
		if (hook == FW_HOOK_TC && dev->hooks[hook].mechanism != FW_MECHANISM_NONE)
			device_check_order(dev, x);
	}
}

void device_forget_failures(struct device *dev)
{
	for (enum fw_hook hook = 0; hook < DEVICE_HOOKS; hook++) {
		dev->hooks[hook].n_checks_to_wait = 0;
		dev->hooks[hook].mtu = 0; /* tries native mode once more */
		dev->hooks[hook].native_interval = 0;
		for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++)
			dev->hooks[hook].orders[d].was_moved = false;
	}
}

void device_step_aside(struct device *dev, const struct device_context *x, const struct interface *i)
{
	struct device_hook *h = &dev->hooks[FW_HOOK_XDP];

	if (h->mechanism != FW_MECHANISM_NONE || device_has_link(dev, FW_HOOK_XDP)) {
		device_detach(dev, FW_HOOK_XDP, x);
		log_info("Interface '%s': down, xdp steps aside until it is up", i->name);
	}
	h->n_checks_to_wait = 0;
	(void) snprintf(h->note, sizeof(h->note), "it is down, and gets xdp when it is up");
}
