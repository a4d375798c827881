/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A drop, or what would have been one, as people and scripts read it. */

#include <json-c/json.h>
#include <net/if.h>

#include "abi/abi.h"
#include "state/table.h"

#define EVENT_TEXT_MAX 1024

/*
 * Names of interfaces, which events give as numbers, looked up when first needed; and how wide addresses were so far. Names
 * change: event_names_forget() about once a second.
 */
struct event_names {
	struct table *table; /* of the lists */
	struct {
		uint32_t index; /* 0 = none */
		char name[IF_NAMESIZE];
	} interfaces[64]; /* by index modulo their number */
	int width; /* of a source in text */
};

void event_names_forget(struct event_names *names);

/* The object of fwctl(8); NULL without memory. */
json_object *event_to_json(const struct fw_event *e, struct event_names *names);

/*
 * One line, or where columns of a terminal are fewer than EVENT_COLUMNS two to four that fit them; with the final
 * newline. columns 0: no terminal, one line. Returns the length.
 */
#define EVENT_COLUMNS 160
size_t event_to_text(const struct fw_event *e, struct event_names *names, unsigned columns,
		     char text[static EVENT_TEXT_MAX]);
