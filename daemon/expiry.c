// SPDX-License-Identifier: GPL-2.0-or-later

/* See expiry.h. */

#include <inttypes.h>
#include <string.h>

#include "cleanup.h"
#include "expiry.h"
#include "log.h"
#include "messages.h"

#define RECORDS_MAX 20 /* of one sweep; a list of thousands that ends at once is one line more */
#define FIELD_MAX   (FW_LIST_NAME_MAX + 16)

struct expiry {
	struct table *table;
	uint64_t n;
};

static void on_end(const struct target *target, uint64_t lists, void *userdata)
{
	char text[FW_LISTS_MAX + 1][FIELD_MAX], names[FW_TEXT_MAX] = "", name[TARGET_TEXT_MAX];
	const char *fields[ELEMENTSOF(text) + 1] = {};
	struct expiry *x = userdata;
	struct fw_list list;
	size_t n = 0, used = 0;

	if (x->n++ >= RECORDS_MAX)
		return;
	(void) snprintf(text[n++], FIELD_MAX, "FW_TARGET=%s", target_format(target, name));
	for (unsigned i = 0; i < FW_LISTS_MAX; i++) {
		if (!(lists >> i & 1) || table_get_list(x->table, i, &list) < 0 || !list.name[0])
			continue;
		(void) snprintf(text[n++], FIELD_MAX, "FW_LIST=%s", list.name);
		if (used < sizeof(names))
			used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s", used > 0 ? "," : "", list.name);
	}
	for (size_t i = 0; i < n; i++)
		fields[i] = text[i];
	log_record(LOG_INFO, MESSAGE_EXPIRED, fields, "%s has ended in list %s", name, names);
}

int expiry_sweep(struct table *t)
{
	struct expiry x = { .table = t };
	char text[FIELD_MAX];
	const char *fields[] = { text, NULL };
	int r;

	r = table_sweep(t, on_end, &x);
	if (x.n > RECORDS_MAX) {
		(void) snprintf(text, sizeof(text), "FW_EXPIRED=%" PRIu64, x.n - RECORDS_MAX);
		log_record(LOG_INFO, MESSAGE_EXPIRED, fields, "%" PRIu64 " entries more have ended", x.n - RECORDS_MAX);
	}
	return r;
}
