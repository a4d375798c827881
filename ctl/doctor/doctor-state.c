// SPDX-License-Identifier: GPL-2.0-or-later

/* The doctor's checks of what lives: is it loaded, does the daemon run, will it after a boot, can its files be read? */

#include "doctor/doctor.h"

#include <errno.h>
#include <fnmatch.h>
#include <fts.h>
#include <glob.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "inspect/attachment.h"
#include "inspect/presence.h"
#include "kernel/mounts.h"
#include "kernel/pins.h"
#include "log/log.h"
#include "state/writerlock.h"

#define NAME_TEXT_MAX (FW_LIST_NAME_MAX * 4)

int doctor_check_loaded(struct doctor *d)
{
	bool is_running = presence_daemon_pid(d->ctl) > 0;
	const char *start = is_running ? "wait for the daemon, which is just starting or pins in a bpffs that was mounted again; then "
					 "systemctl restart ebpf-fw"
				       : "systemctl start ebpf-fw";

	if (d->table && strcmp(table_meta(d->table)->version, FW_VERSION) != 0)
		doctor_say(d, LEVEL_NOTE, "systemctl restart ebpf-fw", "loaded by version %s, this is %s",
			   table_meta(d->table)->version, FW_VERSION);
	else if (d->table)
		doctor_say(d, LEVEL_OK, NULL, "version %s", FW_VERSION);
	else if (d->error == -ENOENT && presence_sees_bpffs(d->ctl) && attachment_count_orphans(d->ctl) > 0)
		doctor_say(d, LEVEL_PROBLEM, "see the check 'orphans' below before you start it",
			   "no firewall is loaded that can be reached, and programs of one judge packets");
	else if (d->error == -ENOENT && presence_sees_bpffs(d->ctl))
		doctor_say(d, LEVEL_PROBLEM, start, "the firewall is not loaded, its lists decide nothing");
	else if (d->error == -ENOENT || d->error == -ENODEV)
		doctor_say(d, LEVEL_PROBLEM, "mount -t bpf bpf /sys/fs/bpf, or look in the right mount namespace",
			   "no bpffs is visible around '%s'", d->ctl->pin_dir);
	else if (d->error == -EPROTO)
		doctor_say(d, LEVEL_PROBLEM, "systemctl restart ebpf-fw", "loaded by another version than this one");
	else
		doctor_say(d, LEVEL_PROBLEM, "systemctl restart ebpf-fw, which pins what is missing",
			   "the maps in '%s' cannot be opened: %s", d->ctl->pin_dir, strerror(-d->error));
	return 0;
}

/* How often systemd wants to hear of a process, from its environment; 0 = never. */
static uint64_t watchdog_usec(int pid)
{
	_cleanup_fclose_ FILE *f = NULL;
	_cleanup_free_ char *word = NULL;
	char path[PATH_MAX];
	size_t allocated = 0;
	uint64_t usec;

	(void) snprintf(path, sizeof(path), "/proc/%d/environ", pid);
	f = fopen(path, "re");
	while (f && getdelim(&word, &allocated, '\0', f) > 0)
		if (sscanf(word, "WATCHDOG_USEC=%" SCNu64, &usec) == 1)
			return usec;
	return 0;
}

int doctor_check_daemon(struct doctor *d)
{
	int pid = presence_daemon_pid(d->ctl);
	uint64_t usec;

	if (pid == 0) {
		doctor_say(d, LEVEL_WARNING, "systemctl start ebpf-fw",
			   d->table ? "it does not run: filtering goes on, but nobody attaches to new interfaces, puts "
				      "back what others remove, or reports" :
				      "it does not run");
		return 0;
	}
	usec = watchdog_usec(pid);
	if (usec > 0)
		doctor_say(d, LEVEL_OK, NULL, "process %d runs, and systemd restarts it if it says nothing for %" PRIu64 " s",
			   pid, usec / USEC_PER_SEC);
	else
		doctor_say(d, LEVEL_NOTE, "systemctl start ebpf-fw, where there is systemd",
			   "process %d runs, and nobody restarts it if it hangs", pid);
	return 0;
}

int doctor_check_boot(struct doctor *d)
{
	glob_t found = {};

	if (strcmp(d->ctl->pin_dir, PINS_DIR_DEFAULT) != 0)
		return 0; /* a second firewall in addition to that of the host, with a starter of its own */
	if (access("/run/systemd/system", F_OK) < 0) {
		doctor_say(d, LEVEL_NOTE, "start ebpf-fwd from what starts this machine",
			   "systemd does not run here, so nothing starts the firewall at boot");
		return 0;
	}
	if (glob("/etc/systemd/system/*.wants/ebpf-fw.service", 0, NULL, &found) == 0)
		doctor_say(d, LEVEL_OK, NULL, "ebpf-fw.service is enabled");
	else
		doctor_say(d, LEVEL_WARNING, "systemctl enable ebpf-fw",
			   "ebpf-fw.service is not enabled: after the next boot nothing is filtered");
	globfree(&found);
	return 0;
}

/* A writer that has begun and does not hold the lock was killed, or has failed to undo its change. */
int doctor_check_changes(struct doctor *d)
{
	int lock = -1, r;

	if (!table_is_damaged(d->table)) {
		doctor_say(d, LEVEL_OK, NULL, "every change was completed");
		return 0;
	}
	r = writerlock_try(d->ctl->run_dir, "fwctl doctor", &lock);
	if (r == -EBUSY)
		doctor_say(d, LEVEL_OK, NULL, "a command is changing entries at this moment");
	else if (r < 0)
		return r;
	else if (table_is_damaged(d->table)) /* not completed since */
		doctor_say(d, LEVEL_PROBLEM,
			   presence_daemon_pid(d->ctl) ? "the daemon completes it within 5 seconds" :
							"systemctl start ebpf-fw completes it, or any command that changes an entry",
			   "a command was interrupted while it changed entries, and packets may be judged by a part of the change");
	writerlock_release(lock);
	return 0;
}

