/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What is attached where. The manager says what is wanted, one call per interface; hooks makes it so, in
 * the order that leaves no gap, remembers what failed, and puts back what others took away. Logs.
 */

#include <stdbool.h>
#include <stddef.h>

#include "abi/abi.h"
#include "config/config.h"
#include "load/loader.h"
#include "net/interfaces.h"

struct hooks;

/*
 * Takes over the links pinned by runs before; dead ones lose their pin. loader outlives hooks. keeps_adopted: an
 * interface that "auto" would not choose again stays attached, unless it is judged elsewhere.
 */
int hooks_new(const char *pin_dir, struct loader *loader, bool keeps_adopted, struct hooks **ret);
struct hooks *hooks_free(struct hooks *h); /* accepts NULL, returns NULL; what is attached stays */

/*
 * Attaches to every interface that the configuration wants, then detaches from those it does not want. What "auto"
 * has chosen once stays: a route or an address that is away for a moment, or over a restart, must not open a gap.
 * What is right already is not touched. What fails is logged when the reason changes and tried again
 * at the next call, at xdp at one that follows a check.
 */
int hooks_sync_interfaces(struct hooks *h, const struct config *c, const struct interfaces *s);

/* The same for the cgroup: Cgroup= or, without the hook in Hooks=, none. */
void hooks_sync_cgroup(struct hooks *h, const struct config *c);

/* The next sync tries all again: for a new configuration. */
void hooks_forget_failures(struct hooks *h);

/* Looks whether all is still attached and pinned, and mends it with a warning. */
void hooks_check(struct hooks *h);

/* At how many interfaces is the hook attached; for the cgroup 0 or 1. */
size_t hooks_count(const struct hooks *h, enum fw_hook hook);

/* Is the hook, xdp or tc, attached to this very interface? As the last check found it. */
bool hooks_is_on(const struct hooks *h, const struct interface *i, enum fw_hook hook);

/*
 * Where the cgroup programs cannot tell our network namespace from others: of which directions (FW_IN, FW_OUT) are ports
 * judged by tc or xdp, so that the cgroup hook need not do it? The second says it of what the configuration wants.
 */
unsigned hooks_left_ports(const struct hooks *h, const struct config *c);
unsigned hooks_may_leave_ports(const struct config *c);

/* Fills in the mechanisms, the reasons, and what is pending and failed. */
void hooks_describe(struct hooks *h, const struct config *c, const struct interfaces *s,
		    struct fw_meta *meta);

/* Number of interfaces with any program in all directions of its hook. */
size_t hooks_count_interfaces(const struct hooks *h);

/* Is there an interface with a clsact filter in one direction, because the other could not get one? Asks the kernel. */
bool hooks_are_partial(const struct hooks *h);
