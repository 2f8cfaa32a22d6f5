// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The map-cache in the kernel and its mirror here. The mirror (a trie per family, key: instance,
 * address) owns a small entry per EID-prefix with a reference on its locator-set; it tells what is
 * installed, so that replaced sets can be released.
 *
 * Order of a write: templates, set, entry, generation, and only then the queued packets. The
 * programs write `used` into an entry; a rewrite carries it over.
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

/* Writes what the entry says. fresh: the stamp of use is set to now, else an existing one is kept. */
static int xtr_dp_entry_write(struct xtr_dp *dp, uint32_t iid, const struct xtr_ippfx *eid,
			      const struct xtr_dp_entry *e, bool known, bool fresh)
{
	struct xtr_eid v = { .action = e->action,
			     .map_version = e->map_version,
			     .rset = e->set ? e->set->id : 0,
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

static int xtr_dp_put_entry(struct xtr_dp *dp, uint32_t iid, const struct xtr_ippfx *eid,
			    const struct xtr_dp_mapping *m, unsigned queued)
{
	struct xtr_dp_entry *e = xtr_dp_entry_get(dp, iid, eid), *new = NULL, was;
	uint8_t key[32];
	unsigned bits = xtr_dp_trie_key(key, iid, eid);
	int r = 0;

	if (!e) {
		e = new = calloc(1, sizeof(*e));
		if (!e)
			return -ENOMEM;
	}
	was = *e;
	e->action = m->action;
	e->map_version = m->map_version;
	e->set = NULL;
	if (m->action == XTR_ACT_ENCAP) {
		dp->writing = e;
		r = xtr_dp_set_get(dp, m, &e->set);
		dp->writing = NULL;
	}
	if (!r && queued && m->action == XTR_ACT_ENCAP && !e->hold)
		e->hold = xtr_dp_hold_take(dp, iid, eid, queued);
	if (!r)
		r = xtr_dp_entry_write(dp, iid, eid, e, !new, queued > 0);
	if (!r && new)
		r = xtr_trie_set(xtr_dp_trie(dp, eid->ip.family), key, bits, new, NULL);
	if (r) {
		if (e->hold != was.hold)
			xtr_dp_hold_cancel(dp, e->hold);
		xtr_dp_set_put(dp, e->set);
		*e = was;
		free(new);
		return r;
	}
	xtr_dp_gen_bump(dp, iid, eid);
	xtr_dp_set_put(dp, was.set);
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
	if (!r && queued) { /* a hold from before has not counted these packets */
		e = xtr_dp_entry_get(dp, iid, &eid);
		xtr_dp_queue_release(dp, iid, &eid, inject, e && e->hold != before ? e->hold : 0);
	}
	xtr_dp_drops_flush(dp);
	return r;
}

int xtr_dp_cache_del(struct xtr_dp *dp, uint32_t iid, const struct xtr_ippfx *eid_)
{
	struct xtr_ippfx eid = *eid_;
	struct xtr_dp_entry *e;
	union xtr_dp_key k;
	uint8_t key[32];
	unsigned bits;

	if (eid.ip.family != 4 && eid.ip.family != 6)
		return -EINVAL;
	xtr_ippfx_mask(&eid);
	bits = xtr_dp_trie_key(key, iid, &eid);
	e = xtr_trie_del(xtr_dp_trie(dp, eid.ip.family), key, bits);
	if (!e)
		return -ENOENT;
	xtr_dp_er_del(dp, iid, &eid);
	xtr_dp_key(&k, iid, &eid);
	/* -ENOENT: somebody else was quicker */
	bpf_map_delete_elem(xtr_dp_eid_fd(dp, eid.ip.family), &k);
	xtr_dp_gen_bump(dp, iid, &eid);
	xtr_dp_hold_cancel(dp, e->hold);
	xtr_dp_set_put(dp, e->set);
	free(e);
	return 0;
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
	struct xtr_dp_entry *e = xtr_dp_cache_match(dp, iid, dst, &eid);
	union xtr_dp_key k;
	struct xtr_eid v;

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
	struct xtr_dp_entry *e = xtr_dp_entry_get(dp, iid, eid);

	if (!e || !e->hold)
		return 0;
	e->hold = 0;
	return xtr_dp_entry_write(dp, iid, eid, e, true, false);
}

/* ---- making room */

struct xtr_dp_idle {
	struct xtr_dp *dp;
	struct {
		uint64_t used;
		uint32_t iid;
		struct xtr_ippfx eid;
	} * at;
	unsigned n, room;
	uint8_t family;
};

static int xtr_dp_idle_keep(void *arg, const uint8_t *key, unsigned bits, void *value)
{
	struct xtr_dp_idle *l = arg;
	const struct xtr_dp_entry *e = value;
	union xtr_dp_key k;
	struct xtr_eid v;
	uint32_t be;

	if (!e->set || e == l->dp->writing || l->n == l->room)
		return 0;
	memcpy(&be, key, 4);
	l->at[l->n].iid = ntohl(be);
	l->at[l->n].eid = (struct xtr_ippfx){ .ip.family = l->family,
					      .len = bits > 32 ? (uint8_t)(bits - 32) : 0 };
	memcpy(l->at[l->n].eid.ip.a, key + 4, l->family == 4 ? 4 : 16);
	xtr_dp_key(&k, l->at[l->n].iid, &l->at[l->n].eid);
	l->at[l->n].used = bpf_map_lookup_elem(xtr_dp_eid_fd(l->dp, l->family), &k, &v) ? 0 : v.used;
	l->n++;
	return 0;
}

static int xtr_dp_idle_cmp(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b; /* used comes first */

	return x < y ? -1 : x > y;
}

unsigned xtr_dp_cache_evict(struct xtr_dp *dp, unsigned n)
{
	static const uint8_t zero[32];
	struct xtr_dp_idle l = { .dp = dp };
	unsigned done = 0;

	l.room = (unsigned)(xtr_trie_count(dp->eid4) + xtr_trie_count(dp->eid6));
	l.at = calloc(l.room + 1, sizeof(*l.at));
	if (!l.at)
		return 0;
	for (l.family = 4; l.family <= 6; l.family += 2)
		xtr_trie_walk(xtr_dp_trie(dp, l.family), zero, 0, xtr_dp_idle_keep, &l);
	if (l.n)
		qsort(l.at, l.n, sizeof(*l.at), xtr_dp_idle_cmp);
	for (unsigned i = 0; i < l.n && done < n; i++)
		done += !xtr_dp_cache_del(dp, l.at[i].iid, &l.at[i].eid);
	free(l.at);
	return done;
}

/* ---- adoption */

static int xtr_dp_adopt_entry(struct xtr_dp *dp, uint32_t iid, const struct xtr_ippfx *eid,
			      const void *key, int fd)
{
	struct xtr_dp_entry *e, *old = NULL;
	uint8_t tkey[32];
	unsigned bits = xtr_dp_trie_key(tkey, iid, eid);
	struct xtr_eid v;

	if (bpf_map_lookup_elem(fd, key, &v))
		return 0;
	e = calloc(1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	e->action = v.action;
	e->map_version = v.map_version;
	if (v.action == XTR_ACT_ENCAP) {
		e->set = v.rset < dp->set_ids.max ? dp->set_by_id[v.rset] : NULL;
		if (!e->set) { /* better a miss than a drop */
			free(e);
			bpf_map_delete_elem(fd, key);
			return 0;
		}
		e->set->refs++;
	}
	if (xtr_trie_set(xtr_dp_trie(dp, eid->ip.family), tkey, bits, e, (void **)&old)) {
		free(e);
		return -ENOMEM;
	}
	xtr_dp_er_put(dp, iid, eid, e->action);
	if (v.hold) { /* of the daemon before: its queue is gone */
		v.hold = 0;
		bpf_map_update_elem(fd, key, &v, BPF_EXIST);
	}
	return 0;
}

struct xtr_dp_adopt_list {
	struct xtr_dp *dp;
	uint8_t *keys;
	unsigned n, room;
	size_t size;
};

static int xtr_dp_adopt_key(void *arg, const void *key)
{
	struct xtr_dp_adopt_list *l = arg;

	if (l->n == l->room) {
		unsigned room = l->room ? l->room * 2 : 1024;
		void *p = realloc(l->keys, room * l->size);

		if (!p)
			return -ENOMEM;
		l->keys = p;
		l->room = room;
	}
	memcpy(l->keys + l->n++ * l->size, key, l->size);
	return 0;
}

static int xtr_dp_adopt_family(struct xtr_dp *dp, uint8_t family)
{
	struct xtr_dp_adopt_list l = { .dp = dp,
				       .size = family == 4 ? sizeof(struct xtr_lpm4)
							   : sizeof(struct xtr_lpm6) };
	int fd = xtr_dp_eid_fd(dp, family), r = xtr_dp_each_key(fd, l.size, xtr_dp_adopt_key, &l);

	for (unsigned i = 0; i < l.n && !r; i++) {
		const void *key = l.keys + i * l.size;
		struct xtr_ippfx eid;
		uint32_t iid;

		if (family == 4)
			xtr_dp_unkey4(key, &iid, &eid);
		else
			xtr_dp_unkey6(key, &iid, &eid);
		r = xtr_dp_adopt_entry(dp, iid, &eid, key, fd);
	}
	free(l.keys);
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

struct xtr_dp_report {
	struct xtr_dp *dp;
	struct {
		uint32_t iid;
		struct xtr_ippfx eid;
	} * at;
	unsigned n, room;
	uint8_t family;
};

static int xtr_dp_report_keep(void *arg, const uint8_t *key, unsigned bits, void *value)
{
	struct xtr_dp_report *r = arg;
	uint32_t be;

	if (r->n == r->room)
		return -ENOSPC;
	memcpy(&be, key, 4);
	r->at[r->n].iid = ntohl(be);
	r->at[r->n].eid = (struct xtr_ippfx){ .ip.family = r->family,
					      .len = bits > 32 ? (uint8_t)(bits - 32) : 0 };
	memcpy(r->at[r->n].eid.ip.a, key + 4, r->family == 4 ? 4 : 16);
	r->n++;
	return 0;
}

static void xtr_dp_mapping_of(const struct xtr_dp *dp, const struct xtr_dp_entry *e,
			      struct xtr_dp_mapping *m)
{
	*m = (struct xtr_dp_mapping){ .action = e->action, .map_version = e->map_version };
	if (!e->set)
		return;
	m->n = (uint8_t)e->set->key.n;
	for (unsigned i = 0; i < m->n; i++) {
		m->rloc[i] = dp->rl_by_id[e->set->key.rl[i]]->dst;
		m->weight[i] = e->set->key.weight[i];
	}
}

/* adopt() for each entry found; it may put and delete meanwhile. */
void xtr_dp_cache_report(struct xtr_dp *dp)
{
	static const uint8_t zero[32];

	for (unsigned f = 4; f <= 6 && dp->cb.adopt; f += 2) {
		struct xtr_trie *t = xtr_dp_trie(dp, (uint8_t)f);
		struct xtr_dp_report r = { .dp = dp,
					   .room = (unsigned)xtr_trie_count(t),
					   .family = (uint8_t)f };

		r.at = calloc(r.room + 1, sizeof(*r.at));
		if (!r.at)
			return;
		xtr_trie_walk(t, zero, 0, xtr_dp_report_keep, &r);
		for (unsigned i = 0; i < r.n; i++) {
			struct xtr_dp_entry *e = xtr_dp_entry_get(dp, r.at[i].iid, &r.at[i].eid);
			struct xtr_dp_mapping m;

			if (!e)
				continue;
			xtr_dp_mapping_of(dp, e, &m);
			dp->cb.adopt(dp->cb.ctx, r.at[i].iid, &r.at[i].eid, &m);
		}
		free(r.at);
	}
}

void xtr_dp_cache_free(struct xtr_dp *dp)
{
	if (dp->eid4)
		xtr_trie_free(dp->eid4, free);
	if (dp->eid6)
		xtr_trie_free(dp->eid6, free);
}
