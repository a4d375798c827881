/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A writer that stops before each of its stores into a mapped map: for tests of what packets, and those who come when it
 * is killed there, find. x86-64 only.
 */

#include <stdbool.h>

/* Told before each store, N from 0 on, while the writer stands still. False kills the writer there. */
typedef bool (*stores_fn)(unsigned n, void *userdata);

/*
 * Does the work in a child. Stores into maps that are mapped by now are noticed, others are not. Returns how many stores
 * fn was told of, or a negative errno: that of the work, or -ENOTSUP on this machine.
 */
int stores_go_through(int (*work)(void *userdata), stores_fn fn, void *userdata);
