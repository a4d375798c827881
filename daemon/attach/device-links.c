// SPDX-License-Identifier: GPL-2.0-or-later

/* Links of ours on one interface, by hook and direction, and their pins: see device-links.h. */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <linux/bpf.h>
#include <net/if.h>

#include "attach/device-links.h"
#include "base/cleanup.h"
#include "kernel/pins.h"
#include "load/repin.h"
#include "log/log.h"
#include "text/names.h"

#define NOWHERE 0 /* as an attach type: the hook has no such direction, and no link there is ever held */

static const uint32_t attach_types[DEVICE_HOOKS][_FW_DIRECTION_MAX] = {
	[FW_HOOK_XDP] = { [FW_INGRESS] = BPF_XDP, [FW_EGRESS] = NOWHERE },
	[FW_HOOK_TC] = { [FW_INGRESS] = LINK_TCX_INGRESS, [FW_EGRESS] = LINK_TCX_EGRESS },
};

const char *device_pin_name(enum fw_hook hook, enum fw_direction d, unsigned ifindex,
			    char buffer[static DEVICE_PIN_MAX])
{
	(void) snprintf(buffer, DEVICE_PIN_MAX, "links/%s_%s_%u", hook_to_string(hook),
			direction_to_string(d), ifindex);
	return buffer;
}

bool device_parse_pin_name(const char *name, enum fw_hook *ret_hook, enum fw_direction *ret_d,
			   unsigned *ret_ifindex)
{
	char pin[DEVICE_PIN_MAX];
	unsigned ifindex;

	if (sscanf(name, "%*[a-z]_%*[a-z]_%u", &ifindex) != 1)
		return false;
	for (enum fw_hook hook = 0; hook < DEVICE_HOOKS; hook++) {
		for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++) {
			if (attach_types[hook][d] == NOWHERE ||
			    strcmp(device_pin_name(hook, d, ifindex, pin) + strlen("links/"), name) != 0)
				continue;
			*ret_hook = hook;
			*ret_d = d;
			*ret_ifindex = ifindex;
			return true;
		}
	}
	return false;
}

/* Holds the link by its descriptor, or where these get scarce and there is a pin, leaves it to that. */
static void hold(struct device *dev, enum fw_hook hook, enum fw_direction d, const struct device_context *x, int fd)
{
	char name[DEVICE_PIN_MAX];

	if (fd >= x->hold_below && pins_exists(x->pin_dir, device_pin_name(hook, d, dev->ifindex, name))) {
		(void) close(fd);
		fd = DEVICE_LINK_PINNED;
	}
	dev->hooks[hook].links[d] = fd;
}

int device_reach_link(const struct device *dev, enum fw_hook hook, enum fw_direction d, const struct device_context *x,
		      int *opened)
{
	int fd = dev->hooks[hook].links[d];
	char name[DEVICE_PIN_MAX];

	if (fd == DEVICE_LINK_NONE)
		return -ENOENT;
	if (fd == DEVICE_LINK_PINNED)
		fd = *opened = pins_open(x->pin_dir, device_pin_name(hook, d, dev->ifindex, name));
	return fd;
}

int device_adopt(struct device *dev, enum fw_hook hook, enum fw_direction d, const struct device_context *x, int *fd)
{
	if (link_is_dead(*fd, attach_types[hook][d]))
		return -ENOLINK;
	hold(dev, hook, d, x, TAKE_FD(*fd));
	return 0;
}

bool device_has_link(const struct device *dev, enum fw_hook hook)
{
	for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++)
		if (dev->hooks[hook].links[d] != DEVICE_LINK_NONE)
			return true;
	return false;
}

size_t device_count_pinned(const struct device *dev)
{
	size_t count = 0;

	for (enum fw_hook hook = 0; hook < DEVICE_HOOKS; hook++)
		for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++)
			count += dev->hooks[hook].links[d] == DEVICE_LINK_PINNED;
	return count;
}

void device_let_go(struct device *dev, const struct device_context *x)
{
	for (enum fw_hook hook = 0; hook < DEVICE_HOOKS; hook++)
		for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++)
			if (dev->hooks[hook].links[d] >= 0)
				hold(dev, hook, d, x, dev->hooks[hook].links[d]);
}

int device_fail(struct device *dev, enum fw_hook hook, int r, const char *format, ...)
{
	struct device_hook *h = &dev->hooks[hook];
	char text[FW_NOTE_MAX];
	va_list ap;

	va_start(ap, format);
	(void) vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);

	if (strcmp(text, h->note) == 0)
		return r;
	strcpy(h->note, text);
	if (hook == FW_HOOK_XDP)
		return log_warning(r, "Interface '%s' has no xdp, tc filters it: %s", dev->name, text);
	return log_error(r, "Interface '%s' is not filtered%s: %s", dev->name,
			 dev->hooks[FW_HOOK_XDP].mechanism == FW_MECHANISM_NONE ? "" : " at tc", text);
}

struct link_target device_link_target(const struct device *dev, enum fw_hook hook, enum fw_direction d)
{
	return (struct link_target){
		.target = (int)dev->ifindex,
		.attach_type = attach_types[hook][d],
		.id = dev->ifindex,
	};
}

