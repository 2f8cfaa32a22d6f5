// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * LISP-Decent, push: who is in a group? Asked of its members, of the core, or of the pull system,
 * at the start and every lookup_interval (draft-farinacci-lisp-decent-10 4.2); or subscribed to
 * (RFC 9437), where the same requests renew the subscription. Each try goes to the next one that
 * may know. Silence changes nothing: the members that were known last stay.
 *
 * A Map-Notify about a membership is believed if it is a publication we subscribed to, or comes
 * without authentication from a peer that is configured for that. Any other, if authentic, only
 * makes us ask (RFC 8378 5.3).
 */
#include "roles/decent_push.h"

#include "codec/auth.h"

#include <string.h>

#define TRIES_MIN 4        /* of one lookup, however few there are to ask */
#define AGAIN 10000        /* after no answer while nothing is known; nothing to subscribe to */
#define SOON 1000          /* least distance of lookups that something else asks for */
#define SUB_SPACE (1ull << 63)
#define NONCE_STEP (1u << 20) /* publications since the last one we saw: more is not from our request */
#define ITR_RLOCS 16       /* as in other requests: 576 octets are to be enough */

/* ---- asking */

static unsigned asked(struct xtr_push_group *g, struct xtr_ip out[XTR_PUSH_ASKED_MAX])
{
	struct xtr_env *env = g->push->env;
	const struct xtr_push_group *core = xtr_push_core(g->push);
	unsigned n = 0, kept = 0;

	if (g->cfg->via == XTR_VIA_PULL) {
		for (unsigned stage = 0; stage < 2 && env->find.resolvers; stage++)
			n += env->find.resolvers(env->find.ctx, &g->eid, stage, out + n,
						 XTR_PUSH_ASKED_MAX - n);
	} else {
		n = xtr_push_reachable(g->cfg->via == XTR_VIA_CORE && core ? core : g, out,
				       XTR_PUSH_ASKED_MAX);
	}
	for (unsigned i = 0; i < n; i++)
		if (xtr_env_rloc(env, out[i].family) && !xtr_env_own_rloc(env, &out[i]))
			out[kept++] = out[i];
	return kept;
}

/* Which of them is next. A Map-Server that we subscribed at is asked first: it is to renew it. */
static bool pick(struct xtr_push_group *g, unsigned *count)
{
	struct xtr_ip list[XTR_PUSH_ASKED_MAX];
	unsigned n = asked(g, list);

	*count = n;
	if (!n)
		return false;
	for (unsigned i = 0; g->sub.active && !g->lookup.tries && i < n; i++)
		if (!xtr_ip_cmp(&list[i], &g->sub.from)) {
			g->lookup.to = list[i];
			return true;
		}
	g->lookup.to = list[g->lookup.turn++ % n];
	return true;
}

/* A Map-Request to one of them, in an ECM. rlocs: where to answer to. */
static void request(struct xtr_push_group *g, const struct xtr_ip *rlocs, unsigned n,
		    bool subscribe)
{
	struct xtr_env *env = g->push->env;
	const struct xtr_ip *to = &g->lookup.to, *src = xtr_env_rloc(env, to->family);
	const struct xtr_mreq_out m = {
		.flags = subscribe ? XTR_MREQ_I : 0,
		.nonce = g->lookup.nonce,
		.itr_rlocs = rlocs,
		.itr_rloc_count = (uint8_t)n,
		.eid = &g->eid,
		.subscribe = subscribe,
		.xtr_id = env->cfg.xtr_id,
		.site_id = env->cfg.site_id,
	};
	uint8_t msg[1024], buf[1200];
	struct xtr_wr w = xtr_wr_init(msg, sizeof(msg)), e = xtr_wr_init(buf, sizeof(buf));

	if (!src)
		return;
	xtr_map_request_encode(&w, &m);
	xtr_ecm_encode(&e, src, XTR_PORT, to, XTR_PORT, msg, xtr_wr_len(&w));
	if (w.err || e.err)
		xtr_count(env, TX_FAILED);
	else
		xtr_env_send(env, src, to, XTR_PORT, buf, xtr_wr_len(&e), XTR_NODE_TX_MAP_REQUEST);
}

