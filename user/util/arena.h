/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Memory that is freed all at once: a parsed configuration and everything made from it.
 */
#ifndef XTR_UTIL_ARENA_H
#define XTR_UTIL_ARENA_H

#include <stddef.h>

struct xtr_arena_block;
struct xtr_arena { struct xtr_arena_block *head; };

/* Zeroed, aligned for any type. NULL when there is no memory. size 0 gives a valid pointer. */
void *xtr_arena_alloc(struct xtr_arena *a, size_t size);
/* A copy with a NUL behind it. */
char *xtr_arena_copy(struct xtr_arena *a, const void *data, size_t len);
/* Overwrites and frees everything: configurations hold secrets. a can be used again. */
void xtr_arena_free(struct xtr_arena *a);

#endif
