// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * The xdp hook of an interface: native where the driver can, else generic, chosen by trying. An interface takes only one
 * program. If another owner's program is attached, it is left alone and only tc filters: see device.h.
 */

#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>
#include <linux/if_link.h>

#include "attach/device-hook.h"
#include "base/cleanup.h"
#include "hook/xdpquery.h"
#include "log/log.h"
#include "text/names.h"

/*
 * Refused native mode is tried again after so many checks, which are 5 s apart, and each time twice as many: a bond may have
 * been built in the meantime, or a channel freed. Not more often, since a driver may reset the link when it refuses.
 */
#define NATIVE_INTERVAL_FIRST 2
#define NATIVE_INTERVAL_MAX   128 /* 10 minutes 40 */

static const struct mode {
	enum fw_mechanism mechanism;
	uint32_t flags;
} modes[] = {
	{ FW_MECHANISM_XDP_NATIVE, XDP_FLAGS_DRV_MODE },
	{ FW_MECHANISM_XDP_GENERIC, XDP_FLAGS_SKB_MODE },
};

/* How a link of ours runs on the interface, FW_MECHANISM_NONE if there is none. */
static enum fw_mechanism current_mode(const struct device *dev, const struct device_context *x)
{
	struct link_target t = device_link_target(dev, FW_HOOK_XDP, FW_INGRESS);
	_cleanup_close_ int opened = -1;
	int fd = device_reach_link(dev, FW_HOOK_XDP, FW_INGRESS, x, &opened);
	struct bpf_link_info info = {};
	__u32 size = sizeof(info);
	struct xdp_programs p;

	if (fd < 0 || !link_leads_to(fd, &t) || bpf_obj_get_info_by_fd(fd, &info, &size) < 0 ||
	    xdp_query(dev->ifindex, &p) < 0)
		return FW_MECHANISM_NONE;
	return xdp_mechanism_of(&p, info.prog_id);
}

bool device_has_wrong_mode(const struct device *dev, const struct device_context *x, const struct interface *i)
{
	const struct device_hook *h = &dev->hooks[FW_HOOK_XDP];
	enum fw_mechanism current;

	if (x->xdp == FW_MECHANISM_NONE) /* what is there was found to be the best, then, and with the MTU of then */
		return h->mechanism == FW_MECHANISM_XDP_GENERIC && (h->mtu != i->mtu || h->n_checks_to_native == 0);
	current = current_mode(dev, x);
	return current != FW_MECHANISM_NONE && current != x->xdp;
}

bool device_retries_native(const struct device *dev, const struct device_context *x, const struct interface *i)
{
	const struct device_hook *h = &dev->hooks[FW_HOOK_XDP];

	return device_has_wrong_mode(dev, x, i) && x->xdp == FW_MECHANISM_NONE && h->mtu == i->mtu &&
	       h->native_interval > 0;
}

static void plan_native(struct device_hook *h)
{
	h->native_interval = h->native_interval == 0 ? NATIVE_INTERVAL_FIRST : 2 * h->native_interval;
	if (h->native_interval > NATIVE_INTERVAL_MAX)
		h->native_interval = NATIVE_INTERVAL_MAX;
	h->n_checks_to_native = h->native_interval;
}

static const char *explain(int r)
{
	switch (r) {
	case -EOPNOTSUPP:
		return "its driver has none";
	case -ERANGE:
		return "its driver wants a smaller MTU";
	case -ENOSPC:
		return "it has too few queues";
	case -EINVAL:
		return "its driver or this kernel refuses, XDP links came with 5.9";
	case -EPERM:
		return "not permitted, needs CAP_NET_ADMIN and CAP_BPF";
	default:
		return strerror(-r);
	}
}

