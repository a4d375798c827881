// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * The ends of entries whose lists disagree about them: a hash of the kernel, which takes memory for each as it comes. Its
 * size is fixed when it is made. So a full one is copied into a larger one, which is pinned and then takes its place in one
 * store; an entry that needs its ends is written after that. There is no limit but that of the entries themselves.
 */

#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>

#include "base/cleanup.h"
#include "kernel/room.h"
#include "state/table-internal.h"

#define ENDS_MIN  1024
#define ENDS_HEAD UINT64_C(16) /* bytes that a hash takes for each element that it may have, before it has any */

static const uint32_t first = 0;

struct fw_ends_key table_ends_key(const struct target *target, unsigned port_index)
{
	struct fw_ends_key key = { .kind = target_fw_kind(target) };

	if (key.kind == FW_KIND_PORT) {
		key.prefixlen = port_index;
	} else {
		key.prefixlen = target->prefix.length;
		memcpy(key.addr, target->prefix.bytes, prefix_full_length(target->prefix.family) / 8);
	}
	return key;
}

static int new_map(uint32_t n_max)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_NO_PREALLOC);
	int fd = bpf_map_create(BPF_MAP_TYPE_HASH, "ends", sizeof(struct fw_ends_key), sizeof(struct fw_ends), n_max, &opts);

	return fd < 0 ? -errno : fd;
}

static struct bpf_map_info info_of(int fd)
{
	struct bpf_map_info info = {};
	uint32_t size = sizeof(info);

	(void) bpf_obj_get_info_by_fd(fd, &info, &size); /* cannot fail: we hold it */
	return info;
}

void table_ends_close(struct table *t)
{
	closep(&t->ends_fd);
	t->ends_fd = -1;
}

/*
 * Opens the map in use. Another process may put a larger one in its place at any time, which shows in the slot; one that is
 * pinned and not yet in the slot has the same elements.
 */
static int open_current(struct table *t)
{
	static const struct map_shape shape = { TABLE_ENDS_PIN, BPF_MAP_TYPE_HASH, sizeof(struct fw_ends_key),
						sizeof(struct fw_ends) };
	uint32_t id;

	if (bpf_map_lookup_elem(t->ends_slot_fd, &first, &id) < 0)
		return -errno;
	if (t->ends_fd >= 0 && t->ends_id == id)
		return 0;
	table_ends_close(t);
	t->ends_id = id;
	return pins_open_map(t->pin_dir, &shape, &t->ends_fd);
}

/* Pinned before the slot holds it. When it returns, no program uses the one before. */
static int put_in_place(struct table *t, int fd)
{
	int r = pins_put(t->pin_dir, TABLE_ENDS_PIN, fd);

	if (r < 0)
		return r;
	return bpf_map_update_elem(t->ends_slot_fd, &first, &fd, BPF_ANY) < 0 ? -errno : 0;
}

int table_ends_create(struct table_writer *w)
{
	struct table *t = w->t;
	_cleanup_close_ int fd = -1;
	uint32_t id;

	if (bpf_map_lookup_elem(t->ends_slot_fd, &first, &id) == 0)
		return 0;
	if (errno != ENOENT)
		return -errno;
	fd = new_map(ENDS_MIN);
	return fd < 0 ? fd : put_in_place(t, fd);
}

int table_ends_next(struct table *t, const struct fw_ends_key *key, struct fw_ends_key *ret)
{
	return bpf_map_get_next_key(t->ends_fd, key, ret) < 0 ? -errno : 0;
}

static int copy_all(struct table *t, int to)
{
	struct fw_ends_key key, *before = NULL;
	struct fw_ends ends;
	int r;

	while ((r = table_ends_next(t, before, &key)) >= 0) {
		if (bpf_map_lookup_elem(t->ends_fd, &key, &ends) < 0 || bpf_map_update_elem(to, &key, &ends, BPF_ANY) < 0)
			return -errno;
		before = &key;
	}
	return r == -ENOENT ? 0 : r;
}

/* Puts a map for n_max elements in the place of the one in use, which is open. */
static int exchange(struct table *t, uint32_t n_max)
{
	_cleanup_close_ int fd = -1;
	int r;

	r = room_ask(n_max * ENDS_HEAD + t->census->n_ends * ROOM_ENDS);
	if (r < 0)
		return r;
	fd = new_map(n_max);
	if (fd < 0)
		return fd == -E2BIG ? -ENOMEM : fd; /* its heads are more than the kernel gives at once */
	r = copy_all(t, fd);
	if (r < 0)
		return r;
	r = put_in_place(t, fd);
	if (r < 0) {
		(void) pins_put(t->pin_dir, TABLE_ENDS_PIN, t->ends_fd);
		return r;
	}
	table_ends_close(t);
	t->ends_fd = TAKE_FD(fd);
	t->ends_id = info_of(t->ends_fd).id;
	return 0;
}

int table_ends_get(struct table *t, const struct fw_ends_key *key, struct fw_ends *ret)
{
	int r = open_current(t);

	if (r < 0)
		return r;
	return bpf_map_lookup_elem(t->ends_fd, key, ret) < 0 ? -errno : 0;
}

int table_ends_put(struct table_writer *w, const struct fw_ends_key *key, const struct fw_ends *ends)
{
	struct table *t = w->t;
	uint32_t n_max;
	int r;

	r = open_current(t);
	if (r < 0)
		return r;
	if (bpf_map_update_elem(t->ends_fd, key, ends, BPF_EXIST) == 0)
		return 0;
	if (errno != ENOENT)
		return -errno;

	t->census->n_ends++; /* first: one too many does no harm */
	while (bpf_map_update_elem(t->ends_fd, key, ends, BPF_NOEXIST) < 0) {
		r = -errno;
		n_max = info_of(t->ends_fd).max_entries;
		if (r == -E2BIG)
			r = n_max > UINT32_MAX / 2 ? -ENOMEM : exchange(t, n_max * 2);
		if (r < 0) {
			t->census->n_ends--;
			return r;
		}
	}
	return 0;
}

void table_ends_remove(struct table_writer *w, const struct fw_ends_key *key)
{
	struct table *t = w->t;
	if (open_current(t) >= 0 && bpf_map_delete_elem(t->ends_fd, key) == 0 && t->census->n_ends > 0)
		t->census->n_ends--;
}

void table_ends_shrink(struct table_writer *w)
{
	struct table *t = w->t;
	uint32_t n_max, n = ENDS_MIN;

	if (t->ends_fd < 0 || open_current(t) < 0)
		return;
	n_max = info_of(t->ends_fd).max_entries;
	while (n < 2 * t->census->n_ends)
		n *= 2;
	if (n_max > TABLE_SHRINK_PART * ENDS_MIN && t->census->n_ends < n_max / TABLE_SHRINK_PART)
		(void) exchange(t, n);
}

int table_ends_repair(struct table_writer *w)
{
	struct table *t = w->t;
	uint32_t id;
	int r;

	r = open_current(t);
	if (r < 0)
		return r;
	id = info_of(t->ends_fd).id;
	if (id == t->ends_id)
		return 0;
	if (bpf_map_update_elem(t->ends_slot_fd, &first, &t->ends_fd, BPF_ANY) < 0)
		return -errno;
	t->ends_id = id;
	return 0;
}
