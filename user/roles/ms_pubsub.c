// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Map-Server: publications to subscribers. RFC 9437.
 *
 * A subscription is (xTR-ID, EID-prefix) with the RLOCs to notify and a nonce. Every change of what
 * is registered is sent as a Map-Notify with the next nonce and repeated as in RFC 9301 5.7 until a
 * Map-Notify-Ack comes; without one the subscription ends. One message at a time is on its way:
 * what changes meanwhile goes together into the next ones, as much into each as it has room for. The
 * key is that of the EID-prefix's site: who cannot acknowledge with it is no subscriber.
 *
 * What is told of an EID-prefix is what is registered for exactly it, or that this is gone (TTL 0);
 * what covers it now is a record of its own. Who was told of a more-specific has to forget it.
 *
 * A Map-Request is not authenticated. So that nobody subscribes others, only RLOCs count that the
 * request itself came from or that an authenticated Map-Register of the same xTR-ID came from
 * (RFC 9437 7). The address a request came from can be forged: until the first acknowledgement a
 * subscription is repeated only twice, counts for no bound of others, and gives way to new ones.
 * Bounds: subscriptions per xTR, per EID-prefix and in total, new ones at the rate of Map-Replies;
 * changes that are not acknowledged per subscription and in total.
 *
 * Owns the subscriptions and their changes. One that ended stays, without RLOCs, for its nonce, until its place is
 * needed.
 */
#define HASH_NONFATAL_OOM 1
#include "roles/ms.h"

#include "codec/auth.h"
#include "xtr/abi.h"

#include <stdlib.h>
#include <string.h>

#define SUBS_MAX 4096
#define SUBS_PER_XTR 64
#define SUBS_PER_EID 1024
#define SUB_RLOCS 4
#define CHANGES_UNSURE 8 /* of a subscription that never was acknowledged */
#define CHANGES_PER_SUB 16384
#define CHANGES_MAX (SUBS_MAX * CHANGES_UNSURE + 65536) /* those never take them from the others */
#define NONCE_MAX (UINT64_MAX - UINT32_MAX) /* of a request: as many can follow */
#define EQUAL_TRIES 3 /* as for other unsolicited Map-Notifies */
#define ALL_TRIES 6
#define FIRST_TRIES 2 /* before any acknowledgement: who wants it asks again */

struct change { /* not acknowledged yet */
	struct xtr_eid_prefix eid;
	bool sent; /* with the last message, and was no other since */
	UT_hash_handle hh;
};
_Static_assert(sizeof(struct xtr_eid_prefix) == 56, "an EID-prefix without padding is a key");

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
	struct change *changed; /* oldest first; the first of them are in the last message */
	unsigned sent;          /* so many */
	bool more;              /* something changed since the last message */
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

static void forget_change(struct xtr_ms_sub *s, struct change *c)
{
	HASH_DEL(s->changed, c);
	s->ms->change_count--;
	free(c);
}

static void forget_changes(struct xtr_ms_sub *s)
{
	while (s->changed)
		forget_change(s, s->changed);
	s->sent = 0;
	s->more = false;
}

