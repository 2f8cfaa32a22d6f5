// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * ITR, the asking side: a miss becomes a Map-Request to a Map-Resolver, repeated with growing
 * delays, each time to the next resolver, until it is answered or given up. RFC
 * 9301 5.3, 5.4, 6.1, 8.1.
 *
 * One entry of the pending table per EID-prefix carries all limits: no second request while one is
 * out or within the request interval after it, none in the hold-off after ten without an answer. A
 * miss that comes too early is remembered and served when its time comes, so a cleared cache does
 * not lose packets.
 *
 * There are more EIDs than requests may be sent (limits.requests-per-second), and a scan tries them
 * all. So requests have a rank: what carries traffic (refresh) goes before an EID that packets came
 * for again, and that before one that is new. Besides, each instance may send a quarter of all, come
 * what may: one tenant's scan takes nothing from another's. The ranks are levels of one bucket.
 * Anybody can send SMRs: what they make us ask is a quarter of all at most, repetitions included.
 */
#include "roles/itr.h"
#include "xtr/abi.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SMR_INTERVAL 3000 /* ms between SMR-invoked Map-Requests per EID-prefix, RFC 9301 6.1 */

static void pending_timer(void *ctx, struct xtr_timer *t);
static void believe(struct xtr_itr *itr, struct xtr_pending *p);

static void fail(struct xtr_itr *itr, const struct xtr_eid_prefix *eid)
{
	if (itr->env->ops.miss_failed)
		itr->env->ops.miss_failed(itr->env->ops.ctx, eid);
}

static uint64_t retry_delay(const struct xtr_itr *itr, unsigned tries)
{
	const struct xtr_node_timers *t = &itr->env->cfg.timers;
	uint64_t d = t->request_retry_first;

	for (unsigned i = 1; i < tries && d < t->request_retry_max; i++)
		d *= 2;
	return d < t->request_retry_max ? d : t->request_retry_max;
}

static void give_up(struct xtr_itr *itr, struct xtr_pending *p)
{
	struct xtr_env *env = itr->env;

	xtr_count(env, REQUEST_TIMEOUT);
	xtr_env_event(env, XTR_EVENT_REQUEST_TIMEOUT, &p->eid, "no answer to %u Map-Requests",
		      p->tries);
	if (p->why & XTR_WHY_MISS)
		fail(itr, &p->eid);
	xtr_pending_set_nonce(&itr->pending, p, 0);
	p->state = XTR_PENDING_HOLDOFF;
	p->again = false;
	xtr_timer_set(&env->timers, &p->timer, env->now + env->cfg.timers.request_holdoff);
}

static void transmit(struct xtr_itr *itr, struct xtr_pending *p)
{
	struct xtr_env *env = itr->env;
	const struct xtr_ip *to = xtr_seek_next(&itr->resolvers, env, &p->eid, &p->seek,
						&p->parked);
	const struct xtr_ask ask = {
		.eid = &p->eid,
		.source = p->has_source ? &p->source : NULL,
		.nonce = p->nonce,
		.flags = p->why & XTR_WHY_SMR ? XTR_MREQ_SMR_INVOKED : 0,
	};
	char ip[XTR_IP_STRLEN];

	p->tries++;
	p->sent = env->now;
	itr->parked |= p->parked;
	/* A try that cannot be sent counts as lost: the RLOC may come up before the next. */
	if (to && !xtr_ask_send(env, &ask, to))
		xtr_env_event(env, XTR_EVENT_REQUEST_SENT, &p->eid, "to Map-Resolver %s, try %u",
			      xtr_ip_str(to, ip), p->tries);
	/* With a "no" in hand the others are not waited for so long; it is another one each time. */
	xtr_timer_set(&env->timers, &p->timer,
		      env->now + retry_delay(itr, p->denied ? 1 : p->tries));
}

