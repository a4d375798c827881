// SPDX-License-Identifier: GPL-2.0-or-later

/* See rewrite.h. */

#include "base/rewrite.h"

#include <errno.h>
#include <limits.h>

#include "base/cleanup.h"

int rewrite_file(const char *path, rewrite_fn fn, const void *userdata)
{
	_cleanup_fclose_ FILE *f = NULL;
	char fresh[PATH_MAX];
	int r;

	r = snprintf(fresh, sizeof(fresh), "%s.new", path);
	if (r < 0 || (size_t)r >= sizeof(fresh))
		return -ENAMETOOLONG;
	f = fopen(fresh, "we");
	if (!f)
		return -errno;
	r = fn(f, userdata);
	if (r < 0)
		return r;
	if (fflush(f) == EOF || ferror(f)) /* one check for all that fn has written */
		return -EIO;
	return rename(fresh, path) < 0 ? -errno : 0;
}
