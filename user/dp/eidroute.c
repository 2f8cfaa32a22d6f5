// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Routes for single map-cache entries, in the tables and namespaces where route.c has the EID routes:
 *
 *   throw   for a natively forwarded EID-prefix in use: the host's own routing, NAT and source addresses apply then. The
 *           first packets, and those that find no room, are redirected by the programs (RFC 9301 5.4, action 1)
 *   mtu N   for an EID-prefix behind a locator with less room than its port, as the route to it says or ICMP told (pmtu.c):
 *           the kernel then cuts or answers what does not fit, local or forwarded (RFC 9300 7.2)
 *
 * Invariants. A throw route never hides what is encapsulated, dropped, or another instance's: there is none for a prefix with
 * another kind of entry inside, with an EID route of the configuration inside or equal to it, of length 0, or whose EID
 * route belongs to another device; and it goes before such an entry is written. What the configuration or an address
 * of the host asks for in route.c always wins. Both kinds are bounded; whose use is known to be longest ago gives way.
 * Changes are single requests, at most XTR_DP_ER_RATE additions a second: prefixes that one packet of a scan has met never
 * get that far. route.c compares the whole with the kernel at times and has this file tell and restore what is its.
 */
#include "dp/internal.h"

#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define XTR_DP_ER_RATE   200   /* routes added a second */
#define XTR_DP_ER_BURST  400
#define XTR_DP_ER_LOOKS  2048  /* native entries looked at in one turn */
#define XTR_DP_ER_INSIDE 4096  /* entries inside a prefix that are looked through */
#define XTR_DP_ER_EVERY  500   /* ms between turns */
#define XTR_DP_ER_GONE   30000 /* ms: an entry that was in use and comes back */
#define XTR_DP_ER_STAYS  10000 /* ms: a route is not replaced by another before */

static struct xtr_trie *er_trie(struct xtr_dp *dp, uint8_t family)
{
	struct xtr_trie **t = family == 4 ? &dp->er4 : &dp->er6;

	if (!*t)
		*t = xtr_trie_new();
	return *t;
}

static struct xtr_dp_er *er_get(struct xtr_dp *dp, uint32_t iid, const struct xtr_ippfx *eid)
{
	struct xtr_trie *t = er_trie(dp, eid->ip.family);
	uint8_t key[32];
	unsigned bits = xtr_dp_trie_key(key, iid, eid);

	return t ? xtr_trie_get(t, key, bits) : NULL;
}

static struct xtr_dp_er *er_new(struct xtr_dp *dp, uint32_t iid, const struct xtr_ippfx *eid, bool native)
{
	struct xtr_trie *t = er_trie(dp, eid->ip.family);
	struct xtr_dp_er *e = t ? calloc(1, sizeof(*e)) : NULL;
	uint8_t key[32];
	unsigned bits = xtr_dp_trie_key(key, iid, eid);

	if (!e)
		return NULL;
	e->iid = iid;
	e->eid = *eid;
	e->native = native;
	if (xtr_trie_set(t, key, bits, e, NULL)) {
		free(e);
		return NULL;
	}
	DL_APPEND(dp->er_wait, e);
	return e;
}

/* Not in the kernel any more, or never was. */
static void er_free(struct xtr_dp *dp, struct xtr_dp_er *e)
{
	uint8_t key[32];
	unsigned bits = xtr_dp_trie_key(key, e->iid, &e->eid);

	xtr_trie_del(er_trie(dp, e->eid.ip.family), key, bits);
	DL_DELETE(dp->er_wait, e);
	free(e);
}

/* ---- which routes */

static const struct xtr_dp_er_base *er_base_of(const struct xtr_dp *dp, const struct xtr_dp_ns *ns)
{
	for (unsigned i = 0; i < dp->er_bases; i++)
		if (dp->er_base[i].ns == ns)
			return &dp->er_base[i];
	return NULL;
}

static int er_ifindex(const struct xtr_dp_ov *ov) { return ov->elsewhere ? ov->far : ov->ifindex; }

