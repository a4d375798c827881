/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * One interface and our programs on it, at xdp and at tc. Knows the order that leaves no gap when a
 * mechanism changes, and what to tell people when something is in the way. Logs.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/if.h>

#include "abi/abi.h"
#include "attach/clsact.h"
#include "hook/lineup.h"
#include "load/loader.h"
#include "net/auto.h"

/* The hooks of an interface, in the order in which an arriving packet meets them: xdp, tc. */
#define DEVICE_HOOKS (FW_HOOK_TC + 1)

/* Of a direction at tc: what the chain looks like, see device_check(). */
struct device_order {
	bool was_moved;            /* to the first place, since the start or a reload */
	struct lineup_item ahead;  /* what runs before ours and was warned of; all zero = nothing */
};

enum {
	DEVICE_LINK_NONE = -1,
	DEVICE_LINK_PINNED = -2, /* descriptors are scarce: its pin alone holds it */
};

struct device_hook {
	enum fw_mechanism mechanism; /* what carries this run's programs, FW_MECHANISM_NONE = nothing yet */
	uint64_t serial;             /* of the interface that was attached to */
	bool is_l3;
	bool was_robbed;             /* what we attached was found missing */
	int links[_FW_DIRECTION_MAX]; /* descriptors, also of those of a run before, or DEVICE_LINK_* */
	struct device_order orders[_FW_DIRECTION_MAX]; /* at tc */
	uint32_t mtu;                /* of the interface when it was attached */
	unsigned n_checks_to_native; /* in generic mode: before native mode is tried again, 0 = now */
	unsigned native_interval;    /* how many that were the last time, 0 = it was not refused yet */
	unsigned n_checks_to_wait;   /* before what failed is tried again, see device_is_due() */
	uint32_t foreign_id;         /* another owner's program that is in the way, 0 = none */
	char note[FW_NOTE_MAX];      /* why it is not attached, or not in the preferred way; "" = it is */
};

struct device {
	unsigned ifindex;
	char name[IFNAMSIZ];
	bool is_wanted; /* mark of hooks_sync_interfaces() */
	bool is_auto;   /* chosen by "auto": stays chosen, whatever the reason was */
	bool is_quiet;  /* native mode is tried again: what comes and goes in the course of it is no news */
	struct device_hook hooks[DEVICE_HOOKS];
};

/* What devices share. */
struct device_context {
	const char *pin_dir;
	struct loader *loader;
	struct clsact *clsact;
	int hold_below;        /* descriptors of links are less than this, see descriptors.h */
	enum fw_mechanism tc;  /* the mechanism to use */
	enum fw_mechanism xdp; /* the same; FW_MECHANISM_NONE = native, else generic */
};

/* One on which nothing is attached, as far as is known. */
struct device device_null(unsigned ifindex);

/* Closes what is held; what is attached stays. */
void device_done(struct device *dev);

/* Does i carry this run's programs at the hook in the way that is wanted? */
bool device_is_attached(const struct device *dev, enum fw_hook hook, const struct device_context *x,
			const struct interface *i);

/* Is there nothing of ours at the hook, and nothing to say of it? */
bool device_is_bare(const struct device *dev, enum fw_hook hook);

/*
 * May it be tried to attach? An interface tells of every little change, and its driver may reset it in the course
 * of refusing a program: xdp is tried again at checks only, and at that of most failures a minute later.
 */
bool device_is_due(const struct device *dev, enum fw_hook hook);

/*
 * Is an XDP link of ours in a mode that is not wanted, or in generic mode, and native mode may work now: since the MTU is
 * another one, or since it was refused some time ago? It must go before another can come.
 */
bool device_has_wrong_mode(const struct device *dev, const struct device_context *x, const struct interface *i);

/* Is it only that native mode was refused some time ago? */
bool device_retries_native(const struct device *dev, const struct device_context *x, const struct interface *i);

/*
 * A program at xdp keeps drivers from other settings and bonds from taking an interface, and the kernel does not say when
 * it has refused one. An interface that is down needs none: xdp is detached until it is up.
 */
void device_step_aside(struct device *dev, const struct device_context *x, const struct interface *i);

/*
 * Attaches all directions of the hook, then removes what another mechanism had there. On failure says why, but
 * not twice the same; -ENODEV, the interface has just gone, and -EEXIST, a program of ours is there by
 * another link, are the caller's to judge.
 */
int device_attach(struct device *dev, enum fw_hook hook, const struct device_context *x,
		  const struct interface *i);

/* Removes everything of ours from the hook, if the interface still exists, and our pins. */
void device_detach(struct device *dev, enum fw_hook hook, const struct device_context *x);

/* Has this interface, and no other of the same number before it, been attached to? */
bool device_has_been_on(const struct device *dev, const struct interface *i);

/* Are there filters of ours on the interface? They have no pin that would tell. */
bool device_has_filters(unsigned ifindex, const struct device_context *x);

/*
 * Does the kernel say that our program still runs in each direction, and is it pinned? Mends pins with a warning and
 * leaves the rest to the next device_attach(), which warns if the interface is still there: else it has just gone,
 * and took everything with it. At tc, where others may run before ours, takes the first place back once.
 */
void device_check(struct device *dev, const struct device_context *x);

/* What failed is tried again at once, and the first place at tc taken back once more. */
void device_forget_failures(struct device *dev);
