// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * What the daemon does while it runs: keeps what is attached and pinned true to the configuration, reports each window,
 * reads the configuration again. manager-tables.c has what it does to the tables.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "kernel/pins.h"
#include "log/log.h"
#include "manager-internal.h"
#include "report/drops.h"
#include "text/names.h"

#define CHECK_INTERVAL_USEC (5 * USEC_PER_SEC) /* how long somebody's interference may last */
#define TRY_INTERVAL_USEC   (60 * USEC_PER_SEC) /* to leave for a new start, where the configuration is wrong */
#define TIMER_ACCURACY_USEC 10000
#define WALLCLOCK_FAR       (INT64_C(1) << 33) /* Unix seconds, about the latest that the kernel takes */

/* What is attached, what is not and why: for fwctl in meta, for systemctl status in STATUS=. */
static int publish(struct manager *m)
{
	struct fw_meta meta = m->meta;
	char status[4 * FW_TEXT_MAX];
	size_t n;
	int r;

	meta.max_entries = m->config.max_entries;
	meta.configured_at = m->configured_at;
	hooks_describe(m->hooks, &m->config, m->interfaces, &meta);
	if (memcmp(&meta, &m->meta, sizeof(meta)) != 0) {
		r = loader_write_meta(m->loader, &meta);
		if (r < 0)
			return r;
		if (meta.pending[0] && strcmp(meta.pending, m->meta.pending) != 0)
			log_notice("Waiting for interfaces that do not exist yet: %s", meta.pending);
		if (meta.cgroup_ports[0] && strcmp(meta.cgroup_ports, m->meta.cgroup_ports) != 0)
			log_notice("Cgroup '%s': %s", meta.cgroup, meta.cgroup_ports);
		m->meta = meta;
	}

	n = (size_t)snprintf(status, sizeof(status), "Filtering on %zu interfaces (%s",
			     hooks_count_interfaces(m->hooks), mechanism_to_string(meta.tc_mechanism));
	if (m->config.has_xdp)
		n += (size_t)snprintf(status + n, sizeof(status) - n, ", xdp on %zu", hooks_count(m->hooks, FW_HOOK_XDP));
	n += (size_t)snprintf(status + n, sizeof(status) - n, ")");
	if (meta.cgroup[0])
		n += (size_t)snprintf(status + n, sizeof(status) - n, " and cgroup '%s'", meta.cgroup);
	if (meta.pending[0])
		n += (size_t)snprintf(status + n, sizeof(status) - n, "; pending: %s", meta.pending);
	if (meta.failed[0])
		n += (size_t)snprintf(status + n, sizeof(status) - n, "; failed, see the journal");
	if (m->statedir.missing[0])
		(void) snprintf(status + n, sizeof(status) - n, "; PROBLEM: '%.64s' is not mounted, its lists are not active",
				m->statedir.missing);
	else if (m->restored.n_wrong + m->restored.n_missing > 0)
		(void) snprintf(status + n, sizeof(status) - n, "; PROBLEM: %u list files are not restored whole, see "
				"'fwctl doctor'", m->restored.n_wrong + m->restored.n_missing);
	(void) sd_notifyf(0, "STATUS=%s", status); /* no-op outside systemd */
	return 0;
}

/* Said once, until there is an interface: pings and forwarded packets pass the cgroup hook. */
static void warn_if_idle(struct manager *m)
{
	bool wants_interfaces = m->config.has_tc || m->config.has_xdp, was_idle = m->is_idle;
	size_t n_cgroups = hooks_count(m->hooks, FW_HOOK_CGROUP);

	m->is_idle = hooks_count_interfaces(m->hooks) == 0 && (wants_interfaces || n_cgroups == 0);
	if (!m->is_idle || was_idle)
		return;
	if (hooks_are_partial(m->hooks))
		(void) log_warning(0, "No interface is filtered in both directions, some are in one%s; see 'fwctl status'",
				   n_cgroups == 0 ? ", and no cgroup is attached" : "");
	else if (n_cgroups == 0)
		(void) log_warning(0, "Nothing is filtered: no interface is attached, and no cgroup; see 'fwctl status'");
	else
		(void) log_warning(0, "No interface is filtered: only what sockets send and receive is judged, by the cgroup "
				      "hook; see Interfaces= and 'fwctl status'");
}

