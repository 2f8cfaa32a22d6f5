// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * ITR, the keeping side: lifetimes, refresh of what is in use, eviction, and the forwarding set the
 * data plane gets. RFC 9301 5.4, 5.5.
 *
 * The data plane has exactly the entries of the map-cache that are IPv4 or IPv6 unicast; every
 * change here ends in one cache_put or cache_del.
 */
#include "util/hash.h"
#include "roles/itr.h"
#include "xtr/abi.h"

#include <errno.h>
#include <string.h>

#define MINUTE 60000ull
#define TTL_UNSPECIFIED 1440 /* minutes, for "the receiver decides" */
#define RECHECK_MIN \
	4000 /* ms before expiry at which an idle entry is looked at for the last time */
#define USED_LATELY 60000
#define EVICT_SAMPLE 8
#define EVICT_LOOK 1024

/* ---- forwarding */

static bool usable(const struct xtr_env *env, const struct xtr_locator *l, struct xtr_ip *ip)
{
	return l->reachable && l->priority != 255 && xtr_env_hop(env, &l->addr, ip) &&
	       xtr_rloc_valid(ip) && xtr_env_rloc(env, ip->family) && !xtr_env_own_rloc(env, ip);
}

/* The locators that say of one of these that it takes LISP-GPE: etr_record.c. */
static void mark_gpe(const struct xtr_locset *set, struct xtr_fwd *fwd)
{
	struct xtr_rd it = { 0 };
	struct xtr_locator l;
	struct xtr_ip ip;
	uint32_t formats;

	while (xtr_locset_next(set, &it, &l)) {
		if (!xtr_addr_encap_ip(&l.addr, &formats, &ip) || !(formats & XTR_ENCAP_LISP_GPE))
			continue;
		for (unsigned i = 0; i < fwd->n; i++)
			fwd->locators[i].gpe |= !xtr_ip_cmp(&fwd->locators[i].ip, &ip);
	}
}

static void make_fwd(const struct xtr_env *env, const struct xtr_mapping *m, struct xtr_fwd *out)
{
	const struct xtr_locset set = xtr_mapping_locators(m);
	struct xtr_rd it = { 0 };
	struct xtr_locator l;
	struct xtr_ip ip;
	int best = 255;

	memset(out, 0, sizeof(*out));
	out->map_version = m->map_version;
	out->action = m->positive ? XTR_ACT_ENCAP : m->act;
	while (m->positive && xtr_locset_next(&set, &it, &l)) {
		if (!usable(env, &l, &ip) || l.priority > best)
			continue;
		if (l.priority < best) {
			best = l.priority;
			out->n = 0;
		}
		if (out->n == 8)
			continue;
		out->locators[out->n].ip = ip;
		out->locators[out->n].weight = l.weight;
		out->n++;
	}
	for (unsigned i = out->n; i < 8; i++) /* left-overs of a worse priority */
		memset(&out->locators[i], 0, sizeof(out->locators[i]));
	if (out->n)
		mark_gpe(&set, out);
}

static bool in_data_plane(const struct xtr_eid_prefix *eid)
{
	struct xtr_ippfx p;

	return xtr_eid_to_ippfx(eid, &p);
}

static bool evict(struct xtr_itr *itr, uint16_t afi);

/* An entry is not where it should be. What covers it goes, or would take its traffic: it has to miss
 * (RFC 9301 5.5). What the operator has set stays. keep: the entry itself, if it is to stay. */
static void uncover(struct xtr_itr *itr, const struct xtr_mapping *keep, const struct xtr_eid_prefix *eid)
{
	struct xtr_eid_prefix at = *eid;
	struct xtr_mapping *m;
	unsigned found;

	while ((m = xtr_eiddb_match(&itr->cache.db, &at, &found))) {
		if (m == itr->giving && m != keep)
			itr->giving_over = true;
		if (m != keep && m != itr->giving && m->expires != XTR_NEVER)
			xtr_itr_remove(itr, m, "covers an entry that found no place");
		else if (!found || (eid->group_len && found == 1))
			break;
		else
			at = xtr_eid_cut(&at, found - 1);
	}
}

