/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Binary prefix trie (path compressed) over octet-string keys with a length in bits. Holds opaque values, owns only
 * its nodes. One value per (key, length). Used for the map-cache, the EID database and the registration
 * database: one trie per (instance, address family).
 */
#ifndef XTR_UTIL_TRIE_H
#define XTR_UTIL_TRIE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define XTR_TRIE_MAX_BITS 256
#define XTR_TRIE_AHEAD    64 /* keys in one call of ahead */

struct xtr_trie;
struct xtr_trie *xtr_trie_new(void);
void xtr_trie_free(struct xtr_trie *t, void (*free_value)(void *)); /* free_value may be NULL */
size_t xtr_trie_count(const struct xtr_trie *t);
/* Sets the value; *old (if not NULL) gets the replaced one or NULL. 0, -ENOMEM, -EINVAL (bits too long, value NULL). */
int xtr_trie_set(struct xtr_trie *t, const uint8_t *key, unsigned bits, void *value, void **old);
void *xtr_trie_get(const struct xtr_trie *t, const uint8_t *key, unsigned bits);      /* exact */
void *xtr_trie_del(struct xtr_trie *t, const uint8_t *key, unsigned bits);            /* exact; returns the value */
/* Longest stored prefix that covers key/bits; *found gets its length. NULL if none. */
void *xtr_trie_match(const struct xtr_trie *t, const uint8_t *key, unsigned bits, unsigned *found);
/* The longest covering one that is shorter than bits (the parent in the stored set). */
void *xtr_trie_parent(const struct xtr_trie *t, const uint8_t *key, unsigned bits, unsigned *found);
/* Calls fn for every stored prefix inside key/bits (itself included), in key order, shorter first, until fn
 * returns non-zero, which is returned. fn must not change the trie. The key it gets is masked and followed by zeros to
 * XTR_TRIE_MAX_BITS. */
int xtr_trie_walk(const struct xtr_trie *t, const uint8_t *key, unsigned bits,
		  int (*fn)(void *ctx, const uint8_t *key, unsigned bits, void *value), void *ctx);
/* The same for every stored prefix that comes after key/bits in this order, be it stored or not: a walk that was left off
 * goes on here, whatever has changed since. */
int xtr_trie_walk_after(const struct xtr_trie *t, const uint8_t *key, unsigned bits,
			int (*fn)(void *ctx, const uint8_t *key, unsigned bits, void *value), void *ctx);
/* Several keys are about to be looked up, each in a trie of its own (NULL: none): what lies on their ways is asked from memory
 * for all of them at once, so that the lookups do not wait for it one after the other. Changes nothing. */
struct xtr_trie_key {
	const struct xtr_trie *t;
	unsigned bits;
	uint8_t key[XTR_TRIE_MAX_BITS / 8];
};
void xtr_trie_ahead(const struct xtr_trie_key *keys, unsigned n);
/* Shortest length n such that key/n holds no stored prefix: common bits with the closest stored prefix + 1
 * (RFC 9301 8.4, least-specific negative prefix). A stored prefix that covers key counts as its own
 * length + 1. More than bits: key/bits itself holds a stored prefix, there is no such n. 0 if the trie is empty. */
unsigned xtr_trie_hole(const struct xtr_trie *t, const uint8_t *key, unsigned bits);

#endif
