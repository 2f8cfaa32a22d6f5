// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * LISP-Decent, push (RFC 9962 4, draft-farinacci-lisp-decent-10 4): seed-groups and who is in them.
 *
 * A member of a group registers (0/0, group) with a replication list of its own RLOC, at the group
 * itself, and at the core or in the pull system where `via` says so; all members' Map-Servers have
 * the merged list then. Members are: who is in the list at our own Map-Server, and who is in the
 * last answer to a lookup. Once a member was registered here, only that counts for a while: others
 * hear of its end a little later than we do.
 *
 *   live      gets what is sent to the group, and when it appears, everything by unicast at once
 *   not live  a configured peer, or a former member: our membership is registered to it alone, with
 *             growing distance up to a minute, for a day. So a member finds the others with one
 *             peer, and a split that has healed converges, though multicast leads nowhere yet
 *
 * Nothing happens inside the calls of other roles: they mark, a timer at the same time works.
 *
 * Owns groups, members and guests.
 */
#include "roles/decent_push.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GUESTS_AFTER 1000 /* ms, from a change to a new list of who may send overlay frames */

#define PATIENCE 5000 /* ms for the confirmation of a new member, before it is a problem */

/* ---- groups */

static struct xtr_push_group *find_group(const struct xtr_push *p, const struct xtr_ip *group)
{
	for (unsigned i = 0; i < p->group_count; i++)
		if (!xtr_ip_cmp(&p->groups[i]->cfg->group, group))
			return p->groups[i];
	return NULL;
}

struct xtr_push_group *xtr_push_core(const struct xtr_push *p)
{
	for (unsigned i = 0; i < p->group_count; i++)
		if (p->groups[i]->cfg->core)
			return p->groups[i];
	return NULL;
}

static struct xtr_push_group *own_group(const struct xtr_push *p)
{
	for (unsigned i = 0; i < p->group_count; i++)
		if (p->groups[i]->cfg->own)
			return p->groups[i];
	return NULL;
}

static struct xtr_push_group *membership_of(const struct xtr_push *p,
					    const struct xtr_eid_prefix *eid)
{
	for (unsigned i = 0; i < p->group_count; i++)
		if (p->groups[i]->cfg->member && xtr_eid_equal(&p->groups[i]->eid, eid))
			return p->groups[i];
	return NULL;
}

static void group_eid(const struct xtr_ip *group, struct xtr_eid_prefix *out)
{
	memset(out, 0, sizeof(*out));
	out->afi = group->family == 4 ? XTR_AFI_IP4 : XTR_AFI_IP6;
	out->group_len = (uint8_t)xtr_ip_bits(group);
	memcpy(out->g, group->a, sizeof(group->a));
}

void xtr_push_arm(struct xtr_push_group *g)
{
	uint64_t at = g->dirty ? g->push->env->now : g->lookup.next;

	if (g == g->push->groups[0] && g->push->guests_at < at)
		at = g->push->guests_at;
	xtr_timer_set(&g->push->env->timers, &g->timer, at);
}

static void mark(struct xtr_push_group *g)
{
	g->dirty = true;
	xtr_push_arm(g);
}

/* ---- guests: memberships of other groups that are registered here */

static void refresh_guest(struct xtr_push *p, struct xtr_push_guest *guest)
{
	struct xtr_env *env = p->env;
	struct xtr_ip list[XTR_PUSH_MEMBERS_MAX], *copy;
	uint8_t buf[XTR_LOCSET_OCTETS];
	struct xtr_locset set;
	unsigned n = 0;

	guest->dirty = false;
	if (env->registration &&
	    env->registration(env->ms_ctx, &guest->eid, buf, sizeof(buf), &set))
		n = xtr_locset_members(&set, list, XTR_PUSH_MEMBERS_MAX);
	copy = n ? realloc(guest->ips, n * sizeof(*copy)) : NULL;
	if (!copy) {
		free(guest->ips);
		n = 0;
	} else {
		memcpy(copy, list, n * sizeof(*copy));
	}
	guest->ips = copy;
	guest->count = n;
}

static void refresh_guests(struct xtr_push *p)
{
	bool any = false;

	if (p->guests_at > p->env->now)
		return;
	p->guests_at = XTR_NEVER;
	for (unsigned i = p->guest_count; i-- > 0;) {
		struct xtr_push_guest *guest = &p->guests[i];

		if (!guest->dirty)
			continue;
		any = true;
		refresh_guest(p, guest);
		if (!guest->count)
			*guest = p->guests[--p->guest_count];
	}
	if (any)
		xtr_push_control_peers(p);
}

