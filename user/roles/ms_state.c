// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Map-Server: what survives a restart, and what xtrctl shows. RFC 9301 5.6 wants the last nonce of
 * every registrant in persistent storage, or a restart would open the door to replays. Saved a
 * second after a change (later with many registrants, so that saving stays a small part of the
 * work), and at the end.
 */
#include "roles/ms.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NONCES "ms-nonces"
#define FORMAT 1
#define ENTRY (8 + 1 + 1 + 24 + 8)

/* ---- nonces */

static void save_nonces(struct xtr_ms *ms)
{
	size_t size = 8 + (size_t)ms->db.registrant_count * ENTRY;
	uint8_t *buf = malloc(size);
	struct xtr_wr w = xtr_wr_init(buf, buf ? size : 0);

	xtr_wr_u32(&w, FORMAT);
	xtr_wr_u32(&w, ms->db.registrant_count);
	/* Oldest first, so that the order of forgetting stays. */
	for (const struct xtr_registrant *who = ms->db.oldest; who; who = who->newer) {
		xtr_wr_u64(&w, who->key.site);
		xtr_wr_u8(&w, who->key.by_id);
		xtr_wr_u8(&w, who->key.key_id);
		xtr_wr_bytes(&w, who->key.id, sizeof(who->key.id));
		xtr_wr_u64(&w, who->nonce);
	}
	ms->dirty = w.err || ms->env->ops.save(ms->env->ops.ctx, NONCES, buf, size);
	free(buf);
}

static void load_nonces(struct xtr_ms *ms)
{
	struct xtr_rd r;
	uint8_t *buf;
	size_t len;
	uint32_t n;

	if (xtr_env_load(ms->env, NONCES, &buf, &len))
		return;
	r = xtr_rd_init(buf, len);
	if (xtr_rd_u32(&r) == FORMAT) {
		for (n = xtr_rd_u32(&r); n && xtr_rd_left(&r) >= ENTRY; n--) {
			struct xtr_registrant_key key = { .site = xtr_rd_u64(&r) };
			struct xtr_registrant *who;
			uint64_t nonce;

			key.by_id = xtr_rd_u8(&r);
			key.key_id = xtr_rd_u8(&r);
			xtr_rd_copy(&r, key.id, sizeof(key.id));
			nonce = xtr_rd_u64(&r);
			who = xtr_registrant_make(&ms->db, &key, ms->env->now);
			if (who && nonce > who->nonce)
				who->nonce = nonce;
		}
	}
	free(buf);
}

void xtr_ms_save(struct xtr_ms *ms)
{
	if (ms->env->ops.save && ms->dirty)
		save_nonces(ms);
}

void xtr_ms_load(struct xtr_ms *ms)
{
	if (ms->env->ops.load)
		load_nonces(ms);
}

void xtr_ms_dirty(struct xtr_ms *ms)
{
	uint64_t delay = 1000 + ms->db.registrant_count / 10;

	ms->dirty = true;
	xtr_ms_checkpoint_later(ms);
	if (!xtr_timer_armed(&ms->save))
		xtr_timer_set(&ms->env->timers, &ms->save, ms->env->now + delay);
}

void xtr_ms_save_timer(void *ctx, struct xtr_timer *t)
{
	struct xtr_ms *ms = ctx;

	xtr_ms_save(ms);
	if (ms->dirty) { /* the disk is full, say: try again */
		ms->dirty = false;
		xtr_ms_dirty(ms);
	}
}

/* ---- show */

/* Two tries in one order: what is configured comes from the one, what is registered from the other. */
struct show {
	struct xtr_ms *ms;
	const struct xtr_cache_part *part;
	int (*fn)(void *, const struct xtr_site_info *);
	void *arg;
	struct xtr_eid_prefix at;           /* walks go on behind it */
	bool has_at;
	const struct xtr_eid_prefix *until; /* configured ones up to here; NULL: all */
	int res;                            /* of fn */
};

struct below {
	const struct xtr_site *site;
	unsigned n, steps;
};

static int count_below(void *ctx, const struct xtr_eid_prefix *eid, void *value)
{
	const struct xtr_registration *r = value;
	struct below *b = ctx;

	b->n += r->who->site == b->site;
	return ++b->steps >= 100;
}

static void site_part(const struct xtr_env *env, const struct xtr_site *site,
		      struct xtr_site_info *info)
{
	info->site = site->name;
	info->refused = site->refused;
	info->last_refusal_ms = site->refused_at == XTR_NEVER ? UINT64_MAX
							      : env->now - site->refused_at;
	info->last_refusal_from = site->refused_from;
	info->last_refusal = site->refused ? site->refusal : NULL;
}

static int show_unregistered(struct show *s, const struct xtr_site_prefix *p)
{
	struct below below = { .site = p->site };
	struct xtr_site_info info = {
		.eid = p->eid, .configured = true, .age_ms = UINT64_MAX, .expires_ms = UINT64_MAX,
		.ended_ms = UINT64_MAX, .withdrawn = p->withdrawn
	};

	xtr_eiddb_walk(&s->ms->db.registered, &p->eid, count_below, &below);
	info.more_specifics = below.n;
	site_part(s->ms->env, p->site, &info);
	info.proxy = p->site->cfg->force_proxy;
	if (p->lost_at != XTR_NEVER)
		info.ended_ms = s->ms->env->now - p->lost_at;
	return s->fn(s->arg, &info);
}