static bool subscribes(const struct xtr_push_group *g)
{
	return g->cfg->subscribe && g->push->env->cfg.has_ids;
}

/* RFC 9437 5: greater than any before; our own sequence is, over restarts too. The top bit keeps
 * them apart from those of Map-Registers: a Map-Notify with one of these is no publication. A
 * Map-Reply is answer enough, and has no other proof than the nonce: so it must not be guessed. */
static uint64_t sub_nonce(struct xtr_push_group *g)
{
	struct xtr_env *env = g->push->env;
	uint64_t n;

	xtr_nonce_skip(&env->nonces, &env->ops, (uint32_t)xtr_env_random(env));
	n = xtr_nonce_next(&env->nonces, &env->ops) ^ SUB_SPACE;
	if (n <= g->sub.nonce)
		n = g->sub.nonce + 1;
	g->sub.nonce = n;
	return n;
}

/* The next one a little earlier or later, so that a group that started together does not ask
 * together. */
static uint64_t interval(struct xtr_push_group *g)
{
	uint64_t t = g->cfg->lookup_interval ? g->cfg->lookup_interval : 60000;

	return t - t / 10 + xtr_env_random(g->push->env) % (t / 5 + 1);
}

static void wait_for_next(struct xtr_push_group *g)
{
	g->lookup.nonce = 0;
	g->lookup.tries = 0;
	g->lookup.next = g->push->env->now + interval(g);
}

static void gave_up(struct xtr_push_group *g)
{
	uint64_t now = g->push->env->now;

	g->lookup.failed = true;
	g->sub.active = false;
	wait_for_next(g);
	if (!g->known && g->lookup.next > now + AGAIN)
		g->lookup.next = now + AGAIN;
}

void xtr_push_lookup_run(struct xtr_push_group *g)
{
	struct xtr_env *env = g->push->env;
	struct xtr_push_lookup *l = &g->lookup;
	uint64_t delay = env->cfg.timers.request_retry_first;
	unsigned n;

	if (l->next > env->now)
		return;
	/* Nobody to ask (all of a group may start with multicast alone): who registers here is
	 * known without. */
	if (!pick(g, &n)) {
		g->lookup.failed = g->cfg->via != XTR_VIA_SELF || !g->cfg->member;
		wait_for_next(g);
		if (g->lookup.failed || !g->count)
			l->next = env->now + (l->next - env->now < AGAIN ? l->next - env->now
									  : AGAIN);
		return;
	}
	if (l->tries >= (n > TRIES_MIN ? n : TRIES_MIN)) {
		gave_up(g);
		return;
	}
	l->earlier = l->nonce;
	l->nonce = subscribes(g) ? sub_nonce(g) : xtr_env_random(env);
	for (unsigned i = 0; i < l->tries / n && delay < env->cfg.timers.request_retry_max; i++)
		delay *= 2;
	l->tries++;
	l->next = env->now + (delay ? delay : 1000);
	request(g, env->up, env->up_count < ITR_RLOCS ? env->up_count : ITR_RLOCS, subscribes(g));
}

void xtr_push_lookup_soon(struct xtr_push_group *g)
{
	uint64_t soon = g->push->env->now + SOON;

	if (!g->lookup.nonce && g->lookup.next > soon)
		g->lookup.next = soon;
	xtr_push_arm(g);
}

/* RFC 9437 5: one ITR-RLOC with AFI 0. */
void xtr_push_unsubscribe(struct xtr_push_group *g)
{
	static const struct xtr_ip none;

	if (!g->sub.active)
		return;
	g->sub.active = false;
	g->lookup.to = g->sub.from;
	g->lookup.nonce = sub_nonce(g);
	request(g, &none, 1, true);
	g->lookup.nonce = 0;
}

/* ---- answers */

static struct xtr_push_group *by_nonce(struct xtr_push *p, uint64_t nonce)
{
	for (unsigned i = 0; nonce && i < p->group_count; i++)
		if (p->groups[i]->lookup.nonce == nonce || p->groups[i]->lookup.earlier == nonce)
			return p->groups[i];
	return NULL;
}

static struct xtr_push_group *by_eid(struct xtr_push *p, const struct xtr_eid_prefix *eid)
{
	for (unsigned i = 0; i < p->group_count; i++)
		if (xtr_eid_equal(&p->groups[i]->eid, eid))
			return p->groups[i];
	return NULL;
}

