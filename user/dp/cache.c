// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The map-cache in the kernel and its mirror here. The mirror (a trie per family, key: instance,
 * address) tells what is installed, so that replaced sets can be released: each EID-prefix has a
 * reference on its locator-set. There may be a million of them, so what many have in common (set,
 * action, version) is one value that they share; only who waits behind queued packets has its own.
 *
 * Order of a write: templates, set, entry, generation, and only then the queued packets. The
 * programs write `used` into an entry; a rewrite carries it over. In a batch (batch.c) entries and
 * generations come later, together; not those that packets wait for.
 *
 * An entry that goes to make room takes those that cover it along: its traffic has to miss, not to
 * follow a less-specific mapping (RFC 9301 5.5).
 */
#include "dp/internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

unsigned xtr_dp_trie_key(uint8_t key[32], uint32_t iid, const struct xtr_ippfx *p)
{
	uint32_t be = htonl(iid);

	memset(key, 0, 32);
	memcpy(key, &be, 4);
	memcpy(key + 4, p->ip.a, p->ip.family == 4 ? 4 : 16);
	return 32u + p->len;
}

static struct xtr_trie *xtr_dp_trie(const struct xtr_dp *dp, uint8_t family)
{
	return family == 4 ? dp->eid4 : dp->eid6;
}
static int xtr_dp_eid_fd(const struct xtr_dp *dp, uint8_t family)
{
	return dp->map[family == 4 ? XTR_M_EID4 : XTR_M_EID6];
}

static struct xtr_dp_entry *xtr_dp_entry_get(const struct xtr_dp *dp, uint32_t iid,
					     const struct xtr_ippfx *eid)
{
	uint8_t key[32];
	unsigned bits = xtr_dp_trie_key(key, iid, eid);

	return xtr_trie_get(xtr_dp_trie(dp, eid->ip.family), key, bits);
}

/* The value that all with this content share; with a reference. NULL: no memory. */
static struct xtr_dp_entry *xtr_dp_shared(struct xtr_dp *dp, const struct xtr_dp_entry *like)
{
	struct xtr_dp_entry *e;

	HASH_FIND(hh, dp->shared, &like->is, sizeof(like->is), e);
	if (!e) {
		e = calloc(1, sizeof(*e));
		if (!e)
			return NULL;
		memcpy(&e->is, &like->is, sizeof(e->is));
		HASH_ADD(hh, dp->shared, is, sizeof(e->is), e);
	}
	e->refs++;
	return e;
}

/* One of its own, or the shared one. */
static struct xtr_dp_entry *xtr_dp_entry_make(struct xtr_dp *dp, const struct xtr_dp_entry *like)
{
	struct xtr_dp_entry *e;

	if (!like->hold)
		return xtr_dp_shared(dp, like);
	e = calloc(1, sizeof(*e));
	if (!e)
		return NULL;
	memcpy(&e->is, &like->is, sizeof(e->is));
	e->hold = like->hold;
	e->refs = 1;
	return e;
}

static void xtr_dp_entry_drop(struct xtr_dp *dp, struct xtr_dp_entry *e)
{
	if (!e || --e->refs)
		return;
	if (!e->hold)
		HASH_DEL(dp->shared, e);
	free(e);
}

