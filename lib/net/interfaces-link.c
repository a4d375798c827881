// SPDX-License-Identifier: GPL-2.0-or-later

/* One message about a link -> struct interface: see interfaces.h. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>

#include "base/cleanup.h"
#include "net/interfaces.h"

/* Kernel 5.14; older headers lack it. */
#define ATTRIBUTE_PARENT_DEVICE 56

/* Devices that are made on another and share its frames: what they get and send it has seen. */
static const char *const upper_kinds[] = { "vlan", "macvlan", "macvtap", "ipvlan", "ipvtap" };

static void copy_text(const struct nlattr *a, char *buffer, size_t size)
{
	(void) snprintf(buffer, size, "%.*s", (int)mnl_attr_get_payload_len(a), mnl_attr_get_str(a));
}

static bool attribute_is(const struct nlattr *a, const char *text)
{
	return mnl_attr_validate(a, MNL_TYPE_STRING) >= 0 &&
	       strncmp(mnl_attr_get_str(a), text, mnl_attr_get_payload_len(a)) == 0;
}

/* What kernels that do not send the parent device show in /sys, if it is this interface that it shows. */
static bool has_device_in_sys(const struct interface *i)
{
	_cleanup_fclose_ FILE *f = NULL;
	char path[64 + IFNAMSIZ];
	unsigned ifindex = 0;

	(void) snprintf(path, sizeof(path), "/sys/class/net/%s/ifindex", i->name);
	f = fopen(path, "re");
	if (!f || fscanf(f, "%u", &ifindex) != 1 || ifindex != i->ifindex)
		return false; /* /sys may show another network namespace */
	(void) snprintf(path, sizeof(path), "/sys/class/net/%s/device", i->name);
	return access(path, F_OK) == 0;
}

/* The owner of a tun device can give it any link type, but not change its mode. */
static void take_tun_mode(struct interface *i, const struct nlattr *data)
{
	const struct nlattr *a;

	mnl_attr_for_each_nested(a, data)
		if (mnl_attr_get_type(a) == IFLA_TUN_TYPE && mnl_attr_get_u8(a) == IFF_TAP)
			strcpy(i->kind, INTERFACE_TAP);
}

/* A VRF has ports too, but packets are not handed on to it unseen as to a bridge or bond. */
static void take_linkinfo(struct interface *i, const struct nlattr *linkinfo)
{
	const struct nlattr *a, *data = NULL;

	mnl_attr_for_each_nested(a, linkinfo) {
		switch (mnl_attr_get_type(a)) {
		case IFLA_INFO_KIND:
			copy_text(a, i->kind, sizeof(i->kind));
			break;
		case IFLA_INFO_DATA:
			data = a;
			break;
		case IFLA_INFO_SLAVE_KIND:
			if (attribute_is(a, "vrf"))
				i->is_port = false;
			break;
		}
	}
	if (data && strcmp(i->kind, INTERFACE_TUN) == 0)
		take_tun_mode(i, data);
}

/* The payload of each is one name; together they are shorter than the attribute that holds them. */
static int take_altnames(struct interface *i, const struct nlattr *properties)
{
	const struct nlattr *a;
	char *end;

	i->altnames = end = calloc(1, mnl_attr_get_payload_len(properties) + 1);
	if (!i->altnames)
		return -ENOMEM;
	mnl_attr_for_each_nested(a, properties)
		if (mnl_attr_get_type(a) == IFLA_ALT_IFNAME && mnl_attr_validate(a, MNL_TYPE_NUL_STRING) >= 0)
			end = stpcpy(end, mnl_attr_get_str(a)) + 1;
	return 0;
}

int interface_from_link(const struct nlmsghdr *message, struct interface *ret)
{
	const struct ifinfomsg *m = mnl_nlmsg_get_payload(message);
	struct interface i = {
		.ifindex = (unsigned)m->ifi_index,
		.type = m->ifi_type,
		.is_up = m->ifi_flags & IFF_UP,
	};
	const struct nlattr *a, *linkinfo = NULL, *properties = NULL;
	bool is_complete = false, is_lower_here = true;
	unsigned lower = 0;
	int r;

	mnl_attr_for_each(a, message, sizeof(*m)) {
		switch (mnl_attr_get_type(a)) {
		case IFLA_IFNAME:
			copy_text(a, i.name, sizeof(i.name));
			break;
		case IFLA_MTU:
			i.mtu = mnl_attr_get_u32(a);
			is_complete = true;
			break;
		case IFLA_MASTER:
			i.master = mnl_attr_get_u32(a);
			break;
		case IFLA_LINK:
			lower = mnl_attr_get_u32(a);
			break;
		case IFLA_LINK_NETNSID:
			is_lower_here = false;
			break;
		case IFLA_LINKINFO:
			linkinfo = a;
			break;
		case IFLA_PROP_LIST:
			properties = a;
			break;
		case ATTRIBUTE_PARENT_DEVICE:
			i.has_device = true;
			break;
		}
	}
	if (!is_complete)
		return -ENODATA;
	i.is_port = i.master != 0;
	if (linkinfo)
		take_linkinfo(&i, linkinfo);
	for (size_t n = 0; n < ELEMENTSOF(upper_kinds) && is_lower_here; n++)
		if (strcmp(i.kind, upper_kinds[n]) == 0)
			i.lower = lower;
	if (!i.has_device)
		i.has_device = has_device_in_sys(&i);
	if (properties) {
		r = take_altnames(&i, properties);
		if (r < 0)
			return r;
	}
	*ret = i;
	return 0;
}

bool interface_has_name(const struct interface *i, const char *name)
{
	if (strcmp(i->name, name) == 0)
		return true;
	for (const char *other = i->altnames; other && *other; other += strlen(other) + 1)
		if (strcmp(other, name) == 0)
			return true;
	return false;
}
