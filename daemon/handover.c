// SPDX-License-Identifier: GPL-2.0-or-later

/* From one bpffs to another, over a restart: see handover.h. */

#include "handover.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "base/cleanup.h"
#include "kernel/mounts.h"
#include "kernel/pins.h"
#include "log/log.h"

#define NAME "pins" /* of the descriptor that systemd keeps */
#define META "meta"

struct copy {
	const char *from;
	const char *to;
	bool is_top; /* whose meta comes last: it vouches for the rest */
};

static int copy_dir(const char *from, const char *to, bool is_top);

static int join(char path[static PATH_MAX], const char *dir, const char *name)
{
	int n = snprintf(path, PATH_MAX, "%s/%s", dir, name);

	return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

static int copy_pin(const char *from, const char *to, const char *name)
{
	_cleanup_close_ int fd = pins_open(from, name);

	return fd < 0 ? fd : pins_put(to, name, fd);
}

/* For pins_foreach(). */
static int copy_entry(const char *name, void *userdata)
{
	char from[PATH_MAX], to[PATH_MAX];
	const struct copy *c = userdata;
	int r;

	if (c->is_top && strcmp(name, META) == 0)
		return 0;
	r = copy_pin(c->from, c->to, name);
	if (r != -EPROTO) /* which is a directory */
		return r;
	r = join(from, c->from, name);
	if (r >= 0)
		r = join(to, c->to, name);
	if (r < 0)
		return r;
	return mkdir(to, 0700) < 0 && errno != EEXIST ? -errno : copy_dir(from, to, false);
}

static int copy_dir(const char *from, const char *to, bool is_top)
{
	struct copy c = { .from = from, .to = to, .is_top = is_top };

	return pins_foreach(from, ".", copy_entry, &c);
}

/* For pins_foreach(). What stays costs memory in a hidden bpffs. */
static int remove_entry(const char *name, void *userdata)
{
	const char *dir = userdata;
	char path[PATH_MAX];

	if (pins_remove(dir, name) >= 0 || join(path, dir, name) < 0)
		return 0;
	(void) pins_foreach(path, ".", remove_entry, path);
	(void) rmdir(path);
	return 0;
}

static int move_pins(const char *from, const char *pin_dir)
{
	int r;

	r = copy_dir(from, pin_dir, true);
	if (r >= 0)
		r = copy_pin(from, pin_dir, META);
	if (r < 0)
		return log_error(r, "Cannot pin in '%s' what is pinned in the bpffs before: %m", pin_dir);
	(void) pins_foreach(from, ".", remove_entry, (void *)from);
	log_notice("A bpffs was mounted around '%s': pinned there what was pinned in the one before", pin_dir);
	return 0;
}

static int take_from(int fd, const char *pin_dir)
{
	char from[sizeof("/proc/self/fd/-2147483648/.")];
	struct stat was, is;

	(void) snprintf(from, sizeof(from), "/proc/self/fd/%d/.", fd);
	if (fstat(fd, &was) < 0 || stat(pin_dir, &is) < 0 || (was.st_dev == is.st_dev && was.st_ino == is.st_ino))
		return 0;
	if (pins_check_dir(from) < 0 || !pins_exists(from, META))
		return 0;
	if (pins_exists(pin_dir, META)) {
		(void) log_warning(0, "A bpffs was mounted around '%s', in which another firewall is pinned: that goes on, and what "
				      "was pinned before is given up", pin_dir);
		return 0;
	}
	return move_pins(from, pin_dir);
}

int handover_take(const char *pin_dir)
{
	char **names = NULL;
	int n, r = 0;

	n = sd_listen_fds_with_names(true, &names);
	for (int i = 0; i < n; i++) {
		if (r >= 0 && strcmp(names[i], NAME) == 0)
			r = take_from(SD_LISTEN_FDS_START + i, pin_dir);
		(void) close(SD_LISTEN_FDS_START + i);
		free(names[i]);
	}
	free(names);
	return r;
}

/* systemd from 254 on says so, and our unit before. */
static bool is_stored(const struct handover *h)
{
	return getenv("FDSTORE") && h->dev != 0;
}

void handover_store(struct handover *h, const char *pin_dir)
{
	_cleanup_close_ int fd = -1; /* not the one with our lock, which would last as long as systemd has it */
	struct stat st;

	fd = open(pin_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &st) < 0 || (h->dev == st.st_dev && h->inode == st.st_ino))
		return;
	h->dev = h->inode = 0;
	(void) sd_notify(0, "FDSTOREREMOVE=1\nFDNAME=" NAME);
	if (sd_pid_notify_with_fds(0, 0, "FDSTORE=1\nFDNAME=" NAME, &fd, 1) <= 0)
		return; /* no systemd is there */
	h->dev = st.st_dev;
	h->inode = st.st_ino;
}

/* For mounts_foreach(). */
static int note_mount(const struct mount *m, void *userdata)
{
	struct handover *h = userdata;
	int *mounts;

	if (strcmp(m->type, "bpf") != 0)
		return 0;
	mounts = reallocarray(h->mounts, h->n_mounts + 1, sizeof(*mounts));
	if (!mounts)
		return -ENOMEM;
	h->mounts = mounts;
	h->mounts[h->n_mounts++] = m->id;
	return 0;
}

int handover_begin(struct handover *h)
{
	return mounts_foreach(note_mount, h);
}

void handover_done(struct handover *h)
{
	free(h->mounts);
	*h = (struct handover){};
}

struct search {
	const struct handover *h;
	const char *pin_dir;
	dev_t dev;
};

/* For mounts_foreach(): -EEXIST for a bpffs that is not the one with the pin directory. */
static int find_mount(const struct mount *m, void *userdata)
{
	const struct search *s = userdata;

	if (strcmp(m->type, "bpf") != 0 || m->is_read_only || m->dev == s->dev || !mounts_is_below(s->pin_dir, m->point))
		return 0;
	for (size_t n = 0; n < s->h->n_mounts; n++)
		if (s->h->mounts[n] == m->id)
			return 0;
	return -EEXIST;
}

bool handover_is_due(struct handover *h, const char *pin_dir)
{
	struct search s = { .h = h, .pin_dir = pin_dir };
	struct stat st;

	if (stat(pin_dir, &st) < 0)
		return false;
	s.dev = st.st_dev;
	if (mounts_foreach(find_mount, &s) != -EEXIST)
		return false;
	if (is_stored(h)) {
		log_notice("A bpffs was mounted around '%s': starting again to pin there, filtering goes on", pin_dir);
		return true;
	}
	if (!h->is_told)
		(void) log_warning(0, "A bpffs was mounted around '%s' that is hidden from us: fwctl does not see what is pinned, until "
				      "we are started again in its mount namespace", pin_dir);
	h->is_told = true;
	return false;
}
