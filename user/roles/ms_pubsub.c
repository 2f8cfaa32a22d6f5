// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Map-Server: publications to subscribers. RFC 9437.
 *
 * A subscription is (xTR-ID, EID-prefix) with the RLOCs to notify and a nonce. Every change of what
 * is registered is sent as a Map-Notify with the next nonce and repeated as in RFC 9301 5.7 until a
 * Map-Notify-Ack comes; without one the subscription ends. What changed since the last
 * acknowledgement goes into one message. The key is that of the EID-prefix's site: who cannot
 * acknowledge with it is no subscriber.
 *
 * A Map-Request is not authenticated. So that nobody subscribes others, only RLOCs count that the
 * request itself came from or that an authenticated Map-Register of the same xTR-ID came from
 * (RFC 9437 7). The address a request came from can be forged: until the first acknowledgement a
 * subscription is repeated only twice, counts for no bound of others, and gives way to new ones.
 * Bounds: subscriptions per xTR, per EID-prefix and in total, new ones at the rate of Map-Replies.
 *
 * Owns the subscriptions. One that ended stays, without RLOCs, for its nonce, until its place is
 * needed.
 */
#include "roles/ms.h"

#include "codec/auth.h"
#include "xtr/abi.h"

#include <stdlib.h>
#include <string.h>

#define SUBS_MAX 4096
#define SUBS_PER_XTR 64
#define SUBS_PER_EID 1024
#define SUB_RLOCS 4
#define CHANGED 4
#define EQUAL_TRIES 3 /* as for other unsolicited Map-Notifies */
#define ALL_TRIES 6
#define FIRST_TRIES 2 /* before any acknowledgement: who wants it asks again */

struct xtr_ms_sub {
	struct xtr_ms_sub *newer, *older;
	struct xtr_ms *ms;
	struct xtr_timer timer; /* armed: an acknowledgement is waited for */
	uint8_t id[24];         /* xTR-ID, Site-ID */
	struct xtr_eid_prefix eid;
	struct xtr_ip rlocs[SUB_RLOCS];
	unsigned rloc_count; /* 0: ended, only the nonce counts */
	uint64_t nonce;      /* of the last message about it, theirs or ours */
	/* The last one that was acknowledged with the key. A request is not authenticated: one with
	 * a huge nonce, forged, must not make those of the subscriber look like replays. */
	uint64_t acked;
	unsigned tries;
	bool confirmed;   /* has acknowledged once: it has the key */
	struct xtr_ip to; /* where the last message went */
	struct xtr_eid_prefix changed[CHANGED]; /* not acknowledged yet */
	unsigned changed_count;
};

/* ---- the table */

static void unlink_sub(struct xtr_ms *ms, struct xtr_ms_sub *s)
{
	if (s->newer)
		s->newer->older = s->older;
	else
		ms->newest_sub = s->older;
	if (s->older)
		s->older->newer = s->newer;
	else
		ms->oldest_sub = s->newer;
}

static void link_sub(struct xtr_ms *ms, struct xtr_ms_sub *s)
{
	s->newer = NULL;
	s->older = ms->newest_sub;
	if (ms->newest_sub)
		ms->newest_sub->newer = s;
	else
		ms->oldest_sub = s;
	ms->newest_sub = s;
}

static void sub_free(struct xtr_ms_sub *s)
{
	struct xtr_ms *ms = s->ms;

	xtr_timer_cancel(&ms->env->timers, &s->timer);
	unlink_sub(ms, s);
	ms->sub_count--;
	free(s);
}

void xtr_ms_pubsub_free(struct xtr_ms *ms)
{
	while (ms->oldest_sub)
		sub_free(ms->oldest_sub);
}

static const struct xtr_key *key_of(const struct xtr_ms *ms, const struct xtr_eid_prefix *eid)
{
	const struct xtr_site_prefix *p = xtr_regdb_site(&ms->db, eid);

	return p && p->site->cfg->key_count && p->site->cfg->keys[0].alg_id != XTR_AUTH_NONE
		       ? &p->site->cfg->keys[0]
		       : NULL;
}

void xtr_ms_pubsub_reconfigure(struct xtr_ms *ms)
{
	for (struct xtr_ms_sub *s = ms->oldest_sub, *next; s; s = next) {
		next = s->newer;
		if (!key_of(ms, &s->eid))
			sub_free(s);
	}
}

static struct xtr_ms_sub *find(const struct xtr_ms *ms, const uint8_t id[24],
			       const struct xtr_eid_prefix *eid)
{
	struct xtr_ms_sub *s = ms->newest_sub;

	while (s && (memcmp(s->id, id, sizeof(s->id)) || !xtr_eid_equal(&s->eid, eid)))
		s = s->older;
	return s;
}

