/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Lists as a record names them: each in a field of its own, by which it is found, and all in one word of the message. */

#include "state/table.h"

#define LIST_FIELD_MAX (FW_LIST_NAME_MAX + sizeof("FW_LIST="))
#define LIST_NAMES_MAX 256 /* "manual,fail2ban/sshd"; what is too long is cut */

struct list_names {
	char text[LIST_NAMES_MAX];
	char fields[FW_LISTS_MAX][LIST_FIELD_MAX];
	size_t n_fields;
	size_t n_text; /* length of text as it would be without a limit */
};

void list_names_begin(struct list_names *l);
void list_names_add(struct list_names *l, const char *name);

/* Begins, and adds the lists that have these numbers now. lists: as bits; one that is gone is left out. */
void list_names_read(struct list_names *l, struct table *t, uint64_t lists);
