/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Port entries -> the index that the kernel searches. Pure: no map, no allocation. */

#include "abi.h"

/*
 * Builds the index over the used ones of FW_PORT_ENTRIES_MAX entries. -E2BIG: more than
 * FW_PORT_OVERLAP_MAX of them cover one port; then *ret is not to be used.
 */
int ports_build_index(const struct fw_port *entries, struct fw_port_index *ret);
