/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What is known of one DNS name of a Map-Server set: the addresses in use, since when, and when to
 * ask again. Answers come from outside and are judged here; nothing here asks.
 */
#ifndef XTR_CORE_NAMESET_H
#define XTR_CORE_NAMESET_H

#include "core/config.h"
#include "core/ops.h"
#include "core/timer.h"

#define XTR_NAME_ADDRS 16

/* What answers are judged by; all values in use, no 0 for a default. */
struct xtr_name_rules {
	uint8_t family; /* 4, 6; 0: both */
	uint8_t max_addresses;
	bool require_dnssec, allow_loopback, allow_private;
	uint32_t ttl_min, ttl_max, retry_min, retry_max; /* ms */
};

struct xtr_nameset {
	struct xtr_ip addrs[XTR_NAME_ADDRS]; /* numeric order, each once */
	uint8_t count;
	bool stale;         /* the last lookup failed; addrs are of an earlier one */
	bool saved;         /* never answered since start */
	bool authenticated; /* what addrs come from */
	unsigned ignored;   /* addresses of the last answer that are not used */
	uint32_t ttl;       /* seconds, as answered */
	uint64_t answered;  /* last good answer; XTR_NEVER */
	unsigned failures;  /* in a row */
	char why[96];       /* of the last failure; empty: none */
};

/* What an answer meant. */
enum {
	XTR_NAMESET_CHANGED = 1 << 0, /* the set in use */
	XTR_NAMESET_FAILED = 1 << 1,  /* nothing usable came; the set in use stays */
	XTR_NAMESET_STALE = 1 << 2,   /* first failure after a good answer */
};

/* The configured values, with the defaults for what is 0. */
void xtr_name_rules_of(const struct xtr_pull_config *cfg, struct xtr_name_rules *out);
void xtr_nameset_init(struct xtr_nameset *n);
/* Returns XTR_NAMESET_*. */
unsigned xtr_nameset_take(struct xtr_nameset *n, const struct xtr_name_rules *rules,
			  const struct xtr_dns_answer *answer, uint64_t now);
/* Addresses of an earlier run: used until there is an answer. False: none may be used. */
bool xtr_nameset_restore(struct xtr_nameset *n, const struct xtr_name_rules *rules,
			 const struct xtr_dns_answer *saved);
/* Milliseconds from the last answer to the next lookup: before the TTL ends, or with doubling
 * distance after failures. random spreads it. */
uint64_t xtr_nameset_wait(const struct xtr_nameset *n, const struct xtr_name_rules *rules,
			  uint64_t random);

#endif