/* A place for one more, or NULL. Ended ones make room, then those that never acknowledged, the
 * oldest first. */
static struct xtr_ms_sub *add(struct xtr_ms *ms, const uint8_t id[24],
			      const struct xtr_eid_prefix *eid)
{
	unsigned of_xtr = 0, of_eid = 0;
	struct xtr_ms_sub *s, *ended = NULL, *unsure = NULL;

	for (s = ms->newest_sub; s; s = s->older) {
		bool counts = s->rloc_count && s->confirmed;

		of_xtr += counts && !memcmp(s->id, id, sizeof(s->id));
		of_eid += counts && xtr_eid_equal(&s->eid, eid);
		if (!s->rloc_count)
			ended = s;
		else if (!s->confirmed)
			unsure = s;
	}
	if (of_xtr >= SUBS_PER_XTR || of_eid >= SUBS_PER_EID)
		return NULL;
	if (ms->sub_count >= SUBS_MAX) {
		if (!ended && !unsure)
			return NULL;
		sub_free(ended ? ended : unsure);
	}
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->ms = ms;
	s->timer.kind = XTR_TIMER_MS_PUBLISH;
	memcpy(s->id, id, sizeof(s->id));
	s->eid = *eid;
	link_sub(ms, s);
	ms->sub_count++;
	return s;
}

/* ---- messages */

/* What is registered for it, or for what covers it; a TTL of 0 says: nothing any more. */
static void put_current(const struct xtr_ms *ms, struct xtr_wr *w, const struct xtr_eid_prefix *eid)
{
	struct xtr_record_head h = { .ttl = 0 };
	const struct xtr_registration *head = xtr_regdb_match(&ms->db, eid);
	struct xtr_eid_prefix of = *eid;
	uint8_t buf[XTR_LOCSET_OCTETS], count = 0;
	struct xtr_locset set;
	size_t mark;

	if (head) {
		xtr_registration_eid(head, &of);
		h.ttl = UINT32_MAX;
	}
	for (const struct xtr_registration *r = head; r; r = r->next) {
		h.ttl = r->ttl_min < h.ttl ? r->ttl_min : h.ttl;
		h.map_version = r->map_version > h.map_version ? r->map_version : h.map_version;
	}
	mark = xtr_put_record_begin(w, &h, &of);
	if (head) {
		xtr_ms_locators(ms, &of, head, buf, sizeof(buf), &set);
		xtr_ms_put_locators(w, &set, false, &count);
	}
	xtr_put_record_end(w, mark, count);
}

static void send_notify(struct xtr_ms *ms, const struct xtr_ip *to, uint64_t nonce,
		 const struct xtr_eid_prefix *eids, unsigned n, bool ended)
{
	static const struct xtr_record_head end = { .act = XTR_ACT_DROP_AUTH };
	const struct xtr_key *key = key_of(ms, &eids[0]);
	struct xtr_register_out head = { .type = XTR_MSG_MAP_NOTIFY,
					 .nonce = nonce,
					 .record_count = (uint8_t)n };
	uint8_t buf[XTR_MSG_MAX];
	struct xtr_wr w = xtr_wr_init(buf, sizeof(buf));

	if (!key)
		return;
	head.key_id = key->key_id;
	head.alg_id = key->alg_id;
	xtr_register_begin(&w, &head);
	for (unsigned i = 0; i < n; i++) {
		if (ended)
			xtr_put_record_end(&w, xtr_put_record_begin(&w, &end, &eids[i]), 0);
		else
			put_current(ms, &w, &eids[i]);
	}
	if (w.err || xtr_auth_sign(buf, xtr_wr_len(&w), 16, (size_t)xtr_auth_len(key->alg_id),
				   XTR_MSG_MAP_NOTIFY, key->alg_id, nonce, key->secret,
				   key->secret_len)) {
		xtr_count(ms->env, TX_FAILED);
		return;
	}
	xtr_env_send(ms->env, NULL, to, XTR_PORT, buf, xtr_wr_len(&w), XTR_NODE_TX_MAP_NOTIFY);
}

/* Sends what is not acknowledged; another of its RLOCs each time (RFC 9437 5). */
static void transmit(struct xtr_ms_sub *s)
{
	struct xtr_env *env = s->ms->env;
	uint64_t delay = env->cfg.timers.ms_request_interval;

	if (s->tries > EQUAL_TRIES)
		delay <<= s->tries - EQUAL_TRIES;
	s->to = s->rlocs[s->tries % s->rloc_count];
	send_notify(s->ms, &s->to, s->nonce, s->changed, s->changed_count, false);
	xtr_timer_set(&env->timers, &s->timer, env->now + delay);
}

