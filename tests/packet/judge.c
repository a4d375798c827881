// SPDX-License-Identifier: GPL-2.0-or-later

/* See judge.h. Uses lib/ as the daemon does to load, and as fwctl does to change and to count. */

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <time.h>

#include "cleanup.h"
#include "judge.h"
#include "loader.h"
#include "names.h"
#include "pins.h"

#define MOUNT_DIR "/tmp"      /* covered by a bpffs in our mount namespace alone */
#define PIN_DIR   "/tmp/fw"
#define JIFFY_USEC 10000

#define ETHERNET_MIN 60
#define UNEXPECTED   0x7fffffff /* no program returns it */

/* Where each program's frame begins. */
enum layer {
	LAYER_ETHERNET,
	LAYER_CGROUP,  /* a test run takes the Ethernet header off */
	LAYER_NETWORK, /* a test run does not: see frame_for_l3() */
};

static const struct hook {
	const char *program;
	enum layer layer;
	enum fw_hook hook;
	enum fw_direction direction;
	int pass;
	int drop;
} hooks[] = {
	{ "fw_tc_in",      LAYER_ETHERNET, FW_HOOK_TC,     FW_INGRESS, -1, 2 },
	{ "fw_tc_out",     LAYER_ETHERNET, FW_HOOK_TC,     FW_EGRESS,  -1, 2 },
	{ "fw_tc_l3_in",   LAYER_NETWORK,  FW_HOOK_TC,     FW_INGRESS, -1, 2 },
	{ "fw_tc_l3_out",  LAYER_NETWORK,  FW_HOOK_TC,     FW_EGRESS,  -1, 2 },
	{ "fw_cgroup_in",  LAYER_CGROUP,   FW_HOOK_CGROUP, FW_INGRESS, 1,  0 },
	{ "fw_cgroup_out", LAYER_CGROUP,   FW_HOOK_CGROUP, FW_EGRESS,  1,  0 },
};

struct firewall {
	struct loader *loader;
	struct table *table;
	int hook_fd[ELEMENTSOF(hooks)];
	int check_fd;
	struct load_cost cost;
};

struct snapshot {
	struct fw_counters hooks[FW_COUNTERS_MAX];
	struct fw_list_counters lists[_LIST_MAX];
	uint64_t entry_hits;
};

static double now_seconds(void)
{
	struct timespec t;

	(void) clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static int make_lists(struct table *t)
{
	static const struct fw_list lists[] = {
		{ .name = "other", .action = FW_ACTION_BLOCK, .mode = FW_MODE_ENFORCE, .is_enabled = true },
		{ .name = "audit", .action = FW_ACTION_BLOCK, .mode = FW_MODE_AUDIT, .is_enabled = true },
		{ .name = "disabled", .action = FW_ACTION_BLOCK, .mode = FW_MODE_ENFORCE },
	};
	int r;

	for (size_t i = 0; i < ELEMENTSOF(lists); i++) {
		r = table_set_list(t, LIST_OTHER + i, &lists[i]);
		if (r < 0)
			return r;
	}
	return table_commit(t);
}

/* Prints what the verifier did for one program, by its pin. */
static int report_program(const char *name, void *userdata)
{
	struct bpf_prog_info info = { 0 };
	uint32_t size = sizeof(info);
	_cleanup_close_ int fd = -1;
	struct firewall *f = userdata;
	char pin[64];

	snprintf(pin, sizeof(pin), "progs/%s", name);
	fd = pins_open(PIN_DIR, pin, false);
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

	r = loader_check_pins(PIN_DIR);
	if (r < 0)
		return r;
	start = now_seconds();
	r = loader_load(PIN_DIR, &meta, &f->loader);
	if (r < 0)
		return r;
	f->cost.seconds = now_seconds() - start;

	r = pins_foreach(PIN_DIR, "progs", report_program, f);
	if (r < 0)
		return r;
	printf("# loaded and pinned in %.0f ms\n", f->cost.seconds * 1000);
	return table_create(PIN_DIR);
}

static int open_programs(struct firewall *f)
{
	char pin[64];

	for (size_t i = 0; i < ELEMENTSOF(hooks); i++) {
		snprintf(pin, sizeof(pin), "progs/%s", hooks[i].program);
		f->hook_fd[i] = pins_open(PIN_DIR, pin, false);
		if (f->hook_fd[i] < 0)
			return f->hook_fd[i];
	}
	f->check_fd = pins_open(PIN_DIR, "progs/fw_check", false);
	return f->check_fd < 0 ? f->check_fd : 0;
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
	f->check_fd = -1;
	for (size_t i = 0; i < ELEMENTSOF(hooks); i++)
		f->hook_fd[i] = -1;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("bpf", MOUNT_DIR, "bpf", 0, "mode=0700") < 0)
		return -errno;

	r = load(f);
	if (r < 0)
		return r;
	r = open_programs(f);
	if (r < 0)
		return r;
	r = table_open(PIN_DIR, &f->table);
	if (r < 0)
		return r;
	r = make_lists(f->table);
	if (r < 0)
		return r;

	*ret = TAKE_PTR(f);
	return 0;
}

