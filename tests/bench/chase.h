/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What memory costs on this machine: without it nanoseconds of two machines cannot be compared. */

#include <stddef.h>

/* Nanoseconds of a read whose address is in the one before, over so much memory in pages of 4 KiB. */
double chase(size_t n_bytes);
