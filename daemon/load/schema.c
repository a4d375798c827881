// SPDX-License-Identifier: GPL-2.0-or-later

/* Members by name: see schema.h. The compiler fills in the rows, a test looks that none is missing. */

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/abi.h"
#include "base/cleanup.h"
#include "load/schema.h"

#define STRUCT(type)       { #type, ".", 0, sizeof(struct type), 1 }
#define ONE(type, member)  { #type, #member, offsetof(struct type, member), sizeof(((struct type *)0)->member), 1 }
#define MANY(type, member)                                                            \
	{ #type, #member, offsetof(struct type, member), sizeof(((struct type *)0)->member[0]), \
	  ELEMENTSOF(((struct type *)0)->member) }

static struct schema_row own_rows[] = {
	STRUCT(fw_slot),
	ONE(fw_slot, high),
	ONE(fw_slot, low),
	ONE(fw_slot, prefixlen),
	ONE(fw_slot, is_used),
	MANY(fw_slot, entry.lists),
	ONE(fw_slot, entry.hits),
	ONE(fw_slot, entry.until),
	ONE(fw_slot, entry.last_hit),

	STRUCT(fw_ends_key),
	ONE(fw_ends_key, kind),
	ONE(fw_ends_key, prefixlen),
	MANY(fw_ends_key, addr),

	STRUCT(fw_ends),
	MANY(fw_ends, until),

	STRUCT(fw_port),
	MANY(fw_port, entry.lists),
	ONE(fw_port, entry.hits),
	ONE(fw_port, entry.until),
	ONE(fw_port, entry.last_hit),
	ONE(fw_port, first),
	ONE(fw_port, last),
	ONE(fw_port, protocol),
	ONE(fw_port, is_used),

	STRUCT(fw_list),
	MANY(fw_list, name),
	ONE(fw_list, n_entries),
	ONE(fw_list, action),
	ONE(fw_list, mode),
	ONE(fw_list, is_enabled),
	ONE(fw_list, directions),
	ONE(fw_list, file_stamp),

	STRUCT(fw_counters),
	ONE(fw_counters, packets),
	ONE(fw_counters, bytes),
	ONE(fw_counters, syn),
	ONE(fw_counters, syn_ack),
	ONE(fw_counters, dropped),
	ONE(fw_counters, dropped_bytes),
	ONE(fw_counters, unparsed),
	ONE(fw_counters, skbs),
	MANY(fw_counters, reasons),
	ONE(fw_counters, dropped_other_netns),

	STRUCT(fw_list_counters),
	ONE(fw_list_counters, hits),
	ONE(fw_list_counters, dropped),
	ONE(fw_list_counters, dropped_bytes),
	ONE(fw_list_counters, would_drop),
	ONE(fw_list_counters, other_netns),

	/* of these, what says which table is in use, where its slots are, and which counters they are */
	STRUCT(fw_policy),
	MANY(fw_policy, table_generation),
	STRUCT(fw_table),
	ONE(fw_table, n_entries),
	ONE(fw_table, first_slot),
	STRUCT(fw_meta),
	ONE(fw_meta, counting_since),
	ONE(fw_meta, netns_cookie),
	ONE(fw_meta, netns_inode),
};

const struct schema schema_own = { .rows = own_rows, .n_rows = ELEMENTSOF(own_rows) };

char *schema_format(const struct schema *s)
{
	_cleanup_free_ char *text = calloc(1, SCHEMA_TEXT_MAX);
	size_t n = 0;

	for (size_t i = 0; text && n < SCHEMA_TEXT_MAX && i < s->n_rows; i++) {
		const struct schema_row *row = &s->rows[i];

		n += (size_t)snprintf(text + n, SCHEMA_TEXT_MAX - n, "%s %s %u %u %u\n", row->type, row->member,
				      row->offset, row->size, row->count);
	}
	return n < SCHEMA_TEXT_MAX ? TAKE_PTR(text) : NULL;
}

