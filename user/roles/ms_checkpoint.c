// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Map-Server: registrations over a restart, so that the sites stay reachable until they register
 * again. Saved half a minute after a change and at the end; at start each one gets what is left of
 * its time, the time we were away taken off (RFC 9301 8.2: without a valid Map-Register for three
 * minutes it ends).
 */
#include "roles/ms.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NAME "ms-registrations"
#define FORMAT 1
#define PERIOD 30000
#define ASIDE_MIN 20000 /* registrations: about 10 ms */
#define ENTRY_MAX (256 + 64) /* without locators */

struct writer {
	struct xtr_ms *ms;
	struct xtr_wr w;
	uint32_t n;
};

static void put_ip_raw(struct xtr_wr *w, const struct xtr_ip *ip)
{
	xtr_wr_u8(w, ip->family);
	xtr_wr_bytes(w, ip->a, 16);
}

static void get_ip_raw(struct xtr_rd *r, struct xtr_ip *ip)
{
	memset(ip, 0, sizeof(*ip));
	ip->family = xtr_rd_u8(r);
	xtr_rd_copy(r, ip->a, 16);
}

static void put_registration(struct xtr_wr *w, const struct xtr_eid_prefix *eid,
			     const struct xtr_registration *r, uint64_t now)
{
	const struct xtr_locset set = xtr_registration_locators(r);
	uint64_t left = r->expires > now ? r->expires - now : 0;
	size_t mark;

	xtr_wr_u64(w, r->who->key.site);
	xtr_wr_u8(w, r->who->key.by_id);
	xtr_wr_u8(w, r->who->key.key_id);
	xtr_wr_bytes(w, r->who->key.id, sizeof(r->who->key.id));
	put_ip_raw(w, &r->who->source);
	put_ip_raw(w, &r->who->local);
	xtr_wr_u32(w, left < UINT32_MAX ? (uint32_t)left : UINT32_MAX);
	xtr_wr_u8(w, r->flags);
	/* The rest as an EID record: what reads it back checks it like one from the wire. */
	mark = xtr_put_record_begin(
		w, &(struct xtr_record_head){ .ttl = r->ttl_min, .map_version = r->map_version },
		eid);
	xtr_wr_bytes(w, set.octets, set.len);
	xtr_put_record_end(w, mark, set.count);
}

static int write_chain(void *ctx, const struct xtr_eid_prefix *eid, void *value)
{
	struct writer *out = ctx;

	for (const struct xtr_registration *r = value; r; r = r->next) {
		put_registration(&out->w, eid, r, out->ms->env->now);
		out->n++;
	}
	return out->w.err;
}

static int size_chain(void *ctx, const struct xtr_eid_prefix *eid, void *value)
{
	for (const struct xtr_registration *r = value; r; r = r->next)
		*(size_t *)ctx += ENTRY_MAX + r->locs_len;
	return 0;
}

/* The wall clock at env->now. When the node is freed its `now` may be that of the last message: so
 * the relation of the two clocks is noted when they are read together. */
static void note_clock(struct xtr_ms *ms)
{
	const struct xtr_ops *ops = &ms->env->ops;

	if (ops->wall_seconds)
		ms->wall_offset = (int64_t)(ops->wall_seconds(ops->ctx) * 1000) -
				  (int64_t)ms->env->now;
}

void xtr_ms_checkpoint(struct xtr_ms *ms)
{
	const struct xtr_ops *ops = &ms->env->ops;
	struct writer out = { .ms = ms };
	size_t size = 16;
	uint8_t *buf;

	if (!ops->save || !ops->wall_seconds)
		return;
	xtr_eiddb_walk(&ms->db.registered, NULL, size_chain, &size);
	buf = malloc(size);
	out.w = xtr_wr_init(buf, buf ? size : 0);
	xtr_wr_u32(&out.w, FORMAT);
	xtr_wr_u64(&out.w, (uint64_t)((int64_t)ms->env->now + ms->wall_offset) / 1000);
	xtr_wr_u32(&out.w, 0);
	xtr_eiddb_walk(&ms->db.registered, NULL, write_chain, &out);
	if (!out.w.err) {
		for (int i = 0; i < 4; i++)
			buf[12 + i] = (uint8_t)(out.n >> (24 - 8 * i));
		ops->save(ops->ctx, NAME, buf, xtr_wr_len(&out.w));
	}
	free(buf);
}

