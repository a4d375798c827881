// SPDX-License-Identifier: GPL-2.0-or-later

/* Is the pin directory fit for use? See pindir.h. */

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "kernel/pins.h"
#include "load/pindir.h"
#include "log/log.h"

/* Is what dir is to be made in on a bpffs? mkdir() does not ask. */
static int check_parent(const char *dir)
{
	char path[PATH_MAX];
	char *slash;

	(void) snprintf(path, sizeof(path), "%s", dir);
	slash = strrchr(path, '/');
	if (!slash)
		strcpy(path, ".");
	else
		slash[slash == path ? 1 : 0] = '\0';
	return pins_check_fs(path);
}

/* A bpffs refuses names with dots, in the same words in which it would refuse us. */
static bool has_dot(const char *dir)
{
	const char *slash = strrchr(dir, '/');

	return strchr(slash ? slash : dir, '.');
}

static int explain_pin_dir(const char *pin_dir, int r)
{
	switch (r) {
	case -ENODEV:
		return log_error(r, "'%s' is not on a bpffs: run 'mount -t bpf bpf /sys/fs/bpf', or give a --pin-dir "
				    "below a bpffs", pin_dir);
	case -EPERM:
		return log_error(r, "'%s' belongs to another user or others may write to it, its pins cannot be "
				    "trusted: remove it, or make it root's with mode 0700", pin_dir);
	case -ENOTDIR:
		return log_error(r, "'%s' exists and is not a directory: remove it", pin_dir);
	case -EDOM:
		return log_error(r, "Cannot create '%s': a bpffs takes no names with dots", pin_dir);
	case -ENOENT:
		return log_error(r, "Cannot create '%s': the directory above it does not exist", pin_dir);
	case -EACCES:
		return log_error(r, "Cannot create or read '%s': no permission; it must belong to the user of this "
				    "program (see tmpfiles.d(5))", pin_dir);
	case -EROFS:
		return log_error(r, "Cannot create '%s': read-only here, the unit needs ReadWritePaths= for it",
				 pin_dir);
	default:
		return log_error(r, "Cannot use the pin directory '%s': %m", pin_dir);
	}
}

int pindir_prepare(const char *pin_dir)
{
	int r;

	r = has_dot(pin_dir) ? -EDOM : pins_check_dir(pin_dir);
	if (r == -ENOENT)
		r = check_parent(pin_dir);
	if (r >= 0)
		r = pins_make_dir(pin_dir);
	if (r < 0)
		return explain_pin_dir(pin_dir, r);
	return 0;
}
