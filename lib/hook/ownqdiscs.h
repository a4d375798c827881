/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Which clsact qdiscs are ours to remove: those that the daemon has made. Each has an empty directory
 * qdiscs/NETNS_IFINDEX below the pin directory, which is there as long as the pins are. NETNS is the inode number of the
 * network namespace: an ifindex alone is one in each of them. A qdisc without that mark is never removed.
 */

#include <stdbool.h>
#include <stdint.h>

#define OWNQDISCS_DIR "qdiscs"

/* Before one is made, so that a process that is killed leaves no qdisc without a mark. Where it fails, the qdisc stays. */
int ownqdiscs_mark(const char *pin_dir, unsigned ifindex);
bool ownqdiscs_is_marked(const char *pin_dir, unsigned ifindex);
bool ownqdiscs_are_in(const char *pin_dir, uint64_t netns); /* any at all; netns: its inode number */
void ownqdiscs_forget(const char *pin_dir, unsigned ifindex);

/*
 * Removes the qdisc if it is marked and holds nothing: 1 if it did. One that others use keeps its mark, and one that is
 * gone loses it. Another tool that adds its first filter between the look and the removal loses that filter: the kernel
 * does not remove a qdisc on condition.
 */
int ownqdiscs_remove(const char *pin_dir, unsigned ifindex);

/* The same for all that are marked, of this network namespace; then all marks go, those of others too. */
int ownqdiscs_remove_all(const char *pin_dir);
