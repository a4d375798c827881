/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * One daemon per pin directory: a locked file with our pid under the run directory tells people, a lock on
 * the pin directory itself catches a daemon with another run directory. Both end with the process.
 */


struct instance {
	int pid_fd; /* RUN/ebpf-fwd.pid */
	int dir_fd; /* the pin directory */
	int dir_error; /* why it could not be locked at the last call; 0 = it was */
};

#define INSTANCE_NULL { .pid_fd = -1, .dir_fd = -1 }

/*
 * Both log what is wrong. -EBUSY: another daemon runs. The pin directory must exist for the second, which
 * may be called again and then locks the directory that is there now, if somebody has made another. It
 * logs an error again only when it is another one.
 */
int instance_lock_run(struct instance *i, const char *run_dir);
int instance_lock_pins(struct instance *i, const char *pin_dir);

/*
 * The writer lock, for the start: waits as long as it takes, tells systemd and the log which process holds it, and asks for
 * more time. -ECANCELED: we are to stop. That is logged, as any other error. No message is written to stderr until the
 * unlocking.
 */
int instance_lock_writers(const char *run_dir, int *ret_fd);
void instance_unlock_writers(int *fd);

/* Empties the pid file and gives up both locks. */
void instance_unlock(struct instance *i);
