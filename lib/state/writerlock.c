// SPDX-License-Identifier: GPL-2.0-or-later

/* The writer lock: see writerlock.h. Waiting is flock(2) itself, which serves in order; a timer interrupts it. */

#include "state/writerlock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "log/log.h"

#define TICK_USEC   50000 /* between two looks at signals, path and limit while waiting */
#define TELL_NS     UINT64_C(1000000000)
#define RECORD_MAX  (WRITERLOCK_COMMAND_MAX + 16)

static uint64_t now_ns(void)
{
	struct timespec now;

	(void) clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail with this clock */
	return (uint64_t)now.tv_sec * NS_PER_SEC + (uint64_t)now.tv_nsec;
}

static int open_lock(const char *run_dir, char path[static PATH_MAX])
{
	int n = snprintf(path, PATH_MAX, "%s/lock", run_dir), fd;

	if (n < 0 || n >= PATH_MAX)
		return -ENAMETOOLONG;
	if (mkdir(run_dir, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	return fd < 0 ? -errno : fd;
}

/* A lock on a file that was removed, or replaced by another, excludes no process. */
static bool is_named(const char *path, int fd)
{
	struct stat named, opened;

	return lstat(path, &named) == 0 && fstat(fd, &opened) == 0 && named.st_dev == opened.st_dev &&
	       named.st_ino == opened.st_ino;
}

/* Of a caller that takes its signals elsewhere; any other is ended by them as usual. */
static bool is_interrupted(void)
{
	sigset_t pending;

	return sigpending(&pending) == 0 && (sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1);
}

/* The kernel's word, which also covers flock(1); 0 = not found, or of another pid namespace. */
static int find_pid(int fd)
{
	_cleanup_fclose_ FILE *locks = fopen("/proc/locks", "re"); /* absent with ProcSubset=pid */
	unsigned dev_major, dev_minor;
	unsigned long inode;
	struct stat st;
	char line[256];
	int pid;

	if (!locks || fstat(fd, &st) < 0)
		return 0;
	while (fgets(line, sizeof(line), locks))
		if (sscanf(line, "%*u: FLOCK %*s WRITE %d %x:%x:%lu", &pid, &dev_major, &dev_minor, &inode) == 4 &&
		    dev_major == major(st.st_dev) && dev_minor == minor(st.st_dev) && inode == st.st_ino)
			return pid > 0 ? pid : 0;
	return 0;
}

/* The first line of a file below /proc/PID, "" if it cannot be read. */
static void read_proc(int pid, const char *name, char *text, int size)
{
	_cleanup_fclose_ FILE *f = NULL;
	char path[64];

	(void) snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	f = fopen(path, "re");
	if (!f || !fgets(text, size, f))
		text[0] = '\0';
	text[strcspn(text, "\n")] = '\0';
}

static bool is_stopped(int pid)
{
	char text[256];
	const char *state;

	read_proc(pid, "stat", text, sizeof(text));
	state = strrchr(text, ')'); /* after the command, which may contain anything */
	return state && (strncmp(state, ") T", 3) == 0 || strncmp(state, ") t", 3) == 0);
}

static void find_holder(int fd, struct writerlock_holder *ret)
{
	char record[RECORD_MAX] = "", command[WRITERLOCK_COMMAND_MAX] = "";
	int kernel_pid = find_pid(fd), pid = 0, start = 0;

	*ret = (struct writerlock_holder){};
	if (pread(fd, record, sizeof(record) - 1, 0) > 0 && sscanf(record, "%d %n", &pid, &start) == 1 && start > 0)
		(void) snprintf(command, sizeof(command), "%.*s", (int)strcspn(record + start, "\n"), record + start);
	if (kernel_pid > 0 && kernel_pid != pid) { /* a program that writes nothing into the file */
		pid = kernel_pid;
		read_proc(pid, "comm", command, sizeof(command));
	} else if (pid <= 0 || (kernel_pid == 0 && kill(pid, 0) < 0 && errno == ESRCH)) {
		return; /* what a killed one has left */
	}
	ret->pid = pid;
	ret->is_stopped = is_stopped(pid);
	(void) log_escape(command, ret->command, sizeof(ret->command));
}

void writerlock_holder(const char *run_dir, struct writerlock_holder *ret)
{
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];

	*ret = (struct writerlock_holder){};
	fd = open_lock(run_dir, path);
	if (fd >= 0)
		find_holder(fd, ret);
}

const char *writerlock_format(const struct writerlock_holder *h, char buffer[static WRITERLOCK_TEXT_MAX])
{
	int n;

	if (h->pid <= 0)
		return strcpy(buffer, "another process");
	n = snprintf(buffer, WRITERLOCK_TEXT_MAX, "pid %d%s%s%s", h->pid, h->command[0] ? " (" : "", h->command,
		     h->command[0] ? ")" : "");
	if (h->is_stopped)
		(void) snprintf(buffer + n, WRITERLOCK_TEXT_MAX - n, ", which is stopped: 'kill -CONT %d' resumes it",
				h->pid);
	return buffer;
}

/* For others to read. Without it they cannot tell which process they wait for, which is no reason not to work. */
static void write_holder(int fd, const char *command)
{
	char record[RECORD_MAX];
	int n;

	n = snprintf(record, sizeof(record), "%d %.*s\n", (int)getpid(), WRITERLOCK_COMMAND_MAX - 1, command);
	(void) !ftruncate(fd, 0);
	(void) !pwrite(fd, record, (size_t)n, 0);
}

static void on_tick(int signal)
{
	(void) signal; /* interrupts flock(2), that is all */
}

/* What the timer replaces while we wait. */
struct ticker {
	struct sigaction action;
	struct itimerval timer;
	sigset_t mask;
	bool is_running;
};

static void ticker_start(struct ticker *t)
{
	const struct sigaction action = { .sa_handler = on_tick }; /* without SA_RESTART */
	const struct itimerval timer = { .it_interval.tv_usec = TICK_USEC, .it_value.tv_usec = TICK_USEC };
	sigset_t set;

	(void) sigemptyset(&set);
	(void) sigaddset(&set, SIGALRM);
	(void) sigaction(SIGALRM, &action, &t->action); /* none of these can fail with valid arguments */
	(void) sigprocmask(SIG_UNBLOCK, &set, &t->mask);
	(void) setitimer(ITIMER_REAL, &timer, &t->timer);
	t->is_running = true;
}

static void ticker_stop(struct ticker *t)
{
	if (!t->is_running)
		return;
	(void) setitimer(ITIMER_REAL, &t->timer, NULL);
	(void) sigprocmask(SIG_SETMASK, &t->mask, NULL);
	(void) sigaction(SIGALRM, &t->action, NULL);
	t->is_running = false;
}

struct waiting {
	const struct writerlock_wait *wait;
	uint64_t start_ns, told_ns;
	struct ticker ticker;
};

/* Between two ticks: 0 = go on, -ESTALE: the path names another file by now. */
static int look_around(struct waiting *w, const char *path, int fd)
{
	struct writerlock_holder holder;
	uint64_t now = now_ns();

	if (is_interrupted())
		return -EINTR;
	if (!is_named(path, fd))
		return -ESTALE;
	if (w->wait->tell && now - w->told_ns >= TELL_NS) {
		find_holder(fd, &holder);
		w->wait->tell(&holder, w->wait->userdata);
		w->told_ns = now;
	}
	return now - w->start_ns >= w->wait->limit_ns ? -EBUSY : 0;
}

static int lock(struct waiting *w, const char *path, int fd)
{
	int r;

	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno != EWOULDBLOCK)
		return -errno;
	if (w->wait->limit_ns == 0)
		return -EBUSY;
	if (!w->ticker.is_running)
		ticker_start(&w->ticker);
	while (flock(fd, LOCK_EX) < 0) {
		if (errno != EINTR)
			return -errno;
		r = look_around(w, path, fd);
		if (r < 0)
			return r;
	}
	return 0;
}

int writerlock_take(const char *run_dir, const char *command, const struct writerlock_wait *wait, int *ret_fd)
{
	struct waiting w = { .wait = wait, .start_ns = now_ns() };
	char path[PATH_MAX];
	int fd, r;

	w.told_ns = w.start_ns;
	do {
		fd = r = open_lock(run_dir, path);
		if (fd < 0)
			break;
		r = lock(&w, path, fd);
		if (r == 0 && !is_named(path, fd))
			r = -ESTALE;
		if (r < 0)
			(void) close(fd);
	} while (r == -ESTALE);
	ticker_stop(&w.ticker);
	if (r < 0)
		return r;

	write_holder(fd, command);
	*ret_fd = fd;
	return 0;
}

int writerlock_try(const char *run_dir, const char *command, int *ret_fd)
{
	const struct writerlock_wait wait = {};

	return writerlock_take(run_dir, command, &wait, ret_fd);
}

void writerlock_release(int fd)
{
	if (fd < 0)
		return;
	(void) !ftruncate(fd, 0);
	(void) close(fd);
}

void writerlock_releasep(int *fd)
{
	writerlock_release(*fd);
}
