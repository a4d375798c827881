// SPDX-License-Identifier: GPL-2.0-or-later

/* See listnames.h. */

#include "report/listnames.h"

#include <stdio.h>

#include "base/cleanup.h"

void list_names_begin(struct list_names *l)
{
	l->n_fields = 0;
	l->n_text = 0;
	l->text[0] = '\0';
}

void list_names_add(struct list_names *l, const char *name)
{
	if (l->n_fields == ELEMENTSOF(l->fields))
		return;
	(void) snprintf(l->fields[l->n_fields++], LIST_FIELD_MAX, "FW_LIST=%s", name);
	if (l->n_text < sizeof(l->text))
		l->n_text += (size_t)snprintf(l->text + l->n_text, sizeof(l->text) - l->n_text, "%s%s",
					      l->n_text > 0 ? "," : "", name);
}

void list_names_read(struct list_names *l, struct table *t, uint64_t lists)
{
	struct fw_list list;

	list_names_begin(l);
	for (unsigned i = 0; i < FW_LISTS_MAX; i++)
		if (lists >> i & 1 && table_get_list(t, i, &list) == 0 && list.name[0])
			list_names_add(l, list.name);
}
