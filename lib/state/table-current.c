// SPDX-License-Identifier: GPL-2.0-or-later

/* The entry tables in use: opening them, putting others in their place, and waiting for programs that look at old ones. */

#include <errno.h>
#include <stdio.h>

#include <bpf/bpf.h>

#include "base/cleanup.h"
#include "state/table-internal.h"

const char *table_pin_name(enum fw_kind kind, uint32_t slot, char ret[static TABLE_PIN_MAX])
{
	(void) snprintf(ret, TABLE_PIN_MAX, "maps/table%c_%u", kind == FW_KIND_IPV4 ? '4' : '6', slot);
	return ret;
}

int table_put_slot(struct table_writer *w, enum fw_kind kind, uint32_t slot, const struct chains *c)
{
	struct table *t = w->t;
	uint32_t outer = kind * FW_TABLE_SLOTS + slot;
	int fd = chains_fd(c), r;
	char name[TABLE_PIN_MAX];

	/* named before it is used: a table that the kernel uses is one that fwctl can find */
	r = pins_put(t->pin_dir, table_pin_name(kind, slot, name), fd);
	if (r < 0)
		return r;
	/* before it is there: a process that finds a table in the slot after a writer was killed takes it for complete */
	t->policy->chains[kind][slot] = (struct fw_chains){
		.seed = chains_table(c)->seed,
		.n_heads = chains_table(c)->n_heads,
	};
	return bpf_map_update_elem(t->tables_fd, &outer, &fd, BPF_ANY) < 0 ? -errno : 0;
}

int table_current(struct table *t, enum fw_kind kind, struct chains **ret)
{
	const uint32_t *generation = &t->policy->table_generation[kind];
	char name[TABLE_PIN_MAX];
	struct chains *c;
	int r = -ENOENT;

	for (int i = 0; i < 3; i++) { /* it may change between reading its number and opening it */
		uint32_t now = __atomic_load_n(generation, __ATOMIC_ACQUIRE);
		_cleanup_close_ int fd = -1;

		if (t->chains[kind] && t->table_generation[kind] == now) {
			*ret = t->chains[kind];
			return 0;
		}
		r = fd = pins_open(t->pin_dir, table_pin_name(kind, fw_slot(now), name));
		if (r == -ENOENT)
			continue;
		if (r >= 0)
			r = chains_open(fd, &c);
		if (r < 0)
			return r;
		TAKE_FD(fd);
		chains_free(t->chains[kind]);
		t->chains[kind] = c;
		t->table_generation[kind] = now;
	}
	if (r < 0)
		return r;
	*ret = t->chains[kind];
	return 0;
}

/* How many entries the table in use may hold. */
int table_room(struct table *t, enum fw_kind kind, uint64_t *ret)
{
	struct chains *c;
	int r;

	r = table_current(t, kind, &c);
	if (r >= 0)
		*ret = chains_table(c)->n_entries;
	return r;
}

int table_wait(struct table_writer *w, enum fw_kind kind)
{
	struct table *t = w->t;
	uint32_t outer = kind * FW_TABLE_SLOTS + fw_slot(t->policy->table_generation[kind]);
	struct chains *c;
	int r, fd;

	r = table_current(t, kind, &c);
	if (r < 0)
		return r;
	/* puts there what is there: an update of such a map waits for the programs that run */
	fd = chains_fd(c);
	return bpf_map_update_elem(t->tables_fd, &outer, &fd, BPF_ANY) < 0 ? -errno : 0;
}

int table_wait_for_programs(struct table_writer *w)
{
	return table_wait(w, FW_KIND_IPV4);
}
