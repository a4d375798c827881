// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * watchers PIN_DIR: prints what those who watch have taken of the kernel, without the daemon: "slots N rings N
 * drops open|shut looking yes|no packets open|shut seen yes|no"; looking is the kernel, at each drop.
 */

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "kernel/pins.h"
#include "observe/watch.h"

/* How many places of a map of maps are taken, from the first on. */
static int n_inner(const char *pin_dir, const char *name, uint32_t first, uint32_t n_places)
{
	_cleanup_close_ int fd = -1;
	uint32_t id;
	int n = 0;

	fd = pins_open(pin_dir, name);
	for (uint32_t i = first; fd >= 0 && i < n_places; i++)
		n += bpf_map_lookup_elem(fd, &i, &id) == 0;
	return fd < 0 ? fd : n;
}

/* Does any CPU, at any hook, look at each drop: because a monitor watches, or did when the latest drop came? */
static bool is_looking(const char *pin_dir, const struct fw_policy *p)
{
	_cleanup_free_ struct fw_counters *counters = calloc(libbpf_num_possible_cpus(), sizeof(*counters));
	_cleanup_close_ int fd = -1;
	bool is = false;

	fd = pins_open(pin_dir, "maps/counters");
	for (uint32_t i = 0; counters && fd >= 0 && i < FW_COUNTERS_MAX; i++) {
		if (bpf_map_lookup_elem(fd, &i, counters) < 0)
			continue;
		for (int cpu = 0; cpu < libbpf_num_possible_cpus(); cpu++)
			is |= p->watch_drops.until && counters[cpu].sampling.watch == p->watch_drops.both &&
			      counters[cpu].sampling.at == 0;
	}
	return is;
}

int main(int argc, char **argv)
{
	struct fw_watcher slots[FW_WATCHERS_MAX];
	struct fw_policy policy;
	_cleanup_close_ int fd = -1;
	uint32_t first = 0;
	struct watch *w;
	int n = 0, r;

	if (argc != 2)
		return EXIT_FAILURE;
	r = watch_open(argv[1], &w);
	fd = pins_open(argv[1], "maps/policy");
	if (r < 0 || fd < 0 || bpf_map_lookup_elem(fd, &first, &policy) < 0) {
		fprintf(stderr, "watchers: cannot read '%s'\n", argv[1]);
		return EXIT_FAILURE;
	}
	watch_slots(w, slots);
	watch_free(w);
	for (size_t i = 0; i < ELEMENTSOF(slots); i++)
		n += slots[i].until != 0 && i != FW_WATCHER_DAEMON;
	printf("slots %d rings %d drops %s looking %s packets %s seen %s\n", n,
	       n_inner(argv[1], "maps/rings", FW_WATCHER_DAEMON + 1, FW_WATCHERS_MAX), policy.watch_drops.until ? "open" : "shut",
	       is_looking(argv[1], &policy) ? "yes" : "no", policy.watch_packets ? "open" : "shut",
	       n_inner(argv[1], "maps/seen", 0, 1) > 0 ? "yes" : "no");
	return EXIT_SUCCESS;
}
