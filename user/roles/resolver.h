/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The Map-Resolvers a Map-Request can go to, and the request itself in its ECM: common to ITR and
 * lig. A resolver that left a request unanswered rests: it is tried after the others. RFC 9301 8.1.
 *
 * Where they depend on the EID (LISP-Decent, env->find), they come in stages: sets of which each
 * may know what the one before does not. Within a stage several are asked before a "no" is
 * believed, since one that has just joined the set knows nothing yet; nor is the silence of one the
 * silence of all (draft-farinacci-lisp-decent-10, X12).
 */
#ifndef XTR_ROLES_RESOLVER_H
#define XTR_ROLES_RESOLVER_H

#include "core/pending.h"
#include "roles/role.h"

#define XTR_RESOLVERS_MAX 32
#define XTR_RESTING_MAX 64

struct xtr_resolver {
	struct xtr_ip ip;
	uint64_t rest_until;
	uint64_t answered; /* last time a request that went there was answered */
};
struct xtr_resolvers {
	struct xtr_ip list[XTR_RESOLVERS_MAX]; /* configured, in order of preference */
	unsigned n;
	unsigned turn;
	/* What is known of those asked lately; the oldest makes room. */
	struct xtr_resolver seen[XTR_RESTING_MAX];
	unsigned seen_count, seen_next;
};

/* Takes the list of env->cfg. */
void xtr_resolvers_set(struct xtr_resolvers *rs, const struct xtr_env *env);
/* Is there anybody to ask at all, now or later? */
bool xtr_resolvers_any(const struct xtr_resolvers *rs, const struct xtr_env *env);
/* The next one to ask about eid, which becomes seek->at; *seek zeroed before the first. NULL: there
 * is none we can reach now; *wait: one may become known any moment. */
const struct xtr_ip *xtr_seek_next(struct xtr_resolvers *rs, const struct xtr_env *env,
				   const struct xtr_eid_prefix *eid, struct xtr_seek *seek,
				   bool *wait);
/* seek->at said that eid does not exist. Is there somebody who may know better? */
bool xtr_seek_more(const struct xtr_resolvers *rs, const struct xtr_env *env,
		   const struct xtr_eid_prefix *eid, const struct xtr_seek *seek);
/* seek->at said no. Before xtr_seek_more(). */
void xtr_seek_denied(struct xtr_seek *seek);
void xtr_resolvers_answered(struct xtr_resolvers *rs, const struct xtr_ip *ip, uint64_t now);
/* No answer to what was sent to ip at `sent`. */
void xtr_resolvers_silent(struct xtr_resolvers *rs, const struct xtr_env *env,
			  const struct xtr_ip *ip, uint64_t sent);
bool xtr_resolvers_resting(const struct xtr_resolvers *rs, const struct xtr_env *env,
			   const struct xtr_ip *ip);

struct xtr_ask {
	const struct xtr_eid_prefix *eid;
	const struct xtr_eid_prefix *source; /* source EID of the packet, or NULL */
	uint64_t nonce;
	uint32_t flags; /* XTR_MREQ_* */
};
/* Sends the Map-Request in an ECM. 0, -ENETUNREACH (no RLOC up), or what sending gave. */
int xtr_ask_send(struct xtr_env *env, const struct xtr_ask *ask, const struct xtr_ip *resolver);

#endif
