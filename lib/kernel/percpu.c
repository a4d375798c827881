// SPDX-License-Identifier: GPL-2.0-or-later

/* Per-CPU maps. See percpu.h. */

#include "kernel/percpu.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"

int percpu_sum(int fd, uint32_t key, size_t value_size, uint64_t *ret, size_t n_words)
{
	size_t stride = value_size / sizeof(*ret);
	_cleanup_free_ uint64_t *values = NULL;
	int n_cpus = libbpf_num_possible_cpus();

	if (n_cpus < 0)
		return n_cpus;
	values = calloc(n_cpus, value_size);
	if (!values)
		return -ENOMEM;
	if (bpf_map_lookup_elem(fd, &key, values) < 0)
		return -errno;

	memset(ret, 0, n_words * sizeof(*ret));
	for (int cpu = 0; cpu < n_cpus; cpu++)
		for (size_t i = 0; i < n_words; i++)
			ret[i] += values[cpu * stride + i];
	return 0;
}