static const struct schema_row *find(const struct schema *s, const char *type, const char *member)
{
	for (size_t i = 0; i < s->n_rows; i++)
		if (strcmp(s->rows[i].type, type) == 0 && strcmp(s->rows[i].member, member) == 0)
			return &s->rows[i];
	return NULL;
}

/* A pin can only be root's, but a text that is wrong must not make us read past the end of a value. */
static bool row_is_valid(const struct schema *s, const struct schema_row *row)
{
	const struct schema_row *whole = find(s, row->type, ".");

	if (!whole || whole->size == 0 || whole->size > SCHEMA_TEXT_MAX)
		return false;
	if (row == whole)
		return true;
	return (row->size == 1 || row->size == 2 || row->size == 4 || row->size == 8) && row->count > 0 &&
	       row->offset <= whole->size && row->count <= (whole->size - row->offset) / row->size;
}

int schema_parse(const char *text, struct schema *ret)
{
	struct schema s = {};
	int n;

	s.rows = calloc(strlen(text) / 2 + 1, sizeof(*s.rows)); /* a row is longer than that */
	if (!s.rows)
		return -ENOMEM;
	for (; *text; text += n) {
		struct schema_row *row = &s.rows[s.n_rows++];

		n = 0;
		if (sscanf(text, "%31s %31s %u %u %u%n", row->type, row->member, &row->offset, &row->size, &row->count,
			   &n) != 5 || text[n++] != '\n') {
			schema_done(&s);
			return -EBADMSG;
		}
	}
	for (size_t i = 0; i < s.n_rows; i++) {
		if (!row_is_valid(&s, &s.rows[i])) {
			schema_done(&s);
			return -EBADMSG;
		}
	}
	*ret = s;
	return 0;
}

void schema_done(struct schema *s)
{
	free(s->rows);
	*s = (struct schema){};
}

uint32_t schema_size(const struct schema *s, const char *type)
{
	const struct schema_row *row = find(s, type, ".");

	return row ? row->size : 0;
}

static uint64_t load(const void *from, uint32_t size)
{
	switch (size) {
	case 1:
		return *(const uint8_t *)from;
	case 2: {
		uint16_t v;

		memcpy(&v, from, sizeof(v));
		return v;
	}
	case 4: {
		uint32_t v;

		memcpy(&v, from, sizeof(v));
		return v;
	}
	default: {
		uint64_t v;

		memcpy(&v, from, sizeof(v));
		return v;
	}
	}
}

static void store(uint64_t value, void *to, uint32_t size)
{
	uint32_t v4 = value;
	uint16_t v2 = value;
	uint8_t v1 = value;

	memcpy(to, size == 1 ? &v1 : size == 2 ? (void *)&v2 : size == 4 ? (void *)&v4 : &value, size);
}

int schema_plan(const struct schema *from, const struct schema *to, const char *type, struct schema_plan *ret)
{
	struct schema_plan plan = { .to_size = schema_size(to, type) };

	for (size_t i = 0; i < to->n_rows; i++) {
		const struct schema_row *new = &to->rows[i], *old;

		if (strcmp(new->type, type) != 0 || strcmp(new->member, ".") == 0)
			continue;
		old = find(from, type, new->member);
		if (!old)
			continue;
		if (plan.n_moves == SCHEMA_MEMBERS_MAX)
			return -E2BIG;
		plan.moves[plan.n_moves++] = (struct schema_move){
			.from_offset = old->offset,
			.from_size = old->size,
			.to_offset = new->offset,
			.to_size = new->size,
			.count = old->count < new->count ? old->count : new->count,
		};
	}
	*ret = plan;
	return 0;
}

void schema_convert(const struct schema_plan *plan, const void *from, void *ret)
{
	memset(ret, 0, plan->to_size);
	for (size_t i = 0; i < plan->n_moves; i++) {
		const struct schema_move *m = &plan->moves[i];

		for (uint32_t n = 0; n < m->count; n++)
			store(load((const char *)from + m->from_offset + n * m->from_size, m->from_size),
			      (char *)ret + m->to_offset + n * m->to_size, m->to_size);
	}
}
