/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The links that carry our programs on one interface, by hook and direction, with their pins, and the note of what went
 * wrong. Which programs they carry, and when, is decided by device.c and its parts. Logs.
 */

#include "attach/device.h"
#include "attach/link.h"

/* links/HOOK_DIRECTION_IFINDEX. Returns buffer. */
#define DEVICE_PIN_MAX 40
const char *device_pin_name(enum fw_hook hook, enum fw_direction d, unsigned ifindex,
			    char buffer[static DEVICE_PIN_MAX]);

/* The other way round, without "links/". False if it is none of these names. */
bool device_parse_pin_name(const char *name, enum fw_hook *ret_hook, enum fw_direction *ret_d,
			   unsigned *ret_ifindex);

/* The link that a hook has in a direction. */
struct link_target device_link_target(const struct device *dev, enum fw_hook hook, enum fw_direction d);

/*
 * A descriptor of the link for the moment: the one that is held, else that of its pin, which is also in *opened, for the
 * caller to close. -ENOENT: there is no such link; other errors are those of pins_open().
 */
int device_reach_link(const struct device *dev, enum fw_hook hook, enum fw_direction d, const struct device_context *x,
		      int *opened);

/* Takes a link of a run before us; -ENOLINK if its interface is gone. */
int device_adopt(struct device *dev, enum fw_hook hook, enum fw_direction d, const struct device_context *x, int *fd);

bool device_has_link(const struct device *dev, enum fw_hook hook);

/* How many links have no descriptor, but a pin. */
size_t device_count_pinned(const struct device *dev);

/* Closes descriptors of links that are too many since the limit was lowered. */
void device_let_go(struct device *dev, const struct device_context *x);

/* Keeps and logs the reason why the hook is not attached. Returns r. */
int device_fail(struct device *dev, enum fw_hook hook, int r, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Makes prog_fd run there by a link, see link_attach(). */
int device_attach_link(struct device *dev, enum fw_hook hook, enum fw_direction d, uint32_t flags,
		       const struct device_context *x, int prog_fd);

/* Moves the link at tc to the first place, see link_move_first(). */
int device_move_link(struct device *dev, enum fw_direction d, const struct device_context *x, int prog_fd, int copy_fd);
void device_detach_links(struct device *dev, enum fw_hook hook, const struct device_context *x);

/*
 * The ifindex that the links of an interface lead to, in any network namespace: an interface that was moved takes our
 * programs along, and may bring them back under another ifindex. 0 = to nothing.
 */
unsigned device_whereabouts(const struct device *dev, const struct device_context *x);

/* Does a link of the device run on the interface that has its number here? */
bool device_is_linked(const struct device *dev, const struct device_context *x);

/* Takes those links of from that lead to dev, which are not there twice, and their pins. */
void device_take_over(struct device *dev, enum fw_hook hook, struct device *from,
		      const struct device_context *x);

/*
 * The part of device_check() for links: does each run our program, and is it pinned? One that does not leaves its hook
 * without a mechanism.
 */
void device_check_links(struct device *dev, enum fw_hook hook, const struct device_context *x);
