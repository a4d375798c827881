/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Scope-exit attributes: what a scope owns, the scope releases. Pointers start NULL, descriptors -1;
 * TAKE_PTR and TAKE_FD hand ownership on.
 */

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(fn) __attribute__((cleanup(fn)))

static inline void freep(void *p)
{
	free(*(void **)p);
}

static inline void closep(int *fd)
{
	if (*fd >= 0)
		(void) close(*fd); /* nothing to do about it here; writers check their own close */
}

static inline void fclosep(FILE **f)
{
	if (*f)
		(void) fclose(*f);
}

#define _cleanup_free_   _cleanup_(freep)
#define _cleanup_close_  _cleanup_(closep)
#define _cleanup_fclose_ _cleanup_(fclosep)

#define TAKE_PTR(p)                         \
	({                                  \
		__typeof__(p) *_pp = &(p);  \
		__typeof__(p) _taken = *_pp; \
		*_pp = NULL;                \
		_taken;                     \
	})

#define TAKE_FD(fd)              \
	({                       \
		int *_fp = &(fd); \
		int _taken = *_fp; \
		*_fp = -1;       \
		_taken;          \
	})

/* One past the last of n items. An array that was never made is NULL, of 0 items: even NULL + 0 is undefined. */
#define END_OF(items, n) ((n) > 0 ? (items) + (n) : (items))

#define ELEMENTSOF(array) (sizeof(array) / sizeof((array)[0]))
