// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * What an upgrade puts into the tables of its own version: entries as they are, and later what the version
 * before has counted. The daemon alone calls this; which maps it reads is its business.
 */

#include <errno.h>

#include "base/cleanup.h"
#include "state/table-internal.h"

int table_fill(struct table_writer *w, const struct prefix *p, const struct fw_entry *entry)
{
	return table_put_prefix(w, p, entry);
}

int table_fill_end(struct table_writer *w, const struct fw_ends_key *key, const struct fw_ends *ends)
{
	return table_ends_put(w, key, ends);
}

int table_fill_port(struct table_writer *w, unsigned index, const struct fw_port *port)
{
	struct table *t = w->t;
	if (index >= FW_PORT_ENTRIES_MAX)
		return -E2BIG;
	t->ports[index] = *port;
	return 0;
}

static void add_pending(struct fw_entry *entry, uint64_t hits, uint32_t last_hit)
{
	if (entry->hits & FW_HITS_PENDING)
		table_add_hits(entry, hits + FW_HITS_PENDING, last_hit);
}

int table_add_pending_hits(struct table_writer *w, const struct prefix *p, uint64_t hits, uint32_t last_hit)
{
	struct table *t = w->t;
	struct fw_slot *slot;
	struct chains *c;
	int r;

	r = table_current(t, p->family == AF_INET ? FW_KIND_IPV4 : FW_KIND_IPV6, &c);
	if (r >= 0)
		r = chains_find(c, p, &slot);
	if (r >= 0)
		add_pending(&slot->entry, hits, last_hit);
	return r == -ENOENT ? 0 : r;
}

int table_add_pending_port_hits(struct table_writer *w, unsigned index, uint64_t hits, uint32_t last_hit)
{
	struct table *t = w->t;
	if (index < FW_PORT_ENTRIES_MAX)
		add_pending(&t->ports[index].entry, hits, last_hit);
	return 0;
}
