// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Many entries at once: room is made once, and nothing is looked up that cannot be there. Only what is in another list
 * already, and ports, go the slow way.
 */

#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>

#include "base/cleanup.h"
#include "state/table-internal.h"

/* What table_load() was asked for. */
struct load {
	struct table_writer *w;
	unsigned list;
	unsigned directions;
	const struct target *add, *remove;
	size_t n_add, n_remove;
	bool is_undo;  /* what was there has room, MaxEntries= or not */
	bool is_tight; /* some removals went first: the table cannot hold both at a time */
};

static unsigned directions_of(const struct load *x, const struct target *target)
{
	return x->directions ?: target_default_directions(target);
}

static int add_one(const struct load *x, const struct target *target)
{
	if (x->is_undo)
		return table_put_back(x->w, target, x->list, directions_of(x, target));
	return table_add(x->w, target, x->list, directions_of(x, target), FW_UNTIL_NEVER, NULL);
}

/*
 * An entry that no list has. Before it come its length, which the kernel would not look for, its bits in the filter, which
 * would say no, and its place in the census: too many there do no harm, too few would.
 */
static int add_new(const struct load *x, const struct target *target)
{
	const struct prefix *p = &target->prefix;
	unsigned directions = directions_of(x, target);
	__u64 *n = table_census_of(x->w->t, p);
	struct fw_entry entry = {};
	int r;

	for (unsigned d = 0; d < _FW_DIRECTION_MAX; d++)
		if (directions & 1u << d)
			entry.lists[d] = 1ull << x->list;
	table_set_length(x->w, p->family, p->length, true);
	(*n)++;
	r = table_filter_add(x->w, target_fw_kind(target), p);
	if (r >= 0)
		r = table_put_prefix(x->w, p, &entry);
	if (r < 0)
		(*n)--;
	else
		x->w->n_more_entries[x->list]++;
	return r;
}

static size_t count_absent(struct table *t, enum fw_kind kind, const struct target *targets, size_t n_targets)
{
	size_t n = 0;

	for (size_t i = 0; i < n_targets; i++)
		n += target_fw_kind(&targets[i]) == kind && !table_holds(t, &targets[i]);
	return n;
}

static size_t count_kind(enum fw_kind kind, const struct target *targets, size_t n_targets)
{
	size_t n = 0;

	for (size_t i = 0; i < n_targets; i++)
		n += target_fw_kind(&targets[i]) == kind;
	return n;
}

/* Room for n more: -E2BIG also where the table has it from when MaxEntries= was larger. */
static int make_room(const struct load *x, enum fw_kind kind, size_t n)
{
	uint64_t n_all = table_count(x->w->t, kind) + n;

	if (x->is_undo)
		return table_make_room(x->w, kind, n_all);
	return n_all > table_limit_for(x->w->t, kind, x->list) ? -E2BIG : table_grow(x->w, kind, n_all);
}

/* How many entries would go with what is to be removed: those that no other list holds. */
static size_t count_going(const struct load *x, enum fw_kind kind)
{
	struct table_entry e;
	size_t n = 0;

	for (size_t i = 0; i < x->n_remove; i++)
		if (target_fw_kind(&x->remove[i]) == kind && table_get(x->w->t, &x->remove[i], &e) >= 0)
			n += table_entry_lists(&e) == 1ull << x->list;
	return n;
}

/*
 * Makes room for n more entries where MaxEntries= does not allow old and new ones together: removes entries that have ended,
 * then as much of remove[] as necessary. -E2BIG: even then it would not fit, nor become less than it is.
 */
static int free_room(struct load *x, enum fw_kind kind, size_t n)
{
	uint64_t limit = table_limit_for(x->w->t, kind, x->list);
	size_t n_going;
	int r;

	r = table_sweep(x->w, NULL, NULL);
	if (r < 0)
		return r;
	n_going = count_going(x, kind);
	if (table_count(x->w->t, kind) + n > limit + n_going && n > n_going)
		return -E2BIG;

	for (size_t i = 0; i < x->n_remove && table_count(x->w->t, kind) + n > limit; i++) {
		if (target_fw_kind(&x->remove[i]) != kind)
			continue;
		x->is_tight = true;
		r = table_remove(x->w, &x->remove[i], x->list);
		if (r < 0 && r != -ENOENT)
			return r;
	}
	return table_grow(x->w, kind, table_count(x->w->t, kind) + n);
}

