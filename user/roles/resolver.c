// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Choice of the Map-Resolver and construction of the encapsulated Map-Request. RFC
 * 9301 5.2, 5.3, 5.8, 8.1, RFC 9962 5.
 */
#include "roles/resolver.h"

#include <errno.h>
#include <string.h>

#define ITR_RLOCS 16 /* more would not fit into the 576 octets of RFC 9301 5 */

/* ---- what is known of each */

static struct xtr_resolver *find(struct xtr_resolvers *rs, const struct xtr_ip *ip)
{
	for (unsigned i = 0; i < rs->seen_count; i++)
		if (!xtr_ip_cmp(&rs->seen[i].ip, ip))
			return &rs->seen[i];
	return NULL;
}

static struct xtr_resolver *note(struct xtr_resolvers *rs, const struct xtr_ip *ip)
{
	struct xtr_resolver *r = find(rs, ip);

	if (r || !ip->family)
		return r;
	if (rs->seen_count < XTR_RESTING_MAX) {
		r = &rs->seen[rs->seen_count++];
	} else {
		r = &rs->seen[rs->seen_next];
		rs->seen_next = (rs->seen_next + 1) % XTR_RESTING_MAX;
	}
	*r = (struct xtr_resolver){ .ip = *ip };
	return r;
}

void xtr_resolvers_answered(struct xtr_resolvers *rs, const struct xtr_ip *ip, uint64_t now)
{
	struct xtr_resolver *r = note(rs, ip);

	if (!r)
		return;
	r->answered = now;
	r->rest_until = 0;
}

void xtr_resolvers_silent(struct xtr_resolvers *rs, const struct xtr_env *env,
			  const struct xtr_ip *ip, uint64_t sent)
{
	struct xtr_resolver *r = note(rs, ip);

	/* An answer to another request since then: it is not the resolver that is silent. */
	if (r && !(r->answered && r->answered >= sent))
		r->rest_until = env->now + env->cfg.timers.resolver_rest;
}

static uint64_t rest_until(const struct xtr_resolvers *rs, const struct xtr_ip *ip)
{
	for (unsigned i = 0; i < rs->seen_count; i++)
		if (!xtr_ip_cmp(&rs->seen[i].ip, ip))
			return rs->seen[i].rest_until;
	return 0;
}

bool xtr_resolvers_resting(const struct xtr_resolvers *rs, const struct xtr_env *env,
			   const struct xtr_ip *ip)
{
	return rest_until(rs, ip) > env->now;
}

/* ---- whom to ask */

void xtr_resolvers_set(struct xtr_resolvers *rs, const struct xtr_env *env)
{
	rs->n = 0;
	for (unsigned i = 0; i < env->cfg.map_resolver_count && rs->n < XTR_RESOLVERS_MAX; i++)
		rs->list[rs->n++] = env->cfg.map_resolvers[i];
}

bool xtr_resolvers_any(const struct xtr_resolvers *rs, const struct xtr_env *env)
{
	return rs->n || env->find.ctx;
}

struct stage {
	struct xtr_ip list[XTR_RESOLVERS_MAX];
	unsigned n;
	bool found; /* by env->find: all of them are equally good, but for ourselves */
	bool waiting; /* not known yet, but soon */
};

/* The configured ones are there for what env->find knows nothing about. */
static void stage_of(const struct xtr_resolvers *rs, const struct xtr_env *env,
		     const struct xtr_eid_prefix *eid, unsigned stage, struct stage *out)
{
	out->n = 0;
	out->found = false;
	if (env->find.ctx)
		out->n = env->find.resolvers(env->find.ctx, eid, stage, out->list,
					     XTR_RESOLVERS_MAX);
	out->waiting = env->find.ctx && !out->n &&
		       env->find.waiting(env->find.ctx, eid, stage);
	if (out->n) {
		out->found = true;
	} else if (!stage && !out->waiting) {
		memcpy(out->list, rs->list, rs->n * sizeof(rs->list[0]));
		out->n = rs->n;
	}
}

static bool has_denied(const struct xtr_seek *seek, const struct xtr_ip *ip)
{
	for (unsigned i = 0; i < seek->denials; i++)
		if (!xtr_ip_cmp(&seek->denied[i], ip))
			return true;
	return false;
}

