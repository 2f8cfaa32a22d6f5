// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Routes, rules and next hops that bring EID traffic into the overlay devices, in a table of our
 * own. The whole wanted state is computed from the configuration and the addresses of the host and
 * compared with what the kernel has; only the difference is written, so this can run at any time
 * and restores what a link flap took. Everything carries protocol 76.
 *
 * Rules, from priority P on (both families):
 *   P    fwmark <mark>          goto P+5        control sockets of the daemon
 *   P+1  from <RLOC>            goto P+5        the host's own traffic in the underlay
 *   P+2                         lookup T        EID routes; throw for what is local, so that this never hides it
 *   P+3                         lookup main     without its default route } only with an EID route of length 0
 *   P+4  from <own EID-prefix>  lookup T+1                                }
 *   P+5                         nop             behind it the host's rules (source routing, say) are as if there were none of ours
 * Each network namespace with overlay devices in it has a table and rules of its own: what is said above, with the
 * instances and the addresses that are there, but without the rules about RLOCs. The device of a VRF needs neither: its
 * routes are in the table of the VRF, behind those that are there (by metric), and an unreachable default route ends what
 * would otherwise be looked up in the tables of the host, that is, of others.
 *
 * So an EID-prefix 0.0.0.0/0 catches traffic of EIDs only: the host's own has an RLOC or no source
 * address yet.
 */
#include "dp/internal.h"

#include <errno.h>
#include <limits.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#define XTR_NUD_PERMANENT 0x80
#define XTR_DP_METRIC6 1024
#define XTR_DP_THERE_MAX 256 /* networks of a tenant's namespace that EID routes leave alone */
#define XTR_DP_READ_MAX  10000 /* routes of our protocol that are read there: it is the tenant who says how many there are */
#define XTR_DP_DROP_MAX  256   /* of them, removed in one turn */

/* A network namespace: what is wanted there, or what is there. */
struct xtr_dp_rib {
	struct xtr_dp *dp;
	struct xtr_dp_ns *ns;              /* NULL: the one of xtrd */
	struct xtr_nl *nl;
	struct xtr_nl_route *r;
	unsigned n, room;
	struct xtr_nl_rule *u;
	unsigned un, uroom;
	struct xtr_nl_neigh *g;
	unsigned gn, groom;
	unsigned most, seen;               /* routes to read, 0: all; read */
	bool more;
	int err;
};

static void *xtr_dp_grow(void **at, unsigned n, unsigned *room, size_t size, int *err)
{
	if (n == *room) {
		unsigned more = *room ? *room * 2 : 32;
		void *p = realloc(*at, more * size);

		if (!p) {
			*err = -ENOMEM;
			return NULL;
		}
		*at = p;
		*room = more;
	}
	return (char *)*at + n * size;
}

static void xtr_dp_rib_free(struct xtr_dp_rib *rib)
{
	free(rib->r);
	free(rib->u);
	free(rib->g);
}

static bool xtr_dp_same_dst(const struct xtr_nl_route *a, const struct xtr_nl_route *b)
{
	return a->table == b->table && a->metric == b->metric && !memcmp(&a->dst, &b->dst, sizeof(a->dst));
}

/* One route for a prefix in a table: the first that is put wins. */
static void xtr_dp_rib_route(struct xtr_dp_rib *rib, const struct xtr_nl_route *r)
{
	struct xtr_nl_route *slot;

	for (unsigned i = 0; i < rib->n; i++)
		if (xtr_dp_same_dst(&rib->r[i], r))
			return;
	slot = xtr_dp_grow((void **)&rib->r, rib->n, &rib->room, sizeof(*r), &rib->err);
	if (slot) {
		*slot = *r;
		rib->n++;
	}
}

static bool xtr_dp_same_rule(const struct xtr_nl_rule *a, const struct xtr_nl_rule *b)
{
	return a->family == b->family && a->priority == b->priority && a->table == b->table &&
	       a->mark == b->mark && a->suppress == b->suppress && a->skip_to == b->skip_to && a->nop == b->nop &&
	       !memcmp(&a->from, &b->from, sizeof(a->from));
}

