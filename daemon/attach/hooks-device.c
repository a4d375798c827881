// SPDX-License-Identifier: GPL-2.0-or-later

/* One interface: which hooks it is to have, and in what order they come and go. See hooks.h. */

#include <errno.h>
#include <stdio.h>

#include <systemd/sd-daemon.h>

#include "attach/device-links.h"
#include "attach/hooks-internal.h"
#include "log/log.h"
#include "text/names.h"

static bool attach_device(struct hooks *h, struct device *dev, enum fw_hook hook,
			  const struct interface *i)
{
	bool is_link = hook == FW_HOOK_XDP || h->context.tc == FW_MECHANISM_TCX;
	int r;

	if (device_is_attached(dev, hook, &h->context, i))
		return true;
	if (!device_is_due(dev, hook))
		return false;

	r = device_attach(dev, hook, &h->context, i); /* what fails is tried again at the next call */
	if (r == -EEXIST && is_link)
		(void) device_fail(dev, hook, r, "our program is there already, by a link of which the pin was lost: "
						 "'bpftool link' shows it, a reboot ends it");
	/* tcx waits 15 ms for RCU: a thousand new interfaces are no reason to be killed */
	(void) sd_notify(0, "WATCHDOG=1\nEXTEND_TIMEOUT_USEC=60000000");
	return r >= 0;
}

/* The interface keeps its other hook. */
static void drop_hook(struct hooks *h, struct device *dev, enum fw_hook hook)
{
	if (device_is_bare(dev, hook) && h->is_synced)
		return;
	if (!dev->is_quiet && (device_has_link(dev, hook) || dev->hooks[hook].mechanism != FW_MECHANISM_NONE))
		log_info("Interface '%s': not filtered by %s any more, as configured", dev->name, hook_to_string(hook));
	device_detach(dev, hook, &h->context);
}

/*
 * What goes away goes last (I7). tc is attached where it is wanted, where xdp is wanted and cannot be had, and
 * as long as xdp changes its mode, for which it must be off for a moment. At a port of a bond tc is that of the bond.
 */
void hooks_sync_device(struct hooks *h, struct device *dev, const struct interface *i, const struct hooks_wish *wish)
{
	bool is_changing = device_has_wrong_mode(dev, &h->context, i), wants_xdp = wish->xdp && i->is_up;
	bool has_tc = wish->is_bond_port, has_xdp = false;

	dev->is_quiet = device_retries_native(dev, &h->context, i) || (wish->is_bond && hooks_port_retries(h, i));
	if (wish->tc || (is_changing && !has_tc))
		has_tc = attach_device(h, dev, FW_HOOK_TC, i);
	if (wants_xdp && (has_tc || !is_changing))
		has_xdp = attach_device(h, dev, FW_HOOK_XDP, i);
	if (!has_xdp && !has_tc && !wish->tc)
		has_tc = attach_device(h, dev, FW_HOOK_TC, i);

	if (wish->xdp && !i->is_up && has_tc)
		device_step_aside(dev, &h->context, i);
	else if (!wants_xdp && has_tc)
		drop_hook(h, dev, FW_HOOK_XDP);
	if (!wish->tc && (has_xdp || wish->is_bond_on))
		drop_hook(h, dev, FW_HOOK_TC);
	dev->is_quiet = dev->is_quiet && wish->is_bond; /* until hooks_drop_stand_in() */
	(void) snprintf(dev->name, sizeof(dev->name), "%s", i->name); /* renamed */
}

/*
 * A bond with a program at xdp takes no port that has one, and none whose driver has no xdp: its ports have the program,
 * which sees the same frames. tc is attached to it where it is wanted, or a port has no xdp.
 */
struct hooks_wish hooks_make_wish(struct hooks *h, const struct interface *i, bool is_chosen)
{
	const struct config *c = h->config;
	const struct interface *master = i->is_port ? interfaces_find(h->view.interfaces, i->master) : NULL;
	struct hooks_wish wish = {
		.tc = c->has_tc && config_wants_interface(c, i, is_chosen),
		.xdp = c->has_xdp && config_wants_xdp(c, i, is_chosen),
	};

	if (interface_is_bond(i) && wish.xdp)
		wish = (struct hooks_wish){ .tc = wish.tc || !hooks_ports_have_xdp(h, i), .is_bond = true };
	if (master && interface_is_bond(master) && c->has_xdp && !wish.tc &&
	    config_wants_xdp(c, master, hooks_is_auto(h, master)))
		wish.xdp = wish.is_bond_port = true;
	wish.is_bond_on = wish.is_bond_port && hooks_are_on(h, master);
	return wish;
}

void hooks_drop_stand_in(struct hooks *h, const struct interface *bond)
{
	struct device *dev = hooks_find_device(h, bond->ifindex);

	if (dev && dev->is_wanted && !h->config->has_tc && interface_is_bond(bond) && hooks_ports_have_xdp(h, bond))
		drop_hook(h, dev, FW_HOOK_TC);
	if (dev)
		dev->is_quiet = false;
}
