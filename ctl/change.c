// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Enforcement first, then durable, then success. The way back is the same in both halves: the
 * kernel gets every entry as it was before, a list file gets a line that says so, since the last
 * line wins.
 */

#include "change.h"

#include <errno.h>
#include <stdlib.h>

#include "cleanup.h"
#include "output.h"

int changes_init(struct changes *c, const struct targets *targets)
{
	int r;

	c->items = calloc(targets->n_items, sizeof(*c->items));
	if (!c->items)
		return -ENOMEM;

	for (size_t i = 0; i < targets->n_items; i++) {
		if (c->n_items > 0 &&
		    target_compare(&targets->items[i], &c->items[c->n_items - 1].target) == 0)
			continue; /* they are sorted */
		c->items[c->n_items].target = targets->items[i];
		r = table_get(c->table, &targets->items[i], &c->items[c->n_items].before);
		if (r < 0 && r != -ENOENT)
			return r;
		c->n_items++;
	}
	return 0;
}

void changes_done(struct changes *c)
{
	free(c->items);
	c->items = NULL;
	c->n_items = 0;
}

static enum fw_kind target_kind(const struct target *target)
{
	if (target->kind == TARGET_PORT)
		return FW_KIND_PORT;
	return target->prefix.family == AF_INET ? FW_KIND_IPV4 : FW_KIND_IPV6;
}

static int fail_full(const struct changes *c, const struct target *target, bool is_at_limit)
{
	static const char *const names[_FW_KIND_MAX] = { "IPv4", "IPv6", "port" };
	enum fw_kind kind = target_kind(target);
	unsigned long long limit = table_limit(c->table, kind);
	char text[TARGET_TEXT_MAX];

	(void) target_format(target, text);
	if (kind == FW_KIND_PORT)
		return output_fail(c->ctl, EXIT_FULL,
				   "No room for %s: there may be %llu port entries, %d of them over "
				   "one port; join ports to ranges. Nothing was changed",
				   text, limit, FW_PORT_OVERLAP_MAX);
	if (!is_at_limit)
		return output_fail(c->ctl, EXIT_FULL,
				   "No room for %s: too many entries are in several lists with "
				   "different ends. Nothing was changed",
				   text);
	return output_fail(c->ctl, EXIT_FULL,
			   "No room for %s: the limit of %llu %s entries is reached, raise "
			   "MaxEntries= in ebpf-fw.conf and reload ebpf-fw. Nothing was changed",
			   text, limit, names[kind]);
}

static int apply_one(struct changes *c, struct change *change)
{
	int r = 0;

	for (unsigned list = 0; list < FW_LISTS_MAX && r == 0; list++) {
		if (!(change->lists >> list & 1))
			continue;
		if (c->is_removal)
			r = table_remove(c->table, &change->target, list);
		else
			r = table_add(c->table, &change->target, list, change->directions,
				      change->until, NULL);
		if (c->is_removal && r == -ENOENT)
			r = 0; /* its time has ended since we looked */
	}
	return r;
}

/* Takes back the first n changes. If even that fails, the user must know what is left of them. */
static void revert(struct changes *c, size_t n)
{
	char text[TARGET_TEXT_MAX];
	int r;

	for (; n > 0; n--) {
		r = table_restore(c->table, &c->items[n - 1].before);
		if (r == 0)
			continue;
		errno = -r;
		output_note(c->ctl,
			    "Cannot undo the change of %s: %m; 'fwctl show' has what holds now",
			    target_format(&c->items[n - 1].target, text));
	}
	r = table_commit(c->table);
	if (r < 0) {
		errno = -r;
		output_note(c->ctl,
			    "Cannot finish undoing: %m; 'systemctl restart ebpf-fw' repairs it");
	}
}

/* Says that the kernel refused a change, after everything has been taken back. */
static int fail(const struct changes *c, const struct target *target, bool is_at_limit, int r)
{
	char text[TARGET_TEXT_MAX];

	if (r == -E2BIG || r == -ENOSPC)
		return fail_full(c, target, is_at_limit);
	errno = -r;
	return output_fail(c->ctl, r == -EPERM || r == -EACCES ? EXIT_PERMISSION : EXIT_NO,
			   "Cannot change %s: %m. Nothing was changed", target_format(target, text));
}

static uint64_t touched_lists(const struct changes *c)
{
	uint64_t touched = c->list < FW_LISTS_MAX ? 1ull << c->list : 0;

	for (size_t i = 0; i < c->n_items; i++)
		touched |= c->items[i].lists;
	return touched;
}

/* From here on the files of the lists may say something else than the kernel. */
static int begin(struct changes *c)
{
	uint64_t touched = touched_lists(c);
	int r = 0;

	for (unsigned list = 0; list < FW_LISTS_MAX && r == 0; list++)
		if (touched >> list & 1)
			r = stamps_begin(c->stamps, c->ctl, c->table, list);
	return r;
}

int changes_apply(struct changes *c)
{
	enum fw_kind kind;
	bool is_at_limit;
	int r;

	r = begin(c);
	if (r < 0)
		return r;
	for (size_t i = 0; i < c->n_items; i++) {
		r = apply_one(c, &c->items[i]);
		if (r == 0)
			continue;

		kind = target_kind(&c->items[i].target);
		/* before going back, which makes room */
		is_at_limit = table_count(c->table, kind) >= table_limit(c->table, kind);
		revert(c, i + 1);
		return fail(c, &c->items[i].target, is_at_limit, r);
	}
	return EXIT_DONE;
}

