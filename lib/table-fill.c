// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * What an upgrade puts into the tables of its own version: entries as they are, and later what the version
 * before has counted. The daemon alone calls this; which maps it reads is its business.
 */

#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>

#include "cleanup.h"
#include "table-internal.h"

int table_fill(struct table *t, enum fw_kind kind, const void *keys, const struct fw_entry *entries, uint32_t n)
{
	int fd = table_current_fd(t, kind);

	if (fd < 0)
		return fd;
	return bpf_map_update_batch(fd, keys, entries, &n, NULL) < 0 ? -errno : 0;
}

int table_fill_end(struct table *t, const struct fw_ends_key *key, const struct fw_ends *ends)
{
	return bpf_map_update_elem(t->ends_fd, key, ends, BPF_ANY) < 0 ? -errno : 0;
}

int table_fill_port(struct table *t, unsigned index, const struct fw_port *port)
{
	if (index >= FW_PORT_ENTRIES_MAX)
		return -E2BIG;
	t->ports[index] = *port;
	return 0;
}

int table_set_base(struct table *t, unsigned index, const struct fw_counters *base)
{
	return bpf_map_update_elem(t->base_counters_fd, &index, base, BPF_ANY) < 0 ? -errno : 0;
}

int table_set_list_base(struct table *t, unsigned list, const struct fw_list_counters *base)
{
	return bpf_map_update_elem(t->base_lists_fd, &list, base, BPF_ANY) < 0 ? -errno : 0;
}

int table_add_hits(int prog_fd, enum fw_kind kind, const void *key, uint64_t hits, uint32_t last_hit, bool is_pending)
{
	const struct fw_key4 *key4 = key; /* both begin with the length, and the address follows */
	struct fw_more_hits more = {
		.kind = kind,
		.prefixlen = key4->prefixlen,
		.hits = hits,
		.last_hit = last_hit,
		.is_pending = is_pending,
	};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = &more, .data_size_in = sizeof(more));

	memcpy(more.addr, &key4->addr, table_key_size(kind) - sizeof(key4->prefixlen));
	return bpf_prog_test_run_opts(prog_fd, &opts) < 0 ? -errno : 0;
}

int table_add_pending_hits(struct table *t, int prog_fd, enum fw_kind kind, const void *key, uint64_t hits,
			   uint32_t last_hit)
{
	const uint32_t *index = key;
	struct fw_entry *entry;

	if (kind != FW_KIND_PORT)
		return table_add_hits(prog_fd, kind, key, hits, last_hit, true);
	if (*index >= FW_PORT_ENTRIES_MAX)
		return 0;
	entry = &t->ports[*index].entry; /* the kernel's own memory: one addition */
	if (!(entry->hits & FW_HITS_PENDING))
		return 0;
	if (entry->last_hit < last_hit)
		entry->last_hit = last_hit;
	__atomic_fetch_add(&entry->hits, hits + FW_HITS_PENDING, __ATOMIC_SEQ_CST);
	return 0;
}

int table_wait_for_programs(struct table *t)
{
	int fd = table_current_fd(t, FW_KIND_IPV4);

	return fd < 0 ? fd : table_wait(t, FW_KIND_IPV4, fd);
}
