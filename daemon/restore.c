// SPDX-License-Identifier: GPL-2.0-or-later

/* List files -> maps: see restore.h. */

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "kernel/room.h"
#include "lists/listread.h"
#include "log/log.h"
#include "restore.h"

#define FEW        2048 /* entries that need not be made room for at once */
#define CHUNK      1024 /* entries that room in 'ends' is asked for at a time */

struct restore {
	const char *state_dir;
	struct table *table;
	struct table_writer *writer;
	struct wallclock *wallclock;
	bool is_fresh; /* the maps were empty */
	int64_t now; /* Unix time in seconds */
	uint64_t n_added;
	uint64_t n_expired;
	struct restored *restored;
	unsigned n_granted; /* entries that there is room for in 'ends', as far as was asked */
};

/*
 * The index of the list. One that the kernel does not know is made; one that it does gets the policy of
 * the file, which is the one that fwctl acknowledged: the first lists come with the defaults. A header that
 * makes no sense changes no list that has entries. -EUCLEAN: it leaves open whether the list blocks or allows.
 */
static int find_or_make_list(struct table_writer *w, const struct list_header *header, const struct list_mistakes *mistakes)
{
	struct fw_list list = {};
	int index, r;

	index = table_find_list(table_of(w), header->name, &list);
	if (index < 0 && index != -ENOENT)
		return index;

	if (mistakes->is_header_wrong && list.n_entries > 0)
		return index;
	if (mistakes->is_action_unclear)
		return -EUCLEAN;

	strcpy(list.name, header->name);
	list.mode = header->mode;
	list.is_enabled = header->is_enabled;
	if (list.n_entries == 0) { /* what is there already came with the action and directions it has */
		list.action = header->action;
		list.directions = header->directions;
	}
	if (index == -ENOENT)
		return table_new_list(w, &list);
	r = table_set_list(w, index, &list);
	return r < 0 ? r : index;
}

/* Do lists disagree about when it ends? Then the ends of all are kept in addition to the entry. */
static bool needs_ends(const struct table_entry *others, uint32_t until)
{
	for (unsigned i = 0; i < FW_LISTS_MAX; i++)
		if (table_entry_lists(others) & 1ull << i && others->until[i] != until)
			return true;
	return false;
}

/*
 * All else has its memory before it is filled. What takes it element by element must not take the last: for what comes
 * after it the kernel would kill.
 */
static int ask_for_ends(struct restore *x)
{
	int r;

	if (x->n_granted == 0) {
		r = room_ask(CHUNK * ROOM_ENDS);
		if (r < 0)
			return r;
		x->n_granted = CHUNK;
	}
	x->n_granted--;
	return 0;
}

/* A list on its way into the tables. */
struct restore_list {
	struct restore *restore;
	const struct list_header *header;
	unsigned index;
	struct list_reader *reader;
	bool is_new;          /* nothing of it is in the tables yet */
	bool has_room[_FW_KIND_MAX];
	int failure;          /* why no more came in; from there on entries are only counted */
	struct target failed; /* the first that did not */
	uint64_t n_left_out;  /* after it */
};

static int restore_line(struct restore_list *x, const struct list_line *line)
{
	unsigned directions = line->directions ?: x->header->directions;
	struct restore *restore = x->restore;
	struct table_entry entry;
	uint32_t until;
	bool is_new;
	int r;

	r = table_get(restore->table, &line->target, &entry);
	if (r < 0 && r != -ENOENT)
		return r;
	if (table_entry_lists(&entry) & 1ull << x->index)
		return 0;

	until = line->until == 0 ? FW_UNTIL_NEVER : wallclock_tick(restore->wallclock, line->until);
	if (needs_ends(&entry, until)) {
		r = ask_for_ends(restore);
		if (r < 0)
			return r;
	}
	r = table_add(restore->writer, &line->target, x->index, directions ?: target_default_directions(&line->target),
		      until, &is_new);
	if (r < 0)
		return r;
	restore->n_added++;
	return line->until == 0 ? 0 : wallclock_note(restore->wallclock, x->index, &line->target, line->until);
}

/*
 * Room for all of a list at once, or for as much of it as there may be and as there is memory for: growing step by step
 * would copy the table each time, and hold it twice. When the first of a kind comes, and those of the kinds before it
 * have their memory.
 */
static void reserve(struct restore_list *x, enum fw_kind kind)
{
	uint64_t n = list_reader_count(x->reader, kind), limit, n_before;
	struct table *t = x->restore->table;

	if (kind == FW_KIND_PORT || !x->is_new || x->has_room[kind])
		return;
	x->has_room[kind] = true;
	limit = table_limit(t, kind);
	n_before = table_count(t, kind);
	if (n_before + n > limit)
		n = limit > n_before ? limit - n_before : 0;
	while (n > FEW && table_reserve(x->restore->writer, kind, n) == -ENOMEM)
		n -= n / 8;
}

