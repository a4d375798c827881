// SPDX-License-Identifier: GPL-2.0-or-later

/* Opening the pinned maps, and closing them; their writer without what it repairs. */

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <linux/bpf.h>

#include "base/cleanup.h"
#include "state/table-internal.h"

/*
 * Until they are needed again: their memory is taken as long as somebody has them open, also when others have put something
 * else in their place, and what is mapped counts as the process's.
 */
void table_close_tables(struct table *t)
{
	for (unsigned i = 0; i < ELEMENTSOF(t->chains); i++) {
		table_close_filter(t, i);
		t->chains[i] = chains_free(t->chains[i]);
	}
	table_ends_close(t);
}

struct table_writer *table_end(struct table_writer *w)
{
	if (!w)
		return NULL;
	free(w->port_index);
	*w = (struct table_writer){};
	return NULL;
}

struct table *table_of(const struct table_writer *w)
{
	return w->t;
}

struct table *table_free(struct table *t)
{
	if (!t)
		return NULL;

	if (t->policy)
		(void) munmap(t->policy, sizeof(*t->policy));
	if (t->census)
		(void) munmap(t->census, sizeof(*t->census));
	if (t->ports)
		(void) munmap(t->ports, FW_PORT_ENTRIES_MAX * sizeof(*t->ports));
	if (t->cells)
		(void) munmap(t->cells, 2 * FW_TABLE_SLOTS * sizeof(*t->cells));
	table_close_tables(t);
	closep(&t->tables_fd);
	closep(&t->filters_fd);
	closep(&t->ends_slot_fd);
	table_ends_close(t);
	closep(&t->lists_fd);
	closep(&t->port_index_fd);
	closep(&t->counters_fd);
	closep(&t->list_counters_fd);
	closep(&t->base_counters_fd);
	closep(&t->base_lists_fd);
	(void) table_end(&t->writer);
	free(t->pin_dir);
	free(t);
	return NULL;
}

static void table_freep(struct table **t)
{
	table_free(*t);
}

static struct table *table_new(const char *pin_dir)
{
	struct table *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->tables_fd = t->filters_fd = t->ends_slot_fd = t->ends_fd = t->lists_fd = t->port_index_fd = t->counters_fd = t->list_counters_fd = -1;
	t->base_counters_fd = t->base_lists_fd = -1;
	t->pin_dir = strdup(pin_dir);
	return t->pin_dir ? t : table_free(t);
}

int table_open(const char *pin_dir, struct table **ret)
{
	_cleanup_(table_freep) struct table *t = table_new(pin_dir);
	int r;

	if (!t)
		return -ENOMEM;
	r = pins_read_meta(pin_dir, &t->meta);
	if (r >= 0)
		r = pins_map_id(pin_dir, "meta", &t->meta_id);
	if (r < 0)
		return r;

	const struct {
		struct map_shape shape;
		int *fd;
	} maps[] = {
		{ { "maps/tables", BPF_MAP_TYPE_ARRAY_OF_MAPS, sizeof(uint32_t), sizeof(uint32_t) }, &t->tables_fd },
		{ { "maps/filters", BPF_MAP_TYPE_ARRAY_OF_MAPS, sizeof(uint32_t), sizeof(uint32_t) }, &t->filters_fd },
		{ { "maps/ends_slot", BPF_MAP_TYPE_ARRAY_OF_MAPS, sizeof(uint32_t), sizeof(uint32_t) }, &t->ends_slot_fd },
		{ { "maps/lists", BPF_MAP_TYPE_ARRAY, sizeof(uint32_t), sizeof(struct fw_list) }, &t->lists_fd },
		{ { "maps/port_index", BPF_MAP_TYPE_ARRAY_OF_MAPS, sizeof(uint32_t), sizeof(uint32_t) },
		  &t->port_index_fd },
		{ { "maps/counters", BPF_MAP_TYPE_PERCPU_ARRAY, sizeof(uint32_t), sizeof(struct fw_counters) },
		  &t->counters_fd },
		{ { "maps/list_counters", BPF_MAP_TYPE_PERCPU_ARRAY, sizeof(uint32_t),
		    sizeof(struct fw_list_counters) },
		  &t->list_counters_fd },
		{ { "maps/base_counters", BPF_MAP_TYPE_ARRAY, sizeof(uint32_t), sizeof(struct fw_counters) },
		  &t->base_counters_fd },
		{ { "maps/base_lists", BPF_MAP_TYPE_ARRAY, sizeof(uint32_t), sizeof(struct fw_list_counters) },
		  &t->base_lists_fd },
	};
	for (size_t i = 0; i < ELEMENTSOF(maps); i++) {
		r = pins_open_map(pin_dir, &maps[i].shape, maps[i].fd);
		if (r < 0)
			return r;
	}

	r = pins_map_array(pin_dir, "maps/policy", sizeof(struct fw_policy), 1, (void **)&t->policy);
	if (r < 0)
		return r;
	r = pins_map_array(pin_dir, "maps/census", sizeof(struct fw_census), 1, (void **)&t->census);
	if (r < 0)
		return r;
	r = pins_map_array(pin_dir, "maps/cells", sizeof(struct fw_cells), 2 * FW_TABLE_SLOTS, (void **)&t->cells);
	if (r < 0)
		return r;
	r = pins_map_array(pin_dir, "maps/port_entries", sizeof(struct fw_port), FW_PORT_ENTRIES_MAX, (void **)&t->ports);
	if (r < 0)
		return r;

	*ret = TAKE_PTR(t);
	return 0;
}

const struct fw_meta *table_meta(struct table *t)
{
	return &t->meta;
}

bool table_is_current(struct table *t)
{
	uint32_t id;

	return pins_map_id(t->pin_dir, "meta", &id) >= 0 && id == t->meta_id && !pins_is_upgrading(t->pin_dir);
}

struct table_writer *table_begin_unrepaired(struct table *t, int lock_fd)
{
	assert(lock_fd >= 0);
	assert(!t->writer.t);
	t->writer = (struct table_writer){ .t = t };
	return &t->writer;
}
