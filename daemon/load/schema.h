/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Where the members of a version's structs are, as a text that is pinned next to its maps. Any other version, older or
 * newer, reads them by it. Only what an upgrade carries over is described. Pure.
 */

#include <stddef.h>
#include <stdint.h>

#define SCHEMA_NAME_MAX 32
#define SCHEMA_TEXT_MAX 16384 /* far more than any version needs */

/* A member: count integers of size bytes each. The row "." is the struct itself. */
struct schema_row {
	char type[SCHEMA_NAME_MAX];
	char member[SCHEMA_NAME_MAX];
	uint32_t offset;
	uint32_t size; /* 1, 2, 4 or 8; of "." any */
	uint32_t count;
};

struct schema {
	struct schema_row *rows;
	size_t n_rows;
};

/* This version's. */
extern const struct schema schema_own;

/* As text, one row a line: "fw_slot prefixlen 16 1 1". To be freed; NULL: no memory, or more than SCHEMA_TEXT_MAX. */
char *schema_format(const struct schema *s);

/* -EBADMSG: that is no such text, or a member lies outside of its struct; -ENOMEM. */
int schema_parse(const char *text, struct schema *ret);
void schema_done(struct schema *s);

/* The size of a struct in that version, 0 if it has none of that name. */
uint32_t schema_size(const struct schema *s, const char *type);

/*
 * How a struct of one version becomes that of another. It copies every member that both have, of arrays as many elements as
 * both have; the rest is zero. An integer that was wider is cut. Made once, used a million times. -E2BIG: there would be
 * more than SCHEMA_MEMBERS_MAX members, and none may be left out.
 */
#define SCHEMA_MEMBERS_MAX 16

struct schema_plan {
	struct schema_move {
		uint32_t from_offset, from_size;
		uint32_t to_offset, to_size;
		uint32_t count;
	} moves[SCHEMA_MEMBERS_MAX];
	size_t n_moves;
	uint32_t to_size;
};

int schema_plan(const struct schema *from, const struct schema *to, const char *type, struct schema_plan *ret);
void schema_convert(const struct schema_plan *plan, const void *from, void *ret);