void xtr_itr_give(struct xtr_itr *itr, struct xtr_mapping *m, bool anyway)
{
	struct xtr_env *env = itr->env;
	struct xtr_eid_prefix eid;
	struct xtr_fwd fwd;
	uint32_t print;
	int r;

	xtr_mapping_eid(m, &eid);
	if (!in_data_plane(&eid))
		return;
	make_fwd(env, m, &fwd);
	print = (uint32_t)xtr_hash(&fwd, sizeof(fwd));
	if (m->given && m->fwd_print == print && !anyway)
		return;
	m->fwd_print = print;
	itr->giving = m;
	itr->giving_over = false;
	r = env->ops.cache_put(env->ops.ctx, &eid, &fwd);
	if ((r == -E2BIG || r == -ENOMEM) && evict(itr, eid.afi))
		r = env->ops.cache_put(env->ops.ctx, &eid, &fwd);
	if (!r && itr->giving_over) {
		env->ops.cache_del(env->ops.ctx, &eid);
		r = -ENOMEM;
	}
	itr->giving = NULL;
	m->given = !r;
	if (r) {
		xtr_count(env, CACHE_REFUSED);
		uncover(itr, m, &eid);
	}
}

static uint64_t idle_ms(const struct xtr_env *env, const struct xtr_eid_prefix *eid)
{
	return in_data_plane(eid) && env->ops.cache_idle ? env->ops.cache_idle(env->ops.ctx, eid)
							 : UINT64_MAX;
}

void xtr_itr_remove(struct xtr_itr *itr, struct xtr_mapping *m, const char *why)
{
	struct xtr_env *env = itr->env;
	struct xtr_eid_prefix eid;

	xtr_mapping_eid(m, &eid);
	if (m->source == XTR_CACHE_STATIC)
		xtr_itr_static_changed(itr);
	xtr_mapcache_del(&itr->cache, m);
	if (in_data_plane(&eid))
		env->ops.cache_del(env->ops.ctx, &eid);
	xtr_env_event(env, XTR_EVENT_CACHE_DEL, &eid, "%s", why);
}

struct xtr_mapping *xtr_itr_lookup(struct xtr_itr *itr, const struct xtr_eid_prefix *eid)
{
	struct xtr_mapping *m = xtr_mapcache_match(&itr->cache, eid);

	while (m && m->expires <= itr->env->now) { /* its timer is late */
		xtr_itr_remove(itr, m, "expired");
		m = xtr_mapcache_match(&itr->cache, eid);
	}
	return m;
}

/* ---- lifetime */

static uint64_t refresh_at(const struct xtr_env *env, uint64_t created, uint64_t expires)
{
	uint32_t percent = env->cfg.timers.refresh_percent;

	if (!percent || percent >= 100)
		return expires;
	return created + (expires - created) / 100 * percent;
}

/* At refresh_percent of the lifetime, and then at half of what is left each time, as long as nobody
 * used it. */
void xtr_itr_cache_timer(void *ctx, struct xtr_timer *t)
{
	struct xtr_mapping *m = xtr_timer_owner(t, struct xtr_mapping, timer);
	struct xtr_itr *itr = ctx;
	struct xtr_env *env = itr->env;
	uint64_t left, lately, idle;
	struct xtr_eid_prefix eid;

	if (m->expires <= env->now) {
		xtr_itr_remove(itr, m, "expired");
		return;
	}
	xtr_mapping_eid(m, &eid);
	left = m->expires - env->now;
	lately = left > USED_LATELY ? left : USED_LATELY;
	idle = idle_ms(env, &eid);
	if (idle <= lately) {
		xtr_mapcache_touch(&itr->cache, m);
		xtr_itr_ask(itr, &eid, NULL, XTR_WHY_REFRESH);
		xtr_timer_set(&env->timers, &m->timer, m->expires);
	} else {
		xtr_timer_set(&env->timers, &m->timer,
			      left > RECHECK_MIN ? env->now + left / 2 : m->expires);
	}
}

/* May it go to make room? Neither what the operator has set, nor what lies inside that or inside what
 * is being written: its traffic would go there. */
static bool may_go(struct xtr_itr *itr, const struct xtr_mapping *m, const struct xtr_eid_prefix *eid)
{
	struct xtr_eid_prefix at = *eid;
	const struct xtr_mapping *over;
	unsigned found;

	if (m->expires == XTR_NEVER || m == itr->giving)
		return false;
	while ((over = xtr_eiddb_match(&itr->cache.db, &at, &found))) {
		if (over->expires == XTR_NEVER || over == itr->giving)
			return false;
		if (!found || (eid->group_len && found == 1))
			break;
		at = xtr_eid_cut(&at, found - 1);
	}
	return true;
}

