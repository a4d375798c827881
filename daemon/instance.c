// SPDX-License-Identifier: GPL-2.0-or-later

/* The two locks that keep a second daemon away, and the writer lock: see instance.h. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <systemd/sd-daemon.h>

#include "base/cleanup.h"
#include "base/daemon.h"
#include "instance.h"
#include "log/log.h"
#include "state/writerlock.h"

#define EXTEND_USEC "60000000" /* asked for again each second, while another process has the writer lock */

/* The pid that a running daemon wrote, for the message; 0 if there is none to be read. */
static int read_pid(int fd)
{
	char text[16] = "";

	if (pread(fd, text, sizeof(text) - 1, 0) <= 0)
		return 0;
	return atoi(text);
}

static int write_pid(int fd)
{
	char text[16];
	int n;

	n = snprintf(text, sizeof(text), "%d\n", (int)getpid());
	if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)n, 0) != n)
		return errno > 0 ? -errno : -EIO;
	return 0;
}

int instance_lock_run(struct instance *i, const char *run_dir)
{
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];
	int r;

	if (mkdir(run_dir, 0700) < 0 && errno != EEXIST)
		return log_error(-errno, "Cannot create the run directory '%s': %m", run_dir);

	(void) snprintf(path, sizeof(path), "%s/" DAEMON_PID_FILE, run_dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return log_error(-errno, "Cannot open '%s': %m", path);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK)
			return log_error(-EBUSY, "Already running (pid %d), lock '%s': stop that one first", read_pid(fd), path);
		return log_error(-errno, "Cannot lock '%s': %m", path);
	}

	r = write_pid(fd);
	if (r < 0)
		return log_error(r, "Cannot write '%s': %m", path);

	i->pid_fd = TAKE_FD(fd);
	return 0;
}

/* 0 if the directory that is there is locked, else what is wrong. */
static int lock_dir(struct instance *i, const char *pin_dir)
{
	_cleanup_close_ int fd = -1;
	struct stat was, is;

	fd = open(pin_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	if (i->dir_fd >= 0 && fstat(i->dir_fd, &was) == 0 && fstat(fd, &is) == 0 &&
	    was.st_dev == is.st_dev && was.st_ino == is.st_ino)
		return 0;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;

	closep(&i->dir_fd);
	i->dir_fd = TAKE_FD(fd);
	return 0;
}

int instance_lock_pins(struct instance *i, const char *pin_dir)
{
	int r = lock_dir(i, pin_dir);
	bool is_told = r == i->dir_error;

	i->dir_error = r;
	if (r == 0 || is_told)
		return r;
	if (r == -EBUSY)
		return log_error(r, "Already running: another daemon, or 'fwctl unload', holds '%s'", pin_dir);
	return log_error(r, "Cannot open and lock the pin directory '%s': %m", pin_dir);
}

/* Each second while we wait. */
static void tell_holder(const struct writerlock_holder *holder, void *userdata)
{
	char text[WRITERLOCK_TEXT_MAX];
	int *told_pid = userdata;

	(void) writerlock_format(holder, text);
	(void) sd_notifyf(0, "EXTEND_TIMEOUT_USEC=" EXTEND_USEC "\nSTATUS=Waiting for the writer lock, held by %s", text);
	if (*told_pid != holder->pid)
		log_notice("Waiting for the writer lock, held by %s", text);
	*told_pid = holder->pid;
}

int instance_lock_writers(const char *run_dir, int *ret_fd)
{
	int told_pid = -1, r;
	struct writerlock_wait wait = { .limit_ns = UINT64_MAX, .tell = tell_holder, .userdata = &told_pid };

	r = writerlock_take(run_dir, DAEMON_NAME, &wait, ret_fd);
	if (r == -EINTR) {
		log_notice("Stopped while waiting for the writer lock, nothing was changed");
		(void) sd_notify(0, "STOPPING=1\nSTATUS=Stopped before the start was complete");
		return -ECANCELED;
	}
	if (r < 0)
		return log_error(r, "Cannot lock '%s/lock': %m", run_dir);
	log_hold();
	return 0;
}

void instance_unlock_writers(int *fd)
{
	if (*fd < 0)
		return;
	writerlock_release(TAKE_FD(*fd));
	log_release();
}

void instance_unlock(struct instance *i)
{
	if (i->pid_fd >= 0) {
		(void) !ftruncate(i->pid_fd, 0); /* not unlinked: another start may just have opened it */
		(void) close(i->pid_fd);
	}
	if (i->dir_fd >= 0)
		(void) close(i->dir_fd);
	*i = (struct instance)INSTANCE_NULL;
}