/* The longest of route.c's routes in a table that covers a prefix. */
static const struct xtr_nl_route *er_cover(const struct xtr_dp_er_base *b, uint32_t table, const struct xtr_ippfx *p)
{
	const struct xtr_nl_route *best = NULL;

	for (unsigned i = 0; i < b->n; i++) {
		const struct xtr_nl_route *r = &b->r[i];

		if (r->table != table || !xtr_ippfx_contains(&r->dst, p))
			continue;
		if (!best || r->dst.len > best->dst.len || (r->dst.len == best->dst.len && r->metric < best->metric))
			best = r;
	}
	return best;
}

/* Has the configuration a route inside it, or the very same? */
static bool er_covers(const struct xtr_dp_er_base *b, const struct xtr_ippfx *p)
{
	for (unsigned i = 0; i < b->n; i++)
		if (b->r[i].type == RTN_UNICAST && b->r[i].dst.len && xtr_ippfx_contains(p, &b->r[i].dst))
			return true;
	return false;
}

/*
 * The routes of a record as things are: out[0] in the table of EID routes, out[1] in that of the default route; type 0: none.
 * False: it can have none at all, nor change one of the configuration.
 */
static bool er_routes(const struct xtr_dp *dp, const struct xtr_dp_er *e, const struct xtr_dp_ov **ov_out,
		      struct xtr_nl_route out[2])
{
	const struct xtr_dp_ov *ov = xtr_dp_overlay_of(dp, e->iid);
	const struct xtr_dp_er_base *b = ov && ov->ready ? er_base_of(dp, ov->ns) : NULL;
	bool any = false;

	memset(out, 0, 2 * sizeof(*out));
	if (!b || !e->eid.len || (e->native && (ov->vrf_table || er_covers(b, &e->eid))))
		return false;
	*ov_out = ov;
	for (unsigned k = 0; k < (ov->vrf_table ? 1 : 2); k++) {
		uint32_t table = ov->vrf_table ? ov->vrf_table : dp->cfg.route_table + k;
		const struct xtr_nl_route *r = er_cover(b, table, &e->eid);

		if (!r)
			continue;
		if (r->type != RTN_UNICAST || r->oif != er_ifindex(ov)) {
			if (!k) /* local, or another device's: no business of this entry */
				return false;
			continue;
		}
		any = true;
		if (r->dst.len == e->eid.len) /* the route of the configuration takes the MTU */
			continue;
		out[k] = *r;
		out[k].dst = e->eid;
		out[k].mtu = e->mtu;
		if (e->native)
			out[k] = (struct xtr_nl_route){
				.type = RTN_THROW, .protocol = XTR_DP_PROTO, .table = table, .dst = e->eid
			};
	}
	return any || (!e->native && er_covers(b, &e->eid));
}

/* ---- in the kernel */

static uint64_t er_hash(const struct xtr_nl_route *r)
{
	struct {
		uint32_t table;
		struct xtr_ippfx dst;
	} what;

	memset(&what, 0, sizeof(what));
	what.table = r->table;
	what.dst = r->dst;
	return xtr_hash(&what, sizeof(what)) | 1;
}

/* What is told about a route of ours that was removed makes route.c look at everything; not when it was us. */
bool xtr_dp_er_own(struct xtr_dp *dp, const struct xtr_nl_route *r)
{
	uint64_t hash = er_hash(r), *slot = &dp->er_removed[hash >> 8 & 255];

	if (*slot != hash)
		return false;
	*slot = 0;
	return true;
}

static void er_remove(struct xtr_dp *dp, struct xtr_nl *nl, const struct xtr_nl_route *r)
{
	uint64_t hash = er_hash(r), *slot = &dp->er_removed[hash >> 8 & 255];

	*slot = hash;
	if (xtr_nl_route_del(nl, r) || nl != dp->nl)
		*slot = 0;
}

/*
 * A socket keeps the way it has found. With IPv4 any change of routes makes it look again; with IPv6 only a change above or below
 * the route it has found, which after a throw is one of the main table: so something is changed there, for a moment. It
 * is never used: the table of EID routes comes first, and has a route for this prefix (again).
 */
static void er_wake6(struct xtr_dp *dp, struct xtr_nl *nl, const struct xtr_ippfx *p)
{
	struct xtr_nl_route r = { .type = RTN_THROW,
				  .protocol = XTR_DP_PROTO,
				  .table = RT_TABLE_MAIN,
				  .metric = 0x7fffffff,
				  .dst = *p };

	if (!xtr_nl_route_add(nl, &r))
		er_remove(dp, nl, &r);
}

