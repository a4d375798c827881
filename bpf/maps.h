/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Every map, declared once. The daemon pins each under maps/ with the name it has here. User space makes and exchanges the
 * maps inside tables, filters, ends_slot, port_index, rings and seen; those of port_index and rings are not pinned. No
 * program creates or deletes an element, except in seen, on which no verdict depends: no map can fill up while packets are
 * judged.
 */

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "abi/abi.h"

/*
 * The truth: entry tables, see struct fw_table, all in memory from the start: no memory to be refused when an entry comes.
 * Why not a hash of the kernel: it costs a packet twice as much, and its memory twice as much, as one cache line
 * for each entry does. Sizes and not types, here and in the last maps: clang leaves a type that only a map names undefined in
 * BTF.
 */
struct entry_table {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE | BPF_F_INNER_MAP); /* each has its own size */
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(union fw_element));
};

/*
 * In slot enum fw_kind * FW_TABLE_SLOTS + fw_slot(fw_policy.table_generation) is the table in use; the other of that kind is
 * empty or being filled.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2 * FW_TABLE_SLOTS);
	__type(key, __u32);
	__array(values, struct entry_table);
} tables SEC(".maps");

/*
 * Filters before the tables, see filter-bits.h. Their cells have a fixed size. Their words, except for the bitmap of IPv4 after
 * them, are sized to the table, in slot enum fw_kind * FW_TABLE_SLOTS + fw_slot(fw_policy.filter_generation).
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 2 * FW_TABLE_SLOTS);
	__type(key, __u32);
	__type(value, struct fw_cells);
} cells SEC(".maps");

struct filter_words {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE | BPF_F_INNER_MAP); /* each generation has its own size */
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u64));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2 * FW_TABLE_SLOTS);
	__type(key, __u32);
	__array(values, struct filter_words);
} filters SEC(".maps");

/*
 * Ends of entries whose lists disagree about them; written before the entry that needs them. Memory is taken one by one,
 * but for the hash's heads. A larger map takes the place of a full one, see lib/state/table-ends.c: replacing it returns when no
 * packet uses the old one. That it is pinned as "ends" is what other versions find it by.
 */
struct ends_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(struct fw_ends_key));
	__uint(value_size, sizeof(struct fw_ends));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct ends_map);
} ends_slot SEC(".maps");

/* Port entries; writer: user space through mmap, but for the hits. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, FW_PORT_ENTRIES_MAX);
	__type(key, __u32);
	__type(value, struct fw_port);
} port_entries SEC(".maps");

/* Port -> port entries. One slot: replacing it returns when no packet uses the old index. */
struct port_index_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct fw_port_index));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct port_index_map);
} port_index SEC(".maps");

/* The switches; writer: user space, through mmap. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fw_policy);
} policy SEC(".maps");

/* Counters per hook and direction; writer: kernel. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, FW_COUNTERS_MAX);
	__type(key, __u32);
	__type(value, struct fw_counters);
} counters SEC(".maps");

/* Counters per list; writer: kernel. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, FW_LISTS_MAX);
	__type(key, __u32);
	__type(value, struct fw_list_counters);
} list_counters SEC(".maps");

/*
 * What versions before this one have counted, see daemon/upgrade/upgrade.h: what is shown is this and the above.
 * User space's alone, as are the last maps.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, FW_COUNTERS_MAX);
	__type(key, __u32);
	__type(value, struct fw_counters);
} base_counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, FW_LISTS_MAX);
	__type(key, __u32);
	__type(value, struct fw_list_counters);
} base_lists SEC(".maps");

/* A cheap clock for hits and ends; writer: kernel. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fw_clock);
} clock SEC(".maps");

/* Watchers, by slot; writer: user space, through mmap. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, FW_WATCHERS_MAX);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct fw_watcher));
} watchers SEC(".maps");

/* Per watcher: events shown, hidden and lost; writer: kernel. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, FW_WATCHERS_MAX);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct fw_watch_counts));
} watch_counts SEC(".maps");

/* Events, by slot: each watcher has its own ring, so that none steals from another. When it is full, events are lost. */
struct ring {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536); /* nominal: a page, of whatever size */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, FW_WATCHERS_MAX);
	__type(key, __u32);
	__array(values, struct ring);
} rings SEC(".maps");

/* Addresses seen; made by the first viewer. When it is full, the least recently used address goes. */
struct seen_map {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(struct fw_seen_key));
	__uint(value_size, sizeof(struct fw_seen));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct seen_map);
} seen SEC(".maps");

/* Lengths and distances; writer: kernel. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, FW_COUNTERS_MAX);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct fw_sizes));
} sizes SEC(".maps");

/* The next three are user space's alone; they live here so that loading creates them with the rest. */

/* Lists by number; index FW_LIST_MANUAL_ID and FW_LIST_ALLOW_ID always exist. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, FW_LISTS_MAX);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct fw_list));
} lists SEC(".maps");

/* Entries per prefix length. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct fw_census));
} census SEC(".maps");

/* What a reader must know first; writer: daemon. Pinned at the top of the pin directory. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct fw_meta));
} meta SEC(".maps");
