/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A list file is appended to, and would grow with every ban and unban for ever. When it is much
 * longer than its entries need, it is written anew. A failure costs nothing: the long file says the
 * same.
 */

#include "ctl.h"

void compact_file(const struct ctl *ctl, struct table *t, unsigned list);