static void xtr_dp_rib_rule(struct xtr_dp_rib *rib, const struct xtr_nl_rule *u)
{
	struct xtr_nl_rule *slot;

	for (unsigned i = 0; i < rib->un; i++)
		if (xtr_dp_same_rule(&rib->u[i], u))
			return;
	slot = xtr_dp_grow((void **)&rib->u, rib->un, &rib->uroom, sizeof(*u), &rib->err);
	if (slot) {
		*slot = *u;
		slot->protocol = XTR_DP_PROTO;
		rib->un++;
	}
}

static void xtr_dp_rib_neigh(struct xtr_dp_rib *rib, const struct xtr_nl_neigh *g)
{
	struct xtr_nl_neigh *slot =
		xtr_dp_grow((void **)&rib->g, rib->gn, &rib->groom, sizeof(*g), &rib->err);

	if (slot) {
		*slot = *g;
		rib->gn++;
	}
}

/* Has the overlay device routes in the tables of this namespace that are not a VRF's? */
static bool xtr_dp_rib_has(const struct xtr_dp_rib *rib, const struct xtr_dp_ov *ov)
{
	return ov->ready && ov->ns == rib->ns && !ov->vrf_table;
}

static bool xtr_dp_rib_has_iid(const struct xtr_dp_rib *rib, uint32_t iid)
{
	const struct xtr_dp_ov *ov = xtr_dp_overlay_of(rib->dp, iid);

	return ov && xtr_dp_rib_has(rib, ov);
}

static void xtr_dp_rib_throw(struct xtr_dp_rib *rib, const struct xtr_ippfx *p)
{
	struct xtr_nl_route r = { .type = RTN_THROW,
				  .protocol = XTR_DP_PROTO,
				  .table = rib->dp->cfg.route_table,
				  .dst = *p };

	xtr_ippfx_mask(&r.dst);
	if (r.dst.len)
		xtr_dp_rib_route(rib, &r);
}

/*
 * A network the host is connected to: of the underlay, or one that has nothing to do with LISP
 * (management, containers), which an EID route around it must not take away.
 */
static bool xtr_dp_rib_connected(const struct xtr_dp_rib *rib, const struct xtr_nl_addr *a)
{
	struct xtr_dp *dp = rib->dp;
	const struct xtr_dp_if *f = rib->ns ? NULL : xtr_dp_if_untagged(dp, a->ifindex);

	if (xtr_ip_is_linklocal(&a->pfx.ip) || xtr_ip_is_loopback(&a->pfx.ip))
		return false;
	if (f)
		return f->role == XTR_ROLE_UNDERLAY;
	for (unsigned i = 0; i < dp->ov_count && rib->ns; i++)
		if (dp->ovs[i].ns == rib->ns && a->ifindex == dp->ovs[i].far)
			return false;
	if (!rib->ns && (xtr_dp_overlay_by_index(dp, a->ifindex) || xtr_dp_addr_in_vrf(dp, a->ifindex)))
		return false;
	return a->pfx.len < xtr_ip_bits(&a->pfx.ip); /* an address alone: the local table has it */
}

static void xtr_dp_rib_local(struct xtr_dp_rib *rib)
{
	const struct xtr_nl_addr *addrs = rib->ns ? rib->ns->addrs : rib->dp->addrs;
	unsigned count = rib->ns ? rib->ns->addr_count : rib->dp->addr_count;
	const struct xtr_dp_config *cfg = &rib->dp->cfg;

	for (unsigned i = 0; i < cfg->local_count; i++)
		if (xtr_dp_rib_has_iid(rib, cfg->locals[i].iid))
			xtr_dp_rib_throw(rib, &cfg->locals[i].eid);
	for (unsigned i = 0; i < cfg->rloc_count && !rib->ns; i++)
		xtr_dp_rib_throw(rib, &(struct xtr_ippfx){ cfg->rlocs[i], (uint8_t)xtr_ip_bits(&cfg->rlocs[i]) });
	/* a tenant with very many networks has to live with more specific EID routes, not we with its networks */
	for (unsigned i = 0; i < count && (!rib->ns || i < XTR_DP_THERE_MAX); i++)
		if (xtr_dp_rib_connected(rib, &addrs[i]))
			xtr_dp_rib_throw(rib, &addrs[i].pfx);
}

