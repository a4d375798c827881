// SPDX-License-Identifier: GPL-2.0-or-later

/* The configuration for a start and for a reload; its mistakes go to the log. */

#include <errno.h>

#include "base/cleanup.h"
#include "log/log.h"
#include "manager.h"

int manager_read_config(const char *path, struct config *ret)
{
	_cleanup_(config_errors_done) struct config_errors errors = {};
	int r;

	r = config_parse_file(path, ret, &errors);
	if (r == -ENOENT) {
		log_notice("There is no configuration '%s', using the defaults", path);
		return config_default(ret);
	}
	for (size_t n = 0; n < errors.n_items; n++) {
		const struct config_error *e = &errors.items[n];

		if (e->line > 0)
			(void) log_error(0, "%s:%zu: %s", path, e->line, e->text);
		else
			(void) log_error(0, "%s: %s", path, e->text);
	}
	if (r < 0 && r != -EBADMSG)
		return log_error(r, "Cannot read the configuration '%s': %m", path);
	return r;
}