struct files {
	struct doctor *doctor;
	size_t n_files;
	size_t n_entries;
};

static void say_mistakes(struct doctor *d, const char *name, const struct list *l)
{
	const struct list_mistakes *m = &l->mistakes;

	for (size_t i = 0; i < m->n && i < LIST_MISTAKES_SHOWN; i++)
		doctor_say(d, LEVEL_PROBLEM, "correct '%s/lists/%s" LIST_SUFFIX "', then systemctl restart ebpf-fw",
			   "list '%s', line %zu: %s; the line counts for nothing", name, m->first[i].line, m->first[i].error);
	if (m->n > LIST_MISTAKES_SHOWN)
		doctor_say(d, LEVEL_PROBLEM, NULL, "list '%s': %zu more lines make no sense", name, m->n - LIST_MISTAKES_SHOWN);
	if (m->is_action_unclear)
		doctor_say(d, LEVEL_PROBLEM, "correct action= in its first line, then systemctl restart ebpf-fw",
			   "list '%s': nothing says whether it blocks or allows, so none of it is restored", name);
}

static int check_file(const char *name, void *userdata)
{
	_cleanup_(list_freep) struct list *l = NULL;
	struct files *f = userdata;
	int r;

	r = listfile_read(f->doctor->ctl->state_dir, name, &l);
	if (r == -ENOMEM)
		return r;
	if (r == -EBADMSG)
		doctor_say(f->doctor, LEVEL_PROBLEM, "remove it: at its next start the daemon moves it aside",
			   "list '%s': its file is not a regular file", name);
	else if (r < 0)
		doctor_say(f->doctor, LEVEL_PROBLEM, NULL, "list '%s' cannot be read: %s", name, strerror(-r));
	else if (l->is_torn)
		doctor_say(f->doctor, LEVEL_WARNING, "put in again what is missing",
			   "list '%s': the last line has no end and counts for nothing", name);
	if (r >= 0) {
		say_mistakes(f->doctor, name, l);
		f->n_files++;
		f->n_entries += l->n_items;
	}
	return 0;
}

/* Files that the daemon has moved aside; nothing else reports them later. */
static int find_set_aside(struct doctor *d)
{
	char path[PATH_MAX], escaped[PATH_MAX];
	char *roots[] = { path, NULL };
	FTSENT *entry;
	FTS *tree;

	(void) snprintf(path, sizeof(path), "%s/lists", d->ctl->state_dir);
	tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
	if (!tree)
		return -errno;
	while ((entry = fts_read(tree)))
		if (entry->fts_info == FTS_F && fnmatch("*" LIST_SUFFIX ".bad-*", entry->fts_name, 0) == 0)
			doctor_say(d, LEVEL_WARNING, "mend it and give it its name back before the next start, or delete it",
				   "'%s' could not be read and was moved aside",
				   log_escape(entry->fts_path, escaped, sizeof(escaped)));
	(void) fts_close(tree);
	return 0;
}

/* Is it where a reboot finds it again, and can it be written to? */
static void check_state_dir(struct doctor *d)
{
	char point[PATH_MAX], action[PATH_MAX + 64];
	struct statvfs mount;
	struct statfs fs;

	if (mounts_find_missing(MOUNTS_FSTAB, d->ctl->state_dir, point, sizeof(point)) > 0) {
		(void) snprintf(action, sizeof(action), "mount '%s': the daemon reads the lists there within seconds", point);
		doctor_say(d, LEVEL_PROBLEM, action, "'%s' is not mounted, though " MOUNTS_FSTAB " has it: the lists on it are not active, "
			   "and changes are lost when it is mounted", point);
	}
	if (statvfs(d->ctl->state_dir, &mount) == 0 && mount.f_flag & ST_RDONLY)
		doctor_say(d, LEVEL_WARNING, "mount it read-write; until then use --runtime",
			   "'%s' is read-only: nothing that is changed now outlives a reboot", d->ctl->state_dir);
	if (statfs(d->ctl->state_dir, &fs) < 0)
		return;
	if (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC)
		doctor_say(d, LEVEL_NOTE, "mount a disk there", "'%s' is in memory: nothing in it outlives a reboot", d->ctl->state_dir);
	else if (fs.f_type == OVERLAYFS_SUPER_MAGIC)
		doctor_say(d, LEVEL_NOTE, "look where its upper directory is",
			   "'%s' is on an overlay: where that is in memory (overlayroot, live systems), nothing outlives a reboot",
			   d->ctl->state_dir);
}

int doctor_check_files(struct doctor *d)
{
	struct files f = { .doctor = d };
	int r;

	check_state_dir(d);

	if (access(d->ctl->state_dir, R_OK | X_OK) < 0) {
		doctor_say(d, LEVEL_PROBLEM, "make it, for root alone, or give --state-dir",
			   "'%s' cannot be read: %m; nothing is restored at boot", d->ctl->state_dir);
		return 0;
	}
	r = listfile_foreach(d->ctl->state_dir, check_file, &f);
	if (r < 0 && r != -ENOENT)
		return r;
	doctor_say(d, LEVEL_OK, NULL, "%zu list files in '%s', %zu entries", f.n_files, d->ctl->state_dir, f.n_entries);
	return r == -ENOENT ? 0 : find_set_aside(d);
}
