/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The enums of abi.h as words, as they appear in JSON, in the journal and on the terminal. */

#include <stddef.h>

#include "abi/abi.h"

/* NULL past the end of the enum. */
const char *hook_to_string(enum fw_hook h);           /* "xdp", "tc", "cgroup" */
int hook_from_string(const char *text, size_t length); /* -EINVAL: none. Exact, lower case */
const char *direction_to_string(enum fw_direction d); /* "ingress", "egress" */
const char *verdict_to_string(enum fw_verdict v);     /* "pass", "drop" */
const char *reason_to_string(enum fw_reason r);       /* "no-match", "address", ... */
const char *mechanism_to_string(enum fw_mechanism m); /* "tcx", "clsact", ... */
