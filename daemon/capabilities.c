// SPDX-License-Identifier: GPL-2.0-or-later

/* See capabilities.h. Without CAP_PERFMON the verifier refuses the programs with many lines that do not name it. */

#include <errno.h>
#include <linux/capability.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "capabilities.h"
#include "log/log.h"

#ifndef CAP_PERFMON
#define CAP_PERFMON 38
#define CAP_BPF     39
#endif

static const struct {
	unsigned number;
	const char *name;
} needed[] = {
	{ CAP_BPF,       "CAP_BPF" },
	{ CAP_NET_ADMIN, "CAP_NET_ADMIN" },
	{ CAP_PERFMON,   "CAP_PERFMON" },
};

int capabilities_check(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
	uint64_t have;

	if (syscall(SYS_capget, &header, data) < 0)
		return 0; /* the kernel will say what it refuses */
	have = (uint64_t)data[1].effective << 32 | data[0].effective;
	for (size_t i = 0; i < ELEMENTSOF(needed); i++)
		if (!(have >> needed[i].number & 1) && !(have >> CAP_SYS_ADMIN & 1)) /* which includes them for bpf() */
			return log_error(-EPERM, "%s is missing: start as root, and with it in CapabilityBoundingSet= of the unit",
					 needed[i].name);
	return 0;
}