/* What no route of a VRF leads anywhere must not be looked up in the tables behind it. */
static void xtr_dp_rib_vrf_end(struct xtr_dp_rib *rib, uint32_t table, uint8_t family)
{
	struct xtr_nl_route r = { .type = RTN_UNREACHABLE,
				  .protocol = XTR_DP_PROTO,
				  .table = table,
				  .metric = XTR_DP_VRF_LAST,
				  .dst.ip.family = family };

	xtr_dp_rib_route(rib, &r);
}

/* EID routes of one overlay device; *zero tells whether a family has one of length 0. */
static void xtr_dp_rib_overlay(struct xtr_dp_rib *rib, unsigned k, bool zero[7], bool any[7])
{
	const struct xtr_dp_overlay *o = &rib->dp->cfg.overlays[k];
	const struct xtr_dp_ov *ov = &rib->dp->ovs[k];
	static const uint8_t nobody[6] = XTR_NOBODY_MAC;
	int ifindex = ov->elsewhere ? ov->far : ov->ifindex;

	for (unsigned i = 0; i < o->route_count; i++) {
		struct xtr_nl_route r = { .type = RTN_UNICAST,
					  .protocol = XTR_DP_PROTO,
					  .dst = o->routes[i],
					  .oif = ifindex,
					  .onlink = true };
		uint8_t family = r.dst.ip.family;

		xtr_ippfx_mask(&r.dst);
		r.table = ov->vrf_table ? ov->vrf_table : rib->dp->cfg.route_table + (r.dst.len ? 0 : 1);
		r.metric = ov->vrf_table ? XTR_DP_VRF_METRIC : 0;
		xtr_ip_parse(family == 4 ? XTR_DP_GATEWAY4 : XTR_DP_GATEWAY6, &r.via);
		for (unsigned j = 0; j < o->address_count && !r.prefsrc.family; j++)
			if (o->addresses[j].ip.family == family)
				r.prefsrc = o->addresses[j].ip;
		xtr_dp_rib_route(rib, &r);
		if (!any[family]) {
			struct xtr_nl_neigh g = { .ifindex = ifindex,
						  .ip = r.via,
						  .has_mac = true,
						  .state = XTR_NUD_PERMANENT,
						  .protocol = XTR_DP_PROTO };

			memcpy(g.mac, nobody, 6); /* see overlay.c */
			xtr_dp_rib_neigh(rib, &g);
		}
		any[family] = true;
		zero[family] |= !r.dst.len;
	}
	if (ov->vrf_table) {
		xtr_dp_rib_vrf_end(rib, ov->vrf_table, 4);
		xtr_dp_rib_vrf_end(rib, ov->vrf_table, 6);
	}
}

static void xtr_dp_rib_rules(struct xtr_dp_rib *rib, uint8_t family, bool zero)
{
	const struct xtr_dp *dp = rib->dp;
	uint32_t p = dp->cfg.rule_priority, t = dp->cfg.route_table;
	struct xtr_nl_rule behind = { .family = family, .priority = p + 5, .suppress = -1, .nop = true };
	struct xtr_nl_rule skip = { .family = family, .suppress = -1, .skip_to = p + 5 };

	if (!rib->ns) {
		xtr_dp_rib_rule(rib, &behind); /* first: without it the others lead nowhere */
		skip.priority = p;
		skip.mark = dp->cfg.mark;
		skip.mask = 0xffffffff;
		if (skip.mark)
			xtr_dp_rib_rule(rib, &skip);
		skip.mark = skip.mask = 0;
	}
	skip.priority = p + 1;
	for (unsigned i = 0; i < dp->cfg.rloc_count && !rib->ns; i++) {
		skip.from = (struct xtr_ippfx){ dp->cfg.rlocs[i], (uint8_t)xtr_ip_bits(&dp->cfg.rlocs[i]) };
		if (dp->cfg.rlocs[i].family == family)
			xtr_dp_rib_rule(rib, &skip);
	}
	xtr_dp_rib_rule(rib,
			&(struct xtr_nl_rule){
				.family = family, .priority = p + 2, .table = t, .suppress = -1 });
	if (!zero)
		return;
	xtr_dp_rib_rule(rib, &(struct xtr_nl_rule){ .family = family,
						    .priority = p + 3,
						    .table = RT_TABLE_MAIN,
						    .suppress = 0 });
	for (unsigned i = 0; i < dp->cfg.local_count; i++)
		if (dp->cfg.locals[i].eid.ip.family == family && dp->cfg.locals[i].eid.len &&
		    xtr_dp_rib_has_iid(rib, dp->cfg.locals[i].iid))
			xtr_dp_rib_rule(rib,
					&(struct xtr_nl_rule){ .family = family,
							       .priority = p + 4,
							       .table = t + 1,
							       .suppress = -1,
							       .from = dp->cfg.locals[i].eid });
}

