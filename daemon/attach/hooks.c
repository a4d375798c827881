// SPDX-License-Identifier: GPL-2.0-or-later

/* Our programs on all interfaces, and the life of struct hooks: see hooks.h. */

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <systemd/sd-daemon.h>

#include "attach/descriptors.h"
#include "attach/device-links.h"
#include "attach/hooks-internal.h"
#include "attach/link.h"
#include "base/cleanup.h"
#include "kernel/pins.h"
#include "log/log.h"
#include "text/names.h"

#define LOOPBACK_IFINDEX 1 /* in every network namespace */

static int get_device(struct hooks *h, unsigned ifindex, struct device **ret)
{
	size_t place = hooks_find_place(h, ifindex);
	struct device **devices, *dev;

	if (place < h->n_devices && h->devices[place]->ifindex == ifindex) {
		*ret = h->devices[place];
		return 0;
	}
	devices = reallocarray(h->devices, h->n_devices + 1, sizeof(*devices));
	if (!devices)
		return -ENOMEM;
	h->devices = devices;
	dev = malloc(sizeof(*dev));
	if (!dev)
		return -ENOMEM;
	*dev = device_null(ifindex);
	memmove(devices + place + 1, devices + place, (h->n_devices - place) * sizeof(*devices));
	devices[place] = dev;
	h->n_devices++;
	*ret = dev;
	return 0;
}

static void remove_device(struct hooks *h, struct device *dev)
{
	size_t place = hooks_find_place(h, dev->ifindex);

	h->n_devices--;
	memmove(h->devices + place, h->devices + place + 1, (h->n_devices - place) * sizeof(*h->devices));
	device_done(dev);
	free(dev);
}

/* For pins_foreach(): keeps a link of a previous run, and removes the pin of one that is unknown or dead. */
static int adopt(const char *name, void *userdata)
{
	_cleanup_close_ int fd = -1;
	char path[DEVICE_PIN_MAX];
	struct hooks *h = userdata;
	struct device *dev;
	enum fw_direction d;
	enum fw_hook hook;
	unsigned ifindex;
	int r;

	for (d = 0; d < _FW_DIRECTION_MAX; d++)
		if (strcmp(name, hooks_cgroup_pins[d] + strlen("links/")) == 0)
			return 0; /* hooks_sync_cgroup() finds it by itself */

	(void) snprintf(path, sizeof(path), "links/%s", name);
	if (!device_parse_pin_name(name, &hook, &d, &ifindex))
		return pins_remove(h->pin_dir, path); /* a "-new" that a crash left is an attachment too many */

	fd = pins_open(h->pin_dir, path);
	if (fd == -EPROTO)
		return pins_remove(h->pin_dir, path);
	if (fd < 0)
		return fd;
	r = get_device(h, ifindex, &dev);
	if (r < 0)
		return r;
	dev->is_auto = h->keeps_adopted;
	r = device_adopt(dev, hook, d, &h->context, &fd);
	if (r == -ENOLINK) {
		log_info("The link '%s/%s' has lost its interface, removing it", h->pin_dir, path);
		return pins_remove(h->pin_dir, path);
	}
	return r;
}

static void hooks_freep(struct hooks **h)
{
	*h = hooks_free(*h);
}

int hooks_new(const char *pin_dir, struct loader *loader, bool keeps_adopted, struct hooks **ret)
{
	_cleanup_(hooks_freep) struct hooks *h = NULL;
	int r;

	h = calloc(1, sizeof(*h));
	if (!h)
		return log_error(-ENOMEM, "Cannot attach: %m");
	h->cgroup_links[FW_INGRESS] = h->cgroup_links[FW_EGRESS] = -1;
	h->pin_dir = strdup(pin_dir);
	if (!h->pin_dir)
		return log_error(-ENOMEM, "Cannot attach: %m");
	h->clsact = (struct clsact){ .pin_dir = h->pin_dir, .owns = loader_owns, .userdata = loader };
	h->context = (struct device_context){ .pin_dir = h->pin_dir, .loader = loader, .clsact = &h->clsact,
					     .hold_below = descriptors_hold_below() };
	h->keeps_adopted = keeps_adopted;

	r = pins_foreach(pin_dir, "links", adopt, h);
	if (r < 0)
		return log_error(r, "Cannot take over the links in '%s/links': %m", pin_dir);
	*ret = TAKE_PTR(h);
	return 0;
}

struct hooks *hooks_free(struct hooks *h)
{
	if (!h)
		return NULL;
	while (h->n_devices > 0)
		remove_device(h, h->devices[h->n_devices - 1]);
	for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++)
		closep(&h->cgroup_links[d]);
	auto_view_done(&h->view);
	clsact_forget_qdiscs(&h->clsact);
	free(h->devices);
	free(h->pin_dir);
	free(h);
	return NULL;
}

