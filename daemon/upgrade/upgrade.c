// SPDX-License-Identifier: GPL-2.0-or-later

/* Sets of maps, and the order of an upgrade: see upgrade.h. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kernel/pins.h"
#include "log/log.h"
#include "upgrade/upgrade.h"

#define SETS_MAX 64 /* upgrades that were killed one after the other, each by another version */

struct sets {
	unsigned numbers[SETS_MAX]; /* of next-N, ascending */
	size_t n;
};

static void set_path(const char *pin_dir, unsigned number, char path[static PATH_MAX])
{
	if (number == 0)
		(void) snprintf(path, PATH_MAX, "%s", pin_dir);
	else
		(void) snprintf(path, PATH_MAX, "%s/" PINS_NEXT "%u", pin_dir, number);
}

/* For pins_foreach(): sorted by number, which names are not. */
static int note_set(const char *name, void *userdata)
{
	struct sets *s = userdata;
	unsigned number;
	size_t at;

	if (sscanf(name, PINS_NEXT "%u", &number) != 1 || number == 0)
		return 0;
	if (s->n == SETS_MAX)
		return -E2BIG;
	for (at = s->n++; at > 0 && s->numbers[at - 1] > number; at--)
		s->numbers[at] = s->numbers[at - 1];
	s->numbers[at] = number;
	return 0;
}

static int list_sets(const char *pin_dir, struct sets *ret)
{
	*ret = (struct sets){};
	return pins_foreach(pin_dir, ".", note_set, ret);
}

/*
 * The set's meta is the one in force: its maps take the place of those that were. An empty directory can be
 * replaced by a rename, so they move all at once.
 */
static int move_maps(const char *pin_dir, const char *set)
{
	char from[PATH_MAX], to[PATH_MAX];
	int r;

	(void) snprintf(from, sizeof(from), "%.*s/maps", PATH_MAX - 6, set);
	(void) snprintf(to, sizeof(to), "%.*s/maps", PATH_MAX - 6, pin_dir);
	if (access(from, F_OK) < 0)
		return errno == ENOENT ? 0 : -errno; /* moved already */
	r = pins_remove_maps(pin_dir);
	if (r < 0)
		return r;
	return rename(from, to) < 0 ? -errno : 0;
}

/*
 * After this the pin directory itself is the set in force, and each next-N is complete and above it. The set
 * that was put in force is removed last: as long as it has its meta it proves that the others are done with.
 */
static int settle(const char *pin_dir, struct sets *ret)
{
	char path[PATH_MAX];
	uint32_t in_force = 0, id;
	struct sets sets;
	int r;

	(void) snprintf(path, sizeof(path), "%.*s/" PINS_FILLING, PATH_MAX - 16, pin_dir);
	r = pins_remove_set(path);
	if (r >= 0)
		r = pins_remove(pin_dir, "meta-new");
	if (r >= 0)
		r = list_sets(pin_dir, &sets);
	if (r >= 0)
		r = pins_map_id(pin_dir, "meta", &in_force);
	if (r < 0 && r != -ENOENT && r != -EPROTO) /* the code that reads meta reports what is wrong with it */
		return r;
	r = 0;

	for (size_t i = 0; i < sets.n; i++) {
		set_path(pin_dir, sets.numbers[i], path);
		r = pins_map_id(path, "meta", &id);
		if (r == -ENOENT || r == -EPROTO) { /* no set: meta is the last to come and the first to go */
			r = pins_remove_set(path);
		} else if (r >= 0 && id == in_force) {
			r = move_maps(pin_dir, path);
			for (size_t k = 0; k < sets.n && r >= 0; k++) {
				char other[PATH_MAX];

				set_path(pin_dir, sets.numbers[k], other);
				if (k != i)
					r = pins_remove_set(other);
			}
			if (r >= 0)
				r = pins_remove_set(path);
			break;
		}
		if (r < 0)
			return r;
	}
	return r < 0 ? r : list_sets(pin_dir, ret);
}

void upgrade_done(struct upgrade *u)
{
	while (u->n_sources > 0)
		(void) source_free(u->sources[--u->n_sources]);
	free(u->sources);
	u->sources = NULL;
}

/* For pins_foreach(). */
static int note_any(const char *name, void *userdata)
{
	*(bool *)userdata = true;
	return 0;
}

static bool has_programs(const char *pin_dir)
{
	bool has_any = false;

	return pins_foreach(pin_dir, "progs", note_any, &has_any) >= 0 && has_any;
}

/*
 * The sets below ours, each read by its own schema. 1: this one cannot be read, which was said. Its programs go on until
 * ours have taken their place, with what the list files hold.
 */
