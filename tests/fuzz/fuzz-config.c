// SPDX-License-Identifier: GPL-2.0-or-later

/* The input as ebpf-fw.conf: either a whole configuration, or at least one error with a text. */

#include <errno.h>

#include "base/cleanup.h"
#include "config/config.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(config_done) struct config c = {};
	_cleanup_(config_errors_done) struct config_errors errors = {};
	int r = config_parse_string((const char *)data, size, &c, &errors);

	MUST(r == 0 || r == -EBADMSG);
	MUST((r == 0) == (errors.n_items == 0));
	MUST((r == 0) == (c.interfaces && c.cgroup));
	for (size_t i = 0; i < errors.n_items; i++)
		MUST(errors.items[i].text && errors.items[i].text[0] != '\0');
	return 0;
}
