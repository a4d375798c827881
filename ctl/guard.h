/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Lock-out protection: knows what this host and this session cannot do without, and says which of
 * it a block would cut off. Asked by block before anything is changed; allow needs no guard.
 */

#include <stddef.h>
#include <stdint.h>

#include "target.h"

/* What must stay reachable, and why. */
struct guard_item {
	struct prefix prefix;
	const char *what; /* "the default gateway"; static */
	bool is_whole;    /* a block of a part of it does no harm */
};

/* The TCP ports of an SSH session. */
struct guard_session {
	uint16_t server_port; /* here */
	uint16_t client_port; /* there */
};

#define GUARD_SESSIONS_MAX 8
#define GUARD_LENGTH_MIN   8 /* a shorter prefix is a mistake more often than a wish */

/* Zero-initialise; free with guard_done(). */
struct guard {
	struct guard_item *items;
	size_t n_items;
	size_t n_allocated;
	struct guard_session sessions[GUARD_SESSIONS_MAX];
	size_t n_sessions;
};

/* Gathers the host's addresses, its gateways and the sessions this process was started from. */
int guard_load(struct guard *g);
void guard_done(struct guard *g);

/* Adds what published lists hold and no host should block: private ranges and the like, see special.h. */
int guard_add_special(struct guard *g);

/*
 * What speaks against a block of target in these directions: "it covers 192.0.2.1, the default
 * gateway", in buffer; NULL if nothing.
 */
#define GUARD_TEXT_MAX 128
const char *guard_check(const struct guard *g, const struct target *target, unsigned directions,
			char buffer[static GUARD_TEXT_MAX]);

/* The parts of guard_load(). */
int guard_add(struct guard *g, int family, const void *bytes, const char *what);
int guard_load_gateways(struct guard *g);
int guard_load_sessions(struct guard *g);