static int open_source(struct upgrade *u, unsigned number)
{
	const struct source *below = u->n_sources > 0 ? u->sources[u->n_sources - 1] : NULL;
	char path[PATH_MAX];
	struct source **sources, *s = NULL;
	int r;

	set_path(u->pin_dir, number, path);
	r = source_open(path, below, &s);
	if (r == -ENOENT && !has_programs(u->pin_dir))
		return log_error(-EPROTO, "'%s' holds pins that are not those of a firewall: look whose they are, and remove them", path);
	if (r == -ENOENT || r == -EPROTO || r == -EBADMSG) {
		(void) log_warning(0, "'%s' holds maps of another version that %s: the lists are restored from their files, counters "
				      "begin at zero, and entries that were added with --runtime are lost", path,
				   r == -ENOENT ? "has not described them" : "are not as it describes them");
		return 1;
	}
	if (r < 0)
		return log_error(r, "Cannot read the maps of another version in '%s': %m", path);

	sources = reallocarray(u->sources, u->n_sources + 1, sizeof(*sources));
	if (!sources) {
		(void) source_free(s);
		return log_error(-ENOMEM, "Cannot take over the maps in '%s': %m", path);
	}
	u->sources = sources;
	u->sources[u->n_sources++] = s;
	return 0;
}

int upgrade_plan(const char *pin_dir, struct upgrade *ret)
{
	struct upgrade u = { .pin_dir = pin_dir };
	struct fw_meta meta = {};
	struct sets sets;
	int r, is_ours;

	r = settle(pin_dir, &sets);
	if (r < 0)
		return log_error(r, "Cannot tidy up what an upgrade has left in '%s': %m", pin_dir);

	set_path(pin_dir, sets.n > 0 ? sets.numbers[sets.n - 1] : 0, u.dir);
	is_ours = pins_read_meta(u.dir, &meta);
	if (is_ours == -EPERM || is_ours == -EACCES)
		return log_error(is_ours, "Not permitted to open pins in '%s': CAP_BPF is needed", u.dir);
	if (is_ours < 0 && is_ours != -ENOENT && is_ours != -EPROTO)
		return log_error(is_ours, "Cannot read '%s/meta': %m", u.dir);
	if (sets.n == 0 && is_ours != -EPROTO) {
		*ret = u;
		return 0;
	}

	u.is_under_way = true;
	u.is_filling = is_ours < 0;
	u.number = sets.n > 0 ? sets.numbers[sets.n - 1] + u.is_filling : 1;
	r = open_source(&u, 0);
	for (size_t i = 0; i < sets.n - !u.is_filling && r == 0; i++)
		r = open_source(&u, sets.numbers[i]);
	if (r > 0)
		upgrade_done(&u); /* what is above it was filled from it, and lacks what it has counted */
	if (r >= 0 && u.is_filling) {
		(void) snprintf(u.dir, sizeof(u.dir), "%.*s/" PINS_FILLING, PATH_MAX - 16, pin_dir);
		r = pins_make_set(u.dir);
		if (r < 0)
			(void) log_error(r, "Cannot create '%s': %m", u.dir);
	}
	if (r < 0) {
		upgrade_done(&u);
		return r;
	}
	if (u.is_filling && u.n_sources == 0)
		log_notice("Replacing another version whose maps cannot be read");
	else if (u.is_filling)
		log_notice("Taking over from version '%.*s' (maps %u where ours are %u)", (int)sizeof(meta.version),
			   meta.version, meta.abi_version, FW_ABI_VERSION);
	else
		log_notice("Going on with an upgrade that was interrupted");
	*ret = u;
	return 0;
}

/* The set just below ours: its entries are ours too. NULL: it cannot be read. */
static struct source *below(const struct upgrade *u)
{
	return u->n_sources > 0 ? u->sources[u->n_sources - 1] : NULL;
}

bool upgrade_is_blank(const struct upgrade *u)
{
	return u->is_filling && !below(u);
}

int upgrade_read_meta(const struct upgrade *u, struct fw_meta *ret)
{
	if (!u->is_filling)
		return pins_read_meta(u->dir, ret);
	return below(u) ? source_meta(below(u), ret) : -ENOENT;
}

int upgrade_load(struct upgrade *u, struct fw_meta *meta, struct loader **ret)
{
	const char *pin_dir = u->pin_dir;
	struct fw_meta theirs;
	int r;

	if (u->is_filling && below(u) && source_meta(below(u), &theirs) >= 0)
		meta->counting_since = theirs.counting_since;
	r = loader_load(pin_dir, u->dir, meta, ret);
	if (r < 0 || !u->is_under_way || u->is_filling || !loader_is_fresh(*ret))
		return r;

	*ret = loader_free(*ret);
	r = pins_remove_set(u->dir);
	if (r < 0)
		return log_error(r, "Cannot remove '%s', which lacks pins: %m", u->dir);
	upgrade_done(u);
	r = upgrade_plan(pin_dir, u);
	return r < 0 ? r : upgrade_load(u, meta, ret);
}

