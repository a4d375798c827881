// SPDX-License-Identifier: GPL-2.0-or-later

/* The rules of bpf/entry.h in user space: see reckon.h. */

#include "base/cleanup.h"
#include "inspect/reckon.h"

/* What an entry says, in the order of its weight: as enum rank of bpf/entry.h. */
enum weight {
	WEIGHT_NONE,
	WEIGHT_AUDITED_PORT,
	WEIGHT_AUDITED_ADDRESS,
	WEIGHT_PORT,
	WEIGHT_ADDRESS,
	WEIGHT_ALLOWED,
	_WEIGHT_MAX,
};

static const enum fw_reason reasons[_WEIGHT_MAX] = {
	[WEIGHT_NONE] = FW_REASON_NO_MATCH,        [WEIGHT_AUDITED_PORT] = FW_REASON_AUDITED,
	[WEIGHT_AUDITED_ADDRESS] = FW_REASON_AUDITED, [WEIGHT_PORT] = FW_REASON_PORT,
	[WEIGHT_ADDRESS] = FW_REASON_ADDRESS,      [WEIGHT_ALLOWED] = FW_REASON_ALLOWED,
};

/* The weight of an entry by one of the lists that hold it. */
static enum weight weigh(const struct target *target, const struct fw_list *l)
{
	bool is_port = target->kind == TARGET_PORT;

	if (!l->is_enabled)
		return WEIGHT_NONE;
	if (l->action == FW_ACTION_ALLOW)
		return WEIGHT_ALLOWED;
	if (l->mode == FW_MODE_AUDIT)
		return is_port ? WEIGHT_AUDITED_PORT : WEIGHT_AUDITED_ADDRESS;
	return is_port ? WEIGHT_PORT : WEIGHT_ADDRESS;
}

struct reckoning reckon(const struct table_entry *entries, size_t n_entries, const struct fw_list lists[FW_LISTS_MAX],
			enum fw_direction direction, uint64_t without)
{
	struct reckoning x = { .list = FW_LISTS_MAX };
	enum weight heaviest = WEIGHT_NONE, w;

	for (const struct table_entry *e = entries; e < END_OF(entries, n_entries); e++)
		for (unsigned i = 0; i < FW_LISTS_MAX; i++) {
			if (!((e->lists[direction] & ~without) >> i & 1))
				continue;
			w = weigh(&e->target, &lists[i]);
			if (w > heaviest) { /* among equals the first: it is the most specific */
				heaviest = w;
				x.list = i;
			}
		}
	x.reason = reasons[heaviest];
	x.verdict = heaviest == WEIGHT_PORT || heaviest == WEIGHT_ADDRESS ? FW_DROP : FW_PASS;
	return x;
}

uint64_t reckon_lists(const struct table_entry *entries, size_t n_entries, const struct fw_list lists[FW_LISTS_MAX],
		      enum fw_direction direction)
{
	uint64_t found = 0;

	for (const struct table_entry *e = entries; e < END_OF(entries, n_entries); e++)
		found |= e->lists[direction];
	for (unsigned i = 0; i < FW_LISTS_MAX; i++)
		if (!lists[i].is_enabled)
			found &= ~(1ull << i);
	return found;
}
