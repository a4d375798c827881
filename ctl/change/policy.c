// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Lists without their entries: see policy.h. The kernel comes first, and goes back if the file
 * fails.
 */

#include "change/policy.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "change/stamp.h"
#include "log/log.h"
#include "output/output.h"

struct fw_list policy_default(const char *name, enum fw_action action)
{
	struct fw_list l = { .action = action, .mode = FW_MODE_ENFORCE, .is_enabled = 1 };

	(void) strncpy(l.name, name, sizeof(l.name) - 1);
	return l;
}

int policy_find(struct ctl *ctl, struct table *t, enum fw_action action, unsigned *ret_index,
		struct fw_list *ret)
{
	const char *name = ctl->list, *word = action_to_string(action);
	char escaped[FW_LIST_NAME_MAX * 4];
	int r;

	if (!name)
		name = action == FW_ACTION_ALLOW ? FW_LIST_ALLOW : FW_LIST_MANUAL;
	(void) log_escape(name, escaped, sizeof(escaped));
	if (!list_name_is_valid(name))
		return output_fail(ctl, EXIT_USAGE, LIST_NAME_ERROR, escaped);

	r = table_find_list(t, name, ret);
	if (r == -ENOENT) {
		*ret_index = FW_LISTS_MAX;
		*ret = policy_default(name, action);
		return EXIT_DONE;
	}
	if (r < 0) {
		errno = -r;
		return output_fail(ctl, EXIT_NO, "Cannot read list '%s': %m; 'fwctl doctor' looks for the cause", escaped);
	}
	if (ret->action != action) {
		word = action_to_string(ret->action);
		return output_fail(ctl, EXIT_USAGE,
				   "List '%s' is there to %s: use 'fwctl %s' or 'fwctl un%s'", name,
				   word, word, word);
	}
	*ret_index = r;
	return EXIT_DONE;
}

static int fail_file(struct ctl *ctl, int r)
{
	errno = -r;
	return output_fail(ctl, r == -EACCES || r == -EPERM ? EXIT_PERMISSION : EXIT_NO,
			   "Cannot write the file below '%s/lists': %m. Nothing was changed",
			   ctl->state_dir);
}

static int fail_kernel(struct ctl *ctl, const char *name, int r)
{
	errno = -r;
	return output_fail(ctl, EXIT_NO,
			   "Cannot change list '%s' in the kernel: %m. Nothing was changed; 'fwctl doctor' looks for the cause", name);
}

/* Puts the list there and lets the masks follow. */
static int put(struct table_writer *w, unsigned index, const struct fw_list *l)
{
	int r = table_set_list(w, index, l);

	return r < 0 ? r : table_commit(w);
}

/* Back to what it was. If that fails too, a note says so. */
static void put_back(struct ctl *ctl, struct table_writer *w, unsigned index, const struct fw_list *l)
{
	int r = put(w, index, l);

	if (r < 0) {
		errno = -r;
		output_note(ctl, "Cannot undo: %m; 'fwctl lists' has what holds now");
	}
}

int policy_check_new(struct ctl *ctl, const char *name)
{
	if (ctl->is_runtime || stamp_file_size(ctl, name) < 0)
		return EXIT_DONE;
	return output_fail(ctl, EXIT_NO,
			   "There is a file of a list '%s' that was not restored: "
			   "'systemctl restart ebpf-fw' reads it and says why",
			   name);
}

int policy_fail_full(struct ctl *ctl)
{
	return output_fail(ctl, EXIT_FULL, "There may be no more than %d lists: 'fwctl list del' removes one", FW_LISTS_MAX);
}

int policy_make(struct ctl *ctl, struct table_writer *w, const struct fw_list *l, const char *comment, unsigned *ret_index)
{
	struct list_header header = list_header_of(l);
	int index, status, r;

	header.comment = comment;

	status = policy_check_new(ctl, l->name);
	if (status != EXIT_DONE)
		return status;

	index = table_new_list(w, l);
	if (index == -ENFILE)
		return policy_fail_full(ctl);
	if (index < 0)
		return fail_kernel(ctl, l->name, index);
	r = table_commit(w);
	if (r < 0) {
		put_back(ctl, w, index, &(struct fw_list){});
		return fail_kernel(ctl, l->name, r);
	}

	if (!ctl->is_runtime) {
		r = listfile_replace(ctl->state_dir, &header, NULL, 0);
		if (r < 0) {
			put_back(ctl, w, index, &(struct fw_list){});
			return fail_file(ctl, r);
		}
		stamp_set(ctl, w, index);
	}
	*ret_index = index;
	return EXIT_DONE;
}

void policy_unmake(struct ctl *ctl, struct table_writer *w, unsigned index)
{
	struct fw_list l;

	if (table_get_list(table_of(w), index, &l) < 0)
		return;
	put_back(ctl, w, index, &(struct fw_list){});
	if (!ctl->is_runtime)
		(void) listfile_remove(ctl->state_dir, l.name); /* it comes back empty at worst */
}

int policy_set(struct ctl *ctl, struct table_writer *w, unsigned index, const struct fw_list *l, const char *comment)
{
	struct list_header header = list_header_of(l);
	struct fw_list before, now = *l;
	struct stamps stamps = {};
	int status, r;

	header.comment = comment;

	status = stamp_check_file(ctl, w, index);
	if (status != EXIT_DONE)
		return status;
	r = stamps_begin(&stamps, ctl, w, index);
	if (r == 0)
		r = table_get_list(table_of(w), index, &before);
	if (r < 0)
		return r;

	now.n_entries = before.n_entries;
	now.file_stamp = before.file_stamp;
	r = put(w, index, &now);
	if (r < 0) {
		put_back(ctl, w, index, &before);
		stamps_end(&stamps, ctl, w, 0);
		return fail_kernel(ctl, l->name, r);
	}

	r = listfile_set_header(ctl->state_dir, &header);
	if (r < 0)
		put_back(ctl, w, index, &before);
	stamps_end(&stamps, ctl, w, r < 0 ? 0 : 1ull << index);
	return r < 0 ? fail_file(ctl, r) : EXIT_DONE;
}

int policy_remove(struct ctl *ctl, struct table_writer *w, unsigned index)
{
	struct fw_list before;
	int r;

	r = table_get_list(table_of(w), index, &before);
	if (r < 0)
		return r;
	r = put(w, index, &(struct fw_list){});
	if (r < 0) {
		put_back(ctl, w, index, &before);
		return fail_kernel(ctl, before.name, r);
	}

	r = listfile_remove(ctl->state_dir, before.name);
	if (r < 0 && r != -ENOENT) {
		put_back(ctl, w, index, &before);
		return fail_file(ctl, r);
	}
	return EXIT_DONE;
}
