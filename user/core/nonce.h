/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The nonce of the messages we authenticate: strictly increasing for the life of the router,
 * restarts included (RFC 9301 5.6). One sequence serves all keys and all receivers.
 */
#ifndef XTR_CORE_NONCE_H
#define XTR_CORE_NONCE_H

#include "core/ops.h"

struct xtr_nonce_seq {
	uint64_t next;
	uint64_t limit; /* nonces below are covered by what is stored */
	bool stored;    /* the state directory took the limit */
};

/* From the wall clock (seconds in the upper half), or from what the state directory has if that is ahead; takes a reserve
 * there. Without a state directory the clock has to do. */
void xtr_nonce_open(struct xtr_nonce_seq *s, const struct xtr_ops *ops);
/* Each value once; extends the reserve when it is used up. */
uint64_t xtr_nonce_next(struct xtr_nonce_seq *s, const struct xtr_ops *ops);
/* The next one shall not be guessed by who knows about when we started: leaves out so many (random,
 * below 2^28: with less than 32 of these a second the clock stays ahead). */
void xtr_nonce_skip(struct xtr_nonce_seq *s, const struct xtr_ops *ops, uint32_t by);
/* Gives the unused part of the reserve back. */
void xtr_nonce_close(struct xtr_nonce_seq *s, const struct xtr_ops *ops);

#endif
