// SPDX-License-Identifier: GPL-2.0-or-later

/* Stamps of list files: see stamp.h. */

#include "change/stamp.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "output/output.h"

int64_t stamp_file_size(const struct ctl *ctl, const char *name)
{
	char path[PATH_MAX];
	struct stat st;

	(void) snprintf(path, sizeof(path), "%s/lists/%s" LIST_SUFFIX, ctl->state_dir, name);
	return lstat(path, &st) == 0 ? st.st_size : -1;
}

static uint32_t stamp_of(const struct ctl *ctl, const char *name)
{
	return listfile_stamp(ctl->state_dir, name);
}

bool stamp_agrees(const struct ctl *ctl, const struct fw_list *l)
{
	return l->file_stamp > LISTFILE_STAMP_WRONG && l->file_stamp == stamp_of(ctl, l->name);
}

int stamps_begin(struct stamps *s, const struct ctl *ctl, struct table_writer *w, unsigned list)
{
	uint64_t bit = 1ull << list;
	struct fw_list l;
	int r;

	if (s->begun & bit)
		return 0;
	r = table_get_list(table_of(w), list, &l);
	if (r < 0)
		return r;
	if (stamp_agrees(ctl, &l))
		s->agreed |= bit;
	if (l.file_stamp == LISTFILE_STAMP_WRONG)
		s->wrong |= bit;
	s->begun |= bit;

	l.file_stamp = LISTFILE_STAMP_BUSY;
	return table_set_list(w, list, &l);
}

static void set(struct table_writer *w, unsigned list, uint32_t stamp)
{
	struct fw_list l;

	if (table_get_list(table_of(w), list, &l) < 0 || l.name[0] == '\0')
		return;
	l.file_stamp = stamp;
	(void) table_set_list(w, list, &l); /* without it the next load takes longer */
}

void stamp_set(const struct ctl *ctl, struct table_writer *w, unsigned list)
{
	struct fw_list l;

	if (table_get_list(table_of(w), list, &l) == 0)
		set(w, list, stamp_of(ctl, l.name));
}

void stamps_end(struct stamps *s, const struct ctl *ctl, struct table_writer *w, uint64_t saved)
{
	for (unsigned i = 0; i < FW_LISTS_MAX; i++) {
		if (!(s->begun >> i & 1))
			continue;
		if (s->agreed & saved & 1ull << i)
			stamp_set(ctl, w, i);
		else
			set(w, i, s->wrong >> i & 1 ? LISTFILE_STAMP_WRONG : LISTFILE_STAMP_UNKNOWN);
	}
	*s = (struct stamps){};
}

/*
 * A file is read again only where it may have mistakes: they were found when it was restored, or it has changed and is
 * so short that reading it costs nothing.
 */
static bool may_have_mistakes(const struct ctl *ctl, const struct fw_list *l)
{
	return l->file_stamp == LISTFILE_STAMP_WRONG ||
	       (!stamp_agrees(ctl, l) && stamp_file_size(ctl, l->name) <= STAMP_BYTES_FREE);
}

static int rewrite(struct ctl *ctl, struct table_writer *w, unsigned list, const struct fw_list *l, const struct list *file)
{
	struct list_header header = list_header_of(l);
	int n = listfile_rewrite(ctl->state_dir, &header, file);

	if (n < 0) {
		errno = -n;
		return output_fail(ctl, n == -EACCES || n == -EPERM ? EXIT_PERMISSION : EXIT_NO,
				   "Cannot rewrite the file of list '%s' below '%s/lists': %m. Nothing was changed", l->name,
				   ctl->state_dir);
	}
	set(w, list, LISTFILE_STAMP_UNKNOWN);
	output_note(ctl, "the file of list '%s' was rewritten without %zu lines that make no sense; as it was it is '%s/lists/%s"
		    LIST_SUFFIX ".bad-%d'", l->name, file->mistakes.n, ctl->state_dir, l->name, n);
	return EXIT_DONE;
}

int stamp_check_file(struct ctl *ctl, struct table_writer *w, unsigned list)
{
	_cleanup_(list_freep) struct list *file = NULL;
	const struct list_mistakes *m;
	struct fw_list l;
	int r;

	if (ctl->is_runtime || ctl->is_dry_run || list >= FW_LISTS_MAX)
		return EXIT_DONE;
	r = table_get_list(table_of(w), list, &l);
	if (r < 0)
		return r;
	if (!may_have_mistakes(ctl, &l))
		return EXIT_DONE;
	r = listfile_read(ctl->state_dir, l.name, &file);
	if (r == -ENOMEM)
		return r;
	if (r < 0 || file->mistakes.n == 0)
		return EXIT_DONE; /* what else is wrong with it writing will tell */
	if (ctl->is_forced)
		return rewrite(ctl, w, list, &l, file);
	m = &file->mistakes;
	return output_fail(ctl, EXIT_NO,
			   "'%s/lists/%s" LIST_SUFFIX "' has %zu lines that make no sense, the first is line %zu: %s. Nothing was "
			   "changed: correct it and restart ebpf-fw, or --force rewrites it without them",
			   ctl->state_dir, l.name, m->n, m->first[0].line, m->first[0].error);
}