static void end(struct xtr_ms_sub *s, const char *why)
{
	char ip[XTR_IP_STRLEN];

	xtr_timer_cancel(&s->ms->env->timers, &s->timer);
	xtr_env_event(s->ms->env, XTR_EVENT_SUBSCRIPTION, &s->eid, "of %s ended: %s",
		      xtr_ip_str(&s->to, ip), why);
	s->rloc_count = s->changed_count = 0;
	s->confirmed = false;
}

void xtr_ms_publish_timer(void *ctx, struct xtr_timer *t)
{
	struct xtr_ms_sub *s = xtr_timer_owner(t, struct xtr_ms_sub, timer);

	if (++s->tries <= (s->confirmed ? ALL_TRIES : FIRST_TRIES)) {
		transmit(s);
		return;
	}
	/* RFC 9437 6: not acknowledged: removed, and told so once. */
	send_notify(s->ms, &s->to, s->nonce, &s->eid, 1, true);
	end(s, "no Map-Notify-Ack");
}

/* ---- publications */

static void note(struct xtr_ms_sub *s, const struct xtr_eid_prefix *eid)
{
	for (unsigned i = 0; i < s->changed_count; i++)
		if (xtr_eid_equal(&s->changed[i], eid))
			return;
	if (s->changed_count == CHANGED) { /* too many: then what was subscribed to */
		s->changed_count = 0;
		eid = &s->eid;
	}
	s->changed[s->changed_count++] = *eid;
}

void xtr_ms_publish(struct xtr_ms *ms, const struct xtr_eid_prefix *changed)
{
	for (struct xtr_ms_sub *s = ms->newest_sub; s; s = s->older) {
		bool inside = xtr_eid_covers(&s->eid, changed);

		if (!s->rloc_count || (!inside && !xtr_eid_covers(changed, &s->eid)))
			continue;
		note(s, inside ? changed : &s->eid);
		s->nonce++;
		if (s->confirmed)
			s->tries = 0;
		xtr_count(ms->env, PUBLICATIONS);
		transmit(s);
	}
}

static bool about(struct xtr_register *m, const struct xtr_ms_sub *s)
{
	struct xtr_records it = m->records;
	struct xtr_record rec;
	struct xtr_eid_prefix eid;

	return !m->record_count || (xtr_record_next(&it, &rec) &&
				    !xtr_eid_from_addr(&rec.eid, rec.mask_len, &eid, NULL) &&
				    (xtr_eid_covers(&s->eid, &eid) ||
				     xtr_eid_covers(&eid, &s->eid)));
}

bool xtr_ms_publish_acked(struct xtr_ms *ms, const struct xtr_msg_meta *meta,
			  struct xtr_register *m)
{
	const struct xtr_key *key;
	struct xtr_ms_sub *s;

	/* By address as well: nonces are the subscribers' choice, two may have the same. */
	for (s = ms->newest_sub; s; s = s->older)
		if (xtr_timer_armed(&s->timer) && s->nonce == m->nonce &&
		    !xtr_ip_cmp(&s->to, &meta->src))
			break;
	key = s ? key_of(ms, &s->eid) : NULL;
	if (!key || !xtr_key_signed(key, m) || xtr_register_decode_body(m) || !about(m, s))
		return false;
	xtr_timer_cancel(&ms->env->timers, &s->timer);
	s->confirmed = true;
	s->acked = s->nonce;
	s->changed_count = 0;
	return true;
}

/* ---- subscribing */

/* Not what came to a group: each member would take it up (RFC 9962 4). */
static bool wants(const struct xtr_request *req)
{
	struct xtr_rd it = { 0 };
	struct xtr_mreq_record rec;

	return req->m->flags & XTR_MREQ_I && !xtr_ip_is_multicast(&req->meta->dst) &&
	       xtr_mreq_record_next(req->m, &it, &rec) && rec.subscribe;
}

static bool among(const struct xtr_ip *list, unsigned n, const struct xtr_ip *ip)
{
	for (unsigned i = 0; i < n; i++)
		if (!xtr_ip_cmp(&list[i], ip))
			return true;
	return false;
}

/* Where authenticated Map-Registers of this xTR came from. */
static unsigned sources_of(const struct xtr_ms *ms, const uint8_t id[24],
			   struct xtr_ip out[SUB_RLOCS])
{
	unsigned n = 0;

	for (const struct xtr_registrant *who = ms->db.newest; who && n < SUB_RLOCS;
	     who = who->older)
		if (who->key.by_id && who->registrations && !memcmp(who->key.id, id, 24) &&
		    !among(out, n, &who->source))
			out[n++] = who->source;
	return n;
}

/* Those ITR-RLOCs that are this xTR's, by what we know for sure. Many may be named in vain: the
 * registrants are gone through once. */
