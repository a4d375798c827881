/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A list file is appended to, and would grow for ever with every ban and unban. When it is much longer than its entries
 * need, it is rewritten from scratch. A failure costs nothing: the long file has the same meaning.
 */

#include "ctl.h"

void compact_file(const struct ctl *ctl, struct table *t, unsigned list);
