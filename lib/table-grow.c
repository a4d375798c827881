// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * A larger entry table in the place of the one in use, or a smaller one: filled aside, pinned, put into the other slot, and
 * named by one store. Whoever dies on the way leaves the old one in force and complete.
 */

#include <errno.h>

#include <bpf/bpf.h>

#include "cleanup.h"
#include "room.h"
#include "table-internal.h"

#define SHORT_MAX   16384
#define GROWTH_MIN  16 /* growing by less than this part, where memory is short, would copy the table all the time */
#define GROWTH_STEP 1024
#define SHRINK_PART 4 /* a table with fewer than this part in it gives memory back, and keeps twice what it needs */

/* What to ask of room_ask() for an entry. */
static uint64_t entry_room(enum fw_kind kind)
{
	return kind == FW_KIND_IPV4 ? ROOM_ENTRY4 : ROOM_ENTRY6;
}

/*
 * From one table to another. Packets count hits in the old one until it is out of use: so the hits that were copied are
 * kept, and what has come since is added then. Elements come in the same order both times, for under the writer lock
 * nobody else adds or removes any.
 */
struct exchange {
	enum fw_kind kind;
	int from, to;
	uint64_t *hits; /* as they were copied; NULL = there is no memory for that: what comes in between is lost */
	size_t n_hits;  /* elements so far, this time */
	int prog_fd;    /* fw_add_hits */
};

typedef int (*elements_fn)(struct exchange *x, const uint8_t *keys, const struct fw_entry *values, uint32_t n);

static int each_batch(struct exchange *x, elements_fn fn)
{
	size_t size = table_key_size(x->kind);
	_cleanup_free_ struct fw_entry *values = calloc(TABLE_BATCH, sizeof(*values));
	_cleanup_free_ uint8_t *keys = calloc(TABLE_BATCH, size);
	uint32_t cursor, n;
	void *in = NULL;
	int r = 0, end = 0;

	if (!keys || !values)
		return -ENOMEM;
	x->n_hits = 0;
	while (r >= 0 && end == 0) {
		n = TABLE_BATCH;
		if (bpf_map_lookup_batch(x->from, in, &cursor, keys, values, &n, NULL) < 0)
			end = -errno;
		if (end < 0 && end != -ENOENT) /* the end of the table; n elements came all the same */
			return end;
		if (n)
			r = fn(x, keys, values, n);
		in = &cursor;
	}
	return r;
}

static int copy_batch(struct exchange *x, const uint8_t *keys, const struct fw_entry *values, uint32_t n)
{
	if (bpf_map_update_batch(x->to, keys, values, &n, NULL) < 0)
		return -errno;
	for (uint32_t i = 0; i < n && x->hits; i++)
		x->hits[x->n_hits++] = values[i].hits;
	return 0;
}

static int add_late_hits(struct exchange *x, const uint8_t *keys, const struct fw_entry *values, uint32_t n)
{
	size_t size = table_key_size(x->kind);
	int r = 0;

	for (uint32_t i = 0; i < n && r >= 0; i++, x->n_hits++)
		if (values[i].hits != x->hits[x->n_hits])
			r = table_add_hits(x->prog_fd, x->kind, keys + i * size, values[i].hits - x->hits[x->n_hits],
					   values[i].last_hit, false);
	return r;
}

/* Memory to keep the hits of so many elements; NULL where it is short. */
static uint64_t *hits_new(uint64_t n)
{
	return n <= SHORT_MAX || room_ask(n * sizeof(uint64_t)) >= 0 ? calloc(n, sizeof(uint64_t)) : NULL;
}

/* A table takes its memory at once: short ones double, long ones grow by a part. */
static uint64_t next_size(uint64_t at_least)
{
	uint64_t size = 1;

	if (at_least > SHORT_MAX)
		return at_least + at_least / GROWTH_MIN;
	while (size < at_least)
		size *= 2;
	return size;
}

/* How many entries the table in use may hold. */
static int table_room(struct table *t, enum fw_kind kind, uint64_t *ret)
{
	struct bpf_map_info info = {};
	uint32_t size = sizeof(info);
	int r;

	r = table_current_fd(t, kind);
	if (r < 0)
		return r;
	if (bpf_obj_get_info_by_fd(t->table_fd[kind], &info, &size) < 0)
		return -errno;
	*ret = info.max_entries;
	return 0;
}

int table_wait(struct table *t, enum fw_kind kind, int fd)
{
	uint32_t slot = fw_slot(t->policy->table_generation[kind]);

	/* puts there what is there: an update of such a map waits for the programs that run */
	return bpf_map_update_elem(t->tables_fd[kind], &slot, &fd, BPF_ANY) < 0 ? -errno : 0;
}

static void drop_pin(struct table *t, enum fw_kind kind, uint32_t slot)
{
	char name[TABLE_PIN_MAX];

	(void) pins_remove(t->pin_dir, table_pin_name(kind, slot, name));
}

