// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * ITR: static entries over a restart. What was set by hand stays until it is removed by hand, so it is kept in the state
 * directory and not only in the kernel, which knows neither who set an entry nor its weights, and nothing after a reboot.
 * Written when entries were added or removed, before that is answered; where the map-cache is large a moment later, so that going
 * through it stays a small part of the work.
 *
 * The file: FORMAT, number of entries, and each as an EID record (RFC 9301 5.4): what reads it back checks it like one
 * from the wire.
 */
#include "roles/itr.h"
#include "xtr/abi.h"

#include <errno.h>
#include <stdlib.h>

#define NAME "itr-static"
#define FORMAT 1
#define ENTRY_MAX (256 + 64) /* without locators */
#define SMALL 4096           /* entries of the map-cache that are gone through at once, */
#define EACH  200            /* more of them after a millisecond for so many each: a million after five seconds */
#define AGAIN 60000          /* after one that failed */

/* ---- written */

struct writer {
	struct xtr_wr w;
	size_t size;
	uint32_t n;
};

static int size_one(void *ctx, const struct xtr_eid_prefix *eid, void *value)
{
	const struct xtr_mapping *m = value;
	struct writer *out = ctx;

	if (m->source == XTR_CACHE_STATIC)
		out->size += ENTRY_MAX + m->locs_len;
	return 0;
}

static int write_one(void *ctx, const struct xtr_eid_prefix *eid, void *value)
{
	const struct xtr_mapping *m = value;
	const struct xtr_locset set = xtr_mapping_locators(m);
	struct writer *out = ctx;
	size_t mark;

	if (m->source != XTR_CACHE_STATIC)
		return 0;
	mark = xtr_put_record_begin(&out->w, &(struct xtr_record_head){ .act = m->act, .map_version = m->map_version },
				    eid);
	xtr_wr_bytes(&out->w, set.octets, set.len);
	xtr_put_record_end(&out->w, mark, set.count);
	out->n++;
	return out->w.err;
}

static void save(struct xtr_itr *itr)
{
	const struct xtr_ops *ops = &itr->env->ops;
	struct writer out = { .size = 8 };
	uint8_t *buf;
	int r = -ENOMEM;

	if (!ops->save)
		return;
	xtr_eiddb_walk(&itr->cache.db, NULL, size_one, &out);
	buf = malloc(out.size);
	out.w = xtr_wr_init(buf, buf ? out.size : 0);
	xtr_wr_u32(&out.w, FORMAT);
	xtr_wr_u32(&out.w, 0);
	xtr_eiddb_walk(&itr->cache.db, NULL, write_one, &out);
	if (!out.w.err) {
		for (int i = 0; i < 4; i++)
			buf[4 + i] = (uint8_t)(out.n >> (24 - 8 * i));
		r = ops->save(ops->ctx, NAME, buf, xtr_wr_len(&out.w));
	}
	free(buf);
	if (r)
		xtr_timer_set(&itr->env->timers, &itr->save, itr->env->now + AGAIN);
}

void xtr_itr_static_changed(struct xtr_itr *itr)
{
	size_t n = xtr_mapcache_count(&itr->cache);

	if (!xtr_timer_armed(&itr->save))
		xtr_timer_set(&itr->env->timers, &itr->save, itr->env->now + (n < SMALL ? 0 : n / EACH));
}

void xtr_itr_save_timer(void *ctx, struct xtr_timer *t)
{
	save(ctx);
}

void xtr_itr_save_now(struct xtr_itr *itr)
{
	if (xtr_timer_armed(&itr->save))
		save(itr);
}

/* Before who asked for the change is answered. */
static void save_due(struct xtr_itr *itr)
{
	if (itr->batch || !xtr_timer_armed(&itr->save) || itr->save.at > itr->env->now)
		return;
	xtr_timer_cancel(&itr->env->timers, &itr->save);
	save(itr);
}

void xtr_itr_batch(struct xtr_itr *itr, bool begin)
{
	itr->batch = begin;
	save_due(itr);
}

/* ---- changed */

int xtr_itr_add(struct xtr_itr *itr, const struct xtr_eid_prefix *eid, const struct xtr_fwd *fwd)
{
	int r = xtr_itr_set(itr, eid, fwd, XTR_CACHE_STATIC);
	struct xtr_mapping *m = r ? NULL : xtr_mapcache_get(&itr->cache, eid);
	struct xtr_ippfx p;

	if (m && !m->given && xtr_eid_to_ippfx(eid, &p)) {
		xtr_itr_remove(itr, m, "the data plane has no place for it");
		r = -E2BIG;
	} else if (m) {
		xtr_itr_static_changed(itr);
	}
	save_due(itr);
	return r;
}

unsigned xtr_itr_unset(struct xtr_itr *itr, const struct xtr_eid_prefix *inside, unsigned max)
{
	unsigned n = xtr_itr_clear(itr, inside, max, "cleared by hand");

	save_due(itr);
	return n;
}

/* ---- read */

static int restore_one(struct xtr_itr *itr, const struct xtr_record *rec)
{
	struct xtr_fwd fwd = { .action = rec->locator_count ? XTR_ACT_ENCAP : rec->act, .map_version = rec->map_version };
	struct xtr_eid_prefix eid;
	struct xtr_rd it = { 0 };
	struct xtr_locator l;

	if (xtr_eid_from_addr(&rec->eid, rec->mask_len, &eid, NULL))
		return -EBADMSG;
	while (xtr_locator_next(rec, &it, &l)) {
		if (fwd.n == 8 || !xtr_addr_rloc_ip(&l.addr, &fwd.locators[fwd.n].ip))
			return -EBADMSG;
		fwd.locators[fwd.n++].weight = l.weight;
	}
	if (xtr_eiddb_match(&itr->env->own, &eid, NULL)) /* since the configuration changed */
		return 0;
	return xtr_itr_set(itr, &eid, &fwd, XTR_CACHE_STATIC);
}

static int restore_all(struct xtr_itr *itr, const uint8_t *buf, size_t len)
{
	struct xtr_rd r = xtr_rd_init(buf, len);
	uint32_t format = xtr_rd_u32(&r), n = xtr_rd_u32(&r);
	int rc = 0, one;

	if (r.err || format != FORMAT)
		return -EBADMSG;
	for (; n; n--) {
		struct xtr_records it = { .rd = r, .left = 1 };
		struct xtr_record rec;

		if (!xtr_record_next(&it, &rec))
			return -EBADMSG;
		r = it.rd;
		one = restore_one(itr, &rec);
		if (one == -EBADMSG)
			return one;
		rc = rc ? rc : one;
	}
	return rc;
}

int xtr_itr_restore(struct xtr_itr *itr)
{
	struct xtr_env *env = itr->env;
	uint8_t *buf;
	size_t len;
	int r = env->ops.load ? xtr_env_load(env, NAME, &buf, &len) : -ENOENT;

	if (r)
		return r == -ENOENT ? 0 : r;
	xtr_env_batch(env, true);
	r = restore_all(itr, buf, len);
	xtr_env_batch(env, false);
	free(buf);
	return r;
}
