/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The pinned maps of any version, read into our structs by the schema that is pinned with them. What an
 * unfinished upgrade left has counted only since its programs were attached: the rest is in the source below.
 */

#include <stdint.h>

#include "abi/abi.h"
#include "load/schema.h"
#include "text/prefix.h"

struct source;

/*
 * Opens maps/ below dir. below: the source that this one was filled from, whose counts are missing in it;
 * NULL = none are. It outlives the new one. -ENOENT: there is no schema, nothing can be read; -EPROTO,
 * -EBADMSG: the schema does not describe what is pinned.
 */
int source_open(const char *dir, const struct source *below, struct source **ret);
struct source *source_free(struct source *s); /* accepts NULL, returns NULL */

/* Is a map missing that could be opened if its pin had not been removed? Its name, or NULL. */
const char *source_missing(const struct source *s);

/* Those members of its meta that versions tell each other, see schema.c; the others, and what it does not say, are 0. */
int source_meta(const struct source *s, struct fw_meta *ret);

/* -ENOENT past the end of what that version has. */
int source_list(const struct source *s, unsigned index, struct fw_list *ret);
int source_port(const struct source *s, unsigned index, struct fw_port *ret);

/* The hits of a port entry, with those from below; 0 = none, or no such entry. */
int source_port_hits(const struct source *s, unsigned index, uint64_t *ret_hits, uint32_t *ret_last_hit);

/* Summed over CPUs, with all that was counted below. */
int source_counters(const struct source *s, unsigned index, struct fw_counters *ret);
int source_list_counters(const struct source *s, unsigned list, struct fw_list_counters *ret);

/* How many entries the table in use has room for. */
uint32_t source_room(const struct source *s, enum fw_kind kind);

/*
 * Calls fn for each entry, in no order, and stops at a negative return. One over which a writer has died may come
 * twice, as it was and as it was to be.
 */
typedef int (*source_entry_fn)(const struct prefix *p, const struct fw_entry *entry, void *userdata);
int source_each_entry(const struct source *s, enum fw_kind kind, source_entry_fn fn, void *userdata);

typedef int (*source_end_fn)(const struct fw_ends_key *key, const struct fw_ends *ends, void *userdata);
int source_each_end(const struct source *s, source_end_fn fn, void *userdata);

/* Calls fn for each entry that has been hit, with its hits from below as well. -ENOMEM: these are too many. */
typedef int (*source_hits_fn)(const struct prefix *p, uint64_t hits, uint32_t last_hit, void *userdata);
int source_each_hits(const struct source *s, source_hits_fn fn, void *userdata);
