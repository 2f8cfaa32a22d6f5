// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Answering and forwarding Map-Requests, common to ETR, Map-Server and Map-Resolver: choice of the
 * ITR-RLOC, rate limit, negative answers, new encapsulation. RFC 9301 5.4, 5.5, 5.8, 8.3, 8.4.
 */
#include "roles/role.h"
#include "xtr/abi.h"

#include <string.h>

static bool usable_target(const struct xtr_env *env, const struct xtr_addr *a, struct xtr_ip *ip)
{
	return xtr_addr_rloc_ip(a, ip) && xtr_rloc_valid(ip) && xtr_env_reaches(env, ip->family);
}

/* The first ITR-RLOC that can be answered to, from number *at on; *at is then the one after it. */
static bool next_target(const struct xtr_env *env, const struct xtr_request *req, unsigned *at,
			struct xtr_ip *to)
{
	while (*at < req->m->itr_rloc_count)
		if (usable_target(env, &req->m->itr_rlocs[(*at)++], to))
			return true;
	return false;
}

bool xtr_reply_target(struct xtr_env *env, const struct xtr_request *req, struct xtr_ip *to)
{
	unsigned first = 0;

	if (!next_target(env, req, &first, to)) {
		xtr_count(env, DROP_NO_RLOC);
		return false;
	}
	/* A Map-Reply at the data port would be taken for a data packet (RFC 9301 5.8 forbids that port inside an ECM). */
	if (!req->reply_port || req->reply_port == XTR_PORT_DATA) {
		xtr_count(env, DROP_PORT);
		return false;
	}
	return true;
}

bool xtr_reply_allowed(struct xtr_env *env, const struct xtr_request *req, const struct xtr_ip *to,
		       const struct xtr_eid_prefix *eid)
{
	const struct xtr_reply_rates rates = {
		.per_second = env->cfg.limits.replies_per_second,
		.per_rloc = env->cfg.limits.replies_per_rloc,
		.interval = env->cfg.timers.reply_interval,
	};

	/* Ourselves, by direct call: nobody is to be kept from being flooded. */
	if (xtr_env_own_rloc(env, to))
		return true;
	if (xtr_reply_limit_take(&env->replies, &rates, to, eid,
				 req->m->flags & XTR_MREQ_P ? &req->meta->dst : NULL, env->now))
		return true;
	xtr_count(env, DROP_RATE);
	return false;
}

/* others: who gets it if to can not be reached. */
static int send_to(struct xtr_env *env, const struct xtr_request *req, const struct xtr_ip *to,
		   const void *buf, size_t len, const struct xtr_ip *others, unsigned n)
{
	const struct xtr_ip *src = xtr_env_rloc(env, to->family);

	if (!(req->m->flags & XTR_MREQ_P))
		return xtr_env_answer(env, src, to, req->reply_port, buf, len, XTR_NODE_TX_MAP_REPLY, others, n);
	/* RFC 9301 7.1: a probe is best answered by the address that was probed. */
	if (req->meta->dst.family == to->family && xtr_env_rloc_up(env, &req->meta->dst))
		src = &req->meta->dst;
	return xtr_env_send(env, src, to, req->reply_port, buf, len, XTR_NODE_TX_MAP_REPLY);
}

/* A Map-Server without RLOCs learns only by sending that it has no route to an ITR-RLOC: then the
 * next one gets the answer. */
void xtr_reply_send(struct xtr_env *env, const struct xtr_request *req, const struct xtr_ip *to,
		    const void *buf, size_t len)
{
	struct xtr_ip others[XTR_ITR_RLOCS_MAX];
	unsigned at = 0, n = 0;

	while (n < XTR_ITR_RLOCS_MAX && next_target(env, req, &at, &others[n]))
		if (xtr_ip_cmp(&others[n], to) && len <= xtr_env_room(others[n].family))
			n++;
	if (!send_to(env, req, to, buf, len, others, n))
		return;
	for (unsigned i = 0; i < n; i++)
		if (!send_to(env, req, &others[i], buf, len, &others[i + 1], n - i - 1))
			return;
}

void xtr_reply_negative(struct xtr_env *env, const struct xtr_request *req,
			const struct xtr_eid_prefix *eid, uint8_t act, uint32_t ttl_min)
{
	const struct xtr_record_head head = { .ttl = ttl_min, .act = act };
	uint8_t buf[256];
	struct xtr_wr w = xtr_wr_init(buf, sizeof(buf));
	struct xtr_ip to;

	if (!xtr_reply_target(env, req, &to) || !xtr_reply_allowed(env, req, &to, eid))
		return;
	xtr_map_reply_begin(&w, false, false, 1, req->m->nonce);
	xtr_put_record_end(&w, xtr_put_record_begin(&w, &head, eid), 0);
	if (w.err)
		return;
	xtr_count(env, NEGATIVE_SENT);
	xtr_reply_send(env, req, &to, buf, xtr_wr_len(&w));
}

struct xtr_eid_prefix xtr_hole(const struct xtr_env *env, const struct xtr_eid_prefix *host,
			       unsigned n)
{
	unsigned cap = host->afi == XTR_AFI_IP4   ? env->cfg.limits.hole_ip4
		       : host->afi == XTR_AFI_IP6 ? env->cfg.limits.hole_ip6
						  : 0;

	if (!host->group_len && n < cap)
		n = cap;
	/* Not more than one Map-Server set can see (draft-farinacci-lisp-decent-10, X11). */
	if (env->find.ctx) {
		cap = env->find.floor(env->find.ctx, host);
		n = n < cap ? cap : n;
	}
	return xtr_eid_cut(host, n);
}

/* Inner header for a Map-Request that came without one (from a Map-Resolver that forwards
 * unencapsulated, RFC 9301 8.4). */
static void inner_of_plain(const struct xtr_request *req, struct xtr_ecm *out)
{
	struct xtr_ippfx p;

	memset(out, 0, sizeof(*out));
	out->inner_src = req->meta->src;
	out->inner_dst = req->meta->dst;
	if (xtr_eid_to_ippfx(&req->eid, &p) && p.ip.family == out->inner_src.family)
		out->inner_dst = p.ip;
	out->inner_sport = req->meta->sport;
	out->inner_dport = XTR_PORT;
	out->inner_ttl = 64;
}

int xtr_forward_request(struct xtr_env *env, const struct xtr_request *req,
			const struct xtr_ip *dst)
{
	uint8_t buf[XTR_MSG_MAX];
	struct xtr_wr w = xtr_wr_init(buf, sizeof(buf));
	struct xtr_ecm ecm;

	if (req->ecm) {
		ecm = *req->ecm;
		/* Two mapping systems that name each other would pass a request on for ever. */
		if (ecm.inner_ttl <= 1) {
			xtr_count(env, DROP_LOOP);
			return 0;
		}
		ecm.inner_ttl--;
		ecm.security = ecm.ddt = ecm.to_etr = ecm.to_ms = false;
	} else {
		inner_of_plain(req, &ecm);
	}
	ecm.msg = req->msg;
	ecm.msg_len = req->len;
	xtr_ecm_reencode(&w, &ecm);
	if (w.err) {
		xtr_count(env, TX_FAILED);
		return 0;
	}
	return xtr_env_send(env, NULL, dst, XTR_PORT, buf, xtr_wr_len(&w), XTR_NODE_TX_FORWARDED);
}
