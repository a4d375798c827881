// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * What a lookup costs: test runs of bench.bpf.c over lists of several sizes, with sources that are on the
 * list and that are not, cold and hot, and beside it an LPM trie and a hash with the same entries. All
 * take turns, each is set against the same program without entries, or without a lookup, in its turn;
 * medians. Prints tables in Markdown. Every verdict of every run is compared with what it must be.
 */

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "bench.h"
#include "chase.h"
#include "firewall.h"
#include "frame.h"
#include "samples.h"

#define N_RUNS        8192 /* of a sample: N_RUNS * N_LOOKUPS packets */
#define N_ROUNDS       15
#define N_ROUNDS_QUICK 5

static const size_t sizes[] = { 1000, 100000, 1000000 };

enum heat {
	COLD,
	HOT,
	_HEAT_MAX,
};

/* One way to spend a packet; index into everything below. */
struct pattern {
	int family;
	enum bench_sources sources;
	enum heat heat;
	double goal[ELEMENTSOF(sizes)];       /* ns over an empty table, 0 = none */
	double goal_ratio[ELEMENTSOF(sizes)]; /* against the LPM trie, 0 = none */
};

static const struct pattern patterns[] = {
	{ AF_INET,  SOURCES_MISS, COLD, { 4, 30, 75 },    { 0, 12, 12 }   },
	{ AF_INET,  SOURCES_MISS, HOT,  { 0, 0, 18 },     { 0, 0, 0 }     },
	{ AF_INET,  SOURCES_HIT,  COLD, { 55, 200, 470 }, { 1.5, 2, 2.5 } },
	{ AF_INET,  SOURCES_HIT,  HOT,  { 0, 0, 115 },    { 0, 0, 0 }     },
	{ AF_INET6, SOURCES_MISS, COLD, { 15, 35, 90 },   { 0, 0, 0 }     },
	{ AF_INET6, SOURCES_MISS, HOT,  { 0, 0, 22 },     { 0, 0, 0 }     },
	{ AF_INET6, SOURCES_HIT,  COLD, { 0, 0, 0 },      { 0, 0, 0 }     },
	{ AF_INET6, SOURCES_HIT,  HOT,  { 0, 0, 0 },      { 0, 0, 0 }     },
};

/* Nanoseconds over the base, by pattern and size. */
static struct samples costs[ELEMENTSOF(patterns)][ELEMENTSOF(sizes)][_DESIGN_MAX];
static struct samples bases[ELEMENTSOF(patterns)][_DESIGN_MAX]; /* with an empty table, not over anything */

static int program_fd(const struct firewall *f, enum bench_design design)
{
	const struct bpf_program *programs[_DESIGN_MAX] = {
		[DESIGN_NONE] = f->skel->progs.bench_none,
		[DESIGN_FW] = f->skel->progs.bench_fw,
		[DESIGN_LPM_TRIE] = f->skel->progs.bench_lpm_trie,
		[DESIGN_HASH] = f->skel->progs.bench_hash,
	};

	return bpf_program__fd(programs[design]);
}

/* CPU time of this thread: unlike the duration that the kernel answers, it stands still while others run. */
static double cpu_ns(void)
{
	struct timespec now;

	(void) clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * 1e9 + now.tv_nsec;
}

/* Nanoseconds a packet. */
static int run(struct firewall *f, enum bench_design design, const struct frame *frame, int n_runs,
	       double *ret_ns)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame->bytes, .data_size_in = frame->length,
		    .repeat = n_runs);
	double start = cpu_ns();

	if (bpf_prog_test_run_opts(program_fd(f, design), &opts) < 0)
		return -errno;
	*ret_ns = (cpu_ns() - start) / n_runs / N_LOOKUPS;
	return 0;
}

/* One sample, and proof that each of its packets got the right verdict. */
static int measure(struct firewall *f, enum bench_design design, const struct pattern *p, double *ret_ns)
{
	struct bench_run *state = &f->skel->bss->run;
	uint64_t want = p->sources == SOURCES_HIT && design != DESIGN_NONE && f->n_entries > 0 ? N_RUNS * N_LOOKUPS : 0;
	struct frame frame;
	int r;

	if (frame_build(&frame_find(p->family == AF_INET ? "syn4" : "syn6")->spec, &frame) < 0)
		return -EINVAL;

	state->sources = p->sources;
	state->mask = (p->heat == HOT ? N_SOURCES_HOT : N_SOURCES) - 1;
	/* as in traffic that goes on: what was measured before has thrown the tables out of the caches */
	r = run(f, design, &frame, p->heat == HOT ? N_SOURCES_HOT / N_LOOKUPS : N_RUNS, ret_ns);
	if (r < 0)
		return r;
	state->n_dropped = 0;
	r = run(f, design, &frame, N_RUNS, ret_ns);
	if (r < 0)
		return r;
	if (state->n_dropped != want) {
		fprintf(stderr, "%llu of %d packets dropped, expected %llu: design %d, %s, %zu entries\n",
			(unsigned long long)state->n_dropped, N_RUNS * N_LOOKUPS, (unsigned long long)want, design,
			p->sources == SOURCES_HIT ? "hits" : "misses", f->n_entries);
		return -EBADMSG;
	}
	return 0;
}

static int measure_full(struct firewall *f, const struct pattern *p, const double base[static _DESIGN_MAX],
			size_t round, struct samples ret[static _DESIGN_MAX])
{
	enum bench_design d;
	double ns;
	int r;

	/* another order in each round: who comes right after one that shares its table finds that warm */
	for (size_t i = 0; i < _DESIGN_MAX - 1; i++) {
		d = DESIGN_FW + (i + round) % (_DESIGN_MAX - 1);
		r = measure(f, d, p, &ns);
		if (r < 0)
			return r;
		samples_add(&ret[d], ns - base[d == DESIGN_FW ? DESIGN_FW : DESIGN_NONE]);
	}
	return 0;
}