static bool guest_room(struct xtr_push *p)
{
	unsigned size = p->guest_size ? 2 * p->guest_size : 16;
	struct xtr_push_guest *list;

	if (p->guest_count < p->guest_size)
		return true;
	list = size <= XTR_PUSH_GUESTS_MAX ? realloc(p->guests, size * sizeof(*list)) : NULL;
	if (!list)
		return false;
	p->guests = list;
	p->guest_size = size;
	return true;
}

void xtr_push_registered(struct xtr_push *p, const struct xtr_eid_prefix *eid)
{
	struct xtr_push_group *g = membership_of(p, eid);
	unsigned i = 0;

	if (g) {
		mark(g);
		return;
	}
	/* Only (*,G) of the instance of the control plane are memberships. */
	if (eid->len || eid->iid || eid->group_len != (eid->afi == XTR_AFI_IP4 ? 32 : 128) ||
	    !p->group_count)
		return;
	while (i < p->guest_count && !xtr_eid_equal(&p->guests[i].eid, eid))
		i++;
	if (i == p->guest_count) {
		if (!guest_room(p))
			return;
		p->guests[p->guest_count++] = (struct xtr_push_guest){ .eid = *eid };
	}
	p->guests[i].dirty = true;
	/* Thousands of them may start together: the list is not made anew for each. */
	if (p->guests_at == XTR_NEVER)
		p->guests_at = p->env->now + GUESTS_AFTER;
	xtr_push_arm(p->groups[0]);
}

static void group_timer(void *ctx, struct xtr_timer *t)
{
	struct xtr_push_group *g = xtr_timer_owner(t, struct xtr_push_group, timer);

	if (g->dirty)
		xtr_push_refresh(g);
	refresh_guests(g->push);
	xtr_push_lookup_run(g);
	xtr_push_arm(g);
}

/* ---- for the other roles */

bool xtr_push_accepts(struct xtr_push *p, const struct xtr_msg_meta *meta, const uint8_t *buf,
		      size_t len)
{
	const struct xtr_push_group *g = find_group(p, &meta->dst);
	int type = xtr_msg_type(buf, len);

	if (!g || !g->cfg->member ||
	    (type != XTR_MSG_MAP_REGISTER && type != XTR_MSG_MAP_REQUEST)) {
		xtr_count(p->env, DROP_GROUP);
		return false;
	}
	/* Our own, back from the network: we had it by direct call (D-19). */
	if (xtr_env_own_rloc(p->env, &meta->src))
		return false;
	xtr_count(p->env, RX_GROUP);
	return true;
}

bool xtr_push_via_pull(const struct xtr_push *p, const struct xtr_eid_prefix *eid)
{
	const struct xtr_push_group *g = membership_of(p, eid);

	return g && g->cfg->via == XTR_VIA_PULL;
}

static unsigned add_target(const struct xtr_push_group *g, struct xtr_map_server_config *out,
			   unsigned n, unsigned max, bool membership)
{
	if (n == max)
		return n;
	out[n] = g->cfg->server;
	out[n].address = g->cfg->group;
	if (membership) /* RFC 8378 5.1.2 */
		out[n].merge = out[n].proxy_reply = true;
	return n + 1;
}

unsigned xtr_push_targets(struct xtr_push *p, const struct xtr_eid_prefix *eid,
			  struct xtr_map_server_config *out, unsigned max)
{
	const struct xtr_push_group *of = membership_of(p, eid), *core = xtr_push_core(p),
				    *own = own_group(p);
	unsigned n = 0;

	if (of) { /* at the core first: it is how the others find us (D-36) */
		if (of->cfg->via == XTR_VIA_CORE && core)
			n = add_target(core, out, n, max, true);
		return add_target(of, out, n, max, true);
	}
	if (own)
		n = add_target(own, out, n, max, false);
	for (unsigned i = 0; i < p->group_count; i++)
		if (p->groups[i]->cfg->core && p->groups[i]->cfg->all_eids && p->groups[i] != own)
			n = add_target(p->groups[i], out, n, max, false);
	return n;
}

static unsigned others(const struct xtr_push *p, const struct xtr_push_group *g, struct xtr_ip *out,
		       unsigned max)
{
	struct xtr_ip list[XTR_PUSH_ASKED_MAX];
	unsigned all = xtr_push_reachable(g, list, XTR_PUSH_ASKED_MAX), n = 0;

	for (unsigned i = 0; i < all && n < max; i++)
		if (xtr_env_rloc(p->env, list[i].family))
			out[n++] = list[i];
	return n;
}