/* May a Map-Request for an EID of this instance be sent now? Then it is counted. */
static bool may_send(struct xtr_itr *itr, uint32_t iid, uint8_t why)
{
	uint32_t rate = itr->env->cfg.limits.requests_per_second, share = rate / 4;
	struct xtr_bucket *own = &itr->share[xtr_pending_share(iid)];
	uint32_t keep = why & XTR_WHY_REFRESH			? 0
			: why & (XTR_WHY_SMR | XTR_WHY_AGAIN) ? rate / 4
								: rate / 2;
	bool within;

	if (why & XTR_WHY_SMR && !(why & (XTR_WHY_MISS | XTR_WHY_REFRESH)) &&
	    !xtr_bucket_take(&itr->smrs, share ? share : 1, share ? share : 1, itr->env->now))
		return false;
	within = xtr_bucket_take(own, share, share, itr->env->now);
	/* what is kept comes on top of the burst */
	return xtr_bucket_take_above(&itr->requests, rate, rate + rate / 2, within ? 0 : keep,
				     itr->env->now);
}

static uint8_t rank_of(const struct xtr_pending *p)
{
	return p->why | (p->wanted ? XTR_WHY_AGAIN : 0);
}

/* A new request with a new nonce. */
static bool start(struct xtr_itr *itr, struct xtr_pending *p, uint8_t why)
{
	struct xtr_env *env = itr->env;

	if (xtr_pending_set_nonce(&itr->pending, p, xtr_env_random(env)))
		return false;
	p->state = XTR_PENDING_WAITING;
	p->why = why & ~XTR_WHY_AGAIN;
	p->wanted = why & XTR_WHY_AGAIN;
	p->again = false;
	p->again_why = 0;
	p->tries = p->silent = 0;
	p->denied = p->parked = false;
	memset(&p->seek, 0, sizeof(p->seek));
	p->started = env->now;
	transmit(itr, p);
	return true;
}

static uint64_t interval_of(const struct xtr_itr *itr, uint8_t why)
{
	return why & XTR_WHY_SMR ? SMR_INTERVAL : itr->env->cfg.timers.request_interval;
}

static void ask_again(struct xtr_itr *itr, struct xtr_pending *p)
{
	uint8_t why = p->again_why | XTR_WHY_AGAIN;

	if (may_send(itr, p->eid.iid, why) && start(itr, p, why))
		return;
	xtr_env_count(itr->env, why & XTR_WHY_MISS ? XTR_NODE_MISS_LIMITED : XTR_NODE_DROP_RATE);
	if (why & XTR_WHY_MISS)
		fail(itr, &p->eid);
	xtr_pending_del(&itr->pending, p);
}

/* There is an entry for this EID-prefix already: wait with it, or leave it. */
static bool ask_known(struct xtr_itr *itr, struct xtr_pending *p, uint8_t why)
{
	if (p->state == XTR_PENDING_WAITING) {
		p->why |= why & XTR_WHY_MISS;
		p->wanted |= why & XTR_WHY_MISS;
		return true;
	}
	if (p->state == XTR_PENDING_HOLDOFF)
		return false;
	p->again = true;
	p->again_why |= why;
	/* A packet waits: the plain interval counts, not the longer one after an SMR. */
	if (why & XTR_WHY_MISS) {
		uint64_t at = p->sent + interval_of(itr, 0);

		xtr_timer_set(&itr->env->timers, &p->timer,
			      at > itr->env->now ? at : itr->env->now);
	}
	return true;
}

static void drop(struct xtr_itr *itr, struct xtr_pending *p)
{
	if (p->why & XTR_WHY_MISS && p->state == XTR_PENDING_WAITING)
		fail(itr, &p->eid);
	xtr_pending_del(&itr->pending, p);
}

static void make_room(struct xtr_itr *itr)
{
	while (itr->pending.count >= itr->pending.limit && itr->pending.count) {
		xtr_count(itr->env, DROP_LIMIT);
		drop(itr, xtr_pending_victim(&itr->pending));
	}
}

