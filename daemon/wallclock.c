// SPDX-License-Identifier: GPL-2.0-or-later

/* The ends of restored entries when the wall clock is set: see wallclock.h. */

#include "wallclock.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/rewrite.h"
#include "kernel/tick.h"
#include "lists/listread.h"
#include "log/log.h"

#define FILE_NAME  "restored"
#define N_FIRST    64

static int64_t current_offset_ns(void)
{
	struct timespec wall;

	(void) clock_gettime(CLOCK_REALTIME, &wall);
	return wall.tv_sec * NS_PER_SEC + wall.tv_nsec - (int64_t)boot_clock_ns();
}

uint32_t wallclock_tick(const struct wallclock *w, int64_t until)
{
	int64_t seconds = until - w->offset_ns / NS_PER_SEC; /* of the boot clock, but for a part of one */
	uint64_t tick;

	if (seconds <= 0)
		return FW_UNTIL_MIXED + 1;
	if (seconds >= (int64_t)FW_UNTIL_MAX)
		return FW_UNTIL_MAX;
	tick = (uint64_t)(seconds * NS_PER_SEC - w->offset_ns % NS_PER_SEC + (1 << FW_TICK_SHIFT) - 1) >> FW_TICK_SHIFT;
	if (tick > FW_UNTIL_MAX)
		return FW_UNTIL_MAX;
	return tick <= FW_UNTIL_MIXED ? FW_UNTIL_MIXED + 1 : tick;
}

static bool has_jumped(const struct wallclock *w)
{
	return llabs(current_offset_ns() - w->offset_ns) >= NS_PER_SEC;
}

bool wallclock_is_due(const struct wallclock *w)
{
	return w->behind != 0 || has_jumped(w);
}

/* FNV-1a. A collision is of no use to an attacker: it takes write access to list files. */
static uint64_t hash_add(uint64_t hash, const void *bytes, size_t n)
{
	for (const unsigned char *p = bytes; n > 0; n--)
		hash = (hash ^ *p++) * UINT64_C(0x100000001b3);
	return hash;
}

