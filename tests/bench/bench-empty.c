// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * What a packet costs while nothing is blocked: each tc program against an empty one that returns
 * TCX_NEXT, in test runs that take turns, so that a busy machine slows both down. Needs root, changes
 * nothing. A measurement for people, no test: it fails only if it cannot measure.
 */

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "frame.h"
#include "fw.skel.h"

#define N_ROUNDS  31
#define N_REPEATS 300000

static const char *const frames[] = { "arp", "udp4", "syn4", "udp4-vlan", "udp6", "syn6-headers-8" };

static void fw_destroyp(struct fw **skel)
{
	fw__destroy(*skel);
}

/* A tc program that does nothing at all: r0 = -1; exit. */
static int load_empty(void)
{
	static const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = -1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	return bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "empty", "GPL", insns, ELEMENTSOF(insns), NULL);
}

/* Nanoseconds a run, by our own clock: the kernel's answer has no fraction. Negative: failed. */
static double measure(int prog_fd, const struct frame *f)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = f->bytes, .data_size_in = f->length,
		    .repeat = N_REPEATS);
	struct timespec start, end;

	(void) clock_gettime(CLOCK_MONOTONIC, &start);
	if (bpf_prog_test_run_opts(prog_fd, &opts) < 0)
		return -1;
	(void) clock_gettime(CLOCK_MONOTONIC, &end);

	return ((end.tv_sec - start.tv_sec) * 1e9 + (end.tv_nsec - start.tv_nsec)) / N_REPEATS;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, size_t n)
{
	qsort(values, n, sizeof(*values), compare);
	return values[n / 2];
}

static int bench(int empty_fd, int fw_fd, const char *hook, const char *name)
{
	double empty[N_ROUNDS], full[N_ROUNDS], e, f;
	const struct frame_row *row = frame_find(name);
	struct frame frame;

	if (!row || frame_build(&row->spec, &frame) < 0)
		return -EINVAL;

	for (int i = 0; i < N_ROUNDS; i++) {
		empty[i] = measure(empty_fd, &frame);
		full[i] = measure(fw_fd, &frame);
		if (empty[i] < 0 || full[i] < 0)
			return -errno;
	}

	e = median(empty, N_ROUNDS);
	f = median(full, N_ROUNDS);
	printf("%-14s %-16s %8.1f %8.1f %+8.1f %8.1fx\n", hook, name, e, f, f - e, f / e);
	return 0;
}

int main(void)
{
	_cleanup_(fw_destroyp) struct fw *skel = NULL;
	_cleanup_close_ int empty_fd = -1;
	int r;

	empty_fd = load_empty();
	skel = fw__open_and_load();
	if (empty_fd < 0 || !skel) {
		fprintf(stderr, "Cannot load the programs: %m (needs root)\n");
		return EXIT_FAILURE;
	}

	printf("%-14s %-16s %8s %8s %8s %9s\n", "program", "frame", "empty ns", "ns", "more", "times");
	for (size_t i = 0; i < ELEMENTSOF(frames); i++) {
		r = bench(empty_fd, bpf_program__fd(skel->progs.fw_tc_in), "fw_tc_in", frames[i]);
		if (r == 0)
			r = bench(empty_fd, bpf_program__fd(skel->progs.fw_tc_out), "fw_tc_out", frames[i]);
		if (r < 0) {
			fprintf(stderr, "Cannot measure '%s': %s\n", frames[i], strerror(-r));
			return EXIT_FAILURE;
		}
	}
	return EXIT_SUCCESS;
}
