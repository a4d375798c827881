// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * The steps most verbs begin with: parse targets, open the pinned tables, take the writer lock,
 * find a list; and the sentence for each way in which that fails.
 */

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/vfs.h>

#include "base/cleanup.h"
#include "guard/guard.h"
#include "inspect/attachment.h"
#include "inspect/presence.h"
#include "kernel/mounts.h"
#include "kernel/pins.h"
#include "kernel/tick.h"
#include "log/log.h"
#include "output/output.h"
#include "session.h"
#include "state/writerlock.h"
#include "text/duration.h"

#define ARGUMENT_TEXT_MAX 256

static int compare(const void *a, const void *b)
{
	return target_compare(a, b);
}

int session_parse_targets(struct ctl *ctl, int argc, char **argv, struct targets *targets)
{
	char escaped[ARGUMENT_TEXT_MAX], text[TARGET_TEXT_MAX];
	const char *error;
	int r;

	for (int i = 0; i < argc; i++) {
		r = targets_parse(targets, argv[i], strlen(argv[i]), &error);
		if (r == -ENOMEM)
			return output_fail(ctl, EXIT_NO, "Out of memory: use a prefix, or 'fwctl load' for many");
		if (r < 0)
			return output_fail(ctl, EXIT_USAGE, "'%s': %s",
					   log_escape(argv[i], escaped, sizeof(escaped)), error);
	}

	/* only now that nothing is wrong: an error is one line */
	for (int i = 0; i < argc && targets->n_masked > 0; i++) {
		_cleanup_(targets_done) struct targets one = {};

		if (targets_parse(&one, argv[i], strlen(argv[i]), &error) == 0 && one.n_masked > 0)
			output_note(ctl, "%s means %s", argv[i],
				    target_format(&one.items[0], text));
	}
	qsort(targets->items, targets->n_items, sizeof(*targets->items), compare);
	return EXIT_DONE;
}

static int explain_version(struct ctl *ctl)
{
	char escaped[sizeof(((struct fw_meta *)NULL)->version) * 4];
	struct fw_meta meta = {};

	(void) pins_read_meta(ctl->pin_dir, &meta); /* fills in what it can, the rest stays empty */
	meta.version[sizeof(meta.version) - 1] = '\0';
	return output_fail(ctl, EXIT_NOT_LOADED,
			   "The firewall was loaded by another version (%s, maps %u; this is %s, maps %u): "
			   "systemctl restart ebpf-fw",
			   log_escape(meta.version[0] ? meta.version : "unknown", escaped, sizeof(escaped)),
			   meta.abi_version, FW_VERSION, FW_ABI_VERSION);
}

/* A command that waits for the lock sees the end of an upgrade. If it still sees one under way, that daemon is dead. */
static int explain_upgrade(struct ctl *ctl)
{
	return output_fail(ctl, EXIT_NOT_LOADED,
			   "An upgrade is under way, or was interrupted: repeat it in a moment, and if that does not "
			   "help, 'systemctl restart ebpf-fw' completes the upgrade");
}