static uint64_t hash_of(unsigned list, const struct target *t, int64_t until)
{
	uint32_t numbers[] = { list, t->kind, t->port.protocol, t->port.first, t->port.last };
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	hash = hash_add(hash, &until, sizeof(until));
	if (t->kind == TARGET_PORT)
		return hash_add(hash, numbers, sizeof(numbers));
	hash = hash_add(hash, numbers, 2 * sizeof(numbers[0]));
	hash = hash_add(hash, &t->prefix.family, sizeof(t->prefix.family));
	hash = hash_add(hash, &t->prefix.length, sizeof(t->prefix.length));
	return hash_add(hash, t->prefix.bytes, t->prefix.family == AF_INET ? 4 : sizeof(t->prefix.bytes));
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

int wallclock_note(struct wallclock *w, unsigned list, const struct target *target, int64_t until)
{
	if (w->n_known == w->n_allocated) {
		size_t n = w->n_allocated ? 2 * w->n_allocated : N_FIRST;
		uint64_t *known = reallocarray(w->known, n, sizeof(*known));

		if (!known)
			return -ENOMEM;
		w->known = known;
		w->n_allocated = n;
	}
	w->known[w->n_known++] = hash_of(list, target, until);
	w->is_sorted = false;
	return 0;
}

static void sort(struct wallclock *w)
{
	if (!w->is_sorted && w->n_known > 0)
		qsort(w->known, w->n_known, sizeof(*w->known), compare);
	w->is_sorted = true;
}

struct correction {
	struct wallclock *clock;
	struct wallclock before; /* only the offset, of this list */
	struct wallclock now;    /* the same */
	const char *state_dir;
	struct table *table;
	struct table_writer *writer;
	const struct list_header *header;
	int64_t wall; /* Unix time in seconds */
	unsigned list;
	uint64_t failed; /* mask of lists */
	uint64_t n_moved;
	uint64_t n_ended;
	uint64_t n_back;
};

/* For list_reader_each(). Any change of the entry since then has changed its line, or its end in the kernel, or both. */
static int correct_line(const struct list_line *line, void *userdata)
{
	struct correction *c = userdata;
	unsigned directions = line->directions ?: c->header->directions;
	uint64_t hash = hash_of(c->list, &line->target, line->until);
	struct table_entry entry;
	bool is_held, is_new;
	int r;

	if (line->until == 0 || c->clock->n_known == 0 ||
	    !bsearch(&hash, c->clock->known, c->clock->n_known, sizeof(hash), compare))
		return 0;
	r = table_get(c->table, &line->target, &entry);
	if (r < 0 && r != -ENOENT)
		return r;
	is_held = table_entry_lists(&entry) >> c->list & 1;
	if (is_held && entry.until[c->list] != wallclock_tick(&c->before, line->until))
		return 0;
	if (!is_held && wallclock_tick(&c->before, line->until) > tick_now())
		return 0; /* taken out with --runtime: it has not ended */

	if (line->until <= c->wall) {
		c->n_ended += is_held;
		return is_held ? table_remove(c->writer, &line->target, c->list) : 0;
	}
	if (is_held)
		directions = (entry.lists[FW_INGRESS] >> c->list & 1 ? FW_IN : 0) |
			     (entry.lists[FW_EGRESS] >> c->list & 1 ? FW_OUT : 0);
	r = table_add(c->writer, &line->target, c->list, directions ?: target_default_directions(&line->target),
		      wallclock_tick(&c->now, line->until), &is_new);
	if (r < 0)
		return r;
	c->n_moved += is_held;
	c->n_back += !is_held;
	return 0;
}

/* The next call tries again, from the offset that the ends of the list have now. */
static void note_failure(struct correction *c, const char *name, int error)
{
	struct wallclock *w = c->clock;
	uint64_t bit = UINT64_C(1) << c->list;

	if (!(w->behind & bit))
		(void) log_warning(error, "List '%s': cannot compute ends again after the wall clock was set, trying again: %m",
				   name);
	c->failed |= bit;
	w->behind_ns[c->list] = c->before.offset_ns;
}

/* For listfile_foreach(). */
static int correct_list(const char *name, void *userdata)
{
	_cleanup_(list_reader_freep) struct list_reader *l = NULL;
	struct correction *c = userdata;
	struct fw_list list;
	int index, r;

	index = table_find_list(c->table, name, &list);
	if (index < 0)
		return index == -ENOENT ? 0 : index;
	c->list = (unsigned)index;
	c->before.offset_ns = c->clock->behind >> index & 1 ? c->clock->behind_ns[index] : c->clock->offset_ns;
	r = list_reader_open(c->state_dir, name, &l);
	if (r == -ENOENT)
		return 0;
	if (r >= 0) {
		c->header = list_reader_header(l);
		r = list_reader_each(l, correct_line, c);
	}
	if (r < 0)
		note_failure(c, name, r);

	r = table_get_list(c->table, (unsigned)index, &list); /* it no longer is what its file says */
	if (r < 0)
		return r;
	if (list.file_stamp > 1 && (c->n_ended > 0 || c->n_back > 0)) {
		list.file_stamp = 0;
		return table_set_list(c->writer, (unsigned)index, &list);
	}
	return 0;
}

int wallclock_correct(struct wallclock *w, const char *state_dir, struct table_writer *writer)
{
	bool is_set = has_jumped(w);
	struct correction c = {
		.clock = w,
		.now = { .offset_ns = is_set ? current_offset_ns() : w->offset_ns },
		.state_dir = state_dir,
		.table = table_of(writer),
		.writer = writer,
		.wall = time(NULL),
	};
	int r;

	sort(w);
	r = listfile_foreach(state_dir, correct_list, &c);
	if (r < 0 && r != -ENOENT)
		return r;
	if (is_set)
		log_notice("The wall clock was set by %" PRId64 " s: of entries from list files %" PRIu64 " end at another time, %"
			   PRIu64 " have ended, %" PRIu64 " are back", (c.now.offset_ns - w->offset_ns) / NS_PER_SEC,
			   c.n_moved, c.n_ended, c.n_back);
	else if (c.failed != w->behind)
		log_notice("Computed the ends again of lists that had failed: %" PRIu64 " entries end at another time, %" PRIu64
			   " have ended, %" PRIu64 " are back", c.n_moved, c.n_ended, c.n_back);
	w->behind = c.failed;
	w->offset_ns = c.now.offset_ns;
	return 0;
}

/* What precedes the hashes in the file. The lists that failed follow them; files of older versions lack that. */
struct saved {
	uint64_t counting_since;
	int64_t offset_ns;
	uint64_t n_known;
};

static int read_saved(struct wallclock *w, const char *path, uint64_t counting_since)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	_cleanup_free_ uint64_t *known = NULL;
	struct saved saved;

	if (!f)
		return -errno;
	if (fread(&saved, sizeof(saved), 1, f) != 1 || saved.counting_since != counting_since)
		return -ESTALE;
	known = calloc(saved.n_known ?: 1, sizeof(*known));
	if (!known)
		return -ENOMEM;
	if (fread(known, sizeof(*known), saved.n_known, f) != saved.n_known)
		return -EBADMSG;
	*w = (struct wallclock){
		.offset_ns = saved.offset_ns,
		.known = TAKE_PTR(known),
		.n_known = saved.n_known,
		.n_allocated = saved.n_known,
		.is_sorted = true,
	};
	if (fread(w->behind_ns, sizeof(w->behind_ns), 1, f) != 1 || fread(&w->behind, sizeof(w->behind), 1, f) != 1)
		w->behind = 0;
	return 0;
}

void wallclock_init(struct wallclock *w, const char *run_dir, uint64_t counting_since, bool is_fresh)
{
	char path[PATH_MAX];

	wallclock_done(w);
	(void) snprintf(path, sizeof(path), "%s/" FILE_NAME, run_dir);
	if (is_fresh || read_saved(w, path, counting_since) < 0)
		w->offset_ns = current_offset_ns();
}

void wallclock_done(struct wallclock *w)
{
	free(w->known);
	*w = (struct wallclock){};
}

struct save {
	const struct wallclock *clock;
	struct saved head;
};

/* For rewrite_file(). */
static int write_saved(FILE *f, const void *userdata)
{
	const struct save *save = userdata;
	const struct wallclock *w = save->clock;

	(void) fwrite(&save->head, sizeof(save->head), 1, f);
	(void) fwrite(w->known, sizeof(*w->known), w->n_known, f);
	(void) fwrite(w->behind_ns, sizeof(w->behind_ns), 1, f);
	(void) fwrite(&w->behind, sizeof(w->behind), 1, f);
	return 0;
}

void wallclock_save(struct wallclock *w, const char *run_dir, uint64_t counting_since)
{
	struct save save = {
		.clock = w,
		.head = { .counting_since = counting_since, .offset_ns = w->offset_ns, .n_known = w->n_known },
	};
	char path[PATH_MAX];
	int r;

	sort(w);
	(void) snprintf(path, sizeof(path), "%s/" FILE_NAME, run_dir);
	r = rewrite_file(path, write_saved, &save);
	if (r < 0)
		(void) log_warning(r, "Cannot save '%s': %m; after a restart, the ends of restored entries stay as they are when "
				      "the wall clock is set", path);
}
