// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * ETR: tells the sites we talk to that a mapping of ours changed (SMR, RFC 9301 6.1), or they would
 * use the old one until its TTL ends, a day maybe. Sent to the RLOCs our ITR sent data to within
 * the last minute. Not repeated: who loses it learns by TTL.
 *
 * RFC 9301 6.1 recommends one SMR per RLOC in three seconds. That is kept for each EID-prefix; taken
 * for all of them together, a router with many would tell the last of them minutes after an RLOC
 * went down. Different ones go to an RLOC 20 a second, and 640 a second to all together.
 *
 * Owns the changes. One is in the list of those that wait, or of those that were told within the
 * three seconds; always in the database, too. The peers are those of the first change on, and more
 * are added, until both lists are empty.
 */
#include "roles/etr.h"

#include <stdlib.h>
#include <string.h>

#define INTERVAL 3000
#define TURN 50		/* ms: one change each */
#define PEERS_A_TURN 32 /* the others have the next turns */
#define CHANGES_MAX 65536
#define PROXY_DELAY 250 /* ms: the Map-Server that answers for us has to know first */

struct xtr_etr_change {
	struct xtr_etr_change *next;
	struct xtr_eid_prefix eid;
	uint64_t at;	/* waits: not before; told: when */
	uint64_t again; /* changed since it was told: not before; 0: did not */
	bool waits;
};

static void send_one(struct xtr_env *env, const struct xtr_eid_prefix *changed,
		     const struct xtr_peer *to)
{
	/* What changed as source EID, what the receiver has as record: so most implementations read
	 * it. D: we want no answer. */
	const struct xtr_mreq_out m = {
		.flags = XTR_MREQ_S | XTR_MREQ_D,
		.nonce = xtr_env_random(env),
		.source_eid = changed,
		.itr_rlocs = env->up,
		.itr_rloc_count = (uint8_t)(env->up_count < 16 ? env->up_count : 16),
		.eid = &to->eid,
	};
	uint8_t buf[1024];
	struct xtr_wr w = xtr_wr_init(buf, sizeof(buf));

	if (!xtr_env_rloc(env, to->rloc.family))
		return;
	xtr_map_request_encode(&w, &m);
	if (!w.err && !xtr_env_send(env, NULL, &to->rloc, XTR_PORT, buf, xtr_wr_len(&w),
				    XTR_NODE_TX_MAP_REQUEST))
		xtr_count(env, TX_SMR);
}

static void push(struct xtr_etr_changes *l, struct xtr_etr_change *c, uint64_t at)
{
	c->at = at;
	c->next = NULL;
	if (l->first)
		l->last->next = c;
	else
		l->first = c;
	l->last = c;
}

static struct xtr_etr_change *pop(struct xtr_etr_changes *l)
{
	struct xtr_etr_change *c = l->first;

	l->first = c->next;
	return c;
}

static void arm(struct xtr_etr *etr)
{
	struct xtr_etr_smr *s = &etr->smr;
	uint64_t at = XTR_NEVER;

	if (s->waiting.first)
		at = s->waiting.first->at > s->sent + TURN ? s->waiting.first->at : s->sent + TURN;
	if (s->told.first && s->told.first->at + INTERVAL < at)
		at = s->told.first->at + INTERVAL;
	if (at != XTR_NEVER)
		xtr_timer_set(&etr->env->timers, &s->timer, at);
}

/* Those whose three seconds are over may be told again, and are, if they changed. */
static void let_go(struct xtr_etr_smr *s, uint64_t now)
{
	while (s->told.first && s->told.first->at + INTERVAL <= now) {
		struct xtr_etr_change *c = pop(&s->told);

		if (c->again) {
			push(&s->waiting, c, c->again);
			c->waits = true;
			c->again = 0;
			continue;
		}
		xtr_eiddb_del(&s->changes, &c->eid);
		free(c);
	}
}

void xtr_etr_smr_timer(void *ctx, struct xtr_timer *t)
{
	struct xtr_etr *etr = ctx;
	struct xtr_etr_smr *s = &etr->smr;
	uint64_t now = etr->env->now;

	let_go(s, now);
	if (s->waiting.first && s->waiting.first->at <= now && s->sent + TURN <= now) {
		s->sent = now;
		for (unsigned i = 0; i < PEERS_A_TURN && s->peer_at < s->peer_count; i++)
			send_one(etr->env, &s->waiting.first->eid, &s->peers[s->peer_at++]);
		if (s->peer_at == s->peer_count) {
			s->waiting.first->waits = false;
			push(&s->told, pop(&s->waiting), now);
			s->peer_at = 0;
		}
	}
	arm(etr);
}

static uint64_t first_delay(const struct xtr_etr *etr)
{
	for (unsigned i = 0; i < etr->server_count; i++)
		if (etr->servers[i]->cfg.proxy_reply)
			return PROXY_DELAY;
	return 0;
}

/* Once for all changes of one moment. */
static void look_for_peers(struct xtr_etr *etr)
{
	struct xtr_env *env = etr->env;
	struct xtr_etr_smr *s = &etr->smr;

	if (s->looked == env->now + 1)
		return;
	s->looked = env->now + 1;
	if (!s->changes.count || s->peer_count == XTR_ETR_SMR_PEERS)
		s->peer_count = s->peer_at = 0;
	s->peer_count = env->recent_peers(env->recent_ctx, s->peers, s->peer_count, XTR_ETR_SMR_PEERS);
	if (s->peer_count == XTR_ETR_SMR_PEERS)
		xtr_count(env, SMR_GIVEN_UP);
}

void xtr_etr_smr(struct xtr_etr *etr, const struct xtr_eid_prefix *changed)
{
	struct xtr_env *env = etr->env;
	struct xtr_etr_smr *s = &etr->smr;
	uint64_t at = env->now + first_delay(etr);
	struct xtr_etr_change *c;

	if (!env->recent_peers)
		return;
	look_for_peers(etr);
	if (!s->peer_count)
		return;
	c = xtr_eiddb_get(&s->changes, changed);
	if (c) {
		/* Who was told already has to be told again. */
		if (c->waits && !(c == s->waiting.first && s->peer_at))
			c->at = at;
		else
			c->again = at;
		return;
	}
	c = s->changes.count < CHANGES_MAX ? calloc(1, sizeof(*c)) : NULL;
	if (!c || xtr_eiddb_set(&s->changes, changed, c, NULL, NULL)) {
		xtr_count(env, SMR_GIVEN_UP);
		free(c);
		return;
	}
	c->eid = *changed;
	c->waits = true;
	push(&s->waiting, c, at);
	if (s->waiting.first == c || !xtr_timer_armed(&s->timer))
		arm(etr);
}

void xtr_etr_smr_free(struct xtr_etr *etr)
{
	xtr_timer_cancel(&etr->env->timers, &etr->smr.timer);
	xtr_eiddb_free(&etr->smr.changes, free);
}
