/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "ctl.h"

/* stats --watch: what is counted in each interval, by hook and by interface. */
int rates_watch(struct ctl *ctl, struct table *t);