int manager_sync_hooks(struct manager *m)
{
	static const struct interface loopback = { .name = "lo" };
	bool judges_loopback = config_wants_interface(&m->config, &loopback, false);
	int r;

	/* ports that tc and xdp are to leave go to the cgroup hook before, those that they take over after */
	table_set_scope(m->table, judges_loopback, table_left_ports(m->table) & hooks_may_leave_ports(&m->config));
	r = hooks_sync_interfaces(m->hooks, &m->config, m->interfaces);
	if (r < 0)
		return r;
	table_set_scope(m->table, judges_loopback, hooks_left_ports(m->hooks, &m->config));
	hooks_sync_cgroup(m->hooks, &m->config);
	warn_if_idle(m);
	return publish(m);
}

/* Attaches and detaches by what the kernel says now. What fails has been said, and the next check tries again. */
static void follow_interfaces(struct manager *m)
{
	int r;

	r = interfaces_read(m->interfaces);
	if (r < 0 && r != m->interfaces_error)
		(void) log_warning(r, "Cannot follow the interfaces, trying again at the next check: %m");
	m->interfaces_error = r < 0 ? r : 0;
	(void) manager_sync_hooks(m);
}

static int on_interfaces(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	follow_interfaces(userdata);
	return 0;
}

void manager_check_pins(struct manager *m)
{
	int r;

	r = pins_make_dir(m->options->pin_dir);
	if (r >= 0)
		r = instance_lock_pins(&m->instance, m->options->pin_dir);
	if (r >= 0)
		r = loader_keep_pinned(m->loader);
	if (r > 0)
		(void) log_warning(0, "%d pins of maps and programs in '%s' were removed, put them back", r,
				   m->options->pin_dir);
	else if (r < 0 && r != m->pins_error)
		(void) log_warning(r, "Cannot keep the pins in '%s', filtering goes on as long as we run: %m",
				   m->options->pin_dir);
	m->pins_error = r < 0 ? r : 0;
	if (r >= 0)
		handover_store(&m->handover, m->options->pin_dir);
}

/* LogDrops=, which needs windows. */
unsigned manager_drops_named(const struct manager *m)
{
	return m->config.stats_interval_usec > 0 ? (unsigned)m->config.log_drops : 0;
}

static int on_mounts(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	if (manager_follow_state_dir(userdata))
		(void) publish(userdata);
	return 0;
}

/* The check looks, too: what fails here only costs time. */
static void watch_mounts(struct manager *m)
{
	m->mounts_fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	if (m->mounts_fd >= 0)
		(void) sd_event_add_io(m->event, NULL, m->mounts_fd, EPOLLPRI, on_mounts, m);
}

/* A start that fails for good would end the filtering: systemd keeps the pins only for one that succeeds. */
static bool can_start_again(struct manager *m)
{
	_cleanup_(config_done) struct config config = {};
	uint64_t now = clock_usec(CLOCK_MONOTONIC);

	if (now < m->next_try_usec)
		return false;
	m->next_try_usec = now + TRY_INTERVAL_USEC;
	if (manager_read_config(m->options->config_file, &config) >= 0)
		return true;
	(void) log_warning(0, "Staying as long as the configuration has a mistake: correct it, then the pins go to the bpffs that was "
			      "mounted");
	return false;
}