/* ---- what the kernel has */

/* Can we have made it? In the namespace of a tenant everybody there may call its routes by our protocol. */
static bool xtr_dp_rib_made(const struct xtr_dp_rib *have, const struct xtr_nl_route *r)
{
	if (!have->ns || r->type == RTN_THROW || r->type == RTN_UNREACHABLE)
		return true;
	for (unsigned i = 0; i < have->dp->ov_count && r->type == RTN_UNICAST; i++)
		if (have->dp->ovs[i].ns == have->ns && have->dp->ovs[i].far == r->oif)
			return true;
	return false;
}

static int xtr_dp_rib_have_route(void *arg, const struct xtr_nl_route *r)
{
	struct xtr_dp_rib *have = arg;
	struct xtr_nl_route *slot;

	if (have->most && have->seen++ >= have->most)
		return -E2BIG;
	if (!xtr_dp_rib_made(have, r))
		return 0;
	if (have->dp && xtr_dp_er_have(have->dp, have->ns, r))
		return 0; /* of a single map-cache entry */
	slot = xtr_dp_grow((void **)&have->r, have->n, &have->room, sizeof(*r), &have->err);
	if (!slot)
		return have->err;
	*slot = *r;
	if (slot->dst.ip.family == 6 && slot->metric == XTR_DP_METRIC6)
		slot->metric = 0; /* what the kernel takes where none was given */
	have->n++;
	return 0;
}

static int xtr_dp_rib_have_rule(void *arg, const struct xtr_nl_rule *u)
{
	struct xtr_dp_rib *have = arg;
	struct xtr_nl_rule *slot;

	if (u->protocol != XTR_DP_PROTO)
		return 0;
	slot = xtr_dp_grow((void **)&have->u, have->un, &have->uroom, sizeof(*u), &have->err);
	if (!slot)
		return have->err;
	*slot = *u;
	have->un++;
	return 0;
}

static int xtr_dp_rib_have_neigh(void *arg, const struct xtr_nl_neigh *g)
{
	struct xtr_dp_rib *have = arg;

	if (g->protocol == XTR_DP_PROTO && !(g->flags & NTF_EXT_LEARNED)) /* ours that a routing daemon has taken over */
		xtr_dp_rib_neigh(have, g);
	return have->err;
}

/* have->more: there are more routes than were read. */
static int xtr_dp_rib_read(struct xtr_dp_rib *have)
{
	struct xtr_nl *nl = have->nl;
	int r = xtr_nl_routes(nl, XTR_DP_PROTO, xtr_dp_rib_have_route, have);

	have->more = r == -E2BIG;
	if (!r || have->more)
		r = xtr_nl_rules(nl, xtr_dp_rib_have_rule, have);
	if (!r)
		r = xtr_nl_neighs(nl, xtr_dp_rib_have_neigh, have);
	return r;
}

