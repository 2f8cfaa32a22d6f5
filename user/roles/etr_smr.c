// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * ETR: tells the sites we talk to that a mapping of ours changed (SMR, RFC 9301 6.1), or they would
 * use the old one until its TTL ends, a day maybe. Sent to the RLOCs our ITR sent data to within
 * the last minute; one SMR per RLOC in three seconds, so several changed EID-prefixes go out one
 * after the other. Not repeated: who loses it learns by TTL.
 */
#include "roles/etr.h"

#include <stdlib.h>
#include <string.h>

#define INTERVAL 3000
#define PROXY_DELAY 250 /* ms: the Map-Server that answers for us has to know first */

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

void xtr_etr_smr_timer(void *ctx, struct xtr_timer *t)
{
	struct xtr_etr *etr = ctx;
	struct xtr_etr_smr *s = &etr->smr;

	if (!s->count)
		return;
	for (unsigned i = 0; i < s->peer_count; i++)
		send_one(etr->env, &s->changed[0], &s->peers[i]);
	s->count--;
	memmove(&s->changed[0], &s->changed[1], s->count * sizeof(s->changed[0]));
	/* Armed once more when it was the last: so that the next change keeps the distance, too. */
	xtr_timer_set(&etr->env->timers, &s->timer, etr->env->now + INTERVAL);
}

static uint64_t first_delay(const struct xtr_etr *etr)
{
	for (unsigned i = 0; i < etr->server_count; i++)
		if (etr->servers[i]->cfg.proxy_reply)
			return PROXY_DELAY;
	return 0;
}

void xtr_etr_smr(struct xtr_etr *etr, const struct xtr_eid_prefix *changed)
{
	struct xtr_env *env = etr->env;
	struct xtr_etr_smr *s = &etr->smr;

	for (unsigned i = 0; i < s->count; i++)
		if (xtr_eid_equal(&s->changed[i], changed))
			return;
	if (!env->recent_peers || s->count == XTR_ETR_SMR_MAX)
		return;
	s->peer_count = env->recent_peers(env->recent_ctx, s->peers, XTR_ETR_SMR_PEERS);
	if (!s->peer_count)
		return;
	s->changed[s->count++] = *changed;
	if (!xtr_timer_armed(&s->timer))
		xtr_timer_set(&env->timers, &s->timer, env->now + first_delay(etr));
}