static unsigned rlocs_of(const struct xtr_ms *ms, const struct xtr_request *req,
			 const uint8_t id[24], struct xtr_ip out[SUB_RLOCS])
{
	struct xtr_ip known[SUB_RLOCS], ip;
	unsigned n = 0, known_count = 0;
	bool looked = false;

	for (unsigned i = 0; i < req->m->itr_rloc_count && n < SUB_RLOCS; i++) {
		if (!xtr_addr_rloc_ip(&req->m->itr_rlocs[i], &ip) || !xtr_rloc_valid(&ip) ||
		    !xtr_env_reaches(ms->env, ip.family))
			continue;
		if (xtr_ip_cmp(&ip, &req->meta->src)) {
			if (!looked)
				known_count = sources_of(ms, id, known);
			looked = true;
			if (!among(known, known_count, &ip))
				continue;
		}
		out[n++] = ip;
	}
	return n;
}

/* From where it is subscribed, or has registered. */
static bool may_end(const struct xtr_ms *ms, const struct xtr_request *req,
		    const struct xtr_ms_sub *s)
{
	struct xtr_ip known[SUB_RLOCS];

	return among(s->rlocs, s->rloc_count, &req->meta->src) ||
	       among(&s->to, 1, &req->meta->src) ||
	       among(known, sources_of(ms, s->id, known), &req->meta->src);
}

static void unsubscribe(struct xtr_ms *ms, const struct xtr_request *req, struct xtr_ms_sub *s)
{
	end(s, "unsubscribed");
	s->nonce = req->m->nonce;
	send_notify(ms, &req->meta->src, s->nonce, &s->eid, 1, false);
}

static void refused(struct xtr_ms *ms, const struct xtr_request *req, uint8_t act, const char *why)
{
	char ip[XTR_IP_STRLEN];

	xtr_env_event(ms->env, XTR_EVENT_SUBSCRIPTION, &req->eid, "of %s refused: %s",
		      xtr_ip_str(&req->meta->src, ip), why);
	xtr_reply_negative(ms->env, req, &req->eid, act, ms->env->cfg.timers.unregistered_ttl_min);
}

static void take_up(struct xtr_ms *ms, const struct xtr_request *req, const uint8_t id[24],
		   struct xtr_ms_sub *s)
{
	struct xtr_ip rlocs[SUB_RLOCS], to;
	unsigned n = rlocs_of(ms, req, id, rlocs);
	char ip[XTR_IP_STRLEN];

	if (!n) {
		refused(ms, req, XTR_ACT_DROP_POLICY,
			"no ITR-RLOC is known to be of the xTR that asks");
		return;
	}
	if (!s)
		s = add(ms, id, &req->eid);
	if (!s) {
		refused(ms, req, XTR_ACT_DROP_POLICY, "too many subscriptions");
		return;
	}
	if (!xtr_reply_target(ms->env, req, &to) ||
	    !xtr_reply_allowed(ms->env, req, &to, &req->eid)) {
		if (!s->nonce)
			sub_free(s);
		return;
	}
	if (!s->rloc_count)
		xtr_env_event(ms->env, XTR_EVENT_SUBSCRIPTION, &s->eid, "of %s",
			      xtr_ip_str(&rlocs[0], ip));
	if (s->rloc_count != n || memcmp(s->rlocs, rlocs, n * sizeof(rlocs[0])))
		s->confirmed = false;
	memcpy(s->rlocs, rlocs, n * sizeof(rlocs[0]));
	s->rloc_count = n;
	s->nonce = req->m->nonce;
	s->tries = 0;
	s->changed_count = 1;
	s->changed[0] = s->eid;
	xtr_count(ms->env, SUBSCRIPTIONS);
	transmit(s);
}

bool xtr_ms_subscribe(struct xtr_ms *ms, const struct xtr_request *req)
{
	const struct xtr_map_request *m = req->m;
	struct xtr_ms_sub *s;
	uint8_t id[24];

	if (!wants(req) || !xtr_regdb_site(&ms->db, &req->eid))
		return false;
	memcpy(id, m->xtr_id, 16);
	memcpy(id + 16, m->site_id, 8);
	s = find(ms, id, &req->eid);
	if (s && (m->nonce <= s->acked || m->nonce == s->nonce)) { /* RFC 9437 5: silently */
		xtr_count(ms->env, DROP_REPLAY);
		return true;
	}
	if (!key_of(ms, &req->eid)) {
		refused(ms, req, XTR_ACT_DROP_AUTH, "the site has no key");
		return true;
	}
	if (m->itr_rloc_count == 1 && m->itr_rlocs[0].afi == XTR_AFI_NONE) {
		if (s && may_end(ms, req, s))
			unsubscribe(ms, req, s);
		return true;
	}
	if (!xtr_regdb_match(&ms->db, &req->eid)) /* nothing to subscribe to: a negative answer */
		return false;
	take_up(ms, req, id, s);
	return true;
}
