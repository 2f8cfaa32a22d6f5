/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Map-Requests that wait for their answer, by EID-prefix and by nonce. An entry outlives its answer
 * until the next request for the same EID-prefix is allowed (RFC 9301 5.3).
 *
 * Bounded: when it is full a new one pushes one out of the instance that has most of them, so that
 * one tenant's scan takes no room from another's; of these the oldest that no packet has asked for
 * again, as a scan sends to each destination once.
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
enum {
	XTR_WHY_MISS = 1 << 0,
	XTR_WHY_REFRESH = 1 << 1,
	XTR_WHY_SMR = 1 << 2,
	XTR_WHY_AGAIN = 1 << 3, /* with MISS: not the first packet lately */
};

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
	bool wanted;   /* a later packet asked for it too */
	uint8_t why;   /* XTR_WHY_* */
	uint8_t state; /* enum xtr_pending_state */
	uint8_t again_why;
	unsigned tries;
	uint64_t nonce;
	uint64_t started, sent;
	struct xtr_seek seek;
	bool parked; /* goes out as soon as its resolvers are known */
	/* A negative answer that is believed if nobody else knows more. */
	bool denied;
	uint8_t denied_act, silent; /* silent: tries without an answer since then */
	uint32_t denied_ttl;
	struct xtr_eid_prefix denied_eid;
	struct xtr_ip denied_by;
	struct xtr_timer timer;
	struct xtr_pending *newer, *older;     /* by start */
	struct xtr_pending *newer_in, *older_in; /* by start, of the same share */
	UT_hash_handle by_eid, by_nonce;
};

/* Instances, by a hash: their number is not limited. Two in one share compete with each other only. */
#define XTR_PENDING_SHARES 256
static inline unsigned xtr_pending_share(uint32_t iid)
{
	return iid * 0x9e3779b1u >> 24;
}

struct xtr_pendings {
	struct xtr_pending *eids, *nonces;
	struct {
		struct xtr_pending *newest, *oldest;
		uint32_t count;
	} share[XTR_PENDING_SHARES];
	struct xtr_pending *newest, *oldest;
	struct xtr_timers *timers;
	uint32_t count, limit;
	uint8_t kind;
};

/* kind: of the entries' timers. limit: entries, kept by who adds (xtr_pending_victim). */
void xtr_pendings_init(struct xtr_pendings *ps, struct xtr_timers *timers, uint8_t kind,
		       uint32_t limit);
void xtr_pendings_free(struct xtr_pendings *ps); /* and all entries */
/* By exactly this EID-prefix; by the nonce it waits for; NULL. */
struct xtr_pending *xtr_pending_find(const struct xtr_pendings *ps,
				     const struct xtr_eid_prefix *eid);
struct xtr_pending *xtr_pending_by_nonce(const struct xtr_pendings *ps, uint64_t nonce);
/* Who has to go when there is no room for a new one; NULL: nobody is there. */
struct xtr_pending *xtr_pending_victim(const struct xtr_pendings *ps);
/* A new one, not armed and without nonce; NULL if out of memory. The caller makes room before
 * (xtr_pending_victim). */
struct xtr_pending *xtr_pending_add(struct xtr_pendings *ps, const struct xtr_eid_prefix *eid);
/* Starts to wait for this nonce, or, with 0, ends waiting. -ENOMEM, -EEXIST. */
int xtr_pending_set_nonce(struct xtr_pendings *ps, struct xtr_pending *p, uint64_t nonce);
/* Takes it out, its timer too, and frees it. */
void xtr_pending_del(struct xtr_pendings *ps, struct xtr_pending *p);

#endif