/* What the routes of the configuration into a device let through. */
static unsigned er_limit(const struct xtr_dp *dp, const struct xtr_dp_ov *ov, uint8_t family)
{
	unsigned least = family == 6 && dp->er_least && dp->er_least < 1280 ? 1280 : dp->er_least;

	return least && least < ov->mtu ? least : ov->mtu;
}

/* The MTU of a route of the configuration: the smallest of those of the entries that cover it; 0: that of the device. */
static uint32_t er_base_mtu(const struct xtr_dp *dp, const struct xtr_dp_ns *ns, const struct xtr_nl_route *r)
{
	const struct xtr_dp_er *e;
	uint32_t mtu = 0;

	if (r->type != RTN_UNICAST)
		return 0;
	for (unsigned i = 0; i < dp->ov_count; i++) {
		const struct xtr_dp_ov *ov = &dp->ovs[i];

		if (ov->ready && ov->ns == ns && er_ifindex(ov) == r->oif && er_limit(dp, ov, r->dst.ip.family) < ov->mtu)
			mtu = er_limit(dp, ov, r->dst.ip.family);
	}
	DL_FOREACH(dp->er_set, e) {
		const struct xtr_dp_ov *ov;

		if (e->native || !xtr_ippfx_contains(&e->eid, &r->dst) || (mtu && e->mtu >= mtu))
			continue;
		ov = xtr_dp_overlay_of(dp, e->iid);
		if (ov && ov->ns == ns && er_ifindex(ov) == r->oif)
			mtu = e->mtu;
	}
	return mtu;
}

/* Those that lie in a prefix, after its entry has got or lost a route. */
static void er_base_update(struct xtr_dp *dp, const struct xtr_dp_ov *ov, struct xtr_nl *nl, const struct xtr_ippfx *p)
{
	const struct xtr_dp_er_base *b = er_base_of(dp, ov->ns);

	for (unsigned i = 0; b && i < b->n; i++) {
		struct xtr_nl_route *r = &b->r[i];
		uint32_t mtu;

		if (r->type != RTN_UNICAST || !xtr_ippfx_contains(p, &r->dst))
			continue;
		mtu = er_base_mtu(dp, ov->ns, r);
		if (mtu == r->mtu)
			continue;
		r->mtu = mtu;
		xtr_nl_route_add(nl, r);
	}
}

static void er_unset(struct xtr_dp *dp, struct xtr_dp_er *e)
{
	const struct xtr_dp_ov *ov = NULL;
	struct xtr_nl_route r[2];
	struct xtr_nl *nl;
	bool have;

	if (!e->set)
		return;
	have = er_routes(dp, e, &ov, r);
	DL_DELETE(dp->er_set, e);
	e->set = false;
	dp->er_count[e->native]--;
	DL_APPEND(dp->er_wait, e);
	e->put = xtr_dp_jiffies(dp);
	nl = ov ? ov->ns ? ov->ns->nl : dp->nl : NULL;
	if (!have || !nl)
		return; /* route.c removes what nothing stands for any more */
	for (unsigned k = 0; k < 2; k++)
		if (r[k].type)
			er_remove(dp, nl, &r[k]);
	if (e->native && e->eid.ip.family == 6)
		er_wake6(dp, nl, &e->eid);
	if (!e->native)
		er_base_update(dp, ov, nl, &e->eid);
}

/* Room for one more; the oldest goes, unless it is young. */
static bool er_room(struct xtr_dp *dp, bool native)
{
	unsigned most = native ? dp->cfg.native_routes : dp->cfg.path_mtus;
	struct xtr_dp_er *e;

	if (!most)
		return false;
	if (dp->er_count[native] < most)
		return true;
	DL_FOREACH(dp->er_set, e)
		if (e->native == native)
			break;
	if (!e || (xtr_dp_jiffies(dp) - e->put) * 1000 / dp->hz < XTR_DP_ER_STAYS)
		return false;
	er_unset(dp, e);
	if (!native)
		er_free(dp, e);
	return true;
}

static int er_other(void *ctx, const uint8_t *key, unsigned bits, void *value)
{
	unsigned *left = ctx;
	const struct xtr_dp_entry *e = value;

	return e->is.action != XTR_ACT_NATIVE || !--*left;
}

