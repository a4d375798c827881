// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Port entries of the pinned tables, and the index that brings them to the packets: see ports.h. Changes are made in memory,
 * and one exchange of the index makes all of them known.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "base/cleanup.h"
#include "state/table-internal.h"

int table_get_port(struct table *t, const struct target *target, struct raw *ret)
{
	for (unsigned i = 0; i < FW_PORT_ENTRIES_MAX; i++) {
		const struct fw_port *p = &t->ports[i];

		if (p->is_used && p->protocol == target->port.protocol && p->first == target->port.first &&
		    p->last == target->port.last) {
			ret->port_index = i;
			ret->entry = p->entry;
			return 0;
		}
	}
	ret->port_index = ports_find_free(t->ports);
	return -ENOENT;
}

int table_exchange_port_index(struct table_writer *w)
{
	struct table *t = w->t;
	_cleanup_close_ int fd = -1;
	bool has_ports = false;
	uint32_t first = 0;
	int r;

	if (!w->port_index) {
		_cleanup_free_ struct fw_port_index *index = malloc(sizeof(*index));

		if (!index)
			return -ENOMEM;
		r = ports_build_index(t->ports, index);
		if (r < 0)
			return r;
		w->port_index = TAKE_PTR(index);
	}

	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "fw_port_index", sizeof(uint32_t), sizeof(struct fw_port_index), 1, NULL);
	if (fd < 0)
		return -errno;
	if (bpf_map_update_elem(fd, &first, w->port_index, BPF_ANY) < 0)
		return -errno;
	if (bpf_map_update_elem(t->port_index_fd, &first, &fd, BPF_ANY) < 0)
		return -errno;

	for (unsigned i = 0; i < FW_PORT_ENTRIES_MAX && !has_ports; i++)
		has_ports = t->ports[i].is_used;
	table_set_flags(t, FW_POLICY_PORTS, has_ports ? FW_POLICY_PORTS : 0);
	ports_settle(t->ports); /* the update has waited for the programs that ran */

	free(TAKE_PTR(w->port_index));
	w->ports_changed = false;
	return 0;
}

static bool is_same_rule(const struct fw_entry *a, const struct fw_entry *b)
{
	return a->lists[FW_INGRESS] == b->lists[FW_INGRESS] && a->lists[FW_EGRESS] == b->lists[FW_EGRESS] &&
	       a->until == b->until;
}

/* The index is built first: an entry that it has no room for is not added. */
int table_put_port(struct table_writer *w, const struct target *target, const struct raw *raw, bool was_there)
{
	struct table *t = w->t;
	_cleanup_free_ struct fw_port_index *index = malloc(sizeof(*index));
	_cleanup_free_ struct fw_port *entries = malloc(FW_PORT_ENTRIES_MAX * sizeof(*entries));
	struct fw_port want = {
		.entry = raw->entry,
		.first = target->port.first,
		.last = target->port.last,
		.protocol = target->port.protocol,
		.is_used = (raw->entry.lists[FW_INGRESS] | raw->entry.lists[FW_EGRESS]) != 0,
	};
	int r;

	if (!index || !entries)
		return -ENOMEM;
	if (raw->port_index == FW_PORT_ENTRIES_MAX)
		return want.is_used ? -E2BIG : 0;
	if (was_there && is_same_rule(&t->ports[raw->port_index].entry, &want.entry))
		return 0; /* what is not published yet stays to be published */
	memcpy(entries, t->ports, FW_PORT_ENTRIES_MAX * sizeof(*entries));
	entries[raw->port_index] = want;
	r = ports_build_index(entries, index);
	if (r < 0)
		return r;

	ports_set(&t->ports[raw->port_index], &want);
	free(w->port_index);
	w->port_index = TAKE_PTR(index);
	w->ports_changed = true;
	return 0;
}

/* Lists that do not allow, as bits. */
static int find_block_lists(struct table *t, uint64_t *ret)
{
	struct fw_list list;
	uint64_t lists = 0;
	int r;

	for (unsigned i = 0; i < FW_LISTS_MAX; i++) {
		r = table_get_list(t, i, &list);
		if (r < 0)
			return r;
		if (list.name[0] != '\0' && list.action != FW_ACTION_ALLOW)
			lists |= 1ull << i;
	}
	*ret = lists;
	return 0;
}

int table_count_port_bans(struct table *t, unsigned *ret)
{
	uint64_t lists;
	int r;

	r = find_block_lists(t, &lists);
	if (r >= 0)
		*ret = ports_count(t->ports, lists);
	return r;
}

int table_admit_port(struct table *t, const struct target *target, unsigned list, const struct raw *was, bool was_there)
{
	struct fw_port p = {
		.first = target->port.first,
		.last = target->port.last,
		.protocol = target->port.protocol,
	};
	uint64_t lists;
	int r;

	r = find_block_lists(t, &lists);
	if (r < 0)
		return r;
	if (!(lists >> list & 1))
		return 0;
	if (was_there && (was->entry.lists[FW_INGRESS] | was->entry.lists[FW_EGRESS]) & lists)
		return 0; /* it has its place already */
	return ports_count(t->ports, lists) >= FW_PORT_BANS_MAX ||
			       ports_overlap(t->ports, lists, &p) >= FW_PORT_OVERLAP_BANS_MAX ?
		       -E2BIG : 0;
}

/* Is this key in the map ends? Then packets may use it until the port index without it is in place. */
static bool has_ends(struct table *t, const struct fw_ends_key *key)
{
	struct fw_ends ends;

	return table_ends_get(t, key, &ends) >= 0;
}

int table_publish_ports(struct table_writer *w, const struct target *target, const struct raw *raw, bool was_there,
			bool is_mixed)
{
	struct table *t = w->t;
	struct fw_ends_key key;

	if (target->kind != TARGET_PORT)
		return w->ports_changed ? table_exchange_port_index(w) : 0;
	if (!was_there && raw->port_index < FW_PORT_ENTRIES_MAX && t->ports[raw->port_index].is_given_up)
		return table_exchange_port_index(w);
	if (!w->ports_changed || !is_mixed)
		return 0;
	key = table_ends_key(target, raw->port_index);
	return has_ends(t, &key) ? table_exchange_port_index(w) : 0;
}

void table_keep_ends(struct raw *raw, const struct raw *was)
{
	uint64_t before = was->entry.lists[FW_INGRESS] | was->entry.lists[FW_EGRESS];
	uint64_t now = raw->entry.lists[FW_INGRESS] | raw->entry.lists[FW_EGRESS];

	for (unsigned i = 0; i < FW_LISTS_MAX; i++)
		if (before & ~now & 1ull << i)
			raw->ends.until[i] = was->entry.until == FW_UNTIL_MIXED ? was->ends.until[i] : was->entry.until;
}