int session_explain(struct ctl *ctl, int error)
{
	size_t n_orphans;
	int pid;

	if ((error == -ENOENT || error == -EPROTO) && pins_is_upgrading(ctl->pin_dir))
		return explain_upgrade(ctl);
	if (error == -ENODEV || (error == -ENOENT && !presence_sees_bpffs(ctl)))
		return output_fail(ctl, EXIT_NOT_LOADED,
				   "No bpffs is visible around '%s' in this mount namespace: "
				   "'ip netns exec' hides it, use 'nsenter --net=/run/netns/NAME'; "
				   "else mount -t bpf bpf /sys/fs/bpf",
				   ctl->pin_dir);

	switch (error) {
	case -ENOENT:
		pid = presence_daemon_pid(ctl);
		if (pid > 0) /* the mount namespace of the unit still has the bpffs from before */
			return output_fail(ctl, EXIT_NOT_LOADED,
					   "The daemon runs (pid %d), and its pins are not in '%s': it is just starting, or the bpffs "
					   "was mounted again, and it pins there within seconds; if not, systemctl restart ebpf-fw",
					   pid, ctl->pin_dir);
		n_orphans = attachment_count_orphans(ctl);
		if (n_orphans > 0)
			return output_fail(ctl, EXIT_NOT_LOADED,
					   "No firewall is loaded that can be reached, but %zu programs of one are attached without a "
					   "pin that can be seen: they judge packets; 'fwctl doctor' names them and says what to do",
					   n_orphans);
		return output_fail(ctl, EXIT_NOT_LOADED,
				   "The firewall is not loaded: systemctl start ebpf-fw");
	case -EPROTO:
		return explain_version(ctl);
	case -EACCES:
	case -EPERM:
		if (geteuid() == 0 && pins_check_dir(ctl->pin_dir) == -EPERM)
			return output_fail(ctl, EXIT_PERMISSION,
					   "'%s' belongs to somebody else, or others may write to it, so "
					   "nothing in it is trusted: look who made it, remove it, then "
					   "systemctl restart ebpf-fw",
					   ctl->pin_dir);
		return output_fail(ctl, EXIT_PERMISSION, "No permission to use '%s': run as root",
				   ctl->pin_dir);
	default:
		errno = -error;
		return output_fail(ctl, EXIT_NO, "Cannot open the firewall's maps in '%s': %m; 'fwctl doctor' looks for the cause",
				   ctl->pin_dir);
	}
}

int session_open(struct ctl *ctl, struct table **ret)
{
	int r;

	r = pins_check_dir(ctl->pin_dir);
	if (r < 0)
		return session_explain(ctl, r);

	r = table_open(ctl->pin_dir, ret);
	if (r < 0)
		return session_explain(ctl, r);
	return EXIT_DONE;
}

/* What was opened before the lock may be maps that nothing reads any more. */
static int check_table(struct ctl *ctl, struct table *t)
{
	struct fw_meta meta;
	int r;

	if (table_is_current(t))
		return EXIT_DONE;
	if (pins_is_upgrading(ctl->pin_dir))
		return explain_upgrade(ctl);
	r = pins_read_meta(ctl->pin_dir, &meta);
	if (r < 0)
		return session_explain(ctl, r);
	return output_fail(ctl, EXIT_NO, "The firewall was loaded anew meanwhile, nothing was changed: repeat it");
}

/* Tells a waiting user which process holds the lock. */
static void tell_holder(const struct writerlock_holder *holder, void *userdata)
{
	char text[WRITERLOCK_TEXT_MAX];
	struct ctl *ctl = userdata;

	if (!ctl->has_told_holder)
		output_note(ctl, "waiting for the writer lock, held by %s", writerlock_format(holder, text));
	ctl->has_told_holder = true;
}

static int fail_busy(struct ctl *ctl)
{
	char text[WRITERLOCK_TEXT_MAX], duration[DURATION_TEXT_MAX];
	struct writerlock_holder holder;

	writerlock_holder(ctl->run_dir, &holder);
	return output_fail(ctl, EXIT_NO, "The writer lock is held by %s; gave up after %s. Nothing was changed",
			   writerlock_format(&holder, text),
			   ctl->wait_ns > 0 ? duration_format(ctl->wait_ns, duration) : "one try");
}

int session_lock(struct ctl *ctl, struct table *t, int *ret_fd)
{
	_cleanup_(session_unlock) int fd = -1;
	struct writerlock_wait wait = { .limit_ns = ctl->wait_ns, .tell = tell_holder, .userdata = ctl };
	char command[WRITERLOCK_COMMAND_MAX];
	int r;

	(void) snprintf(command, sizeof(command), "fwctl %s", ctl->verb->name);
	r = writerlock_take(ctl->run_dir, command, &wait, &fd);
	if (r == 0)
		log_hold();
	if (r == -EBUSY)
		return fail_busy(ctl);
	if (r == -EINTR)
		return output_fail(ctl, EXIT_NO, "Interrupted while waiting for the writer lock. Nothing was changed");
	if (r == -EACCES || r == -EPERM)
		return output_fail(ctl, EXIT_PERMISSION, "No permission to lock '%s': run as root",
				   ctl->run_dir);
	if (r == -ENOENT)
		return output_fail(ctl, EXIT_NO,
				   "There is no directory to make '%s' in: is --run-dir right? Nothing was changed",
				   ctl->run_dir);
	if (r < 0) {
		errno = -r;
		return output_fail(ctl, EXIT_NO, "Cannot take the writer lock in '%s': %m: nothing was changed",
				   ctl->run_dir);
	}
	r = t ? check_table(ctl, t) : EXIT_DONE;
	if (r == EXIT_DONE)
		*ret_fd = TAKE_FD(fd);
	return r;
}

