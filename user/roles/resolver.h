/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The Map-Resolvers a Map-Request can go to, and the request itself in its ECM: common to ITR and
 * lig. A resolver that left a request unanswered rests: it is tried after the others. RFC 9301 8.1.
 */
#ifndef XTR_ROLES_RESOLVER_H
#define XTR_ROLES_RESOLVER_H

#include "roles/role.h"

#define XTR_RESOLVERS_MAX 32

struct xtr_resolver {
	struct xtr_ip ip;
	uint64_t rest_until;
	uint64_t answered; /* last time a request that went there was answered */
};
struct xtr_resolvers {
	struct xtr_resolver r[XTR_RESOLVERS_MAX];
	unsigned n;
};

/* Takes the list of env->cfg, keeping the state of those that stay. */
void xtr_resolvers_set(struct xtr_resolvers *rs, const struct xtr_env *env);
/* The one to try after last (NULL: the first try). NULL: there is none we can reach. */
const struct xtr_ip *xtr_resolvers_pick(const struct xtr_resolvers *rs, const struct xtr_env *env,
					const struct xtr_ip *last);
void xtr_resolvers_answered(struct xtr_resolvers *rs, const struct xtr_ip *ip, uint64_t now);
/* No answer to what was sent to ip at `sent`. */
void xtr_resolvers_silent(struct xtr_resolvers *rs, const struct xtr_env *env,
			  const struct xtr_ip *ip, uint64_t sent);

struct xtr_ask {
	const struct xtr_eid_prefix *eid;
	const struct xtr_eid_prefix *source; /* source EID of the packet, or NULL */
	uint64_t nonce;
	uint32_t flags; /* XTR_MREQ_* */
};
/* Sends the Map-Request in an ECM. 0, -ENETUNREACH (no RLOC up), or what sending gave. */
int xtr_ask_send(struct xtr_env *env, const struct xtr_ask *ask, const struct xtr_ip *resolver);

#endif