void changes_revert(struct changes *c)
{
	revert(c, c->n_items);
}

/*
 * A line for the file of a list: what the change makes of the target there, or what it was before.
 * False: the file has nothing to say about it.
 */
static bool make_line(const struct changes *c, const struct change *change, unsigned list,
		      bool is_back, bool is_file, struct list_line *ret)
{
	const struct table_entry *before = &change->before;

	/*
	 * What the kernel does not hold the file may still: unblock --runtime leaves it there. To
	 * take it out costs a line, to find out would cost reading the file.
	 */
	if (!(change->lists >> list & 1) &&
	    !(c->is_removal && !is_back && is_file && list == c->list))
		return false;

	*ret = (struct list_line){ .target = change->target, .comment = "" };
	if (!is_back) {
		ret->is_removal = c->is_removal;
		ret->directions = c->is_removal ? 0 : change->directions;
		ret->until = c->is_removal ? 0 : change->until_unix;
		ret->comment = c->is_removal ? "" : c->ctl->comment;
		return true;
	}

	ret->is_removal = !(table_entry_lists(before) >> list & 1);
	if (!ret->is_removal) {
		ret->directions = (before->lists[FW_INGRESS] >> list & 1 ? FW_IN : 0) |
				  (before->lists[FW_EGRESS] >> list & 1 ? FW_OUT : 0);
		ret->until = until_to_unix(before->until[list]);
	}
	return true;
}

static size_t count_items(struct changes *const *sets, size_t n)
{
	size_t n_items = 0;

	for (size_t i = 0; i < n; i++)
		n_items += sets[i]->n_items;
	return n_items;
}

/* Appends what concerns one list to its file, in one go: the changes in order, or the way back. */
static int save_list(struct ctl *ctl, struct changes *const *sets, size_t n, unsigned list, bool is_back)
{
	_cleanup_free_ struct list_line *lines = NULL;
	const struct changes *c;
	struct list_header header;
	struct fw_list policy;
	size_t n_lines = 0;
	bool is_file;
	int r;

	r = table_get_list(sets[0]->table, list, &policy);
	if (r < 0)
		return r;
	header = session_list_header(&policy);
	is_file = stamp_has_file(ctl, header.name);

	lines = calloc(count_items(sets, n) + 1, sizeof(*lines));
	if (!lines)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		c = sets[is_back ? n - 1 - i : i];
		for (size_t k = 0; k < c->n_items && !c->ctl->is_runtime; k++)
			if (make_line(c, &c->items[k], list, is_back, is_file, &lines[n_lines]))
				n_lines++;
	}
	return n_lines > 0 ? listfile_append(ctl->state_dir, &header, lines, n_lines) : 0;
}

/* The durable half. Several lists are several files: if one fails, those before get lines back. */
static int save(struct ctl *ctl, struct changes *const *sets, size_t n)
{
	uint64_t durable = 0, runtime = 0;
	int r;

	for (size_t i = 0; i < n; i++)
		*(sets[i]->ctl->is_runtime ? &runtime : &durable) |= touched_lists(sets[i]);

	for (unsigned list = 0; list < FW_LISTS_MAX; list++) {
		if (!(durable >> list & 1))
			continue;
		r = save_list(ctl, sets, n, list, false);
		if (r < 0) {
			while (list-- > 0)
				if (durable >> list & 1)
					(void) save_list(ctl, sets, n, list, true); /* r is what there is to say */
			return r;
		}
	}
	stamps_end(sets[0]->stamps, ctl, sets[0]->table, durable & ~runtime);
	return 0;
}

static void revert_all(struct changes *const *sets, size_t n)
{
	while (n-- > 0)
		changes_revert(sets[n]);
}

int changes_finish(struct ctl *ctl, struct changes *const *sets, size_t n)
{
	int r;

	if (count_items(sets, n) == 0)
		return EXIT_DONE;

	r = table_commit(sets[0]->table);
	if (r < 0) {
		revert_all(sets, n);
		errno = -r;
		return output_fail(ctl, r == -ENOMEM ? EXIT_FULL : EXIT_NO,
				   "Cannot bring the changes into force: %m. Nothing was changed");
	}

	r = save(ctl, sets, n);
	if (r == 0)
		return EXIT_DONE;
	revert_all(sets, n);
	errno = -r;
	return output_fail(ctl, r == -EACCES || r == -EPERM ? EXIT_PERMISSION : EXIT_NO,
			   "Cannot write the list file below '%s/lists': %m. Nothing was changed; "
			   "--runtime changes the kernel alone", ctl->state_dir);
}

int changes_make(struct changes *c)
{
	struct stamps stamps = {};
	int status;

	c->stamps = &stamps;
	status = changes_apply(c);
	if (status == EXIT_DONE)
		status = changes_finish(c->ctl, &c, 1);
	stamps_end(&stamps, c->ctl, c->table, 0); /* nothing is left to end where all went well */
	return status;
}

json_object *change_row(const struct change *change, const char *list, const char *result)
{
	json_object *row = json_object_new_object();
	char text[TARGET_TEXT_MAX];

	json_object_object_add(row, "result", json_object_new_string(result));
	json_object_object_add(row, "target",
			       json_object_new_string(target_format(&change->target, text)));
	json_object_object_add(row, "list", json_object_new_string(list));
	return row;
}
