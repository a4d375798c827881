// SPDX-License-Identifier: GPL-2.0-or-later

/* See firewall.h. */

#include <bpf/bpf.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <time.h>

#include "base/cleanup.h"
#include "bench.h"
#include "firewall.h"
#include "kernel/pins.h"
#include "state/table-writer.h"

#define MOUNT_DIR "/sys/fs/bpf"
#define BATCH     65536
#define PIN_MAX   64
#define LOCK_FD   0 /* nobody else writes: in the place of a lock */

static const int families[] = { AF_INET, AF_INET6 };

int firewall_isolate(void)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("bpf", MOUNT_DIR, "bpf", 0, "mode=0700") < 0) {
		fprintf(stderr, "Cannot mount a bpffs of our own: %m (needs root)\n");
		return -errno;
	}
	return 0;
}

/* What the daemon's loader does, without what it takes to keep an older run's maps and programs. */
static int pin_all(struct bench *skel, const char *dir)
{
	const struct fw_meta meta = { .abi_version = FW_ABI_VERSION, .layout = fw_layout(), .max_entries = 1 << 22 };
	struct bpf_map *map;
	char name[PIN_MAX];
	uint32_t first = 0;
	int r;

	r = pins_make_dir(dir);
	if (r < 0)
		return r;
	bpf_object__for_each_map(map, skel->obj) {
		if (bpf_map__is_internal(map))
			continue;
		(void) snprintf(name, sizeof(name), "%s%s", map == skel->maps.meta ? "" : "maps/", bpf_map__name(map));
		r = pins_put(dir, name, bpf_map__fd(map));
		if (r < 0)
			return r;
	}
	return bpf_map_update_elem(bpf_map__fd(skel->maps.meta), &first, &meta, BPF_ANY) < 0 ? -errno : 0;
}

static double seconds(void)
{
	struct timespec now;

	(void) clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static int fill_table(struct table *t, const struct prefixes *p, double *ret_seconds)
{
	_cleanup_free_ struct target *targets = calloc(p->n + 1, sizeof(*targets));
	_cleanup_(table_endp) struct table_writer *w = NULL;
	double start;
	int r;

	if (!targets)
		return -ENOMEM;
	for (size_t i = 0; i < p->n; i++)
		targets[i] = (struct target){ .kind = TARGET_PREFIX, .prefix = p->items[i] };

	start = seconds();
	r = table_begin(t, LOCK_FD, &w);
	if (r >= 0)
		r = table_load(w, FW_LIST_MANUAL_ID, FW_BOTH, targets, p->n, NULL, 0);
	if (r >= 0)
		r = table_commit(w);
	*ret_seconds = seconds() - start;
	return r;
}

/* A trie or a hash of the kernel: their values begin with the lists. */
static int fill_map(const struct prefixes *p, const struct bpf_map *map)
{
	size_t key_size = bpf_map__key_size(map), value_size = bpf_map__value_size(map);
	_cleanup_free_ uint8_t *keys = calloc(p->n + 1, key_size);
	_cleanup_free_ uint8_t *values = calloc(p->n + 1, value_size);
	const uint64_t lists = 1;
	uint32_t n;

	if (!keys || !values)
		return -ENOMEM;
	for (size_t i = 0; i < p->n; i++) {
		uint32_t length = p->items[i].length;

		memcpy(keys + i * key_size, &length, sizeof(length));
		memcpy(keys + i * key_size + sizeof(length), p->items[i].bytes, key_size - sizeof(length));
		memcpy(values + i * value_size, &lists, sizeof(lists));
	}
	for (size_t done = 0; done < p->n; done += n) {
		n = p->n - done < BATCH ? p->n - done : BATCH;
		if (bpf_map_update_batch(bpf_map__fd(map), keys + done * key_size, values + done * value_size, &n, NULL) < 0)
			return -errno;
	}
	return 0;
}

static int fill_family(struct firewall *f, int family)
{
	bool is_ip4 = family == AF_INET;
	struct prefixes p = prefixes_new(family, f->n_entries, 0, FIREWALL_SEED);
	void *misses = is_ip4 ? (void *)f->skel->bss->sources4[SOURCES_MISS] : f->skel->bss->sources6[SOURCES_MISS];
	void *hits = is_ip4 ? (void *)f->skel->bss->sources4[SOURCES_HIT] : f->skel->bss->sources6[SOURCES_HIT];
	int r;

	r = fill_table(f->table, &p, &f->load_seconds[!is_ip4]);
	if (r >= 0)
		r = fill_map(&p, is_ip4 ? f->skel->maps.lpm4 : f->skel->maps.lpm6);
	if (r >= 0)
		r = fill_map(&p, is_ip4 ? f->skel->maps.hash4 : f->skel->maps.hash6);
	if (r >= 0) {
		prefixes_misses(&p, family, misses, N_SOURCES, FIREWALL_SEED + 1);
		if (p.n > 0)
			prefixes_hits(&p, hits, N_SOURCES, FIREWALL_SEED + 2);
	}
	prefixes_done(&p);
	return r;
}

int firewall_new(size_t n_entries, struct firewall *ret)
{
	char dir[PIN_MAX];
	int r = 0;

	*ret = (struct firewall){ .n_entries = n_entries };
	(void) snprintf(dir, sizeof(dir), MOUNT_DIR "/fw%zu", n_entries);
	ret->skel = bench__open();
	if (!ret->skel)
		r = -errno;
	if (r >= 0 && n_entries > 0)
		r = bpf_map__set_max_entries(ret->skel->maps.hash4, n_entries);
	if (r >= 0 && n_entries > 0)
		r = bpf_map__set_max_entries(ret->skel->maps.hash6, n_entries);
	if (r >= 0)
		r = bench__load(ret->skel);
	if (r >= 0)
		r = pin_all(ret->skel, dir);
	if (r >= 0)
		r = table_create(dir, LOCK_FD);
	if (r >= 0)
		r = table_open(dir, &ret->table);
	for (size_t i = 0; i < ELEMENTSOF(families) && r >= 0; i++)
		r = fill_family(ret, families[i]);
	if (r < 0)
		fprintf(stderr, "Cannot make a firewall with %zu entries: %s\n", n_entries, strerror(-r));
	return r;
}

void firewall_done(struct firewall *f)
{
	table_free(f->table);
	bench__destroy(f->skel);
	*f = (struct firewall){ 0 };
}