/* Writes what the entry says. fresh: the stamp of use is set to now, else an existing one is kept. */
static int xtr_dp_entry_write(struct xtr_dp *dp, uint32_t iid, const struct xtr_ippfx *eid,
			      const struct xtr_dp_entry *e, bool known, bool fresh)
{
	struct xtr_eid v = { .action = e->is.action,
			     .map_version = e->is.map_version,
			     .rset = e->is.set ? e->is.set->id : 0,
			     .hold = e->hold,
			     .generation = (__u32)dp->generation };
	int fd = xtr_dp_eid_fd(dp, eid->ip.family), r;
	union xtr_dp_key k;
	struct xtr_eid old;

	xtr_dp_key(&k, iid, eid);
	if (known && !bpf_map_lookup_elem(fd, &k, &old))
		v.used = old.used;
	if (fresh)
		v.used = xtr_dp_jiffies(dp);
	if (!fresh && !e->hold && xtr_dp_batch_add(dp, eid->ip.family, &k, &v))
		return 0;
	if (bpf_map_update_elem(fd, &k, &v, BPF_ANY)) {
		r = -errno;
		xtr_log_limited(XTR_LOG_WARN, dp->now / 1000,
				"map-cache of the kernel: cannot write an entry: %s%s",
				strerror(-r),
				r == -ENOSPC ? " (full: raise data-plane.cache-entries)" : "");
		return r;
	}
	return 0;
}

/* Is there a place for one more? The programs must not be left with less-specific entries only because the
 * kernel said so when it was too late: the mirror knows. */
static int xtr_dp_cache_full(struct xtr_dp *dp, uint8_t family)
{
	if (xtr_trie_count(xtr_dp_trie(dp, family)) < dp->cfg.cache_entries)
		return 0;
	dp->full++;
	xtr_log_limited(XTR_LOG_WARN, dp->now / 1000,
			"map-cache of the kernel: all %u places for IPv%u EID-prefixes are taken; raise "
			"data-plane.cache-entries",
			dp->cfg.cache_entries, family);
	return -E2BIG;
}

/* What may tell the control plane of other entries, which may change this one, comes first. */
static int xtr_dp_put_ready(struct xtr_dp *dp, uint32_t iid, const struct xtr_ippfx *eid,
			    const struct xtr_dp_mapping *m, unsigned queued, struct xtr_dp_set **set)
{
	const struct xtr_dp_entry *was = xtr_dp_entry_get(dp, iid, eid);
	int r = was ? 0 : xtr_dp_cache_full(dp, eid->ip.family);

	if (!r && m->action == XTR_ACT_ENCAP) {
		dp->writing = eid;
		dp->writing_iid = iid;
		r = xtr_dp_set_get(dp, m, set);
		dp->writing = NULL;
	}
	if (queued || (was && was->hold))
		xtr_dp_batch_flush(dp);
	else
		xtr_dp_batch_ready(dp, eid->ip.family);
	return r;
}

static int xtr_dp_put_entry(struct xtr_dp *dp, uint32_t iid, const struct xtr_ippfx *eid,
			    const struct xtr_dp_mapping *m, unsigned queued)
{
	struct xtr_dp_entry *was, *e = NULL, like;
	struct xtr_trie *t = xtr_dp_trie(dp, eid->ip.family);
	uint8_t key[32];
	unsigned bits = xtr_dp_trie_key(key, iid, eid);
	uint32_t old_hold = 0;
	int r;

	memset(&like, 0, sizeof(like));
	like.is.action = m->action;
	like.is.map_version = m->map_version;
	r = xtr_dp_put_ready(dp, iid, eid, m, queued, &like.is.set);
	was = xtr_dp_entry_get(dp, iid, eid);
	if (was)
		like.hold = old_hold = was->hold;
	if (!r && queued && m->action == XTR_ACT_ENCAP && !like.hold)
		like.hold = xtr_dp_hold_take(dp, iid, eid, queued);
	if (!r) {
		e = xtr_dp_entry_make(dp, &like);
		r = e ? 0 : -ENOMEM;
	}
	if (!r)
		r = xtr_trie_set(t, key, bits, e, NULL);
	if (!r) {
		r = xtr_dp_entry_write(dp, iid, eid, e, was, queued > 0);
		if (r && was)
			xtr_trie_set(t, key, bits, was, NULL); /* it is there: needs no memory */
		else if (r)
			xtr_trie_del(t, key, bits);
	}
	if (r) {
		if (like.hold != old_hold)
			xtr_dp_hold_cancel(dp, like.hold);
		xtr_dp_set_put(dp, like.is.set);
		xtr_dp_entry_drop(dp, e);
		return r;
	}
	xtr_dp_gen_bump(dp, iid, eid);
	if (was)
		xtr_dp_set_put(dp, was->is.set);
	xtr_dp_entry_drop(dp, was);
	return 0;
}