bool xtr_itr_ask(struct xtr_itr *itr, const struct xtr_eid_prefix *eid,
		 const struct xtr_eid_prefix *src, uint8_t why)
{
	struct xtr_pending *p = xtr_pending_find(&itr->pending, eid);

	if (!xtr_resolvers_any(&itr->resolvers, itr->env))
		return false;
	if (p)
		return ask_known(itr, p, why);
	if (!may_send(itr, eid->iid, why))
		return false;
	make_room(itr);
	p = xtr_pending_add(&itr->pending, eid);
	if (!p)
		return false;
	if (why & XTR_WHY_MISS)
		xtr_env_event(itr->env, XTR_EVENT_MISS, eid, "no map-cache entry");
	if (src) {
		memcpy(&p->source, src, sizeof(*src));
		p->has_source = true;
	}
	if (start(itr, p, why))
		return true;
	xtr_pending_del(&itr->pending, p);
	return false;
}

bool xtr_itr_miss(struct xtr_itr *itr, const struct xtr_eid_prefix *eid,
		  const struct xtr_eid_prefix *src, bool again)
{
	struct xtr_env *env = itr->env;
	struct xtr_mapping *m;

	/* Our own EIDs are not behind a tunnel. */
	if (xtr_eiddb_match(&env->own, eid, NULL))
		return false;
	m = xtr_itr_lookup(itr, eid);
	if (m && (m->positive || m->act != XTR_ACT_SEND_REQUEST)) {
		/* The answer overtook this event: let the packets go that were queued since. */
		xtr_itr_give(itr, m, true);
		return true;
	}
	if (!xtr_itr_ask(itr, eid, src, XTR_WHY_MISS | (again ? XTR_WHY_AGAIN : 0))) {
		xtr_count(env, MISS_LIMITED);
		return false;
	}
	return true;
}

void xtr_itr_found(struct xtr_itr *itr)
{
	if (!itr->parked)
		return;
	itr->parked = false;
	for (struct xtr_pending *p = itr->pending.oldest; p; p = p->newer) {
		if (p->state != XTR_PENDING_WAITING || !p->parked)
			continue;
		p->tries -= p->tries > 0; /* that one was none */
		transmit(itr, p);
	}
}

/* There are more questions than may be sent, this one has had its chance, and no packet came for it
 * since: others go first. The next packet starts anew, with a better rank. */
static void yield(struct xtr_itr *itr, struct xtr_pending *p)
{
	xtr_count(itr->env, REQUEST_YIELDED);
	xtr_env_event(itr->env, XTR_EVENT_REQUEST_TIMEOUT, &p->eid,
		      "given up for others after %u Map-Requests without an answer", p->tries);
	drop(itr, p);
}

static void retry(struct xtr_itr *itr, struct xtr_pending *p)
{
	struct xtr_env *env = itr->env;
	const struct xtr_mapping *m;

	/* The answer to a request for a neighbour can have brought what this one asks for. */
	m = p->why == XTR_WHY_MISS ? xtr_itr_lookup(itr, &p->eid) : NULL;
	if (m && (m->positive || m->act != XTR_ACT_SEND_REQUEST)) {
		xtr_pending_del(&itr->pending, p);
		return;
	}
	if (!p->parked)
		xtr_resolvers_silent(&itr->resolvers, env, &p->seek.at, p->sent);
	if (p->denied && (++p->silent >= XTR_SEEK_WIDTH ||
			  p->tries >= env->cfg.timers.request_retries))
		believe(itr, p);
	else if (p->tries >= env->cfg.timers.request_retries)
		give_up(itr, p);
	else if (may_send(itr, p->eid.iid, rank_of(p)))
		transmit(itr, p);
	else if ((rank_of(p) == XTR_WHY_MISS || p->why == XTR_WHY_SMR) && !p->denied)
		yield(itr, p);
	else
		xtr_timer_set(&env->timers, &p->timer, env->now + retry_delay(itr, p->tries));
}

