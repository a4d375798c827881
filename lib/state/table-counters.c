// SPDX-License-Identifier: GPL-2.0-or-later

/* Counters of hooks and lists: what the kernel has counted, and what versions before this one had. */

#include <errno.h>
#include <stdlib.h>

#include <bpf/bpf.h>

#include "base/cleanup.h"
#include "kernel/percpu.h"
#include "state/table-internal.h"

/* What the kernel has counted and what it had before, in words of 64 bits. */
static int sum_counters(int fd, int base_fd, uint32_t key, size_t value_size, uint64_t *ret, size_t n_words)
{
	_cleanup_free_ uint64_t *base = calloc(1, value_size);
	int r;

	if (!base)
		return -ENOMEM;
	if (bpf_map_lookup_elem(base_fd, &key, base) < 0)
		return -errno;
	r = percpu_sum(fd, key, value_size, ret, n_words);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n_words; i++)
		ret[i] += base[i];
	return 0;
}

int table_read_counters(struct table *t, enum fw_hook hook, enum fw_direction direction, struct fw_counters *ret)
{
	struct fw_counters c = {};
	int r;

	r = sum_counters(t->counters_fd, t->base_counters_fd, fw_counters_index(hook, direction), sizeof(c),
			 (uint64_t *)&c, offsetof(struct fw_counters, sampling) / sizeof(uint64_t));
	if (r < 0)
		return r;
	c.packets += c.dropped;
	c.bytes += c.dropped_bytes;
	*ret = c;
	return 0;
}

int table_read_list_counters(struct table *t, unsigned list, struct fw_list_counters *ret)
{
	return sum_counters(t->list_counters_fd, t->base_lists_fd, list, sizeof(*ret), (uint64_t *)ret,
			    sizeof(*ret) / sizeof(uint64_t));
}

int table_set_base(struct table_writer *w, unsigned index, const struct fw_counters *base)
{
	struct table *t = w->t;
	return bpf_map_update_elem(t->base_counters_fd, &index, base, BPF_ANY) < 0 ? -errno : 0;
}

int table_set_list_base(struct table_writer *w, unsigned list, const struct fw_list_counters *base)
{
	struct table *t = w->t;
	return bpf_map_update_elem(t->base_lists_fd, &list, base, BPF_ANY) < 0 ? -errno : 0;
}
