// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Making a list equal to something: see replace.h. Nearly all entries of a long list are alike,
 * without an end and in the list's own directions: these go to table_load() in bulk. The rest are
 * changes as block and unblock make them.
 */

#include "change/replace.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "change/outlook.h"
#include "kernel/room.h"
#include "kernel/tick.h"
#include "output/output.h"


/*
 * The file is appended to while less than 1/APPEND_SHARE of the list changes, and as long as it has fewer than APPEND_TIMES
 * as many lines as entries; else it is rewritten from scratch.
 */
#define APPEND_SHARE 4
#define APPEND_TIMES 2

static struct list_line wanted_line(const struct replacement *x, size_t i)
{
	return x->details ? x->details[i] : (struct list_line){ .target = x->wanted[i] };
}

static bool is_alike(const struct replacement *x, const struct list_line *a,
		     const struct list_line *b)
{
	return a->until == b->until &&
	       content_directions(&x->policy, a) == content_directions(&x->policy, b);
}

/* A target that is only wanted, only there, or both. */
static int sort_out(struct replacement *x, const struct list_line *now,
		    const struct list_line *want, struct targets *change, struct targets *take)
{
	if (!now) {
		x->n_added++;
		return targets_add(content_is_plain(&x->policy, want) ? &x->add : change,
				   &want->target);
	}
	if (!want) {
		x->n_removed++;
		return targets_add(content_is_plain(&x->policy, now) ? &x->remove : take,
				   &now->target);
	}
	if (is_alike(x, now, want))
		return 0;
	x->n_changed++;
	return targets_add(change, &want->target);
}

static int find_difference(struct replacement *x, struct targets *change, struct targets *take)
{
	const struct list_line *now = x->now.items, *end = END_OF(now, x->now.n_items);
	struct list_line want;
	size_t i = 0;
	int order, r = 0;

	while (r == 0 && (now < end || i < x->n_wanted)) {
		if (now == end)
			order = 1;
		else if (i == x->n_wanted)
			order = -1;
		else
			order = target_compare(&now->target, &x->wanted[i]);

		if (order >= 0)
			want = wanted_line(x, i);
		r = sort_out(x, order <= 0 ? now : NULL, order >= 0 ? &want : NULL, change, take);
		if (order <= 0)
			now++;
		i += order >= 0;
	}
	return r;
}

static int compare_target(const void *a, const void *b)
{
	return target_compare(a, b);
}

static int compare_line(const void *target, const void *line)
{
	return target_compare(target, &((const struct list_line *)line)->target);
}

/* Fills in how the targets of x->change are to be in the list. */
static void set_details(struct replacement *x)
{
	for (struct change *i = x->change.items; i < END_OF(x->change.items, x->change.n_items); i++) {
		struct list_line plain = { .target = i->target };
		const struct list_line *line = &plain;

		if (x->details)
			line = bsearch(&i->target, x->details, x->n_wanted, sizeof(*line),
				       compare_line);
		i->lists = 1ull << x->list;
		i->directions = content_directions(&x->policy, line);
		i->until_unix = line->until;
		i->until = until_from_unix(line->until);
	}
	for (struct change *i = x->take.items; i < END_OF(x->take.items, x->take.n_items); i++)
		i->lists = 1ull << x->list;
}

int replacement_read(struct replacement *x)
{
	int r = x->is_read ? 0 : content_read(x->ctl, x->table, x->list, &x->policy, &x->now);

	x->is_read = x->is_read || r >= 0;
	return r;
}

int replacement_init(struct replacement *x)
{
	_cleanup_(targets_done) struct targets change = {}, take = {};
	int r;

	r = replacement_read(x);
	if (r < 0)
		return r;
	r = find_difference(x, &change, &take);
	if (r < 0)
		return r;

	x->change = (struct changes){
		.ctl = x->ctl, .table = x->table, .writer = x->writer, .list = x->list, .stamps = &x->stamps
	};
	x->take = x->change;
	x->take.is_removal = true;
	r = changes_init(&x->change, &change);
	if (r < 0)
		return r;
	r = changes_init(&x->take, &take);
	if (r < 0)
		return r;
	if (x->list < FW_LISTS_MAX)
		set_details(x);
	return 0;
}

