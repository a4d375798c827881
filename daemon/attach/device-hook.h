/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The parts of device.c that know one hook each. They know device-links.h, and neither device.c nor each other. */

#include "attach/device-links.h"

/* The parts of device_attach(), which set the mechanism. */
int device_attach_tc(struct device *dev, const struct device_context *x, const struct interface *i);
int device_attach_xdp(struct device *dev, const struct device_context *x, const struct interface *i);

/* tc filters, which no link holds. */
void device_detach_filters(struct device *dev, const struct device_context *x);
void device_check_filters(struct device *dev, const struct device_context *x);

/* Says what runs before ours at tc, and takes the first place back once. */
void device_check_order(struct device *dev, const struct device_context *x);