void session_unlock(int *fd)
{
	if (*fd < 0)
		return;
	writerlock_release(TAKE_FD(*fd));
	log_release();
}

/* What is saved now is below the mount point, and hidden once the mount is there. */
static void note_missing_mount(struct ctl *ctl)
{
	char point[PATH_MAX];

	if (!ctl->is_runtime && !ctl->is_dry_run && mounts_find_missing(MOUNTS_FSTAB, ctl->state_dir, point, sizeof(point)) > 0)
		output_note(ctl, "'%s' is not mounted, though " MOUNTS_FSTAB " has it: what is saved now is hidden when it is mounted, and "
				 "gone at the next boot", point);
}

int session_begin(struct ctl *ctl, struct table *t, struct session_writer *ret)
{
	_cleanup_(session_unlock) int lock_fd = -1;
	int status, r;

	status = session_lock(ctl, t, &lock_fd);
	if (status != EXIT_DONE)
		return status;
	r = table_begin(t, lock_fd, &ret->writer);
	if (r < 0) {
		errno = -r;
		return output_fail(ctl, r == -ENOMEM ? EXIT_FULL : EXIT_NO,
				   "Cannot complete what an interrupted command has begun: %m%s. Nothing was changed; "
				   "'fwctl doctor' looks for the cause", r == -ENOMEM ? OUTPUT_NO_MEMORY : "");
	}
	ret->lock_fd = TAKE_FD(lock_fd);
	note_missing_mount(ctl);
	return EXIT_DONE;
}

void session_end(struct session_writer *s)
{
	s->writer = table_end(s->writer);
	session_unlock(&s->lock_fd);
}

int session_begin_all(struct ctl *ctl, struct table **ret, struct guard *ret_guard, struct session_writer *ret_writer)
{
	int status;

	status = session_open(ctl, ret);
	if (status == EXIT_DONE && ret_guard)
		status = session_load_guard(ctl, ret_guard);
	return status == EXIT_DONE ? session_begin(ctl, *ret, ret_writer) : status;
}

int session_find_list(struct ctl *ctl, struct table *t, const char *name, unsigned *ret_index,
		      struct fw_list *ret)
{
	char escaped[FW_LIST_NAME_MAX * 4];
	int r;

	(void) log_escape(name, escaped, sizeof(escaped));
	if (!list_name_is_valid(name))
		return output_fail(ctl, EXIT_USAGE, LIST_NAME_ERROR, escaped);

	r = table_find_list(t, name, ret);
	if (r == -ENOENT)
		return output_fail(ctl, EXIT_NO,
				   "No list '%s': 'fwctl lists' shows which there are", escaped);
	if (r < 0) {
		errno = -r;
		return output_fail(ctl, EXIT_NO, "Cannot read list '%s': %m; 'fwctl doctor' looks for the cause", escaped);
	}
	*ret_index = r;
	return EXIT_DONE;
}

int session_load_guard(struct ctl *ctl, struct guard *ret)
{
	int r = guard_load(ret);

	if (r == 0)
		return EXIT_DONE;
	errno = -r;
	if (!ctl->is_forced)
		return output_fail(ctl, EXIT_NO,
				   "Cannot tell what this would cut off: %m; "
				   "--force does it without looking");
	output_note(ctl, "cannot tell what this cuts off: %m");
	return EXIT_DONE;
}