/* With what covers it, for the same reason. */
static void make_go(struct xtr_itr *itr, struct xtr_mapping *m, const char *why)
{
	struct xtr_eid_prefix eid;

	xtr_mapping_eid(m, &eid);
	xtr_count(itr->env, CACHE_EVICTED);
	xtr_itr_remove(itr, m, why);
	uncover(itr, NULL, &eid);
}

/* Takes the entry that was idle longest of the oldest few; those in use move up. afi: of this family; 0: of any. False
 * if nothing may go. */
static bool evict(struct xtr_itr *itr, uint16_t afi)
{
	struct xtr_mapping *m = itr->cache.oldest, *next, *victim = NULL;
	size_t look = xtr_mapcache_count(&itr->cache);
	uint64_t most = 0;
	unsigned seen = 0;

	if (look > EVICT_LOOK) /* the rest has its turn the next time */
		look = EVICT_LOOK;

	for (; m && seen < EVICT_SAMPLE && look; m = next, look--) {
		struct xtr_eid_prefix eid;
		uint64_t idle;

		next = m->newer;
		xtr_mapping_eid(m, &eid);
		if ((afi && eid.afi != afi) || !may_go(itr, m, &eid)) {
			xtr_mapcache_touch(&itr->cache, m);
			continue;
		}
		seen++;
		idle = idle_ms(itr->env, &eid);
		if (!victim || idle > most) {
			victim = m;
			most = idle;
		}
		if (idle < USED_LATELY)
			xtr_mapcache_touch(&itr->cache, m);
	}
	if (!victim)
		return false;
	make_go(itr, victim, "evicted: the map-cache is full");
	return true;
}

int xtr_itr_evict(struct xtr_itr *itr, const struct xtr_eid_prefix *eid)
{
	struct xtr_mapping *m = xtr_mapcache_get(&itr->cache, eid);

	if (!m)
		return -ENOENT;
	if (!may_go(itr, m, eid))
		return 0;
	make_go(itr, m, "evicted: its place for locators is needed");
	return 1;
}

void xtr_itr_refused(struct xtr_itr *itr, const struct xtr_eid_prefix *eid)
{
	struct xtr_mapping *m = xtr_mapcache_get(&itr->cache, eid);

	if (m)
		m->given = false;
	xtr_count(itr->env, CACHE_REFUSED);
	uncover(itr, m, eid);
}

struct soonest {
	uint64_t at;
	unsigned left;
	const struct xtr_eid_prefix *self, *asked;
};

static int look_inside(void *ctx, const struct xtr_eid_prefix *eid, void *value)
{
	const struct xtr_mapping *m = value;
	struct soonest *s = ctx;

	if (m->expires < s->at && !xtr_eid_equal(eid, s->self) && !xtr_eid_covers(eid, s->asked))
		s->at = m->expires;
	return !--s->left;
}

/* RFC 9301 5.5: a less-specific mapping must not outlive more-specific ones it covers, or their
 * traffic would follow it when they end. Looks at a bounded number of them; one that covers what was
 * asked for is outdated by the answer. */
static uint64_t capped_by_inside(struct xtr_itr *itr, const struct xtr_eid_prefix *eid,
				 const struct xtr_eid_prefix *asked, uint64_t expires)
{
	struct soonest s = { .at = expires, .left = 256, .self = eid, .asked = asked };

	xtr_eiddb_walk(&itr->cache.db, eid, look_inside, &s);
	return s.at > itr->env->now ? s.at : itr->env->now + MINUTE;
}

/* An entry may always go before its TTL ends (RFC 9301 5.4). */
static uint64_t lifetime(const struct xtr_env *env, uint32_t ttl)
{
	uint64_t most = env->cfg.timers.max_ttl_min * MINUTE, ms = xtr_ttl_ms(ttl == UINT32_MAX ? TTL_UNSPECIFIED : ttl);

	return ms < most ? ms : most;
}

static struct xtr_mapping *put(struct xtr_itr *itr, struct xtr_mapping_new *n)
{
	struct xtr_env *env = itr->env;
	const struct xtr_mapping *old = xtr_mapcache_get(&itr->cache, n->eid);
	struct xtr_mapping *m;
	bool had = old;

