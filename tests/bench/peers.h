/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The filters of live.bpf.c, attached in the namespace that the caller is in, until the program ends. */

#include "live.h"
#include "live.skel.h"

/* Attaches the one that a filter of this name is; 0 if it is none of them. */
int peer_attach(struct live *skel, const char *name, const char *device);

/* Fills the article's list, and begins to read its events on the last CPU as they come. */
int peer_start_article(struct live *skel, size_t n_entries, uint64_t seed);

/* How many events it has read. */
uint64_t peer_n_events(void);