unsigned xtr_push_resolvers(struct xtr_push *p, const struct xtr_eid_prefix *eid, unsigned stage,
			    struct xtr_ip *out, unsigned max)
{
	const struct xtr_push_group *of = membership_of(p, eid), *core = xtr_push_core(p),
				    *own = own_group(p);

	if (!max || stage > 1)
		return 0;
	if (of && of->cfg->via == XTR_VIA_CORE && core && !core->cfg->member)
		return stage ? 0 : others(p, core, out, max);
	if (!stage) {
		if (own && !own->cfg->member)
			return others(p, own, out, max);
		if (!p->env->up_count)
			return 0;
		out[0] = p->env->up[0]; /* all state is here (D-20) */
		return 1;
	}
	return core && core->cfg->all_eids && core != own ? others(p, core, out, max) : 0;
}

unsigned xtr_push_memberships(struct xtr_push *p, const struct xtr_mapping_config **out)
{
	*out = p->memberships;
	return p->membership_count;
}

unsigned xtr_push_members(struct xtr_push *p, const struct xtr_ip *group, struct xtr_ip *out,
			  unsigned max)
{
	const struct xtr_push_group *g = find_group(p, group);

	return g ? xtr_push_live(g, out, max) : 0;
}

/* Out to the others. 0; 1: by unicast only; -errno. */
static int transmit(struct xtr_push_group *g, const void *buf, size_t len,
		    enum xtr_node_counter counter)
{
	struct xtr_env *env = g->push->env;
	const struct xtr_ip *src = xtr_env_rloc(env, g->cfg->group.family);
	struct xtr_ip list[XTR_PUSH_ASKED_MAX];
	unsigned n = xtr_push_live(g, list, 1);
	int r = -ENETUNREACH;

	/* Nobody of a group that we are not in is known yet: its peers have to do. */
	if (!n && !g->cfg->member) {
		n = xtr_push_reachable(g, list, XTR_PUSH_ASKED_MAX);
		for (unsigned i = 0; i < n; i++)
			if (!xtr_env_send(env, NULL, &list[i], XTR_PORT, buf, len, counter))
				r = 1; /* counted already */
		if (r > 0 || g->cfg->transport == XTR_GROUP_OVERLAY)
			return r;
	}
	if (!src)
		return -EADDRNOTAVAIL;
	if (g->cfg->transport == XTR_GROUP_UNDERLAY)
		return env->ops.send_group
			       ? env->ops.send_group(env->ops.ctx, src, &g->cfg->group, buf, len)
			       : -ENOTSUP;
	if (!g->list_count) /* alone */
		return g->cfg->member ? 0 : -ENETUNREACH;
	return env->ops.send_overlay
		       ? env->ops.send_overlay(env->ops.ctx, src, &g->cfg->group, buf, len)
		       : -ENOTSUP;
}

int xtr_push_send_group(struct xtr_push *p, const struct xtr_ip *group, const void *buf, size_t len,
			enum xtr_node_counter counter)
{
	struct xtr_push_group *g = find_group(p, group);
	struct xtr_env *env = p->env;
	int r;

	if (!g)
		return -ENOENT;
	g->sent = env->now;
	r = transmit(g, buf, len, counter);
	if (r > 0)
		return 0;
	if (r) {
		xtr_count(env, TX_FAILED);
	} else {
		xtr_count(env, TX_GROUP);
		env->counters[counter]++;
	}
	if (!g->cfg->member || !env->up_count)
		return r;
	/* Not by the network: no loop-back has to be there (D-19). Counted once, above. */
	if (!xtr_env_send(env, NULL, &env->up[0], XTR_PORT, buf, len, counter)) {
		if (!r)
			env->counters[counter]--;
		r = 0;
	}
	return r;
}

void xtr_push_confirmed(struct xtr_push *p, const struct xtr_ip *group, const struct xtr_ip *member,
			bool acked)
{
	struct xtr_push_group *g = find_group(p, group);
	struct xtr_push_member *m = g ? xtr_push_member(g, member, NULL) : NULL;

	if (!m)
		return;
	m->acked = acked;
	if (acked)
		m->last_ack = p->env->now;
	else
		xtr_push_hello_again(g);
}

const char *xtr_push_problem(struct xtr_push *p, const struct xtr_eid_prefix *eid)
{
	if (!own_group(p) && !membership_of(p, eid))
		return "no seed-group is our own (decent.push): nobody can find this EID-prefix";
	return NULL;
}

/* ---- show */

