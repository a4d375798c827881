/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Attachments in the user's words: where they are, which of them decides, and why they are as they are. */

#include <json-c/json.h>

#include "ctl.h"
#include "inspect/attachment.h"

/* The interface's name or the cgroup's path, in buffer or in meta, which may be NULL where there is no cgroup. */
#define WHERE_NAME_MAX 32
const char *where_name(const struct attachment *a, const struct fw_meta *meta, char buffer[static WHERE_NAME_MAX]);
json_object *where_text(const struct attachment *a, const struct fw_meta *meta);

/* The name of a program, anybody's, escaped, in buffer; "" where it has none or we may not ask. */
#define WHERE_PROGRAM_MAX 64
const char *where_program(uint32_t id, char buffer[static WHERE_PROGRAM_MAX]);

/* What the daemon notes of an interface's xdp, with the name of a foreign program if it can be told; or null. */
json_object *where_xdp_note(const struct fw_meta *meta, unsigned ifindex);

/* All those notes: "eth0: ...; eth1: ...", or null. */
json_object *where_xdp_notes(const struct fw_meta *meta);

/*
 * Where packets of a direction are judged: [{"hook", "where": [PLACE...]}], a row for each hook that the direction has,
 * in the order in which a packet meets them. A hook that is attached nowhere has no place.
 */
int where_judged(const struct ctl *ctl, const struct fw_meta *meta, enum fw_direction d, json_object **ret);
void where_leave_out(json_object *judged, enum fw_hook hook); /* this hook does not judge this packet at any place */
bool where_is_judged_by(json_object *judged, enum fw_hook hook);
bool where_is_judged(json_object *judged); /* by any hook */
bool where_is_judged_at(json_object *judged, enum fw_hook hook, const char *place);

/*
 * The hooks that decide, [{"hook", "where"}]: of each interface the one that an arriving packet meets first, and
 * the cgroup if there is no interface. A packet of a local socket meets the cgroup first.
 */
json_object *where_decided(json_object *judged, enum fw_direction d);
