// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * LISP-Decent, push: the members of one group, what follows when one comes or goes, and the
 * Map-Registers that tell a single address of our membership. See decent_push.c.
 *
 * Invariant: members are sorted by RLOC, and never our own.
 */
#include "roles/decent_push.h"

#include "codec/auth.h"
#include "xtr/abi.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORMER_FOR (24 * 3600 * 1000ull)
#define HELLO_FIRST 1000
#define HELLO_MAX 60000
#define HELLO_BESIDE 2000
#define LEVEL 128 /* RFC 8378 5.1.2 */

/* ---- members */

struct xtr_push_member *xtr_push_member(const struct xtr_push_group *g, const struct xtr_ip *ip,
					   unsigned *at)
{
	unsigned lo = 0, hi = g->count;

	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;
		int order = xtr_ip_cmp(ip, &g->members[mid].rloc);

		if (!order)
			return &g->members[mid];
		if (order < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	if (at)
		*at = lo;
	return NULL;
}

static void remove_at(struct xtr_push_group *g, unsigned i)
{
	memmove(&g->members[i], &g->members[i + 1], (g->count - i - 1) * sizeof(g->members[0]));
	g->count--;
}

static bool grow(struct xtr_push_group *g)
{
	unsigned size = g->size ? 2 * g->size : 8;
	struct xtr_push_member *list;

	if (g->count < g->size)
		return true;
	list = realloc(g->members, size * sizeof(*list));
	if (!list)
		return false;
	g->members = list;
	g->size = size;
	return true;
}

/* A place for one more; of too many, at the cost of the member that is gone longest. */
static bool member_room(struct xtr_push_group *g)
{
	unsigned worst = g->count;

	if (g->count < XTR_PUSH_MEMBERS_MAX)
		return grow(g);
	for (unsigned i = 0; i < g->count; i++)
		if (!g->members[i].live && !g->members[i].configured &&
		    (worst == g->count || g->members[i].since < g->members[worst].since))
			worst = i;
	if (worst == g->count)
		return false;
	remove_at(g, worst);
	return true;
}

struct xtr_push_member *xtr_push_member_get(struct xtr_push_group *g, const struct xtr_ip *ip)
{
	struct xtr_env *env = g->push->env;
	struct xtr_push_member *m;
	unsigned at = 0;

	if (!xtr_rloc_valid(ip) || xtr_env_own_rloc(env, ip))
		return NULL;
	m = xtr_push_member(g, ip, NULL);
	if (m || !member_room(g))
		return m;
	xtr_push_member(g, ip, &at);
	m = &g->members[at];
	memmove(m + 1, m, (g->count - at) * sizeof(*m));
	*m = (struct xtr_push_member){ .rloc = *ip,
				       .since = env->now,
				       .left = XTR_NEVER,
				       .last_ack = XTR_NEVER,
				       .hello_at = env->now };
	g->count++;
	return m;
}

unsigned xtr_push_reachable(const struct xtr_push_group *g, struct xtr_ip *out, unsigned max)
{
	unsigned n = 0;

	for (unsigned live = 0; live < 2; live++)
		for (unsigned i = 0; i < g->count && n < max; i++)
			if (g->members[i].live == !live &&
			    (g->members[i].live || g->members[i].configured))
				out[n++] = g->members[i].rloc;
	return n;
}

/* ---- what follows from a change */

unsigned xtr_push_live(const struct xtr_push_group *g, struct xtr_ip *out, unsigned max)
{
	unsigned n = 0;

	for (unsigned i = 0; i < g->count && n < max; i++)
		if (g->members[i].live)
			out[n++] = g->members[i].rloc;
	return n;
}

void xtr_push_replicate(struct xtr_push_group *g, bool gone)
{
	struct xtr_env *env = g->push->env;
	struct xtr_ip list[XTR_PUSH_MEMBERS_MAX], *copy;
	struct xtr_eid_prefix eid = g->eid;
	unsigned n = gone ? 0 : xtr_push_live(g, list, XTR_PUSH_MEMBERS_MAX);

	if (g->cfg->transport != XTR_GROUP_OVERLAY || !env->ops.replicate)
		return;
	if (n == g->list_count && (!n || !memcmp(list, g->list, n * sizeof(list[0]))))
		return;
	copy = n ? realloc(g->list, n * sizeof(*copy)) : g->list;
	if (n && !copy)
		return;
	g->list = copy;
	eid.iid = XTR_IID_MAX; /* X1: control messages */
	if (env->ops.replicate(env->ops.ctx, &eid, list, n)) {
		snprintf(g->text, sizeof(g->text),
			 "the data plane does not take the replication list of %u members", n);
		g->list_count = 0; /* not known what it has: tried again with the next change */
		return;
	}
	g->text[0] = '\0';
	if (n)
		memcpy(copy, list, n * sizeof(list[0]));
	g->list_count = n;
}

static int by_address(const void *a, const void *b)
{
	return xtr_ip_cmp(a, b);
}

static unsigned sort_unique(struct xtr_ip *list, unsigned n)
{
	unsigned kept = 0;

	qsort(list, n, sizeof(*list), by_address);
	for (unsigned i = 0; i < n; i++)
		if (!i || xtr_ip_cmp(&list[i], &list[i - 1]))
			list[kept++] = list[i];
	return kept;
}

/* From whom overlay frames are taken: members, peers, and who registers the membership of another
 * group with us, its core (D-37). */
void xtr_push_control_peers(struct xtr_push *p)
{
	struct xtr_env *env = p->env;
	unsigned max = 0, n = 0;
	bool overlay = false;
	struct xtr_ip *list;

	for (unsigned i = 0; i < p->group_count; i++) {
		max += p->groups[i]->count;
		overlay |= p->groups[i]->cfg->transport == XTR_GROUP_OVERLAY;
	}
	for (unsigned i = 0; i < p->guest_count; i++)
		max += p->guests[i].count;
	if (!overlay && p->peers_set && !env->ops.control_peers(env->ops.ctx, p->peers, 0)) {
		free(p->peers);
		p->peers = NULL;
		p->peer_count = 0;
		p->peers_set = false;
	}
	list = overlay && env->ops.control_peers ? calloc(max + 1, sizeof(*list)) : NULL;
	if (!list)
		return;
	for (unsigned i = 0; i < p->group_count; i++) {
		const struct xtr_push_group *g = p->groups[i];

		for (unsigned j = 0; j < g->count; j++)
			if (g->members[j].live || g->members[j].configured)
				list[n++] = g->members[j].rloc;
	}
	for (unsigned i = 0; i < p->guest_count; i++)
		for (unsigned j = 0; j < p->guests[i].count; j++)
			if (!xtr_env_own_rloc(env, &p->guests[i].ips[j]))
				list[n++] = p->guests[i].ips[j];
	n = sort_unique(list, n);
	if ((p->peers_set && n == p->peer_count &&
	     (!n || !memcmp(list, p->peers, n * sizeof(*list)))) ||
	    env->ops.control_peers(env->ops.ctx, list, n)) {
		free(list);
		return;
	}
	free(p->peers);
	p->peers = list;
	p->peer_count = n;
	p->peers_set = true;
}

/* Not while a Map-Register to the group may be sent at the same time: of two that cross on the way
 * the older one is refused as a replay. Shortly after one is best. */
static uint64_t beside(const struct xtr_push_group *g, uint64_t at)
{
	uint64_t every = g->push->env->cfg.timers.register_interval;

	if (at < g->sent + HELLO_BESIDE)
		return g->sent + HELLO_BESIDE;
	if (at > g->sent + every / 4 && at < g->sent + every + HELLO_BESIDE)
		return g->sent + every + HELLO_BESIDE;
	return at;
}

/* When its turn is to be told of our membership alone; XTR_NEVER: it need not be. Who is registered
 * here has our address from the group. A Map-Server of the core is told until it acknowledges; over
 * an overlay again when that is long ago: should it have forgotten us, it does not let our frames
 * in. */
static uint64_t hello_due(const struct xtr_push_group *g, const struct xtr_push_member *m)
{
	const struct xtr_push *p = g->push;
	uint64_t at = m->hello_at, again;

	if (g->cfg->member)
		return m->registered ? XTR_NEVER : m->hello_at;
	if (!g->cfg->core || (m->acked && g->cfg->transport == XTR_GROUP_UNDERLAY))
		return XTR_NEVER;
	again = m->acked ? m->last_ack + p->env->cfg.timers.registration_timeout : 0;
	at = again > at ? again : at;
	for (unsigned i = 0; i < p->group_count; i++)
		if (p->groups[i]->cfg->member && p->groups[i]->cfg->via == XTR_VIA_CORE)
			return m->acked ? beside(g, at) : at;
	return XTR_NEVER;
}

static void arm_hello(struct xtr_push_group *g)
{
	uint64_t at = XTR_NEVER;

	for (unsigned i = 0; i < g->count; i++) {
		uint64_t due = hello_due(g, &g->members[i]);

		at = due < at ? due : at;
	}
	if (at == XTR_NEVER)
		xtr_timer_cancel(&g->push->env->timers, &g->hello);
	else
		xtr_timer_set(&g->push->env->timers, &g->hello, at);
}

static void joined(struct xtr_push_group *g, struct xtr_push_member *m)
{
	struct xtr_env *env = g->push->env;
	char ip[XTR_IP_STRLEN];

	m->was_live = true;
	m->hellos = 0;
	m->hello_at = env->now;
	xtr_env_event(env, XTR_EVENT_MEMBER_ADD, &g->eid, "%s", xtr_ip_str(&m->rloc, ip));
	if (env->joined)
		env->joined(env->etr_ctx, &g->cfg->group, &m->rloc);
}

static void parted(struct xtr_push_group *g, struct xtr_push_member *m)
{
	struct xtr_env *env = g->push->env;
	char ip[XTR_IP_STRLEN];

	m->acked = false;
	m->hellos = 0;
	m->hello_at = env->now + HELLO_FIRST;
	xtr_env_event(env, XTR_EVENT_MEMBER_DEL, &g->eid, "%s", xtr_ip_str(&m->rloc, ip));
}

void xtr_push_apply(struct xtr_push_group *g)
{
	struct xtr_env *env = g->push->env;

	for (unsigned i = g->count; i-- > 0;) {
		struct xtr_push_member *m = &g->members[i];
		bool live = m->registered || m->looked_up;

		if (!live && !m->configured &&
		    (!m->was_live || (!m->live && m->since + FORMER_FOR <= env->now))) {
			remove_at(g, i);
			continue;
		}
		if (live == m->live)
			continue;
		m->live = live;
		m->since = env->now;
		if (live)
			joined(g, m);
		else
			parted(g, m);
	}
	xtr_push_replicate(g, false);
	xtr_push_control_peers(g->push);
	arm_hello(g);
}

static bool among(const struct xtr_ip *list, unsigned n, const struct xtr_ip *ip)
{
	return bsearch(ip, list, n, sizeof(*list), by_address);
}

/* The list at our own Map-Server, which exists where we are a member. */
void xtr_push_refresh(struct xtr_push_group *g)
{
	struct xtr_env *env = g->push->env;
	struct xtr_ip list[XTR_PUSH_MEMBERS_MAX];
	uint8_t buf[XTR_LOCSET_OCTETS];
	struct xtr_locset set;
	unsigned n = 0;

	g->dirty = false;
	if (g->cfg->member && env->registration &&
	    env->registration(env->ms_ctx, &g->eid, buf, sizeof(buf), &set)) {
		n = xtr_locset_members(&set, list, XTR_PUSH_MEMBERS_MAX);
		g->known = true;
	}
	for (unsigned i = 0; i < n; i++)
		xtr_push_member_get(g, &list[i]);
	for (unsigned i = 0; i < g->count; i++) {
		struct xtr_push_member *m = &g->members[i];
		bool now = among(list, n, &m->rloc);

		if (m->registered && !now) {
			m->left = env->now;
			m->looked_up = false;
		}
		m->registered = now;
	}
	xtr_push_apply(g);
}

void xtr_push_take(struct xtr_push_group *g, const struct xtr_locset *set)
{
	struct xtr_env *env = g->push->env;
	struct xtr_ip list[XTR_PUSH_MEMBERS_MAX];
	unsigned n = xtr_locset_members(set, list, XTR_PUSH_MEMBERS_MAX);

	for (unsigned i = 0; i < n; i++)
		xtr_push_member_get(g, &list[i]);
	for (unsigned i = 0; i < g->count; i++) {
		struct xtr_push_member *m = &g->members[i];

		/* Whose registration ended here is not back because another has not noticed. */
		m->looked_up = among(list, n, &m->rloc) &&
			       (m->registered || m->left == XTR_NEVER ||
				m->left + env->cfg.timers.registration_timeout <= env->now);
	}
	xtr_push_apply(g);
}

/* ---- hello: our membership to one address */

const struct xtr_ip *xtr_push_self(const struct xtr_push_group *g)
{
	const struct xtr_push *p = g->push;

	for (unsigned i = 0; i < p->membership_count; i++) {
		const struct xtr_mapping_config *map = &p->memberships[i];

		for (unsigned j = 0; xtr_eid_equal(&map->eid, &g->eid) && j < map->rloc_count; j++)
			if (xtr_env_rloc_up(p->env, &map->rlocs[j].ip))
				return &map->rlocs[j].ip;
	}
	return NULL;
}

static void put_membership(struct xtr_wr *w, const struct xtr_push_group *of,
			   const struct xtr_ip *rloc)
{
	static const struct xtr_record_head head = { .ttl = XTR_PUSH_TTL, .authoritative = true };
	static const uint8_t level = LEVEL;
	uint8_t buf[64];
	struct xtr_wr rle = xtr_wr_init(buf, sizeof(buf));
	struct xtr_locator l = { .priority = 255,
				 .mpriority = 1,
				 .mweight = 100,
				 .local = true,
				 .reachable = true };
	size_t start = xtr_put_record_begin(w, &head, &of->eid);

	xtr_put_rle(&rle, rloc, &level, 1);
	l.addr.wire = buf;
	l.addr.wire_len = (uint16_t)xtr_wr_len(&rle);
	xtr_put_locator_raw(w, &l);
	xtr_put_record_end(w, start, 1);
}

/* Membership of `of`, to one that is (or will be) a Map-Server of g. */
static void hello(const struct xtr_push_group *g, const struct xtr_push_group *of,
		  const struct xtr_ip *to)
{
	struct xtr_env *env = g->push->env;
	const struct xtr_key *key = &g->cfg->server.key;
	const struct xtr_register_out head = {
		.type = XTR_MSG_MAP_REGISTER,
		.nonce = xtr_nonce_next(&env->nonces, &env->ops),
		.key_id = key->key_id,
		.alg_id = key->alg_id,
		.flags = XTR_REG_P | XTR_REG_MERGE | (g->cfg->server.use_ttl ? XTR_REG_T : 0) |
			 (env->cfg.has_ids ? XTR_REG_I : 0),
		.record_count = 1,
	};
	const struct xtr_ip *rloc = xtr_push_self(of);
	uint8_t buf[512];
	struct xtr_wr w = xtr_wr_init(buf, sizeof(buf));

	if (!rloc || !xtr_env_rloc(env, to->family))
		return;
	xtr_register_begin(&w, &head);
	put_membership(&w, of, rloc);
	if (env->cfg.has_ids)
		xtr_put_ids(&w, env->cfg.xtr_id, env->cfg.site_id);
	if (w.err || xtr_auth_sign(buf, xtr_wr_len(&w), 16, (size_t)xtr_auth_len(key->alg_id),
				   XTR_MSG_MAP_REGISTER, key->alg_id, head.nonce, key->secret,
				   key->secret_len)) {
		xtr_count(env, TX_FAILED);
		return;
	}
	xtr_env_send(env, NULL, to, XTR_PORT, buf, xtr_wr_len(&w), XTR_NODE_TX_MAP_REGISTER);
}

static void hellos(struct xtr_push_group *g, struct xtr_push_member *m)
{
	struct xtr_push *p = g->push;
	uint64_t delay = HELLO_FIRST;

	if (g->cfg->member)
		hello(g, g, &m->rloc);
	for (unsigned i = 0; i < p->group_count && g->cfg->core && !g->cfg->member; i++)
		if (p->groups[i]->cfg->member && p->groups[i]->cfg->via == XTR_VIA_CORE)
			hello(g, p->groups[i], &m->rloc);
	for (unsigned i = 0; i < m->hellos && delay < HELLO_MAX; i++)
		delay *= 2;
	m->hellos++;
	delay = delay < HELLO_MAX ? delay : HELLO_MAX;
	/* Has it, and hears it from the group every minute: this is in case that it forgot. */
	if (m->acked && delay < p->env->cfg.timers.registration_timeout)
		delay = p->env->cfg.timers.registration_timeout;
	m->hello_at = p->env->now + delay;
}

void xtr_push_hello_timer(void *ctx, struct xtr_timer *t)
{
	struct xtr_push_group *g = xtr_timer_owner(t, struct xtr_push_group, hello);

	for (unsigned i = 0; i < g->count; i++)
		if (hello_due(g, &g->members[i]) <= g->push->env->now)
			hellos(g, &g->members[i]);
	arm_hello(g);
}

void xtr_push_hello_again(struct xtr_push_group *g)
{
	arm_hello(g);
}
