/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A firewall of the test's own: loaded as the daemon does it, never attached, with lists of every kind
 * and entries that a test names in one line of text.
 */

#include <stdbool.h>

#include "abi/abi.h"
#include "state/table-writer.h"

/* The lists of these tests, by number. */
enum {
	LIST_MANUAL = FW_LIST_MANUAL_ID,
	LIST_ALLOW = FW_LIST_ALLOW_ID,
	LIST_OTHER,    /* blocks as manual does */
	LIST_AUDIT,    /* blocks, in mode audit */
	LIST_DISABLED, /* would block */
	_LIST_MAX,
};

struct firewall;

/*
 * Mounts a private bpffs in a mount namespace of its own, loads the programs there and makes the lists.
 * Prints how much the verifier had to do for each program. -EPERM: no right to.
 */
int firewall_new(struct firewall **ret);
struct firewall *firewall_free(struct firewall *f); /* accepts NULL, returns NULL */

/* For tests that do without the rows' language; the caller keeps its hands off the lists themselves. */
struct table *firewall_table(struct firewall *f);

/* The writer of its table, until the firewall is freed or firewall_end_writer(). Nobody else writes: it has no lock. */
struct table_writer *firewall_writer(struct firewall *f);
void firewall_end_writer(struct firewall *f);
#define FIREWALL_LOCK_FD 0 /* in the place of a lock */

const char *firewall_pin_dir(void);

/* A pinned program by its name in fw.bpf.c; the caller closes it. */
int firewall_open_program(const char *name);

/*
 * Makes the entries those of the text and no others: "LIST TARGET [in|out|both] [ended|later], ...".
 * Both directions unless said; with "ended" the call waits until that entry has ended.
 */
int firewall_set(struct firewall *f, const char *entries);
void firewall_set_strict(struct firewall *f, bool is_strict);

/* What the kernel had to do to accept the programs. */
struct load_cost {
	unsigned n_insns_max; /* verified for one program, of 1000000 allowed */
	double seconds;       /* for all of them together */
};
const struct load_cost *firewall_load_cost(const struct firewall *f);