static void restore(struct xtr_ms *ms, const struct xtr_registrant_key *key,
		    const struct xtr_record *rec, uint64_t left, uint8_t flags,
		    const struct xtr_ip *source, const struct xtr_ip *local)
{
	struct xtr_env *env = ms->env;
	uint8_t buf[XTR_LOCSET_OCTETS];
	const struct xtr_site_prefix *under;
	struct xtr_locset set;
	struct xtr_eid_prefix eid;
	struct xtr_registration_new n = {
		.eid = &eid,
		.locators = &set,
		.now = env->now,
		.expires = env->now + left,
		.ttl_min = xtr_ttl_minutes(rec->ttl),
		.map_version = rec->map_version,
		.flags = flags,
	};

	if (xtr_eid_from_addr(&rec->eid, rec->mask_len, &eid, NULL) ||
	    ms->db.count >= env->cfg.limits.registrations)
		return;
	/* The configuration may have changed meanwhile. */
	under = xtr_regdb_site(&ms->db, &eid);
	if (!under || under->site->uid != key->site || !xtr_site_prefix_allows(under, &eid))
		return;
	n.who = xtr_registrant_make(&ms->db, key, env->now);
	if (!n.who)
		return;
	n.who->source = *source;
	n.who->local = *local;
	xtr_locset_read(rec, buf, sizeof(buf), &set);
	xtr_regdb_put(&ms->db, &n);
}

/* One record of a Map-Reply is an EID record alone: reuse its decoder on a header of our own. */
static bool read_record(struct xtr_rd *r, struct xtr_records *it, struct xtr_record *out)
{
	*it = (struct xtr_records){ .rd = *r, .left = 1 };
	if (!xtr_record_next(it, out))
		return false;
	*r = it->rd;
	return true;
}

static void read_all(struct xtr_ms *ms, const uint8_t *buf, size_t len)
{
	const struct xtr_ops *ops = &ms->env->ops;
	struct xtr_rd r = xtr_rd_init(buf, len);
	uint64_t saved, now = ops->wall_seconds(ops->ctx), away;
	uint32_t n;

	if (xtr_rd_u32(&r) != FORMAT)
		return;
	saved = xtr_rd_u64(&r);
	away = now > saved ? (now - saved) * 1000 : 0;
	for (n = xtr_rd_u32(&r); n && !r.err; n--) {
		struct xtr_registrant_key key = { .site = xtr_rd_u64(&r) };
		struct xtr_ip source, local;
		struct xtr_records it;
		struct xtr_record rec;
		uint8_t flags;
		uint64_t left;

		key.by_id = xtr_rd_u8(&r);
		key.key_id = xtr_rd_u8(&r);
		xtr_rd_copy(&r, key.id, sizeof(key.id));
		get_ip_raw(&r, &source);
		get_ip_raw(&r, &local);
		left = xtr_rd_u32(&r);
		flags = xtr_rd_u8(&r);
		if (r.err || !read_record(&r, &it, &rec))
			return;
		if (left > away)
			restore(ms, &key, &rec, left - away, flags, &source, &local);
	}
}

void xtr_ms_restore(struct xtr_ms *ms)
{
	const struct xtr_ops *ops = &ms->env->ops;
	uint8_t *buf;
	size_t len;

	note_clock(ms);
	if (!ops->load || !ops->wall_seconds || xtr_env_load(ms->env, NAME, &buf, &len))
		return;
	read_all(ms, buf, len);
	free(buf);
}

void xtr_ms_checkpoint_later(struct xtr_ms *ms)
{
	if (!xtr_timer_armed(&ms->checkpoint))
		xtr_timer_set(&ms->env->timers, &ms->checkpoint,
			      ms->env->now + PERIOD + ms->db.count / 50);
}

static void checkpoint_aside(void *ms)
{
	xtr_ms_checkpoint(ms);
}

/* Many registrations take longer to save than anybody should wait for an answer. */
void xtr_ms_checkpoint_timer(void *ctx, struct xtr_timer *t)
{
	struct xtr_ms *ms = ctx;
	const struct xtr_ops *ops = &ms->env->ops;
	int r = -ENOSYS;

	note_clock(ms);
	if (ms->db.count >= ASIDE_MIN && ops->aside)
		r = ops->aside(ops->ctx, checkpoint_aside, ms);
	if (r == -EBUSY) /* a very slow disk */
		xtr_ms_checkpoint_later(ms);
	else if (r)
		xtr_ms_checkpoint(ms);
}