int xtr_dp_cache_put(struct xtr_dp *dp, uint32_t iid, const struct xtr_ippfx *eid_,
		     const struct xtr_dp_mapping *m, uint64_t now)
{
	bool inject = m->action == XTR_ACT_ENCAP || m->action == XTR_ACT_NATIVE;
	struct xtr_ippfx eid = *eid_;
	struct xtr_dp_entry *e;
	uint32_t before;
	unsigned queued;
	int r;

	if ((eid.ip.family != 4 && eid.ip.family != 6) || eid.len > xtr_ip_bits(&eid.ip))
		return -EINVAL;
	xtr_ippfx_mask(&eid);
	dp->now = now;
	queued = xtr_dp_queue_count(dp, iid, &eid);
	e = xtr_dp_entry_get(dp, iid, &eid);
	before = e ? e->hold : 0;
	xtr_dp_er_before(dp, iid, &eid, m->action);
	r = xtr_dp_put_entry(dp, iid, &eid, m, queued);
	if (!r)
		xtr_dp_er_put(dp, iid, &eid, m->action);
	if (queued)
		xtr_dp_batch_flush(dp); /* its generation */
	if (!r && queued) { /* a hold from before has not counted these packets */
		e = xtr_dp_entry_get(dp, iid, &eid);
		xtr_dp_queue_release(dp, iid, &eid, inject, e && e->hold != before ? e->hold : 0);
	}
	xtr_dp_drops_flush(dp);
	return r;
}

/* Out of the mirror. */
static int xtr_dp_cache_take(struct xtr_dp *dp, uint32_t iid, const struct xtr_ippfx *eid)
{
	struct xtr_dp_entry *e;
	uint8_t key[32];
	unsigned bits = xtr_dp_trie_key(key, iid, eid);

	e = xtr_trie_del(xtr_dp_trie(dp, eid->ip.family), key, bits);
	if (!e)
		return -ENOENT;
	xtr_dp_er_del(dp, iid, eid);
	if (e->hold)
		xtr_dp_hold_cancel(dp, e->hold);
	xtr_dp_set_put(dp, e->is.set);
	xtr_dp_entry_drop(dp, e);
	return 0;
}

int xtr_dp_cache_del(struct xtr_dp *dp, uint32_t iid, const struct xtr_ippfx *eid_)
{
	struct xtr_ippfx eid = *eid_;
	union xtr_dp_key k;
	int r;

	if (eid.ip.family != 4 && eid.ip.family != 6)
		return -EINVAL;
	xtr_ippfx_mask(&eid);
	r = xtr_dp_cache_take(dp, iid, &eid);
	if (r)
		return r;
	xtr_dp_key(&k, iid, &eid);
	/* -ENOENT: somebody else was quicker */
	if (!xtr_dp_batch_add(dp, eid.ip.family, &k, NULL))
		bpf_map_delete_elem(xtr_dp_eid_fd(dp, eid.ip.family), &k);
	xtr_dp_gen_bump(dp, iid, &eid);
	return 0;
}

/* The kernel did not take it. */
void xtr_dp_cache_forget(struct xtr_dp *dp, uint32_t iid, const struct xtr_ippfx *eid)
{
	dp->full++;
	xtr_dp_cache_take(dp, iid, eid);
	xtr_dp_gen_bump(dp, iid, eid);
}