static const char *refused_problem(struct xtr_push_group *g)
{
	const struct xtr_env *env = g->push->env;
	char ip[XTR_IP_STRLEN];

	if (!g->cfg->member || !env->refused.any ||
	    env->refused.at + env->cfg.timers.registration_timeout <= env->now)
		return NULL;
	snprintf(g->shown, sizeof(g->shown),
		 "Map-Registers of %s are refused: its key or algorithm differs from ours",
		 xtr_ip_str(&env->refused.from, ip));
	return g->shown;
}

static const char *lookup_problem(const struct xtr_push_group *g)
{
	if (!g->lookup.failed)
		return NULL;
	return g->known ? "lookups of its members get no answer: those known last are kept"
			: "lookups of its members get no answer: is a peer configured and "
			  "reachable?";
}

static const char *problem_of(struct xtr_push_group *g)
{
	const struct xtr_env *env = g->push->env;
	unsigned live = 0, silent = 0;
	const char *text;

	if (!env->up_count)
		return "no RLOC is up";
	if (!xtr_env_rloc(env, g->cfg->group.family))
		return "no RLOC of the group's address family is up";
	if (g->text[0])
		return g->text;
	text = refused_problem(g);
	if (!text)
		text = lookup_problem(g);
	if (text)
		return text;
	for (unsigned i = 0; i < g->count; i++) {
		live += g->members[i].live;
		silent += g->members[i].live && !g->members[i].acked &&
			  g->members[i].since + PATIENCE <= env->now;
	}
	if (g->cfg->server.want_notify && live && silent == live)
		return "no member confirms Map-Registers: other keys, or not reachable";
	if (g->cfg->subscribe && !env->cfg.has_ids)
		return "to subscribe an xTR-ID is needed";
	return NULL;
}

static void show_member(const struct xtr_env *env, const struct xtr_push_member *m,
			struct xtr_member_info *out)
{
	*out = (struct xtr_member_info){
		.rloc = m->rloc,
		.state = m->live       ? XTR_MEMBER_LIVE
			 : m->was_live ? XTR_MEMBER_FORMER
				       : XTR_MEMBER_PEER,
		.acked = m->acked,
		.since_ms = env->now - m->since,
		.last_ack_ms = m->last_ack == XTR_NEVER ? UINT64_MAX : env->now - m->last_ack,
	};
}

int xtr_push_walk(struct xtr_push *p, int (*fn)(void *, const struct xtr_group_info *), void *arg)
{
	const struct xtr_env *env = p->env;
	struct xtr_member_info list[XTR_PUSH_MEMBERS_MAX + 1];
	const struct xtr_ip *self;
	int r = 0;

	for (unsigned i = 0; i < p->group_count && !r; i++) {
		struct xtr_push_group *g = p->groups[i];
		struct xtr_group_info info = {
			.cfg = g->cfg,
			.problem = problem_of(g),
			.known = g->known,
			.subscribed = g->sub.active,
			.next_lookup_ms = g->lookup.next > env->now ? g->lookup.next - env->now : 0,
			.members = list,
		};

		self = g->cfg->member ? xtr_push_self(g) : NULL;
		if (self)
			list[info.count++] = (struct xtr_member_info){ .rloc = *self,
								       .state = XTR_MEMBER_SELF,
								       .acked = true,
								       .last_ack_ms = UINT64_MAX };
		for (unsigned j = 0; j < g->count; j++)
			show_member(env, &g->members[j], &list[info.count++]);
		r = fn(arg, &info);
	}
	return r;
}

/* ---- life */

static void group_free(struct xtr_push_group *g)
{
	xtr_timer_cancel(&g->push->env->timers, &g->timer);
	xtr_timer_cancel(&g->push->env->timers, &g->hello);
	free(g->members);
	free(g->list);
	free(g);
}

static struct xtr_push_group *group_new(struct xtr_push *p, const struct xtr_group_config *cfg)
{
	struct xtr_push_group *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->push = p;
	g->cfg = cfg;
	g->timer.kind = XTR_TIMER_PUSH;
	g->hello.kind = XTR_TIMER_PUSH_MEMBER;
	group_eid(&cfg->group, &g->eid);
	g->lookup.next = p->env->now;
	return g;
}

static void set_peers(struct xtr_push_group *g)
{
	for (unsigned i = 0; i < g->count; i++)
		g->members[i].configured = false;
	for (unsigned i = 0; i < g->cfg->peer_count; i++) {
		struct xtr_push_member *m = xtr_push_member_get(g, &g->cfg->peers[i]);

		if (m)
			m->configured = true;
	}
}

/* Our RLOCs in the order in which they are to be used: of the group's family first, then by
 * priority. */
