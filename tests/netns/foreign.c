// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Somebody else's BPF programs, for tests of living beside them: they count what they see and let it
 * pass, or drop everything. Attachments are pinned, so that they outlive this process as real ones do.
 */

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "verbs.h"

/* As in linux/bpf.h of kernel 6.6 and later. */
#define TCX_INGRESS 46
#define TCX_EGRESS  47
#define TCX_BEFORE  8

/* One counter, pinned beside the attachment. */
static int make_counter(const char *pin)
{
	_cleanup_close_ int fd = -1;
	char path[4096];

	snprintf(path, sizeof(path), "%s_count", pin);
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "foreign", sizeof(uint32_t), sizeof(uint64_t), 1, NULL);
	if (fd < 0 || bpf_obj_pin(fd, path) < 0)
		return -errno;
	return TAKE_FD(fd);
}

/* counter += 1; return verdict. */
static int load_counting(enum bpf_prog_type type, enum bpf_attach_type expected, int counter_fd, int verdict)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = BPF_REG_1, .src_reg = BPF_PSEUDO_MAP_VALUE,
		  .imm = counter_fd },
		{ 0 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2, .imm = 1 },
		{ .code = BPF_STX | BPF_ATOMIC | BPF_DW, .dst_reg = BPF_REG_1, .src_reg = BPF_REG_2,
		  .imm = BPF_ADD },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = verdict },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = expected);

	return bpf_prog_load(type, "foreign", "GPL", insns, ELEMENTSOF(insns), &opts);
}

static int pin_program(enum bpf_prog_type type, int verdict, const char *pin)
{
	_cleanup_close_ int counter = -1, prog = -1;

	counter = make_counter(pin);
	if (counter < 0)
		return counter;
	prog = load_counting(type, 0, counter, verdict);
	if (prog < 0 || bpf_obj_pin(prog, pin) < 0)
		return -errno;
	return 0;
}

/* What it says to each packet: pass goes on to the next program, accept ends the chain. */
static int tc_verdict(const char *name)
{
	return strcmp(name, "drop") == 0 ? 2 : strcmp(name, "accept") == 0 ? 0 : -1;
}

/* program pass|drop|accept PIN: loads and pins, for tc(8) to attach as a filter. */
static int verb_program(char **argv)
{
	return pin_program(BPF_PROG_TYPE_SCHED_CLS, tc_verdict(argv[0]), argv[1]);
}

/* xdp-program pass|drop PIN: the same for "ip link set DEV xdp pinned PIN". */
static int verb_xdp_program(char **argv)
{
	return pin_program(BPF_PROG_TYPE_XDP, strcmp(argv[0], "drop") == 0 ? XDP_DROP : XDP_PASS, argv[1]);
}

/* xdp DEV PIN: a pinned XDP program by a link, which the kernel refuses where another program is. */
static int verb_xdp(char **argv)
{
	_cleanup_close_ int prog = bpf_obj_get(argv[1]), link = -1;

	if (prog < 0)
		return -errno;
	link = bpf_link_create(prog, if_nametoindex(argv[0]), BPF_XDP, NULL);
	return link < 0 ? -errno : 0;
}

static enum bpf_attach_type cgroup_type(const char *direction)
{
	return strcmp(direction, "egress") == 0 ? BPF_CGROUP_INET_EGRESS : BPF_CGROUP_INET_INGRESS;
}

static enum bpf_attach_type tcx_type(const char *direction)
{
	return strcmp(direction, "egress") == 0 ? TCX_EGRESS : TCX_INGRESS;
}

static int attach_tcx(char **argv, unsigned flags)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = flags);
	_cleanup_close_ int counter = -1, prog = -1, link = -1;

	counter = make_counter(argv[3]);
	if (counter < 0)
		return counter;
	prog = load_counting(BPF_PROG_TYPE_SCHED_CLS, 0, counter, tc_verdict(argv[2]));
	if (prog < 0)
		return -errno;
	link = bpf_link_create(prog, if_nametoindex(argv[0]), tcx_type(argv[1]), &opts);
	if (link < 0 || bpf_obj_pin(link, argv[3]) < 0)
		return -errno;
	return 0;
}

/* tcx DEV ingress|egress pass|drop|accept PIN: after all that are attached already. */
static int verb_tcx(char **argv)
{
	return attach_tcx(argv, 0);
}

/* tcx-first DEV ingress|egress pass|drop|accept PIN: before them. */
static int verb_tcx_first(char **argv)
{
	return attach_tcx(argv, TCX_BEFORE);
}

