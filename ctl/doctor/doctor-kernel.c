// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * The doctor's checks of the kernel: what it can do, found out by doing rather than by its version, and what each
 * thing it cannot do costs.
 */

#include "doctor/doctor.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <net/if.h>
#include <sys/utsname.h>

#include "base/cleanup.h"
#include "kernel/probe.h"

#define TCX_INGRESS 46 /* enum bpf_attach_type; the headers of kernels before 6.6 lack it */

static bool has_tcx(void)
{
	uint32_t n = 0;

	return bpf_prog_query((int)if_nametoindex("lo"), TCX_INGRESS, 0, NULL, NULL, &n) == 0;
}

static bool has_ring_buffer(void)
{
	return libbpf_probe_bpf_map_type(BPF_MAP_TYPE_RINGBUF, NULL) == 1;
}

static bool has_btf(void)
{
	return access("/sys/kernel/btf/vmlinux", R_OK) == 0;
}

static bool has_jit(void)
{
	return doctor_read_number("/proc/sys/net/core/bpf_jit_enable") != 0; /* not there: it is always on */
}

static bool is_closed_to_users(void)
{
	return doctor_read_number("/proc/sys/kernel/unprivileged_bpf_disabled") != 0;
}

static const struct feature {
	const char *name;
	bool (*is_there)(void);
	enum level missing;
	const char *loss; /* what is worse without it */
} features[] = {
	{ "tcx links (6.6)", has_tcx, LEVEL_NOTE,
	  "tc is attached by clsact filters, which any tool that cleans up removes, and the daemon puts back" },
	{ "XDP programs for frames in several buffers (5.18)", probe_xdp_buffers, LEVEL_NOTE,
	  "Hooks=xdp fails on interfaces with a large MTU" },
	{ "network namespaces told to cgroup programs (6.15)", probe_netns_cookie, LEVEL_NOTE,
	  "the cgroup hook leaves ports to tc and xdp; where it is the only hook, it judges them in containers, too" },
	{ "ring buffers (5.8)", has_ring_buffer, LEVEL_NOTE,
	  "no fwctl monitor, and no top dropped sources in the journal" },
	{ "types of the kernel (BTF)", has_btf, LEVEL_OK,
	  "not needed; bpftool shows maps as bytes" },
	{ "compiled programs (JIT)", has_jit, LEVEL_WARNING,
	  "packets take several times longer: sysctl net.core.bpf_jit_enable=1" },
	{ "BPF closed to users", is_closed_to_users, LEVEL_NOTE,
	  "every user may load programs: sysctl kernel.unprivileged_bpf_disabled=1" },
};

int doctor_read_number(const char *path)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	int n;

	if (!f)
		return -errno;
	return fscanf(f, "%d", &n) == 1 && n >= 0 ? n : -EBADMSG;
}

int doctor_check_kernel(struct doctor *d)
{
	struct utsname u;

	if (uname(&u) == 0)
		doctor_say(d, LEVEL_OK, NULL, "Linux %s", u.release);
	for (size_t i = 0; i < ELEMENTSOF(features); i++) {
		const struct feature *f = &features[i];

		if (f->is_there())
			doctor_say(d, LEVEL_OK, NULL, "has %s", f->name);
		else
			doctor_say(d, f->missing, f->loss, "lacks %s", f->name);
	}
	return 0;
}

int doctor_check_run_time(struct doctor *d)
{
	if (doctor_read_number("/proc/sys/kernel/bpf_stats_enabled") > 0)
		doctor_say(d, LEVEL_NOTE, "sysctl kernel.bpf_stats_enabled=0 when you have seen enough",
			   "the kernel measures every program, which itself costs some 20 ns a packet");
	else
		doctor_say(d, LEVEL_OK, NULL,
			   "not measured; to see what a packet costs: sysctl kernel.bpf_stats_enabled=1, and later 0");
	return 0;
}
