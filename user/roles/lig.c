// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * lig. At most XTR_LIG_MAX questions at once, in a list: it is people who ask. Four tries, after 1,
 * 2 and 4 s, and 8 s for the last.
 */
#include "roles/lig.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TRIES 4

struct xtr_lig_ask {
	struct xtr_lig_ask *next;
	struct xtr_lig *lig;
	struct xtr_timer timer;
	struct xtr_eid_prefix eid;
	struct xtr_ip to; /* family 0: the configured or found ones */
	struct xtr_seek seek;
	bool parked; /* goes out as soon as its resolvers are known */
	/* The records of a negative answer, in case nobody else knows more; NULL: none. */
	uint8_t *denied;
	struct xtr_records denied_records;
	struct xtr_ip denied_by;
	uint64_t nonce, started;
	unsigned tries, sent;
	void (*done)(void *arg, const struct xtr_lig_result *res);
	void *arg;
};

static void finish(struct xtr_lig_ask *ask, const struct xtr_lig_result *res)
{
	struct xtr_lig *lig = ask->lig;
	struct xtr_lig_ask **link = &lig->asks;

	while (*link != ask)
		link = &(*link)->next;
	*link = ask->next;
	lig->count--;
	xtr_timer_cancel(&lig->env->timers, &ask->timer);
	ask->done(ask->arg, res);
	free(ask->denied);
	free(ask);
}

static int transmit(struct xtr_lig_ask *ask)
{
	struct xtr_env *env = ask->lig->env;
	const struct xtr_ip *to = &ask->to;
	const struct xtr_ask q = { .eid = &ask->eid, .nonce = ask->nonce };
	uint64_t delay = (uint64_t)env->cfg.timers.request_retry_first
			 << (ask->tries < TRIES ? ask->tries : TRIES - 1);

	ask->parked = false;
	if (!to->family)
		to = xtr_seek_next(&ask->lig->resolvers, env, &ask->eid, &ask->seek, &ask->parked);
	ask->tries++;
	xtr_timer_set(&env->timers, &ask->timer, env->now + delay);
	if (ask->parked)
		return 0;
	ask->sent++;
	return to ? xtr_ask_send(env, &q, to) : -ENETUNREACH;
}

static unsigned records_of(const struct xtr_records *records, struct xtr_record list[255])
{
	struct xtr_records it = *records;
	unsigned n = 0;

	while (n < 255 && xtr_record_next(&it, &list[n]))
		n++;
	return n;
}

static void end(struct xtr_lig_ask *ask, const struct xtr_records *records,
		const struct xtr_ip *from)
{
	struct xtr_record list[255];
	struct xtr_lig_result res = { .records = list };

	if (records) {
		res.count = records_of(records, list);
		res.from = *from;
	} else {
		res.records = NULL;
	}
	res.rtt_ms = ask->lig->env->now - ask->started;
	res.tries = ask->sent;
	finish(ask, &res);
}

static void lig_timer(void *ctx, struct xtr_timer *t)
{
	struct xtr_lig_ask *ask = xtr_timer_owner(t, struct xtr_lig_ask, timer);

	if (ask->tries < TRIES)
		transmit(ask);
	else
		end(ask, ask->denied ? &ask->denied_records : NULL, &ask->denied_by);
}

void xtr_lig_found(struct xtr_lig *lig)
{
	for (struct xtr_lig_ask *ask = lig->asks; ask; ask = ask->next)
		if (ask->parked) {
			ask->tries -= ask->tries > 0; /* that one was none */
			transmit(ask);
		}
}