/* For list_reader_each(), which tells of each target once: so they may come in any order. */
static int take_line(const struct list_line *line, void *userdata)
{
	struct restore_list *x = userdata;

	if (line->until != 0 && line->until <= x->restore->now) {
		x->restore->n_expired++;
		if (!x->restore->is_fresh) /* it may have been given for a time, by fwctl, and that is over */
			return 0;
		return wallclock_note(x->restore->wallclock, x->index, &line->target, line->until);
	}
	if (x->failure < 0) {
		x->n_left_out++;
		return 0;
	}
	reserve(x, target_fw_kind(&line->target));
	x->failure = restore_line(x, line);
	if (x->failure < 0)
		x->failed = line->target;
	return 0;
}

static int explain_failure(const struct restore_list *x)
{
	char text[TARGET_TEXT_MAX];

	(void) target_format(&x->failed, text);
	switch (x->failure) {
	case -E2BIG:
		return log_error(x->failure,
				 "List '%s': no room for '%s' and the %" PRIu64 " entries after it, raise MaxEntries= "
				 "(ports: %d entries at most, %d in lists that block)",
				 x->header->name, text, x->n_left_out, FW_PORT_ENTRIES_MAX, FW_PORT_BANS_MAX);
	case -ENOMEM:
		return log_error(x->failure,
				 "List '%s': the kernel has no memory for '%s' and the %" PRIu64 " entries after it, "
				 "raise MemoryMax= of the unit or free some, then restart",
				 x->header->name, text, x->n_left_out);
	default:
		return log_error(x->failure, "List '%s': cannot restore '%s': %m", x->header->name, text);
	}
}

static int restore_items(struct restore *restore, struct list_reader *l, unsigned index, bool is_new)
{
	struct restore_list x = {
		.restore = restore,
		.header = list_reader_header(l),
		.index = index,
		.reader = l,
		.is_new = is_new,
	};
	int r;

	r = list_reader_each(l, take_line, &x);
	if (x.failure < 0)
		return explain_failure(&x);
	if (r < 0) {
		(void) log_error(r, "List '%s': its file has changed while it was read, what it holds is not all in force: "
				    "systemctl restart ebpf-fw", x.header->name);
		return 1;
	}
	return 0;
}

/* Keeps the file for a person to look at, and what is pinned of the list. */
static void set_aside(struct restore *x, const char *name, const char *error)
{
	int r;

	x->restored->n_missing++;
	r = listfile_set_aside(x->state_dir, name);
	if (r < 0)
		(void) log_error(r, "List file '%s/lists/%s" LIST_SUFFIX "': %s; cannot move it aside: %m", x->state_dir, name,
				 error);
	else
		(void) log_error(0, "List file '%s/lists/%s" LIST_SUFFIX "': %s; moved aside as '%s" LIST_SUFFIX
				    ".bad-%d', entries in the kernel stay", x->state_dir, name, error, name, r);
}

/* Each by its line, as far as anybody will read them. */
static void log_mistakes(const struct restore *x, const char *name, const struct list_mistakes *m)
{
	for (size_t i = 0; i < m->n && i < LIST_MISTAKES_SHOWN; i++)
		(void) log_error(0, "List file '%s/lists/%s" LIST_SUFFIX "', line %zu: %s; skipped", x->state_dir, name,
				 m->first[i].line, m->first[i].error);
	(void) log_error(0, "List '%s': %zu lines of its file make no sense, and fwctl does not write to it: correct them, then "
			    "systemctl restart ebpf-fw", name, m->n);
}

/*
 * What the stamp says of a list that was read. If the kernel holds what the file says, and nothing else, the first load
 * need not look. An entry that had ended is in the file only.
 */
static int set_stamp(struct table_writer *w, unsigned index, uint32_t stamp)
{
	struct fw_list list;
	int r;

	r = table_get_list(table_of(w), index, &list);
	if (r < 0)
		return r;
	list.file_stamp = stamp;
	return table_set_list(w, index, &list);
}