static void pending_timer(void *ctx, struct xtr_timer *t)
{
	struct xtr_pending *p = xtr_timer_owner(t, struct xtr_pending, timer);
	struct xtr_itr *itr = ctx;

	if (p->state == XTR_PENDING_WAITING)
		retry(itr, p);
	else if (p->state == XTR_PENDING_DONE && p->again)
		ask_again(itr, p);
	else
		xtr_pending_del(&itr->pending, p);
}

/* ---- answers */

struct found {
	struct xtr_eid_prefix eid;
	struct xtr_record rec;
};

/* Longer prefixes first: the data plane releases packets as soon as a covering entry is there, and
 * they have to meet the more-specific ones. */
static int by_length(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	return (y->eid.len + y->eid.group_len) - (x->eid.len + x->eid.group_len);
}

/* RFC 9301 5.4 as section "Map-Reply" of the rules says: the longest record that covers what was
 * asked for is the match. When a prefix was asked for, it may have been split since: then records
 * inside it will do. */
static struct found *match_of(struct found *f, unsigned n,
				    const struct xtr_eid_prefix *asked)
{
	for (unsigned i = 0; i < n; i++)
		if (xtr_eid_covers(&f[i].eid, asked))
			return &f[i];
	return NULL;
}

/* Overclaiming: a short prefix in an answer claims much; one has to have been asked for. */
static bool overclaims(const struct xtr_env *env, const struct found *f,
		       const struct xtr_eid_prefix *asked)
{
	unsigned shortest = f->eid.afi == XTR_AFI_IP4   ? env->cfg.limits.shortest_ip4
			    : f->eid.afi == XTR_AFI_IP6 ? env->cfg.limits.shortest_ip6
							: 0;

	return f->rec.locator_count && !f->eid.group_len && f->eid.len < shortest &&
	       f->eid.len < asked->len;
}

static unsigned read_records(const struct xtr_map_reply *m, struct found *f)
{
	struct xtr_records it = m->records;
	unsigned n = 0;

	while (n < 255 && xtr_record_next(&it, &f[n].rec))
		if (!xtr_eid_from_addr(&f[n].rec.eid, f[n].rec.mask_len, &f[n].eid, NULL))
			n++;
	qsort(f, n, sizeof(*f), by_length);
	return n;
}

static void answered(struct xtr_itr *itr, struct xtr_pending *p)
{
	uint64_t until = p->sent + interval_of(itr, p->why);

	xtr_resolvers_answered(&itr->resolvers, &p->seek.at, itr->env->now);
	xtr_pending_set_nonce(&itr->pending, p, 0);
	p->state = XTR_PENDING_DONE;
	if (until <= itr->env->now)
		xtr_pending_del(&itr->pending, p);
	else
		xtr_timer_set(&itr->env->timers, &p->timer, until);
}

/* Records inside the match are cached with it (overlap rule, RFC 9301 5.5), others are not. */
static void store_all(struct xtr_itr *itr, const struct found *f, unsigned n, const struct xtr_eid_prefix *asked,
		      const struct xtr_eid_prefix *within, const struct xtr_ip *from)
{
	for (unsigned i = 0; i < n; i++)
		if (xtr_eid_covers(within, &f[i].eid) &&
		    !xtr_eiddb_match(&itr->env->own, &f[i].eid, NULL) &&
		    !xtr_itr_store(itr, &f[i].eid, &f[i].rec, asked, from) && f[i].rec.ttl)
			return; /* no place: what is shorter would take its traffic */
}

/* ---- negative answers, where several sets of Map-Servers may know (RFC 9962 5) */

/* One set sees only its share of the EID-prefixes: what it says about more than the EIDs that have
 * the same index as this one is not its business, be it "nothing" (X11) or a less-specific prefix
 * (X14). Where no lookup-length says which these are, a positive answer is taken as it is. */
