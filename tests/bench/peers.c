// SPDX-License-Identifier: GPL-2.0-or-later

/* See peers.h. */

#include "peers.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "addresses.h"
#include "base/cleanup.h"

#define TCX_INGRESS 46 /* BPF_TCX_INGRESS, which the headers of kernels before 6.6 lack */
#define N_PAGES     8  /* of each CPU's buffer of events, as bcc has it */

int peer_attach(struct live *skel, const char *name, const char *device)
{
	const struct {
		const char *name;
		const struct bpf_program *program;
		unsigned type;
		__u32 flags;
	} peers[] = {
		{ "tcx, empty program", skel->progs.empty, TCX_INGRESS, 0 },
		{ "xdp, empty program", skel->progs.empty_xdp, BPF_XDP, XDP_FLAGS_DRV_MODE },
		{ "tcx, drops all", skel->progs.drop_all, TCX_INGRESS, 0 },
		{ "xdp, drops all", skel->progs.drop_all_xdp, BPF_XDP, XDP_FLAGS_DRV_MODE },
		{ "article's program, tcx", skel->progs.article_tc, TCX_INGRESS, 0 },
		{ "article's program, xdp", skel->progs.article_xdp, BPF_XDP, XDP_FLAGS_DRV_MODE },
	};

	for (size_t i = 0; i < ELEMENTSOF(peers); i++) {
		LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = peers[i].flags);

		if (strcmp(name, peers[i].name) != 0)
			continue;
		return bpf_link_create(bpf_program__fd(peers[i].program), (int)if_nametoindex(device),
				       peers[i].type, &opts) < 0 ? -errno : 0;
	}
	return 0;
}

static uint64_t n_events;

/* The article prints each, which would be slower still. */
static void see(void *userdata, int cpu, void *data, __u32 size)
{
	__atomic_fetch_add(&n_events, 1, __ATOMIC_RELAXED);
}

uint64_t peer_n_events(void)
{
	return __atomic_load_n(&n_events, __ATOMIC_RELAXED);
}

static void *read_events(void *events)
{
	int n_cpus = libbpf_num_possible_cpus();
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(n_cpus > 0 ? n_cpus - 1 : 0, &set);
	(void) sched_setaffinity(0, sizeof(set), &set);
	for (;;)
		(void) perf_buffer__poll(events, 100); /* until the program ends */
	return NULL;
}

int peer_start_article(struct live *skel, size_t n_entries, uint64_t seed)
{
	struct prefixes p = prefixes_new(AF_INET, n_entries, 32, seed);
	struct perf_buffer *events;
	pthread_t thread;
	__u8 one = 1;
	int r = 0;

	for (size_t i = 0; i < p.n && r >= 0; i++)
		r = bpf_map_update_elem(bpf_map__fd(skel->maps.black_list), p.items[i].bytes, &one, BPF_ANY);
	prefixes_done(&p);
	if (r < 0)
		return -errno;

	events = perf_buffer__new(bpf_map__fd(skel->maps.drop_events), N_PAGES, see, NULL, NULL, NULL);
	if (!events)
		return -errno;
	return -pthread_create(&thread, NULL, read_events, events);
}
