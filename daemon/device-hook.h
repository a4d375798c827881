/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the files device*.c have in common: device.c knows what is the same at both hooks, the others one each. */

#include "device.h"
#include "link.h"

/* The link that a hook has in a direction. */
struct link_target device_link_target(const struct device *dev, enum fw_hook hook, enum fw_direction d);

/* Makes prog_fd run there by a link, see link_attach(). */
int device_attach_link(struct device *dev, enum fw_hook hook, enum fw_direction d, uint32_t flags,
		       const struct device_context *x, int prog_fd);
void device_detach_links(struct device *dev, enum fw_hook hook, const struct device_context *x);

/* The parts of device_attach(), which set the mechanism. */
int device_attach_tc(struct device *dev, const struct device_context *x, const struct interface *i);
int device_attach_xdp(struct device *dev, const struct device_context *x, const struct interface *i);

/* tc filters, which no link holds. */
void device_detach_filters(struct device *dev, const struct device_context *x);
void device_check_filters(struct device *dev, const struct device_context *x);

/* Says what runs before ours at tc, and takes the first place back once. */
void device_check_order(struct device *dev, const struct device_context *x);