static void cut_to_share(const struct xtr_env *env, const struct xtr_eid_prefix *asked,
			 struct found *f)
{
	struct xtr_eid_prefix host = xtr_eid_host(asked);
	unsigned floor = env->find.ctx ? env->find.floor(env->find.ctx, asked) : 0;

	if ((unsigned)f->eid.len + f->eid.group_len >= floor ||
	    (f->rec.locator_count && floor >= xtr_eid_width(&host)))
		return;
	f->eid = xtr_eid_cut(&host, floor);
}

/* Of several, the narrowest and shortest-lived counts. */
static void deny(struct xtr_pending *p, const struct found *f, const struct xtr_ip *from)
{
	if (!p->denied || f->eid.len + f->eid.group_len >
				  p->denied_eid.len + p->denied_eid.group_len)
		p->denied_eid = f->eid;
	if (!p->denied || f->rec.ttl < p->denied_ttl)
		p->denied_ttl = f->rec.ttl;
	p->denied_act = f->rec.act;
	p->denied_by = *from;
	p->denied = true;
}

static void answered(struct xtr_itr *itr, struct xtr_pending *p);

static void believe(struct xtr_itr *itr, struct xtr_pending *p)
{
	const struct xtr_record rec = { .ttl = p->denied_ttl, .act = p->denied_act };
	const struct xtr_eid_prefix asked = p->eid, eid = p->denied_eid;
	const struct xtr_ip from = p->denied_by;
	bool wanted = p->why & XTR_WHY_MISS;

	answered(itr, p);
	if (!xtr_eiddb_match(&itr->env->own, &eid, NULL))
		xtr_itr_store(itr, &eid, &rec, &asked, &from);
	xtr_itr_outdated(itr, &asked, &eid);
	if (wanted && !xtr_itr_lookup(itr, &asked))
		fail(itr, &asked);
}

/* True: taken, and either believed or asked about elsewhere. */
static bool negative(struct xtr_itr *itr, struct xtr_pending *p, const struct found *f,
		     const struct xtr_ip *from)
{
	struct xtr_env *env = itr->env;

	if (!env->find.ctx || !f || f->rec.locator_count)
		return false;
	deny(p, f, from);
	xtr_seek_denied(&p->seek);
	p->silent = 0;
	xtr_resolvers_answered(&itr->resolvers, &p->seek.at, env->now);
	/* RFC 9301 5.3 limits questions that repeat each other; this one goes to another set or
	 * another member, at most once to each. */
	if (xtr_seek_more(&itr->resolvers, env, &p->eid, &p->seek) &&
	    p->tries < env->cfg.timers.request_retries &&
	    may_send(itr, p->eid.iid, rank_of(p)) &&
	    !xtr_pending_set_nonce(&itr->pending, p, xtr_env_random(env)))
		transmit(itr, p);
	else
		believe(itr, p);
	return true;
}