/* The reader of a list file; 1 and no reader: there is nothing to restore, which was said. */
static int open_list(struct restore *x, const char *name, struct list_reader **ret)
{
	_cleanup_(list_reader_freep) struct list_reader *l = NULL;
	int r;

	r = list_reader_open(x->state_dir, name, &l);
	if (r == -ENOENT)
		return 1;
	if (r == -EBADMSG) {
		set_aside(x, name, "it is not a regular file");
		return 1;
	}
	if (r < 0)
		x->restored->n_missing++;
	if (r == -ENOMEM) {
		(void) log_error(r, "List '%s': no memory to read its file, what it holds is not in force: raise MemoryMax= "
				    "of the unit or free some, then restart", name);
		return 1;
	}
	if (r < 0) {
		(void) log_error(r, "Cannot read the list file '%s' in '%s/lists': %m; what it holds is not in force "
				    "until it can be read: mend it, then systemctl restart ebpf-fw", name, x->state_dir);
		return 1; /* it costs itself, and not the other lists */
	}
	if (!list_reader_is_list(l)) {
		set_aside(x, name, "none of its lines makes sense");
		return 1;
	}
	if (list_reader_mistakes(l)->n > 0)
		log_mistakes(x, name, list_reader_mistakes(l));
	if (list_reader_is_torn(l))
		(void) log_warning(0, "List file '%s': the last line has no end, dropped as a torn write", name);
	*ret = TAKE_PTR(l);
	return 0;
}

static int restore_list(struct restore *x, const char *name)
{
	_cleanup_(list_reader_freep) struct list_reader *l = NULL;
	const struct list_mistakes *mistakes;
	uint64_t n_expired = x->n_expired;
	struct fw_list before;
	bool was_empty;
	uint32_t stamp;
	int index, r;

	was_empty = table_find_list(x->table, name, &before) < 0 || before.n_entries == 0;
	stamp = listfile_stamp(x->state_dir, name); /* before it is read: an editor may be at it */
	if (!was_empty && stamp != 0 && before.file_stamp == stamp) /* it was not edited: the kernel holds what it says */
		return 0;
	r = open_list(x, name, &l);
	if (r != 0)
		return 0;

	mistakes = list_reader_mistakes(l);
	index = find_or_make_list(x->writer, list_reader_header(l), mistakes);
	if (index == -EUCLEAN || index == -ENFILE)
		x->restored->n_missing++;
	if (index == -EUCLEAN) {
		(void) log_error(0, "List '%s' is not restored: its first line does not say whether it blocks or allows", name);
		return 0;
	}
	if (index == -ENFILE) {
		(void) log_error(index, "List '%s' is not restored, there are %d lists already: remove files that are "
					"not used", name, FW_LISTS_MAX);
		return 0;
	}
	if (index < 0)
		return log_error(index, "Cannot make the list '%s': %m", name);

	r = restore_items(x, l, (unsigned)index, was_empty);
	if (r == 0 && mistakes->n > 0) {
		x->restored->n_wrong++;
		r = set_stamp(x->writer, (unsigned)index, LISTFILE_STAMP_WRONG);
	} else if (r == 0 && was_empty && !list_reader_is_torn(l) && x->n_expired == n_expired) {
		r = set_stamp(x->writer, (unsigned)index, stamp);
	}
	if (r == -E2BIG || r == -ENOMEM) {
		x->restored->n_missing++;
		return 0; /* what fits is better than nothing: others may still */
	}
	return r;
}

/* What people have put in by hand comes before what is loaded by the thousand: there may not be room for all. */
static const char *const first_lists[] = { FW_LIST_ALLOW, FW_LIST_MANUAL };

/* For listfile_foreach(). */
static int restore_other_list(const char *name, void *userdata)
{
	for (size_t i = 0; i < ELEMENTSOF(first_lists); i++)
		if (strcmp(name, first_lists[i]) == 0)
			return 0;
	return restore_list(userdata, name);
}

unsigned restore_count_wrong(struct table *t)
{
	struct fw_list list;
	unsigned n = 0;

	for (unsigned i = 0; i < FW_LISTS_MAX; i++)
		n += table_get_list(t, i, &list) >= 0 && list.name[0] && list.file_stamp == LISTFILE_STAMP_WRONG;
	return n;
}

int restore_lists(const char *state_dir, struct table_writer *writer, struct wallclock *w, bool is_fresh, struct restored *ret)
{
	struct restored restored = {};
	struct restore x = {
		.state_dir = state_dir,
		.table = table_of(writer),
		.writer = writer,
		.wallclock = w,
		.is_fresh = is_fresh,
		.now = time(NULL),
		.restored = &restored,
	};
	int r = 0;

	for (size_t i = 0; i < ELEMENTSOF(first_lists) && r >= 0; i++)
		r = restore_list(&x, first_lists[i]);
	if (r >= 0)
		r = listfile_foreach(state_dir, restore_other_list, &x);
	if (r == -ENOENT)
		r = 0; /* nothing has ever been saved */
	if (r < 0)
		return log_error(r, "Cannot restore the lists from '%s': %m", state_dir);
	*ret = restored;

	if (x.n_added > 0 || x.n_expired > 0)
		log_info("%" PRIu64 " entries restored from '%s', %" PRIu64 " had expired", x.n_added,
			 state_dir, x.n_expired);
	return 0;
}
