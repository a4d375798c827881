// SPDX-License-Identifier: GPL-2.0-or-later

/* See presence.h. */

#include "inspect/presence.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/daemon.h"

#ifndef BPF_FS_MAGIC
#define BPF_FS_MAGIC 0xcafe4a11
#endif

bool presence_sees_bpffs(const struct ctl *ctl)
{
	_cleanup_free_ char *copy = strdup(ctl->pin_dir);
	struct statfs fs;

	return copy && statfs(dirname(copy), &fs) == 0 && (unsigned long)fs.f_type == BPF_FS_MAGIC;
}

/*
 * The lock is the proof; it is tried only where a living process has written its pid, so that a
 * daemon that is just starting never finds it taken by us.
 */
int presence_daemon_pid(const struct ctl *ctl)
{
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX], text[16] = "";
	int pid;

	(void) snprintf(path, sizeof(path), "%s/" DAEMON_PID_FILE, ctl->run_dir);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || pread(fd, text, sizeof(text) - 1, 0) <= 0)
		return 0;
	pid = atoi(text);
	if (pid <= 0 || (kill(pid, 0) < 0 && errno == ESRCH))
		return 0;
	return flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK ? pid : 0;
}
