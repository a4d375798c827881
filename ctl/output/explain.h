/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* How the answer of check reads: its record as JSON, or as text that says what holds, and why. */

#include "output/output.h"

int explain_check(struct ctl *ctl, json_object *record);