/* A stage; later ones without those who said no in the first. */
static void later_stage(const struct xtr_resolvers *rs, const struct xtr_env *env,
			const struct xtr_eid_prefix *eid, const struct xtr_seek *seek,
			unsigned stage, struct stage *out)
{
	unsigned n = 0;

	stage_of(rs, env, eid, stage, out);
	for (unsigned i = 0; stage && i < out->n; i++)
		if (!has_denied(seek, &out->list[i]))
			out->list[n++] = out->list[i];
	if (stage)
		out->n = n;
}

void xtr_seek_denied(struct xtr_seek *seek)
{
	if (!seek->stage && seek->denials < XTR_SEEK_WIDTH)
		seek->denied[seek->denials++] = seek->at;
}

static int place_of(const struct stage *st, const struct xtr_ip *ip)
{
	for (unsigned i = 0; ip->family && i < st->n; i++)
		if (!xtr_ip_cmp(&st->list[i], ip))
			return (int)i;
	return -1;
}

/* Configured order is the order of preference; a retransmission goes to the next one. Resting ones
 * come last, the longest resting first. Those that were found take turns (D-52), after ourselves:
 * asking ourselves costs no packet, but need not be done twice. */
static const struct xtr_ip *pick(struct xtr_resolvers *rs, const struct xtr_env *env,
				 const struct stage *st, const struct xtr_ip *last)
{
	bool own = st->found && st->n && xtr_env_own_rloc(env, &st->list[0]);
	unsigned n = st->n - own, start = 0;
	const struct xtr_ip *resting = NULL;
	int at = place_of(st, last);

	if (own && (at < 0 || !n))
		return xtr_env_rloc(env, st->list[0].family) ? &st->list[0] : NULL;
	if (at >= (int)own)
		start = (unsigned)at - own + 1;
	else if (st->found)
		start = rs->turn++;
	for (unsigned i = 0; i < n; i++) {
		const struct xtr_ip *ip = &st->list[own + (start + i) % n];

		if (!xtr_env_rloc(env, ip->family))
			continue;
		if (rest_until(rs, ip) <= env->now)
			return ip;
		if (!resting || rest_until(rs, ip) < rest_until(rs, resting))
			resting = ip;
	}
	return resting;
}

static unsigned width(const struct stage *st)
{
	return st->n < XTR_SEEK_WIDTH ? st->n : XTR_SEEK_WIDTH;
}

/* This stage, or the one after it if enough of this one were asked. */
static void advance(const struct xtr_resolvers *rs, const struct xtr_env *env,
		    const struct xtr_eid_prefix *eid, struct xtr_seek *seek, struct stage *st)
{
	struct stage next;

	later_stage(rs, env, eid, seek, seek->stage, st);
	if (st->waiting || seek->tried < width(st) || (st->n && !st->found))
		return;
	later_stage(rs, env, eid, seek, seek->stage + 1u, &next);
	if (next.n || next.waiting) {
		*st = next;
		seek->stage++;
		seek->tried = 0;
	} else if (seek->stage) { /* all over again */
		seek->stage = seek->tried = 0;
		stage_of(rs, env, eid, 0, st);
	}
}

const struct xtr_ip *xtr_seek_next(struct xtr_resolvers *rs, const struct xtr_env *env,
				   const struct xtr_eid_prefix *eid, struct xtr_seek *seek,
				   bool *wait)
{
	const struct xtr_ip *ip;
	struct stage st;

	advance(rs, env, eid, seek, &st);
	*wait = st.waiting;
	ip = pick(rs, env, &st, &seek->at);
	if (!ip)
		return NULL;
	seek->at = *ip;
	if (seek->tried < UINT8_MAX)
		seek->tried++;
	return &seek->at;
}

bool xtr_seek_more(const struct xtr_resolvers *rs, const struct xtr_env *env,
		   const struct xtr_eid_prefix *eid, const struct xtr_seek *seek)
{
	struct stage st;

	later_stage(rs, env, eid, seek, seek->stage, &st);
	if (st.n && !st.found)
		return false;
	if (seek->tried < width(&st))
		return true;
	later_stage(rs, env, eid, seek, seek->stage + 1u, &st);
	return st.n || st.waiting;
}

/* ---- the question */

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
