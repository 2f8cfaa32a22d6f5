// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Map-Server, the answering side: the decision table of RFC 9301 8.3, first match wins.
 *
 *   P set                       dropped before it gets here (RFC 9301 5.2)
 *   wants to subscribe          ms_pubsub.c (RFC 9437 5)
 *   D set                       no answer (RFC 9301 5.2)
 *   outside all sites, or       negative, natively forward, 15 minutes, least-specific prefix
 *   only in an aggregate
 *   in a site, nobody           negative, natively forward, 1 minute
 *   registered
 *   a group, or an ETR asked    answer from the registrations, neither A nor L set
 *   for proxy replies
 *   otherwise                   forward to an ETR, which answers the ITR itself
 *
 * Groups: negative means drop, multicast is not forwarded natively; the answer for (S,G) has the
 * receivers of (*,G), too (RFC 8378 8 has only the one or the other).
 */
#include "roles/ms.h"
#include "xtr/abi.h"

#include <string.h>

bool xtr_ms_responsible(const struct xtr_ms *ms, const struct xtr_eid_prefix *eid)
{
	struct xtr_eid_prefix host = xtr_eid_host(eid);

	return xtr_regdb_site(&ms->db, eid) || xtr_regdb_site(&ms->db, &host) ||
	       xtr_eiddb_match(&ms->aggregates, &host, NULL);
}

int xtr_ms_match_len(const struct xtr_ms *ms, const struct xtr_eid_prefix *eid)
{
	unsigned configured = 0, registered = 0;
	bool c = xtr_eiddb_match(&ms->db.configured, eid, &configured);
	bool r = xtr_eiddb_match(&ms->db.registered, eid, &registered);

	if (!c && !r)
		return -1;
	return (int)(registered > configured ? registered : configured);
}

int xtr_ms_known_len(const struct xtr_ms *ms, const struct xtr_eid_prefix *eid)
{
	unsigned bits = 0;

	return xtr_eiddb_match(&ms->db.registered, eid, &bits) ? (int)bits : -1;
}

/* ---- negative answers */

static void not_in_system(struct xtr_ms *ms, const struct xtr_request *req,
			  const struct xtr_eid_prefix *host)
{
	unsigned n = 0, hole;
	struct xtr_eid_prefix eid;

	xtr_eiddb_match(&ms->aggregates, host, &n);
	hole = xtr_eiddb_hole(&ms->db.configured, host);
	eid = xtr_hole(ms->env, host, hole > n ? hole : n);
	xtr_reply_negative(ms->env, req, &eid, host->group_len ? XTR_ACT_DROP : XTR_ACT_NATIVE,
			   host->group_len ? ms->env->cfg.timers.unregistered_ttl_min
					   : ms->env->cfg.timers.negative_ttl_min);
}

/* The largest part of the configured EID-prefix around the EID with no other site and no
 * registration in it. */
static void not_registered(struct xtr_ms *ms, const struct xtr_request *req,
			   const struct xtr_eid_prefix *host, const struct xtr_site_prefix *p)
{
	unsigned n = p->eid.len + p->eid.group_len, hole;
	struct xtr_eid_prefix eid;

	if (xtr_eiddb_has_longer(&ms->db.configured, &p->eid)) {
		hole = xtr_eiddb_hole(&ms->db.configured, host);
		n = hole > n ? hole : n;
	}
	if (xtr_eiddb_has_longer(&ms->db.registered, &p->eid)) {
		hole = xtr_eiddb_hole(&ms->db.registered, host);
		n = hole > n ? hole : n;
	}
	eid = xtr_hole(ms->env, host, n);
	xtr_reply_negative(ms->env, req, &eid, host->group_len ? XTR_ACT_DROP : XTR_ACT_NATIVE,
			   ms->env->cfg.timers.unregistered_ttl_min);
}

/* ---- proxy reply */

/* A group's list exists only here, merged: no ETR could answer for it (RFC 8378 5.1.2). */
static bool is_group(const struct xtr_registration *head)
{
	struct xtr_eid_prefix eid;

	xtr_registration_eid(head, &eid);
	return eid.group_len;
}

