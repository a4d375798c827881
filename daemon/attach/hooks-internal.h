/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the files hooks*.c share: hooks.c has the interfaces, the others the choice of them, the cgroup and the words for people. */

#include "attach/device.h"
#include "attach/hooks.h"

struct hooks {
	char *pin_dir;
	struct device_context context;
	struct clsact clsact;
	char tc_reason[FW_TEXT_MAX];
	bool is_synced; /* what a previous run left on interfaces that are not wanted is gone */
	const struct config *config; /* of the last hooks_sync_interfaces(), as is what the view has */
	struct auto_view view;
	bool keeps_adopted; /* they chose by the same words of Interfaces=, as far as is known */
	bool is_out;     /* of descriptors */
	bool was_scarce; /* it was said that some links have no descriptor */
	struct device **devices; /* by ifindex, rising */
	size_t n_devices;
	int cgroup_links[_FW_DIRECTION_MAX];
	char cgroup[FW_TEXT_MAX];        /* where they are, "" = not attached */
	char cgroup_reason[FW_TEXT_MAX]; /* why it is not as the configuration has it */
};

/* The pins of the cgroup links, by direction, below the pin directory. */
extern const char *const hooks_cgroup_pins[_FW_DIRECTION_MAX];

/* Does "auto" match the interface? What it has chosen once stays, unless it is judged elsewhere. */
bool hooks_is_auto(struct hooks *h, const struct interface *i);

/* Does the configuration want it? For auto_choose(): view->userdata is the struct hooks. */
bool hooks_is_filtered(const struct interface *i, struct auto_view *view);

/* Does auto leave it out because its packets are judged at another interface, and could nothing be attached there yet? */
bool hooks_must_keep(struct hooks *h, const struct interface *i);

/* Are programs of ours on it, or where it is a bond, xdp on all of its ports? */
bool hooks_are_on(const struct hooks *h, const struct interface *i);

/* Is xdp attached to each port of this bond or team, and will it stay? False if it has none. */
bool hooks_ports_have_xdp(const struct hooks *h, const struct interface *bond);

/* Does a port of this bond or team try native mode again, while the bond's tc filters? */
bool hooks_port_retries(const struct hooks *h, const struct interface *bond);

/* Why the configuration does not want an interface. Returns buffer. */
const char *hooks_explain_release(struct hooks *h, const struct interface *i, char buffer[static AUTO_TEXT_MAX]);

/* What an interface is to have. */
struct hooks_wish {
	bool tc;
	bool xdp;
	bool is_bond;      /* its ports are to have xdp */
	bool is_bond_port; /* its bond is to have tc */
	bool is_bond_on;   /* and has it, or all ports have xdp */
};

struct hooks_wish hooks_make_wish(struct hooks *h, const struct interface *i, bool is_chosen);

/* Attaches and detaches, in the order that leaves no gap. */
void hooks_sync_device(struct hooks *h, struct device *dev, const struct interface *i, const struct hooks_wish *wish);

/* Takes tc off a bond that has it only until all of its ports have xdp. */
void hooks_drop_stand_in(struct hooks *h, const struct interface *bond);

/* The place of the first device of this number or a higher one. */
size_t hooks_find_place(const struct hooks *h, unsigned ifindex);

/* NULL if there is none of this number. */
struct device *hooks_find_device(const struct hooks *h, unsigned ifindex);

/* Looks whether the cgroup links live and are pinned, and mends it with a warning. */
void hooks_check_cgroup(struct hooks *h);
