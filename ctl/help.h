/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Text and completion scripts, made from the rows of verbs and options. */

#include "ctl.h"

#define HELP_TARGET \
	"TARGET is an address, a prefix, a range of addresses (A-B), or a port:\n" \
	"tcp/80, udp/8000-8100."

void help_program(const struct verb *verbs);
void help_verb(const struct verb *v);
int help_completion(const struct verb *verbs, const char *shell); /* -EINVAL: no such shell */
