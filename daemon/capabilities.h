/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Does this process have the capabilities to load and attach the programs? -EPERM: logged, with the one that is missing. */
int capabilities_check(void);
