// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * hashes DIR: pins what a version up to 2 has left, of which the entry tables were hashes of the kernel; for the test
 * of upgrades. No programs, and of other maps what an entry needs.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>

#include "base/cleanup.h"
#include "kernel/pins.h"
#include "kernel/tick.h"
#include "state/table.h"

#define N_MANY 5000 /* more than an upgrade reads at a time */

/* Keys, entries and ends as version 2 has them; of its other structs, members that matter, in a layout of our own. */
static const char schema[] = "fw_key4 . 0 8 1\n"
			     "fw_key4 prefixlen 0 4 1\n"
			     "fw_key4 addr 4 4 1\n"
			     "fw_key6 . 0 20 1\n"
			     "fw_key6 prefixlen 0 4 1\n"
			     "fw_key6 addr 4 4 4\n"
			     "fw_entry . 0 32 1\n"
			     "fw_entry lists 0 8 2\n"
			     "fw_entry hits 16 8 1\n"
			     "fw_entry until 24 4 1\n"
			     "fw_entry last_hit 28 4 1\n"
			     "fw_ends_key . 0 24 1\n"
			     "fw_ends_key kind 0 4 1\n"
			     "fw_ends_key prefixlen 4 4 1\n"
			     "fw_ends_key addr 8 4 4\n"
			     "fw_ends . 0 256 1\n"
			     "fw_ends until 0 4 64\n"
			     "fw_list . 0 20 1\n"
			     "fw_list name 0 1 16\n"
			     "fw_list action 16 1 1\n"
			     "fw_list is_enabled 17 1 1\n"
			     "fw_policy . 0 8 1\n"
			     "fw_policy table_generation 0 4 2\n";

struct key {
	uint32_t prefixlen;
	uint32_t addr[4]; /* of IPv4 one */
};

struct entry {
	uint64_t lists[2];
	uint64_t hits;
	uint32_t until;
	uint32_t last_hit;
};

struct ends_key {
	uint32_t kind;
	struct key key;
};

struct list {
	char name[16];
	uint8_t action, is_enabled;
	uint16_t reserved;
};

/* A map with what is put into it. */
static int pin_map(const char *dir, const char *name, enum bpf_map_type type, uint32_t key_size, uint32_t value_size,
		   uint32_t max_entries)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = type == BPF_MAP_TYPE_HASH ? BPF_F_NO_PREALLOC : 0);
	_cleanup_close_ int fd = -1;
	int r;

	fd = bpf_map_create(type, "before", key_size, value_size, max_entries, &opts);
	if (fd < 0)
		return -errno;
	r = pins_put(dir, name, fd);
	return r < 0 ? r : TAKE_FD(fd);
}

static int put(int fd, const void *key, const void *value)
{
	return bpf_map_update_elem(fd, key, value, BPF_ANY);
}

static int pin_one(const char *dir, const char *name, const void *value, uint32_t size)
{
	_cleanup_close_ int fd = pin_map(dir, name, BPF_MAP_TYPE_ARRAY, sizeof(uint32_t), size, 1);
	uint32_t first = 0;

	return fd < 0 ? fd : put(fd, &first, value);
}

static int pin_lists(const char *dir)
{
	static const struct list lists[] = {
		{ .name = "manual", .action = FW_ACTION_BLOCK, .is_enabled = 1 },
		{ .name = "allow", .action = FW_ACTION_ALLOW, .is_enabled = 1 },
		{ .name = "timed", .action = FW_ACTION_BLOCK, .is_enabled = 1 },
	};
	_cleanup_close_ int fd = pin_map(dir, "maps/lists", BPF_MAP_TYPE_ARRAY, sizeof(uint32_t), sizeof(lists[0]), 64);
	int r = fd < 0 ? fd : 0;

	for (uint32_t i = 0; i < ELEMENTSOF(lists) && r >= 0; i++)
		r = put(fd, &i, &lists[i]);
	return r;
}

static int pin_tables(const char *dir, uint32_t now)
{
	_cleanup_close_ int fd4 = pin_map(dir, "maps/table4_1", BPF_MAP_TYPE_HASH, 8, sizeof(struct entry), 8192);
	_cleanup_close_ int fd6 = pin_map(dir, "maps/table6_0", BPF_MAP_TYPE_HASH, 20, sizeof(struct entry), 64);
	_cleanup_close_ int ends_fd = pin_map(dir, "maps/ends", BPF_MAP_TYPE_HASH, sizeof(struct ends_key), 256, 64);
	struct entry bad = { .lists = { 1, 1 }, .hits = 7, .last_hit = now };
	struct entry mixed = { .lists = { 5, 1 }, .until = FW_UNTIL_MIXED };
	uint32_t ends[64] = { [2] = now + 100000 };
	struct ends_key ends_key = { .kind = FW_KIND_IPV4, .key = { 24, { htonl(0xcb007100) } } };
	struct key key = { 32, { htonl(0xc000020a) } };
	int r;

	if (fd4 < 0 || fd6 < 0 || ends_fd < 0)
		return -EIO;
	r = put(fd4, &key, &bad);
	if (r >= 0)
		r = put(ends_fd, &ends_key, ends);
	if (r >= 0)
		r = put(fd4, &ends_key.key, &mixed);
	for (uint32_t i = 0; i < N_MANY && r >= 0; i++) {
		struct entry one = { .lists = { 4, 0 }, .hits = i % 2, .until = now + 200000, .last_hit = i % 2 ? now : 0 };

		key.addr[0] = htonl(0x0a000000 + i);
		r = put(fd4, &key, &one);
	}

	key = (struct key){ 48, { htonl(0x20010db8), htonl(0x00070000) } };
	bad.hits = 9;
	return r < 0 ? r : put(fd6, &key, &bad);
}

int main(int argc, char **argv)
{
	const struct {
		uint32_t abi_version, layout;
		char version[32];
	} meta = { 2, 0x6742b808, "before" };
	const uint32_t generations[2] = { 3, 0 };
	const char *dir = argc == 2 ? argv[1] : "";
	int r;

	r = pins_make_dir(dir);
	if (r >= 0)
		r = pin_one(dir, "maps/schema", schema, sizeof(schema));
	if (r >= 0)
		r = pin_one(dir, "maps/policy", generations, sizeof(generations));
	if (r >= 0)
		r = pin_lists(dir);
	if (r >= 0)
		r = pin_tables(dir, tick_now());
	if (r >= 0)
		r = pin_one(dir, "meta", &meta, sizeof(meta));
	if (r < 0)
		(void) fprintf(stderr, "hashes: %s\n", strerror(-r));
	return r < 0;
}
