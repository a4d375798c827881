/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The limit of open files, which a host with many interfaces reaches: each has two links, with xdp three. A link needs no
 * descriptor, since its pin holds it; with one, it stays attached although somebody removes the pin. So links get the
 * descriptors that nothing else needs.
 */

#include <stdbool.h>

/* Raises the soft limit to the hard one. -EMFILE: the hard limit is too low for the daemon itself, logged. */
int descriptors_raise(void);

/* Links are held by descriptors below this number: those above are for files, sockets and a reload. */
int descriptors_hold_below(void);

/* Are there none left, even for a moment? What the kernel refuses then says nothing about interfaces. */
bool descriptors_are_out(void);

/* The soft limit, for messages. */
unsigned long descriptors_limit(void);
