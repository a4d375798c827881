/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A frame read byte by byte, slowly, as the standards have it: what a packet test asks its rules about. Shares no code with
 * the programs' parser.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules.h"

/*
 * Fills in the address of that direction, and protocol and port. n_tags is how many VLAN tags the hook follows. A frame
 * that is not IP, and one whose address cannot be read, has no address.
 */
struct question dissect(const uint8_t *bytes, size_t length, enum fw_direction direction, unsigned n_tags);

/* At egress: the same for the final destination alone, that a routing header or a source route names. False: none does. */
bool dissect_final(const uint8_t *bytes, size_t length, unsigned n_tags, struct question *ret);