/* By doing, not by version: distributions backport, and configurations leave out. */
static void choose_tc(struct hooks *h, const struct config *c)
{
	__u32 n = 0;
	int r;

	h->tc_reason[0] = '\0';
	h->context.tc = c->tc_mechanism;
	if (c->tc_mechanism == FW_MECHANISM_CLSACT)
		(void) snprintf(h->tc_reason, sizeof(h->tc_reason), "TcMechanism=clsact is configured");
	if (c->tc_mechanism != FW_MECHANISM_NONE)
		return;

	r = bpf_prog_query(LOOPBACK_IFINDEX, (enum bpf_attach_type)LINK_TCX_INGRESS, 0, NULL, NULL,
			   &n);
	h->context.tc = r < 0 ? FW_MECHANISM_CLSACT : FW_MECHANISM_TCX;
	if (r < 0)
		(void) snprintf(h->tc_reason, sizeof(h->tc_reason),
				"the kernel has no tcx links, which came with 6.6 (%s)", strerror(-r));
}

static bool is_attached(const struct device *dev)
{
	for (enum fw_hook hook = 0; hook < DEVICE_HOOKS; hook++)
		if (dev->hooks[hook].mechanism != FW_MECHANISM_NONE)
			return true;
	return false;
}

/*
 * Interfaces that have been to another network namespace and are back under another ifindex, with our links
 * on them: wanted or not, they are known by that ifindex from here on.
 */
static int claim_returned(struct hooks *h, const struct interfaces *s)
{
	struct device *dev, *from;
	unsigned at;
	int r;

	for (size_t n = 0; n < h->n_devices; n++) {
		from = h->devices[n];
		if (is_attached(from) && interfaces_find(s, from->ifindex))
			continue;
		at = device_whereabouts(from, &h->context);
		if (at == 0 || at == from->ifindex || !interfaces_find(s, at))
			continue;
		r = get_device(h, at, &dev); /* if it comes before this one, this one is looked at twice: nothing is left to take */
		if (r < 0)
			return log_error(r, "Cannot take over interface %u: %m", at);
		dev->is_auto = from->is_auto;
		for (enum fw_hook hook = 0; hook < DEVICE_HOOKS; hook++)
			device_take_over(dev, hook, from, &h->context);
	}
	return 0;
}

static int sync_interface(struct hooks *h, const struct interface *i, bool is_bond)
{
	struct hooks_wish wish;
	struct device *dev;
	bool is_chosen;
	int r;

	if (interface_is_bond(i) != is_bond)
		return 0;
	is_chosen = hooks_is_auto(h, i);
	wish = hooks_make_wish(h, i, is_chosen);
	if (!wish.tc && !wish.xdp && !wish.is_bond)
		return 0;
	r = get_device(h, i->ifindex, &dev);
	if (r < 0)
		return log_error(r, "Cannot attach to '%s': %m", i->name);
	dev->is_wanted = true;
	dev->is_auto = auto_takes(auto_choose(&h->view, i)) || (is_chosen && !config_wants_interface(h->config, i, false));
	if (wish.tc || wish.xdp)
		hooks_sync_device(h, dev, i, &wish);
	return 0;
}

static void detach_device(struct hooks *h, struct device *dev)
{
	for (enum fw_hook hook = 0; hook < DEVICE_HOOKS; hook++)
		device_detach(dev, hook, &h->context);
}

/*
 * One that is moved here and renamed in one step is told of twice, first by its old name. The kernel is asked
 * for the name that it has now; the caller has asked it about a link, which waits until it is through with both.
 */
static bool has_other_name(const struct interface *i)
{
	char name[IF_NAMESIZE];

	return if_indextoname(i->ifindex, name) && strcmp(name, i->name) != 0;
}

static void say_released(const char *name, const char *reason)
{
	(void) log_warning(0, "Interface '%s': not filtered any more: %s", name, reason);
}

/* The interface is there and not wanted, or it is gone. */
static void release_device(struct hooks *h, struct device *dev, const struct interfaces *s)
{
	const struct interface *i = interfaces_find(s, dev->ifindex);
	bool was_robbed = false, is_alive = device_whereabouts(dev, &h->context) != 0;
	char reason[AUTO_TEXT_MAX], unused[IF_NAMESIZE];

	if (!i && if_indextoname(dev->ifindex, unused)) /* it has come since the kernel was asked, its event waits */
		return;
	if (i && is_alive && has_other_name(i)) /* its next event says whether it is wanted */
		return;
	if (i && hooks_must_keep(h, i)) /* the next sync looks again */
		return;
	if (!i && is_alive) { /* in another network namespace: the links come back with it */
		for (enum fw_hook hook = 0; hook < DEVICE_HOOKS; hook++)
			dev->hooks[hook].mechanism = FW_MECHANISM_NONE;
		return;
	}
	for (enum fw_hook hook = 0; hook < DEVICE_HOOKS; hook++)
		was_robbed = was_robbed || dev->hooks[hook].was_robbed;
	if (i && (is_attached(dev) || was_robbed || device_is_linked(dev, &h->context)))
		say_released(i->name, hooks_explain_release(h, i, reason));
	else if (is_attached(dev) || was_robbed)
		log_info("Interface '%s': gone", dev->name);
	detach_device(h, dev);
	remove_device(h, dev);
}