uint64_t xtr_dp_cache_idle(struct xtr_dp *dp, uint32_t iid, const struct xtr_ippfx *eid_,
			   uint64_t now)
{
	struct xtr_ippfx eid = *eid_;
	union xtr_dp_key k;
	struct xtr_eid v;
	uint64_t j;

	if (eid.ip.family != 4 && eid.ip.family != 6)
		return UINT64_MAX;
	xtr_ippfx_mask(&eid);
	xtr_dp_key(&k, iid, &eid);
	if (!xtr_dp_entry_get(dp, iid, &eid) ||
	    bpf_map_lookup_elem(xtr_dp_eid_fd(dp, eid.ip.family), &k, &v) || !v.used)
		return UINT64_MAX;
	j = xtr_dp_jiffies(dp);
	return j > v.used ? (j - v.used) * 1000 / dp->hz : 0;
}

/* The entry that covers a destination, and its prefix. */
struct xtr_dp_entry *xtr_dp_cache_match(struct xtr_dp *dp, uint32_t iid, const struct xtr_ip *dst,
					struct xtr_ippfx *eid)
{
	struct xtr_ippfx host = { .ip = *dst, .len = (uint8_t)xtr_ip_bits(dst) };
	uint8_t key[32];
	unsigned bits = xtr_dp_trie_key(key, iid, &host), found = 0;
	struct xtr_dp_entry *e = xtr_trie_match(xtr_dp_trie(dp, dst->family), key, bits, &found);

	if (e && eid) {
		*eid = host;
		eid->len = found > 32 ? (uint8_t)(found - 32) : 0;
		xtr_ippfx_mask(eid);
	}
	return e;
}

/* A miss for what the mirror holds: the kernel's entry was removed behind our back, so write it
 * again. False: it is there. */
bool xtr_dp_cache_repair(struct xtr_dp *dp, uint32_t iid, const struct xtr_ip *dst)
{
	struct xtr_ippfx eid, host = { .ip = *dst, .len = (uint8_t)xtr_ip_bits(dst) };
	struct xtr_dp_entry *e;
	union xtr_dp_key k;
	struct xtr_eid v;

	xtr_dp_batch_flush(dp);
	e = xtr_dp_cache_match(dp, iid, dst, &eid);
	xtr_dp_key(&k, iid, &host);
	if (!e || !bpf_map_lookup_elem(xtr_dp_eid_fd(dp, dst->family), &k, &v))
		return false;
	if (xtr_dp_entry_write(dp, iid, &eid, e, false, true))
		return false;
	xtr_dp_gen_bump(dp, iid, &eid);
	return true;
}

/* The order is safe again: packets go direct. */
int xtr_dp_cache_unhold(struct xtr_dp *dp, uint32_t iid, const struct xtr_ippfx *eid)
{
	struct xtr_dp_entry *e, *shared, like;
	uint8_t key[32];
	unsigned bits = xtr_dp_trie_key(key, iid, eid);

	xtr_dp_batch_flush(dp);
	e = xtr_dp_entry_get(dp, iid, eid);
	if (!e || !e->hold)
		return 0;
	like = *e;
	like.hold = 0;
	shared = xtr_dp_shared(dp, &like);
	if (!shared)
		return -ENOMEM;
	xtr_trie_set(xtr_dp_trie(dp, eid->ip.family), key, bits, shared, NULL); /* in the place of e */
	xtr_dp_entry_drop(dp, e);
	return xtr_dp_entry_write(dp, iid, eid, shared, true, false);
}

/* ---- making room: of as many as can be looked at in a few milliseconds, those that were idle longest;
 * the next time, it goes on behind them */

#define XTR_DP_EVICT_LOOK 4096

struct xtr_dp_idle_one {
	uint64_t used; /* first: sorted by it */
	uint32_t iid;
	struct xtr_ippfx eid;
};
struct xtr_dp_idle {
	struct xtr_dp *dp;
	struct xtr_dp_idle_one *at;
	unsigned n;
	uint8_t family;
};

static void xtr_dp_untrie(const uint8_t *key, unsigned bits, uint8_t family, uint32_t *iid,
			  struct xtr_ippfx *eid)
{
	uint32_t be;

