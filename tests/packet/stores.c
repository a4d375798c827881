// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * See stores.h. In the child the maps are read-only. A store faults, and the handler asks the parent what to do. To go on it
 * makes the page writable for one instruction, behind which the trap flag leads to a second handler.
 */

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "stores.h"

#ifdef __x86_64__

#define TRAP_FLAG  0x100
#define RANGES_MAX 64

/* Of the child, for its handlers. */
static struct {
	uintptr_t start, end;
} ranges[RANGES_MAX];
static size_t n_ranges;
static void *open_page;
static size_t page_size;
static int to_parent, from_parent;

static bool is_of_map(uintptr_t address)
{
	for (size_t i = 0; i < n_ranges; i++)
		if (address >= ranges[i].start && address < ranges[i].end)
			return true;
	return false;
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
	uintptr_t address = (uintptr_t)info->si_addr;
	ucontext_t *c = context;
	char word = 's';

	if (!is_of_map(address)) {
		(void) signal(SIGSEGV, SIG_DFL); /* one of the test's own: happens again */
		return;
	}
	if (write(to_parent, &word, 1) != 1 || read(from_parent, &word, 1) != 1)
		_exit(EXIT_FAILURE);
	open_page = (void *)(address & ~(page_size - 1));
	(void) mprotect(open_page, page_size, PROT_READ | PROT_WRITE);
	c->uc_mcontext.gregs[REG_EFL] |= TRAP_FLAG;
}

static void on_step(int sig, siginfo_t *info, void *context)
{
	ucontext_t *c = context;

	(void) mprotect(open_page, page_size, PROT_READ);
	c->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
}

static int protect_maps(void)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/self/maps", "re");
	char line[512];

	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		unsigned long start, end;

		if (!strstr(line, "bpf-map") || sscanf(line, "%lx-%lx rw", &start, &end) != 2)
			continue;
		if (n_ranges == RANGES_MAX)
			return -E2BIG;
		ranges[n_ranges].start = start;
		ranges[n_ranges++].end = end;
		if (mprotect((void *)start, end - start, PROT_READ) < 0)
			return -errno;
	}
	return n_ranges > 0 ? 0 : -ENOENT;
}

static int be_writer(int (*work)(void *userdata), void *userdata)
{
	struct sigaction fault = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
	struct sigaction step = { .sa_sigaction = on_step, .sa_flags = SA_SIGINFO };
	int r;

	(void) prctl(PR_SET_PDEATHSIG, SIGKILL);
	page_size = (size_t)sysconf(_SC_PAGESIZE);
	(void) sigaction(SIGSEGV, &fault, NULL);
	(void) sigaction(SIGTRAP, &step, NULL);
	r = protect_maps();
	return r < 0 ? r : work(userdata);
}

int stores_go_through(int (*work)(void *userdata), stores_fn fn, void *userdata)
{
	int up[2], down[2], status, n = 0;
	char word;
	pid_t pid;

	if (pipe(up) < 0 || pipe(down) < 0)
		return -errno;
	(void) fflush(stdout);
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		(void) close(up[0]);
		(void) close(down[1]);
		to_parent = up[1];
		from_parent = down[0];
		_exit(-be_writer(work, userdata));
	}
	(void) close(up[1]);
	(void) close(down[0]);
	while (read(up[0], &word, 1) == 1) {
		if (!fn((unsigned)n++, userdata))
			(void) kill(pid, SIGKILL);
		else if (write(down[1], &word, 1) != 1)
			break;
	}
	(void) close(up[0]);
	(void) close(down[1]);
	if (waitpid(pid, &status, 0) < 0)
		return -errno;
	if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
		return -EFAULT;
	return WIFEXITED(status) && WEXITSTATUS(status) != 0 ? -WEXITSTATUS(status) : n;
}

#else

int stores_go_through(int (*work)(void *userdata), stores_fn fn, void *userdata)
{
	return -ENOTSUP;
}

#endif