/* What must be there before the first entry of a kind: room for all of them, in the table and in the filter. */
static int prepare_kind(struct load *x, enum fw_kind kind)
{
	const struct target *add = x->add;
	struct table *t = x->w->t;
	size_t n_add = x->n_add;
	size_t n = count_kind(kind, add, n_add);
	uint64_t n_keys = 0;
	int r;

	if (n == 0)
		return 0;
	for (size_t i = 0; i < n_add; i++)
		if (target_fw_kind(&add[i]) == kind)
			n_keys += filter_keys(&add[i].prefix);

	r = make_room(x, kind, n);
	if (r == -E2BIG) { /* unless some are there already, in other lists */
		n = count_absent(t, kind, add, n_add);
		r = n > 0 ? make_room(x, kind, n) : 0;
	}
	if (r == -E2BIG)
		r = free_room(x, kind, n);
	if (r < 0)
		return r;
	return table_filter_reserve(x->w, kind, n_keys);
}

static int add_kind(const struct load *x, enum fw_kind kind)
{
	bool is_first = kind != FW_KIND_PORT && table_count(x->w->t, kind) == 0;
	int r = 0;

	for (size_t i = 0; i < x->n_add && r >= 0; i++) {
		const struct target *target = &x->add[i];

		if (target_fw_kind(target) != kind)
			continue;
		if (is_first || (kind != FW_KIND_PORT && !table_holds(x->w->t, target)))
			r = add_new(x, target);
		else
			r = add_one(x, target);
	}
	return r;
}

/*
 * Ports have a fixed number of places. Where old and new ones are too many together, the old ones go first: packets see either
 * when the index is exchanged.
 */
static int add_ports(struct load *x)
{
	int r = add_kind(x, FW_KIND_PORT);

	if (r != -E2BIG || count_kind(FW_KIND_PORT, x->remove, x->n_remove) == 0)
		return r;
	x->is_tight = true;
	for (size_t i = 0; i < x->n_remove; i++) {
		if (target_fw_kind(&x->remove[i]) != FW_KIND_PORT)
			continue;
		r = table_remove(x->w, &x->remove[i], x->list);
		if (r < 0 && r != -ENOENT)
			return r;
	}
	return add_kind(x, FW_KIND_PORT);
}

/* Takes back what of add[] is in the list: none of it was before. */
static void undo_adds(const struct load *x)
{
	for (size_t i = 0; i < x->n_add; i++)
		(void) table_remove(x->w, &x->add[i], x->list); /* -ENOENT after the point of failure */
}

static void undo_removals(const struct load *x, size_t n_removed)
{
	for (size_t i = 0; i < n_removed; i++) /* again does no harm */
		(void) table_put_back(x->w, &x->remove[i], x->list,
				      x->directions ?: target_default_directions(&x->remove[i]));
}

static struct load load_of(struct table_writer *w, unsigned list, unsigned directions, const struct target *add, size_t n_add,
			   const struct target *remove, size_t n_remove)
{
	return (struct load){
		.w = w,
		.list = list,
		.directions = directions,
		.add = add,
		.n_add = n_add,
		.remove = remove,
		.n_remove = n_remove,
	};
}

static int load(struct load *x)
{
	size_t n_removed = 0;
	int r = 0;

	if (x->list >= FW_LISTS_MAX || x->directions & ~FW_BOTH)
		return -EINVAL;

	/* after a failure, unneeded bits cost speed at worst, and go with the next filter */
	table_mark(x->w);
	if (x->w->ports_changed) /* before the first address: see table_publish_ports() */
		r = table_exchange_port_index(x->w);
	if (r >= 0)
		r = table_set_allow(x->w, 1ull << x->list);
	for (enum fw_kind kind = FW_KIND_IPV4; kind <= FW_KIND_IPV6 && r >= 0; kind++)
		r = prepare_kind(x, kind);
	for (enum fw_kind kind = FW_KIND_IPV4; kind <= FW_KIND_IPV6 && r >= 0; kind++)
		r = add_kind(x, kind);
	if (r >= 0)
		r = add_ports(x);
	while (r >= 0 && n_removed < x->n_remove) {
		r = table_remove(x->w, &x->remove[n_removed], x->list);
		if (r == -ENOENT) /* its end came in the meantime, or it had to go first */
			r = 0;
		if (r >= 0)
			n_removed++;
	}
	if (r >= 0)
		return 0;

	if (x->is_tight) { /* what came must make room for what was */
		undo_adds(x);
		undo_removals(x, x->n_remove);
	} else {
		undo_removals(x, n_removed);
		undo_adds(x);
	}
	return r;
}

int table_load(struct table_writer *w, unsigned list, unsigned directions, const struct target *add, size_t n_add,
	       const struct target *remove, size_t n_remove)
{
	struct load x = load_of(w, list, directions, add, n_add, remove, n_remove);

	return load(&x);
}

int table_load_back(struct table_writer *w, unsigned list, unsigned directions, const struct target *add, size_t n_add,
		    const struct target *remove, size_t n_remove)
{
	struct load x = load_of(w, list, directions, add, n_add, remove, n_remove);

	x.is_undo = true;
	return load(&x);
}