	memcpy(&be, key, 4);
	*iid = ntohl(be);
	*eid = (struct xtr_ippfx){ .ip.family = family,
				   .len = bits > 32 ? (uint8_t)(bits - 32) : 0 };
	memcpy(eid->ip.a, key + 4, family == 4 ? 4 : 16);
}

static int xtr_dp_idle_keep(void *arg, const uint8_t *key, unsigned bits, void *value)
{
	struct xtr_dp_idle *l = arg;
	struct xtr_dp *dp = l->dp;
	const struct xtr_dp_entry *e = value;
	struct xtr_dp_idle_one *one = &l->at[l->n];
	union xtr_dp_key k;
	struct xtr_eid v;

	xtr_dp_untrie(key, bits, l->family, &one->iid, &one->eid);
	memcpy(dp->evict_key, key, sizeof(dp->evict_key));
	dp->evict_bits = bits;
	/* what is being written must not go, nor what would take it along */
	if (!e->is.set || (dp->writing && dp->writing_iid == one->iid &&
			   xtr_ippfx_contains(dp->writing, &one->eid)))
		return 0;
	xtr_dp_key(&k, one->iid, &one->eid);
	one->used = bpf_map_lookup_elem(xtr_dp_eid_fd(dp, l->family), &k, &v) ? 0 : v.used;
	return ++l->n == XTR_DP_EVICT_LOOK;
}

