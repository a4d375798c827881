/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What is attached in another network namespace, as far as pins tell. */

#include "kernel/netns.h"

/*
 * Is something of ours attached to an interface there, as far as pins tell? A link whose interface is gone, with its
 * namespace or without, is not. The marks of clsact qdiscs remain when their namespace goes, unless its number is in use
 * again: by us.
 */
bool netns_is_filtered(const char *pin_dir, const struct fw_meta *meta);