static bool proxied(const struct xtr_registration *head)
{
	if (is_group(head))
		return true;
	for (const struct xtr_registration *r = head; r; r = r->next)
		if (r->flags & XTR_REGN_PROXY || r->who->site->cfg->force_proxy)
			return true;
	return false;
}

struct answer {
	const struct xtr_ms *ms;
	struct xtr_wr w;
	size_t room;
	unsigned records;
	uint32_t ttl;       /* the shortest: all records get it (RFC 9301 5.5) */
	size_t ttl_at[256]; /* where to write it */
};

void xtr_ms_locators(const struct xtr_ms *ms, const struct xtr_eid_prefix *eid,
		     const struct xtr_registration *head, uint8_t *buf, size_t size,
		     struct xtr_locset *out)
{
	struct xtr_eid_prefix any = *eid;
	const struct xtr_registration *more;

	if (!eid->group_len || !eid->len) {
		xtr_registration_union(head, buf, size, out);
		return;
	}
	/* Receivers that want the group from every source get this one, too. */
	any.len = 0;
	memset(any.a, 0, sizeof(any.a));
	more = xtr_regdb_get(&ms->db, &any);
	xtr_registration_union_group(head, more == head ? NULL : more, buf, size, out);
}

static void put_registered(struct answer *a, const struct xtr_eid_prefix *eid,
			   const struct xtr_registration *head)
{
	struct xtr_record_head h = { .ttl = 0 };
	uint8_t buf[XTR_LOCSET_OCTETS], count;
	struct xtr_locset set;
	size_t mark;

	for (const struct xtr_registration *r = head; r; r = r->next) {
		a->ttl = r->ttl_min < a->ttl ? r->ttl_min : a->ttl;
		h.map_version = r->map_version > h.map_version ? r->map_version : h.map_version;
	}
	xtr_ms_locators(a->ms, eid, head, buf, sizeof(buf), &set);
	a->ttl_at[a->records++] = mark = xtr_put_record_begin(&a->w, &h, eid);
	xtr_ms_put_locators(&a->w, &set, false, &count);
	xtr_put_record_end(&a->w, mark, count);
}

static int put_one(void *ctx, const struct xtr_eid_prefix *eid, void *value)
{
	struct answer *a = ctx;

	/* What an ETR did not register for proxying may be incomplete and is not used in answers
	 * (RFC 9301 8.2). */
	if (a->records == 255 || !proxied(value))
		return 1;
	put_registered(a, eid, value);
	return a->w.err || xtr_wr_len(&a->w) > a->room;
}

static void answer_begin(struct answer *a, uint8_t *buf, size_t size, const struct xtr_request *req,
			 uint8_t family)
{
	/* What is larger than the room of an unknown path is cut down to the one EID-prefix; a
	 * group's replication list, one locator, is sent whole even so. */
	a->w = xtr_wr_init(buf, size);
	a->room = xtr_env_room(family);
	a->records = 0;
	a->ttl = UINT32_MAX;
	xtr_map_reply_begin(&a->w, false, false, 0, req->m->nonce);
}

static void proxy_reply(struct xtr_ms *ms, const struct xtr_request *req,
			const struct xtr_eid_prefix *host, const struct xtr_registration *head)
{
	struct xtr_eid_prefix match, about;
	struct answer a = { .ms = ms };
	uint8_t buf[XTR_MS_NOTIFY_OCTETS];
	struct xtr_ip to;

	xtr_registration_eid(head, &match);
	if (!xtr_reply_target(ms->env, req, &to))
		return;
	about = match;
	answer_begin(&a, buf, sizeof(buf), req, to.family);
	if (xtr_eiddb_walk(&ms->db.registered, &match, put_one, &a)) {
		/* The more-specific ones do not fit into the message, or may not be told: the
		 * largest part of the match without them, with the locators of the match. */
		if (xtr_eiddb_has_longer(&ms->db.registered, &match))
			about = xtr_eid_cut(host, xtr_eiddb_hole(&ms->db.registered, host));
		answer_begin(&a, buf, sizeof(buf), req, to.family);
		put_registered(&a, &about, head);
	}
	if (a.w.err) {
		xtr_count(ms->env, TX_FAILED);
		return;
	}
	if (!xtr_reply_allowed(ms->env, req, &to, &about))
		return;
	for (unsigned i = 0; i < a.records; i++)
		for (unsigned b = 0; b < 4; b++)
			buf[a.ttl_at[i] + b] = (uint8_t)(a.ttl >> (24 - 8 * b));
	buf[3] = (uint8_t)a.records;
	xtr_reply_send(ms->env, req, &to, buf, xtr_wr_len(&a.w));
}