static int on_check(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct manager *m = userdata;

	manager_check_pins(m);
	hooks_check(m->hooks);
	if (m->pins_error == 0 && handover_is_due(&m->handover, m->options->pin_dir) && can_start_again(m))
		return sd_event_exit(m->event, MANAGER_AGAIN);
	if (manager_follow_state_dir(m))
		(void) publish(m);
	if (m->restored.n_wrong > 0)
		m->restored.n_wrong = restore_count_wrong(m->table);
	follow_interfaces(m);
	manager_tend_table(m);
	if (m->drops)
		drops_tend(m->drops, manager_drops_named(m));
	if (m->config.stats_interval_usec == 0)
		stats_report_lost(m->stats);
	(void) sd_event_source_set_time(source, clock_usec(CLOCK_MONOTONIC) + CHECK_INTERVAL_USEC);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

/* It never expires, but the kernel cancels it when the wall clock is set. */
static int arm_wallclock_timer(const struct manager *m)
{
	const struct itimerspec far = { .it_value.tv_sec = WALLCLOCK_FAR };

	return timerfd_settime(m->wallclock_fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &far, NULL) < 0 ? -errno : 0;
}

static int on_wallclock(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct manager *m = userdata;
	uint64_t n;

	(void) read(fd, &n, sizeof(n)); /* ECANCELED */
	manager_tend_table(m);
	return arm_wallclock_timer(m); /* what fails disables the source; the check looks, too */
}

static int watch_wallclock(struct manager *m)
{
	int r;

	m->wallclock_fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	if (m->wallclock_fd < 0)
		return -errno;
	r = sd_event_add_io(m->event, NULL, m->wallclock_fd, EPOLLIN, on_wallclock, m);
	return r < 0 ? r : arm_wallclock_timer(m);
}

/* From deadline to deadline, so that windows do not drift; after a sleep the missed ones are one. */
static int arm_stats_timer(struct manager *m)
{
	uint64_t start = stats_window_start_usec(m->stats), interval = m->config.stats_interval_usec;
	uint64_t deadline = 0, now = clock_usec(CLOCK_BOOTTIME);

	if (interval == 0)
		return sd_event_source_set_enabled(m->stats_timer, SD_EVENT_OFF);
	(void) sd_event_source_get_time(m->stats_timer, &deadline);
	if (deadline > now || now - deadline > interval)
		deadline = start;
	(void) sd_event_source_set_time(m->stats_timer, deadline + interval);
	return sd_event_source_set_enabled(m->stats_timer, SD_EVENT_ONESHOT);
}

static int on_window(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct manager *m = userdata;

	uint64_t window_usec = clock_usec(CLOCK_BOOTTIME) - stats_window_start_usec(m->stats);

	stats_report(m->stats, m->config.has_stats_idle);
	witness_look(m->witness, m->hooks, m->interfaces, m->config.stats_interval_usec);
	if (m->drops)
		drops_report(m->drops, window_usec);
	return arm_stats_timer(m);
}

/* A new configuration that is wrong changes nothing. */
static int reload(struct manager *m)
{
	_cleanup_(config_done) struct config fresh = {};
	struct config old;
	int r;

	r = manager_read_config(m->options->config_file, &fresh);
	if (r < 0)
		return log_error(r, "Reload failed, the configuration from before stays in force");

	old = m->config;
	m->config = fresh;
	m->configured_at = clock_usec(CLOCK_REALTIME) / USEC_PER_SEC;
	fresh = old; /* released with this scope */
	hooks_forget_failures(m->hooks);
	m->is_idle = false; /* to be said again */
	follow_interfaces(m);
	manager_tend_table(m);
	if (m->drops)
		drops_tend(m->drops, manager_drops_named(m));
	if (m->config.stats_interval_usec == 0) {
		stats_end(m->stats);
		witness_forget(m->witness);
	} else if (old.stats_interval_usec == 0) {
		(void) stats_begin(m->stats);
	}
	(void) arm_stats_timer(m);
	log_notice("Configuration '%s' reloaded", m->options->config_file);
	return 0;
}

static int on_sighup(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	struct manager *m = userdata;

	(void) sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, clock_usec(CLOCK_MONOTONIC));
	(void) reload(m); /* has logged; the daemon goes on with what it had */
	(void) sd_notify(0, "READY=1");
	return 0;
}

static int on_stop(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	struct manager *m = userdata;

	log_notice("Stopping. Filtering stays on, with all programs attached; 'fwctl unload' removes it");
	(void) sd_notify(0, "STOPPING=1\nSTATUS=Stopped. Filtering stays on; 'fwctl unload' removes it");
	return sd_event_exit(m->event, 0);
}

int manager_make_loop(struct manager *m)
{
	int r;

	r = sd_event_new(&m->event);
	if (r < 0)
		return r;
	r = sd_event_add_signal(m->event, NULL, SIGTERM, on_stop, m);
	if (r < 0)
		return r;
	r = sd_event_add_signal(m->event, NULL, SIGINT, on_stop, m);
	if (r < 0)
		return r;
	r = sd_event_add_signal(m->event, NULL, SIGHUP, on_sighup, m);
	if (r < 0)
		return r;
	r = sd_event_add_io(m->event, NULL, interfaces_fd(m->interfaces), EPOLLIN, on_interfaces, m);
	if (r < 0)
		return r;
	watch_mounts(m);
	r = watch_wallclock(m);
	if (r < 0)
		return r;
	r = sd_event_add_time_relative(m->event, &m->check_timer, CLOCK_MONOTONIC,
				       CHECK_INTERVAL_USEC, 0, on_check, m);
	if (r < 0)
		return r;
	r = sd_event_add_time(m->event, &m->stats_timer, CLOCK_BOOTTIME,
			      stats_window_start_usec(m->stats), TIMER_ACCURACY_USEC, on_window, m);
	if (r < 0)
		return r;
	r = arm_stats_timer(m);
	if (r < 0)
		return r;
	return sd_event_set_watchdog(m->event, true);
}

int manager_run(struct manager *m)
{
	int r;

	log_info("Ready, version %s", FW_VERSION);
	(void) sd_notify(0, "READY=1"); /* no-op outside systemd */
	r = sd_event_loop(m->event);
	if (r < 0)
		return log_error(r, "The event loop failed, filtering stays on: %m");
	return r;
}
