// SPDX-License-Identifier: GPL-2.0-or-later

/* Which interfaces are to be filtered: what "auto" chooses, and what it has chosen before. See hooks.h. */

#include "attach/device-links.h"
#include "attach/hooks-internal.h"

/* Is it attached because "auto" chose it, if need be by a run before us? */
static bool was_auto(struct hooks *h, const struct interface *i)
{
	const struct device *dev = hooks_find_device(h, i->ifindex);

	if (dev && (device_has_been_on(dev, i) || device_is_linked(dev, &h->context)))
		return dev->is_auto;
	return !h->is_synced && h->keeps_adopted && device_has_filters(i->ifindex, &h->context);
}

bool hooks_is_auto(struct hooks *h, const struct interface *i)
{
	enum auto_choice choice = auto_choose(&h->view, i);

	return auto_takes(choice) || (auto_keeps(choice) && was_auto(h, i));
}

bool hooks_is_filtered(const struct interface *i, struct auto_view *view)
{
	struct hooks *h = view->userdata;

	return config_wants_interface(h->config, i, hooks_is_auto(h, i));
}

bool hooks_must_keep(struct hooks *h, const struct interface *i)
{
	enum auto_choice choice = auto_choose(&h->view, i);
	const struct config *c = h->config;
	const struct interface *at;

	if ((!c->has_tc && !c->has_xdp) || config_wants_interface(c, i, auto_takes(choice)) ||
	    !config_wants_interface(c, i, true))
		return false; /* it is the configuration that does not want it */
	at = auto_judged_at(&h->view, i, choice);
	return at && !hooks_are_on(h, at);
}

const char *hooks_explain_release(struct hooks *h, const struct interface *i, char buffer[static AUTO_TEXT_MAX])
{
	enum auto_choice choice = auto_choose(&h->view, i);
	const struct config *c = h->config;

	if (!c->has_tc && !c->has_xdp)
		return "Hooks= has neither tc nor xdp";
	if (config_wants_interface(c, i, auto_takes(choice)))
		return "XdpInterfaces= leaves it out, and Hooks= has no tc";
	if (config_wants_interface(c, i, true))
		return auto_explain(&h->view, i, choice, buffer);
	return "Interfaces= leaves it out";
}
