// SPDX-License-Identifier: GPL-2.0-or-later

/* Tells readers of meta what is attached, what is not and why: see hooks.h. */

#include <stdio.h>
#include <string.h>

#include "attach/hooks-internal.h"

/* Appends as much as fits. */
static void append(char text[static FW_TEXT_MAX], const char *separator, const char *first,
		   const char *second)
{
	size_t n = strlen(text);

	(void) snprintf(text + n, FW_TEXT_MAX - n, "%s%s%s", n > 0 ? separator : "", first, second);
}

/* Room for a note of xdp, or NULL where there is none left. */
static struct fw_note *next_note(struct fw_meta *meta)
{
	for (size_t n = 0; n < FW_XDP_NOTES_MAX; n++)
		if (meta->xdp_notes[n].ifindex == 0)
			return &meta->xdp_notes[n];
	return NULL;
}

/* Notes of interfaces that are up, or of those that are down. */
static void describe_xdp_devices(const struct hooks *h, const struct interfaces *s, bool is_up, struct fw_meta *meta)
{
	for (size_t n = 0; n < h->n_devices; n++) {
		const struct device_hook *xdp = &h->devices[n]->hooks[FW_HOOK_XDP];
		const struct interface *i = interfaces_find(s, h->devices[n]->ifindex);
		struct fw_note *note = next_note(meta);

		if (!xdp->note[0] || !note || (i && i->is_up) != is_up)
			continue;
		note->ifindex = h->devices[n]->ifindex;
		note->foreign_id = xdp->foreign_id;
		strcpy(note->text, xdp->note);
	}
}

/* Why interfaces have no xdp, or the second best. */
static void describe_xdp(struct hooks *h, const struct config *c, const struct interfaces *s,
			 struct fw_meta *meta)
{
	struct fw_note *note;

	memset(meta->xdp_notes, 0, sizeof(meta->xdp_notes));
	describe_xdp_devices(h, s, true, meta);
	for (char **w = c->xdp_interfaces; c->has_xdp && *w; w++) {
		const struct interface *i = interfaces_find_name(s, *w);

		note = next_note(meta);
		if (!i || !note || config_wants_interface(c, i, hooks_is_auto(h, i)))
			continue;
		note->ifindex = i->ifindex;
		strcpy(note->text, "XdpInterfaces= names it, and Interfaces= does not");
	}
	describe_xdp_devices(h, s, false, meta); /* as far as there is room */
}

/* What becomes of ports at the cgroup hook, where it cannot judge those of our network namespace alone. */
static void describe_cgroup_ports(const struct hooks *h, const struct config *c, char text[static FW_TEXT_MAX])
{
	static const char *const places[FW_BOTH + 1] = {
		[0] = "ports are judged in every network namespace",
		[FW_IN] = "ports of what comes in are left to xdp, of what goes out they are judged in every network namespace",
		[FW_BOTH] = "ports are left to tc and xdp",
	};

	text[0] = '\0';
	if (h->cgroup[0] && !loader_tells_netns(h->context.loader))
		(void) snprintf(text, FW_TEXT_MAX, "%s: this kernel does not tell cgroup programs which one a packet is in "
				"(Linux 6.15 does)", places[hooks_left_ports(h, c)]);
}

void hooks_describe(struct hooks *h, const struct config *c, const struct interfaces *s,
		    struct fw_meta *meta)
{
	bool has_interfaces = c->has_tc || c->has_xdp;

	meta->interfaces_hash = config_interfaces_hash(c);
	meta->tc_mechanism = has_interfaces ? h->context.tc : FW_MECHANISM_NONE;
	strcpy(meta->tc_reason, has_interfaces ? h->tc_reason : "");
	strcpy(meta->cgroup, h->cgroup);
	strcpy(meta->cgroup_reason, h->cgroup_reason);
	describe_cgroup_ports(h, c, meta->cgroup_ports);
	describe_xdp(h, c, s, meta);

	meta->pending[0] = meta->failed[0] = '\0';
	for (char **w = c->interfaces; has_interfaces && *w; w++)
		if (config_word_is_name(*w) && !interfaces_find_name(s, *w))
			append(meta->pending, " ", *w, "");
	for (size_t n = 0; n < h->n_devices; n++) {
		const struct device_hook *tc = &h->devices[n]->hooks[FW_HOOK_TC];

		if (!tc->note[0])
			continue;
		append(meta->failed, "; ", h->devices[n]->name, ": ");
		append(meta->failed, "", tc->note, "");
	}
}