	if (!had && xtr_mapcache_count(&itr->cache) >= env->cfg.limits.cache_entries &&
	    !evict(itr, 0)) {
		xtr_count(env, DROP_LIMIT);
		uncover(itr, NULL, n->eid);
		return NULL;
	}
	n->now = env->now;
	n->timer = n->expires == XTR_NEVER ? XTR_NEVER : refresh_at(env, env->now, n->expires);
	if (xtr_mapcache_put(&itr->cache, n, &m)) {
		xtr_count(env, DROP_LIMIT);
		return NULL;
	}
	xtr_env_event(env, had ? XTR_EVENT_CACHE_CHANGE : XTR_EVENT_CACHE_ADD, n->eid,
		      n->positive ? "%u locators" : "negative", n->locators->count);
	return m;
}

struct xtr_mapping *xtr_itr_store(struct xtr_itr *itr, const struct xtr_eid_prefix *eid,
				  const struct xtr_record *rec, const struct xtr_eid_prefix *asked,
				  const struct xtr_ip *from)
{
	struct xtr_mapping *old = xtr_mapcache_get(&itr->cache, eid);
	uint8_t buf[XTR_LOCSET_OCTETS];
	struct xtr_locset set;
	struct xtr_mapping_new n = {
		.eid = eid,
		.locators = &set,
		.from = *from,
		.source = XTR_CACHE_REPLY,
		.act = rec->act < 6 ? rec->act : XTR_ACT_NO_ACTION, /* 6 and 7 are unassigned */
		.positive = rec->locator_count,
		.authoritative = rec->authoritative,
		.map_version = rec->map_version,
	};
	struct xtr_mapping *m;

	if (old && old->source == XTR_CACHE_STATIC)
		return old;
	if (!rec->ttl) {
		if (old)
			xtr_itr_remove(itr, old, "removed by a Map-Reply with TTL 0");
		return NULL;
	}
	if (n.positive)
		n.act = 0;
	xtr_locset_read(rec, buf, sizeof(buf), &set);
	n.expires = itr->env->now + lifetime(itr->env, rec->ttl);
	if (n.positive)
		n.expires = capped_by_inside(itr, eid, asked, n.expires);
	m = put(itr, &n);
	if (m)
		xtr_itr_give(itr, m, true);
	return m;
}

/*
 * An answer has the longest match of what was asked for (RFC 9301 5.5). A longer entry that covers it is of before: the
 * prefix was removed, or is part of a larger one now. If there are only records inside, the prefix was split, and is none
 * itself; one set of Map-Servers speaks for its share of a prefix only, as if it were split. Such an entry would win over
 * what the answer says until its TTL ends. It goes when that is stored, so that no packet finds nothing. Longer ones
 * elsewhere inside stay: an ETR may not know those of other sites.
 */
void xtr_itr_outdated(struct xtr_itr *itr, const struct xtr_eid_prefix *asked, const struct xtr_eid_prefix *match)
{
	bool whole = match && xtr_eid_covers(match, asked);
	const struct xtr_eid_prefix *last = whole ? match : asked;
	struct xtr_eid_prefix at = *asked, eid;
	struct xtr_mapping *m;
	bool removed = false;
	unsigned found;

	while ((m = xtr_eiddb_match(&itr->cache.db, &at, &found))) {
		xtr_mapping_eid(m, &eid);
		if (!xtr_eid_covers(last, &eid) || (whole && xtr_eid_equal(last, &eid)))
			break;
		if (m->expires != XTR_NEVER) {
			xtr_itr_remove(itr, m, "outdated by a Map-Reply about it");
			removed = true;
		} else if (!found || (eid.group_len && found == 1)) {
			break;
		} else {
			at = xtr_eid_cut(&at, found - 1);
		}
	}
	/* Packets that were let go when the answer was stored may have met it and be held again. */
	m = removed ? xtr_itr_lookup(itr, asked) : NULL;
	if (m)
		xtr_itr_give(itr, m, true);
}

/* The kernel has this forwarding set already: written again only if ours differs. */
static void note_adopted(const struct xtr_env *env, struct xtr_mapping *m,
			 const struct xtr_fwd *fwd)
{
	struct xtr_fwd mine, theirs;

	make_fwd(env, m, &mine);
	memset(&theirs, 0, sizeof(theirs));
	theirs.action = fwd->action;
	theirs.map_version = fwd->map_version;
	theirs.n = fwd->n;
	for (unsigned i = 0; i < fwd->n; i++)
		theirs.locators[i] = fwd->locators[i];
	m->fwd_print = (uint32_t)xtr_hash(&mine, sizeof(mine));
	m->given = !memcmp(&mine, &theirs, sizeof(mine));
}

