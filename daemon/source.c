// SPDX-License-Identifier: GPL-2.0-or-later

/* Maps of any version: see source.h. Silent; upgrade.c knows what to say. */

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "cleanup.h"
#include "pins.h"
#include "source.h"

#define BATCH 4096

enum map {
	MAP_LISTS,
	MAP_PORTS,
	MAP_ENDS,
	MAP_COUNTERS,
	MAP_LIST_COUNTERS,
	MAP_BASE_COUNTERS,
	MAP_BASE_LISTS,
	MAP_POLICY,
	MAP_TABLE4,
	MAP_TABLE6,
	_MAP_MAX,
};

static const struct {
	const char *pin; /* below maps/; NULL: the slot says it */
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
	[MAP_TABLE4] = { NULL, "fw_key4", "fw_entry" },
	[MAP_TABLE6] = { NULL, "fw_key6", "fw_entry" },
};

struct source {
	char *dir;
	struct schema schema;
	const struct source *below;
	const char *missing;
	struct {
		int fd; /* -1 = somebody has removed it */
		struct bpf_map_info info;
		struct schema_plan read_key, read_value, write_key;
	} maps[_MAP_MAX];
};

static enum map table_of(enum fw_kind kind)
{
	return kind == FW_KIND_IPV4 ? MAP_TABLE4 : MAP_TABLE6;
}

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
	int fd;

	(void) snprintf(name, sizeof(name), "maps/%s", pin);
	fd = pins_open(s->dir, name);
	if (fd == -ENOENT) {
		s->missing = s->missing ?: maps[m].pin ?: m == MAP_TABLE4 ? "table4" : "table6";
		return 0;
	}
	if (fd < 0)
		return fd;
	s->maps[m].fd = fd;
	s->maps[m].read_value = schema_plan(&s->schema, &schema_own, maps[m].value);
	if (maps[m].key) {
		s->maps[m].read_key = schema_plan(&s->schema, &schema_own, maps[m].key);
		s->maps[m].write_key = schema_plan(&schema_own, &s->schema, maps[m].key);
	}
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

