// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * ETR, registering at a group of Map-Servers (RFC 9962 4, draft-farinacci-lisp-decent-10 4.1). One
 * Map-Register to the group; each member confirms it with a Map-Notify of its own, matched by nonce
 * and source. Who did not confirm gets the batch by unicast, with a new nonce, after 1, 2, 4 ...
 * seconds, and is reported as lost after the last try. A member that leaves is waited for no more.
 * A new member gets everything by unicast within a second, spread, so that all of a large group do
 * not send to it in the same millisecond.
 *
 * Owns what a batch waits for, and the list of those that joined.
 */
#include "roles/etr.h"

#include <stdlib.h>
#include <string.h>

#define TRIES 6
#define MEMBERS_MAX 512
#define NONCES 4
#define JITTER 800 /* ms */

struct xtr_etr_wait {
	struct xtr_ip member;
	uint64_t nonces[NONCES]; /* of what was sent to it alone */
	unsigned nonce_at, tries;
	bool pending;
	bool lost;
	uint64_t next;
};
struct xtr_etr_joined {
	struct xtr_etr_joined *next;
	struct xtr_ip group, member;
	uint64_t at;
};

bool xtr_etr_is_group(const struct xtr_etr_server *srv)
{
	return xtr_ip_is_multicast(&srv->cfg.address);
}

static unsigned members(const struct xtr_etr_server *srv, struct xtr_ip *out)
{
	const struct xtr_env *env = srv->etr->env;

	return env->find.members ? env->find.members(env->find.ctx, &srv->cfg.address, out,
						     MEMBERS_MAX)
				 : 0;
}

static struct xtr_etr_wait *wait_of(const struct xtr_etr_batch *b, const struct xtr_ip *ip)
{
	for (unsigned i = 0; i < b->wait_count; i++)
		if (!xtr_ip_cmp(&b->waits[i].member, ip))
			return &b->waits[i];
	return NULL;
}

/* The entries follow the members: what is known of those that stay is kept. */
static void follow(struct xtr_etr_batch *b)
{
	struct xtr_ip list[MEMBERS_MAX];
	unsigned n = members(b->srv, list);
	struct xtr_etr_wait *waits = calloc(n + 1, sizeof(*waits));

	if (!waits)
		return;
	for (unsigned i = 0; i < n; i++) {
		const struct xtr_etr_wait *was = wait_of(b, &list[i]);

		if (was)
			waits[i] = *was;
		else
			waits[i].member = list[i];
	}
	free(b->waits);
	b->waits = waits;
	b->wait_count = n;
}

static void arm(struct xtr_etr_batch *b)
{
	struct xtr_timers *timers = &b->srv->etr->env->timers;
	uint64_t at = XTR_NEVER;

	for (unsigned i = 0; i < b->wait_count; i++)
		if (b->waits[i].pending && b->waits[i].next < at)
			at = b->waits[i].next;
	if (at == XTR_NEVER)
		xtr_timer_cancel(timers, &b->wait_timer);
	else
		xtr_timer_set(timers, &b->wait_timer, at);
}

static uint64_t delay(const struct xtr_env *env, unsigned tries)
{
	const struct xtr_node_timers *t = &env->cfg.timers;
	uint64_t d = t->notify_retry_first;

	while (tries-- && d < t->notify_retry_max)
		d *= 2;
	return d < t->notify_retry_max ? d : t->notify_retry_max;
}

void xtr_etr_group_sent(struct xtr_etr_batch *b)
{
	struct xtr_env *env = b->srv->etr->env;

	if (!xtr_etr_is_group(b->srv))
		return;
	b->wait_timer.kind = XTR_TIMER_ETR_MEMBER;
	follow(b);
	for (unsigned i = 0; i < b->wait_count; i++) {
		struct xtr_etr_wait *w = &b->waits[i];

		if (w->pending)
			continue; /* keeps its own schedule */
		w->pending = true;
		w->tries = 0;
		w->next = env->now + delay(env, 0);
	}
	arm(b);
}

