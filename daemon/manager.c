// SPDX-License-Identifier: GPL-2.0-or-later

/* The daemon's start and end: see manager.h. Order of start: one instance, pins, load, lists, attach, meta, READY. */

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "hook/netns-filtered.h"
#include "kernel/netns.h"
#include "kernel/pins.h"
#include "kernel/tick.h"
#include "load/pindir.h"
#include "log/log.h"
#include "manager-internal.h"
#include "orphans.h"
#include "report/drops.h"
#include "restore.h"

#define NETNS_TRIES         50 /* and as often NETNS_INTERVAL_USEC: how long a namespace may need to end */
#define NETNS_INTERVAL_USEC 100000

static int open_table(struct manager *m)
{
	int r;

	m->table = table_free(m->table);
	r = table_open(m->upgrade.dir, &m->table);
	if (r < 0)
		return log_error(r, "Cannot open the maps in '%s': %m; if they are damaged, run 'fwctl unload'",
				 m->upgrade.dir);
	return 0;
}

static int load(struct manager *m)
{
	struct fw_meta before;
	int r;

	if (pins_read_meta(m->upgrade.dir, &before) == 0) { /* stays valid until we have attached again */
		before.max_entries = m->meta.max_entries;
		before.loaded_at = m->meta.loaded_at;
		before.configured_at = m->meta.configured_at;
		before.netns_cookie = m->meta.netns_cookie;
		before.netns_inode = m->meta.netns_inode;
		memcpy(before.version, m->meta.version, sizeof(before.version));
		before.pending[0] = before.cgroup_ports[0] = '\0'; /* to be said again */
		m->meta = before;
	}
	r = upgrade_load(&m->upgrade, &m->meta, &m->loader);
	if (r < 0)
		return r;
	m->is_counting_anew = (loader_is_fresh(m->loader) && !m->upgrade.is_filling) || upgrade_is_blank(&m->upgrade);
	if (m->is_counting_anew || m->meta.counting_since == 0)
		m->meta.counting_since = boot_clock_ns();
	return loader_write_meta(m->loader, &m->meta);
}

/* Lists into the maps. fwctl must not see half of it. */
static int restore(struct manager *m, int lock_fd)
{
	_cleanup_(table_endp) struct table_writer *w = NULL;
	int r;

	r = load(m);
	if (r < 0)
		return r;
	r = table_create(m->upgrade.dir, lock_fd);
	if (r < 0)
		return log_error(r, "Cannot make tables in '%s': %m; if pins are damaged, run 'fwctl unload'",
				 m->upgrade.dir);
	r = open_table(m);
	if (r < 0)
		return r;
	w = table_begin_unrepaired(m->table, lock_fd);
	r = upgrade_fill(&m->upgrade, w);
	if (r < 0)
		return r;
	r = table_repair(w);
	if (r < 0)
		return log_error(r, "Cannot repair the tables in '%s': %m; if pins miss, run 'fwctl unload'",
				 m->upgrade.dir);

	wallclock_init(&m->wallclock, m->options->run_dir, m->meta.counting_since, m->is_counting_anew);
	if (wallclock_is_due(&m->wallclock)) {
		r = wallclock_correct(&m->wallclock, m->options->state_dir, w);
		if (r < 0)
			return log_error(r, "Cannot compute the ends of entries again: %m");
	}
	statedir_note(&m->statedir, m->options->state_dir);
	r = restore_lists(m->options->state_dir, w, &m->wallclock, m->is_counting_anew, &m->restored);
	if (r < 0)
		return r;
	if (upgrade_is_blank(&m->upgrade) && (m->restored.n_missing > 0 || m->statedir.missing[0]))
		return log_error(-EAGAIN, "The version before goes on filtering, because the lists cannot all be restored from their files: "
					  "%m; see above for the cause");
	wallclock_save(&m->wallclock, m->options->run_dir, m->meta.counting_since);
	m->is_strict = m->config.is_strict;
	table_set_strict(m->table, m->is_strict);
	r = table_commit(w);
	if (r < 0)
		return log_error(r, "Cannot put the restored lists in force: %m");
	w = table_end(w);

	r = upgrade_complete(&m->upgrade, m->loader);
	return r < 0 ? r : open_table(m);
}

int manager_new(const struct options *o, struct config *c, struct manager **ret)
{
	struct manager *m = calloc(1, sizeof(*m));
	struct netns netns;

	if (!m)
		return log_error(-ENOMEM, "Cannot start: %m");
	netns_read_own(&netns);
	m->options = o;
	m->instance = (struct instance)INSTANCE_NULL;
	m->wallclock_fd = m->mounts_fd = -1;
	m->config = *c;
	*c = (struct config){};
	m->configured_at = clock_usec(CLOCK_REALTIME) / USEC_PER_SEC;
	m->meta = (struct fw_meta){
		.abi_version = FW_ABI_VERSION,
		.layout = fw_layout(),
		.max_entries = m->config.max_entries,
		.loaded_at = m->configured_at,
		.configured_at = m->configured_at,
		.netns_cookie = netns.cookie,
		.netns_inode = netns.inode,
		.version = FW_VERSION,
	};
	*ret = m;
	return 0;
}