static bool xtr_dp_same_route(const struct xtr_nl_route *want, const struct xtr_nl_route *have)
{
	if (!xtr_dp_same_dst(want, have) || want->type != have->type)
		return false;
	if (want->type != RTN_UNICAST)
		return true; /* IPv6 reports the loopback device of a throw route */
	return want->oif == have->oif && !memcmp(&want->via, &have->via, sizeof(want->via)) &&
	       !memcmp(&want->prefsrc, &have->prefsrc, sizeof(want->prefsrc)) &&
	       want->mtu == have->mtu;
}

static int xtr_dp_rib_routes(const struct xtr_dp_rib *want,
			     const struct xtr_dp_rib *have, struct xtr_err *err)
{
	unsigned left = want->ns ? XTR_DP_DROP_MAX : UINT_MAX;
	char text[XTR_IPPFX_STRLEN];

	for (unsigned i = 0; i < have->n; i++) { /* first: one prefix may change its type */
		bool keep = false;

		for (unsigned j = 0; j < want->n && !keep; j++)
			keep = xtr_dp_same_dst(&want->r[j], &have->r[i]) &&
			       (have->r[i].dst.ip.family == 4 ||
				xtr_dp_same_route(&want->r[j], &have->r[i]));
		if (!keep && left && left--)
			xtr_nl_route_del(want->nl, &have->r[i]);
		else if (!keep)
			want->dp->trouble = true; /* the rest with the next turn */
	}
	for (unsigned i = 0; i < want->n; i++) {
		bool there = false;
		int r;

		for (unsigned j = 0; j < have->n && !there; j++)
			there = xtr_dp_same_route(&want->r[i], &have->r[j]);
		if (there)
			continue;
		r = xtr_nl_route_add(want->nl, &want->r[i]);
		if (r)
			return xtr_fail(err, r, "route %s of table %u: %s%s%s",
					xtr_ippfx_str(&want->r[i].dst, text), want->r[i].table,
					strerror(-r), *xtr_nl_error(want->nl) ? ": " : "",
					xtr_nl_error(want->nl));
	}
	return 0;
}

static int xtr_dp_rib_rule_changes(const struct xtr_dp_rib *want,
				   const struct xtr_dp_rib *have, struct xtr_err *err)
{
	for (unsigned i = 0; i < want->un; i++) {
		bool there = false;
		int r;

		for (unsigned j = 0; j < have->un && !there; j++)
			there = xtr_dp_same_rule(&want->u[i], &have->u[j]);
		if (there)
			continue;
		r = xtr_nl_rule_add(want->nl, &want->u[i]);
		if (r && r != -EEXIST)
			return xtr_fail(err, r, "IPv%u rule of priority %u: %s%s%s",
					want->u[i].family, want->u[i].priority, strerror(-r),
					*xtr_nl_error(want->nl) ? ": " : "", xtr_nl_error(want->nl));
	}
	for (unsigned i = 0; i < have->un; i++) {
		bool wanted = false;

		for (unsigned j = 0; j < want->un && !wanted; j++)
			wanted = xtr_dp_same_rule(&want->u[j], &have->u[i]);
		if (!wanted)
			xtr_nl_rule_del(want->nl, &have->u[i]);
	}
	return 0;
}

static int xtr_dp_rib_neighs(const struct xtr_dp_rib *want,
			     const struct xtr_dp_rib *have, struct xtr_err *err)
{
	for (unsigned i = 0; i < want->gn; i++) {
		bool there = false;
		int r;

		for (unsigned j = 0; j < have->gn && !there; j++)
			there = want->g[i].ifindex == have->g[j].ifindex &&
				!memcmp(&want->g[i].ip, &have->g[j].ip, sizeof(have->g[j].ip)) &&
				have->g[j].has_mac && !memcmp(want->g[i].mac, have->g[j].mac, 6) &&
				have->g[j].state & XTR_NUD_PERMANENT;
		if (there)
			continue;
		r = xtr_nl_neigh_put(want->nl, &want->g[i]);
		if (r)
			return xtr_fail(err, r, "next hop of the EID routes: %s%s%s", strerror(-r),
					*xtr_nl_error(want->nl) ? ": " : "", xtr_nl_error(want->nl));
	}
	return 0;
}