static void tell(const struct xtr_etr_batch *b, const struct xtr_ip *member, bool acked)
{
	const struct xtr_env *env = b->srv->etr->env;

	if (env->find.confirmed)
		env->find.confirmed(env->find.ctx, &b->srv->cfg.address, member, acked);
}

static void lost(struct xtr_etr_batch *b, struct xtr_etr_wait *w)
{
	char ip[XTR_IP_STRLEN], group[XTR_IP_STRLEN];

	w->pending = false;
	if (w->lost)
		return;
	w->lost = true;
	xtr_env_event(b->srv->etr->env, XTR_EVENT_REGISTER_LOST, &b->items[0].eid,
		      "member %s of group %s does not confirm", xtr_ip_str(&w->member, ip),
		      xtr_ip_str(&b->srv->cfg.address, group));
	tell(b, &w->member, false);
}

static void send_alone(struct xtr_etr_batch *b, struct xtr_etr_wait *w)
{
	struct xtr_env *env = b->srv->etr->env;
	bool m = b->srv->cfg.want_notify;
	uint64_t nonce = xtr_etr_batch_send(b, &w->member, m);

	if (nonce && m) {
		w->nonces[w->nonce_at] = nonce;
		w->nonce_at = (w->nonce_at + 1) % NONCES;
	}
	w->pending = m;
	w->tries++;
	w->next = env->now + delay(env, w->tries);
}

static void wait_timer(void *ctx, struct xtr_timer *t)
{
	struct xtr_etr_batch *b = xtr_timer_owner(t, struct xtr_etr_batch, wait_timer);
	struct xtr_env *env = b->srv->etr->env;

	follow(b);
	for (unsigned i = 0; i < b->wait_count; i++) {
		struct xtr_etr_wait *w = &b->waits[i];

		if (!w->pending || w->next > env->now)
			continue;
		if (w->tries >= TRIES)
			lost(b, w);
		else
			send_alone(b, w);
	}
	arm(b);
	if (b->withdraw && b->acked && !xtr_etr_group_waits(b))
		xtr_etr_batch_done(b);
}

bool xtr_etr_group_waits(const struct xtr_etr_batch *b)
{
	for (unsigned i = 0; i < b->wait_count; i++)
		if (b->waits[i].pending)
			return true;
	return false;
}

void xtr_etr_group_forget(struct xtr_etr_batch *b)
{
	xtr_timer_cancel(&b->srv->etr->env->timers, &b->wait_timer);
	free(b->waits);
	b->waits = NULL;
	b->wait_count = 0;
}

/* ---- Map-Notify */

static bool has_nonce(const struct xtr_etr_wait *w, uint64_t nonce)
{
	for (unsigned i = 0; w && i < NONCES; i++)
		if (nonce && w->nonces[i] == nonce)
			return true;
	return false;
}

struct xtr_etr_batch *xtr_etr_group_nonce(const struct xtr_etr *etr, uint64_t nonce,
					  const struct xtr_ip *from)
{
	for (unsigned s = 0; s < etr->server_count; s++)
		for (struct xtr_etr_batch *b = etr->servers[s]->batches; b; b = b->next)
			if (b->wait_count && has_nonce(wait_of(b, from), nonce))
				return b;
	return NULL;
}

bool xtr_etr_group_has(const struct xtr_etr_server *srv, const struct xtr_ip *ip)
{
	struct xtr_ip list[MEMBERS_MAX];
	unsigned n;

	if (xtr_env_own_rloc(srv->etr->env, ip))
		return true;
	n = members(srv, list);
	for (unsigned i = 0; i < n; i++)
		if (!xtr_ip_cmp(&list[i], ip))
			return true;
	return false;
}

struct xtr_etr_server *xtr_etr_group_of(const struct xtr_etr *etr, const struct xtr_ip *from,
					const struct xtr_register *m)
{
	for (unsigned s = 0; s < etr->server_count; s++) {
		struct xtr_etr_server *srv = etr->servers[s];

		if (!xtr_etr_is_group(srv) || srv->cfg.key.key_id != m->key_id)
			continue;
		if (xtr_etr_group_has(srv, from))
			return srv;
	}
	return NULL;
}

