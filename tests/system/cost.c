// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * What loading costs on this kernel: instructions verified and time, for each program, as the kernel and its
 * verifier say it. Nothing is pinned or attached.
 * Usage: cost MAX-INSTRUCTIONS MAX-MILLISECONDS. Ends with 1 where a program takes more than either.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "fw.skel.h"

#define LOG_STATS   4     /* BPF_LOG_STATS, which no uapi header has */
#define LOG_SIZE    65536 /* of which the statistics take a few lines; the kernel refuses what does not fit */
#define N_LOGS_MAX  16

struct limits {
	unsigned long n_insns;
	unsigned long msec;
};

/* The largest number after a word of the verifier, which 7.2 says for each function; 0 if it does not say it. */
static unsigned long largest_after(const char *log, const char *word)
{
	unsigned long largest = 0, n;

	while ((log = strstr(log, word))) {
		log += strlen(word);
		n = strtoul(log, NULL, 10);
		largest = n > largest ? n : largest;
	}
	return largest;
}

/* Since 5.16 the kernel keeps the sum of all functions; before, the log has it. */
static unsigned long count_verified(const struct bpf_program *program, const char *log)
{
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);

	if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size) == 0 && info.verified_insns > 0)
		return info.verified_insns;
	return largest_after(log, "processed ");
}

static bool report(const struct bpf_program *program, const char *log, const struct limits *most)
{
	unsigned long n_insns = count_verified(program, log);
	unsigned long usec = largest_after(log, "verification time ");
	bool is_fine = n_insns > 0 && n_insns <= most->n_insns && usec / 1000 <= most->msec;

	printf("%-14s %7lu instructions verified in %lu ms%s\n", bpf_program__name(program), n_insns, usec / 1000,
	       is_fine ? "" : n_insns > 0 ? ": more than allowed" : ": the verifier's log does not say");
	return is_fine;
}

static void destroyp(struct fw **skel)
{
	fw__destroy(*skel);
}

int main(int argc, char **argv)
{
	static char logs[N_LOGS_MAX][LOG_SIZE];
	_cleanup_(destroyp) struct fw *skel = NULL;
	struct bpf_program *program;
	struct limits most;
	bool is_fine = true;
	size_t n = 0;
	int r;

	if (argc != 3) {
		fprintf(stderr, "usage: cost MAX-INSTRUCTIONS MAX-MILLISECONDS\n");
		return 2;
	}
	most.n_insns = strtoul(argv[1], NULL, 10);
	most.msec = strtoul(argv[2], NULL, 10);

	skel = fw__open();
	if (!skel) {
		fprintf(stderr, "cost: cannot open the object: %m\n");
		return EXIT_FAILURE;
	}
	bpf_object__for_each_program(program, skel->obj) {
		if (n == N_LOGS_MAX)
			return EXIT_FAILURE;
		(void) bpf_program__set_log_level(program, LOG_STATS);
		(void) bpf_program__set_log_buf(program, logs[n++], LOG_SIZE);
	}
	r = fw__load(skel);
	if (r < 0) {
		fprintf(stderr, "cost: the kernel refuses the object: %s\n", strerror(-r));
		return EXIT_FAILURE;
	}

	n = 0;
	bpf_object__for_each_program(program, skel->obj)
		is_fine &= report(program, logs[n++], &most);
	return is_fine ? EXIT_SUCCESS : EXIT_FAILURE;
}
