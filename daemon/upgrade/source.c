// SPDX-License-Identifier: GPL-2.0-or-later

/* Maps of any version: see source.h. Silent; upgrade.c knows what to say. */

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "kernel/pins.h"
#include "upgrade/source-internal.h"

static const struct {
	const char *pin; /* below maps/; of a table, the part before its slot */
	const char *key; /* NULL: an index */
	const char *value;
} maps[_MAP_MAX] = {
	[MAP_LISTS] = { "lists", NULL, "fw_list" },
	[MAP_PORTS] = { "port_entries", NULL, "fw_port" },
	[MAP_ENDS] = { "ends", "fw_ends_key", "fw_ends" },
	[MAP_COUNTERS] = { "counters", NULL, "fw_counters" },
	[MAP_LIST_COUNTERS] = { "list_counters", NULL, "fw_list_counters" },
	[MAP_BASE_COUNTERS] = { "base_counters", NULL, "fw_counters" },
	[MAP_BASE_LISTS] = { "base_lists", NULL, "fw_list_counters" },
	[MAP_POLICY] = { "policy", NULL, "fw_policy" },
	[MAP_TABLE4] = { "table4", NULL, "fw_slot" },
	[MAP_TABLE6] = { "table6", NULL, "fw_slot" },
};

struct source *source_free(struct source *s)
{
	if (!s)
		return NULL;
	for (enum map m = 0; m < _MAP_MAX; m++)
		closep(&s->maps[m].fd);
	schema_done(&s->schema);
	free(s->dir);
	free(s);
	return NULL;
}

static void source_freep(struct source **s)
{
	*s = source_free(*s);
}