bool xtr_etr_group_confirms(struct xtr_etr_batch *b, uint64_t nonce, const struct xtr_ip *from)
{
	struct xtr_env *env = b->srv->etr->env;
	struct xtr_etr_wait *w;

	if (!xtr_etr_is_group(b->srv) || xtr_env_own_rloc(env, from))
		return true;
	w = wait_of(b, from);
	if (!w || !w->pending) /* not (yet) known to be a member; or a second copy */
		return false;
	w->pending = w->lost = false;
	w->tries = 0;
	tell(b, from, true);
	arm(b);
	return true;
}

/* ---- members that join */

static void arm_joined(struct xtr_etr *etr)
{
	uint64_t at = XTR_NEVER;

	for (const struct xtr_etr_joined *j = etr->joined; j; j = j->next)
		at = j->at < at ? j->at : at;
	if (at == XTR_NEVER)
		xtr_timer_cancel(&etr->env->timers, &etr->joined_timer);
	else
		xtr_timer_set(&etr->env->timers, &etr->joined_timer, at);
}

static void joined(void *ctx, const struct xtr_ip *group, const struct xtr_ip *member)
{
	struct xtr_etr *etr = ctx;
	struct xtr_etr_joined *j;
	unsigned n = 0;

	for (j = etr->joined; j; j = j->next, n++)
		if (!xtr_ip_cmp(&j->group, group) && !xtr_ip_cmp(&j->member, member))
			return;
	j = n < 2 * MEMBERS_MAX ? calloc(1, sizeof(*j)) : NULL;
	if (!j)
		return; /* it hears of everything with the next round */
	j->group = *group;
	j->member = *member;
	j->at = etr->env->now + xtr_env_random(etr->env) % JITTER;
	j->next = etr->joined;
	etr->joined = j;
	arm_joined(etr);
}

static void bring_up_to_date(struct xtr_etr *etr, const struct xtr_etr_joined *j)
{
	for (unsigned s = 0; s < etr->server_count; s++) {
		struct xtr_etr_server *srv = etr->servers[s];

		if (xtr_ip_cmp(&srv->cfg.address, &j->group))
			continue;
		for (struct xtr_etr_batch *b = srv->batches; b; b = b->next) {
			struct xtr_etr_wait *w;

			if (b->withdraw)
				continue;
			b->wait_timer.kind = XTR_TIMER_ETR_MEMBER;
			follow(b);
			w = wait_of(b, &j->member);
			if (!w)
				continue; /* it left again */
			w->tries = 0;
			send_alone(b, w);
			arm(b);
		}
	}
}

static void joined_timer(void *ctx, struct xtr_timer *t)
{
	struct xtr_etr *etr = ctx;
	struct xtr_etr_joined **link = &etr->joined;

	while (*link) {
		struct xtr_etr_joined *j = *link;

		if (j->at > etr->env->now) {
			link = &j->next;
			continue;
		}
		*link = j->next;
		bring_up_to_date(etr, j);
		free(j);
	}
	arm_joined(etr);
}

void xtr_etr_group_init(struct xtr_etr *etr)
{
	struct xtr_env *env = etr->env;

	etr->joined_timer.kind = XTR_TIMER_ETR_JOINED;
	xtr_timers_kind(&env->timers, XTR_TIMER_ETR_JOINED, joined_timer, etr);
	xtr_timers_kind(&env->timers, XTR_TIMER_ETR_MEMBER, wait_timer, etr);
	env->joined = joined;
	env->etr_ctx = etr;
}

void xtr_etr_group_free(struct xtr_etr *etr)
{
	etr->env->joined = NULL;
	xtr_timer_cancel(&etr->env->timers, &etr->joined_timer);
	while (etr->joined) {
		struct xtr_etr_joined *j = etr->joined;

		etr->joined = j->next;
		free(j);
	}
}