/* The record about the group, among more-specific ones perhaps. */
static bool record_of(const struct xtr_push_group *g, struct xtr_records it, struct xtr_record *out)
{
	struct xtr_eid_prefix eid;

	while (xtr_record_next(&it, out))
		if (!xtr_eid_from_addr(&out->eid, out->mask_len, &eid, NULL) &&
		    xtr_eid_covers(&eid, &g->eid))
			return true;
	return false;
}

static void take_record(struct xtr_push_group *g, const struct xtr_record *rec)
{
	uint8_t buf[XTR_LOCSET_OCTETS];
	struct xtr_locset set;

	xtr_locset_read(rec, buf, sizeof(buf), &set);
	if (!rec->ttl)
		set.count = 0, set.len = 0;
	g->lookup.negative = !set.count;
	xtr_push_take(g, &set);
}

static void answered(struct xtr_push_group *g)
{
	g->known = true;
	g->lookup.failed = false;
	g->lookup.earlier = 0;
	wait_for_next(g);
	xtr_push_arm(g);
}

bool xtr_push_reply(struct xtr_push *p, const struct xtr_msg_meta *meta,
		    const struct xtr_map_reply *m)
{
	struct xtr_push_group *g = by_nonce(p, m->nonce);
	struct xtr_record rec;

	if (!g)
		return false;
	if (m->probe || !record_of(g, m->records, &rec)) {
		xtr_count(p->env, DROP_MISMATCH);
		return true;
	}
	/* Also what a Map-Server says that does not take the subscription (RFC 9437 5). */
	g->sub.active = false;
	answered(g);
	take_record(g, &rec);
	/* At the start our own membership may not be there yet, and nothing can be subscribed to. */
	if (g->lookup.negative && subscribes(g) && g->lookup.next > p->env->now + AGAIN) {
		g->lookup.next = p->env->now + AGAIN;
		xtr_push_arm(g);
	}
	return true;
}

/* ---- Map-Notify */

/* Without a secret anybody could say who the members are. */
static bool authentic(const struct xtr_register *m, const struct xtr_key *key)
{
	return key->alg_id != XTR_AUTH_NONE && xtr_key_signed(key, m);
}

/* The key of who sends about this group: of the group, of the core it is registered at, or of an
 * index of the pull system. */
static const struct xtr_key *key_of(const struct xtr_push_group *g, const struct xtr_register *m)
{
	const struct xtr_push_group *core = xtr_push_core(g->push);
	const struct xtr_pull_config *pull = g->push->env->cfg.decent.pull;

	if (authentic(m, &g->cfg->server.key))
		return &g->cfg->server.key;
	if (g->cfg->via == XTR_VIA_CORE && core && authentic(m, &core->cfg->server.key))
		return &core->cfg->server.key;
	if (g->cfg->via != XTR_VIA_PULL || !pull)
		return NULL;
	for (unsigned i = 0; i < pull->key_count; i++)
		if (authentic(m, &pull->keys[i].key))
			return &pull->keys[i].key;
	return authentic(m, &pull->server.key) ? &pull->server.key : NULL;
}

/* Does it tell of a change? An acknowledgement of what we registered mostly does not. */
static bool differs(const struct xtr_push_group *g, const struct xtr_record *rec)
{
	struct xtr_ip list[XTR_PUSH_MEMBERS_MAX];
	uint8_t buf[XTR_LOCSET_OCTETS];
	struct xtr_locset set;
	unsigned n;

	xtr_locset_read(rec, buf, sizeof(buf), &set);
	n = xtr_locset_members(&set, list, XTR_PUSH_MEMBERS_MAX);
	for (unsigned i = 0; i < n; i++)
		if (!xtr_env_own_rloc(g->push->env, &list[i]) &&
		    !xtr_push_member(g, &list[i], NULL))
			return true;
	return false;
}