/* Is there anything but native entries in this prefix? */
static bool er_mixed(const struct xtr_dp *dp, const struct xtr_dp_er *e)
{
	unsigned left = XTR_DP_ER_INSIDE, bits;
	uint8_t key[32];

	bits = xtr_dp_trie_key(key, e->iid, &e->eid);
	return xtr_trie_walk(e->eid.ip.family == 4 ? dp->eid4 : dp->eid6, key, bits, er_other, &left);
}

/* True: it is in the kernel now. */
static bool er_do_set(struct xtr_dp *dp, struct xtr_dp_er *e)
{
	const struct xtr_dp_ov *ov = NULL;
	struct xtr_nl_route r[2];
	struct xtr_nl *nl;
	int rc = 0;

	if (dp->look_at == UINT64_MAX) /* detached by force */
		return false;
	if (e->set || !er_routes(dp, e, &ov, r) || (e->native && er_mixed(dp, e)))
		return e->set;
	nl = ov->ns ? ov->ns->nl : dp->nl;
	if (!nl || !er_room(dp, e->native) ||
	    !xtr_dp_bucket_take(&dp->er_bucket, dp->now, XTR_DP_ER_RATE, XTR_DP_ER_BURST))
		return false;
	for (unsigned k = 0; k < 2 && !rc; k++)
		if (r[k].type)
			rc = xtr_nl_route_add(nl, &r[k]);
	if (rc) {
		for (unsigned k = 0; k < 2; k++)
			if (r[k].type)
				er_remove(dp, nl, &r[k]);
		return false;
	}
	DL_DELETE(dp->er_wait, e);
	e->set = true;
	e->put = xtr_dp_jiffies(dp);
	DL_APPEND(dp->er_set, e);
	dp->er_count[e->native]++;
	if (!e->native)
		er_base_update(dp, ov, nl, &e->eid);
	return true;
}

/* ---- MTUs of locators */

/* The smaller of both, 0 being none: what fits into the tunnel to a locator. told: if it is the administrator who says so. */
static uint16_t er_smaller(uint16_t mtu, const struct xtr_dp_rl *rl, bool told)
{
	uint16_t m = (uint16_t)(rl->t.mtu - (rl->dst.family == 4 ? 36 : 56));

	if (!rl->t.mtu || (told && rl->t.flags & XTR_RLOC_F_PMTU))
		return mtu;
	return mtu && mtu < m ? mtu : m;
}

static uint16_t er_fits(const struct xtr_dp *dp, const struct xtr_dp_entry *e, bool told)
{
	uint16_t mtu = 0;

	for (unsigned i = 0; e->is.set && i < e->is.set->key.n; i++)
		mtu = er_smaller(mtu, dp->rl_by_id[e->is.set->key.rl[i]], told);
	return mtu;
}

/* The MTU that an entry needs a route for; 0: none. */
static uint16_t er_mtu_of(const struct xtr_dp *dp, const struct xtr_dp_entry *e, uint32_t iid, uint8_t family)
{
	const struct xtr_dp_ov *ov = xtr_dp_overlay_of(dp, iid);
	uint16_t mtu = ov && dp->rl_mtus ? er_fits(dp, e, false) : 0;

	if (family == 6 && mtu && mtu < 1280) /* what IPv6 has to carry whole (RFC 8200 5) */
		mtu = 1280;
	return ov && mtu < er_limit(dp, ov, family) ? mtu : 0;
}

/*
 * A route may have an MTU for all locators at once (the default route), and then there are more EID-prefixes than room for their
 * routes: the routes of the configuration take the least of what the administrator's say. What ICMP said makes no difference to
 * them, or the worst of it would hold for everybody.
 */
static void er_least_set(struct xtr_dp *dp, uint16_t least)
{
	if (least == dp->er_least)
		return;
	dp->er_least = least;
	for (unsigned i = 0; i < dp->ov_count; i++) {
		const struct xtr_dp_ov *ov = &dp->ovs[i];
		struct xtr_nl *nl = ov->ns ? ov->ns->nl : dp->nl;

		for (uint8_t f = 4; ov->ready && nl && f <= 6; f += 2)
			er_base_update(dp, ov, nl, &(struct xtr_ippfx){ .ip.family = f });
	}
	xtr_dp_er_learned(dp); /* who needs none of its own any more, or needs one again */
}

