/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Keyed hash for tables whose keys come from the network: SipHash-1-3 under a key that is random
 * per process, so that nobody can send keys that all fall into one bucket. Include this before (or
 * instead of) uthash.h: it makes uthash use it.
 */
#ifndef XTR_UTIL_HASH_H
#define XTR_UTIL_HASH_H

#include <stddef.h>
#include <stdint.h>

#ifdef UTHASH_H
#error "include util/hash.h before uthash.h, or the tables use an unkeyed hash"
#endif

/* Under the key of this process. */
uint64_t xtr_hash(const void *data, size_t len);
/* SipHash-1-3 under a given key: for tests, and for values that have to be the same in two
 * processes. */
uint64_t xtr_hash_with(const uint8_t key[16], const void *data, size_t len);

#define HASH_FUNCTION(keyptr, keylen, hashv) ((hashv) = (unsigned)xtr_hash((keyptr), (keylen)))
#include <uthash.h>

#endif
