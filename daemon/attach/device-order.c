// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Whether ours is the first program at tc of an interface: what runs before it may end the chain, by letting a packet
 * pass or by sending it elsewhere, and then ours never sees it. See device.h.
 */

#include <inttypes.h>
#include <stdio.h>

#include "attach/clsact.h"
#include "attach/device-hook.h"
#include "base/cleanup.h"
#include "hook/lineup.h"
#include "log/log.h"
#include "text/names.h"

#define ITEM_TEXT_MAX 96

/* In words, into buffer. A program's name can be told by its id only, which needs CAP_SYS_ADMIN. */
static const char *describe(const struct lineup_item *item, char buffer[static ITEM_TEXT_MAX])
{
	if (item->priority == 0)
		(void) snprintf(buffer, ITEM_TEXT_MAX, "program %" PRIu32, item->program_id);
	else
		(void) snprintf(buffer, ITEM_TEXT_MAX, "the %s filter at priority %" PRIu32, item->kind, item->priority);
	return buffer;
}

/* Where ours is, counted from 1; 0 = the kernel does not say. */
static size_t read_position(const struct device *dev, const struct device_context *x, enum fw_direction d,
			    struct lineup *ret)
{
	const struct device_hook *h = &dev->hooks[FW_HOOK_TC];

	if (h->mechanism == FW_MECHANISM_TCX)
		lineup_read_tcx(dev->ifindex, d, ret);
	else if (lineup_read(dev->ifindex, d, ret) < 0)
		return 0;
	return lineup_position(ret, loader_program_id(x->loader, FW_HOOK_TC, d, h->is_l3));
}

static int move_link(struct device *dev, const struct device_context *x, enum fw_direction d)
{
	bool is_l3 = dev->hooks[FW_HOOK_TC].is_l3;
	_cleanup_close_ int copy = -1;
	int r;

	r = loader_copy_program(x->loader, FW_HOOK_TC, d, is_l3, &copy);
	if (r < 0)
		return r;
	return device_move_link(dev, d, x, loader_program(x->loader, FW_HOOK_TC, d, is_l3), copy);
}

static int move_first(struct device *dev, const struct device_context *x, enum fw_direction d)
{
	struct device_hook *h = &dev->hooks[FW_HOOK_TC];

	if (h->mechanism == FW_MECHANISM_TCX)
		return move_link(dev, x, d);
	return clsact_attach(x->clsact, dev->ifindex, d, loader_program(x->loader, FW_HOOK_TC, d, h->is_l3));
}

/* Two that both insist would go on for ever: ours does so once, until it is told to again. */
static void check_direction(struct device *dev, const struct device_context *x, enum fw_direction d)
{
	struct device_order *o = &dev->hooks[FW_HOOK_TC].orders[d];
	const char *direction = direction_to_string(d);
	char text[ITEM_TEXT_MAX];
	struct lineup l;
	size_t position;
	int r;

	position = read_position(dev, x, d, &l);
	if (position > 1 && !o->was_moved) {
		o->was_moved = true;
		(void) describe(&l.items[0], text);
		r = move_first(dev, x, d);
		position = read_position(dev, x, d, &l);
		if (position == 1)
			(void) log_warning(0, "Interface '%s': %s ran before ours at tc %s, ours is first again; if that "
					      "happens again, it stays so until a reload", dev->name, text, direction);
		else if (r < 0)
			(void) log_warning(r, "Interface '%s': cannot move our program before %s at tc %s: %m", dev->name,
					   text, direction);
	}
	if (position > 1 && (o->ahead.program_id != l.items[0].program_id || o->ahead.priority != l.items[0].priority)) {
		o->ahead = l.items[0];
		(void) log_warning(0, "Interface '%s': %s runs before ours at tc %s: ours never sees what it lets pass or "
				      "sends elsewhere; 'fwctl doctor' names it",
				   dev->name, describe(&o->ahead, text), direction);
	} else if (position == 1 && (o->ahead.program_id != 0 || o->ahead.priority != 0)) {
		o->ahead = (struct lineup_item){};
		log_notice("Interface '%s': our program is the first at tc %s again", dev->name, direction);
	}
}

void device_check_order(struct device *dev, const struct device_context *x)
{
	for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++)
		check_direction(dev, x, d);
}
