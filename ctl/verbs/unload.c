// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * unload: the one way to switch the firewall off. Detaches and removes what the pin directory proves to be ours, of any
 * version, and nothing else; list files stay. It can be repeated after a crash.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#include "base/cleanup.h"
#include "change/journal.h"
#include "hook/netns-filtered.h"
#include "hook/ownqdiscs.h"
#include "inspect/attachment.h"
#include "inspect/presence.h"
#include "kernel/netns.h"
#include "kernel/pins.h"
#include "output/output.h"
#include "session.h"
#include "verbs.h"

#define NAME_TEXT_MAX 256

struct unload {
	struct ctl *ctl;
	const char *part; /* being removed */
	size_t n_detached;
};

static int refuse(struct ctl *ctl)
{
	return output_fail(ctl, EXIT_NO,
			   "ebpf-fwd is running and would put everything back, stop it first: "
			   "systemctl stop ebpf-fw");
}

/*
 * A daemon holds this lock on the pin directory as long as it runs, with any run directory. While we hold it, none can
 * start.
 */
static int lock_out_daemon(struct ctl *ctl, int *ret_fd)
{
	_cleanup_close_ int fd = -1;

	fd = open(ctl->pin_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return session_explain(ctl, -errno);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK)
			return refuse(ctl);
		return output_fail(ctl, EXIT_NO, "Cannot lock '%s': %m", ctl->pin_dir);
	}
	*ret_fd = TAKE_FD(fd);
	return EXIT_DONE;
}

static int detach(const struct attachment *a, void *userdata)
{
	struct unload *u = userdata;
	int r;

	r = attachment_detach(u->ctl->pin_dir, a);
	if (r == 0 && a->is_live)
		u->n_detached++;
	return r;
}

static int remove_pin(const char *name, void *userdata)
{
	const struct unload *u = userdata;
	char path[NAME_TEXT_MAX];

	(void) snprintf(path, sizeof(path), "%s/%s", u->part, name);
	return pins_remove(u->ctl->pin_dir, path);
}

/* For pins_foreach(): what an upgrade has left. */
static int remove_set(const char *name, void *userdata)
{
	const struct unload *u = userdata;
	char path[PATH_MAX];

	if (strcmp(name, PINS_FILLING) != 0 && strncmp(name, PINS_NEXT, strlen(PINS_NEXT)) != 0)
		return 0;
	(void) snprintf(path, sizeof(path), "%s/%s", u->ctl->pin_dir, name);
	return pins_remove_set(path);
}

/*
 * Programs go after the links: they prove which clsact filters are ours, should this have to be
 * repeated.
 */
static int remove_pins(struct unload *u)
{
	static const char *const parts[] = { "links", "progs", "maps" };
	char path[PATH_MAX];
	int r;

	for (size_t i = 0; i < ELEMENTSOF(parts); i++) {
		u->part = parts[i];
		r = pins_foreach(u->ctl->pin_dir, u->part, remove_pin, u);
		if (r < 0 && r != -ENOENT)
			return r;
		(void) snprintf(path, sizeof(path), "%s/%s", u->ctl->pin_dir, u->part);
		if (rmdir(path) < 0 && errno != ENOENT)
			return -errno;
	}

	r = pins_foreach(u->ctl->pin_dir, ".", remove_set, u);
	if (r >= 0)
		r = pins_remove(u->ctl->pin_dir, "meta-new"); /* of a daemon that was killed */
	if (r >= 0)
		r = pins_remove(u->ctl->pin_dir, "meta");
	if (r < 0)
		return r;
	return rmdir(u->ctl->pin_dir) < 0 ? -errno : 0;
}

static int count(const struct attachment *a, void *userdata)
{
	size_t *n = userdata;

	(*n)++;
	return 0;
}

/*
 * Pins that were removed while no daemon ran, or that another mount hides, prove nothing, and what they proved stays
 * attached. As far as is known, only ours have this place and name. A user that passes --force takes that for proof.
 */
static int remove_orphans(struct unload *u)
{
	size_t n = 0;
	int r;

	r = attachment_foreach_orphan(u->ctl, u->ctl->is_forced ? detach : count,
				      u->ctl->is_forced ? (void *)u : &n);
	if (r == -EPERM) {
		output_note(u->ctl, "only root may look for programs without pins: if there are any, they go on judging packets");
		r = 0;
	}
	if (r < 0) {
		errno = -r;
		return output_fail(u->ctl, EXIT_NO, "Cannot look for programs without pins: %m");
	}
	if (n > 0)
		return output_fail(u->ctl, EXIT_NO,
				   "%zu programs are named and placed like ours, but no pin that can be seen proves it: they go on "
				   "judging packets; 'fwctl doctor' names them and says what to do, 'fwctl unload --force' detaches "
				   "them", n);
	return EXIT_DONE;
}