void replacement_place(struct replacement *x, unsigned list)
{
	x->list = x->change.list = x->take.list = list;
	set_details(x);
}

void replacement_done(struct replacement *x)
{
	content_done(&x->now);
	targets_done(&x->add);
	targets_done(&x->remove);
	changes_done(&x->change);
	changes_done(&x->take);
	free(x->lines);
}

/* The wanted target at i covers what is asked for: puts it into a view. */
static int put_wanted(struct outlook_view *v, const struct replacement *x, size_t i)
{
	struct list_line line = wanted_line(x, i);

	return outlook_put(v, &line.target, x->list, content_directions(&x->policy, &line), until_from_unix(line.until));
}

static int edit_one(struct outlook_view *v, const struct target *covered, const struct replacement *x)
{
	struct target t = { .kind = TARGET_PREFIX };
	const struct target *found;
	int r = 0;

	outlook_empty(v, x->list);
	/* ports come last */
	for (size_t i = x->n_wanted; r == 0 && (!covered || covered->kind == TARGET_PORT) && i-- > 0;) {
		if (x->wanted[i].kind != TARGET_PORT)
			break;
		if (!covered || target_covers(&x->wanted[i], covered))
			r = put_wanted(v, x, i);
	}
	if (!covered || covered->kind != TARGET_PREFIX || x->n_wanted == 0)
		return r;
	for (unsigned length = 0; r == 0 && length <= covered->prefix.length; length++) {
		t.prefix = prefix_from_bytes(covered->prefix.family, covered->prefix.bytes, length);
		found = bsearch(&t, x->wanted, x->n_wanted, sizeof(t), compare_target);
		if (found)
			r = put_wanted(v, x, (size_t)(found - x->wanted));
	}
	return r;
}

/* The replacements of one command. */
struct set {
	const struct replacement *const *items;
	size_t n_items;
};

static int edit(struct outlook_view *v, const struct target *covered, const void *userdata)
{
	const struct set *set = userdata;
	int r = 0;

	for (size_t i = 0; i < set->n_items && r == 0; i++)
		r = edit_one(v, covered, set->items[i]);
	return r;
}

static bool drops(const struct fw_list *l)
{
	return l->action == FW_ACTION_BLOCK && l->is_enabled && l->mode == FW_MODE_ENFORCE;
}

int replacements_check(const struct replacement *const *x, size_t n, const struct guard *guard, const char *what)
{
	struct set set = { x, n };
	struct outlook o = {
		.ctl = x[0]->ctl,
		.table = x[0]->table,
		.guard = guard,
		.what = what,
		.edit = edit,
		.userdata = &set,
		.list = FW_LISTS_MAX,
	};
	bool is_simple = true;
	int r;

	if (x[0]->list >= FW_LISTS_MAX) /* a dry run: it does not exist, and what blocks leaves out what is protected */
		return EXIT_DONE;
	for (size_t i = 0; i < n; i++) {
		/* a blocking list leaves out what is protected, and removing its entries drops nothing */
		is_simple = is_simple && x[i]->policy.action == FW_ACTION_BLOCK;
		if (!x[i]->after)
			continue;
		r = outlook_set_policy(&o, x[i]->list, x[i]->after);
		if (r < 0)
			return r;
		/* but what it held before may come to drop */
		is_simple = is_simple && (x[i]->now.n_items == 0 || drops(&x[i]->policy) || !drops(x[i]->after));
	}
	return is_simple ? outlook_check_ephemeral(&o) : outlook_check(&o);
}

/* After the bulk of a change or of its undoing: counts what has come and gone, also after a failure. */
static int commit_load(struct replacement *x, int r)
{
	int commit = table_commit(x->writer);

	return r < 0 ? r : commit;
}

static int load(struct replacement *x)
{
	return commit_load(x, table_load(x->writer, x->list, x->policy.directions, x->add.items, x->add.n_items,
					 x->remove.items, x->remove.n_items));
}

