/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A fuzz target is one function that takes any bytes and aborts if what must hold does not.
 * libFuzzer calls it with what it invents, corpus.c with files.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)                                                                  \
	do {                                                                             \
		if (!(condition)) {                                                      \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                         \
		}                                                                        \
	} while (0)