int device_attach_link(struct device *dev, enum fw_hook hook, enum fw_direction d, uint32_t flags,
		       const struct device_context *x, int prog_fd)
{
	int fd = dev->hooks[hook].links[d] >= 0 ? dev->hooks[hook].links[d] : -1, r;
	struct link_target t = device_link_target(dev, hook, d);
	char name[DEVICE_PIN_MAX];

	t.flags = flags;
	r = link_attach(x->pin_dir, device_pin_name(hook, d, dev->ifindex, name), &t, prog_fd, &fd);
	if (r >= 0)
		hold(dev, hook, d, x, fd);
	return r;
}

int device_move_link(struct device *dev, enum fw_direction d, const struct device_context *x, int prog_fd, int copy_fd)
{
	struct link_target t = device_link_target(dev, FW_HOOK_TC, d);
	char name[DEVICE_PIN_MAX];
	int fd, unused, r;

	fd = device_reach_link(dev, FW_HOOK_TC, d, x, &unused);
	if (fd < 0)
		return fd;
	r = link_move_first(x->pin_dir, device_pin_name(FW_HOOK_TC, d, dev->ifindex, name), &t, prog_fd, copy_fd, &fd);
	hold(dev, FW_HOOK_TC, d, x, fd); /* the old link or the new one */
	return r;
}

void device_detach_links(struct device *dev, enum fw_hook hook, const struct device_context *x)
{
	char name[DEVICE_PIN_MAX];
	int fd, unused;

	for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++) {
		if (attach_types[hook][d] == NOWHERE)
			continue;
		fd = device_reach_link(dev, hook, d, x, &unused);
		link_detach(x->pin_dir, device_pin_name(hook, d, dev->ifindex, name), &fd);
		dev->hooks[hook].links[d] = DEVICE_LINK_NONE;
	}
}

unsigned device_whereabouts(const struct device *dev, const struct device_context *x)
{
	unsigned ifindex = 0;

	for (enum fw_hook hook = 0; hook < DEVICE_HOOKS; hook++) {
		for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX && ifindex == 0; d++) {
			_cleanup_close_ int opened = -1;
			int fd = device_reach_link(dev, hook, d, x, &opened);

			if (fd >= 0)
				ifindex = (unsigned)link_target_id(fd, attach_types[hook][d]);
		}
	}
	return ifindex;
}

bool device_is_linked(const struct device *dev, const struct device_context *x)
{
	for (enum fw_hook hook = 0; hook < DEVICE_HOOKS; hook++) {
		for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++) {
			struct link_target t = device_link_target(dev, hook, d);
			_cleanup_close_ int opened = -1;
			int fd = device_reach_link(dev, hook, d, x, &opened);

			if (fd >= 0 && link_leads_to(fd, &t))
				return true;
		}
	}
	return false;
}

void device_take_over(struct device *dev, enum fw_hook hook, struct device *from,
		      const struct device_context *x)
{
	char to_name[DEVICE_PIN_MAX], from_name[DEVICE_PIN_MAX];

	for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++) {
		_cleanup_close_ int to_opened = -1;
		int to_fd = device_reach_link(dev, hook, d, x, &to_opened), from_fd, unused;
		struct link_target t = device_link_target(dev, hook, d);

		if (to_fd >= 0 && link_leads_to(to_fd, &t))
			continue;
		from_fd = device_reach_link(from, hook, d, x, &unused);
		if (from_fd < 0)
			continue;
		if (!link_leads_to(from_fd, &t) ||
		    pins_put(x->pin_dir, device_pin_name(hook, d, dev->ifindex, to_name), from_fd) < 0) {
			hold(from, hook, d, x, from_fd); /* attaching then fails with "exists", and says so */
			continue;
		}
		(void) pins_remove(x->pin_dir, device_pin_name(hook, d, from->ifindex, from_name));
		from->hooks[hook].links[d] = DEVICE_LINK_NONE;
		closep(&dev->hooks[hook].links[d]);
		hold(dev, hook, d, x, from_fd);
	}
}

/* What the kernel says of the link in one direction. */
static void check_link(struct device *dev, enum fw_hook hook, enum fw_direction d, const struct device_context *x)
{
	struct device_hook *h = &dev->hooks[hook];
	struct link_target t = device_link_target(dev, hook, d);
	char name[DEVICE_PIN_MAX], unused_name[IF_NAMESIZE];
	int fd, r, unused;

	fd = device_reach_link(dev, hook, d, x, &unused);
	if (fd == -ENOENT)
		h->links[d] = DEVICE_LINK_NONE;
	else if (fd < 0 && fd != -EPROTO) /* -EPROTO: a directory; else it is not known */
		return;
	if (!link_runs(fd, &t, loader_program_id(x->loader, hook, d, h->is_l3))) {
		h->mechanism = FW_MECHANISM_NONE;
		h->was_robbed = h->was_robbed || link_is_dead(fd, t.attach_type) ||
				if_indextoname(dev->ifindex, unused_name); /* else it was moved away with our link */
	} else {
		r = repin(x->pin_dir, device_pin_name(hook, d, dev->ifindex, name), fd);
		if (r > 0)
			(void) log_warning(0, "The pin '%s/%s' was removed, put it back", x->pin_dir, name);
		else if (r < 0)
			(void) log_warning(r, "The pin '%s/%s' was removed, cannot put it back: %m", x->pin_dir,
					   name);
	}
	if (fd >= 0)
		hold(dev, hook, d, x, fd);
}

void device_check_links(struct device *dev, enum fw_hook hook, const struct device_context *x)
{
	for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++)
		if (attach_types[hook][d] != NOWHERE)
			check_link(dev, hook, d, x);
}
