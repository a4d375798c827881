/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * One interface and our tc programs on it, ingress and egress, by either mechanism. Knows the order that
 * leaves no gap when the mechanism changes, and what to tell people when something is in the way. Logs.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/if.h>

#include "abi.h"
#include "interfaces.h"
#include "loader.h"

#define DEVICE_ERROR_MAX 192

struct device {
	unsigned ifindex;
	char name[IFNAMSIZ];
	uint64_t serial;             /* of the interface that was attached to */
	enum fw_mechanism mechanism; /* what carries this run's programs, FW_MECHANISM_NONE = nothing yet */
	bool is_l3;
	bool is_wanted;              /* mark of hooks_sync_tc() */
	bool was_robbed;             /* what we attached was found missing */
	int links[_FW_DIRECTION_MAX]; /* tcx, also those of a run before; -1 = none */
	char error[DEVICE_ERROR_MAX]; /* why it is not attached, "" = it is */
};

/* What devices share. */
struct device_context {
	const char *pin_dir;
	struct loader *loader;
	enum fw_mechanism tc; /* the mechanism to use */
};

/* links/tc_DIRECTION_IFINDEX. Returns buffer. */
#define DEVICE_PIN_MAX 40
const char *device_pin_name(unsigned ifindex, enum fw_direction d,
			    char buffer[static DEVICE_PIN_MAX]);

/* Does i carry this run's programs in the way that is wanted? */
bool device_is_attached(const struct device *dev, const struct device_context *x,
			const struct interface *i);

/*
 * Attaches both directions, then removes what another mechanism had there. On failure says why, but not
 * twice the same; -ENODEV, the interface has just gone, and -EEXIST, this program is there by another
 * tcx link, are the caller's to judge.
 */
int device_attach(struct device *dev, const struct device_context *x, const struct interface *i);

/* Keeps and logs the reason why dev is not attached. Returns r. */
int device_fail(struct device *dev, int r, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Removes whatever is ours from the interface, if it still exists, and our pins. */
void device_detach(struct device *dev, const struct device_context *x);

/* Does a link of ours live on, though the interface has left this network namespace? */
bool device_is_elsewhere(const struct device *dev);

/*
 * An interface may come back from another network namespace under another ifindex, with our links on it:
 * takes those of from that lead to dev, and their pins. Are there any?
 */
bool device_take_over(struct device *dev, struct device *from, const struct device_context *x);

/*
 * Is it still there and pinned? Mends pins with a warning and leaves the rest to the next device_attach(),
 * which warns if the interface is still there: else it has just gone, and took everything with it.
 */
void device_check(struct device *dev, const struct device_context *x);
