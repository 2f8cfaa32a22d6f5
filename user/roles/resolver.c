// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Choice of the Map-Resolver and construction of the encapsulated Map-Request. RFC
 * 9301 5.2, 5.3, 5.8, 8.1.
 */
#include "roles/resolver.h"

#include <errno.h>
#include <string.h>

#define ITR_RLOCS 16 /* more would not fit into the 576 octets of RFC 9301 5 */

static struct xtr_resolver *find(struct xtr_resolvers *rs, const struct xtr_ip *ip)
{
	for (unsigned i = 0; i < rs->n; i++)
		if (!xtr_ip_cmp(&rs->r[i].ip, ip))
			return &rs->r[i];
	return NULL;
}

void xtr_resolvers_set(struct xtr_resolvers *rs, const struct xtr_env *env)
{
	struct xtr_resolvers old = *rs;

	memset(rs, 0, sizeof(*rs));
	for (unsigned i = 0; i < env->cfg.map_resolver_count && rs->n < XTR_RESOLVERS_MAX; i++) {
		const struct xtr_resolver *was = find(&old, &env->cfg.map_resolvers[i]);

		if (was)
			rs->r[rs->n] = *was;
		else
			rs->r[rs->n].ip = env->cfg.map_resolvers[i];
		rs->n++;
	}
}

static bool reachable(const struct xtr_env *env, const struct xtr_ip *ip)
{
	return xtr_env_rloc(env, ip->family);
}

/* Configured order is the order of preference; a retransmission goes to the next one. Resting ones
 * come last, the longest resting first. */
const struct xtr_ip *xtr_resolvers_pick(const struct xtr_resolvers *rs, const struct xtr_env *env,
					const struct xtr_ip *last)
{
	const struct xtr_resolver *resting = NULL;
	unsigned start = 0;

	for (unsigned i = 0; last && last->family && i < rs->n; i++)
		if (!xtr_ip_cmp(&rs->r[i].ip, last))
			start = i + 1;
	for (unsigned i = 0; i < rs->n; i++) {
		const struct xtr_resolver *r = &rs->r[(start + i) % rs->n];

		if (!reachable(env, &r->ip))
			continue;
		if (r->rest_until <= env->now)
			return &r->ip;
		if (!resting || r->rest_until < resting->rest_until)
			resting = r;
	}
	return resting ? &resting->ip : NULL;
}

void xtr_resolvers_answered(struct xtr_resolvers *rs, const struct xtr_ip *ip, uint64_t now)
{
	struct xtr_resolver *r = find(rs, ip);

	if (!r)
		return;
	r->answered = now;
	r->rest_until = 0;
}

void xtr_resolvers_silent(struct xtr_resolvers *rs, const struct xtr_env *env,
			  const struct xtr_ip *ip, uint64_t sent)
{
	struct xtr_resolver *r = find(rs, ip);

	/* An answer to another request since then: it is not the resolver that is silent. */
	if (r && !(r->answered && r->answered >= sent))
		r->rest_until = env->now + env->cfg.timers.resolver_rest;
}

/* An own address of the family for the inner header: an RLOC, the packet's source, or an EID of
 * ours. The answer does not go there (it goes to an ITR-RLOC), only its port counts; but both inner
 * addresses have to be of one family. */
static bool inner_source(const struct xtr_env *env, const struct xtr_ask *ask, uint8_t family,
			 struct xtr_ip *out)
{
	const struct xtr_ip *rloc = xtr_env_rloc(env, family);
	struct xtr_ippfx p;

	if (rloc) {
		*out = *rloc;
		return true;
	}
	if (ask->source && xtr_eid_to_ippfx(ask->source, &p) && p.ip.family == family) {
		*out = p.ip;
		return true;
	}
	for (unsigned i = 0; i < env->cfg.mapping_count; i++)
		if (xtr_eid_to_ippfx(&env->cfg.mappings[i].eid, &p) && p.ip.family == family) {
			*out = p.ip;
			return true;
		}
	return false;
}

int xtr_ask_send(struct xtr_env *env, const struct xtr_ask *ask, const struct xtr_ip *resolver)
{
	uint8_t msg[1024], buf[1200];
	struct xtr_wr w = xtr_wr_init(msg, sizeof(msg)), e = xtr_wr_init(buf, sizeof(buf));
	const struct xtr_ip *src = xtr_env_rloc(env, resolver->family);
	struct xtr_ip inner_src, inner_dst;
	struct xtr_ippfx eid;
	const struct xtr_mreq_out m = {
		.flags = ask->flags,
		.nonce = ask->nonce,
		.source_eid = ask->source,
		.itr_rlocs = env->up,
		.itr_rloc_count = (uint8_t)(env->up_count < ITR_RLOCS ? env->up_count : ITR_RLOCS),
		.eid = ask->eid,
	};

	if (!src)
		return -ENETUNREACH;
	/* The inner destination is the EID, where it is an IP address (a default route has none). */
	if (xtr_eid_to_ippfx(ask->eid, &eid) && !xtr_ip_is_unspecified(&eid.ip) &&
	    inner_source(env, ask, eid.ip.family, &inner_src)) {
		inner_dst = eid.ip;
	} else {
		inner_src = *src;
		inner_dst = *resolver;
	}
	xtr_map_request_encode(&w, &m);
	if (w.err)
		return w.err;
	xtr_ecm_encode(&e, &inner_src, XTR_PORT, &inner_dst, XTR_PORT, msg, xtr_wr_len(&w));
	if (e.err)
		return e.err;
	return xtr_env_send(env, src, resolver, XTR_PORT, buf, xtr_wr_len(&e),
			    XTR_NODE_TX_MAP_REQUEST);
}