static int show_registered(struct show *s, const struct xtr_eid_prefix *eid,
			   const struct xtr_registration *r)
{
	const struct xtr_env *env = s->ms->env;
	const struct xtr_locset set = xtr_registration_locators(r);
	struct xtr_site_info info = {
		.eid = *eid,
		.configured = xtr_eiddb_get(&s->ms->db.configured, eid),
		.registered = true,
		.proxy = r->flags & XTR_REGN_PROXY || r->who->site->cfg->force_proxy,
		.registrant = r->who->source,
		.has_xtr_id = r->who->key.by_id,
		.age_ms = env->now - r->last,
		.ended_ms = UINT64_MAX,
		.expires_ms = r->expires > env->now ? r->expires - env->now : 0,
		.registers = r->registers,
	};

	site_part(env, r->who->site, &info);
	if (info.has_xtr_id)
		memcpy(info.xtr_id, r->who->key.id, 16);
	info.locator_count = xtr_show_locators(env, &set, info.locators, 32);
	for (unsigned i = 0; i < info.locator_count; i++)
		info.locators[i].usable = info.locators[i].reachable &&
					  info.locators[i].priority != 255;
	return s->fn(s->arg, &info);
}

static int show_chain(struct show *s, const struct xtr_eid_prefix *eid, const struct xtr_registration *r)
{
	for (; r && !s->res; r = r->next)
		s->res = show_registered(s, eid, r);
	return s->res;
}

/* The order of xtr_eiddb_walk_after(). */
static int order(const struct xtr_eid_prefix *a, const struct xtr_eid_prefix *b)
{
	uint8_t x[XTR_EID_PACKED_MAX], y[XTR_EID_PACKED_MAX];
	int d = a->iid != b->iid ? (a->iid > b->iid ? 1 : -1) : (int)a->afi - (int)b->afi, m, n;

	if (!d)
		d = (a->group_len != 0) - (b->group_len != 0);
	if (d)
		return d;
	m = xtr_eid_pack(a, x);
	n = xtr_eid_pack(b, y);
	d = memcmp(x, y, sizeof(x));
	return d ? d : m - n;
}

static bool beyond(const struct show *s, const struct xtr_eid_prefix *eid)
{
	return s->part->eid ? !xtr_eid_covers(s->part->eid, eid) : s->part->iid && *s->part->iid != eid->iid;
}

static void go_on_behind(struct show *s, const struct xtr_eid_prefix *eid)
{
	s->at = *eid;
	s->has_at = true;
}

static int show_configured(void *ctx, const struct xtr_eid_prefix *eid, void *value)
{
	struct show *s = ctx;

	if ((s->until && order(eid, s->until) >= 0) || beyond(s, eid))
		return 1;
	go_on_behind(s, eid);
	if (!xtr_regdb_get(&s->ms->db, eid))
		s->res = show_unregistered(s, value);
	return s->res;
}

static int show_both(void *ctx, const struct xtr_eid_prefix *eid, void *value)
{
	struct show *s = ctx;

	if (beyond(s, eid))
		return 1;
	s->until = eid;
	xtr_eiddb_walk_after(&s->ms->db.configured, s->has_at ? &s->at : NULL, show_configured, s);
	if (s->res)
		return s->res;
	go_on_behind(s, eid);
	return show_chain(s, eid, value);
}

/* What covers the EID, the shortest first, and itself. */
static void show_covering(struct show *s, const struct xtr_eid_prefix *eid)
{
	unsigned bits = (unsigned)eid->len + eid->group_len;

	for (unsigned n = eid->group_len ? 1 : 0; n <= bits && !s->res; n++) {
		struct xtr_eid_prefix cut = xtr_eid_cut(eid, n);
		struct xtr_registration *r = xtr_regdb_get(&s->ms->db, &cut);
		struct xtr_site_prefix *p = r ? NULL : xtr_eiddb_get(&s->ms->db.configured, &cut);

		if (r)
			show_chain(s, &cut, r);
		else if (p)
			s->res = show_unregistered(s, p);
	}
	go_on_behind(s, eid);
}

int xtr_ms_walk_sites(struct xtr_ms *ms, const struct xtr_cache_part *part,
		      int (*fn)(void *, const struct xtr_site_info *), void *arg)
{
	static const struct xtr_cache_part all;
	struct show s = { .ms = ms, .part = part ? part : &all, .fn = fn, .arg = arg };

	if (s.part->after)
		go_on_behind(&s, s.part->after);
	else if (s.part->eid)
		show_covering(&s, s.part->eid);
	else if (s.part->iid)
		go_on_behind(&s, &(struct xtr_eid_prefix){ .iid = *s.part->iid }); /* no family is 0: before them all */
	if (!s.res)
		xtr_eiddb_walk_after(&ms->db.registered, s.has_at ? &s.at : NULL, show_both, &s);
	s.until = NULL;
	if (!s.res)
		xtr_eiddb_walk_after(&ms->db.configured, s.has_at ? &s.at : NULL, show_configured, &s);
	return s.res;
}
