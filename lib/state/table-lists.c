// SPDX-License-Identifier: GPL-2.0-or-later

/* The lists as the kernel has them. */

#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>

#include "base/cleanup.h"
#include "state/table-internal.h"

int table_get_list(struct table *t, unsigned index, struct fw_list *ret)
{
	uint32_t key = index;

	if (index >= FW_LISTS_MAX)
		return -ERANGE;
	return bpf_map_lookup_elem(t->lists_fd, &key, ret) < 0 ? -errno : 0;
}

int table_find_list(struct table *t, const char *name, struct fw_list *ret)
{
	struct fw_list list;
	int r;

	for (unsigned i = 0; i < FW_LISTS_MAX; i++) {
		r = table_get_list(t, i, &list);
		if (r < 0)
			return r;
		if (list.name[0] != '\0' && strncmp(list.name, name, sizeof(list.name)) == 0) {
			if (ret)
				*ret = list;
			return i;
		}
	}
	return -ENOENT;
}

int table_list_name_at(struct table *t, unsigned index, uint64_t time_ns, char ret_name[static FW_LIST_NAME_MAX])
{
	struct fw_list list;
	bool is_former;
	int r;

	r = table_get_list(t, index, &list);
	if (r < 0)
		return r;
	is_former = !list.name[0] || time_ns < list.made_ns;
	if (is_former && (!list.former[0] || time_ns < list.former_made_ns))
		return -ENOENT;
	memcpy(ret_name, is_former ? list.former : list.name, FW_LIST_NAME_MAX);
	return 0;
}

int table_put_list(struct table_writer *w, unsigned index, const struct fw_list *list)
{
	struct table *t = w->t;
	uint32_t key = index;
	struct fw_list before;
	int r;

	r = table_get_list(t, index, &before);
	if (r < 0)
		return r;
	if (bpf_map_update_elem(t->lists_fd, &key, list, BPF_ANY) < 0)
		return -errno;
	w->lists_checked &= ~(1ull << index);
	/* a packet may have read an entry with this bit just before it went: another list must not decide on it */
	return before.name[0] != '\0' && list->name[0] == '\0' ? table_wait_for_programs(w) : 0;
}

int table_set_allow(struct table_writer *w, uint64_t lists)
{
	struct table *t = w->t;
	uint64_t unknown = lists & ~w->lists_checked & ~t->policy->allow;
	struct fw_list list;
	int r;

	for (unsigned i = 0; i < FW_LISTS_MAX && unknown >> i; i++) {
		if (!(unknown >> i & 1))
			continue;
		r = table_get_list(t, i, &list);
		if (r < 0)
			return r;
		if (list.name[0] != '\0' && list.is_enabled && list.action == FW_ACTION_ALLOW)
			__atomic_fetch_or(&t->policy->allow, 1ull << i, __ATOMIC_SEQ_CST);
	}
	w->lists_checked |= lists;
	return 0;
}