/* cgroup DIR ingress|egress exclusive|override|multi PIN: the old way, without a link. */
static int verb_cgroup(char **argv)
{
	enum bpf_attach_type type = cgroup_type(argv[1]);
	_cleanup_close_ int counter = -1, prog = -1, dir = -1;
	unsigned flags = 0;

	if (strcmp(argv[2], "override") == 0)
		flags = BPF_F_ALLOW_OVERRIDE;
	else if (strcmp(argv[2], "multi") == 0)
		flags = BPF_F_ALLOW_MULTI;

	counter = make_counter(argv[3]);
	if (counter < 0)
		return counter;
	prog = load_counting(BPF_PROG_TYPE_CGROUP_SKB, type, counter, 1);
	dir = open(argv[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (prog < 0 || dir < 0 || bpf_prog_attach(prog, dir, type, flags) < 0 || bpf_obj_pin(prog, argv[3]) < 0)
		return -errno;
	return 0;
}

/* leave DIR ingress|egress PIN: undoes cgroup. */
static int verb_leave(char **argv)
{
	_cleanup_close_ int prog = -1, dir = -1;

	prog = bpf_obj_get(argv[2]);
	dir = open(argv[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (prog < 0 || dir < 0 || bpf_prog_detach2(prog, dir, cgroup_type(argv[1])) < 0)
		return -errno;
	return 0;
}

/* id PIN: prints the id of a pinned program. */
static int verb_id(char **argv)
{
	struct bpf_prog_info info = { 0 };
	_cleanup_close_ int fd = -1;
	uint32_t size = sizeof(info);

	fd = bpf_obj_get(argv[0]);
	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		return -errno;
	printf("%u\n", info.id);
	return 0;
}

/* count PIN: prints how many packets it has seen. */
static int verb_count(char **argv)
{
	_cleanup_close_ int fd = -1;
	uint64_t value = 0;
	uint32_t first = 0;
	char path[4096];

	snprintf(path, sizeof(path), "%s_count", argv[0]);
	fd = bpf_obj_get(path);
	if (fd < 0 || bpf_map_lookup_elem(fd, &first, &value) < 0)
		return -errno;
	printf("%llu\n", (unsigned long long)value);
	return 0;
}

/* link PIN: prints the id of a pinned link, and the interface it is on, 0 where that is gone. */
static int verb_link(char **argv)
{
	struct bpf_link_info info = { 0 };
	_cleanup_close_ int fd = -1;
	uint32_t size = sizeof(info);

	fd = bpf_obj_get(argv[0]);
	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		return -errno;
	printf("%u %u\n", info.id, info.xdp.ifindex); /* a tcx link has its ifindex in the same place */
	return 0;
}

/* update PIN pass|drop|accept: gives a tcx link another program. */
static int verb_update(char **argv)
{
	_cleanup_close_ int link = -1, map = -1, prog = -1;

	map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "foreign", sizeof(uint32_t), sizeof(uint64_t), 1, NULL);
	link = bpf_obj_get(argv[0]);
	if (map < 0 || link < 0)
		return -errno;
	prog = load_counting(BPF_PROG_TYPE_SCHED_CLS, 0, map, tc_verdict(argv[1]));
	if (prog < 0 || bpf_link_update(link, prog, NULL) < 0)
		return -errno;
	return 0;
}

/* attached DEV ingress|egress: prints how many tcx programs are there. */
static int verb_attached(char **argv)
{
	uint32_t ids[64], n_ids = ELEMENTSOF(ids);

	if (bpf_prog_query(if_nametoindex(argv[0]), tcx_type(argv[1]), 0, NULL, ids, &n_ids) < 0)
		return -errno;
	printf("%u\n", n_ids);
	return 0;
}

/* array SIZE PIN: a map that is none of ours. */
static int verb_array(char **argv)
{
	_cleanup_close_ int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "foreign", sizeof(uint32_t), (uint32_t)atoi(argv[0]), 1, NULL);

	return fd < 0 || bpf_obj_pin(fd, argv[1]) < 0 ? -errno : 0;
}

static const struct verb verbs[] = {
	{ "program",  "pass|drop|accept PIN",                            2, verb_program  },
	{ "xdp-program", "pass|drop PIN",                                2, verb_xdp_program },
	{ "xdp",      "DEV PIN",                                         2, verb_xdp      },
	{ "tcx",      "DEV ingress|egress pass|drop|accept PIN",         4, verb_tcx      },
	{ "tcx-first", "DEV ingress|egress pass|drop|accept PIN",        4, verb_tcx_first },
	{ "cgroup",   "DIR ingress|egress exclusive|override|multi PIN", 4, verb_cgroup   },
	{ "leave",    "DIR ingress|egress PIN",                          3, verb_leave    },
	{ "id",       "PIN",                                             1, verb_id       },
	{ "count",    "PIN",                                             1, verb_count    },
	{ "link",     "PIN",                                             1, verb_link     },
	{ "update",   "PIN pass|drop|accept",                            2, verb_update   },
	{ "attached", "DEV ingress|egress",                              2, verb_attached },
	{ "array",    "SIZE PIN",                                        2, verb_array    },
	{}
};

int main(int argc, char **argv)
{
	const struct verb *v = verb_find(verbs, "foreign", argc, argv);
	int r;

	if (!v)
		return 2;
	r = v->run(argv + 2);
	if (r < 0)
		fprintf(stderr, "foreign: %s: %s\n", v->name, strerror(-r));
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
