// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Slots and gates of watchers: see watch.h. The order of the stores matters, because the kernel and other viewers may look
 * at any moment. A slot is live from the store of its ring on. It is dead once the ring is removed, and the removal waits
 * for the programs that still write to it.
 */

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "kernel/pins.h"
#include "kernel/tick.h"
#include "observe/watch-internal.h"

struct watch *watch_free(struct watch *w)
{
	if (!w)
		return NULL;

	watch_release(w);
	if (w->policy)
		(void) munmap(w->policy, sizeof(*w->policy));
	if (w->watchers)
		(void) munmap(w->watchers, FW_WATCHERS_MAX * sizeof(*w->watchers));
	closep(&w->counts_fd);
	closep(&w->rings_fd);
	closep(&w->seen_fd);
	closep(&w->sizes_fd);
	free(w->pin_dir);
	free(w);
	return NULL;
}

static void watch_freep(struct watch **w)
{
	watch_free(*w);
}

int watch_open(const char *pin_dir, struct watch **ret)
{
	_cleanup_(watch_freep) struct watch *w = NULL;
	struct fw_meta meta;
	int r;

	r = pins_read_meta(pin_dir, &meta);
	if (r < 0)
		return r;
	w = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	w->counts_fd = w->rings_fd = w->seen_fd = w->sizes_fd = -1;
	w->slot = w->counted = WATCH_NO_SLOT;
	w->pin_dir = strdup(pin_dir);
	if (!w->pin_dir)
		return -ENOMEM;
	r = pins_map_id(pin_dir, "meta", &w->meta_id); /* before the others: an upgrade may exchange them now */
	if (r < 0)
		return r;

	const struct {
		struct map_shape shape;
		int *fd;
	} maps[] = {
		{ { "maps/watch_counts", BPF_MAP_TYPE_PERCPU_ARRAY, sizeof(uint32_t), sizeof(struct fw_watch_counts) },
		  &w->counts_fd },
		{ { "maps/rings", BPF_MAP_TYPE_ARRAY_OF_MAPS, sizeof(uint32_t), sizeof(uint32_t) }, &w->rings_fd },
		{ { "maps/seen", BPF_MAP_TYPE_ARRAY_OF_MAPS, sizeof(uint32_t), sizeof(uint32_t) }, &w->seen_fd },
		{ { "maps/sizes", BPF_MAP_TYPE_PERCPU_ARRAY, sizeof(uint32_t), sizeof(struct fw_sizes) }, &w->sizes_fd },
	};
	for (size_t i = 0; i < ELEMENTSOF(maps); i++) {
		r = pins_open_map(pin_dir, &maps[i].shape, maps[i].fd);
		if (r < 0)
			return r;
	}
	r = pins_map_array(pin_dir, "maps/policy", sizeof(*w->policy), 1, (void **)&w->policy);
	if (r < 0)
		return r;
	r = pins_map_array(pin_dir, "maps/watchers", sizeof(*w->watchers), FW_WATCHERS_MAX, (void **)&w->watchers);
	if (r < 0)
		return r;

	*ret = TAKE_PTR(w);
	return 0;
}

static uint32_t slot_until(struct watch *w, uint32_t slot)
{
	return __atomic_load_n(&w->watchers[slot].until, __ATOMIC_SEQ_CST);
}

/* Stores the new end only if the old one is still there: the slot was neither taken nor freed since. */
static bool slot_exchange(struct watch *w, uint32_t slot, uint32_t was, uint32_t until)
{
	return __atomic_compare_exchange_n(&w->watchers[slot].until, &was, until, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_SEQ_CST);
}

