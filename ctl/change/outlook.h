/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The guard of results: what would happen to the packets that this host cannot do without if a change were made. It refuses
 * any command after which a packet that passes now would be dropped. That includes a packet that would be dropped later,
 * because an exception ends before the block does. Nothing is changed to find out: the entries that cover such a packet are
 * few, and reckon.c computes their result.
 */

#include "change/change.h"
#include "ctl.h"
#include "guard/guard.h"

/* Entries, as they would be. */
struct outlook_view {
	struct table_entry *entries;
	size_t n_entries;
};

/*
 * Changes the entries of a view as the command would: those that cover this address or port, or all ports where it
 * is NULL. -ENOMEM.
 */
typedef int (*outlook_edit_fn)(struct outlook_view *v, const struct target *covered, const void *userdata);

/* In a view: puts a target into a list until a tick; takes it out of lists; empties a list. */
int outlook_put(struct outlook_view *v, const struct target *target, unsigned list, unsigned directions,
		uint32_t until);
void outlook_take(struct outlook_view *v, const struct target *target, uint64_t lists);
void outlook_empty(struct outlook_view *v, unsigned list);

struct outlook {
	struct ctl *ctl;
	struct table *table;
	const struct guard *guard;
	const char *what;          /* "block 192.0.2.0/24" */
	outlook_edit_fn edit;      /* NULL = no entry changes */
	const void *userdata;
	const struct fw_list *policy; /* that a list would get, NULL = none changes ... */
	unsigned list;                /* ... and which */

	/* read when they are first needed: most changes concern nothing that is protected */
	bool is_loaded;
	struct fw_list lists[FW_LISTS_MAX]; /* as they are */
	struct fw_list after[FW_LISTS_MAX]; /* as they would be */
};

/* A list would get this policy, for more than one. */
int outlook_set_policy(struct outlook *o, unsigned list, const struct fw_list *policy);

/* Would all that is protected still pass? Returns an exit status, and has reported; with --force a note. */
int outlook_check(struct outlook *o);

/* Of this only whether too many ports of outgoing connections would be blocked. */
int outlook_check_ephemeral(struct outlook *o);

/* The same for the changes of one command, which looks only at what they may concern; index: of their list. */
int outlook_check_changes(struct outlook *o, const struct changes *c, unsigned list);

/* How many ports of outgoing connections the entries in the kernel drop in this direction. */
int outlook_count_ephemeral(struct outlook *o, enum fw_protocol protocol, enum fw_direction direction, size_t *ret);
