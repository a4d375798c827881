// SPDX-License-Identifier: GPL-2.0-or-later

/* Stamps of list files: see stamp.h. */

#include "stamp.h"

#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "cleanup.h"

/* Stamps that are none. */
enum {
	STAMP_UNKNOWN, /* the file may say something else */
	STAMP_BUSY,    /* a change is under way, or was killed */
};

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
	return l->file_stamp > STAMP_BUSY && l->file_stamp == stamp_of(ctl, l->name);
}

int stamps_begin(struct stamps *s, const struct ctl *ctl, struct table *t, unsigned list)
{
	uint64_t bit = 1ull << list;
	struct fw_list l;
	int r;

	if (s->begun & bit)
		return 0;
	r = table_get_list(t, list, &l);
	if (r < 0)
		return r;
	if (l.file_stamp == STAMP_BUSY) {
		r = table_repair(t); /* somebody was killed here: the counts are wrong */
		if (r == 0)
			r = table_get_list(t, list, &l);
		if (r < 0)
			return r;
	}
	if (stamp_agrees(ctl, &l))
		s->agreed |= bit;
	s->begun |= bit;

	l.file_stamp = STAMP_BUSY;
	return table_set_list(t, list, &l);
}

static void set(struct table *t, unsigned list, uint32_t stamp)
{
	struct fw_list l;

	if (table_get_list(t, list, &l) < 0 || l.name[0] == '\0')
		return;
	l.file_stamp = stamp;
	(void) table_set_list(t, list, &l); /* without it the next load takes longer */
}

void stamp_set(const struct ctl *ctl, struct table *t, unsigned list)
{
	struct fw_list l;

	if (table_get_list(t, list, &l) == 0)
		set(t, list, stamp_of(ctl, l.name));
}

void stamps_end(struct stamps *s, const struct ctl *ctl, struct table *t, uint64_t saved)
{
	for (unsigned i = 0; i < FW_LISTS_MAX; i++) {
		if (!(s->begun >> i & 1))
			continue;
		if (s->agreed & saved & 1ull << i)
			stamp_set(ctl, t, i);
		else
			set(t, i, STAMP_UNKNOWN);
	}
	*s = (struct stamps){};
}
