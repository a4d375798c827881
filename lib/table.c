// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Opening the pinned maps, and what is not about entries: lists, counters, the policy masks. Entries are in table-entries.c.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "cleanup.h"
#include "percpu.h"
#include "table-internal.h"

#define TABLE_ENTRIES_MIN 1024 /* some 80 KiB: what a table starts with */

/*
 * Until they are needed again: their memory is taken as long as somebody has them open, also when others have put something
 * else in their place, and what is mapped counts as the process's.
 */
static void close_tables(struct table *t)
{
	for (unsigned i = 0; i < ELEMENTSOF(t->chains); i++) {
		table_close_filter(t, i);
		t->chains[i] = chains_free(t->chains[i]);
	}
	table_ends_close(t);
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
	close_tables(t);
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
	free(t->port_index);
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

const char *table_pin_name(enum fw_kind kind, uint32_t slot, char ret[static TABLE_PIN_MAX])
{
	(void) snprintf(ret, TABLE_PIN_MAX, "maps/table%c_%u", kind == FW_KIND_IPV4 ? '4' : '6', slot);
	return ret;
}

int table_put_slot(struct table *t, enum fw_kind kind, uint32_t slot, const struct chains *c)
{
	uint32_t outer = kind * FW_TABLE_SLOTS + slot;
	int fd = chains_fd(c), r;
	char name[TABLE_PIN_MAX];

	/* named before it is used: a table that the kernel uses is one that fwctl can find */
	r = pins_put(t->pin_dir, table_pin_name(kind, slot, name), fd);
	if (r < 0)
		return r;
	/* before it is there: whoever comes after a dead writer and finds a table in the slot takes it for complete */
	t->policy->chains[kind][slot] = (struct fw_chains){
		.seed = chains_table(c)->seed,
		.n_heads = chains_table(c)->n_heads,
	};
	return bpf_map_update_elem(t->tables_fd, &outer, &fd, BPF_ANY) < 0 ? -errno : 0;
}

void table_set_flags(struct table *t, uint32_t mask, uint32_t flags)
{
	uint32_t old = __atomic_load_n(&t->policy->flags, __ATOMIC_RELAXED);

	while (!__atomic_compare_exchange_n(&t->policy->flags, &old, (old & ~mask) | flags, false, __ATOMIC_ACQ_REL,
					    __ATOMIC_RELAXED))
		;
}

static int create_table(struct table *t, enum fw_kind kind)
{
	uint32_t slot = fw_slot(t->policy->table_generation[kind]), outer = kind * FW_TABLE_SLOTS + slot, id;
	struct chains *c;
	int r;

	if (bpf_map_lookup_elem(t->tables_fd, &outer, &id) == 0)
		return 0;
	if (errno != ENOENT)
		return -errno;
	r = chains_new(t->meta.max_entries < TABLE_ENTRIES_MIN ? t->meta.max_entries : TABLE_ENTRIES_MIN, &c);
	if (r < 0)
		return r;
	r = table_put_slot(t, kind, slot, c);
	chains_free(c);
	return r;
}

int table_create(const char *pin_dir)
{
	static const struct fw_list first_lists[] = {
		[FW_LIST_MANUAL_ID] = { .name = FW_LIST_MANUAL, .action = FW_ACTION_BLOCK, .is_enabled = 1 },
		[FW_LIST_ALLOW_ID] = { .name = FW_LIST_ALLOW, .action = FW_ACTION_ALLOW, .is_enabled = 1 },
	};
	_cleanup_(table_freep) struct table *t = NULL;
	struct fw_list list;
	int r;

	r = table_open(pin_dir, &t);
	if (r < 0)
		return r;

	for (enum fw_kind kind = FW_KIND_IPV4; kind <= FW_KIND_IPV6; kind++) {
		r = create_table(t, kind);
		if (r < 0)
			return r;
	}

	r = table_ends_create(t);
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < ELEMENTSOF(first_lists); i++) {
		r = table_get_list(t, i, &list);
		if (r >= 0 && list.name[0] == '\0')
			r = table_set_list(t, i, &first_lists[i]);
		if (r < 0)
			return r;
	}
	t->ports_changed = true;
	return table_commit(t);
}

int table_get_list(struct table *t, unsigned index, struct fw_list *ret)
{
	uint32_t key = index;

	if (index >= FW_LISTS_MAX)
		return -ERANGE;
	return bpf_map_lookup_elem(t->lists_fd, &key, ret) < 0 ? -errno : 0;
}

int table_find_list(struct table *t, const char *name, struct fw_list *ret)
{
	struct fw_list list;
	int r;

	for (unsigned i = 0; i < FW_LISTS_MAX; i++) {
		r = table_get_list(t, i, &list);
		if (r < 0)
			return r;
		if (list.name[0] != '\0' && strncmp(list.name, name, sizeof(list.name)) == 0) {
			if (ret)
				*ret = list;
			return i;
		}
	}
	return -ENOENT;
}

static bool is_same_policy(const struct fw_list *a, const struct fw_list *b)
{
	return strncmp(a->name, b->name, sizeof(a->name)) == 0 && a->action == b->action && a->mode == b->mode &&
	       a->is_enabled == b->is_enabled;
}