static int xtr_dp_idle_cmp(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* From where the last turn ended, over both families, round to there at most. */
static void xtr_dp_idle_look(struct xtr_dp *dp, struct xtr_dp_idle *l)
{
	static const uint8_t zero[32];

	l->family = dp->evict_six ? 6 : 4;
	for (unsigned turn = 0; turn < 3; turn++) {
		struct xtr_trie *t = xtr_dp_trie(dp, l->family);
		uint8_t at[32];
		unsigned bits = dp->evict_bits;

		memcpy(at, dp->evict_key, sizeof(at));
		if (turn ? xtr_trie_walk(t, zero, 0, xtr_dp_idle_keep, l) :
			   xtr_trie_walk_after(t, at, bits, xtr_dp_idle_keep, l))
			break;
		l->family = l->family == 4 ? 6 : 4;
	}
	dp->evict_six = l->family == 6;
}

/* It and what covers it. True: it is gone. */
static bool xtr_dp_evict_one(struct xtr_dp *dp, uint32_t iid, const struct xtr_ippfx *eid)
{
	struct xtr_trie *t = xtr_dp_trie(dp, eid->ip.family);
	unsigned bits, found = 0;
	uint8_t key[32];
	int r;

	if (!xtr_dp_entry_get(dp, iid, eid))
		return false; /* went with another */
	r = dp->cb.evict ? dp->cb.evict(dp->cb.ctx, iid, eid) : -ENOENT;
	if (r >= 0)
		return r;
	bits = xtr_dp_trie_key(key, iid, eid);
	while (xtr_trie_match(t, key, bits, &found)) {
		struct xtr_ippfx p = *eid;

		p.len = found > 32 ? (uint8_t)(found - 32) : 0;
		xtr_dp_cache_del(dp, iid, &p);
	}
	return true;
}

unsigned xtr_dp_cache_evict(struct xtr_dp *dp, unsigned n)
{
	struct xtr_dp_idle l = { .dp = dp };
	unsigned done = 0;

	l.at = calloc(XTR_DP_EVICT_LOOK + 1, sizeof(*l.at));
	if (!l.at)
		return 0;
	xtr_dp_batch_flush(dp);
	xtr_dp_idle_look(dp, &l);
	if (l.n)
		qsort(l.at, l.n, sizeof(*l.at), xtr_dp_idle_cmp);
	xtr_dp_batch_begin(dp);
	for (unsigned i = 0; i < l.n && done < n; i++)
		done += xtr_dp_evict_one(dp, l.at[i].iid, &l.at[i].eid);
	xtr_dp_batch_end(dp);
	free(l.at);
	return done;
}

/* ---- adoption */

struct xtr_dp_adopting {
	struct xtr_dp *dp;
	uint8_t family;
	struct xtr_dp_adopt_fix { /* what is to be changed when all are read */
		union xtr_dp_key key;
		struct xtr_eid v;
		bool del;
	} * fix;
	unsigned n, room;
};

static int xtr_dp_adopt_fix(struct xtr_dp_adopting *a, const union xtr_dp_key *key,
			    const struct xtr_eid *v, bool del)
{
	if (a->n == a->room) {
		unsigned room = a->room ? a->room * 2 : 64;
		void *p = realloc(a->fix, room * sizeof(*a->fix));

		if (!p)
			return -ENOMEM;
		a->fix = p;
		a->room = room;
	}
	a->fix[a->n++] = (struct xtr_dp_adopt_fix){ *key, *v, del };
	return 0;
}

static int xtr_dp_adopt_entry(void *arg, const void *key, const void *value)
{
	struct xtr_dp_adopting *a = arg;
	struct xtr_dp *dp = a->dp;
	struct xtr_dp_entry *e, like, *old = NULL;
	union xtr_dp_key k;
	struct xtr_ippfx eid;
	struct xtr_eid v;
	uint8_t tkey[32];
	uint32_t iid;

	memset(&k, 0, sizeof(k));
	memcpy(&k, key, a->family == 4 ? sizeof(k.k4) : sizeof(k.k6));
	memcpy(&v, value, sizeof(v));
	if (a->family == 4)
		xtr_dp_unkey4(&k.k4, &iid, &eid);
	else
		xtr_dp_unkey6(&k.k6, &iid, &eid);
	memset(&like, 0, sizeof(like));
	like.is.action = v.action;
	like.is.map_version = v.map_version;
	if (v.action == XTR_ACT_ENCAP) {
		like.is.set = v.rset < dp->set_ids.max ? dp->set_by_id[v.rset] : NULL;
		if (!like.is.set) /* better a miss than a drop */
			return xtr_dp_adopt_fix(a, &k, &v, true);
	}
	e = xtr_dp_shared(dp, &like);
	if (!e || xtr_trie_set(xtr_dp_trie(dp, a->family), tkey, xtr_dp_trie_key(tkey, iid, &eid), e,
			       (void **)&old)) {
		xtr_dp_entry_drop(dp, e);
		return -ENOMEM;
	}
	if (like.is.set)
		like.is.set->refs++;
	if (old) { /* read twice */
		if (old->is.set)
			old->is.set->refs--;
		xtr_dp_entry_drop(dp, old);
	}
	xtr_dp_er_put(dp, iid, &eid, v.action);
	if (!v.hold)
		return 0;
	v.hold = 0; /* of the daemon before: its queue is gone */
	return xtr_dp_adopt_fix(a, &k, &v, false);
}

static int xtr_dp_adopt_family(struct xtr_dp *dp, uint8_t family)
{
	struct xtr_dp_adopting a = { .dp = dp, .family = family };
	int fd = xtr_dp_eid_fd(dp, family), r;

	r = xtr_dp_each_elem(fd, family == 4 ? sizeof(struct xtr_lpm4) : sizeof(struct xtr_lpm6),
			     sizeof(struct xtr_eid), xtr_dp_adopt_entry, &a);
	for (unsigned i = 0; i < a.n; i++) {
		if (a.fix[i].del)
			bpf_map_delete_elem(fd, &a.fix[i].key);
		else
			bpf_map_update_elem(fd, &a.fix[i].key, &a.fix[i].v, BPF_EXIST);
	}
	free(a.fix);
	return r;
}

int xtr_dp_cache_adopt(struct xtr_dp *dp)
{
	int r = xtr_dp_rl_adopt(dp);

	if (!r)
		r = xtr_dp_mcast_adopt(dp);
	if (!r)
		r = xtr_dp_set_adopt(dp);
	if (!r)
		r = xtr_dp_adopt_family(dp, 4);
	if (!r)
		r = xtr_dp_adopt_family(dp, 6);
	return r;
}

/* ---- telling what was found */

#define XTR_DP_REPORT 1024

struct xtr_dp_report {
	struct {
		uint32_t iid;
		struct xtr_ippfx eid;
	} at[XTR_DP_REPORT];
	uint8_t key[32];
	unsigned bits, n;
	uint8_t family;
};

static int xtr_dp_report_keep(void *arg, const uint8_t *key, unsigned bits, void *value)
{
	struct xtr_dp_report *r = arg;

	xtr_dp_untrie(key, bits, r->family, &r->at[r->n].iid, &r->at[r->n].eid);
	r->n++;
	memcpy(r->key, key, sizeof(r->key));
	r->bits = bits;
	return r->n == XTR_DP_REPORT;
}

static void xtr_dp_mapping_of(const struct xtr_dp *dp, const struct xtr_dp_entry *e,
			      struct xtr_dp_mapping *m)
{
	const struct xtr_dp_set *set = e->is.set;

	*m = (struct xtr_dp_mapping){ .action = e->is.action, .map_version = e->is.map_version };
	if (!set)
		return;
	m->n = (uint8_t)set->key.n;
	for (unsigned i = 0; i < m->n; i++) {
		m->rloc[i] = dp->rl_by_id[set->key.rl[i]]->dst;
		m->weight[i] = set->key.weight[i];
	}
}

/* fn() may have removed those that come after. */
static void xtr_dp_report_part(struct xtr_dp *dp, const struct xtr_dp_report *r, xtr_dp_adopt_fn *fn, void *ctx)
{
	for (unsigned i = 0; i < r->n; i++) {
		const struct xtr_dp_entry *e = xtr_dp_entry_get(dp, r->at[i].iid, &r->at[i].eid);
		struct xtr_dp_mapping m;

		if (!e)
			continue;
		xtr_dp_mapping_of(dp, e, &m);
		fn(ctx, r->at[i].iid, &r->at[i].eid, &m);
	}
}

size_t xtr_dp_cache_each(struct xtr_dp *dp, xtr_dp_adopt_fn *fn, void *ctx)
{
	struct xtr_dp_report *r = calloc(1, sizeof(*r));
	size_t total = 0;

	xtr_dp_batch_begin(dp);
	for (unsigned f = 4; r && f <= 6; f += 2) {
		struct xtr_trie *t = xtr_dp_trie(dp, (uint8_t)f);
		bool more, first = true;

		r->family = (uint8_t)f;
		memset(r->key, 0, sizeof(r->key));
		r->bits = 0;
		do {
			r->n = 0;
			more = first ? xtr_trie_walk(t, r->key, 0, xtr_dp_report_keep, r) :
				       xtr_trie_walk_after(t, r->key, r->bits, xtr_dp_report_keep, r);
			first = false;
			xtr_dp_report_part(dp, r, fn, ctx);
			total += r->n;
		} while (more);
	}
	xtr_dp_batch_end(dp);
	free(r);
	return total;
}

static int xtr_dp_free_one(void *arg, const uint8_t *key, unsigned bits, void *value)
{
	xtr_dp_entry_drop(arg, value);
	return 0;
}

void xtr_dp_cache_free(struct xtr_dp *dp)
{
	static const uint8_t zero[32];
	struct xtr_trie *t[2] = { dp->eid4, dp->eid6 };

	for (unsigned f = 0; f < 2; f++) {
		if (!t[f])
			continue;
		xtr_trie_walk(t[f], zero, 0, xtr_dp_free_one, dp);
		xtr_trie_free(t[f], NULL);
	}
	xtr_dp_batch_free(dp);
}