static void set_membership(struct xtr_push *p, const struct xtr_push_group *g)
{
	const struct xtr_node_config *c = &p->env->cfg;
	unsigned at = p->membership_count++, n = 0;
	struct xtr_mapping_config *map = &p->memberships[at];
	struct xtr_rloc_config *list = p->rlocs[at];

	for (unsigned i = 0; i < c->rloc_count && n < XTR_UP_MAX; i++) {
		bool other = c->rlocs[i].ip.family != g->cfg->group.family;
		unsigned to = n++;

		while (to && ((list[to - 1].weight && !other) ||
			      (list[to - 1].weight == other &&
			       list[to - 1].priority > c->rlocs[i].priority))) {
			list[to] = list[to - 1];
			to--;
		}
		list[to] = c->rlocs[i];
		list[to].weight = other; /* until it is sorted */
	}
	for (unsigned i = 0; i < n; i++) {
		list[i].priority = 255; /* RFC 9962 4: for multicast only */
		list[i].weight = 0;
		list[i].mpriority = 1;
		list[i].mweight = 100;
	}
	*map = (struct xtr_mapping_config){
		.eid = g->eid, .ttl_min = XTR_PUSH_TTL, .rlocs = list, .rloc_count = (uint8_t)n
	};
}

static void drop_group(struct xtr_push_group *g)
{
	xtr_push_unsubscribe(g);
	xtr_push_replicate(g, true);
	group_free(g);
}

void xtr_push_rlocs_changed(struct xtr_push *p)
{
	for (unsigned i = 0; i < p->group_count; i++) {
		struct xtr_push_group *g = p->groups[i];

		for (unsigned j = 0; j < g->count; j++) {
			g->members[j].hello_at = p->env->now;
			g->members[j].hellos = 0;
		}
		xtr_push_hello_again(g);
		if (g->lookup.failed)
			g->lookup.next = p->env->now;
		mark(g);
	}
}

int xtr_push_reconfigure(struct xtr_push *p)
{
	const struct xtr_decent_config *c = &p->env->cfg.decent;
	struct xtr_push_group *old[XTR_GROUPS_MAX];
	unsigned old_count = p->group_count, max;
	int r = 0;

	memcpy(old, p->groups, sizeof(old));
	p->group_count = p->membership_count = 0;
	max = c->group_count < XTR_GROUPS_MAX ? c->group_count : XTR_GROUPS_MAX;
	for (unsigned i = 0; i < max; i++) {
		struct xtr_push_group *g = NULL;

		for (unsigned j = 0; j < old_count && !g; j++)
			if (old[j] && !xtr_ip_cmp(&c->groups[i].group, &old[j]->addr)) {
				g = old[j];
				old[j] = NULL;
			}
		if (!g)
			g = group_new(p, &c->groups[i]);
		if (!g) {
			r = -ENOMEM;
			continue;
		}
		if (!c->groups[i].subscribe)
			xtr_push_unsubscribe(g);
		if (g->cfg->transport != c->groups[i].transport)
			xtr_push_replicate(g, true);
		g->cfg = &c->groups[i];
		g->addr = c->groups[i].group;
		p->groups[p->group_count++] = g;
		if (g->cfg->member)
			set_membership(p, g);
	}
	for (unsigned j = 0; j < old_count; j++)
		if (old[j])
			drop_group(old[j]);
	for (unsigned i = 0; i < p->group_count; i++) {
		set_peers(p->groups[i]);
		mark(p->groups[i]);
		xtr_push_apply(p->groups[i]);
	}
	if (!p->group_count)
		xtr_push_control_peers(p);
	return r;
}

int xtr_push_new(struct xtr_env *env, struct xtr_push **out)
{
	struct xtr_push *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return -ENOMEM;
	p->env = env;
	p->guests_at = XTR_NEVER;
	xtr_timers_kind(&env->timers, XTR_TIMER_PUSH, group_timer, p);
	xtr_timers_kind(&env->timers, XTR_TIMER_PUSH_MEMBER, xtr_push_hello_timer, p);
	r = xtr_push_reconfigure(p);
	if (r) {
		xtr_push_free(p);
		return r;
	}
	*out = p;
	return 0;
}

/* The data plane keeps its lists, like everything else of a router that is stopped. */
void xtr_push_free(struct xtr_push *p)
{
	if (!p)
		return;
	for (unsigned i = 0; i < p->group_count; i++)
		group_free(p->groups[i]);
	for (unsigned i = 0; i < p->guest_count; i++)
		free(p->guests[i].ips);
	free(p->guests);
	free(p->peers);
	free(p);
}
