/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Pins fd under name if nothing is pinned there: 1 if it had to, 0 if the pin is there. */
int repin(const char *pin_dir, const char *name, int fd);
