/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdint.h>

#include "table.h"

/*
 * List files -> maps, at start. What the maps hold already stays as it is: fwctl has changed both, or
 * the maps alone (--runtime), while no daemon ran. What only the files hold is added, so that on maps
 * fresh from loading this restores everything; a file that says what the maps hold is not read, which its
 * stamp tells (fw_list.file_stamp). The lists 'allow' and 'manual' come first: there may not be room for
 * all. A file that cannot be read costs only itself; one that makes no sense is moved aside. The caller
 * holds the writer lock and calls table_commit(). Logs.
 */
int restore_lists(const char *state_dir, struct table *t);
