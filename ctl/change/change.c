// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * The kernel's half of a change: see change.h. The way back is to give it every entry as it was
 * before. The durable half is in save.c.
 */

#include "change/change.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "output/output.h"

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

static int fail_full(const struct changes *c, const struct target *target)
{
	static const char *const names[_FW_KIND_MAX] = { "IPv4", "IPv6", "port" };
	enum fw_kind kind = target_fw_kind(target);
	unsigned long long limit = table_limit(c->table, kind);
	char text[TARGET_TEXT_MAX];

	(void) target_format(target, text);
	if (kind == FW_KIND_PORT)
		return output_fail(
			c->ctl, EXIT_FULL,
			"No room for %s: there may be %llu port entries, %d of them over one port, and in lists "
			"that block %d and %d; join ports to ranges. Nothing was changed",
			text, limit, FW_PORT_OVERLAP_MAX, FW_PORT_BANS_MAX, FW_PORT_OVERLAP_BANS_MAX);
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
			r = table_remove(c->writer, &change->target, list);
		else
			r = table_add(c->writer, &change->target, list, change->directions,
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
		r = table_restore(c->writer, &c->items[n - 1].before);
		if (r == 0)
			continue;
		errno = -r;
		output_note(c->ctl,
			    "Cannot undo the change of %s: %m; 'fwctl show' has what holds now",
			    target_format(&c->items[n - 1].target, text));
	}
	r = table_commit(c->writer);
	if (r < 0) {
		errno = -r;
		output_note(c->ctl,
			    "Cannot finish undoing: %m; 'systemctl restart ebpf-fw' repairs it");
	}
}

/* Says that the kernel refused a change, after everything has been taken back. */
static int fail(const struct changes *c, const struct target *target, int r)
{
	char text[TARGET_TEXT_MAX];

	if (r == -E2BIG || r == -ENOSPC)
		return fail_full(c, target);
	errno = -r;
	if (r == -ENOMEM)
		return output_fail(c->ctl, EXIT_FULL,
				   "Cannot change %s: %m" OUTPUT_NO_MEMORY ". Nothing was changed",
				   target_format(target, text));
	return output_fail(c->ctl, r == -EPERM || r == -EACCES ? EXIT_PERMISSION : EXIT_NO,
			   "Cannot change %s: %m. Nothing was changed",
			   target_format(target, text));
}

uint64_t changes_lists(const struct changes *c)
{
	uint64_t touched = c->list < FW_LISTS_MAX ? 1ull << c->list : 0;

	for (size_t i = 0; i < c->n_items; i++)
		touched |= c->items[i].lists;
	return touched;
}

/* In a batch the whole story is told once. */
static int check_file(struct changes *c, unsigned list)
{
	int status;

	if (!c->ctl->is_runtime && !c->ctl->is_forced && c->stamps->refused >> list & 1)
		return output_fail(c->ctl, EXIT_NO, "The file of the list has lines that make no sense, as said before");
	status = stamp_check_file(c->ctl, c->writer, list);
	if (status != EXIT_DONE)
		c->stamps->refused |= 1ull << list;
	return status;
}

/* From here on the files of the lists may say something else than the kernel. */
static int begin(struct changes *c)
{
	uint64_t touched = changes_lists(c) & ~c->stamps->begun;
	int r = EXIT_DONE;

	for (unsigned list = 0; list < FW_LISTS_MAX && r == EXIT_DONE; list++)
		if (touched >> list & 1)
			r = check_file(c, list);
	for (unsigned list = 0; list < FW_LISTS_MAX && r == EXIT_DONE; list++)
		if (touched >> list & 1)
			r = stamps_begin(c->stamps, c->ctl, c->writer, list);
	return r;
}

int changes_apply(struct changes *c)
{
	int r;

	r = begin(c);
	if (r != EXIT_DONE)
		return r;
	for (size_t i = 0; i < c->n_items; i++) {
		r = apply_one(c, &c->items[i]);
		if (r == 0)
			continue;
		revert(c, i + 1);
		return fail(c, &c->items[i].target, r);
	}
	return EXIT_DONE;
}

void changes_revert(struct changes *c)
{
	revert(c, c->n_items);
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
