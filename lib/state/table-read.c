// SPDX-License-Identifier: GPL-2.0-or-later

/* One entry, as the kernel has it and as it is now, without lists whose end has passed. */

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "kernel/tick.h"
#include "state/table-internal.h"

int table_raw_get(struct table *t, const struct target *target, struct raw *ret)
{
	struct fw_ends_key key;
	struct chains *c;
	int r;

	memset(ret, 0, sizeof(*ret));
	if (target->kind == TARGET_PORT) {
		r = table_get_port(t, target, ret);
		if (r < 0)
			return r;
	} else {
		r = table_current(t, target_fw_kind(target), &c);
		if (r >= 0)
			r = chains_read(c, &target->prefix, &ret->entry);
		if (r < 0)
			return r;
	}

	if (ret->entry.until == FW_UNTIL_MIXED) {
		key = table_ends_key(target, ret->port_index);
		r = table_ends_get(t, &key, &ret->ends);
		if (r < 0 && r != -ENOENT)
			return r;
	}
	return 0;
}

void table_raw_to_entry(const struct target *target, const struct raw *raw, uint32_t now, struct table_entry *ret)
{
	uint64_t all = raw->entry.lists[FW_INGRESS] | raw->entry.lists[FW_EGRESS];

	*ret = (struct table_entry){
		.target = *target,
		.hits = raw->entry.hits & ~FW_HITS_PENDING,
		.last_hit = raw->entry.last_hit,
	};
	for (unsigned i = 0; i < FW_LISTS_MAX; i++) {
		uint64_t bit = 1ull << i;
		uint32_t until;

		if (!(all & bit))
			continue;
		until = raw->entry.until == FW_UNTIL_MIXED ? raw->ends.until[i] : raw->entry.until;
		if (until != FW_UNTIL_NEVER && until <= now)
			continue;
		ret->until[i] = until;
		for (unsigned d = 0; d < _FW_DIRECTION_MAX; d++)
			ret->lists[d] |= raw->entry.lists[d] & bit;
	}
}

int table_entry_read(struct table *t, const struct target *target, struct raw *ret_raw, bool *ret_was_there,
		      struct table_entry *ret)
{
	int r = table_raw_get(t, target, ret_raw);

	if (r < 0 && r != -ENOENT)
		return r;
	*ret_was_there = r >= 0;
	table_raw_to_entry(target, ret_raw, tick_now(), ret);
	return 0;
}

int table_get(struct table *t, const struct target *target, struct table_entry *ret)
{
	struct raw raw;
	int r;

	r = table_raw_get(t, target, &raw);
	if (r < 0 && r != -ENOENT)
		return r;
	if (r == -ENOENT)
		memset(&raw.entry, 0, sizeof(raw.entry));
	table_raw_to_entry(target, &raw, tick_now(), ret);
	return table_entry_lists(ret) ? 0 : -ENOENT;
}