bool xtr_itr_reply(struct xtr_itr *itr, const struct xtr_msg_meta *meta,
		   const struct xtr_map_reply *m)
{
	struct xtr_pending *p = xtr_pending_by_nonce(&itr->pending, m->nonce);
	struct xtr_env *env = itr->env;
	struct found f[255];
	struct found *match;
	struct xtr_eid_prefix within, asked;
	struct xtr_mapping *entry;
	unsigned n, inside = 0;
	char ip[XTR_IP_STRLEN];
	bool wanted;

	if (!p)
		return false;
	/* What does not fit leaves the request standing, or a forged answer could cancel it. */
	n = m->probe ? 0 : read_records(m, f);
	match = match_of(f, n, &p->eid);
	within = match ? match->eid : p->eid;
	for (unsigned i = 0; i < n; i++)
		inside += xtr_eid_covers(&within, &f[i].eid);
	if (!inside) {
		xtr_count(env, DROP_MISMATCH);
		xtr_env_event(env, XTR_EVENT_MESSAGE_DROPPED, &p->eid,
			      "Map-Reply from %s has no record for the EID",
			      xtr_ip_str(&meta->src, ip));
		env->dropped = 0; /* said */
		return true;
	}
	if (match && overclaims(env, match, &p->eid)) {
		xtr_count(env, DROP_OVERCLAIM);
		xtr_env_event(env, XTR_EVENT_MESSAGE_DROPPED, &p->eid,
			      "Map-Reply from %s claims a prefix of only %u bits",
			      xtr_ip_str(&meta->src, ip), match->eid.len);
		env->dropped = 0;
		return true;
	}
	xtr_env_event(env, XTR_EVENT_REPLY, &p->eid, "from %s, %u records, after %u ms",
		      xtr_ip_str(&meta->src, ip), n, (unsigned)(env->now - p->started));
	if (match) {
		cut_to_share(env, &p->eid, match);
		within = match->eid;
	}
	if (negative(itr, p, match, &meta->src))
		return true;
	asked = p->eid;
	wanted = p->why & XTR_WHY_MISS;
	answered(itr, p);
	store_all(itr, f, n, &asked, &within, &meta->src);
	xtr_itr_outdated(itr, &asked, match ? &within : NULL);
	entry = wanted ? xtr_itr_lookup(itr, &asked) : NULL;
	if (wanted && !entry)
		fail(itr, &asked);
	return true;
}

/* ---- SMR */

static int any(void *ctx, const struct xtr_eid_prefix *eid, void *value)
{
	return 1;
}

/* What to ask for because of an SMR about eid: the entry it lies in, or eid itself if entries lie
 * in it. */
static bool smr_target(struct xtr_itr *itr, const struct xtr_addr *addr, uint8_t mask_len,
		       struct xtr_eid_prefix *out)
{
	struct xtr_eid_prefix eid;
	const struct xtr_mapping *m;

	if (xtr_eid_from_addr(addr, mask_len, &eid, NULL))
		return false;
	m = xtr_itr_lookup(itr, &eid);
	if (m) {
		xtr_mapping_eid(m, out);
		return m->expires != XTR_NEVER;
	}
	*out = eid;
	return xtr_eiddb_walk(&itr->cache.db, &eid, any, NULL);
}

static uint8_t full_len(const struct xtr_addr *a)
{
	struct xtr_lcaf_iid iid;
	const struct xtr_addr *in = xtr_lcaf_get_iid(a, &iid) ? &iid.addr : a;

	return in->afi == XTR_AFI_IP4    ? 32
	       : in->afi == XTR_AFI_IP6  ? 128
	       : in->afi == XTR_AFI_NAME ? 0
					 : 48;
}

void xtr_itr_smr(struct xtr_itr *itr, const struct xtr_request *req)
{
	struct xtr_env *env = itr->env;
	struct xtr_mreq_record rec;
	struct xtr_eid_prefix eid;
	struct xtr_rd it = { 0 };
	struct xtr_pending *p;

	/* The changed EID is the Source-EID in most implementations, else the record's. The content
	 * is not trusted: it only makes us ask the mapping system about an entry we have (RFC
	 * 9301 6.1). */
	if (!(req->m->source_eid.afi != XTR_AFI_NONE &&
	      smr_target(itr, &req->m->source_eid, full_len(&req->m->source_eid), &eid)) &&
	    !(xtr_mreq_record_next(req->m, &it, &rec) &&
	      smr_target(itr, &rec.eid, rec.mask_len, &eid))) {
		xtr_count(env, DROP_SMR);
		return;
	}
	p = xtr_pending_find(&itr->pending, &eid);
	/* One that was answered a moment ago is asked about once more when it may be: the answer may be older than this change. */
	if ((p && p->state != XTR_PENDING_DONE) || !xtr_itr_ask(itr, &eid, NULL, XTR_WHY_SMR))
		xtr_count(env, DROP_RATE);
}

