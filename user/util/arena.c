// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Bump allocation from blocks in a list. Owns the blocks. Invariant: head is the block that is
 * filled now; what does not fit gets a new block at least as large as itself.
 */
#include "util/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE 16384

struct xtr_arena_block {
	struct xtr_arena_block *next;
	size_t size, used;
	alignas(max_align_t) unsigned char data[];
};

void *xtr_arena_alloc(struct xtr_arena *a, size_t size)
{
	const size_t align = alignof(max_align_t);
	struct xtr_arena_block *b = a->head;
	void *p;

	if (size > SIZE_MAX / 2)
		return NULL;
	size = (size + align - 1) / align * align;
	if (!b || b->size - b->used < size) {
		size_t room = size > BLOCK_SIZE ? size : BLOCK_SIZE;

		b = calloc(1, sizeof(*b) + room);
		if (!b)
			return NULL;
		b->size = room;
		b->next = a->head;
		a->head = b;
	}
	p = b->data + b->used;
	b->used += size;
	return p;
}

char *xtr_arena_copy(struct xtr_arena *a, const void *data, size_t len)
{
	char *p = len == SIZE_MAX ? NULL : xtr_arena_alloc(a, len + 1);

	if (p && len)
		memcpy(p, data, len);
	return p;
}

void xtr_arena_free(struct xtr_arena *a)
{
	while (a->head) {
		struct xtr_arena_block *b = a->head;

		a->head = b->next;
		explicit_bzero(b->data, b->size);
		free(b);
	}
}
