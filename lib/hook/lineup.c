// SPDX-License-Identifier: GPL-2.0-or-later

/* Two questions to the kernel, put together in its order: see lineup.h. */

#include "hook/lineup.h"

#include <bpf/bpf.h>
#include <stdio.h>

#include "hook/filters.h"

#define TCX_PROGRAMS_MAX 64 /* the kernel takes no more */

/* enum bpf_attach_type; the headers of kernels before 6.6 lack it */
static const uint32_t tcx_types[_FW_DIRECTION_MAX] = { [FW_INGRESS] = 46, [FW_EGRESS] = 47 };

void lineup_read_tcx(unsigned ifindex, enum fw_direction d, struct lineup *ret)
{
	__u32 ids[TCX_PROGRAMS_MAX], n = TCX_PROGRAMS_MAX;

	ret->n = 0;
	if (bpf_prog_query((int)ifindex, tcx_types[d], 0, NULL, ids, &n) < 0)
		return;
	for (; ret->n < n; ret->n++)
		ret->items[ret->n] = (struct lineup_item){ .program_id = ids[ret->n] };
}

static int add_filter(const struct tc_filter *f, void *userdata)
{
	struct lineup *l = userdata;
	struct lineup_item *item;

	if (f->chain != 0 || l->n == LINEUP_MAX)
		return 0;
	item = &l->items[l->n++];
	*item = (struct lineup_item){ .program_id = f->program_id, .priority = f->priority };
	(void) snprintf(item->kind, sizeof(item->kind), "%s", f->kind);
	(void) snprintf(item->name, sizeof(item->name), "%s", f->name);
	return 0;
}

int lineup_read(unsigned ifindex, enum fw_direction d, struct lineup *ret)
{
	lineup_read_tcx(ifindex, d, ret);
	return filters_foreach_at(ifindex, d, add_filter, ret);
}

size_t lineup_position(const struct lineup *l, uint32_t program_id)
{
	for (size_t i = 0; i < l->n; i++)
		if (program_id != 0 && l->items[i].program_id == program_id)
			return i + 1;
	return 0;
}
