// SPDX-License-Identifier: GPL-2.0-or-later

/* Pins are names that anybody with the right to may remove; what we hold by descriptor can be named again. */

#include "kernel/pins.h"
#include "load/repin.h"

int repin(const char *pin_dir, const char *name, int fd)
{
	int r;

	if (pins_exists(pin_dir, name))
		return 0;
	r = pins_put(pin_dir, name, fd);
	return r < 0 ? r : 1;
}
