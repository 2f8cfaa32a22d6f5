/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Map-Requests that wait for their answer, by EID-prefix and by nonce. Bounded: a new one pushes
 * the oldest out. An entry outlives its answer until the next request for the same EID-prefix is
 * allowed (RFC 9301 5.3).
 */
#ifndef XTR_CORE_PENDING_H
#define XTR_CORE_PENDING_H

#include "util/hash.h"
#include "core/timer.h"
#include "codec/eid.h"

enum xtr_pending_state {
	XTR_PENDING_WAITING, /* a request is out */
	XTR_PENDING_DONE,    /* answered; kept for the rate limit */
	XTR_PENDING_HOLDOFF, /* no answer to all tries: quiet for a while */
};
enum { XTR_WHY_MISS = 1 << 0, XTR_WHY_REFRESH = 1 << 1, XTR_WHY_SMR = 1 << 2 };

/* How far a question has got: stages are sets of resolvers that may each know what the one before
 * does not (roles/resolver.h). */
#define XTR_SEEK_WIDTH 3 /* asked in one stage before the next one */
struct xtr_seek {
	struct xtr_ip at; /* asked last; family 0: nobody yet */
	uint8_t stage;
	uint8_t tried; /* of this stage, silent or without success */
	/* Said no in stage 0: what they know they know for every stage, and equal answers would be
	 * held back for a while (RFC 9301 5.4). */
	uint8_t denials;
	struct xtr_ip denied[XTR_SEEK_WIDTH];
};

struct xtr_pending {
	struct xtr_eid_prefix eid, source;
	bool has_source;
	bool again;    /* asked for once more while it may not be sent */
	uint8_t why;   /* XTR_WHY_* */
	uint8_t state; /* enum xtr_pending_state */
	uint8_t again_why;
	unsigned tries;
	uint64_t nonce;
	uint64_t started, sent, answered_at;
	struct xtr_seek seek;
	bool parked; /* goes out as soon as its resolvers are known */
	/* A negative answer that is believed if nobody else knows more. */
	bool denied;
	uint8_t denied_act, silent; /* silent: tries without an answer since then */
	uint32_t denied_ttl;
	struct xtr_eid_prefix denied_eid;
	struct xtr_ip denied_by;
	struct xtr_timer timer;
	struct xtr_pending *newer, *older; /* by start */
	UT_hash_handle by_eid, by_nonce;
};

struct xtr_pendings {
	struct xtr_pending *eids, *nonces;
	struct xtr_pending *newest, *oldest;
	struct xtr_timers *timers;
	uint32_t count, limit;
	uint8_t kind;
};

void xtr_pendings_init(struct xtr_pendings *ps, struct xtr_timers *timers, uint8_t kind,
		       uint32_t limit);
void xtr_pendings_free(struct xtr_pendings *ps);
struct xtr_pending *xtr_pending_find(const struct xtr_pendings *ps,
				     const struct xtr_eid_prefix *eid);
struct xtr_pending *xtr_pending_by_nonce(const struct xtr_pendings *ps, uint64_t nonce);
/* A new one, not armed and without nonce; NULL if out of memory. The caller makes room before
 * (ps->oldest). */
struct xtr_pending *xtr_pending_add(struct xtr_pendings *ps, const struct xtr_eid_prefix *eid);
/* Starts to wait for this nonce, or, with 0, ends waiting. -ENOMEM, -EEXIST. */
int xtr_pending_set_nonce(struct xtr_pendings *ps, struct xtr_pending *p, uint64_t nonce);
void xtr_pending_del(struct xtr_pendings *ps, struct xtr_pending *p);

#endif
