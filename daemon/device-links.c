// SPDX-License-Identifier: GPL-2.0-or-later

/* Links of ours on one interface, by hook and direction, and their pins: see device-links.h. */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <linux/bpf.h>
#include <net/if.h>

#include "cleanup.h"
#include "device-links.h"
#include "log.h"
#include "names.h"
#include "pins.h"
#include "repin.h"

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

int device_adopt(struct device *dev, enum fw_hook hook, enum fw_direction d, int *fd)
{
	if (link_is_dead(*fd, attach_types[hook][d]))
		return -ENOLINK;
	dev->hooks[hook].links[d] = TAKE_FD(*fd);
	return 0;
}

bool device_has_link(const struct device *dev, enum fw_hook hook)
{
	for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++)
		if (dev->hooks[hook].links[d] >= 0)
			return true;
	return false;
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
	struct link_target t = device_link_target(dev, hook, d);
	char name[DEVICE_PIN_MAX];

	t.flags = flags;
	return link_attach(x->pin_dir, device_pin_name(hook, d, dev->ifindex, name), &t, prog_fd,
			   &dev->hooks[hook].links[d]);
}

void device_detach_links(struct device *dev, enum fw_hook hook, const struct device_context *x)
{
	char name[DEVICE_PIN_MAX];

	for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++)
		if (attach_types[hook][d] != NOWHERE)
			link_detach(x->pin_dir, device_pin_name(hook, d, dev->ifindex, name),
				    &dev->hooks[hook].links[d]);
}

unsigned device_whereabouts(const struct device *dev)
{
	unsigned ifindex = 0;

	for (enum fw_hook hook = 0; hook < DEVICE_HOOKS; hook++)
		for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX && ifindex == 0; d++)
			if (dev->hooks[hook].links[d] >= 0)
				ifindex = (unsigned)link_target_id(dev->hooks[hook].links[d], attach_types[hook][d]);
	return ifindex;
}

bool device_is_linked(const struct device *dev)
{
	for (enum fw_hook hook = 0; hook < DEVICE_HOOKS; hook++) {
		for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++) {
			struct link_target t = device_link_target(dev, hook, d);

			if (dev->hooks[hook].links[d] >= 0 && link_leads_to(dev->hooks[hook].links[d], &t))
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
		int *to_link = &dev->hooks[hook].links[d], *from_link = &from->hooks[hook].links[d];
		struct link_target t = device_link_target(dev, hook, d);

		if (*from_link < 0 || !link_leads_to(*from_link, &t) || (*to_link >= 0 && link_leads_to(*to_link, &t)))
			continue;
		if (pins_put(x->pin_dir, device_pin_name(hook, d, dev->ifindex, to_name), *from_link) < 0)
			continue; /* attaching then fails with "exists", and says so */
		(void) pins_remove(x->pin_dir, device_pin_name(hook, d, from->ifindex, from_name));
		closep(to_link);
		*to_link = TAKE_FD(*from_link);
	}
}

void device_check_links(struct device *dev, enum fw_hook hook, const struct device_context *x)
{
	struct device_hook *h = &dev->hooks[hook];
	char name[DEVICE_PIN_MAX];

	for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++) {
		struct link_target t = device_link_target(dev, hook, d);
		char unused[IF_NAMESIZE];
		int r;

		if (attach_types[hook][d] == NOWHERE)
			continue;
		if (!link_runs(h->links[d], &t, loader_program_id(x->loader, hook, d, h->is_l3))) {
			h->mechanism = FW_MECHANISM_NONE;
			h->was_robbed = h->was_robbed || link_is_dead(h->links[d], t.attach_type) ||
					if_indextoname(dev->ifindex, unused); /* else it was moved away with our link */
			continue;
		}
		r = repin(x->pin_dir, device_pin_name(hook, d, dev->ifindex, name), h->links[d]);
		if (r > 0)
			(void) log_warning(0, "The pin '%s/%s' was removed, put it back", x->pin_dir, name);
		else if (r < 0)
			(void) log_warning(r, "The pin '%s/%s' was removed, cannot put it back: %m", x->pin_dir,
					   name);
	}
}