static void er_least_again(struct xtr_dp *dp)
{
	uint16_t least = 0;

	for (uint32_t id = 1; dp->er_least && dp->rl_mtus && id < dp->rl_ids.top; id++)
		if (dp->rl_by_id[id] && dp->rl_by_id[id]->refs)
			least = er_smaller(least, dp->rl_by_id[id], true);
	er_least_set(dp, least);
}

static void er_want_mtu(struct xtr_dp *dp, uint32_t iid, const struct xtr_ippfx *eid, const struct xtr_dp_entry *entry)
{
	uint16_t mtu = entry && entry->is.action == XTR_ACT_ENCAP ? er_mtu_of(dp, entry, iid, eid->ip.family) : 0;
	struct xtr_dp_er *e = er_get(dp, iid, eid);

	if (e && e->native)
		return;
	if (e && e->mtu != mtu)
		er_unset(dp, e);
	if (mtu && !(e && e->set) && dp->er_count[0] >= dp->cfg.path_mtus) {
		uint16_t told = er_fits(dp, entry, true);

		if (told && (!dp->er_least || told < dp->er_least))
			er_least_set(dp, told);
		mtu = er_mtu_of(dp, entry, iid, eid->ip.family);
	}
	if (!mtu) {
		if (e)
			er_free(dp, e);
		return;
	}
	if (!e)
		e = er_new(dp, iid, eid, false);
	if (!e)
		return;
	e->mtu = mtu;
	if (er_do_set(dp, e))
		return;
	er_free(dp, e);
	if (dp->er_count[0] < dp->cfg.path_mtus && !dp->er_scan_at)
		dp->er_scan_at = dp->now + XTR_DP_ER_EVERY; /* too many at once */
}

void xtr_dp_er_wanted(struct xtr_dp *dp, uint32_t iid, const struct xtr_ip *dst)
{
	struct xtr_ippfx eid;
	const struct xtr_dp_entry *entry = xtr_dp_cache_match(dp, iid, dst, &eid);

	if (entry)
		er_want_mtu(dp, iid, &eid, entry);
}

void xtr_dp_er_learned(struct xtr_dp *dp)
{
	if (!dp->er_scan_at)
		dp->er_scan_at = dp->now ? dp->now : 1;
}

struct er_scan {
	struct xtr_dp *dp;
	uint8_t family;
};

static int er_scan_one(void *ctx, const uint8_t *key, unsigned bits, void *value)
{
	struct er_scan *s = ctx;
	const struct xtr_dp_entry *entry = value;
	struct xtr_ippfx eid = { .ip.family = s->family };
	uint32_t iid;

	if (bits < 32 || entry->is.action != XTR_ACT_ENCAP)
		return 0;
	memcpy(&iid, key, 4);
	iid = ntohl(iid);
	eid.len = (uint8_t)(bits - 32);
	memcpy(eid.ip.a, key + 4, s->family == 4 ? 4 : 16);
	if (er_mtu_of(s->dp, entry, iid, s->family))
		er_want_mtu(s->dp, iid, &eid, entry);
	return 0;
}

/* All entries, when the MTU of a template changed. */
static void er_scan(struct xtr_dp *dp)
{
	static const uint8_t zero[32];
	struct xtr_dp_er *e, *tmp;

	er_least_again(dp);
	dp->er_scan_at = 0;
	DL_FOREACH_SAFE(dp->er_set, e, tmp) {
		uint8_t key[32];
		unsigned bits = xtr_dp_trie_key(key, e->iid, &e->eid);

		if (!e->native)
			er_want_mtu(dp, e->iid, &e->eid,
				    xtr_trie_get(e->eid.ip.family == 4 ? dp->eid4 : dp->eid6, key, bits));
	}
	for (uint8_t f = 4; f <= 6 && dp->rl_mtus; f += 2) {
		struct er_scan s = { dp, f };

		xtr_trie_walk(f == 4 ? dp->eid4 : dp->eid6, zero, 0, er_scan_one, &s);
	}
}

/* ---- what becomes of entries */

