// SPDX-License-Identifier: GPL-2.0-or-later

/* Pins are names that anybody with the right to may remove; what we hold by descriptor can be named again. */

#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "pins.h"
#include "repin.h"

int repin(const char *pin_dir, const char *name, int fd)
{
	char path[PATH_MAX];
	int r;

	(void) snprintf(path, sizeof(path), "%s/%s", pin_dir, name);
	if (access(path, F_OK) == 0)
		return 0;
	r = pins_put(pin_dir, name, fd);
	return r < 0 ? r : 1;
}