/* Its clsact filters cannot be removed from here, and without its pins nobody knows them for ours. */
static int refuse_from_afar(struct ctl *ctl, const struct fw_meta *meta)
{
	return output_fail(ctl, EXIT_NO,
			   "This firewall filters in another network namespace, net:[%" PRIu64 "]: unload it there (nsenter --net); "
			   "--force does it from here, and leaves clsact filters there", (uint64_t)meta->netns_inode);
}

static int report(struct ctl *ctl, bool was_loaded, size_t n_detached)
{
	_cleanup_json_ json_object *result = json_object_new_object();

	json_object_object_add(result, "result", json_text(was_loaded ? "unloaded" : "absent"));
	json_object_object_add(result, "detached", json_object_new_uint64(n_detached));
	if (!was_loaded)
		return output_result(ctl, result, "nothing is loaded");
	return output_result(ctl, result,
			     "unloaded: %zu programs detached, no packet is filtered any more; "
			     "systemctl start ebpf-fw filters again",
			     n_detached);
}

/* With both locks held. */
static int unload(struct unload *u, bool *ret_was_loaded)
{
	struct ctl *ctl = u->ctl;
	struct fw_meta meta = {};
	bool is_empty;
	int status, r;

	r = pins_read_meta(ctl->pin_dir, &meta);
	if (r >= 0 && !ctl->is_forced && netns_is_other(&meta) && netns_is_filtered(ctl->pin_dir, &meta))
		return refuse_from_afar(ctl, &meta);
	is_empty = r == -ENOENT; /* as tmpfiles.d makes it */
	r = attachment_foreach(ctl->pin_dir, detach, u);
	if (r == 0 && ctl->is_forced) { /* before the qdiscs that hold them */
		r = attachment_foreach_orphan(ctl, detach, u);
		if (r == -EPERM) /* is said later */
			r = 0;
	}
	if (r == 0)
		r = ownqdiscs_remove_all(ctl->pin_dir);
	if (r == 0)
		r = remove_pins(u);
	if (r == -ENOTEMPTY || r == -EEXIST) {
		output_note(ctl, "'%s' stays: something that is not ours is in it", ctl->pin_dir);
		r = 0;
	}
	if (r < 0) {
		errno = -r;
		return output_fail(ctl, r == -EPERM || r == -EACCES ? EXIT_PERMISSION : EXIT_NO,
				   "Cannot unload all of '%s': %m; repeat it", ctl->pin_dir);
	}
	status = remove_orphans(u);
	*ret_was_loaded = !is_empty || u->n_detached > 0;
	if (*ret_was_loaded)
		journal_unloaded(ctl, u->n_detached);
	return status;
}

/* The writer lock first: while we wait for it, a daemon may still start. */
static int lock_and_unload(struct unload *u, bool *ret_was_loaded)
{
	_cleanup_(session_unlock) int writers = -1;
	_cleanup_close_ int daemon = -1;
	int status;

	status = session_lock(u->ctl, NULL, &writers);
	if (status == EXIT_DONE)
		status = lock_out_daemon(u->ctl, &daemon);
	return status == EXIT_DONE ? unload(u, ret_was_loaded) : status;
}

int verb_unload(struct ctl *ctl, int argc, char **argv)
{
	struct unload u = { .ctl = ctl };
	bool was_loaded = false;
	int status, r;

	if (presence_daemon_pid(ctl) > 0) /* also with the pin directory gone: it would come back */
		return refuse(ctl);
	r = pins_check_dir(ctl->pin_dir);
	if (r == -ENOENT && presence_sees_bpffs(ctl)) {
		status = remove_orphans(&u);
		if (status == EXIT_DONE && u.n_detached > 0)
			journal_unloaded(ctl, u.n_detached);
		return status != EXIT_DONE ? status : report(ctl, u.n_detached > 0, u.n_detached);
	}
	if (r < 0)
		return session_explain(ctl, r);

	status = lock_and_unload(&u, &was_loaded);
	return status == EXIT_DONE ? report(ctl, was_loaded, u.n_detached) : status;
}