/* Everything once, in turns: the base of a pattern right before what is set against it. */
static int measure_round(struct firewall *empty, struct firewall *full, size_t round)
{
	double base[_DESIGN_MAX];
	int r;

	for (size_t i = 0; i < ELEMENTSOF(patterns); i++) {
		for (size_t s = 0; s < ELEMENTSOF(sizes); s++) {
			for (enum bench_design d = DESIGN_NONE; d <= DESIGN_FW; d++) {
				r = measure(empty, d, &patterns[i], &base[d]);
				if (r < 0)
					return r;
				samples_add(&bases[i][d], base[d]);
			}
			r = measure_full(&full[s], &patterns[i], base, round, costs[i][s]);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

static const char *met(bool is_met)
{
	return is_met ? "met" : "missed";
}

static void print_row(const struct pattern *p, size_t i, size_t s)
{
	double fw = samples_median(&costs[i][s][DESIGN_FW]), lpm = samples_median(&costs[i][s][DESIGN_LPM_TRIE]);
	double hash = samples_median(&costs[i][s][DESIGN_HASH]), ratio = lpm / fw;
	char goal[32] = "", goal_ratio[32] = "";

	if (p->goal[s] > 0)
		(void) snprintf(goal, sizeof(goal), "%g, %s", p->goal[s], met(fw <= p->goal[s]));
	if (p->goal_ratio[s] > 0)
		(void) snprintf(goal_ratio, sizeof(goal_ratio), "%gx, %s", p->goal_ratio[s],
				met(ratio >= p->goal_ratio[s]));
	printf("| %-4s, %s | %-4s | %7zu | %6.1f | %-12s | %7.1f | %6.1fx | %-12s | %7.1f | %6.1fx |\n",
	       p->sources == SOURCES_MISS ? "miss" : "hit", p->heat == COLD ? "cold" : "hot ",
	       p->family == AF_INET ? "IPv4" : "IPv6", sizes[s], fw, goal, lpm, ratio, goal_ratio, hash, hash / fw);
}

static void print(const struct firewall *full)
{
	printf("ns a packet over the same program with an empty table (ebpf-fw) or without a lookup (the others);\n"
	       "cold = %d sources, hot = %d; medians of %zu interleaved rounds of %d packets. An empty table\n"
	       "costs %.1f (IPv4) and %.1f (IPv6) more than none.\n\n",
	       N_SOURCES, N_SOURCES_HOT, costs[0][0][DESIGN_FW].n, N_RUNS * N_LOOKUPS,
	       samples_median(&bases[0][DESIGN_FW]) - samples_median(&bases[0][DESIGN_NONE]),
	       samples_median(&bases[4][DESIGN_FW]) - samples_median(&bases[4][DESIGN_NONE]));
	printf("A read of memory that waits for the one before takes %.0f ns within 2 MiB, %.0f within 4, %.0f within 16, and %.0f\n"
	       "within 256: of these, a cold miss at a million has one within 2 MiB (IPv6: two within 4), a cold hit one\n"
	       "within 16 and one of the last kind more.\n\n",
	       chase(2 << 20), chase(4 << 20), chase(16 << 20), chase(256 << 20));
	printf("| sources    | IP   | entries | ebpf-fw | goal | LPM_TRIE | ratio | goal | HASH | ratio |\n"
	       "|---|---|---|---|---|---|---|---|---|---|\n");
	for (size_t i = 0; i < ELEMENTSOF(patterns); i++)
		for (size_t s = 0; s < ELEMENTSOF(sizes); s++)
			print_row(&patterns[i], i, s);
	printf("\n| entries | table_load() IPv4, s | IPv6, s |\n|---|---|---|\n");
	for (size_t s = 0; s < ELEMENTSOF(sizes); s++)
		printf("| %7zu | %.3f | %.3f |\n", sizes[s], full[s].load_seconds[0], full[s].load_seconds[1]);
}

/* One CPU for all of it, the last: interrupts are more often on the first. */
static void stay_on_cpu(void)
{
	int n_cpus = libbpf_num_possible_cpus();
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(n_cpus > 0 ? n_cpus - 1 : 0, &set);
	(void) sched_setaffinity(0, sizeof(set), &set); /* else it measures the moves too */
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "quick", no_argument, NULL, 'q' }, { 0 } };
	struct firewall empty = { 0 }, full[ELEMENTSOF(sizes)] = { 0 };
	size_t n_rounds = N_ROUNDS;
	int option, r;

	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (option != 'q') {
			fprintf(stderr, "Usage: bench-micro [--quick]\n");
			return EXIT_FAILURE;
		}
		n_rounds = N_ROUNDS_QUICK;
	}

	stay_on_cpu();
	r = firewall_isolate();
	if (r >= 0)
		r = firewall_new(0, &empty);
	for (size_t s = 0; s < ELEMENTSOF(sizes) && r >= 0; s++)
		r = firewall_new(sizes[s], &full[s]);
	for (size_t i = 0; i < n_rounds && r >= 0; i++)
		r = measure_round(&empty, full, i);
	if (r >= 0)
		print(full);
	else
		fprintf(stderr, "Cannot measure: %s\n", strerror(-r));

	for (size_t s = 0; s < ELEMENTSOF(sizes); s++)
		firewall_done(&full[s]);
	firewall_done(&empty);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