void xtr_dp_er_before(struct xtr_dp *dp, uint32_t iid, const struct xtr_ippfx *eid, uint8_t action)
{
	struct xtr_dp_er *e = er_get(dp, iid, eid);
	struct xtr_trie *t = er_trie(dp, eid->ip.family);
	uint8_t key[32];
	unsigned bits = xtr_dp_trie_key(key, iid, eid), found = 0;

	if (e && e->native != (action == XTR_ACT_NATIVE)) {
		er_unset(dp, e);
		er_free(dp, e);
	}
	if (action == XTR_ACT_NATIVE || !dp->er_count[1])
		return;
	/* it would be hidden by the throw route of a prefix around it */
	for (e = xtr_trie_parent(t, key, bits, &found); e; e = xtr_trie_parent(t, key, found, &found)) {
		const struct xtr_dp_ov *ov = xtr_dp_overlay_of(dp, iid);

		if (!e->native || !e->set)
			continue;
		er_unset(dp, e);
		if (eid->ip.family == 6 && ov && (!ov->ns || ov->ns->nl))
			er_wake6(dp, ov->ns ? ov->ns->nl : dp->nl, eid);
	}
}

void xtr_dp_er_put(struct xtr_dp *dp, uint32_t iid, const struct xtr_ippfx *eid, uint8_t action)
{
	struct xtr_dp_er *e;
	uint8_t key[32];
	unsigned bits = xtr_dp_trie_key(key, iid, eid);

	if (action != XTR_ACT_NATIVE) {
		if (dp->rl_mtus)
			er_want_mtu(dp, iid, eid, xtr_trie_get(eid->ip.family == 4 ? dp->eid4 : dp->eid6, key, bits));
		return;
	}
	if (!dp->cfg.native_routes)
		return;
	e = er_get(dp, iid, eid);
	if (!e)
		e = er_new(dp, iid, eid, true);
	if (!e || e->set)
		return;
	e->put = xtr_dp_jiffies(dp);
	if (e->gone) /* it was in use a moment ago: connections through the host's NAT go on */
		er_do_set(dp, e);
	e->gone = 0;
}

void xtr_dp_er_del(struct xtr_dp *dp, uint32_t iid, const struct xtr_ippfx *eid)
{
	struct xtr_dp_er *e = er_get(dp, iid, eid);
	bool was = e && e->set && e->native;

	if (!e)
		return;
	er_unset(dp, e);
	if (was)
		e->gone = dp->now ? dp->now : 1;
	else
		er_free(dp, e);
}

/* Native entries that were met again half a second after they were written. A throw route takes their packets away from
 * the programs, so from then on nobody knows of their use. */
static void er_look(struct xtr_dp *dp)
{
	uint64_t jiffies = xtr_dp_jiffies(dp);
	size_t waiting = (dp->er4 ? xtr_trie_count(dp->er4) : 0) + (dp->er6 ? xtr_trie_count(dp->er6) : 0) -
			 dp->er_count[0] - dp->er_count[1];
	struct xtr_dp_er *e;

	dp->er_look_at = dp->now + XTR_DP_ER_EVERY;
	if (waiting > XTR_DP_ER_LOOKS)
		waiting = XTR_DP_ER_LOOKS;
	while (waiting-- && (e = dp->er_wait)) {
		union xtr_dp_key k;
		struct xtr_eid v;

		DL_DELETE(dp->er_wait, e); /* to the end of the line */
		DL_APPEND(dp->er_wait, e);
		if (e->gone && dp->now - e->gone > XTR_DP_ER_GONE) {
			er_free(dp, e);
			continue;
		}
		if (e->gone || !e->native)
			continue;
		xtr_dp_key(&k, e->iid, &e->eid);
		if (!bpf_map_lookup_elem(dp->map[e->eid.ip.family == 4 ? XTR_M_EID4 : XTR_M_EID6], &k, &v) &&
		    (int64_t)(v.used - e->put) >= (int64_t)dp->hz / 2 && (int64_t)(jiffies - v.used) < 3 * (int64_t)dp->hz)
			er_do_set(dp, e);
	}
}

uint64_t xtr_dp_er_tick(struct xtr_dp *dp)
{
	if (dp->er_scan_at && dp->now >= dp->er_scan_at)
		er_scan(dp);
	if (dp->er_wait && dp->now >= dp->er_look_at)
		er_look(dp);
	if (!dp->er_wait)
		return dp->er_scan_at ? dp->er_scan_at : UINT64_MAX;
	return dp->er_scan_at && dp->er_scan_at < dp->er_look_at ? dp->er_scan_at : dp->er_look_at;
}

