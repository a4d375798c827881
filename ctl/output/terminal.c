// SPDX-License-Identifier: GPL-2.0-or-later

/* See terminal.h. */

#include "output/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

struct terminal_size terminal_size(void)
{
	struct winsize w = {};

	if (!isatty(STDOUT_FILENO))
		return (struct terminal_size){};
	(void) ioctl(STDOUT_FILENO, TIOCGWINSZ, &w); /* else it is taken for one of the smallest */
	return (struct terminal_size){ .columns = w.ws_col ?: 80, .rows = w.ws_row ?: 24 };
}
