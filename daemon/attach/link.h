/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * One attachment that the kernel keeps as a bpf_link, and its pin: xdp, tcx and cgroup. The pin keeps it attached even if
 * the daemon dies. A link whose target is gone stays pinned but dead.
 */

#include <stdbool.h>
#include <stdint.h>

/* Values of enum bpf_attach_type that the headers of kernels before 6.6 lack. */
#define LINK_TCX_INGRESS 46
#define LINK_TCX_EGRESS  47

/* BPF_F_BEFORE without naming another program: a tcx link comes before all that are there. */
#define LINK_FIRST (1u << 3)

/* What a link is attached to. */
struct link_target {
	int target;           /* ifindex, or descriptor of a cgroup */
	uint32_t attach_type; /* enum bpf_attach_type */
	uint64_t id;          /* how the kernel names the target in the link: ifindex or cgroup id */
	uint32_t flags;       /* of a new link: XDP_FLAGS_*, LINK_FIRST; they are no part of what identifies it */
};

/* The link pinned under name if it still leads to this target: -ENOENT if there is none, or a dead one. */
int link_open(const char *pin_dir, const char *name, const struct link_target *t);

/*
 * Makes prog_fd run at t and holds the link. A live link, the one in *fd or pinned under name, is
 * updated in place, so that no packet slips and its id stays; else a new one is attached and takes the
 * name. On failure *fd is as it was. Errors as bpf(2) has them for BPF_LINK_CREATE and BPF_LINK_UPDATE.
 */
int link_attach(const char *pin_dir, const char *name, const struct link_target *t, int prog_fd,
		int *fd);

/*
 * The two halves of it, for what is to be attached in several places or in none. The first leaves the link
 * without its name: closing *ret_fd detaches a new one. -1: the link in fd was updated, and is all there is.
 */
int link_prepare(const char *pin_dir, const char *name, const struct link_target *t, int prog_fd,
		 int fd, int *ret_fd);
int link_hold(const char *pin_dir, const char *name, int *prepared, int *fd);

/*
 * Moves a tcx link before all others: a link cannot be moved, so a new one takes its name, and then the old one goes. The
 * kernel takes a program once, so the new one begins with copy_fd, a copy of prog_fd. While both are there, packets are
 * judged, and counted, twice. A process that is killed in between leaves one link that judges.
 */
int link_move_first(const char *pin_dir, const char *name, const struct link_target *t, int prog_fd, int copy_fd,
		    int *fd);

/* Detaches, removes the pin and closes. *fd may be -1: then the pin was all that held the link. */
void link_detach(const char *pin_dir, const char *name, int *fd);

/* Is t what it is attached to, and not an interface of the same ifindex in another network namespace? */
bool link_leads_to(int fd, const struct link_target *t);

/* Does the link run this program there, as the kernel says now? */
bool link_runs(int fd, const struct link_target *t, uint32_t prog_id);

/* Is this the program of the link? */
bool link_has_program(int fd, uint32_t attach_type, uint32_t prog_id);

/* What the link itself gives as its target, see struct link_target; 0 = that has vanished. */
uint64_t link_target_id(int fd, uint32_t attach_type);

/* Has its target vanished? */
static inline bool link_is_dead(int fd, uint32_t attach_type)
{
	return link_target_id(fd, attach_type) == 0;
}