/* Removes clsact filters from interfaces that are not wanted: no pin tells of them. False: some must stay for now. */
static bool remove_leftovers(struct hooks *h, const struct interfaces *s)
{
	char reason[AUTO_TEXT_MAX];
	bool is_done = true;

	for (size_t n = 0; n < s->n_items; n++) {
		struct device leftover = device_null(s->items[n].ifindex);

		if (hooks_find_device(h, leftover.ifindex) || !device_has_filters(leftover.ifindex, &h->context))
			continue;
		if (hooks_must_keep(h, &s->items[n])) {
			is_done = false;
			continue;
		}
		(void) snprintf(leftover.name, sizeof(leftover.name), "%s", s->items[n].name);
		say_released(leftover.name, hooks_explain_release(h, &s->items[n], reason));
		detach_device(h, &leftover);
	}
	return is_done;
}

/*
 * Links give back the descriptors that are too many. False: there are none left all the same, for which no interface is to
 * blame; what is attached stays.
 */
static bool has_descriptors(struct hooks *h)
{
	bool are_out;

	h->context.hold_below = descriptors_hold_below();
	for (size_t n = 0; n < h->n_devices; n++)
		device_let_go(h->devices[n], &h->context);
	are_out = descriptors_are_out();
	if (are_out && !h->is_out)
		(void) log_warning(0, "No descriptors are left, the limit of open files is %lu: interfaces are not followed until "
				      "it is raised: LimitNOFILE= of the unit, or 'ulimit -n'; what is attached stays",
				   descriptors_limit());
	h->is_out = are_out;
	return !are_out;
}

/* Said once, until a reload. */
static void warn_if_scarce(struct hooks *h)
{
	size_t n_pinned = 0;

	for (size_t n = 0; n < h->n_devices; n++)
		n_pinned += device_count_pinned(h->devices[n]);
	if (n_pinned > 0 && !h->was_scarce)
		(void) log_warning(0, "The limit of open files is %lu: %zu links of interfaces are held by their pins alone. If "
				      "such a pin is removed, the interface is not filtered until the next check; to hold all, "
				      "raise LimitNOFILE= of the unit, or 'ulimit -n', to %zu", descriptors_limit(), n_pinned,
				   (size_t)descriptors_limit() + n_pinned);
	h->was_scarce = n_pinned > 0;
}

int hooks_sync_interfaces(struct hooks *h, const struct config *c, const struct interfaces *s)
{
	int r;

	if (!has_descriptors(h))
		return -EMFILE;
	h->config = c;
	auto_view_done(&h->view);
	h->view = (struct auto_view){ .interfaces = s, .is_filtered = hooks_is_filtered, .userdata = h };
	r = auto_view_prepare(&h->view);
	if (r < 0)
		return log_error(r, "Cannot choose interfaces: %m");
	choose_tc(h, c);
	clsact_forget_qdiscs(&h->clsact);
	h->context.xdp = c->xdp_mechanism;
	r = claim_returned(h, s);
	if (r < 0)
		return r;
	for (size_t n = 0; n < h->n_devices; n++)
		h->devices[n]->is_wanted = false;

	/* bonds first: their tc filters what xdp at their ports may not, and their own xdp keeps it from the ports */
	for (int is_bond = true; is_bond >= false; is_bond--) {
		for (size_t n = 0; n < s->n_items; n++) {
			r = sync_interface(h, &s->items[n], is_bond);
			if (r < 0)
				return r;
		}
	}
	for (size_t n = 0; n < s->n_items; n++)
		hooks_drop_stand_in(h, &s->items[n]);

	for (size_t n = h->n_devices; n-- > 0;)
		if (!h->devices[n]->is_wanted)
			release_device(h, h->devices[n], s);
	h->is_synced = h->is_synced || remove_leftovers(h, s);
	warn_if_scarce(h);
	return 0;
}

void hooks_forget_failures(struct hooks *h)
{
	h->is_out = h->was_scarce = false;
	for (size_t n = 0; n < h->n_devices; n++)
		device_forget_failures(h->devices[n]);
}

void hooks_check(struct hooks *h)
{
	if (!has_descriptors(h))
		return;
	clsact_forget_qdiscs(&h->clsact);
	for (size_t n = 0; n < h->n_devices; n++)
		device_check(h->devices[n], &h->context);
	hooks_check_cgroup(h);
}

size_t hooks_count_interfaces(const struct hooks *h)
{
	size_t count = 0;

	for (size_t n = 0; n < h->n_devices; n++)
		count += is_attached(h->devices[n]);
	return count;
}

bool hooks_are_partial(const struct hooks *h)
{
	for (size_t n = 0; n < h->n_devices; n++)
		if (h->devices[n]->hooks[FW_HOOK_TC].mechanism == FW_MECHANISM_NONE &&
		    device_has_filters(h->devices[n]->ifindex, &h->context))
			return true;
	return false;
}