static void sub_free(struct xtr_ms_sub *s)
{
	struct xtr_ms *ms = s->ms;

	forget_changes(s);
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

static struct xtr_registration *match(const struct xtr_ms *ms, const struct xtr_eid_prefix *eid)
{
	return xtr_ms_match(ms, eid, xtr_regdb_site(&ms->db, eid));
}

/* What is registered for exactly it; a TTL of 0 says: nothing any more (RFC 9437 6). */
static void put_current(const struct xtr_ms *ms, struct xtr_wr *w, const struct xtr_eid_prefix *eid)
{
	struct xtr_record_head h = { .ttl = 0 };
	const struct xtr_registration *head = xtr_regdb_get(&ms->db, eid);
	uint8_t buf[XTR_LOCSET_OCTETS], count = 0;
	struct xtr_locset set;
	size_t mark;

	if (head)
		h.ttl = UINT32_MAX;
	for (const struct xtr_registration *r = head; r; r = r->next) {
		h.ttl = r->ttl_min < h.ttl ? r->ttl_min : h.ttl;
		h.map_version = r->map_version > h.map_version ? r->map_version : h.map_version;
	}
	mark = xtr_put_record_begin(w, &h, eid);
	if (head) {
		xtr_ms_locators(ms, eid, head, buf, sizeof(buf), &set);
		xtr_ms_put_locators(w, &set, false, &count);
	}
	xtr_put_record_end(w, mark, count);
}

/* A Map-Notify about a subscription to eid; w views buf. */
struct notify {
	const struct xtr_key *key;
	uint64_t nonce;
	struct xtr_wr w;
	uint8_t buf[XTR_MSG_MAX];
};

static bool notify_begin(const struct xtr_ms *ms, struct notify *n, const struct xtr_eid_prefix *eid,
			 uint64_t nonce)
{
	struct xtr_register_out head = { .type = XTR_MSG_MAP_NOTIFY, .nonce = nonce };

	n->key = key_of(ms, eid);
	if (!n->key)
		return false;
	n->nonce = nonce;
	n->w = xtr_wr_init(n->buf, sizeof(n->buf));
	head.key_id = n->key->key_id;
	head.alg_id = n->key->alg_id;
	xtr_register_begin(&n->w, &head);
	return true;
}

static void notify_send(struct xtr_ms *ms, struct notify *n, const struct xtr_ip *to, unsigned records)
{
	n->buf[3] = (uint8_t)records;
	if (n->w.err || xtr_auth_sign(n->buf, xtr_wr_len(&n->w), 16, (size_t)xtr_auth_len(n->key->alg_id),
				      XTR_MSG_MAP_NOTIFY, n->key->alg_id, n->nonce, n->key->secret,
				      n->key->secret_len)) {
		xtr_count(ms->env, TX_FAILED);
		return;
	}
	xtr_env_send(ms->env, NULL, to, XTR_PORT, n->buf, xtr_wr_len(&n->w), XTR_NODE_TX_MAP_NOTIFY);
}

/* As many of the changes as have room. A group's replication list, one locator, cannot be split: the
 * first record goes whatever its size is. Returns how many. */
static unsigned put_changes(const struct xtr_ms_sub *s, struct xtr_wr *w)
{
	size_t room = xtr_env_room(s->to.family);
	unsigned n = 0;

	for (struct change *c = s->changed; c && n < 255; c = c->hh.next) {
		struct xtr_wr before = *w;

		put_current(s->ms, w, &c->eid);
		if (n && (w->err || xtr_wr_len(w) > room)) {
			*w = before;
			break;
		}
		c->sent = true;
		n++;
	}
	return n;
}

/* Sends what is not acknowledged; another of its RLOCs each time (RFC 9437 5). */
static void transmit(struct xtr_ms_sub *s)
{
	struct xtr_env *env = s->ms->env;
	uint64_t delay = env->cfg.timers.ms_request_interval;
	struct notify n;

	if (s->tries > EQUAL_TRIES)
		delay <<= s->tries - EQUAL_TRIES;
	s->to = s->rlocs[s->tries % s->rloc_count];
	s->more = false;
	if (notify_begin(s->ms, &n, &s->eid, s->nonce)) {
		s->sent = put_changes(s, &n.w);
		notify_send(s->ms, &n, &s->to, s->sent);
	}
	xtr_timer_set(&env->timers, &s->timer, env->now + delay);
}

static void next_message(struct xtr_ms_sub *s)
{
	s->nonce++;
	s->tries = 0;
	xtr_count(s->ms->env, PUBLICATIONS);
	transmit(s);
}

static void end(struct xtr_ms_sub *s, const char *why)
{
	char ip[XTR_IP_STRLEN];

	xtr_timer_cancel(&s->ms->env->timers, &s->timer);
	xtr_env_event(s->ms->env, XTR_EVENT_SUBSCRIPTION, &s->eid, "of %s ended: %s",
		      xtr_ip_str(&s->to, ip), why);
	forget_changes(s);
	s->rloc_count = 0;
	s->confirmed = false;
}

/* RFC 9437 6: removed by us, and told so once. */
static void end_and_tell(struct xtr_ms_sub *s, const char *why)
{
	static const struct xtr_record_head head = { .act = XTR_ACT_DROP_AUTH };
	struct notify n;

	if (notify_begin(s->ms, &n, &s->eid, s->nonce)) {
		xtr_put_record_end(&n.w, xtr_put_record_begin(&n.w, &head, &s->eid), 0);
		notify_send(s->ms, &n, &s->to, 1);
	}
	end(s, why);
}

void xtr_ms_publish_timer(void *ctx, struct xtr_timer *t)
{
	struct xtr_ms_sub *s = xtr_timer_owner(t, struct xtr_ms_sub, timer);

	if (++s->tries > (s->confirmed ? ALL_TRIES : FIRST_TRIES)) {
		end_and_tell(s, "no Map-Notify-Ack");
		return;
	}
	if (s->more) /* another message, no repetition */
		s->nonce++;
	transmit(s);
}

/* ---- publications */

/* Ends the subscription if there is no room for one more. */
static void note(struct xtr_ms_sub *s, const struct xtr_eid_prefix *eid)
{
	unsigned max = s->confirmed ? CHANGES_PER_SUB : CHANGES_UNSURE;
	struct xtr_ms *ms = s->ms;
	struct change *c;

	if (!s->rloc_count)
		return;
	HASH_FIND(hh, s->changed, eid, sizeof(*eid), c);
	if (!c && HASH_COUNT(s->changed) < max && ms->change_count < CHANGES_MAX)
		c = calloc(1, sizeof(*c));
	if (c && !c->hh.tbl) {
		c->eid = *eid;
		HASH_ADD(hh, s->changed, eid, sizeof(c->eid), c);
		if (!c->hh.tbl) {
			free(c);
			c = NULL;
		} else {
			ms->change_count++;
		}
	}
	if (!c) {
		end_and_tell(s, "too many changes that it did not acknowledge");
		return;
	}
	c->sent = false;
	s->more = true;
}

/* What a subscriber is told of when this changed: of more-specifics too (RFC 9437 6), and of what
 * covers the EID-prefix it asked for, unless something else answers for that. As for Map-Requests
 * nothing shorter than the configured EID-prefix does, or it is another site's. */
static bool concerns(const struct xtr_ms_sub *s, const struct xtr_eid_prefix *changed,
		     struct xtr_eid_prefix *what)
{
	const struct xtr_site_prefix *p;
	const struct xtr_registration *r;
	unsigned bits = changed->len + changed->group_len;

	*what = *changed;
	if (xtr_eid_covers(&s->eid, changed))
		return true;
	if (!xtr_eid_covers(changed, &s->eid))
		return false;
	p = xtr_regdb_site(&s->ms->db, &s->eid);
	if (!p || bits < (unsigned)p->eid.len + p->eid.group_len)
		return false;
	r = xtr_ms_match(s->ms, &s->eid, p);
	if (!r || r->bits <= bits)
		return true;
	xtr_registration_eid(r, what);
	return what->group_len; /* (S,G) has the receivers of (*,G), too */
}

void xtr_ms_publish(struct xtr_ms *ms, const struct xtr_eid_prefix *changed)
{
	const struct xtr_registration *now = match(ms, changed);
	struct xtr_eid_prefix what, covers = *changed;

	if (now) /* that itself, or what answers for it now that it is gone */
		xtr_registration_eid(now, &covers);
	for (struct xtr_ms_sub *s = ms->newest_sub; s; s = s->older) {
		if (!s->rloc_count || !concerns(s, changed, &what))
			continue;
		note(s, &what);
		if (xtr_eid_equal(&what, changed))
			note(s, &covers);
		/* One is on its way: with the next, that is when it is acknowledged or repeated. */
		if (s->rloc_count &&
		    (!xtr_timer_armed(&s->timer) || (s->confirmed && s->tries)))
			next_message(s);
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
	for (struct change *c = s->changed, *next; c && s->sent; c = next, s->sent--) {
		next = c->hh.next;
		if (c->sent)
			forget_change(s, c);
	}
	if (s->changed)
		next_message(s);
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

	for (const struct xtr_registrant *who = xtr_registrant_by_id(&ms->db, id); who && n < SUB_RLOCS;
	     who = who->same_id)
		if (who->registrations && !among(out, n, &who->source))
			out[n++] = who->source;
	return n;
}

/* Those ITR-RLOCs that are this xTR's, by what we know for sure. */
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

static void refused(struct xtr_ms *ms, const struct xtr_request *req, uint8_t act, const char *why)
{
	char ip[XTR_IP_STRLEN];

	xtr_env_event(ms->env, XTR_EVENT_SUBSCRIPTION, &req->eid, "of %s refused: %s",
		      xtr_ip_str(&req->meta->src, ip), why);
	xtr_reply_negative(ms->env, req, &req->eid, act, ms->env->cfg.timers.unregistered_ttl_min);
}

/* RFC 9437 5: a Map-Notify confirms it, as often as that is asked (one may get lost), and of what is
 * not known here any more, too. */
static void unsubscribe(struct xtr_ms *ms, const struct xtr_request *req, struct xtr_ms_sub *s)
{
	const struct xtr_ip *to = &req->meta->src;
	const struct xtr_registration *r;
	struct xtr_eid_prefix eid = req->eid;
	struct notify n;

	if (s && s->rloc_count) {
		if (!may_end(ms, req, s))
			return;
		end(s, "unsubscribed");
		s->nonce = req->m->nonce;
	} else if (!xtr_rloc_valid(to) || !xtr_reply_allowed(ms->env, req, to, &eid)) {
		return;
	}
	r = match(ms, &eid);
	if (r)
		xtr_registration_eid(r, &eid);
	if (!notify_begin(ms, &n, &req->eid, req->m->nonce))
		return;
	put_current(ms, &n.w, &eid);
	notify_send(ms, &n, to, 1);
}

static void take_up(struct xtr_ms *ms, const struct xtr_request *req, const uint8_t id[24],
		    struct xtr_ms_sub *s, const struct xtr_registration *r)
{
	struct xtr_ip rlocs[SUB_RLOCS], to;
	unsigned n = rlocs_of(ms, req, id, rlocs);
	struct xtr_eid_prefix eid;
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
	if (s->rloc_count != n || memcmp(s->rlocs, rlocs, n * sizeof(rlocs[0]))) {
		s->confirmed = false;
		forget_changes(s);
	}
	memcpy(s->rlocs, rlocs, n * sizeof(rlocs[0]));
	s->rloc_count = n;
	s->nonce = req->m->nonce;
	s->tries = 0;
	xtr_count(ms->env, SUBSCRIPTIONS);
	xtr_registration_eid(r, &eid);
	note(s, &eid);
	if (s->rloc_count)
		transmit(s);
}

bool xtr_ms_subscribe(struct xtr_ms *ms, const struct xtr_request *req)
{
	const struct xtr_map_request *m = req->m;
	bool ends = m->itr_rloc_count == 1 && m->itr_rlocs[0].afi == XTR_AFI_NONE;
	const struct xtr_registration *r;
	struct xtr_ms_sub *s;
	uint8_t id[24];

	if (!wants(req) || !xtr_regdb_site(&ms->db, &req->eid))
		return false;
	memcpy(id, m->xtr_id, 16);
	memcpy(id + 16, m->site_id, 8);
	s = find(ms, id, &req->eid);
	if (s && (m->nonce <= s->acked ||
		  (m->nonce == s->nonce && !(ends && !s->rloc_count)))) { /* RFC 9437 5: silently */
		xtr_count(ms->env, DROP_REPLAY);
		return true;
	}
	if (!key_of(ms, &req->eid)) {
		refused(ms, req, XTR_ACT_DROP_AUTH, "the site has no key");
		return true;
	}
	if (ends) {
		unsubscribe(ms, req, s);
		return true;
	}
	if (m->nonce > NONCE_MAX) { /* who forges it would have the next ones start at 0 again */
		refused(ms, req, XTR_ACT_DROP_POLICY, "the nonce leaves none for publications");
		return true;
	}
	r = match(ms, &req->eid);
	if (!r) /* nothing to subscribe to: a negative answer */
		return false;
	take_up(ms, req, id, s, r);
	return true;
}