/* ---- route.c: before it compares, for each route it finds, and after it has set its own */

/* That of the namespace, or of one that is no more, or a new one. */
static struct xtr_dp_er_base *er_base_slot(struct xtr_dp *dp, struct xtr_dp_ns *ns)
{
	struct xtr_dp_er_base *b = NULL;

	for (unsigned i = 0; i < dp->er_bases; i++) {
		bool lives = !dp->er_base[i].ns;

		if (dp->er_base[i].ns == ns)
			return &dp->er_base[i];
		for (unsigned j = 0; j < dp->ns_count && !lives; j++)
			lives = dp->nss[j] == dp->er_base[i].ns;
		if (!lives)
			b = &dp->er_base[i];
	}
	if (!b && dp->er_bases <= XTR_DP_NSS)
		b = &dp->er_base[dp->er_bases++];
	if (b) {
		free(b->r);
		*b = (struct xtr_dp_er_base){ .ns = ns };
	}
	return b;
}

void xtr_dp_er_base(struct xtr_dp *dp, struct xtr_dp_ns *ns, struct xtr_nl_route *r, unsigned n)
{
	struct xtr_dp_er_base *b = er_base_slot(dp, ns);
	struct xtr_nl_route *copy = calloc(n + 1, sizeof(*copy));
	struct xtr_dp_er *e;

	if (!b || !copy) {
		free(copy);
		return;
	}
	for (unsigned i = 0; i < n; i++)
		r[i].mtu = er_base_mtu(dp, ns, &r[i]);
	memcpy(copy, r, n * sizeof(*copy));
	free(b->r);
	b->r = copy;
	b->n = n;
	DL_FOREACH(dp->er_set, e)
		e->seen = 0;
}

/* Is this one of ours, and as it should be? A throw route of a daemon before is taken over with its entry. */
bool xtr_dp_er_have(struct xtr_dp *dp, struct xtr_dp_ns *ns, const struct xtr_nl_route *have)
{
	for (unsigned i = 0; i < dp->ov_count; i++) {
		const struct xtr_dp_ov *ov = &dp->ovs[i];
		struct xtr_nl_route r[2];
		struct xtr_dp_er *e;

		if (!ov->ready || ov->ns != ns || !(e = er_get(dp, ov->iid, &have->dst)) || e->gone ||
		    !er_routes(dp, e, &ov, r) || (!e->set && (!e->native || er_mixed(dp, e) || dp->er_count[1] >= dp->cfg.native_routes)))
			continue;
		for (unsigned k = 0; k < 2; k++) {
			if (!r[k].type || r[k].table != have->table || r[k].type != have->type ||
			    (r[k].type == RTN_UNICAST && (r[k].oif != have->oif || r[k].mtu != have->mtu ||
							  memcmp(&r[k].prefsrc, &have->prefsrc, sizeof(have->prefsrc)))))
				continue;
			if (!e->set) {
				DL_DELETE(dp->er_wait, e);
				e->set = true;
				e->put = xtr_dp_jiffies(dp);
				DL_APPEND(dp->er_set, e);
				dp->er_count[1]++;
			}
			e->seen |= (uint8_t)(1u << k);
			return true;
		}
	}
	return false;
}

void xtr_dp_er_restore(struct xtr_dp *dp, struct xtr_dp_ns *ns)
{
	struct xtr_dp_er *e, *tmp;

	DL_FOREACH_SAFE(dp->er_set, e, tmp) {
		const struct xtr_dp_ov *ov = xtr_dp_overlay_of(dp, e->iid);
		struct xtr_nl_route r[2];

		if (ov && ov->ns != ns)
			continue;
		if (!ov || !er_routes(dp, e, &ov, r)) {
			er_unset(dp, e);
			if (!e->native)
				er_free(dp, e);
			continue;
		}
		for (unsigned k = 0; k < 2; k++)
			if (r[k].type && !(e->seen >> k & 1))
				xtr_nl_route_add(ns ? ns->nl : dp->nl, &r[k]);
	}
}

void xtr_dp_er_free(struct xtr_dp *dp)
{
	if (dp->er4)
		xtr_trie_free(dp->er4, free);
	if (dp->er6)
		xtr_trie_free(dp->er6, free);
	for (unsigned i = 0; i < dp->er_bases; i++)
		free(dp->er_base[i].r);
}