/* The whole of one namespace. */
static int xtr_dp_rib_sync(struct xtr_dp *dp, struct xtr_dp_ns *ns, struct xtr_err *err)
{
	struct xtr_dp_rib want = { .dp = dp, .ns = ns, .nl = ns ? ns->nl : dp->nl, .most = ns ? XTR_DP_READ_MAX : 0 },
			  have = want;
	bool zero[7] = { false }, any[7] = { false };
	int r;

	xtr_dp_rib_local(&want); /* before the EID routes: the same prefix is rather local */
	for (unsigned i = 0; i < dp->ov_count; i++) {
		bool mine[7] = { false }, none[7] = { false };
		bool in_vrf = dp->ovs[i].vrf_table != 0;

		if (!dp->ovs[i].ready || dp->ovs[i].ns != ns)
			continue;
		xtr_dp_rib_overlay(&want, i, in_vrf ? none : zero, mine);
		any[4] |= mine[4] && !in_vrf;
		any[6] |= mine[6] && !in_vrf;
	}
	/* throw routes serve nothing in a family without EID routes */
	for (unsigned i = 0; i < want.n;)
		if (want.r[i].type == RTN_THROW && !any[want.r[i].dst.ip.family])
			want.r[i] = want.r[--want.n];
		else
			i++;
	if (any[4])
		xtr_dp_rib_rules(&want, 4, zero[4]);
	if (any[6])
		xtr_dp_rib_rules(&want, 6, zero[6]);
	if (!want.err)
		xtr_dp_er_base(dp, ns, want.r, want.n);
	r = want.err ? want.err : xtr_dp_rib_read(&have);
	if (r)
		xtr_fail(err, r, "cannot read routes and rules: %s", strerror(-r));
	if (!r)
		r = xtr_dp_rib_neighs(&want, &have, err);
	if (!r)
		r = xtr_dp_rib_routes(&want, &have, err);
	if (!r && !have.more)
		xtr_dp_er_restore(dp, ns);
	if (!r)
		r = xtr_dp_rib_rule_changes(&want, &have, err);
	if (!r && have.more)
		r = xtr_fail(err, -E2BIG, "more than %u routes of protocol %u, which is ours, are there: remove them (ip route flush table all proto %u)",
			     XTR_DP_READ_MAX, XTR_DP_PROTO, XTR_DP_PROTO);
	xtr_dp_rib_free(&want);
	xtr_dp_rib_free(&have);
	return r;
}

int xtr_dp_routes(struct xtr_dp *dp, struct xtr_err *err)
{
	struct xtr_err why;
	int r;

	for (unsigned i = 0; i < dp->ns_count; i++) { /* one tenant's trouble is not the others' */
		struct xtr_dp_ns *ns = dp->nss[i];

		if (!ns->nl || !ns->used)
			continue;
		r = xtr_dp_rib_sync(dp, ns, &why);
		if (r && !ns->trouble)
			xtr_warn("network namespace %s: %s; trying again every second", ns->where, why.text);
		ns->trouble = r != 0;
		dp->trouble |= r != 0;
	}
	return xtr_dp_rib_sync(dp, NULL, err);
}

/* Removes every rule, route and neighbour of protocol 76, and tells how many. most: routes, 0: all. */
int xtr_dp_routes_remove(struct xtr_nl *nl, unsigned most, unsigned *rules, unsigned *routes, unsigned *neighs)
{
	struct xtr_dp_rib have = { .nl = nl, .most = most };
	int r = xtr_dp_rib_read(&have);

	*rules = *routes = *neighs = 0;
	for (unsigned i = 0; i < have.un && !r; i++)
		*rules += !xtr_nl_rule_del(nl, &have.u[i]);
	for (unsigned i = 0; i < have.n && !r; i++)
		*routes += !xtr_nl_route_del(nl, &have.r[i]);
	for (unsigned i = 0; i < have.gn && !r; i++)
		*neighs += !xtr_nl_neigh_del(nl, have.g[i].ifindex, &have.g[i].ip);
	xtr_dp_rib_free(&have);
	return r;
}
