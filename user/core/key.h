/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Secrets shared with a peer (RFC 9301 5.6): comparing them, and messages against them. */
#ifndef XTR_CORE_KEY_H
#define XTR_CORE_KEY_H

#include "codec/msg.h"
#include "core/config.h"

/* The same id, algorithm and secret? For keys of the configuration: not in constant time. */
bool xtr_key_equal(const struct xtr_key *a, const struct xtr_key *b);
/* Is the message (head decoded: xtr_register_decode_head) of this key id and algorithm, and does its MAC verify? A key of
 * XTR_AUTH_NONE takes every message that has none. */
bool xtr_key_signed(const struct xtr_key *key, const struct xtr_register *m);

#endif
