/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Adds up the first n_words 64-bit counters of one element of a per-CPU map, over all CPUs. */
int percpu_sum(int fd, uint32_t key, size_t value_size, uint64_t *ret, size_t n_words);