static void raise_tick(uint32_t *tick, uint32_t until)
{
	uint32_t was = __atomic_load_n(tick, __ATOMIC_SEQ_CST);

	while (was < until &&
	       !__atomic_compare_exchange_n(tick, &was, until, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
}

/* Where the kernel finds that anybody watches in this way, and until when. NULL: samples have an epoch instead. */
static uint32_t *gate_of(struct watch *w, uint8_t watch)
{
	switch (watch) {
	case FW_WATCH_DROPS:
		return &w->policy->watch_drops.until;
	case FW_WATCH_SEEN:
	case FW_WATCH_SIZES:
		return &w->policy->watch_packets;
	default:
		return NULL;
	}
}

static void note_end(struct watch *w, uint8_t watch, uint32_t until)
{
	if (watch == FW_WATCH_SEEN)
		raise_tick(&w->policy->seen_until, until);
	else if (watch == FW_WATCH_SIZES)
		raise_tick(&w->policy->sizes_until, until);
}

/*
 * Opens a gate for a slot that is live already. It always stores another tick than the gate had. A viewer that shuts it at
 * this moment, because it saw no lease, does so only while the gate has the tick that it saw.
 */
static void gate_open(uint32_t *gate, uint32_t until)
{
	uint32_t was = __atomic_load_n(gate, __ATOMIC_ACQUIRE);

	while (!__atomic_compare_exchange_n(gate, &was, was < until ? until : was + 1, false, __ATOMIC_ACQ_REL,
					    __ATOMIC_ACQUIRE))
		;
}

/* The latest end of a lease for a gate, 0 = there is none. */
static uint32_t gate_latest(struct watch *w, const uint32_t *gate, uint32_t now)
{
	uint32_t latest = 0, until;

	for (uint32_t i = 0; i < FW_WATCHERS_MAX; i++) {
		until = slot_until(w, i);
		if (until >= now && until > latest && gate_of(w, w->watchers[i].watch) == gate)
			latest = until;
	}
	return latest;
}

/*
 * Shuts a gate without a lease. For the kernel it is as good as shut when its tick has passed. A viewer that renews its
 * lease stores the lease and then loads the gate. This stores the gate and then loads the leases. All are sequentially
 * consistent, so that at least one of the two sees what the other has stored (I17).
 */
static void gate_leave(struct watch *w, uint32_t *gate)
{
	uint32_t until = __atomic_load_n(gate, __ATOMIC_SEQ_CST), now = tick_now(), latest;

	if (gate_latest(w, gate, now) ||
	    !__atomic_compare_exchange_n(gate, &until, 0, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return;
	latest = gate_latest(w, gate, now);
	if (latest)
		gate_open(gate, latest);
}

/* No program uses the map in this place when it returns: removing it waits for those that run. */
static int take_out(int outer_fd, uint32_t index)
{
	uint32_t id;

	if (bpf_map_lookup_elem(outer_fd, &index, &id) < 0) /* else it would wait for nothing */
		return errno == ENOENT ? 0 : -errno;
	return bpf_map_delete_elem(outer_fd, &index) < 0 ? -errno : 0;
}

/* Frees a slot that has run out, unless its owner comes back at this very moment. */
static int sweep_slot(struct watch *w, uint32_t slot, uint32_t until)
{
	if (!slot_exchange(w, slot, until, 0))
		return 0;
	if (slot == FW_WATCHER_DAEMON)
		watch_sample(w, false);
	return take_out(w->rings_fd, slot);
}

static bool is_watched(struct watch *w, uint8_t watch)
{
	uint32_t now = tick_now();

	for (uint32_t i = 0; i < FW_WATCHERS_MAX; i++)
		if (w->watchers[i].watch == watch && slot_until(w, i) >= now)
			return true;
	return false;
}

static int sweep_seen(struct watch *w)
{
	int r;

	if (is_watched(w, FW_WATCH_SEEN))
		return 0;
	r = take_out(w->seen_fd, 0);
	return r < 0 ? r : pins_remove(w->pin_dir, WATCH_SEEN_PIN);
}

int watch_sweep(struct watch *w)
{
	uint32_t now = tick_now(), until;
	int r;

	for (uint32_t i = 0; i < FW_WATCHERS_MAX; i++) {
		until = slot_until(w, i);
		if (until == 0 || until >= now)
			continue;
		r = sweep_slot(w, i, until);
		if (r < 0)
			return r;
	}
	return sweep_seen(w);
}

/*
 * The first packet of a watch has no previous one: the latest one may have passed hours ago, during the last watch. What a
 * packet adds that passes during this is not read.
 */
static int forget_latest(struct watch *w)
{
	int n_cpus = libbpf_num_possible_cpus();
	_cleanup_free_ struct fw_sizes *sizes = n_cpus > 0 ? calloc((size_t)n_cpus, sizeof(*sizes)) : NULL;

	if (!sizes)
		return n_cpus < 0 ? n_cpus : -ENOMEM;
	for (uint32_t i = 0; i < FW_COUNTERS_MAX; i++) {
		if (bpf_map_lookup_elem(w->sizes_fd, &i, sizes) < 0)
			return -errno;
		for (int cpu = 0; cpu < n_cpus; cpu++)
			sizes[cpu].last_ns = 0;
		if (bpf_map_update_elem(w->sizes_fd, &i, sizes, BPF_EXIST) < 0)
			return -errno;
	}
	return 0;
}

static int find_slot(struct watch *w, uint8_t watch, uint32_t *ret)
{
	if (watch == FW_WATCH_SAMPLES) { /* there is one daemon: what is there is that of a killed one */
		*ret = FW_WATCHER_DAEMON;
		return sweep_slot(w, FW_WATCHER_DAEMON, slot_until(w, FW_WATCHER_DAEMON));
	}
	for (uint32_t i = FW_WATCHER_DAEMON + 1; i < FW_WATCHERS_MAX; i++) {
		if (slot_until(w, i) == 0) {
			*ret = i;
			return 0;
		}
	}
	return -EBUSY;
}

/*
 * Counts are never reset: those of a slot that is about to be ours begin from where they are. The budget begins from
 * scratch. As long as the slot has no ring, no program writes there.
 */
static int begin_counts(struct watch *w, uint32_t slot)
{
	int n_cpus = libbpf_num_possible_cpus();
	_cleanup_free_ struct fw_watch_counts *counts = n_cpus > 0 ? calloc(n_cpus, sizeof(*counts)) : NULL;

	if (!counts)
		return n_cpus < 0 ? n_cpus : -ENOMEM;
	if (bpf_map_lookup_elem(w->counts_fd, &slot, counts) < 0)
		return -errno;
	w->base = (struct fw_watch_counts){};
	for (int i = 0; i < n_cpus; i++) {
		w->base.shown += counts[i].shown;
		w->base.hidden += counts[i].hidden;
		w->base.lost += counts[i].lost;
		counts[i].tick = 0;
	}
	return bpf_map_update_elem(w->counts_fd, &slot, counts, BPF_ANY) < 0 ? -errno : 0;
}

int watch_take(struct watch *w, const struct fw_watcher *want, int ring_fd, uint64_t lease_ns)
{
	uint32_t *gate = gate_of(w, want->watch);
	uint32_t slot, until = tick_after(lease_ns);
	struct fw_watcher *watcher;
	int r;

	r = watch_sweep(w);
	if (r >= 0)
		r = find_slot(w, want->watch, &slot);
	if (r >= 0 && want->watch == FW_WATCH_SIZES && !is_watched(w, FW_WATCH_SIZES))
		r = forget_latest(w);
	if (r >= 0)
		r = begin_counts(w, slot);
	if (r < 0)
		return r;

	watcher = &w->watchers[slot];
	*watcher = *want;
	watcher->budget = want->budget ?: UINT32_MAX;
	watcher->reserved = 0;
	watcher->until = 0;
	__atomic_store_n(&watcher->until, until, __ATOMIC_RELEASE);
	w->slot = w->counted = slot;
	w->until = until;
	if (ring_fd >= 0 && bpf_map_update_elem(w->rings_fd, &slot, &ring_fd, BPF_ANY) < 0) {
		r = -errno;
		watch_release(w);
		return r;
	}
	note_end(w, want->watch, until);
	if (gate)
		gate_open(gate, until);
	return 0;
}

int watch_renew(struct watch *w, uint64_t lease_ns)
{
	uint32_t until = tick_after(lease_ns);
	uint32_t *gate;
	uint8_t watch;

	if (w->slot == WATCH_NO_SLOT || tick_now() > w->until || !slot_exchange(w, w->slot, w->until, until))
		return -ESTALE;

	w->until = until;
	watch = w->watchers[w->slot].watch;
	note_end(w, watch, until);
	gate = gate_of(w, watch);
	if (gate)
		raise_tick(gate, until);
	return 0;
}

int watch_check(struct watch *w)
{
	uint32_t id;
	int r;

	r = pins_map_id(w->pin_dir, "meta", &id);
	if (r < 0)
		return r;
	return id == w->meta_id ? 0 : -ESTALE;
}

void watch_release(struct watch *w)
{
	uint32_t until = tick_after(WATCH_LEASE_NS), slot = w->slot;
	uint32_t *gate;

	w->slot = WATCH_NO_SLOT;
	/* ours for another moment, so that no other viewer takes it before the ring is out */
	if (slot == WATCH_NO_SLOT || !slot_exchange(w, slot, w->until, until))
		return;

	gate = gate_of(w, w->watchers[slot].watch);
	(void) take_out(w->rings_fd, slot); /* what stays there goes when the slot is taken again */
	if (slot == FW_WATCHER_DAEMON)
		watch_sample(w, false);
	(void) slot_exchange(w, slot, until, 0);
	if (gate)
		gate_leave(w, gate);
}

void watch_sample(struct watch *w, bool is_on)
{
	uint32_t was = w->policy->watch_drops.epoch, now = tick_now();

	/* a tick, because it must not be one that an earlier daemon has used */
	__atomic_store_n(&w->policy->watch_drops.epoch, !is_on ? 0 : now > was ? now : was + 1, __ATOMIC_RELEASE);
}

void watch_slots(struct watch *w, struct fw_watcher ret[static FW_WATCHERS_MAX])
{
	uint32_t now = tick_now();

	memcpy(ret, w->watchers, FW_WATCHERS_MAX * sizeof(*ret));
	for (uint32_t i = 0; i < FW_WATCHERS_MAX; i++)
		if (ret[i].until < now)
			ret[i].until = 0;
}