int xtr_lig_start(struct xtr_lig *lig, const struct xtr_eid_prefix *eid, const struct xtr_ip *to,
		  void (*done)(void *arg, const struct xtr_lig_result *res), void *arg)
{
	struct xtr_lig_ask *ask;
	int r;

	if (!to && !xtr_resolvers_any(&lig->resolvers, lig->env))
		return -ENOENT;
	if (lig->count >= XTR_LIG_MAX)
		return -EBUSY;
	ask = calloc(1, sizeof(*ask));
	if (!ask)
		return -ENOMEM;
	ask->lig = lig;
	ask->timer.kind = XTR_TIMER_LIG;
	ask->eid = *eid;
	if (to)
		ask->to = *to;
	ask->nonce = xtr_env_random(lig->env);
	ask->started = lig->env->now;
	ask->done = done;
	ask->arg = arg;
	r = transmit(ask);
	if (r) { /* cannot be sent at all: say so at once */
		xtr_timer_cancel(&lig->env->timers, &ask->timer);
		free(ask);
		return r;
	}
	ask->next = lig->asks;
	lig->asks = ask;
	lig->count++;
	return 0;
}

static bool covers(const struct xtr_map_reply *m, const struct xtr_eid_prefix *eid)
{
	struct xtr_records it = m->records;
	struct xtr_record rec;
	struct xtr_eid_prefix e;

	while (xtr_record_next(&it, &rec))
		if (!xtr_eid_from_addr(&rec.eid, rec.mask_len, &e, NULL) &&
		    (xtr_eid_covers(&e, eid) || xtr_eid_covers(eid, &e)))
			return true;
	return false;
}

static bool all_negative(const struct xtr_map_reply *m)
{
	struct xtr_records it = m->records;
	struct xtr_record rec;

	while (xtr_record_next(&it, &rec))
		if (rec.locator_count)
			return false;
	return true;
}

/* A "no" that somebody else may know better (roles/resolver.h): kept, and asked on. */
static bool ask_on(struct xtr_lig_ask *ask, const struct xtr_msg_meta *meta,
		   const struct xtr_map_reply *m)
{
	struct xtr_env *env = ask->lig->env;
	size_t len = (size_t)(m->records.rd.end - m->records.rd.p);
	uint8_t *copy;

	if (ask->to.family || !all_negative(m))
		return false;
	xtr_seek_denied(&ask->seek);
	if (!xtr_seek_more(&ask->lig->resolvers, env, &ask->eid, &ask->seek))
		return false;
	copy = malloc(len + 1);
	if (!copy)
		return false;
	memcpy(copy, m->records.rd.p, len);
	free(ask->denied);
	ask->denied = copy;
	ask->denied_records = m->records;
	ask->denied_records.rd = xtr_rd_init(copy, len);
	ask->denied_by = meta->src;
	xtr_resolvers_answered(&ask->lig->resolvers, &ask->seek.at, env->now);
	ask->nonce = xtr_env_random(env);
	transmit(ask);
	return true;
}

bool xtr_lig_reply(struct xtr_lig *lig, const struct xtr_msg_meta *meta,
		   const struct xtr_map_reply *m)
{
	struct xtr_lig_ask *ask = lig->asks;

	while (ask && ask->nonce != m->nonce)
		ask = ask->next;
	if (!ask)
		return false;
	if (m->probe || !covers(m, &ask->eid)) {
		xtr_count(lig->env, DROP_MISMATCH);
		return true;
	}
	if (!ask_on(ask, meta, m))
		end(ask, &m->records, &meta->src);
	return true;
}

void xtr_lig_reconfigure(struct xtr_lig *lig)
{
	xtr_resolvers_set(&lig->resolvers, lig->env);
}

int xtr_lig_new(struct xtr_env *env, struct xtr_lig **out)
{
	struct xtr_lig *lig = calloc(1, sizeof(*lig));

	if (!lig)
		return -ENOMEM;
	lig->env = env;
	xtr_timers_kind(&env->timers, XTR_TIMER_LIG, lig_timer, lig);
	xtr_lig_reconfigure(lig);
	*out = lig;
	return 0;
}

void xtr_lig_free(struct xtr_lig *lig)
{
	const struct xtr_lig_result res = { .count = 0 };

	while (lig && lig->asks)
		finish(lig->asks, &res);
	free(lig);
}