struct firewall *firewall_free(struct firewall *f)
{
	if (!f)
		return NULL;
	for (size_t i = 0; i < ELEMENTSOF(hooks); i++)
		closep(&f->hook_fd[i]);
	closep(&f->check_fd);
	table_free(f->table);
	loader_free(f->loader);
	free(f);
	return NULL;
}

struct table *firewall_table(struct firewall *f)
{
	return f->table;
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
	uint64_t hits;
};

static int collect(const struct table_entry *e, void *userdata)
{
	struct collection *c = userdata;

	if (c->n_items == ELEMENTSOF(c->items))
		return -E2BIG;
	c->items[c->n_items++] = *e;
	c->hits += e->hits;
	return 0;
}

static int remove_all(struct table *t)
{
	struct collection c = { 0 };
	int r;

	r = table_sweep(t, NULL, NULL); /* what has ended is not seen by a walk */
	if (r < 0)
		return r;
	r = table_walk(t, collect, &c);
	if (r < 0)
		return r;
	for (size_t i = 0; i < c.n_items; i++) {
		struct table_entry absent = { .target = c.items[i].target };

		r = table_restore(t, &absent);
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
	return table_add(f->table, &target, list, directions, until, &is_new);
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
	r = remove_all(f->table);
	if (r < 0)
		return r;
	for (char *e = strtok_r(copy, ",", &state); e; e = strtok_r(NULL, ",", &state)) {
		r = add_entry(f, e, soon);
		if (r < 0)
			return r;
	}
	r = table_commit(f->table);
	if (r < 0)
		return r;

	if (!strstr(entries, "ended"))
		return 0;
	while (tick_now() < soon)
		(void) usleep(JIFFY_USEC);
	(void) usleep(2 * JIFFY_USEC); /* the programs' clock may be that old */
	return 0;
}

static int take_snapshot(struct table *t, struct snapshot *ret)
{
	struct collection c = { 0 };
	int r;

	for (unsigned i = 0; i < FW_COUNTERS_MAX; i++) {
		r = table_read_counters(t, i / _FW_DIRECTION_MAX, i % _FW_DIRECTION_MAX, &ret->hooks[i]);
		if (r < 0)
			return r;
	}
	for (unsigned i = 0; i < _LIST_MAX; i++) {
		r = table_read_list_counters(t, i, &ret->lists[i]);
		if (r < 0)
			return r;
	}
	r = table_walk(t, collect, &c);
	ret->entry_hits = c.hits;
	return r;
}

static bool is_drop(enum fw_reason reason)
{
	return reason == FW_REASON_ADDRESS || reason == FW_REASON_PORT || reason == FW_REASON_MALFORMED;
}

static bool is_by_entry(enum fw_reason reason)
{
	return reason == FW_REASON_ADDRESS || reason == FW_REASON_PORT || reason == FW_REASON_ALLOWED ||
	       reason == FW_REASON_AUDITED;
}

/* Adds to a snapshot what the counters must gain by one packet. */
static void expect(struct snapshot *s, const struct hook *h, const struct expectation *e, size_t n_bytes)
{
	struct fw_counters *c = &s->hooks[fw_counters_index(h->hook, h->direction)];
	struct fw_list_counters *l = &s->lists[e->list];
	uint64_t n = e->n_packets ?: 1;

	c->packets += n;
	c->bytes += n_bytes;
	c->skbs++;
	c->syn += e->is & FRAME_IS_SYN ? n : 0;
	c->syn_ack += e->is & FRAME_IS_SYN_ACK ? n : 0;
	c->unparsed += e->is & FRAME_IS_UNPARSED ? n : 0;
	if (is_drop(e->reason)) {
		c->dropped += n;
		c->dropped_bytes += n_bytes;
	}
	if (e->reason != FW_REASON_NO_MATCH)
		c->reasons[e->reason] += n;

	if (!is_by_entry(e->reason))
		return;
	s->entry_hits += n;
	l->hits += n;
	l->would_drop += e->reason == FW_REASON_AUDITED ? n : 0;
	if (is_drop(e->reason)) {
		l->dropped += n;
		l->dropped_bytes += n_bytes;
	}
}

/* Prints the words in which two structs of counters differ; names are in the order of the words. */
static int compare(const char *what, const char *program, const char *of, const char *const *names,
		   size_t n_names, const void *want, const void *got)
{
	const uint64_t *w = want, *g = got;
	int n_different = 0;

	for (size_t i = 0; i < n_names; i++) {
		if (w[i] == g[i])
			continue;
		printf("# %s: %s: %s %s is off by %+lld\n", what, program, of, names[i], (long long)(g[i] - w[i]));
		n_different++;
	}
	return n_different;
}

static int compare_snapshots(const char *what, const char *program, const struct snapshot *want,
			     const struct snapshot *got)
{
	static const char *const hook_fields[] = {
		"packets", "bytes", "syn", "syn_ack", "dropped", "dropped_bytes", "unparsed", "skbs",
		"reason no-match", "reason not-ip", "reason allowed", "reason audited", "reason unparsed",
		"reason address", "reason port", "reason malformed",
	};
	static const char *const list_fields[] = { "hits", "dropped", "dropped_bytes", "would_drop" };
	static const char *const lists[_LIST_MAX] = { "manual", "allow", "other", "audit", "disabled" };
	int n = 0;
	char of[64];

	_Static_assert(sizeof(struct fw_counters) == sizeof(uint64_t) * ELEMENTSOF(hook_fields), "a name each");
	_Static_assert(sizeof(struct fw_list_counters) == sizeof(uint64_t) * ELEMENTSOF(list_fields), "a name each");

	for (unsigned i = 0; i < FW_COUNTERS_MAX; i++) {
		snprintf(of, sizeof(of), "%s %s", hook_to_string(i / _FW_DIRECTION_MAX),
			 direction_to_string(i % _FW_DIRECTION_MAX));
		n += compare(what, program, of, hook_fields, ELEMENTSOF(hook_fields), &want->hooks[i],
			     &got->hooks[i]);
	}
	for (unsigned i = 0; i < _LIST_MAX; i++)
		n += compare(what, program, lists[i], list_fields, ELEMENTSOF(list_fields), &want->lists[i],
			     &got->lists[i]);
	if (want->entry_hits != got->entry_hits) {
		printf("# %s: %s: the hits of entries are off by %+lld\n", what, program,
		       (long long)(got->entry_hits - want->entry_hits));
		n++;
	}
	return n;
}

/*
 * A test run always reads an Ethernet header first and gives a tc program all the bytes. To an L3
 * program they must begin with the IP header, so bytes 12 and 13 of that must look like its ethertype:
 * the first two of an IPv4 source, the third pair of an IPv6 one. False where the frame would mean
 * something else then.
 */
static bool frame_for_l3(struct frame *f, const struct frame_spec *spec, enum fw_direction direction)
{
	uint16_t ethertype = spec->family == AF_INET6 ? ETH_P_IPV6 : ETH_P_IP;

	if (!spec->family || spec->ethertype || spec->is_snap || spec->tags[0] || spec->n_ip)
		return false;
	if (spec->family == AF_INET && direction == FW_INGRESS)
		return false; /* the source decides here, and must stay as it is */
	if (spec->family == AF_INET6 && spec->src)
		return false;

	memmove(f->bytes, f->bytes + f->network, f->length - f->network);
	f->length -= f->network;
	f->bytes[12] = ethertype >> 8;
	f->bytes[13] = ethertype & 0xff;
	for (; f->length < ETHERNET_MIN; f->length++) /* a test run counts an IP header behind its Ethernet one */
		f->bytes[f->length] = 0;
	return true;
}

/* The kernel wants whole IP headers where the ethertype promises them, and one page at most. */
static bool is_refused(const struct frame *f)
{
	uint16_t ethertype = f->bytes[12] << 8 | f->bytes[13];
	size_t left = f->length - ETH_HLEN;

	return f->length < ETH_HLEN || f->length > 3000 || (ethertype == ETH_P_IP && left < 20) ||
	       (ethertype == ETH_P_IPV6 && left < 40);
}

/* A test run; the program's return value, or UNEXPECTED. */
static int run(int prog_fd, const struct frame *f, const struct expectation *e, bool is_check)
{
	struct __sk_buff ctx = { .gso_segs = e->n_packets };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = f->bytes, .data_size_in = f->length,
		    .ctx_in = &ctx, .ctx_size_in = sizeof(ctx), .repeat = 1);

	if (is_check)
		ctx.cb[0] = e->direction;
	if (bpf_prog_test_run_opts(prog_fd, &opts) < 0)
		return UNEXPECTED;
	return (int)opts.retval;
}

