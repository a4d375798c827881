// SPDX-License-Identifier: GPL-2.0-or-later

/* Whether the state directory is another one: see statedir.h. */

#include "statedir.h"

#include <string.h>
#include <sys/stat.h>

#include "kernel/mounts.h"
#include "log/log.h"

static void find_missing(struct statedir *s, const char *path)
{
	char missing[PATH_MAX] = "";

	(void) mounts_find_missing(MOUNTS_FSTAB, path, missing, sizeof(missing));
	if (missing[0] && strcmp(missing, s->missing) != 0)
		(void) log_warning(0, "'%s' is not mounted, though " MOUNTS_FSTAB " has it: the lists in '%s' are not active until it is "
				      "mounted", missing, path);
	memcpy(s->missing, missing, sizeof(missing));
}

void statedir_note(struct statedir *s, const char *path)
{
	struct stat st = {};

	(void) stat(path, &st); /* stays 0: there is none */
	s->dev = st.st_dev;
	s->inode = st.st_ino;
	find_missing(s, path);
}

bool statedir_has_changed(struct statedir *s, const char *path)
{
	struct stat st = {};

	find_missing(s, path);
	(void) stat(path, &st);
	return st.st_dev != s->dev || st.st_ino != s->inode;
}
