/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What a user may name: an address, a prefix, a range of addresses, a port or a range of ports.
 * Text <-> struct. Shared by the command line, list files and output, so that one spelling means one
 * thing everywhere. For how long is said in duration.h.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/abi.h"
#include "text/duration.h"
#include "text/prefix.h"

enum target_kind {
	TARGET_PREFIX,
	TARGET_PORT,
};

struct target {
	enum target_kind kind;
	struct prefix prefix; /* TARGET_PREFIX */
	struct {
		enum fw_protocol protocol;
		uint16_t first; /* host order, inclusive */
		uint16_t last;
	} port; /* TARGET_PORT */
};

#define TARGET_TEXT_MAX PREFIX_TEXT_MAX /* longer than "tcp/65535-65535" */

/* Does outer cover all of inner? Never across kinds, families and protocols. */
bool target_covers(const struct target *outer, const struct target *inner);

/* A growing array of targets. Zero-initialise; free with targets_done(). */
struct targets {
	struct target *items;
	size_t n_items;
	size_t n_allocated;
	size_t n_masked; /* how many had host bits set, which were cleared */
};

void targets_done(struct targets *t);
int targets_add(struct targets *t, const struct target *target); /* -ENOMEM */

/*
 * Parses one TARGET and appends what it names: one item, or for an address range "a-b" one per prefix
 * that it splits into. Surrounding space is not accepted. *ret_error, on failure, is a static sentence
 * that says what is wrong and what is expected, without the text itself: "prefix length must be 0 to 32".
 * -EINVAL or -ERANGE: refused, nothing appended; -ENOMEM.
 */
int targets_parse(struct targets *t, const char *text, size_t length, const char **ret_error);

/* Parses a TARGET that must name exactly one item; a range of addresses is refused. */
int target_parse(const char *text, size_t length, struct target *ret, const char **ret_error);

/* Canonical text: "192.0.2.0/24", "tcp/80", "tcp/8000-8100". Returns buffer. */
const char *target_format(const struct target *t, char buffer[static TARGET_TEXT_MAX]);

/* Prefixes first in prefix order, then ports by protocol, first, last. <0, 0, >0. */
int target_compare(const struct target *a, const struct target *b);

/* "tcp", "udp"; NULL and -EINVAL past the end of the enum. Exact, lower case. */
const char *protocol_to_string(enum fw_protocol p);
int protocol_from_string(const char *text, size_t length);

/* Directions as in list files and output: "in", "out", "both". */
const char *directions_to_string(unsigned directions);
int directions_from_string(const char *text, size_t length);

/* What a target gets that names no direction: both for prefixes, in for ports. */
unsigned target_default_directions(const struct target *t);

/* Which kind of entry it is. */
enum fw_kind target_fw_kind(const struct target *t);
