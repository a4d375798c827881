// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * A table as it lies in memory: see chains.h. It is mapped in windows, as it is needed: to map all
 * of a long one costs more than to add an entry.
 */

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>

#include <bpf/bpf.h>

#include "abi/chain-head.h"
#include "base/cleanup.h"
#include "htab/chains-internal.h"

#define WINDOW        16384 /* elements: whole pages, for any size of either */
#define ENTRIES_MAX   (UINT32_C(1) << 30)
#define SPARE_MIN     64    /* slots in addition to those for entries, */
#define SPARE_PART    64    /* and this part of them more */

static uint32_t heads_for(uint32_t n_entries)
{
	uint32_t n = FW_HEADS;

	while (n < n_entries + n_entries / 2) /* chains of two are rare */
		n *= 2;
	return n;
}

static uint32_t first_slot(uint32_t n_heads)
{
	return CHAINS_ELEMENT(n_heads);
}

static uint32_t elements_for(uint32_t n_entries)
{
	return first_slot(heads_for(n_entries)) + n_entries + n_entries / SPARE_PART + SPARE_MIN;
}

uint64_t chains_bytes(uint32_t n_entries)
{
	return (uint64_t)elements_for(n_entries) * sizeof(union fw_element);
}

static uint32_t n_windows(const struct chains *c)
{
	return (c->n_elements - 1) / WINDOW + 1;
}

static size_t window_bytes(const struct chains *c, uint32_t window)
{
	uint32_t n = c->n_elements - window * WINDOW;

	return (n < WINDOW ? n : WINDOW) * sizeof(union fw_element);
}

static int map_window(struct chains *c, uint32_t window)
{
	off_t at = (off_t)window * WINDOW * sizeof(union fw_element);
	void *p = mmap(NULL, window_bytes(c, window), PROT_READ | PROT_WRITE, MAP_SHARED, c->fd, at);

	if (p == MAP_FAILED)
		return -errno;
	c->windows[window] = p;
	return 0;
}

/* -EBADMSG: the index does not belong to a slot of ours. */
static int get_element(struct chains *c, uint32_t index, union fw_element **ret)
{
	uint32_t window = index / WINDOW;
	int r = 0;

	if (index >= c->n_elements)
		return -EBADMSG;
	if (!c->windows[window])
		r = map_window(c, window);
	if (r >= 0)
		*ret = &c->windows[window][index % WINDOW];
	return r;
}

int chains_get_slot(struct chains *c, uint32_t index, struct fw_slot **ret)
{
	union fw_element *e;
	int r;

	if (index < c->table->first_slot)
		return -EBADMSG;
	r = get_element(c, index, &e);
	if (r >= 0)
		*ret = &e->slot;
	return r;
}

int chains_get_head(struct chains *c, uint32_t head, uint32_t **ret)
{
	union fw_element *e;
	int r;

	r = get_element(c, CHAINS_ELEMENT(head), &e);
	if (r >= 0)
		*ret = &e->heads[head % FW_HEADS];
	return r;
}

struct chains *chains_free(struct chains *c)
{
	if (!c)
		return NULL;
	for (uint32_t i = 0; c->windows && i < n_windows(c); i++)
		if (c->windows[i])
			(void) munmap(c->windows[i], window_bytes(c, i));
	free(c->windows);
	closep(&c->fd);
	free(c);
	return NULL;
}

static void chains_freep(struct chains **c)
{
	*c = chains_free(*c);
}

/* Maps the header, and leaves the descriptor with the caller when it fails. */
static int wrap(int fd, uint32_t n_elements, struct chains **ret)
{
	_cleanup_(chains_freep) struct chains *c = calloc(1, sizeof(*c));
	union fw_element *e;
	int r;

	if (!c)
		return -ENOMEM;
	*c = (struct chains){ .fd = -1, .n_elements = n_elements };
	c->windows = calloc(n_windows(c), sizeof(*c->windows));
	if (!c->windows)
		return -ENOMEM;
	c->fd = fd;
	r = get_element(c, 0, &e);
	if (r < 0) {
		c->fd = -1;
		return r;
	}
	c->table = &e->table;
	*ret = TAKE_PTR(c);
	return 0;
}

int chains_new(uint32_t n_entries, struct chains **ret)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE | BPF_F_INNER_MAP);
	uint32_t n_heads, n_elements;
	_cleanup_close_ int fd = -1;
	uint64_t seed;
	int r;

	if (n_entries > ENTRIES_MAX)
		return -E2BIG;
	n_heads = heads_for(n_entries);
	n_elements = elements_for(n_entries);
	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		return -EIO;
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "fw_table", sizeof(uint32_t), sizeof(union fw_element), n_elements, &opts);
	if (fd < 0)
		return -errno;
	r = wrap(fd, n_elements, ret);
	if (r < 0)
		return r;
	TAKE_FD(fd);

	*(*ret)->table = (struct fw_table){
		.seed = seed,
		.n_heads = n_heads,
		.n_entries = n_entries,
		.first_slot = first_slot(n_heads),
		.fresh = first_slot(n_heads),
	};
	return 0;
}

int chains_open(int fd, struct chains **ret)
{
	struct bpf_map_info info = {};
	uint32_t size = sizeof(info);
	struct chains *c;
	struct fw_table header;
	int r;

	if (bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		return -errno;
	if (info.type != BPF_MAP_TYPE_ARRAY || info.value_size != sizeof(union fw_element) ||
	    !(info.map_flags & BPF_F_MMAPABLE))
		return -EPROTO;
	r = wrap(fd, info.max_entries, &c);
	if (r < 0)
		return r;

	header = *c->table;
	if (header.n_heads < FW_HEADS || header.n_heads & (header.n_heads - 1) ||
	    header.first_slot != first_slot(header.n_heads) || header.first_slot > info.max_entries) {
		c->fd = -1; /* still the caller's */
		(void) chains_free(c);
		return -EPROTO;
	}
	*ret = c;
	return 0;
}

int chains_fd(const struct chains *c)
{
	return c->fd;
}

const struct fw_table *chains_table(const struct chains *c)
{
	return c->table;
}

struct prefix chains_prefix(int family, const struct fw_slot *slot)
{
	return prefix_from_halves(family, (struct prefix_halves){ slot->high, slot->low }, slot->prefixlen);
}
