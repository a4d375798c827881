// SPDX-License-Identifier: GPL-2.0-or-later

/* Taking, keeping and leaving a place among the watchers: see viewer.h. */

#include "verbs/viewer.h"

#include <errno.h>

#include "base/cleanup.h"
#include "kernel/pins.h"
#include "output/output.h"
#include "session.h"
#include "state/writerlock.h"

static int take_locked(struct viewer *v)
{
	const struct fw_watcher want = { .watch = v->what, .budget = 1 };
	int r;

	r = watch_take(v->watch, &want, -1, WATCH_LEASE_NS);
	if (r < 0 || v->what != FW_WATCH_SEEN)
		return r;
	r = watch_open_seen(v->watch, VIEWER_ADDRESSES);
	if (r < 0)
		return r;
	closep(&v->seen_fd);
	v->seen_fd = r;
	return 0;
}

int viewer_fail_busy(struct ctl *ctl)
{
	return output_fail(ctl, EXIT_FULL,
			   "%d others are watching, more cannot: end one; those that were killed make room in a "
			   "few seconds",
			   FW_WATCHERS_MAX - 1); /* and the daemon */
}

int viewer_check(struct ctl *ctl, struct watch *watch)
{
	int r = watch_check(watch);

	if (r == -ENOENT || r == -ESTALE)
		return output_fail(ctl, EXIT_NOT_LOADED, "The firewall was %s",
				   r == -ENOENT ? "unloaded meanwhile: 'systemctl start ebpf-fw' loads it" :
						  "loaded anew meanwhile: start again");
	return r;
}

/* Returns an exit status, and has reported. */
static int take(struct viewer *v)
{
	_cleanup_(session_unlock) int lock = -1;
	int status, r;

	status = session_lock(v->ctl, NULL, &lock);
	if (status != EXIT_DONE)
		return status;
	r = take_locked(v);
	if (r == -EBUSY)
		return viewer_fail_busy(v->ctl);
	if (r < 0) {
		errno = -r;
		return output_fail(v->ctl, r == -EPERM || r == -EACCES ? EXIT_PERMISSION : EXIT_NO,
				   "Cannot look into the kernel: %m; 'fwctl doctor' looks for the cause");
	}
	return EXIT_DONE;
}

int viewer_begin(struct viewer *v, struct ctl *ctl, enum fw_watch what)
{
	int r;

	*v = (struct viewer){ .ctl = ctl, .what = what, .seen_fd = -1 };
	r = pins_check_dir(ctl->pin_dir);
	if (r == 0)
		r = watch_open(ctl->pin_dir, &v->watch);
	return r < 0 ? session_explain(ctl, r) : take(v);
}

int viewer_renew(void *userdata)
{
	struct viewer *v = userdata;
	int r;

	r = viewer_check(v->ctl, v->watch);
	if (r == 0)
		r = watch_renew(v->watch, WATCH_LEASE_NS);
	if (r != -ESTALE)
		return r;
	watch_release(v->watch);
	v->is_anew = true;
	return take(v);
}

/* The last one to leave frees the map of addresses. If another process has the lock, the daemon or the next one does. */
void viewer_end(struct viewer *v)
{
	_cleanup_(writerlock_releasep) int lock = -1;

	if (!v->watch)
		return;
	watch_release(v->watch);
	if (v->what == FW_WATCH_SEEN && writerlock_try(v->ctl->run_dir, "fwctl", &lock) == 0)
		(void) watch_sweep(v->watch);
	closep(&v->seen_fd);
	v->watch = watch_free(v->watch);
}
