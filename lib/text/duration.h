/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* How long an entry shall hold: text <-> nanoseconds. */

#include <stdint.h>

/*
 * A duration to nanoseconds: "90" (seconds), "10m", "1d12h", "3h59m57.6s", "1w"; units
 * w d h m s ms, largest first, each once. "permanent" and "-1" give UINT64_MAX. -EINVAL: no
 * duration, or zero; -ERANGE: more than 292 years.
 */
int duration_parse(const char *text, uint64_t *ret_ns);

/* "1d12h", "59s", "permanent" (UINT64_MAX): at most the two largest units. Returns buffer. */
#define DURATION_TEXT_MAX 32
const char *duration_format(uint64_t ns, char buffer[static DURATION_TEXT_MAX]);
