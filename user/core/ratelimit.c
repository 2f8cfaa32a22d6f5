// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Token buckets and the table of recent Map-Replies. RFC 9301 5.4 recommends one Map-Reply per 3 s
 * per destination RLOC; taken literally that starves an ITR that asks for many EIDs, so equal
 * answers are 3 s apart, and different ones to one RLOC share a token bucket. Answers to probes of
 * different RLOCs are not equal: each says of another one that it is reachable (RFC 9301 7.1).
 *
 * Both tables are set-associative with keyed fingerprints: a collision can only make the limit
 * stricter for a moment, and nobody outside can aim for one. When a set is full its oldest slot is
 * reused, so a flood can only loosen the limit per pair, never the two buckets.
 */
#include "util/hash.h"
#include "core/ratelimit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WAYS 4

bool xtr_bucket_take_above(struct xtr_bucket *b, uint32_t per_second, uint32_t burst, uint32_t keep,
			   uint64_t now)
{
	uint64_t max = (uint64_t)burst * 1000, gone = now + 1 - b->last;

	if (!b->last) {
		b->milli = max;
		gone = 0;
	}
	b->last = now + 1;
	/* A full bucket is reached after at most burst seconds at the lowest rate. */
	if (gone > (uint64_t)burst * 1000 || b->milli + gone * per_second > max)
		b->milli = max;
	else
		b->milli += gone * per_second;
	if (b->milli < 1000 + (uint64_t)keep * 1000)
		return false;
	b->milli -= 1000;
	return true;
}

bool xtr_bucket_take(struct xtr_bucket *b, uint32_t per_second, uint32_t burst, uint64_t now)
{
	return xtr_bucket_take_above(b, per_second, burst, 0, now);
}

static uint32_t sets_for(uint32_t per_second)
{
	uint32_t sets = 64;

	while (sets < 4096 && sets * WAYS < per_second / 8)
		sets *= 2;
	return sets;
}

int xtr_reply_limit_init(struct xtr_reply_limit *l, uint32_t per_second)
{
	uint32_t sets = sets_for(per_second);

	memset(l, 0, sizeof(*l));
	l->pairs = calloc((size_t)sets * WAYS, sizeof(*l->pairs));
	l->rlocs = calloc((size_t)sets, sizeof(*l->rlocs));
	if (!l->pairs || !l->rlocs) {
		xtr_reply_limit_free(l);
		return -ENOMEM;
	}
	l->mask = sets - 1;
	return 0;
}

void xtr_reply_limit_free(struct xtr_reply_limit *l)
{
	free(l->pairs);
	free(l->rlocs);
	memset(l, 0, sizeof(*l));
}

static struct xtr_reply_rloc *rloc_slot(struct xtr_reply_limit *l, uint64_t print)
{
	struct xtr_reply_rloc *set = &l->rlocs[(uint32_t)(print >> 32) & l->mask & ~(WAYS - 1u)],
			      *oldest = set;

	for (unsigned i = 0; i < WAYS; i++) {
		if (set[i].print == print)
			return &set[i];
		if (set[i].bucket.last < oldest->bucket.last)
			oldest = &set[i];
	}
	memset(oldest, 0, sizeof(*oldest));
	oldest->print = print;
	return oldest;
}

static struct xtr_reply_slot *pair_slot(struct xtr_reply_limit *l, uint64_t print)
{
	struct xtr_reply_slot *set = &l->pairs[((uint32_t)(print >> 32) & l->mask) * WAYS],
			      *oldest = set;

	for (unsigned i = 0; i < WAYS; i++) {
		if (set[i].print == print)
			return &set[i];
		if (set[i].at < oldest->at)
			oldest = &set[i];
	}
	memset(oldest, 0, sizeof(*oldest));
	return oldest;
}

bool xtr_reply_limit_take(struct xtr_reply_limit *l, const struct xtr_reply_rates *rates,
			  const struct xtr_ip *to, const struct xtr_eid_prefix *eid,
			  const struct xtr_ip *probed, uint64_t now)
{
	struct {
		struct xtr_ip to, probed;
		struct xtr_eid_prefix eid;
	} key;
	struct xtr_reply_slot *pair;
	struct xtr_reply_rloc *rloc;
	uint64_t print;

	memset(&key, 0, sizeof(key));
	key.to = *to;
	if (probed)
		key.probed = *probed;
	memcpy(&key.eid, eid, sizeof(*eid));
	print = xtr_hash(&key, sizeof(key)) | 1; /* 0 is an empty slot */
	pair = pair_slot(l, print);
	if (pair->print == print && now - pair->at < rates->interval)
		return false;
	rloc = rloc_slot(l, xtr_hash(&key.to, sizeof(key.to)) | 1);
	if (!xtr_bucket_take(&rloc->bucket, rates->per_rloc, rates->per_rloc, now) ||
	    !xtr_bucket_take(&l->all, rates->per_second, rates->per_second, now))
		return false;
	pair->print = print;
	pair->at = now;
	return true;
}