/* Static and adopted entries come as what the data plane shall do, not as a record. */
int xtr_itr_set(struct xtr_itr *itr, const struct xtr_eid_prefix *eid, const struct xtr_fwd *fwd,
		uint8_t source)
{
	uint8_t buf[8 * 24];
	struct xtr_wr w = xtr_wr_init(buf, sizeof(buf));
	struct xtr_locset set;
	struct xtr_mapping_new n = {
		.eid = eid,
		.locators = &set,
		.source = source,
		.positive = fwd->action == XTR_ACT_ENCAP,
		.act = fwd->action == XTR_ACT_ENCAP ? 0 : fwd->action,
		.map_version = fwd->map_version,
		.expires = source == XTR_CACHE_STATIC
				   ? XTR_NEVER
				   : itr->env->now + itr->env->cfg.timers.adopt_lifetime,
	};
	struct xtr_mapping *m = xtr_mapcache_get(&itr->cache, eid);

	if (source == XTR_CACHE_ADOPTED && m && m->source == XTR_CACHE_STATIC)
		return 0; /* the kernel has it from us */
	if (fwd->n > 8 || (fwd->action != XTR_ACT_ENCAP && fwd->action > XTR_ACT_DROP_AUTH))
		return -EINVAL;
	for (unsigned i = 0; i < fwd->n; i++)
		xtr_put_locator(&w, 1, fwd->locators[i].weight, 255, 0, false, false, true,
				&fwd->locators[i].ip);
	if (w.err)
		return -EINVAL;
	set = (struct xtr_locset){ .octets = buf,
				   .len = (uint16_t)xtr_wr_len(&w),
				   .count = fwd->n };
	m = put(itr, &n);
	if (!m)
		return -ENOSPC;
	if (source == XTR_CACHE_ADOPTED)
		note_adopted(itr->env, m, fwd);
	xtr_itr_give(itr, m, source == XTR_CACHE_STATIC);
	return 0;
}

struct clear {
	struct xtr_mapping **list;
	unsigned n, max;
};

static int collect(void *ctx, const struct xtr_eid_prefix *eid, void *value)
{
	struct clear *c = ctx;

	c->list[c->n++] = value;
	return c->n == c->max;
}

unsigned xtr_itr_clear(struct xtr_itr *itr, const struct xtr_eid_prefix *inside, unsigned max, const char *why)
{
	struct xtr_mapping *list[256];
	struct clear c = { .list = list };
	unsigned total = 0;

	xtr_env_batch(itr->env, true);
	do {
		c.n = 0;
		c.max = max - total < 256 ? max - total : 256;
		if (c.max)
			xtr_eiddb_walk(&itr->cache.db, inside, collect, &c);
		for (unsigned i = 0; i < c.n; i++)
			xtr_itr_remove(itr, list[i], why);
		total += c.n;
	} while (c.n && c.n == c.max);
	xtr_env_batch(itr->env, false);
	return total;
}

static bool said_nothing(const struct xtr_mapping *m)
{
	return !m->positive && m->expires != XTR_NEVER; /* static ones are the operator's */
}

static int collect_nothing(void *ctx, const struct xtr_eid_prefix *eid, void *value)
{
	return said_nothing(value) ? collect(ctx, eid, value) : 0;
}

void xtr_itr_appeared(void *ctx, const struct xtr_eid_prefix *eid)
{
	static const char why[] = "is registered here now";
	struct xtr_mapping *list[256], *m;
	struct clear c = { .list = list, .max = 256 };
	struct xtr_itr *itr = ctx;

	m = xtr_itr_lookup(itr, eid);
	if (m && said_nothing(m))
		xtr_itr_remove(itr, m, why);
	do {
		c.n = 0;
		xtr_eiddb_walk(&itr->cache.db, eid, collect_nothing, &c);
		for (unsigned i = 0; i < c.n; i++)
			xtr_itr_remove(itr, list[i], why);
	} while (c.n == c.max);
}

static bool add_peer(struct xtr_peer *out, unsigned n, const struct xtr_ip *rloc,
		     const struct xtr_eid_prefix *eid)
{
	for (unsigned i = 0; i < n; i++)
		if (!xtr_ip_cmp(&out[i].rloc, rloc))
			return false;
	out[n].rloc = *rloc;
	out[n].eid = *eid;
	return true;
}

