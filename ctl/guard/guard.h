/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Lock-out protection: knows what this host and this session cannot do without, and says which of
 * it a block would cut off. Asked by block before anything is changed; allow needs no guard.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/abi.h"
#include "text/target.h"

/* What must stay reachable, and why. */
struct guard_item {
	struct prefix prefix;
	const char *what; /* "the default gateway"; static */
	bool is_whole;    /* a block of a part of it does no harm */
};

/* A TCP connection to a service of this host. */
struct guard_session {
	struct prefix peer;
	uint16_t server_port; /* here */
	uint16_t client_port; /* there */
	const char *what;     /* "this SSH session"; static */
	const char *peer_is;  /* "the peer of this SSH session" */
};

#define GUARD_SESSIONS_MAX 64
#define GUARD_LENGTH_MIN   8 /* a shorter prefix is a mistake more often than a wish */
#define GUARD_SHORT_TEXT   "a prefix shorter than /8 covers too much"
#define GUARD_TEXT_MAX     256

/* Zero-initialise; free with guard_done(). */
struct guard {
	struct guard_item *items;
	size_t n_items;
	size_t n_allocated;
	struct guard_session sessions[GUARD_SESSIONS_MAX];
	size_t n_sessions;
	unsigned ephemeral_first, ephemeral_last;   /* ports that outgoing connections use ... */
	uint8_t reserved[(UINT16_MAX + 1) / 8];     /* ... except these, as bits */
	size_t n_ephemeral;
};

/* Gathers the host's addresses, its gateways and servers, and the sessions this process was started from and others. */
int guard_load(struct guard *g);
void guard_done(struct guard *g);

/* Adds what published lists hold and no host should block: private ranges and the like, see special.h. */
int guard_add_special(struct guard *g);

/* Adds what a host needs to be on a network at all. */
int guard_add_needed(struct guard *g);

/*
 * The reason against a block of target in these directions, independent of the other entries in the tables: "it covers
 * 192.0.2.1, the default gateway", in buffer; NULL if there is none. For what is loaded; outlook.h looks at the result.
 */
const char *guard_check(const struct guard *g, const struct target *target, unsigned directions,
			char buffer[static GUARD_TEXT_MAX]);

/* Would a block of this prefix concern the item? And the sentence. */
bool guard_concerns(const struct guard_item *item, const struct prefix *p);
const char *guard_explain(const struct guard_item *item, const struct prefix *p, char buffer[static GUARD_TEXT_MAX]);
const char *guard_explain_session(const struct guard_session *s, const struct target *t,
				  char buffer[static GUARD_TEXT_MAX]);

/* The address itself, or the first host of a prefix. */
struct prefix guard_host_of(const struct prefix *p);

/* Ports of outgoing connections (ephemeral.c): which they are, whether so many are too many, and the sentence. */
bool guard_is_ephemeral(const struct guard *g, unsigned port);
bool guard_is_much(const struct guard *g, size_t n_ports);
const char *guard_explain_ephemeral(const struct guard *g, enum fw_protocol protocol, enum fw_direction direction,
				    size_t n_ports, bool is_done, char buffer[static GUARD_TEXT_MAX]);

/* The parts of guard_load(). */
int guard_add(struct guard *g, int family, const void *bytes, const char *what);
int guard_load_gateways(struct guard *g);
int guard_load_sessions(struct guard *g);
int guard_add_session(struct guard *g, const struct guard_session *s); /* of more than there is room for none */
int guard_load_sshd(struct guard *g);     /* after those of this session */
int guard_load_services(struct guard *g);
void guard_load_ephemeral(struct guard *g);
