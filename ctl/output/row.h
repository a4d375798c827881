/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * One entry as the row that show and check print: {"target", "lists": [{"name", "direction",
 * "until", "since", "comment"}], "hits", "last_hit"}. The names of lists come from the kernel, since and
 * comments from the list files, which are read when the first row needs them.
 */

#include <json-c/json.h>

#include "ctl.h"
#include "output/format.h"

struct row_maker {
	struct ctl *ctl;
	struct fw_list lists[FW_LISTS_MAX];
	struct list *files[FW_LISTS_MAX];
	uint64_t loaded; /* files that have been looked for */
	bool is_detailed; /* also says of each list {"action", "mode", "enabled", "list_comment"} */
};

int row_maker_init(struct row_maker *m, struct ctl *ctl, struct table *t);
void row_maker_done(struct row_maker *m);

json_object *row_make(struct row_maker *m, const struct table_entry *e);