int table_set_list(struct table *t, unsigned index, const struct fw_list *list)
{
	uint32_t key = index;
	struct fw_list before;
	int r;

	r = table_get_list(t, index, &before);
	if (r >= 0 && !is_same_policy(&before, list)) /* a change that table_commit() completes */
		r = table_begin(t);
	if (r < 0)
		return r;
	if (bpf_map_update_elem(t->lists_fd, &key, list, BPF_ANY) < 0)
		return -errno;
	t->lists_checked &= ~(1ull << index);
	/* a packet may have read an entry with this bit just before it went: another list must not decide on it */
	return before.name[0] != '\0' && list->name[0] == '\0' ? table_wait_for_programs(t) : 0;
}

int table_set_allow(struct table *t, uint64_t lists)
{
	uint64_t unknown = lists & ~t->lists_checked & ~t->policy->allow;
	struct fw_list list;
	int r;

	for (unsigned i = 0; i < FW_LISTS_MAX && unknown >> i; i++) {
		if (!(unknown >> i & 1))
			continue;
		r = table_get_list(t, i, &list);
		if (r < 0)
			return r;
		if (list.name[0] != '\0' && list.is_enabled && list.action == FW_ACTION_ALLOW)
			__atomic_fetch_or(&t->policy->allow, 1ull << i, __ATOMIC_SEQ_CST);
	}
	t->lists_checked |= lists;
	return 0;
}

int table_commit(struct table *t)
{
	uint64_t block = 0, audit = 0, allow = 0, bit;
	struct fw_list list;
	int r;

	r = table_begin(t); /* a change of policy alone begins here: what a dead writer left is not to be called done */
	if (r < 0)
		return r;
	if (t->ports_changed) {
		r = table_exchange_port_index(t);
		if (r < 0)
			return r;
	}

	for (unsigned i = 0; i < FW_LISTS_MAX; i++) {
		r = table_get_list(t, i, &list);
		if (r < 0)
			return r;
		if (t->n_more_entries[i]) {
			list.n_entries += t->n_more_entries[i];
			r = table_set_list(t, i, &list);
			if (r < 0)
				return r;
			t->n_more_entries[i] = 0;
		}
		bit = 1ull << i;
		if (list.name[0] == '\0' || !list.is_enabled)
			continue;
		if (list.action == FW_ACTION_ALLOW)
			allow |= list.n_entries ? bit : 0; /* an empty one would only forbid stopping early */
		else if (list.mode == FW_MODE_AUDIT)
			audit |= bit;
		else
			block |= bit;
	}

	/* between two stores a packet may pass that is to be blocked, never the reverse: exceptions come first and go last */
	__atomic_store_n(&t->policy->allow, allow | t->policy->allow, __ATOMIC_RELEASE);
	__atomic_store_n(&t->policy->audit, audit, __ATOMIC_RELEASE);
	__atomic_store_n(&t->policy->block, block, __ATOMIC_RELEASE);
	__atomic_store_n(&t->policy->allow, allow, __ATOMIC_RELEASE);

	table_shrink(t);
	t->is_changing = false;
	__atomic_store_n(&t->census->is_changing, 0, __ATOMIC_RELEASE);
	close_tables(t);
	return 0;
}

void table_set_strict(struct table *t, bool is_strict)
{
	table_set_flags(t, FW_POLICY_STRICT, is_strict ? FW_POLICY_STRICT : 0);
}

void table_set_scope(struct table *t, bool judges_loopback, unsigned left_ports)
{
	uint32_t mask = FW_POLICY_LOOPBACK, flags = judges_loopback ? FW_POLICY_LOOPBACK : 0;

	for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++) {
		mask |= FW_POLICY_LEAVES_PORTS(d);
		flags |= left_ports & 1u << d ? FW_POLICY_LEAVES_PORTS(d) : 0;
	}
	table_set_flags(t, mask, flags);
}

unsigned table_left_ports(const struct table *t)
{
	uint32_t flags = __atomic_load_n(&t->policy->flags, __ATOMIC_ACQUIRE);
	unsigned left = 0;

	for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++)
		left |= flags & FW_POLICY_LEAVES_PORTS(d) ? 1u << d : 0;
	return left;
}

/* What the kernel has counted and what it had before, in words of 64 bits. */
static int sum_counters(int fd, int base_fd, uint32_t key, size_t value_size, uint64_t *ret, size_t n_words)
{
	_cleanup_free_ uint64_t *base = calloc(1, value_size);
	int r;

	if (!base)
		return -ENOMEM;
	if (bpf_map_lookup_elem(base_fd, &key, base) < 0)
		return -errno;
	r = percpu_sum(fd, key, value_size, ret, n_words);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n_words; i++)
		ret[i] += base[i];
	return 0;
}

int table_read_counters(struct table *t, enum fw_hook hook, enum fw_direction direction, struct fw_counters *ret)
{
	struct fw_counters c = {};
	int r;

	r = sum_counters(t->counters_fd, t->base_counters_fd, fw_counters_index(hook, direction), sizeof(c),
			 (uint64_t *)&c, offsetof(struct fw_counters, sampling) / sizeof(uint64_t));
	if (r < 0)
		return r;
	c.packets += c.dropped;
	c.bytes += c.dropped_bytes;
	*ret = c;
	return 0;
}

int table_read_list_counters(struct table *t, unsigned list, struct fw_list_counters *ret)
{
	return sum_counters(t->list_counters_fd, t->base_lists_fd, list, sizeof(*ret), (uint64_t *)ret,
			    sizeof(*ret) / sizeof(uint64_t));
}
