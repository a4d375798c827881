/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Makes or checks the pin directory. Each way to fail has its own sentence with the remedy. */
int pindir_prepare(const char *pin_dir);
