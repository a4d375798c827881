// SPDX-License-Identifier: GPL-2.0-or-later

/* What is attached: looks, and changes nothing. See hooks.h. */

#include "attach/hooks-internal.h"

size_t hooks_find_place(const struct hooks *h, unsigned ifindex)
{
	size_t low = 0, high = h->n_devices;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (h->devices[middle]->ifindex < ifindex)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct device *hooks_find_device(const struct hooks *h, unsigned ifindex)
{
	size_t n = hooks_find_place(h, ifindex);

	return n < h->n_devices && h->devices[n]->ifindex == ifindex ? h->devices[n] : NULL;
}

size_t hooks_count(const struct hooks *h, enum fw_hook hook)
{
	size_t count = 0;

	if (hook == FW_HOOK_CGROUP)
		return h->cgroup[0] != '\0';
	for (size_t n = 0; n < h->n_devices; n++)
		count += h->devices[n]->hooks[hook].mechanism != FW_MECHANISM_NONE;
	return count;
}

bool hooks_is_on(const struct hooks *h, const struct interface *i, enum fw_hook hook)
{
	const struct device *dev = hooks_find_device(h, i->ifindex);

	return dev && dev->hooks[hook].mechanism != FW_MECHANISM_NONE && dev->hooks[hook].serial == i->serial;
}

bool hooks_ports_have_xdp(const struct hooks *h, const struct interface *bond)
{
	const struct interfaces *s = h->view.interfaces;
	bool has_port = false;

	for (size_t n = 0; n < s->n_items; n++) {
		const struct device *dev = hooks_find_device(h, s->items[n].ifindex);

		if (!s->items[n].is_port || s->items[n].master != bond->ifindex)
			continue;
		if (!dev || dev->hooks[FW_HOOK_XDP].mechanism == FW_MECHANISM_NONE ||
		    device_has_wrong_mode(dev, &h->context, &s->items[n])) /* which is about to be detached for a moment */
			return false;
		has_port = true;
	}
	return has_port;
}

bool hooks_port_retries(const struct hooks *h, const struct interface *bond)
{
	const struct interfaces *s = h->view.interfaces;

	for (size_t n = 0; n < s->n_items; n++) {
		const struct device *dev = hooks_find_device(h, s->items[n].ifindex);

		if (dev && s->items[n].is_port && s->items[n].master == bond->ifindex &&
		    device_retries_native(dev, &h->context, &s->items[n]))
			return true;
	}
	return false;
}

bool hooks_are_on(const struct hooks *h, const struct interface *i)
{
	const struct device *dev = hooks_find_device(h, i->ifindex);

	for (enum fw_hook hook = 0; dev && hook < DEVICE_HOOKS; hook++)
		if (dev->hooks[hook].mechanism != FW_MECHANISM_NONE)
			return true;
	return interface_is_bond(i) && hooks_ports_have_xdp(h, i);
}