/* Another program is attached already: to the interface above, by another link of ours, or by another owner. */
static int fail_taken(struct device *dev, const struct device_context *x, const struct interface *i)
{
	struct device_hook *h = &dev->hooks[FW_HOOK_XDP];
	struct xdp_programs p;
	int r;

	r = xdp_query(dev->ifindex, &p);
	if (r < 0)
		return r == -ENODEV ? r : device_fail(dev, FW_HOOK_XDP, r, "cannot ask what is there: %s", strerror(-r));

	h->foreign_id = p.native_id ?: p.generic_id;
	if (h->foreign_id == 0 && i->is_port) /* a bond's program runs in its ports, but is not theirs */
		return device_fail(dev, FW_HOOK_XDP, -EBUSY, "the interface above it has a program, which gets its frames");
	if (h->foreign_id == 0)
		return device_fail(dev, FW_HOOK_XDP, -EBUSY, "a program of somebody else was there and has just gone");
	if (loader_owns(h->foreign_id, x->loader)) {
		h->foreign_id = 0;
		return -EEXIST;
	}
	return device_fail(dev, FW_HOOK_XDP, -EBUSY, "program %u of somebody else is there and stays",
			   h->foreign_id);
}

/* Tries the modes that are wanted, in their order. *ret_native_error = why not native, if that was tried. */
static int try_modes(struct device *dev, const struct device_context *x, int *ret_native_error)
{
	int prog_fd = loader_program(x->loader, FW_HOOK_XDP, FW_INGRESS, false), r = 0;

	for (size_t n = 0; n < ELEMENTSOF(modes); n++) {
		if (x->xdp != FW_MECHANISM_NONE && x->xdp != modes[n].mechanism)
			continue;
		r = device_attach_link(dev, FW_HOOK_XDP, FW_INGRESS, modes[n].flags, x, prog_fd);
		if (r >= 0 || r == -EBUSY || r == -EEXIST || r == -ENODEV)
			break;
		if (modes[n].mechanism == FW_MECHANISM_XDP_NATIVE)
			*ret_native_error = r;
	}
	return r;
}

int device_attach_xdp(struct device *dev, const struct device_context *x, const struct interface *i)
{
	struct device_hook *h = &dev->hooks[FW_HOOK_XDP];
	struct xdp_programs unused;
	int r, native_error = 0;

	if (interface_layer(i) != INTERFACE_ETHERNET)
		return device_fail(dev, FW_HOOK_XDP, -EPROTONOSUPPORT, "its frames have no Ethernet header");

	if (device_has_wrong_mode(dev, x, i)) { /* tc filters until then: hooks_sync_interfaces() has seen to it */
		device_detach_links(dev, FW_HOOK_XDP, x);
		h->mechanism = FW_MECHANISM_NONE;
	}
	r = try_modes(dev, x, &native_error);
	if (r == -EINVAL && xdp_query(dev->ifindex, &unused) == -ENODEV) /* as the kernel puts it */
		return -ENODEV;
	if (r == -ENODEV)
		return r;
	if (r == -EBUSY || r == -EEXIST)
		return fail_taken(dev, x, i);
	if (r < 0 && x->xdp != FW_MECHANISM_NONE)
		return device_fail(dev, FW_HOOK_XDP, r, "XdpMode=%s is configured, and %s",
				   x->xdp == FW_MECHANISM_XDP_NATIVE ? "native" : "generic", explain(r));
	if (r < 0)
		return device_fail(dev, FW_HOOK_XDP, r, "not native, %s (%s); not generic, %s (%s)", explain(native_error),
				   strerror(-native_error), explain(r), strerror(-r));

	h->mechanism = current_mode(dev, x);
	h->mtu = i->mtu;
	h->note[0] = '\0';
	if (h->mechanism != FW_MECHANISM_XDP_GENERIC) {
		h->native_interval = 0;
		return 0;
	}
	plan_native(h);
	if (x->xdp != FW_MECHANISM_NONE)
		(void) snprintf(h->note, sizeof(h->note), "XdpMode=generic is configured");
	else if (native_error < 0)
		(void) snprintf(h->note, sizeof(h->note), "there is no native mode: %s (%s)", explain(native_error),
				strerror(-native_error));
	else
		(void) snprintf(h->note, sizeof(h->note), "an earlier run found no native mode");
	return 0;
}