static void publication(struct xtr_push_group *g, const struct xtr_msg_meta *meta,
			const struct xtr_register *m, const struct xtr_key *key,
			const struct xtr_record *rec)
{
	struct xtr_env *env = g->push->env;
	bool first = g->lookup.nonce && (m->nonce >= g->lookup.nonce ||
					 m->nonce == g->lookup.earlier);
	bool ours = g->sub.active && !xtr_ip_cmp(&g->sub.from, &meta->src);
	char ip[XTR_IP_STRLEN];

	/* It goes on from a request that somebody forged: taken up, our own next one would not be
	 * above it. */
	if (m->nonce > g->sub.nonce && m->nonce - g->sub.nonce > NONCE_STEP) {
		xtr_count(env, DROP_REPLAY);
		return;
	}
	/* RFC 9437 6: a repeated one is acknowledged again, an older one is not. */
	if (!first && m->nonce <= g->sub.nonce) {
		if (ours && m->nonce == g->sub.nonce)
			xtr_env_ack(env, meta, m, key);
		else
			xtr_count(env, DROP_REPLAY);
		return;
	}
	if (!rec->ttl && !rec->locator_count && rec->act == 5) { /* it does not serve us any more */
		g->sub.active = false;
		xtr_env_ack(env, meta, m, key);
		xtr_push_lookup_soon(g);
		return;
	}
	if (!ours)
		xtr_env_event(env, XTR_EVENT_SUBSCRIPTION, &g->eid, "at %s",
			      xtr_ip_str(&meta->src, ip));
	g->sub.active = true;
	g->sub.from = meta->src;
	if (m->nonce > g->sub.nonce)
		g->sub.nonce = m->nonce;
	xtr_env_ack(env, meta, m, key);
	if (first)
		answered(g);
	take_record(g, rec);
}

static bool may_be_unauthenticated(const struct xtr_push_group *g, const struct xtr_ip *ip)
{
	for (unsigned i = 0; i < g->cfg->unauthenticated_count; i++)
		if (!xtr_ip_cmp(&g->cfg->unauthenticated[i], ip))
			return true;
	return false;
}

static bool unauthenticated(struct xtr_push_group *g, const struct xtr_msg_meta *meta,
			    struct xtr_register *m)
{
	struct xtr_env *env = g->push->env;
	struct xtr_record rec;
	int r;

	if (!may_be_unauthenticated(g, &meta->src)) {
		xtr_count(env, DROP_AUTH);
		return true;
	}
	r = xtr_register_decode_body(m);
	if (r) {
		xtr_env_bad(env, r);
		return true;
	}
	if (record_of(g, m->records, &rec))
		take_record(g, &rec);
	xtr_env_ack(env, meta, m, NULL);
	return true;
}

/* From where we are subscribed or just asked for it, with a nonce of that kind. */
static bool about_subscription(const struct xtr_push_group *g, const struct xtr_msg_meta *meta,
			       const struct xtr_register *m)
{
	if (!g->sub.nonce || (m->nonce ^ g->sub.nonce) & SUB_SPACE)
		return false;
	if (g->sub.active && !xtr_ip_cmp(&g->sub.from, &meta->src))
		return true;
	return g->lookup.nonce && subscribes(g) &&
	       (!xtr_ip_cmp(&g->lookup.to, &meta->src) || m->nonce == g->lookup.earlier);
}

bool xtr_push_notify(struct xtr_push *p, const struct xtr_msg_meta *meta, const uint8_t *buf,
		     size_t len)
{
	const struct xtr_key *key;
	struct xtr_push_group *g;
	struct xtr_eid_prefix eid;
	struct xtr_register m;
	struct xtr_record rec;
	bool subscribed;

	if (xtr_register_decode_head(buf, len, &m) || xtr_register_peek_eid(&m, &eid))
		return false;
	g = by_eid(p, &eid);
	if (!g)
		return false;
	if (m.alg_id == XTR_AUTH_NONE && g->cfg->server.key.alg_id != XTR_AUTH_NONE)
		return unauthenticated(g, meta, &m);
	key = key_of(g, &m);
	if (!key) /* the ETR counts what is not authentic; it may have another key for the server */
		return false;
	if (xtr_register_decode_body(&m) || !record_of(g, m.records, &rec))
		return false;
	subscribed = about_subscription(g, meta, &m);
	if (subscribed) {
		publication(g, meta, &m, key, &rec);
		return true;
	}
	if (differs(g, &rec))
		xtr_push_lookup_soon(g);
	return false; /* an answer to a Map-Register, or for the ETR to acknowledge */
}