unsigned xtr_itr_recent_peers(void *ctx, struct xtr_peer *out, unsigned n, unsigned max)
{
	struct xtr_itr *itr = ctx;
	unsigned look = 4096;

	for (struct xtr_mapping *m = itr->cache.newest; m && look-- && n < max; m = m->older) {
		struct xtr_eid_prefix eid;
		struct xtr_fwd fwd;

		xtr_mapping_eid(m, &eid);
		if (!m->positive || idle_ms(itr->env, &eid) > USED_LATELY)
			continue;
		make_fwd(itr->env, m, &fwd);
		for (unsigned i = 0; i < fwd.n && n < max; i++)
			n += add_peer(out, n, &fwd.locators[i].ip, &eid);
	}
	return n;
}

struct show {
	struct xtr_itr *itr;
	int (*fn)(void *, const struct xtr_cache_info *);
	void *arg;
};

static bool in_fwd(const struct xtr_fwd *fwd, const struct xtr_ip *ip)
{
	for (unsigned i = 0; i < fwd->n; i++)
		if (!xtr_ip_cmp(&fwd->locators[i].ip, ip))
			return true;
	return false;
}

static int show_one(void *ctx, const struct xtr_eid_prefix *eid, void *value)
{
	const struct xtr_mapping *m = value;
	struct show *s = ctx;
	const struct xtr_env *env = s->itr->env;
	const struct xtr_locset set = xtr_mapping_locators(m);
	struct xtr_cache_info info = {
		.eid = *eid,
		.source = m->source,
		.act = m->act,
		.authoritative = m->authoritative,
		.map_version = m->map_version,
		.age_ms = env->now - m->created,
		.ttl_left_ms = m->expires == XTR_NEVER ? UINT64_MAX
			       : m->expires > env->now ? m->expires - env->now
						       : 0,
	};
	struct xtr_fwd fwd;

	xtr_mapping_from(m, &info.from);
	make_fwd(env, m, &fwd);
	info.locator_count = xtr_show_locators(env, &set, info.locators, 32);
	for (unsigned i = 0; i < info.locator_count; i++)
		info.locators[i].usable = info.locators[i].ip.family &&
					  in_fwd(&fwd, &info.locators[i].ip);
	return s->fn(s->arg, &info);
}

/* What covers the EID, the shortest first; itself is inside. */
static int show_covering(struct show *s, const struct xtr_eid_prefix *eid)
{
	struct xtr_mapping *list[2 * 128 + 1], *m;
	struct xtr_eid_prefix at = *eid, own;
	unsigned n = 0, found;
	int r = 0;

	while (n < sizeof(list) / sizeof(list[0]) && (m = xtr_eiddb_match(&s->itr->cache.db, &at, &found))) {
		xtr_mapping_eid(m, &own);
		if (!xtr_eid_equal(&own, eid))
			list[n++] = m;
		if (!found || (eid->group_len && found == 1))
			break;
		at = xtr_eid_cut(&at, found - 1);
	}
	while (!r && n--) {
		xtr_mapping_eid(list[n], &own);
		r = show_one(s, &own, list[n]);
	}
	return r;
}

struct within {
	struct show s;
	const struct xtr_cache_part *part;
	bool ended;
};

/* A walk that goes on somewhere goes on for ever, if it is not ended where the part ends. */
static int show_within(void *ctx, const struct xtr_eid_prefix *eid, void *value)
{
	struct within *w = ctx;

	if (w->part->eid ? !xtr_eid_covers(w->part->eid, eid) : w->part->iid && *w->part->iid != eid->iid) {
		w->ended = true;
		return 1;
	}
	return show_one(&w->s, eid, value);
}

int xtr_itr_walk_cache(struct xtr_itr *itr, const struct xtr_cache_part *part,
		       int (*fn)(void *, const struct xtr_cache_info *), void *arg)
{
	static const struct xtr_cache_part all;
	struct within w = { .s = { itr, fn, arg }, .part = part ? part : &all };
	const struct xtr_eid_prefix *after = w.part->after;
	struct xtr_eid_prefix first = { .iid = w.part->iid ? *w.part->iid : 0 };
	int r = 0;

	if (w.part->eid && !after) {
		r = show_covering(&w.s, w.part->eid);
		return r ? r : xtr_eiddb_walk(&itr->cache.db, w.part->eid, show_one, &w.s);
	}
	if (!after && w.part->iid)
		after = &first; /* no family is 0: before them all */
	r = xtr_eiddb_walk_after(&itr->cache.db, after, show_within, &w);
	return w.ended ? 0 : r;
}