/* ---- life */

#define GIVE_A_TURN 1024

bool xtr_itr_work(struct xtr_itr *itr)
{
	struct xtr_mapping *m;
	unsigned n = 0;

	if (!itr->give_left)
		return false;
	while (n < GIVE_A_TURN && itr->give_left && (m = xtr_mapcache_next(&itr->cache))) {
		xtr_itr_give(itr, m, false);
		itr->give_left--;
		n++;
	}
	if (n < GIVE_A_TURN)
		itr->give_left = 0;
	return itr->give_left;
}

void xtr_itr_rlocs_changed(struct xtr_itr *itr)
{
	size_t n = xtr_mapcache_count(&itr->cache);

	/* Those that are touched meanwhile go to the end and come again: there has to be one. */
	itr->cache.cursor = itr->cache.oldest;
	itr->give_left = (uint32_t)(n + n / 4);
	xtr_env_batch(itr->env, true);
	xtr_itr_work(itr);
	xtr_env_batch(itr->env, false);
}

int xtr_itr_reconfigure(struct xtr_itr *itr)
{
	struct xtr_env *env = itr->env;

	xtr_resolvers_set(&itr->resolvers, env);
	itr->pending.limit = env->cfg.limits.pending_requests;
	make_room(itr);
	/* What became ours is not behind a tunnel any more. */
	for (unsigned i = 0; i < env->cfg.mapping_count; i++)
		xtr_itr_clear(itr, &env->cfg.mappings[i].eid, UINT32_MAX,
			      "is one of our own EID-prefixes now");
	xtr_itr_rlocs_changed(itr);
	return 0;
}

int xtr_itr_new(struct xtr_env *env, struct xtr_itr **out)
{
	struct xtr_itr *itr = calloc(1, sizeof(*itr));

	if (!itr)
		return -ENOMEM;
	itr->env = env;
	xtr_timers_kind(&env->timers, XTR_TIMER_MAPPING, xtr_itr_cache_timer, itr);
	xtr_timers_kind(&env->timers, XTR_TIMER_PENDING, pending_timer, itr);
	xtr_timers_kind(&env->timers, XTR_TIMER_ITR_SAVE, xtr_itr_save_timer, itr);
	itr->save.kind = XTR_TIMER_ITR_SAVE;
	xtr_mapcache_init(&itr->cache, &env->timers, XTR_TIMER_MAPPING);
	xtr_pendings_init(&itr->pending, &env->timers, XTR_TIMER_PENDING,
			  env->cfg.limits.pending_requests);
	xtr_resolvers_set(&itr->resolvers, env);
	*out = itr;
	return 0;
}

void xtr_itr_free(struct xtr_itr *itr, bool drop)
{
	if (!itr)
		return;
	xtr_itr_save_now(itr);
	if (drop)
		xtr_itr_clear(itr, NULL, UINT32_MAX, "ITR switched off");
	xtr_timer_cancel(&itr->env->timers, &itr->save); /* static entries come back with the role */
	xtr_pendings_free(&itr->pending);
	xtr_mapcache_free(&itr->cache);
	free(itr);
}

int xtr_itr_walk_pending(struct xtr_itr *itr, int (*fn)(void *, const struct xtr_pending_info *),
			 void *arg)
{
	int r = 0;

	for (struct xtr_pending *p = itr->pending.oldest; p && !r; p = p->newer) {
		const struct xtr_pending_info info = {
			.eid = p->eid,
			.nonce = p->nonce,
			.age_ms = itr->env->now - p->started,
			.next_ms = p->timer.at > itr->env->now ? p->timer.at - itr->env->now : 0,
			.tries = p->tries,
			.resolver = p->seek.at,
		};

		if (p->state != XTR_PENDING_DONE || p->again)
			r = fn(arg, &info);
	}
	return r;
}