static int read_schema(const char *dir, struct schema *ret)
{
	struct bpf_map_info info = {};
	_cleanup_free_ char *text = NULL;
	_cleanup_close_ int fd = -1;
	uint32_t size = sizeof(info), first = 0;

	fd = pins_open(dir, "maps/schema");
	if (fd < 0)
		return fd;
	if (bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		return -errno;
	if (info.type != BPF_MAP_TYPE_ARRAY || info.key_size != sizeof(first) || info.value_size > SCHEMA_TEXT_MAX)
		return -EPROTO;
	text = calloc(1, info.value_size + 8); /* the kernel writes multiples of 8 */
	if (!text)
		return -ENOMEM;
	if (bpf_map_lookup_elem(fd, &first, text) < 0)
		return -errno;
	return schema_parse(text, ret);
}

/* -EPROTO: something else is pinned there. */
static int open_map(struct source *s, enum map m, const char *pin)
{
	uint32_t size = sizeof(s->maps[m].info), key_size;
	struct bpf_map_info *info = &s->maps[m].info;
	char name[64];
	int fd, r = 0;

	(void) snprintf(name, sizeof(name), "maps/%s", pin);
	fd = pins_open(s->dir, name);
	if (fd == -ENOENT) {
		s->missing = s->missing ?: maps[m].pin;
		return 0;
	}
	if (fd < 0)
		return fd;
	s->maps[m].fd = fd;
	if (maps[m].key)
		r = schema_plan(&s->schema, &schema_own, maps[m].key, &s->maps[m].read_key);
	if (r >= 0)
		r = schema_plan(&s->schema, &schema_own, maps[m].value, &s->maps[m].read_value);
	if (r < 0)
		return r;
	key_size = maps[m].key ? schema_size(&s->schema, maps[m].key) : sizeof(uint32_t);
	if (bpf_obj_get_info_by_fd(fd, info, &size) < 0)
		return -errno;
	return key_size != 0 && info->key_size == key_size &&
	       info->value_size == schema_size(&s->schema, maps[m].value) ? 0 : -EPROTO;
}

/* Reads one value; of a per-CPU map the sum of all CPUs', as 64-bit words. -ENOENT: there is none. */
static int read_value(const struct source *s, enum map m, const void *key, void *ret)
{
	bool is_percpu = s->maps[m].info.type == BPF_MAP_TYPE_PERCPU_ARRAY;
	uint32_t own_size = schema_size(&schema_own, maps[m].value);
	size_t stride = (s->maps[m].info.value_size + 7) / 8 * 8;
	int n_values = is_percpu ? libbpf_num_possible_cpus() : 1;
	_cleanup_free_ uint64_t *one = calloc(1, own_size);
	_cleanup_free_ char *values = NULL;

	if (s->maps[m].fd < 0)
		return -ENOENT;
	if (n_values < 0)
		return n_values;
	values = calloc(n_values, stride);
	if (!values || !one)
		return -ENOMEM;
	if (bpf_map_lookup_elem(s->maps[m].fd, key, values) < 0)
		return -errno;

	schema_convert(&s->maps[m].read_value, values, ret);
	for (int i = 1; i < n_values; i++) {
		schema_convert(&s->maps[m].read_value, values + i * stride, one);
		for (size_t n = 0; n < own_size / sizeof(*one); n++)
			((uint64_t *)ret)[n] += one[n];
	}
	return 0;
}

/* The first element of a table says where its slots are. */
static int read_header(const struct source *s, enum map m, struct fw_table *ret)
{
	uint32_t size = schema_size(&s->schema, "fw_table"), first = 0;
	_cleanup_free_ char *element = NULL;
	struct schema_plan plan;
	int r;

	r = schema_plan(&s->schema, &schema_own, "fw_table", &plan);
	if (r < 0)
		return r;
	if (size == 0 || size > s->maps[m].info.value_size)
		return -EPROTO;
	element = calloc(1, s->maps[m].info.value_size);
	if (!element)
		return -ENOMEM;
	if (bpf_map_lookup_elem(s->maps[m].fd, &first, element) < 0)
		return -errno;
	schema_convert(&plan, element, ret);
	return ret->first_slot == 0 || ret->first_slot > s->maps[m].info.max_entries ? -EPROTO : 0;
}

static int open_table(struct source *s, enum fw_kind kind, uint32_t slot)
{
	enum map m = MAP_TABLE4 + kind;
	char pin[32];
	int r;

	(void) snprintf(pin, sizeof(pin), "%s_%u", maps[m].pin, slot);
	r = open_map(s, m, pin);
	return r < 0 || s->maps[m].fd < 0 ? r : read_header(s, m, &s->headers[kind]);
}

static int open_tables(struct source *s)
{
	struct fw_policy policy = {};
	uint32_t first = 0;
	int r;

	r = read_value(s, MAP_POLICY, &first, &policy);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	for (enum fw_kind kind = FW_KIND_IPV4; kind <= FW_KIND_IPV6 && r >= 0; kind++)
		r = open_table(s, kind, fw_slot(policy.table_generation[kind]));
	return r;
}

int source_open(const char *dir, const struct source *below, struct source **ret)
{
	_cleanup_(source_freep) struct source *s = NULL;
	int r = 0;

	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	for (enum map m = 0; m < _MAP_MAX; m++)
		s->maps[m].fd = -1;
	s->below = below;
	s->dir = strdup(dir);
	if (!s->dir)
		return -ENOMEM;

	r = read_schema(dir, &s->schema);
	for (enum map m = 0; m < MAP_TABLE4 && r >= 0; m++)
		r = open_map(s, m, maps[m].pin);
	if (r >= 0)
		r = open_tables(s);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(s);
	return 0;
}

const char *source_missing(const struct source *s)
{
	return s->missing;
}

int source_meta(const struct source *s, struct fw_meta *ret)
{
	_cleanup_free_ char *value = NULL;
	_cleanup_close_ int fd = -1;
	struct bpf_map_info info = {};
	uint32_t size = sizeof(info), first = 0;
	struct schema_plan plan;
	int r;

	fd = pins_open(s->dir, "meta");
	if (fd < 0)
		return fd;
	if (bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		return -errno;
	if (info.value_size != schema_size(&s->schema, "fw_meta"))
		return -EPROTO;
	value = calloc(1, info.value_size + 8);
	if (!value)
		return -ENOMEM;
	if (bpf_map_lookup_elem(fd, &first, value) < 0)
		return -errno;
	r = schema_plan(&s->schema, &schema_own, "fw_meta", &plan);
	if (r < 0)
		return r;
	schema_convert(&plan, value, ret);
	return 0;
}

int source_list(const struct source *s, unsigned index, struct fw_list *ret)
{
	int r;

	r = read_value(s, MAP_LISTS, &index, ret);
	if (r >= 0)
		ret->name[sizeof(ret->name) - 1] = '\0'; /* theirs may be longer */
	return r;
}

int source_port(const struct source *s, unsigned index, struct fw_port *ret)
{
	return read_value(s, MAP_PORTS, &index, ret);
}

int source_port_hits(const struct source *s, unsigned index, uint64_t *ret_hits, uint32_t *ret_last_hit)
{
	struct fw_port port = { .entry.hits = FW_HITS_PENDING };
	uint32_t last_hit = 0;
	uint64_t hits = 0;
	int r;

	for (; s && port.entry.hits & FW_HITS_PENDING; s = s->below) {
		r = source_port(s, index, &port);
		if (r == -ENOENT) /* that version has fewer of them */
			break;
		if (r < 0)
			return r;
		hits += port.entry.hits & ~FW_HITS_PENDING;
		if (last_hit < port.entry.last_hit)
			last_hit = port.entry.last_hit;
	}
	*ret_hits = hits;
	*ret_last_hit = last_hit;
	return 0;
}

/* What lies below is in a base already where nothing is missing. */
static int read_counters(const struct source *s, enum map counters, enum map base, uint32_t index, size_t size,
			 void *ret)
{
	_cleanup_free_ uint64_t *before = calloc(1, size);
	int r;

	if (!before)
		return -ENOMEM;
	r = read_value(s, counters, &index, ret);
	if (r < 0)
		return r;
	if (s->below)
		r = read_counters(s->below, counters, base, index, size, before);
	else
		r = read_value(s, base, &index, before);
	if (r == -ENOENT) /* that version has fewer of them */
		return 0;
	for (size_t n = 0; n < size / sizeof(*before) && r >= 0; n++)
		((uint64_t *)ret)[n] += before[n];
	return r;
}

int source_counters(const struct source *s, unsigned index, struct fw_counters *ret)
{
	return read_counters(s, MAP_COUNTERS, MAP_BASE_COUNTERS, index, sizeof(*ret), ret);
}

int source_list_counters(const struct source *s, unsigned list, struct fw_list_counters *ret)
{
	return read_counters(s, MAP_LIST_COUNTERS, MAP_BASE_LISTS, list, sizeof(*ret), ret);
}

int source_each_end(const struct source *s, source_end_fn fn, void *userdata)
{
	uint32_t key_size = s->maps[MAP_ENDS].info.key_size;
	_cleanup_free_ char *key = NULL, *next = NULL;
	struct fw_ends_key own_key;
	struct fw_ends ends;
	bool is_first = true;
	int r;

	if (s->maps[MAP_ENDS].fd < 0)
		return 0;
	key = calloc(1, key_size);
	next = calloc(1, key_size);
	if (!key || !next)
		return -ENOMEM;
	while (bpf_map_get_next_key(s->maps[MAP_ENDS].fd, is_first ? NULL : key, next) == 0) {
		r = read_value(s, MAP_ENDS, next, &ends);
		if (r >= 0) {
			schema_convert(&s->maps[MAP_ENDS].read_key, next, &own_key);
			r = fn(&own_key, &ends, userdata);
		}
		if (r < 0)
			return r;
		memcpy(key, next, key_size);
		is_first = false;
	}
	return 0;
}