static int load_back(struct replacement *x)
{
	return commit_load(x, table_load_back(x->writer, x->list, x->policy.directions, x->remove.items,
					      x->remove.n_items, x->add.items, x->add.n_items));
}

/* How many entries there would have been. What another list holds is there already, and stays. */
static uint64_t count_wanted(const struct replacement *x, enum fw_kind kind)
{
	uint64_t n = table_count(x->table, kind), only = 1ull << x->list;
	struct table_entry e;

	for (size_t i = 0; i < x->add.n_items; i++)
		n += target_fw_kind(&x->add.items[i]) == kind && table_get(x->table, &x->add.items[i], &e) < 0;
	for (size_t i = 0; i < x->remove.n_items; i++)
		n -= target_fw_kind(&x->remove.items[i]) == kind &&
		     table_get(x->table, &x->remove.items[i], &e) >= 0 && table_entry_lists(&e) == only;
	return n;
}

/* After everything was taken back: which limit it was. */
static int fail_full(const struct replacement *x)
{
	static const char *const names[] = { [FW_KIND_IPV4] = "IPv4", [FW_KIND_IPV6] = "IPv6" };

	for (enum fw_kind kind = FW_KIND_IPV4; kind <= FW_KIND_IPV6; kind++) {
		uint64_t limit = table_limit(x->table, kind);
		uint64_t n = count_wanted(x, kind);

		if (n > limit && n > table_count(x->table, kind))
			return output_fail(x->ctl, EXIT_FULL,
					   "No room: list '%s' would bring the %s entries to %llu, and the "
					   "limit is %llu: raise MaxEntries= in ebpf-fw.conf and reload "
					   "ebpf-fw. Nothing was changed",
					   x->policy.name, names[kind], (unsigned long long)n,
					   (unsigned long long)limit);
	}
	return output_fail(x->ctl, EXIT_FULL,
			   "No room for the ports of list '%s': there may be %d port entries, %d of them over one "
			   "port, and in lists that block %d and %d; join ports to ranges. Nothing was changed",
			   x->policy.name, FW_PORT_ENTRIES_MAX, FW_PORT_OVERLAP_MAX, FW_PORT_BANS_MAX,
			   FW_PORT_OVERLAP_BANS_MAX);
}

/* Why it has not come into force. */
static int fail(const struct replacement *x, int r)
{
	errno = -r;
	return output_fail(x->ctl, r == -ENOMEM ? EXIT_FULL : EXIT_NO,
			   "Cannot change list '%s': %m%s. Nothing was changed", x->policy.name,
			   r == -ENOMEM ? OUTPUT_NO_MEMORY : "");
}

static int apply(struct replacement *x)
{
	int status, r;

	r = load(x);
	if (r == -E2BIG || r == -ENOSPC)
		return fail_full(x);
	if (r < 0)
		return fail(x, r);

	status = changes_apply(&x->change);
	if (status != EXIT_DONE) {
		(void) load_back(x); /* the status says more than a failure of this could */
		return status;
	}
	status = changes_apply(&x->take);
	if (status != EXIT_DONE) {
		changes_revert(&x->change);
		(void) load_back(x);
		return status;
	}

	r = table_commit(x->writer);
	if (r < 0) {
		replacement_undo(x);
		errno = -r;
		return output_fail(x->ctl, EXIT_NO,
				   "Cannot bring list '%s' into force: %m. Nothing was changed",
				   x->policy.name);
	}
	return EXIT_DONE;
}

void replacement_undo(struct replacement *x)
{
	int r;

	changes_revert(&x->take);
	changes_revert(&x->change);
	r = load_back(x);
	if (r < 0) {
		errno = -r;
		output_note(x->ctl,
			    "Cannot undo: %m; 'systemctl restart ebpf-fw' reads the file again");
	}
}