/* ---- forwarding to an ETR */

struct pick {
	struct xtr_ip ip[XTR_LOCSET_MAX];
	unsigned n;
};

static void pick_add(const struct xtr_ms *ms, struct pick *p, const struct xtr_ip *ip)
{
	/* Never to ourselves: if the ETR were here, it would have answered before the Map-Server
	 * was asked. */
	if (p->n < XTR_LOCSET_MAX && xtr_rloc_valid(ip) && xtr_env_reaches(ms->env, ip->family) &&
	    !xtr_env_own_rloc(ms->env, ip))
		p->ip[p->n++] = *ip;
}

/* One ETR after the other, so that a dead one only costs the ITR a retransmission. Locators that
 * are not reachable or not for unicast only if there is nothing else; then where the registration
 * came from. */
static void forward(struct xtr_ms *ms, const struct xtr_request *req,
		    const struct xtr_registration *head)
{
	uint8_t buf[XTR_LOCSET_OCTETS];
	struct pick good = { .n = 0 }, other = { .n = 0 };
	struct xtr_locset set;
	struct xtr_rd it = { 0 };
	struct xtr_locator l;
	struct xtr_ip ip;
	const struct pick *p;

	xtr_registration_union(head, buf, sizeof(buf), &set);
	while (xtr_locset_next(&set, &it, &l))
		if (xtr_addr_rloc_ip(&l.addr, &ip))
			pick_add(ms, l.reachable && l.priority != 255 ? &good : &other, &ip);
	for (const struct xtr_registration *r = head; r && !good.n; r = r->next)
		pick_add(ms, &other, &r->who->source);
	p = good.n ? &good : &other;
	if (!p->n) {
		xtr_count(ms->env, DROP_NO_RLOC);
		return;
	}
	for (unsigned i = 0;
	     i < p->n && xtr_forward_request(ms->env, req, &p->ip[ms->turn++ % p->n]); i++)
		;
}

/* ---- the table */

struct xtr_registration *xtr_ms_match(const struct xtr_ms *ms, const struct xtr_eid_prefix *eid,
				      const struct xtr_site_prefix *p)
{
	struct xtr_registration *r = p ? xtr_regdb_match(&ms->db, eid) : NULL;

	return r && r->bits >= (unsigned)p->eid.len + p->eid.group_len ? r : NULL;
}

void xtr_ms_request(struct xtr_ms *ms, const struct xtr_request *req)
{
	struct xtr_eid_prefix host = xtr_eid_host(&req->eid);
	struct xtr_site_prefix *p = xtr_regdb_site(&ms->db, &req->eid);
	struct xtr_registration *r = xtr_ms_match(ms, &req->eid, p);

	if (xtr_ms_subscribe(ms, req))
		return;
	if (req->m->flags & XTR_MREQ_D) /* no answer wanted, of an ETR neither (RFC 9301 5.2) */
		return;
	/* A prefix was asked for that no registration covers (it has been split, say): its first
	 * address stands for it. */
	if (!r) {
		p = xtr_regdb_site(&ms->db, &host);
		r = xtr_ms_match(ms, &host, p);
	}
	if (!p)
		not_in_system(ms, req, &host);
	else if (!r)
		not_registered(ms, req, &host, p);
	else if (p->site->cfg->force_proxy || is_group(r) ||
		 (proxied(r) && !(req->m->flags & XTR_MREQ_A)))
		proxy_reply(ms, req, &host, r);
	else
		forward(ms, req, r);
}
