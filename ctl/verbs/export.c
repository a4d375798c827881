// SPDX-License-Identifier: GPL-2.0-or-later

/* export: lists as text, each as its file would be, one after the other; import.c reads it. */

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/utf8.h"
#include "change/content.h"
#include "lists/listtext.h"
#include "output/output.h"
#include "session.h"
#include "verbs.h"

/* Everything that is asked for, to be printed after the lock is released: the reader may be a pager. */
struct export {
	char *texts[FW_LISTS_MAX];
	size_t sizes[FW_LISTS_MAX];
};

static void export_done(struct export *x)
{
	for (size_t i = 0; i < FW_LISTS_MAX; i++)
		free(x->texts[i]);
}

static int export_list(struct export *x, struct ctl *ctl, struct table *t, unsigned list, const struct fw_list *policy)
{
	_cleanup_(content_done) struct content content = {};
	struct list_header header = list_header_of(policy);
	int r;

	r = content_read(ctl, t, list, policy, &content);
	if (r < 0)
		return r;
	if (content.file)
		header.comment = content.file->header.comment;
	return list_print(&header, content.items, content.n_items, &x->texts[list], &x->sizes[list]);
}

/* On a terminal, nothing that it would act on. A file or a pipe gets the bytes as they are, for import. */
static int print(const char *text, size_t size)
{
	_cleanup_free_ char *escaped = NULL;

	if (!isatty(STDOUT_FILENO)) {
		(void) fwrite(text, 1, size, stdout); /* output_finish() looks whether it failed */
		return 0;
	}
	escaped = utf8_escape(text);
	if (!escaped)
		return -ENOMEM;
	(void) fputs(escaped, stdout);
	return 0;
}

/* Text is what import reads; a second form of it as JSON would be one that nothing takes. */
int verb_export(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_(export_done) struct export x = {};
	_cleanup_(table_freep) struct table *table = NULL;
	_cleanup_(session_unlock) int lock = -1;
	struct fw_list policy;
	unsigned only = FW_LISTS_MAX;
	int status, r;

	if (ctl->is_json)
		return output_fail(ctl, EXIT_USAGE,
				   "An export is text, for 'fwctl import': 'fwctl lists --json' and "
				   "'fwctl show --json' have it as JSON");
	status = session_open(ctl, &table);
	if (status == EXIT_DONE)
		status = session_lock(ctl, table, &lock); /* nothing half done is exported */
	if (status != EXIT_DONE)
		return status;
	if (argc > 0) {
		status = session_find_list(ctl, table, argv[0], &only, &policy);
		if (status != EXIT_DONE)
			return status;
	}

	for (unsigned i = 0; i < FW_LISTS_MAX; i++) {
		if (only < FW_LISTS_MAX && i != only)
			continue;
		r = table_get_list(table, i, &policy);
		if (r == 0 && policy.name[0])
			r = export_list(&x, ctl, table, i, &policy);
		if (r < 0)
			return r;
	}
	session_unlock(&lock);
	for (unsigned i = 0; i < FW_LISTS_MAX; i++) {
		r = x.texts[i] ? print(x.texts[i], x.sizes[i]) : 0;
		if (r < 0)
			return r;
	}
	return EXIT_DONE;
}