/* For source_each_entry(): what was counted comes last, when nothing counts there any more. */
static int fill_entry(const struct prefix *p, const struct fw_entry *entry, void *userdata)
{
	struct fw_entry pending = *entry;

	pending.hits = FW_HITS_PENDING;
	return table_fill(userdata, p, &pending);
}

static int fill_end(const struct fw_ends_key *key, const struct fw_ends *ends, void *userdata)
{
	return table_fill_end(userdata, key, ends);
}

static int fill_arrays(const struct source *s, struct table_writer *w)
{
	struct fw_list list;
	struct fw_port port;
	int r;

	for (unsigned i = 0; i < FW_LISTS_MAX; i++) {
		r = source_list(s, i, &list);
		if (r >= 0 && list.name[0] != '\0')
			r = table_set_list(w, i, &list);
		if (r < 0 && r != -ENOENT)
			return r;
	}
	for (unsigned i = 0; i < FW_PORT_ENTRIES_MAX; i++) {
		r = source_port(s, i, &port);
		if (r >= 0 && port.is_used) {
			port.entry.hits = FW_HITS_PENDING;
			r = table_fill_port(w, i, &port);
		}
		if (r < 0 && r != -ENOENT)
			return r;
	}
	return 0;
}

int upgrade_fill(struct upgrade *u, struct table_writer *w)
{
	int r;

	if (!u->is_filling || !below(u))
		return 0;
	if (source_missing(below(u)))
		(void) log_warning(0, "The pin of the map '%s' of the version before is missing: what it held comes from the "
				      "list files, if they have it", source_missing(below(u)));
	r = fill_arrays(below(u), w);
	if (r >= 0)
		r = source_each_end(below(u), fill_end, w);
	for (enum fw_kind kind = FW_KIND_IPV4; kind <= FW_KIND_IPV6 && r >= 0; kind++) {
		r = table_make_room(w, kind, source_room(below(u), kind));
		if (r >= 0)
			r = source_each_entry(below(u), kind, fill_entry, w);
	}
	if (r < 0)
		return log_error(r, "Cannot take over the entries of the version before: %m; its programs stay in force");
	return 0;
}

int upgrade_complete(struct upgrade *u, struct loader *l)
{
	char path[PATH_MAX];

	if (!u->is_filling)
		return 0;
	set_path(u->pin_dir, u->number, path);
	if (rename(u->dir, path) < 0)
		return log_error(-errno, "Cannot rename '%s' to '%s': %m", u->dir, path);
	strcpy(u->dir, path);
	u->is_filling = false;
	return loader_move_maps(l, u->dir);
}

/* A repetition writes the same values: no program counts below any more. */
static int take_over_counters(const struct source *s, struct table_writer *w)
{
	struct fw_list_counters list;
	struct fw_counters counters;
	int r;

	for (unsigned i = 0; i < FW_COUNTERS_MAX; i++) {
		r = source_counters(s, i, &counters);
		if (r >= 0)
			r = table_set_base(w, i, &counters);
		if (r < 0 && r != -ENOENT)
			return r;
	}
	for (unsigned i = 0; i < FW_LISTS_MAX; i++) {
		r = source_list_counters(s, i, &list);
		if (r >= 0)
			r = table_set_list_base(w, i, &list);
		if (r < 0 && r != -ENOENT)
			return r;
	}
	return 0;
}

/* For source_each_hits(). */
static int add_hits(const struct prefix *p, uint64_t hits, uint32_t last_hit, void *userdata)
{
	return table_add_pending_hits(userdata, p, hits, last_hit);
}

/* Happens once, even if repeated: an entry that has its hits does not wait for them any more. */
static int take_over_hits(const struct source *s, struct table_writer *w)
{
	uint32_t last_hit;
	uint64_t hits;
	int r = 0;

	for (unsigned i = 0; i < FW_PORT_ENTRIES_MAX && r >= 0; i++) {
		r = source_port_hits(s, i, &hits, &last_hit);
		if (r >= 0 && hits > 0)
			r = table_add_pending_port_hits(w, i, hits, last_hit);
	}
	return r < 0 ? r : source_each_hits(s, add_hits, w);
}

int upgrade_finish(struct upgrade *u, struct loader *l, struct table_writer *w)
{
	struct sets sets;
	int r;

	if (!u->is_under_way)
		return 0;
	r = table_wait_for_programs(w); /* those of the other version may still be at their last packet */
	if (r >= 0 && below(u))
		r = take_over_counters(below(u), w);
	if (r >= 0 && below(u))
		r = take_over_hits(below(u), w);
	if (r < 0)
		return log_error(r, "Cannot take over what the version before has counted: %m");

	r = loader_put_in_force(l);
	if (r < 0)
		return r;
	upgrade_done(u);
	r = settle(u->pin_dir, &sets);
	if (r < 0)
		return log_error(r, "Cannot remove the maps of the version before: %m");
	set_path(u->pin_dir, 0, u->dir);
	u->is_under_way = false;
	return loader_move_maps(l, u->dir);
}