static int judge_hook(struct firewall *f, const char *what, const struct hook *h, const struct frame *frame,
		      const struct expectation *e)
{
	size_t n_bytes = frame->length - (h->layer == LAYER_CGROUP ? ETH_HLEN : 0);
	int want = is_drop(e->reason) ? h->drop : h->pass, got;
	struct snapshot before, after;
	int n_different = 0;

	if (take_snapshot(f->table, &before) < 0) {
		printf("# %s: %s: cannot read the counters\n", what, h->program);
		return 1;
	}
	got = run(f->hook_fd[h - hooks], frame, e, false);
	if (got != want) {
		printf("# %s: %s returns %d, expected %d%s%s\n", what, h->program, got, want,
		       got == UNEXPECTED ? ": " : "", got == UNEXPECTED ? strerror(errno) : "");
		n_different++;
	}
	if (take_snapshot(f->table, &after) < 0) {
		printf("# %s: %s: cannot read the counters\n", what, h->program);
		return 1;
	}
	expect(&before, h, e, n_bytes);
	return n_different + compare_snapshots(what, h->program, &before, &after);
}

/* fw_check must say what the hooks say, name the list, and leave no trace. */
static int judge_check(struct firewall *f, const char *what, const struct frame *frame, const struct expectation *e)
{
	struct snapshot before, after;
	int n_different = 0;
	uint32_t want, got;

	want = FW_ANSWER(is_drop(e->reason) ? FW_DROP : FW_PASS, e->reason, is_by_entry(e->reason) ? e->list : 0);
	if (take_snapshot(f->table, &before) < 0)
		return 1;
	got = run(f->check_fd, frame, e, true);
	if (got != want) {
		printf("# %s: fw_check says %s, list %u; expected %s, list %u\n", what,
		       reason_to_string(FW_ANSWER_REASON(got)) ?: "nothing", FW_ANSWER_LIST(got),
		       reason_to_string(e->reason), FW_ANSWER_LIST(want));
		n_different++;
	}
	if (take_snapshot(f->table, &after) < 0)
		return 1;
	return n_different + compare_snapshots(what, "fw_check", &before, &after);
}

int judge(struct firewall *f, const char *what, const struct frame_spec *spec, const struct expectation *e)
{
	struct frame frame, whole;
	int n_different = 0;

	if (frame_build(spec, &whole) < 0) {
		printf("# %s: no such frame\n", what);
		return 1;
	}
	if (is_refused(&whole))
		return 0; /* sent live by the namespace tests */

	for (size_t i = 0; i < ELEMENTSOF(hooks); i++) {
		const struct hook *h = &hooks[i];

		if (h->direction != e->direction)
			continue;
		if (h->layer == LAYER_CGROUP && (spec->tags[0] || spec->is_snap))
			continue; /* the stack has taken off the tags before the socket's hook */
		frame = whole;
		if (h->layer == LAYER_NETWORK && !frame_for_l3(&frame, spec, e->direction))
			continue;
		n_different += judge_hook(f, what, h, &frame, e);
	}
	return n_different + judge_check(f, what, &whole, e);
}
