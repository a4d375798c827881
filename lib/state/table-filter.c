// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * The filters of the pinned tables: bits come before their entry, and stay when it goes. When a filter
 * holds too many for its size, a new one is built aside from the table and named by one store.
 */

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#include <bpf/bpf.h>

#include "base/cleanup.h"
#include "kernel/room.h"
#include "state/table-internal.h"

static void filter_name(enum fw_kind kind, uint32_t slot, char name[static 32])
{
	(void) snprintf(name, 32, "maps/filter%c_%u", kind == FW_KIND_IPV4 ? '4' : '6', slot);
}

static struct fw_cells *cells_of(struct table *t, enum fw_kind kind, uint32_t slot)
{
	return &t->cells[kind * FW_TABLE_SLOTS + slot];
}

/* Bytes of the words of a filter. */
static size_t size_of(enum fw_kind kind, const struct fw_filter *header)
{
	return filter_n_words(kind, header) * sizeof(uint64_t);
}

void table_close_filter(struct table *t, enum fw_kind kind)
{
	struct open_filter *f = &t->filters[kind];

	if (f->filter.words)
		(void) munmap(f->filter.words, size_of(kind, &f->filter.header));
	*f = (struct open_filter){};
}

static int map_words(int fd, enum fw_kind kind, struct filter *f)
{
	void *p = mmap(NULL, size_of(kind, &f->header), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		return -errno;
	f->words = p;
	return 0;
}

/* The filter in use, mapped. One that has no words yet is complete as it is: the kernel asks all lengths. */
static int open_filter(struct table *t, enum fw_kind kind, struct filter **ret)
{
	struct map_shape shape = { NULL, BPF_MAP_TYPE_ARRAY, sizeof(uint32_t), sizeof(uint64_t) };
	uint32_t generation = t->policy->filter_generation[kind], slot = fw_slot(generation);
	struct open_filter *f = &t->filters[kind];
	_cleanup_close_ int fd = -1;
	char name[32];
	int r;

	if (f->generation != generation || !f->filter.cells) {
		table_close_filter(t, kind);
		f->filter.cells = cells_of(t, kind, slot);
		f->filter.header = t->policy->filters[kind][slot];
		filter_name(kind, slot, name);
		shape.name = name;
		r = pins_open_map(t->pin_dir, &shape, &fd);
		if (r >= 0)
			r = map_words(fd, kind, &f->filter);
		if (r < 0 && r != -ENOENT)
			return r;
		f->generation = generation;
	}
	*ret = &f->filter;
	return 0;
}

static int add_one(const struct prefix *p, void *userdata)
{
	filter_add(userdata, p);
	return 0;
}

/* An empty filter in the slot that is not in use. When it returns no packet reads that slot any more. */
static int new_filter(struct table *t, enum fw_kind kind, uint32_t slot, uint64_t n_keys, struct filter *ret)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE | BPF_F_INNER_MAP);
	uint32_t outer = kind * FW_TABLE_SLOTS + slot;
	_cleanup_close_ int fd = -1;
	struct filter f;
	char name[32];
	int r;

	f = (struct filter){ .cells = cells_of(t, kind, slot), .header = filter_header_for(kind, n_keys) };
	if (getrandom(&f.header.seed, sizeof(f.header.seed), 0) != sizeof(f.header.seed))
		return -EIO;

	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "fw_filter", sizeof(uint32_t), sizeof(uint64_t),
			    filter_n_words(kind, &f.header), &opts);
	if (fd < 0)
		return -errno;
	filter_name(kind, slot, name);
	r = pins_put(t->pin_dir, name, fd);
	if (r < 0)
		return r;
	/* waits until every program that may have read the old slot is done: its cells may be cleared */
	if (bpf_map_update_elem(t->filters_fd, &outer, &fd, BPF_ANY) < 0)
		return -errno;
	memset(f.cells, 0, sizeof(*f.cells));
	r = map_words(fd, kind, &f);
	if (r >= 0)
		*ret = f;
	return r;
}

int table_rebuild_filter(struct table_writer *w, enum fw_kind kind, uint64_t n_more_keys)
{
	struct table *t = w->t;
	uint32_t generation = t->policy->filter_generation[kind], old = fw_slot(generation);
	uint32_t slot = fw_slot(generation + 1), outer = kind * FW_TABLE_SLOTS + old;
	uint64_t n_keys = table_count_keys(t, kind);
	struct filter f;
	char name[32];
	int r;

	r = new_filter(t, kind, slot, n_keys + n_more_keys, &f);
	if (r < 0)
		return r;
	r = table_walk_prefixes(t, kind, add_one, &f);
	if (r < 0) {
		(void) munmap(f.words, size_of(kind, &f.header));
		return r;
	}

	t->policy->filters[kind][slot] = f.header;
	__atomic_store_n(&t->policy->filter_generation[kind], generation + 1, __ATOMIC_RELEASE);
	t->census->n_keys[kind] = n_keys;

	table_close_filter(t, kind);
	t->filters[kind] = (struct open_filter){ .filter = f, .generation = generation + 1 };
	(void) bpf_map_delete_elem(t->filters_fd, &outer); /* only its memory is at stake */
	filter_name(kind, old, name);
	(void) pins_remove(t->pin_dir, name);
	return 0;
}

int table_filter_reserve(struct table_writer *w, enum fw_kind kind, uint64_t n_more_keys)
{
	struct table *t = w->t;
	struct fw_filter larger;
	struct filter *f;
	int r;

	r = open_filter(t, kind, &f);
	if (r < 0 || n_more_keys == 0)
		return r;
	if (f->words && t->census->n_keys[kind] + n_more_keys <= filter_keys_at_most(kind, &f->header))
		return 0;
	larger = filter_header_for(kind, table_count_keys(t, kind) + n_more_keys);
	r = room_ask(size_of(kind, &larger));
	return r < 0 ? r : table_rebuild_filter(w, kind, n_more_keys);
}

void table_filter_shrink(struct table_writer *w, enum fw_kind kind)
{
	struct table *t = w->t;
	uint32_t slot = fw_slot(t->policy->filter_generation[kind]);
	uint64_t n_keys = table_count_keys(t, kind);

	if (t->policy->filters[kind][slot].n_words > TABLE_SHRINK_PART * filter_header_for(kind, n_keys).n_words)
		(void) table_rebuild_filter(w, kind, n_keys);
}

int table_filter_add(struct table_writer *w, enum fw_kind kind, const struct prefix *p)
{
	struct table *t = w->t;
	uint64_t n_keys = filter_keys(p);
	struct filter *f;
	int r;

	r = table_filter_reserve(w, kind, n_keys);
	if (r >= 0)
		r = open_filter(t, kind, &f);
	if (r < 0)
		return r;
	t->census->n_keys[kind] += n_keys;
	filter_add(f, p);
	return 0;
}

bool table_may_hold(struct table *t, enum fw_kind kind, const struct prefix *p)
{
	struct filter *f;

	return open_filter(t, kind, &f) < 0 || filter_maybe(f, p, p->length);
}