/* Lets go of the table beside the one in use: nobody finds it, leaving it there would only cost its memory. */
static void drop_other(struct table *t, enum fw_kind kind)
{
	uint32_t other = fw_slot(t->policy->table_generation[kind] + 1);

	(void) bpf_map_delete_elem(t->tables_fd[kind], &other);
	drop_pin(t, kind, other);
}

/*
 * The same where a writer that was killed in exchange_table() has left one, in its slot or only pinned. An empty slot is
 * left alone: before kernel 6.8 to delete there waits for the programs as well, and this comes with every change.
 */
static void drop_left_behind(struct table *t, enum fw_kind kind)
{
	uint32_t other = fw_slot(t->policy->table_generation[kind] + 1), id;
	int fd;

	if (bpf_map_lookup_elem(t->tables_fd[kind], &other, &id) < 0) {
		drop_pin(t, kind, other);
		return;
	}
	fd = table_current_fd(t, kind);
	if (fd < 0)
		return;
	(void) table_wait(t, kind, fd);
	drop_other(t, kind);
}

static int exchange_table(struct table *t, enum fw_kind kind, uint32_t max_entries)
{
	uint32_t generation = t->policy->table_generation[kind];
	uint32_t next = fw_slot(generation + 1);
	_cleanup_close_ int fd = -1, prog_fd = -1;
	_cleanup_free_ uint64_t *hits = NULL;
	struct exchange x = { .kind = kind };
	uint64_t room;
	int r;

	r = table_room(t, kind, &room);
	if (r < 0)
		return r;
	fd = table_new_map(kind, max_entries);
	if (fd < 0)
		return fd;
	x.from = t->table_fd[kind];
	x.to = fd;
	x.hits = hits = hits_new(room);
	r = each_batch(&x, copy_batch);
	if (r < 0)
		return r;
	r = table_put_slot(t, kind, next, fd);
	if (r < 0)
		return r;
	__atomic_store_n(&t->policy->table_generation[kind], generation + 1, __ATOMIC_RELEASE);

	(void) table_wait(t, kind, fd);
	x.prog_fd = prog_fd = pins_open(t->pin_dir, "progs/fw_add_hits");
	if (hits && prog_fd >= 0)
		(void) each_batch(&x, add_late_hits); /* the exchange stands, whatever becomes of them */

	closep(&t->table_fd[kind]);
	t->table_fd[kind] = TAKE_FD(fd);
	t->table_generation[kind] = generation + 1;
	drop_other(t, kind);
	return 0;
}

int table_grow(struct table *t, enum fw_kind kind, uint64_t at_least)
{
	uint64_t room = 0, least, size;
	int r;

	r = table_room(t, kind, &room);
	if (r < 0)
		return r;
	least = at_least ?: room + room / GROWTH_MIN + 1;
	if (least > t->meta.max_entries && at_least == 0 && room < t->meta.max_entries)
		least = t->meta.max_entries;
	if (least <= room)
		return 0;
	if (least > t->meta.max_entries)
		return -E2BIG;

	size = next_size(least);
	if (size > t->meta.max_entries)
		size = t->meta.max_entries;
	/*
	 * Memory for all that it may ever take, or a smaller one: the memory is that of whoever makes the table, who must
	 * not be killed because somebody else has filled it.
	 */
	while ((r = room_ask(size * entry_room(kind))) < 0 && size > least)
		size = size - least > GROWTH_STEP ? least + (size - least) / 2 : least;
	return r < 0 ? r : exchange_table(t, kind, size);
}

void table_shrink(struct table *t)
{
	uint64_t room, n;

	for (enum fw_kind kind = FW_KIND_IPV4; kind <= FW_KIND_IPV6; kind++) {
		drop_left_behind(t, kind);
		if (t->table_fd[kind] < 0 || table_room(t, kind, &room) < 0) /* nothing of this kind was touched */
			continue;
		n = table_count(t, kind);
		if (room > SHORT_MAX && n < room / SHRINK_PART)
			(void) exchange_table(t, kind, next_size(n < SHORT_MAX / 2 ? SHORT_MAX : 2 * n));
	}
}

int table_reserve(struct table *t, enum fw_kind kind, uint64_t n_more)
{
	int r;

	if (n_more == 0)
		return 0;
	r = table_filter_reserve(t, kind, n_more); /* first: it is small. Short prefixes take more, when they come */
	return r < 0 ? r : table_grow(t, kind, table_count(t, kind) + n_more);
}

int table_make_room(struct table *t, enum fw_kind kind, uint32_t n_entries)
{
	uint64_t room = 0;
	int r;

	r = table_room(t, kind, &room);
	return r < 0 || n_entries <= room ? r : exchange_table(t, kind, n_entries);
}
