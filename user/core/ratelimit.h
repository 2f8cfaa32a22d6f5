/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Rate limits: a token bucket, and the limit of Map-Replies per receiver (RFC 9301 5.4). Fixed
 * memory, whatever the network sends.
 */
#ifndef XTR_CORE_RATELIMIT_H
#define XTR_CORE_RATELIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "codec/eid.h"

struct xtr_bucket {
	uint64_t last;  /* milliseconds + 1; 0: never used, full */
	uint64_t milli; /* thousandths of tokens */
};

/* Takes a token from a bucket of so many a second that holds at most burst. A zeroed bucket is
 * full. */
bool xtr_bucket_take(struct xtr_bucket *b, uint32_t per_second, uint32_t burst, uint64_t now);
/* The same, but only if `keep` more than that one are in it: what is kept is for others that matter
 * more. */
bool xtr_bucket_take_above(struct xtr_bucket *b, uint32_t per_second, uint32_t burst, uint32_t keep,
			   uint64_t now);

struct xtr_reply_slot {
	uint64_t print, at;
};
struct xtr_reply_rloc {
	uint64_t print;
	struct xtr_bucket bucket;
};
struct xtr_reply_limit {
	struct xtr_reply_slot *pairs; /* the last time of (EID-prefix, probed RLOC) to an RLOC */
	struct xtr_reply_rloc *rlocs;
	uint32_t mask; /* sets of pairs - 1 */
	struct xtr_bucket all;
};

/* Memory follows the rate: at most 384 KiB. 0, -ENOMEM. */
int xtr_reply_limit_init(struct xtr_reply_limit *l, uint32_t per_second);
void xtr_reply_limit_free(struct xtr_reply_limit *l);
struct xtr_reply_rates {
	uint32_t per_second, per_rloc, interval; /* interval: ms between equal answers */
};
/* May this answer be sent now? Counts it if so. probed: the RLOC, of ours, that was probed; NULL: no probe. */
bool xtr_reply_limit_take(struct xtr_reply_limit *l, const struct xtr_reply_rates *rates,
			  const struct xtr_ip *to, const struct xtr_eid_prefix *eid,
			  const struct xtr_ip *probed, uint64_t now);

#endif
