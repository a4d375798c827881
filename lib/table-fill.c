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

struct pending {
	table_hits_fn fn;
	void *userdata;
	int prog_fd;
};

static int add_to_port(struct table *t, const struct pending *p, unsigned index)
{
	struct fw_entry *entry = &t->ports[index].entry; /* the kernel's own memory: one addition */
	uint32_t last_hit = 0;
	uint64_t hits = 0;
	int r;

	r = p->fn(FW_KIND_PORT, &index, &hits, &last_hit, p->userdata);
	if (r < 0)
		return r;
	if (entry->last_hit < last_hit)
		entry->last_hit = last_hit;
	__atomic_fetch_add(&entry->hits, hits + FW_HITS_PENDING, __ATOMIC_SEQ_CST);
	return 0;
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

static int add_to_prefix(const struct pending *p, const struct target *target)
{
	union key key = table_prefix_to_key(&target->prefix);
	enum fw_kind kind = table_kind(target);
	uint32_t last_hit = 0;
	uint64_t hits = 0;
	int r;

	r = p->fn(kind, &key, &hits, &last_hit, p->userdata);
	return r < 0 ? r : table_add_hits(p->prog_fd, kind, &key, hits, last_hit, true);
}

static int add_to_one(struct table *t, const struct target *target, struct raw *raw, void *userdata)
{
	const struct pending *p = userdata;

	if (!(raw->entry.hits & FW_HITS_PENDING))
		return 0;
	return target->kind == TARGET_PORT ? add_to_port(t, p, raw->port_index) : add_to_prefix(p, target);
}

int table_add_pending_hits(struct table *t, int prog_fd, table_hits_fn fn, void *userdata)
{
	struct pending p = { .fn = fn, .userdata = userdata, .prog_fd = prog_fd };
	int r = 0;

	for (enum fw_kind kind = FW_KIND_IPV4; kind < _FW_KIND_MAX && r >= 0; kind++)
		r = table_walk_raw(t, kind, add_to_one, &p);
	return r;
}

int table_wait_for_programs(struct table *t)
{
	uint32_t slot = fw_slot(t->policy->table_generation[FW_KIND_IPV4]);
	int fd = table_current_fd(t, FW_KIND_IPV4);

	if (fd < 0)
		return fd;
	/* puts there what is there: an update of such a map waits for the programs that run */
	return bpf_map_update_elem(t->tables_fd[FW_KIND_IPV4], &slot, &fd, BPF_ANY) < 0 ? -errno : 0;
}