/* Lines that turn the file of what was into one of what is. */
static void fill_change(struct replacement *x)
{
	struct list_line *lines = x->lines;
	size_t n = 0;

	for (size_t i = 0; i < x->add.n_items; i++)
		lines[n++].target = x->add.items[i];
	for (size_t i = 0; i < x->remove.n_items; i++)
		lines[n++] = (struct list_line){ .target = x->remove.items[i], .is_removal = true };
	for (size_t i = 0; i < x->take.n_items; i++)
		lines[n++] =
			(struct list_line){ .target = x->take.items[i].target, .is_removal = true };
	for (size_t i = 0; i < x->change.n_items; i++)
		lines[n++] = (struct list_line){
			.target = x->change.items[i].target,
			.directions = x->change.items[i].directions,
			.until = x->change.items[i].until_unix,
		};
}

/* Everything that is wanted; of what was there before it keeps the comments, and since when. */
static void fill_all(struct replacement *x)
{
	const struct list_line *now = x->now.items, *end = END_OF(now, x->now.n_items);
	struct list_line *lines = x->lines;

	for (size_t i = 0; i < x->n_wanted; i++) {
		lines[i] = wanted_line(x, i);
		while (now < end && target_compare(&now->target, &x->wanted[i]) < 0)
			now++;
		if (!x->details && now < end && target_compare(&now->target, &x->wanted[i]) == 0) {
			lines[i].comment = now->comment;
			lines[i].since = now->since;
		}
	}
}

static bool can_append(const struct replacement *x)
{
	size_t n = x->n_added + x->n_changed + x->n_removed;

	return x->stamps.agreed && !x->details && !x->now.walked &&
	       n * APPEND_SHARE < x->n_wanted &&
	       x->now.file->n_lines + n < x->n_wanted * APPEND_TIMES;
}

/*
 * The lines for the file, before anything changes: what a long list takes may be more than there is, and for that a
 * process is not refused, but killed, between the kernel and the file if it came then.
 */
static int prepare_lines(struct replacement *x)
{
	int r;

	x->is_appended = can_append(x);
	x->n_lines = x->is_appended ? x->n_added + x->n_changed + x->n_removed : x->n_wanted;
	r = room_ask(x->n_lines * sizeof(*x->lines));
	if (r < 0)
		return r;
	x->lines = calloc(x->n_lines + 1, sizeof(*x->lines));
	if (!x->lines)
		return -ENOMEM;
	if (x->is_appended)
		fill_change(x);
	else
		fill_all(x);
	return 0;
}

static int save(struct replacement *x)
{
	struct list_header header = list_header_of(&x->policy);

	header.comment = x->comment;
	if (!x->is_appended)
		return listfile_replace(x->ctl->state_dir, &header, x->lines, x->n_lines);
	return x->n_lines > 0 ? listfile_append(x->ctl->state_dir, &header, x->lines, x->n_lines) : 0;
}

static int make(struct replacement *x)
{
	int status, r = 0;

	if (!x->ctl->is_runtime)
		r = prepare_lines(x);
	if (r < 0)
		return fail(x, r);
	status = apply(x);
	if (status != EXIT_DONE || x->ctl->is_runtime)
		return status;

	r = save(x);
	if (r < 0) {
		replacement_undo(x);
		errno = -r;
		return output_fail(x->ctl, r == -EACCES || r == -EPERM ? EXIT_PERMISSION : EXIT_NO,
				   "Cannot write the file of list '%s' below '%s/lists': %m. "
				   "Nothing was changed",
				   x->policy.name, x->ctl->state_dir);
	}
	x->stamps.agreed = 1ull << x->list; /* also if it was rewritten because it did not */
	stamps_end(&x->stamps, x->ctl, x->writer, 1ull << x->list);
	return EXIT_DONE;
}

int replacement_make(struct replacement *x)
{
	int status, r;

	status = stamp_check_file(x->ctl, x->writer, x->list);
	if (status != EXIT_DONE)
		return status;
	r = stamps_begin(&x->stamps, x->ctl, x->writer, x->list);
	if (r < 0)
		return r;
	status = make(x);
	stamps_end(&x->stamps, x->ctl, x->writer,
		   0); /* nothing is left to end where all went well */
	return status;
}
