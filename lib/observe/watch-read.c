// SPDX-License-Identifier: GPL-2.0-or-later

/* What viewers read: rings, counts, addresses seen, sizes; the outer maps that hold them are opened in watch.c. */

#include <errno.h>

#include <bpf/bpf.h>

#include "base/cleanup.h"
#include "kernel/percpu.h"
#include "kernel/pins.h"
#include "observe/watch-internal.h"

int watch_new_ring(uint32_t n_bytes)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "fw_ring", 0, 0, n_bytes, NULL);

	return fd < 0 ? -errno : fd;
}

int watch_read_counts(struct watch *w, struct fw_watch_counts *ret)
{
	struct fw_watch_counts now = {};
	int r;

	if (w->counted == WATCH_NO_SLOT)
		return -ESTALE;
	r = percpu_sum(w->counts_fd, w->counted, sizeof(now), (uint64_t *)&now,
			     offsetof(struct fw_watch_counts, tick) / sizeof(uint64_t));
	if (r < 0)
		return r;

	*ret = (struct fw_watch_counts){
		.shown = now.shown - w->base.shown,
		.hidden = now.hidden - w->base.hidden,
		.lost = now.lost - w->base.lost,
	};
	return 0;
}

int watch_read_totals(struct watch *w, struct fw_watch_counts *ret)
{
	struct fw_watch_counts sum = {};

	for (uint32_t slot = FW_WATCHER_DAEMON + 1; slot < FW_WATCHERS_MAX; slot++) {
		struct fw_watch_counts one = {};
		int r;

		r = percpu_sum(w->counts_fd, slot, sizeof(one), (uint64_t *)&one,
				     offsetof(struct fw_watch_counts, tick) / sizeof(uint64_t));
		if (r < 0)
			return r;
		sum.shown += one.shown;
		sum.hidden += one.hidden;
		sum.lost += one.lost;
	}
	*ret = sum;
	return 0;
}

int watch_open_seen(struct watch *w, uint32_t n_addresses)
{
	struct map_shape shape = { WATCH_SEEN_PIN, BPF_MAP_TYPE_LRU_HASH, sizeof(struct fw_seen_key), sizeof(struct fw_seen) };
	_cleanup_close_ int fd = -1;
	uint32_t first = 0;
	int r;

	r = pins_open_map(w->pin_dir, &shape, &fd);
	if (r == -ENOENT) {
		fd = bpf_map_create(BPF_MAP_TYPE_LRU_HASH, "fw_seen", shape.key_size, shape.value_size, n_addresses, NULL);
		if (fd < 0)
			return -errno;
		r = pins_put(w->pin_dir, WATCH_SEEN_PIN, fd);
	}
	if (r < 0)
		return r;
	/* also if it was pinned: its maker may have died in between */
	if (bpf_map_update_elem(w->seen_fd, &first, &fd, BPF_ANY) < 0)
		return -errno;
	return TAKE_FD(fd);
}

int watch_read_sizes(struct watch *w, enum fw_hook hook, enum fw_direction direction, struct fw_sizes *ret)
{
	*ret = (struct fw_sizes){};
	return percpu_sum(w->sizes_fd, fw_counters_index(hook, direction), sizeof(*ret), (uint64_t *)ret,
				offsetof(struct fw_sizes, last_ns) / sizeof(uint64_t));
}
