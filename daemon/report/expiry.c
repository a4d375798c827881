// SPDX-License-Identifier: GPL-2.0-or-later

/* See expiry.h. */

#include <inttypes.h>
#include <stdio.h>

#include "log/log.h"
#include "log/messages.h"
#include "report/expiry.h"
#include "report/listnames.h"

#define RECORDS_MAX 20 /* of one sweep; a list of thousands that ends at once is one line more */
#define FIELD_MAX   (TARGET_TEXT_MAX + 16)

struct expiry {
	struct table *table;
	uint64_t n;
};

static void on_end(const struct target *target, uint64_t lists, void *userdata)
{
	char text[FIELD_MAX], name[TARGET_TEXT_MAX];
	const char *fields[1 + FW_LISTS_MAX + 1] = { text };
	struct expiry *x = userdata;
	struct list_names names;

	if (x->n++ >= RECORDS_MAX)
		return;
	list_names_read(&names, x->table, lists);
	(void) snprintf(text, sizeof(text), "FW_TARGET=%s", target_format(target, name));
	for (size_t i = 0; i < names.n_fields; i++)
		fields[1 + i] = names.fields[i];
	log_record(LOG_INFO, MESSAGE_EXPIRED, fields, "%s has ended in list %s", name, names.text);
}

int expiry_sweep(struct table_writer *w)
{
	struct expiry x = { .table = table_of(w) };
	char text[FIELD_MAX];
	const char *fields[] = { text, NULL };
	int r;

	r = table_sweep(w, on_end, &x);
	if (x.n > RECORDS_MAX) {
		(void) snprintf(text, sizeof(text), "FW_EXPIRED=%" PRIu64, x.n - RECORDS_MAX);
		log_record(LOG_INFO, MESSAGE_EXPIRED, fields, "%" PRIu64 " entries more have ended", x.n - RECORDS_MAX);
	}
	return r;
}
