// SPDX-License-Identifier: GPL-2.0-or-later

/* See firewall.h. */

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <time.h>

#include "base/cleanup.h"
#include "firewall.h"
#include "kernel/pins.h"
#include "kernel/tick.h"
#include "load/loader.h"
#include "load/pindir.h"

#define MOUNT_DIR "/tmp"      /* covered by a bpffs in our mount namespace alone */
#define PIN_DIR   "/tmp/fw"
#define JIFFY_USEC 10000

struct firewall {
	struct loader *loader;
	struct table *table;
	struct table_writer *writer;
	struct load_cost cost;
};

static double now_seconds(void)
{
	struct timespec t;

	(void) clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static int make_lists(struct table_writer *w)
{
	static const struct fw_list lists[] = {
		{ .name = "other", .action = FW_ACTION_BLOCK, .mode = FW_MODE_ENFORCE, .is_enabled = true },
		{ .name = "audit", .action = FW_ACTION_BLOCK, .mode = FW_MODE_AUDIT, .is_enabled = true },
		{ .name = "disabled", .action = FW_ACTION_BLOCK, .mode = FW_MODE_ENFORCE },
	};
	int r;

	for (size_t i = 0; i < ELEMENTSOF(lists); i++) {
		r = table_set_list(w, LIST_OTHER + i, &lists[i]);
		if (r < 0)
			return r;
	}
	return table_commit(w);
}

/* Prints what the verifier did for one program, by its pin. */
static int report_program(const char *name, void *userdata)
{
	struct bpf_prog_info info = { 0 };
	uint32_t size = sizeof(info);
	_cleanup_close_ int fd = -1;
	struct firewall *f = userdata;

	fd = firewall_open_program(name);
	if (fd < 0)
		return fd;
	if (bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		return -errno;
	printf("# %-14s %6u instructions verified, %5u bytes of machine code\n", name, info.verified_insns,
	       info.jited_prog_len);
	if (info.verified_insns > f->cost.n_insns_max)
		f->cost.n_insns_max = info.verified_insns;
	return 0;
}

/* As the daemon does it, up to the point where it would attach. */
static int load(struct firewall *f)
{
	const struct fw_meta meta = {
		.abi_version = FW_ABI_VERSION,
		.layout = fw_layout(),
		.max_entries = 65536,
	};
	double start;
	int r;

	r = pindir_prepare(PIN_DIR);
	if (r < 0)
		return r;
	start = now_seconds();
	r = loader_load(PIN_DIR, PIN_DIR, &meta, &f->loader);
	if (r < 0)
		return r;
	f->cost.seconds = now_seconds() - start;

	r = pins_foreach(PIN_DIR, "progs", report_program, f);
	if (r < 0)
		return r;
	printf("# loaded and pinned in %.0f ms\n", f->cost.seconds * 1000);
	return table_create(PIN_DIR, FIREWALL_LOCK_FD);
}

static void firewall_freep(struct firewall **f)
{
	firewall_free(*f);
}

int firewall_new(struct firewall **ret)
{
	_cleanup_(firewall_freep) struct firewall *f = NULL;
	int r;

	f = calloc(1, sizeof(*f));
	if (!f)
		return -ENOMEM;
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("bpf", MOUNT_DIR, "bpf", 0, "mode=0700") < 0)
		return -errno;

	r = load(f);
	if (r < 0)
		return r;
	r = table_open(PIN_DIR, &f->table);
	if (r < 0)
		return r;
	r = make_lists(firewall_writer(f));
	if (r < 0)
		return r;
	table_set_scope(f->table, true, 0); /* a test run puts each skb on the loopback interface */

	*ret = TAKE_PTR(f);
	return 0;
}

struct firewall *firewall_free(struct firewall *f)
{
	if (!f)
		return NULL;
	table_free(f->table);
	loader_free(f->loader);
	free(f);
	return NULL;
}

struct table_writer *firewall_writer(struct firewall *f)
{
	int r;

	if (!f->writer) {
		r = table_begin(f->table, FIREWALL_LOCK_FD, &f->writer);
		if (r < 0)
			fprintf(stderr, "Cannot repair the table: %s\n", strerror(-r));
	}
	return f->writer;
}

void firewall_end_writer(struct firewall *f)
{
	f->writer = table_end(f->writer);
}

struct table *firewall_table(struct firewall *f)
{
	return f->table;
}

const char *firewall_pin_dir(void)
{
	return PIN_DIR;
}

int firewall_open_program(const char *name)
{
	char pin[64];

	snprintf(pin, sizeof(pin), "progs/%s", name);
	return pins_open(PIN_DIR, pin);
}

const struct load_cost *firewall_load_cost(const struct firewall *f)
{
	return &f->cost;
}

void firewall_set_strict(struct firewall *f, bool is_strict)
{
	table_set_strict(f->table, is_strict);
}

/* All entries, to be removed one by one: a table does not like to change while it is walked. */
struct collection {
	struct table_entry items[64];
	size_t n_items;
};

static int collect(const struct table_entry *e, void *userdata)
{
	struct collection *c = userdata;

	if (c->n_items == ELEMENTSOF(c->items))
		return -E2BIG;
	c->items[c->n_items++] = *e;
	return 0;
}

static int remove_all(struct table_writer *w)
{
	struct collection c = { 0 };
	int r;

	r = table_sweep(w, NULL, NULL); /* what has ended is not seen by a walk */
	if (r < 0)
		return r;
	r = table_walk(table_of(w), collect, &c);
	if (r < 0)
		return r;
	for (size_t i = 0; i < c.n_items; i++) {
		struct table_entry absent = { .target = c.items[i].target };

		r = table_restore(w, &absent);
		if (r < 0)
			return r;
	}
	return 0;
}

/* One "LIST TARGET [in|out|both] [ended|later]". */
static int add_entry(struct firewall *f, char *text, uint32_t soon)
{
	char *state, *word = strtok_r(text, " ", &state);
	unsigned directions = FW_BOTH, list;
	uint32_t until = FW_UNTIL_NEVER;
	struct fw_list found;
	struct target target;
	const char *error;
	bool is_new;
	int r;

	r = word ? table_find_list(f->table, word, &found) : -EINVAL;
	if (r < 0)
		return r;
	list = r;
	word = strtok_r(NULL, " ", &state);
	r = word ? target_parse(word, strlen(word), &target, &error) : -EINVAL;
	if (r < 0)
		return r;

	while ((word = strtok_r(NULL, " ", &state))) {
		if (strcmp(word, "ended") == 0)
			until = soon;
		else if (strcmp(word, "later") == 0)
			until = tick_after(3600ull * 1000000000);
		else
			directions = directions_from_string(word, strlen(word));
	}
	return table_add(f->writer, &target, list, directions, until, &is_new);
}

int firewall_set(struct firewall *f, const char *entries)
{
	_cleanup_free_ char *copy = NULL;
	uint32_t soon = tick_now() + 2;
	char *state;
	int r;

	copy = strdup(entries);
	if (!copy)
		return -ENOMEM;
	r = remove_all(firewall_writer(f));
	if (r < 0)
		return r;
	for (char *e = strtok_r(copy, ",", &state); e; e = strtok_r(NULL, ",", &state)) {
		r = add_entry(f, e, soon);
		if (r < 0)
			return r;
	}
	r = table_commit(f->writer);
	if (r < 0)
		return r;

	if (!strstr(entries, "ended"))
		return 0;
	while (tick_now() < soon)
		(void) usleep(JIFFY_USEC);
	(void) usleep(2 * JIFFY_USEC); /* the programs' clock may be that old */
	return 0;
}

