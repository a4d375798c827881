/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The unit gives the daemon a mount namespace of its own, in which the bpffs stays as it was at the start. If the host
 * mounts its bpffs again, the pins have to go there, and only a new start sees it. In the meantime systemd keeps a
 * descriptor of the pin directory. It keeps pins and attachments alive, and the new start finds them through it. See
 * FDSTORE=1 in sd_notify(3).
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct handover {
	dev_t dev; /* of the pin directory that was stored, 0 = none */
	ino_t inode;
	int *mounts; /* ids of those of a bpffs that were there at the start */
	size_t n_mounts;
	bool is_told;
};

/* Takes over the pins of the directory that systemd has kept, if it is another one and pin_dir holds no firewall. Logs. */
int handover_take(const char *pin_dir);

/* Notes what is mounted, to notice what is mounted later. Free with handover_done(). */
int handover_begin(struct handover *h);
void handover_done(struct handover *h);

/* Has systemd keep the pin directory that is there now, if it does not already. */
void handover_store(struct handover *h, const char *pin_dir);

/*
 * Was a bpffs mounted since around the pin directory that we do not see there, and is the pin directory stored? Then to end and
 * to be started again brings the pins there. Logs.
 */
bool handover_is_due(struct handover *h, const char *pin_dir);