struct manager *manager_free(struct manager *m)
{
	if (!m)
		return NULL;
	m->drops = drops_free(m->drops);
	m->witness = witness_free(m->witness);
	m->stats = stats_free(m->stats);
	m->hooks = hooks_free(m->hooks);
	m->interfaces = interfaces_free(m->interfaces);
	m->table = table_free(m->table);
	wallclock_done(&m->wallclock);
	closep(&m->wallclock_fd);
	closep(&m->mounts_fd);
	m->loader = loader_free(m->loader);
	upgrade_done(&m->upgrade);
	(void) sd_event_source_unref(m->check_timer);
	(void) sd_event_source_unref(m->stats_timer);
	(void) sd_event_unref(m->event);
	handover_done(&m->handover);
	instance_unlock(&m->instance);
	config_done(&m->config);
	free(m);
	return NULL;
}

static int attach(struct manager *m)
{
	uint32_t hash = m->meta.interfaces_hash; /* of the run before us */
	int r;

	r = interfaces_open(&m->interfaces);
	if (r < 0)
		return log_error(r, "Cannot ask the kernel for its interfaces: %m");
	r = hooks_new(m->options->pin_dir, m->loader, hash == 0 || hash == config_interfaces_hash(&m->config), &m->hooks);
	if (r < 0)
		return r;
	r = manager_sync_hooks(m); /* from here on packets are judged */
	return r < 0 ? r : loader_retire(m->loader);
}

/*
 * An interface is pinned by its number, which is that of another one in each network namespace: we would take the links of
 * that firewall for ours, and detach them. The kernel takes a namespace apart some time after its last process has ended.
 */
static int check_netns(struct manager *m)
{
	const char *pin_dir = m->options->pin_dir;
	struct fw_meta before = {};

	if (upgrade_read_meta(&m->upgrade, &before) < 0 || !netns_is_other(&before)) /* what needs meta says what is wrong with it */
		return 0;
	for (unsigned n = 0; netns_is_filtered(pin_dir, &before); n++) {
		if (n == NETNS_TRIES)
			return log_error(-EPERM, "'%s' holds the firewall of another network namespace (net:[%" PRIu64 "], this is "
						 "net:[%" PRIu64 "]), which is still attached there: give each namespace a --pin-dir "
						 "of its own, or run 'fwctl unload' there first", pin_dir,
					 (uint64_t)before.netns_inode, (uint64_t)m->meta.netns_inode);
		(void) usleep(NETNS_INTERVAL_USEC);
	}
	log_notice("The network namespace of the run before is gone, or nothing is attached there: filtering in this one from now on");
	return 0;
}

/* From the pins of any version to our programs on all hooks. */
static int take_force(struct manager *m)
{
	_cleanup_(instance_unlock_writers) int lock_fd = -1;
	struct table_writer *w;
	bool is_blank;
	int r;

	r = instance_lock_writers(m->options->run_dir, &lock_fd);
	if (r < 0)
		return r;
	r = upgrade_plan(m->options->pin_dir, &m->upgrade);
	if (r >= 0)
		r = check_netns(m);
	if (r < 0)
		return r;
	if (m->upgrade.is_under_way) /* millions of entries may take longer than a start is allowed to */
		(void) sd_notify(0, "EXTEND_TIMEOUT_USEC=600000000\nSTATUS=Taking over what another version has pinned");
	r = restore(m, lock_fd);
	if (r < 0)
		return r;
	if (!m->upgrade.is_under_way) { /* then attaching, which may take long, is nothing that fwctl has to wait for */
		instance_unlock_writers(&lock_fd);
		return attach(m);
	}

	r = attach(m);
	if (r < 0)
		return r;
	w = table_begin_unrepaired(m->table, lock_fd);
	is_blank = m->upgrade.n_sources == 0;
	r = upgrade_finish(&m->upgrade, m->loader, w);
	w = table_end(w);
	if (r < 0)
		return r;
	log_notice(is_blank ? "Took the place of the version before" : "Took over all entries and counters");
	return open_table(m);
}

/* If no source can be named for a drop, that is no reason not to drop. */
static void watch_drops(struct manager *m)
{
	const struct options *o = m->options;

	if (drops_new(o->pin_dir, o->run_dir, m->table, m->event, &m->drops) >= 0)
		drops_tend(m->drops, manager_drops_named(m));
}

int manager_start(struct manager *m)
{
	const struct options *o = m->options;
	int r;

	r = instance_lock_run(&m->instance, o->run_dir);
	if (r < 0)
		return r;
	r = pindir_prepare(o->pin_dir);
	if (r < 0)
		return r;
	r = instance_lock_pins(&m->instance, o->pin_dir);
	if (r < 0)
		return r;
	r = handover_begin(&m->handover);
	if (r < 0)
		return log_error(r, "Cannot read what is mounted: %m");
	r = handover_take(o->pin_dir);
	if (r < 0)
		return r;

	r = take_force(m);
	if (r < 0)
		return r;
	manager_check_pins(m); /* all is there: this takes hold of the entry tables */
	orphans_report(o->run_dir, o->pin_dir, m->loader, m->meta.cgroup);

	r = stats_new(o->run_dir, m->table, m->meta.counting_since, m->is_counting_anew, m->config.stats_interval_usec, &m->stats);
	if (r < 0)
		return r;
	r = witness_new(o->run_dir, m->table, &m->witness);
	if (r < 0)
		return r;
	r = manager_make_loop(m);
	if (r < 0)
		return log_error(r, "Cannot set up the event loop: %m");
	watch_drops(m);
	return 0;
}
