// SPDX-License-Identifier: GPL-2.0-or-later

/* See listnames.h. */

#include "listnames.h"

#include <stdio.h>

void list_names_read(struct list_names *l, struct table *t, uint64_t lists)
{
	struct fw_list list;
	size_t used = 0;

	l->n_fields = 0;
	l->text[0] = '\0';
	for (unsigned i = 0; i < FW_LISTS_MAX; i++) {
		if (!(lists >> i & 1) || table_get_list(t, i, &list) < 0 || !list.name[0])
			continue;
		(void) snprintf(l->fields[l->n_fields++], LIST_FIELD_MAX, "FW_LIST=%s", list.name);
		if (used < sizeof(l->text))
			used += (size_t)snprintf(l->text + used, sizeof(l->text) - used, "%s%s", used > 0 ? "," : "",
						 list.name);
	}
}
