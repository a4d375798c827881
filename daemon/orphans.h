/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Programs that a run before has attached, and that no pin in the pin directory holds: a second bpffs was mounted over the
 * first while no daemon ran. Which ones they were is in the run directory (footprint.h): to ask the kernel for a name takes
 * CAP_SYS_ADMIN. Logs.
 */

#include "load/loader.h"

/*
 * Warns of those that are still attached, and writes down what is attached now, with them. After everything runs the programs
 * of this run. cgroup: where ours are, "" = nowhere.
 */
void orphans_report(const char *run_dir, const char *pin_dir, const struct loader *loader, const char *cgroup);
