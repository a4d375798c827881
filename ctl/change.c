// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Enforcement first, then durable, then success. The way back is the same in both halves: the
 * kernel gets every entry as it was before, a list file gets a line that says so, since the last
 * line wins.
 */

#include "change.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
	bool is_new;
	int r = 0;

	for (unsigned list = 0; list < FW_LISTS_MAX && r == 0; list++) {
		if (!(change->lists >> list & 1))
			continue;
		if (c->is_removal)
			r = table_remove(c->table, &change->target, list);
		else
			r = table_add(c->table, &change->target, list, change->directions, c->until,
				      &is_new);
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

/* The kernel's half: all targets, or none and the reason. */
static int apply(struct changes *c)
{
	char text[TARGET_TEXT_MAX];
	bool is_at_limit;
	enum fw_kind kind;
	size_t i;
	int r = 0;

	for (i = 0; i < c->n_items; i++) {
		r = apply_one(c, &c->items[i]);
		if (r < 0)
			break;
	}
	if (r == 0) {
		r = table_commit(c->table);
		if (r == 0)
			return EXIT_DONE;
		i = c->n_items - 1; /* the last one stands for all in the message */
	}

	kind = target_kind(&c->items[i].target);
	/* before going back, which makes room */
	is_at_limit = table_count(c->table, kind) >= table_limit(c->table, kind);
	revert(c, i + 1);
	if (r == -E2BIG || r == -ENOSPC)
		return fail_full(c, &c->items[i].target, is_at_limit);
	errno = -r;
	return output_fail(c->ctl, r == -EPERM || r == -EACCES ? EXIT_PERMISSION : EXIT_NO,
			   "Cannot change %s: %m. Nothing was changed",
			   target_format(&c->items[i].target, text));
}

static bool has_file(const struct ctl *ctl, const char *name)
{
	char path[PATH_MAX];

	(void) snprintf(path, sizeof(path), "%s/lists/%s" LIST_SUFFIX, ctl->state_dir, name);
	return access(path, F_OK) == 0;
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
		ret->until = c->is_removal ? 0 : c->until_unix;
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

/* Appends what concerns one list to its file, in one go. */
static int save_list(struct changes *c, unsigned list, bool is_back)
{
	_cleanup_free_ struct list_line *lines = NULL;
	struct list_header header;
	struct fw_list policy;
	size_t n = 0;
	bool is_file;
	int r;

	r = table_get_list(c->table, list, &policy);
	if (r < 0)
		return r;
	header = session_list_header(&policy);
	is_file = has_file(c->ctl, header.name);

	lines = calloc(c->n_items, sizeof(*lines));
	if (!lines)
		return -ENOMEM;
	for (size_t i = 0; i < c->n_items; i++)
		if (make_line(c, &c->items[i], list, is_back, is_file, &lines[n]))
			n++;
	return n > 0 ? listfile_append(c->ctl->state_dir, &header, lines, n) : 0;
}

/* The durable half. Several lists are several files: if one fails, those before get a line back. */
static int save(struct changes *c)
{
	uint64_t touched = 1ull << c->list;
	int r = 0;

	for (size_t i = 0; i < c->n_items; i++)
		touched |= c->items[i].lists;

	for (unsigned list = 0; list < FW_LISTS_MAX; list++) {
		if (!(touched >> list & 1))
			continue;
		r = save_list(c, list, false);
		if (r == 0)
			continue;

		while (list-- > 0)
			if (touched >> list & 1)
				(void) save_list(c, list, true); /* r is what there is to say */
		break;
	}
	return r;
}

int changes_make(struct changes *c)
{
	int status, r;

	status = apply(c);
	if (status != EXIT_DONE || c->ctl->is_runtime)
		return status;

	r = save(c);
	if (r == 0)
		return EXIT_DONE;

	revert(c, c->n_items);
	errno = -r;
	return output_fail(c->ctl, r == -EACCES || r == -EPERM ? EXIT_PERMISSION : EXIT_NO,
			   "Cannot write the list file below '%s/lists': %m. Nothing was changed; "
			   "--runtime changes the kernel alone", c->ctl->state_dir);
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