static int open_tables(struct source *s)
{
	struct fw_policy policy = {};
	uint32_t first = 0;
	char name[32];
	int r;

	r = read_value(s, MAP_POLICY, &first, &policy);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	for (enum fw_kind kind = FW_KIND_IPV4; kind <= FW_KIND_IPV6; kind++) {
		(void) snprintf(name, sizeof(name), "table%c_%u", kind == FW_KIND_IPV4 ? '4' : '6',
				fw_slot(policy.table_generation[kind]));
		r = open_map(s, table_of(kind), name);
		if (r < 0)
			return r;
	}
	return 0;
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
	for (enum map m = 0; m < _MAP_MAX && r >= 0; m++)
		if (maps[m].pin)
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

int source_counting_since(const struct source *s, uint64_t *ret)
{
	_cleanup_free_ char *value = NULL;
	_cleanup_close_ int fd = -1;
	struct bpf_map_info info = {};
	uint32_t size = sizeof(info), first = 0;
	struct schema_plan plan;
	struct fw_meta meta;

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
	plan = schema_plan(&s->schema, &schema_own, "fw_meta");
	schema_convert(&plan, value, &meta);
	*ret = meta.counting_since;
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

uint32_t source_room(const struct source *s, enum fw_kind kind)
{
	return s->maps[table_of(kind)].info.max_entries;
}

static void convert_batch(const struct source *s, enum map m, const char *keys, const char *values, uint32_t n,
			 char *own_keys, struct fw_entry *entries)
{
	for (uint32_t i = 0; i < n; i++) {
		schema_convert(&s->maps[m].read_key, keys + i * s->maps[m].info.key_size,
			       own_keys + i * s->maps[m].read_key.to_size);
		schema_convert(&s->maps[m].read_value, values + i * s->maps[m].info.value_size, &entries[i]);
	}
}

int source_each_entry(const struct source *s, enum fw_kind kind, source_entries_fn fn, void *userdata)
{
	enum map m = table_of(kind);
	_cleanup_free_ struct fw_entry *entries = calloc(BATCH, sizeof(*entries));
	_cleanup_free_ char *own_keys = calloc(BATCH, schema_size(&schema_own, maps[m].key));
	_cleanup_free_ char *keys = NULL, *values = NULL;
	uint32_t cursor, n;
	void *in = NULL;
	int r = 0, end = 0;

	if (s->maps[m].fd < 0)
		return 0;
	keys = calloc(BATCH, s->maps[m].info.key_size);
	values = calloc(BATCH, s->maps[m].info.value_size);
	if (!entries || !own_keys || !keys || !values)
		return -ENOMEM;
	while (end == 0 && r >= 0) {
		n = BATCH;
		if (bpf_map_lookup_batch(s->maps[m].fd, in, &cursor, keys, values, &n, NULL) < 0)
			end = -errno;
		if (end < 0 && end != -ENOENT) /* the end of the table; n came all the same */
			return end;
		convert_batch(s, m, keys, values, n, own_keys, entries);
		if (n > 0)
			r = fn(kind, own_keys, entries, n, userdata);
		in = &cursor;
	}
	return r;
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

static int read_entry(const struct source *s, enum fw_kind kind, const void *key, struct fw_entry *ret)
{
	enum map m = table_of(kind);
	_cleanup_free_ char *theirs = NULL;
	struct fw_port port;
	int r;

	if (kind == FW_KIND_PORT) {
		r = source_port(s, *(const uint32_t *)key, &port);
		if (r >= 0)
			*ret = port.entry;
		return r;
	}
	if (s->maps[m].fd < 0)
		return -ENOENT;
	theirs = calloc(1, s->maps[m].info.key_size);
	if (!theirs)
		return -ENOMEM;
	schema_convert(&s->maps[m].write_key, key, theirs);
	return read_value(s, m, theirs, ret);
}

/* Those of one entry, with what is to come from below. */
static int sum_hits(const struct source *s, enum fw_kind kind, const void *key, uint64_t *hits, uint32_t *last_hit)
{
	struct fw_entry entry = {};
	int r;

	for (; s; s = s->below) {
		r = read_entry(s, kind, key, &entry);
		if (r < 0)
			return r == -ENOENT ? 0 : r;
		*hits += entry.hits & ~FW_HITS_PENDING;
		if (entry.last_hit > *last_hit)
			*last_hit = entry.last_hit;
		if (!(entry.hits & FW_HITS_PENDING)) /* it has those from below already */
			break;
	}
	return 0;
}

struct hits_walk {
	const struct source *source;
	source_hits_fn fn;
	void *userdata;
};

static int tell_hits(const struct hits_walk *w, enum fw_kind kind, const void *key, const struct fw_entry *entry)
{
	uint64_t hits = entry->hits & ~FW_HITS_PENDING;
	uint32_t last_hit = entry->last_hit;
	int r = 0;

	if (entry->hits & FW_HITS_PENDING)
		r = sum_hits(w->source->below, kind, key, &hits, &last_hit);
	return r < 0 || hits == 0 ? r : w->fn(kind, key, hits, last_hit, w->userdata);
}

/* For source_each_entry(). */
static int tell_hits_of_batch(enum fw_kind kind, const void *keys, const struct fw_entry *entries, uint32_t n,
			      void *userdata)
{
	size_t size = schema_size(&schema_own, maps[table_of(kind)].key);
	const struct hits_walk *w = userdata;
	int r = 0;

	for (uint32_t i = 0; i < n && r >= 0; i++)
		r = tell_hits(w, kind, (const char *)keys + i * size, &entries[i]);
	return r;
}

int source_each_hits(const struct source *s, source_hits_fn fn, void *userdata)
{
	struct hits_walk w = { .source = s, .fn = fn, .userdata = userdata };
	struct fw_port port;
	int r = 0;

	for (enum fw_kind kind = FW_KIND_IPV4; kind <= FW_KIND_IPV6 && r >= 0; kind++)
		r = source_each_entry(s, kind, tell_hits_of_batch, &w);
	for (uint32_t i = 0; i < FW_PORT_ENTRIES_MAX && r >= 0; i++) {
		r = source_port(s, i, &port);
		if (r == -ENOENT) /* that version has fewer of them */
			return 0;
		if (r >= 0 && port.is_used)
			r = tell_hits(&w, FW_KIND_PORT, &i, &port.entry);
	}
	return r;
}
