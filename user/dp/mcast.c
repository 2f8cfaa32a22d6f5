// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Replication lists (RFC 8378 5.2, RFC 9962 4.1) and the sources of control messages that come
 * data-encapsulated. A list names header templates (rloc.c) and holds a reference on each; it lies
 * in the kernel in parts of XTR_REPL_MAX members, and a group's entry names the list. lists owns
 * them all.
 *
 * Order of a write: templates, parts, the group's entry; then what is left over of the old list
 * goes. A packet meanwhile finds the old list or the new one, part by part, and templates stay for
 * their grace period. After a restart the lists of the daemon before stay in use until they are
 * renewed, or for XTR_DP_ADOPTED_MS.
 */
#include "dp/internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Groups that never leave their link: never registered, never replicated (RFC 8378 5.1). */
static bool xtr_dp_on_link_group(const struct xtr_ip *g)
{
	return g->family == 4 ? !g->a[1] && !g->a[2] && g->a[0] == 224 : (g->a[1] & 0xf) <= 2;
}

/* The longest match is on the group first, then on the source: so a source wants the whole group. */
int xtr_dp_mc_key(union xtr_dp_mckey *k, const struct xtr_dp_mc *mc)
{
	unsigned bits = xtr_ip_bits(&mc->group.ip);

	memset(k, 0, sizeof(*k));
	if (mc->iid > XTR_IID_MAX || !xtr_ip_is_multicast(&mc->group.ip) || mc->group.len > bits ||
	    mc->group.len < (bits == 32 ? 4 : 8) || xtr_dp_on_link_group(&mc->group.ip))
		return -EINVAL;
	if (mc->source.family && (mc->source.family != mc->group.ip.family ||
				  xtr_ip_is_multicast(&mc->source) || mc->group.len != bits))
		return -EINVAL;
	k->k6.prefixlen = 32u + mc->group.len + (mc->source.family ? bits : 0);
	k->k6.iid = htonl(mc->iid);
	if (bits == 32) {
		memcpy(&k->k4.group, mc->group.ip.a, 4);
		memcpy(&k->k4.source, mc->source.a, 4);
	} else {
		memcpy(k->k6.group, mc->group.ip.a, 16);
		memcpy(k->k6.source, mc->source.a, 16);
	}
	return 0;
}

static int xtr_dp_mc_fd(const struct xtr_dp *dp, const struct xtr_dp_mc *mc)
{
	return dp->map[mc->group.ip.family == 4 ? XTR_M_MCAST4 : XTR_M_MCAST6];
}

static unsigned xtr_dp_parts(unsigned n) { return (n + XTR_REPL_MAX - 1) / XTR_REPL_MAX; }

/* ---- writing */

static int xtr_dp_part_write(struct xtr_dp *dp, uint32_t id, struct xtr_dp_rl **rl, unsigned n,
			     unsigned part)
{
	struct xtr_repl_key k = { .id = id, .part = part };
	struct xtr_repl v = { .generation = (__u32)dp->generation };

	for (unsigned i = part * XTR_REPL_MAX; i < n && v.n < XTR_REPL_MAX; i++)
		v.rloc[v.n++] = rl[i]->id;
	return bpf_map_update_elem(dp->map[XTR_M_REPL], &k, &v, BPF_ANY) ? -errno : 0;
}

static void xtr_dp_parts_delete(struct xtr_dp *dp, uint32_t id, unsigned from, unsigned to)
{
	for (; from < to; from++) {
		struct xtr_repl_key k = { .id = id, .part = from };

		bpf_map_delete_elem(dp->map[XTR_M_REPL], &k);
	}
}

/* All parts, then the entry if it says something else now. The counters of the entry are the
 * programs': they are carried over. */
static int xtr_dp_list_write(struct xtr_dp *dp, const struct xtr_dp_mc *mc, uint32_t id,
			     struct xtr_dp_rl **rl, unsigned n)
{
	struct xtr_mcast v = { .repl = id, .parts = xtr_dp_parts(n) }, old;
	union xtr_dp_mckey k, exact;
	int fd = xtr_dp_mc_fd(dp, mc), r = xtr_dp_mc_key(&k, mc);

	for (unsigned i = 0; i < v.parts && !r; i++)
		r = xtr_dp_part_write(dp, id, rl, n, i);
	if (r)
		return r;
	exact = k;
	/* a trie answers with a shorter prefix's value too: the id tells whose it is */
	if (!bpf_map_lookup_elem(fd, &exact, &old) && old.repl == id) {
		if (old.parts == v.parts)
			return 0;
		v.packets = old.packets;
		v.copies = old.copies;
	}
	v.generation = (__u32)dp->generation;
	return bpf_map_update_elem(fd, &k, &v, BPF_ANY) ? -errno : 0;
}

static void xtr_dp_list_drop(struct xtr_dp *dp, struct xtr_dp_list *l)
{
	for (unsigned i = 0; i < l->n; i++)
		xtr_dp_rl_put(dp, l->rl[i]);
	xtr_dp_fan_drop(dp, l);
	xtr_dp_ids_mark(&dp->list_ids, l->id, false);
	HASH_DEL(dp->lists, l);
	free(l->rl);
	free(l);
}

static void xtr_dp_list_remove(struct xtr_dp *dp, struct xtr_dp_list *l)
{
	union xtr_dp_mckey k;

	if (!xtr_dp_mc_key(&k, &l->key))
		bpf_map_delete_elem(xtr_dp_mc_fd(dp, &l->key), &k);
	xtr_dp_parts_delete(dp, l->id, 0, xtr_dp_parts(l->n));
	xtr_dp_list_drop(dp, l);
}

static struct xtr_dp_list *xtr_dp_list_find(struct xtr_dp *dp, const struct xtr_dp_mc *key)
{
	struct xtr_dp_list *l;

	HASH_FIND(hh, dp->lists, key, sizeof(*key), l);
	return l;
}

static struct xtr_dp_list *xtr_dp_list_add(struct xtr_dp *dp, const struct xtr_dp_mc *key, uint32_t id)
{
	struct xtr_dp_list *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	memcpy(&l->key, key, sizeof(l->key)); /* octets that are no field, too: it is hashed whole */
	l->id = id;
	HASH_ADD(hh, dp->lists, key, sizeof(l->key), l);
	return l;
}

/* ---- members */

static int xtr_dp_ip_order(const void *a, const void *b) { return xtr_ip_cmp(a, b); }

bool xtr_dp_own_rloc(const struct xtr_dp *dp, const struct xtr_ip *ip)
{
	for (unsigned i = 0; i < dp->cfg.rloc_count; i++)
		if (!xtr_ip_cmp(&dp->cfg.rlocs[i], ip))
			return true;
	return false;
}

/* Each once, in order (so IPv4 before IPv6), none of ours. Caller frees. */
static struct xtr_ip *xtr_dp_members(const struct xtr_dp *dp, const struct xtr_ip *in, unsigned n,
				     unsigned *count)
{
	struct xtr_ip *v = calloc(n + 1, sizeof(*v));
	unsigned u = 0;

	*count = 0;
	if (!v)
		return NULL;
	if (n)
		memcpy(v, in, n * sizeof(*v));
	qsort(v, n, sizeof(*v), xtr_dp_ip_order);
	for (unsigned i = 0; i < n; i++)
		if (xtr_ip_bits(&v[i]) && !xtr_dp_own_rloc(dp, &v[i]) &&
		    (!u || xtr_ip_cmp(&v[u - 1], &v[i])))
			v[u++] = v[i];
	*count = u;
	return v;
}

/* References on the templates of all members. Caller frees. */
static int xtr_dp_templates(struct xtr_dp *dp, const struct xtr_ip *ip, unsigned n,
			    struct xtr_dp_rl ***out)
{
	struct xtr_dp_rl **rl = calloc(n + 1, sizeof(*rl));
	int r = rl ? 0 : -ENOMEM;
	unsigned i = 0;

	for (; i < n && !r; i += !r)
		r = xtr_dp_rl_get(dp, &ip[i], &rl[i]);
	if (r) {
		while (i)
			xtr_dp_rl_put(dp, rl[--i]);
		free(rl);
		return r;
	}
	*out = rl;
	return 0;
}

/* The list of this key becomes these members; takes over rl. */
static int xtr_dp_list_set(struct xtr_dp *dp, const struct xtr_dp_mc *key, struct xtr_dp_rl **rl,
			   unsigned n)
{
	struct xtr_dp_list *l = xtr_dp_list_find(dp, key);
	uint32_t id = l ? l->id : xtr_dp_ids_take(&dp->list_ids);
	bool known = l != NULL;
	int r = id ? 0 : -ENOSPC;

	if (!r && !known && !(l = xtr_dp_list_add(dp, key, id))) {
		xtr_dp_ids_mark(&dp->list_ids, id, false);
		r = -ENOMEM;
	}
	if (!r)
		r = xtr_dp_list_write(dp, key, id, rl, n);
	if (r) {
		for (unsigned i = 0; i < n; i++)
			xtr_dp_rl_put(dp, rl[i]);
		free(rl);
		if (!l)
			return r;
		if (known) { /* as it was, as far as the kernel takes it */
			xtr_dp_list_write(dp, key, id, l->rl, l->n);
			xtr_dp_parts_delete(dp, id, xtr_dp_parts(l->n), xtr_dp_parts(n));
		} else {
			l->n = 0;
			xtr_dp_parts_delete(dp, id, 0, xtr_dp_parts(n));
			xtr_dp_list_drop(dp, l);
		}
		return r;
	}
	xtr_dp_parts_delete(dp, id, xtr_dp_parts(n), xtr_dp_parts(l->n));
	for (unsigned i = 0; i < l->n; i++)
		xtr_dp_rl_put(dp, l->rl[i]);
	free(l->rl);
	l->rl = rl;
	l->n = n;
	l->adopted = false;
	l->fan_told = NULL;
	xtr_dp_fan_list(dp, l);
	return 0;
}

static bool xtr_dp_mc_make(struct xtr_dp_mc *mc, uint32_t iid, const struct xtr_ip *source,
			   const struct xtr_ip *group)
{
	union xtr_dp_mckey k;

	memset(mc, 0, sizeof(*mc));
	mc->iid = iid;
	mc->group.ip = *group;
	mc->group.len = (uint8_t)xtr_ip_bits(group);
	if (source && !xtr_ip_is_unspecified(source))
		mc->source = *source;
	return !xtr_dp_mc_key(&k, mc);
}

int xtr_dp_replicate(struct xtr_dp *dp, uint32_t iid, const struct xtr_ip *source,
		     const struct xtr_ip *group, const struct xtr_ip *members, unsigned n)
{
	struct xtr_dp_rl **rl = NULL;
	struct xtr_dp_list *l;
	struct xtr_dp_mc key;
	struct xtr_ip *v;
	unsigned count;
	int r = 0;

	if (!xtr_dp_mc_make(&key, iid, source, group))
		return -EINVAL;
	v = xtr_dp_members(dp, members, n, &count);
	if (!v)
		return -ENOMEM;
	if (count > XTR_REPL_MAX * (iid == XTR_IID_MAX ? XTR_DP_REPL_PARTS : 1u)) {
		r = -E2BIG;
	} else if (!count) {
		l = xtr_dp_list_find(dp, &key);
		if (l)
			xtr_dp_list_remove(dp, l);
	} else {
		r = xtr_dp_templates(dp, v, count, &rl);
		if (!r)
			r = xtr_dp_list_set(dp, &key, rl, count);
	}
	free(v);
	return r;
}

void xtr_dp_groups_free(struct xtr_dp_config *c)
{
	for (unsigned i = 0; c->groups && i < c->group_count; i++)
		free((void *)c->groups[i].members);
	free((void *)c->groups);
}

int xtr_dp_groups_copy(struct xtr_dp_config *to, const struct xtr_dp_config *from)
{
	struct xtr_dp_group *g = calloc(from->group_count + 1, sizeof(*g));

	to->groups = g;
	for (unsigned i = 0; g && i < from->group_count; i++) {
		struct xtr_ip *members = calloc(from->groups[i].member_count + 1, sizeof(*members));

		g[i] = from->groups[i];
		g[i].members = members;
		if (!members)
			return -ENOMEM;
		if (g[i].member_count)
			memcpy(members, from->groups[i].members, g[i].member_count * sizeof(*members));
	}
	return g ? 0 : -ENOMEM;
}

/* Those of the configuration. What it named before and does not name now goes. */
int xtr_dp_groups(struct xtr_dp *dp, struct xtr_err *err)
{
	struct xtr_dp_list *l, *next;
	char a[XTR_IP_STRLEN];

	HASH_ITER(hh, dp->lists, l, next)
		l->dropped |= l->configured;
	for (unsigned i = 0; i < dp->cfg.group_count; i++) {
		const struct xtr_dp_group *g = &dp->cfg.groups[i];
		struct xtr_dp_mc key;
		int r = xtr_dp_replicate(dp, g->iid, &g->source, &g->group, g->members, g->member_count);

		if (r)
			return xtr_fail(err, r, "group %s of instance %u: its replication list does not get into the kernel: %s",
					xtr_ip_str(&g->group, a), g->iid, strerror(-r));
		if (xtr_dp_mc_make(&key, g->iid, &g->source, &g->group) && (l = xtr_dp_list_find(dp, &key)))
			l->configured = true, l->dropped = false;
	}
	HASH_ITER(hh, dp->lists, l, next)
		if (l->dropped)
			xtr_dp_list_remove(dp, l);
	return 0;
}

/* As the programs find it: (S,G), then (*,G). */
const struct xtr_dp_list *xtr_dp_list_match(struct xtr_dp *dp, uint32_t iid,
					    const struct xtr_ip *source, const struct xtr_ip *group)
{
	const struct xtr_dp_list *l = NULL;
	struct xtr_dp_mc key;

	if (xtr_dp_mc_make(&key, iid, source, group))
		l = xtr_dp_list_find(dp, &key);
	if (!l && xtr_dp_mc_make(&key, iid, NULL, group))
		l = xtr_dp_list_find(dp, &key);
	return l;
}

/* ---- adoption */

static void xtr_dp_mc_from(struct xtr_dp_mc *mc, const void *key, bool four)
{
	const struct xtr_mc4 *k4 = key;
	const struct xtr_mc6 *k6 = key;
	unsigned bits = four ? 32 : 128, len;

	memset(mc, 0, sizeof(*mc));
	mc->iid = ntohl(four ? k4->iid : k6->iid);
	len = (four ? k4->prefixlen : k6->prefixlen) - 32;
	mc->group.ip.family = four ? 4 : 6;
	mc->group.len = (uint8_t)(len < bits ? len : bits);
	memcpy(mc->group.ip.a, four ? (const void *)&k4->group : k6->group, bits / 8);
	if (len > bits) {
		mc->source.family = four ? 4 : 6;
		memcpy(mc->source.a, four ? (const void *)&k4->source : k6->source, bits / 8);
	}
}

/* False: it does not hold together, torn by a crash. */
static bool xtr_dp_list_adopt(struct xtr_dp *dp, const struct xtr_dp_mc *mc, const struct xtr_mcast *v)
{
	struct xtr_dp_list *l;
	struct xtr_repl part;
	union xtr_dp_mckey k;

	if (xtr_dp_mc_key(&k, mc) || !v->repl || v->repl >= dp->list_ids.max || !v->parts ||
	    v->parts > XTR_DP_REPL_PARTS || xtr_dp_list_find(dp, mc))
		return false;
	l = xtr_dp_list_add(dp, mc, v->repl);
	if (l)
		l->rl = calloc((size_t)v->parts * XTR_REPL_MAX, sizeof(*l->rl));
	if (!l)
		return false;
	xtr_dp_ids_mark(&dp->list_ids, l->id, true);
	l->adopted = true;
	for (unsigned p = 0; p < v->parts && l->rl; p++) {
		struct xtr_repl_key pk = { .id = v->repl, .part = p };

		if (bpf_map_lookup_elem(dp->map[XTR_M_REPL], &pk, &part))
			break;
		for (unsigned i = 0; i < part.n && i < XTR_REPL_MAX; i++) {
			uint32_t id = part.rloc[i];

			if (id >= dp->rl_ids.max || !dp->rl_by_id[id])
				continue;
			dp->rl_by_id[id]->refs++;
			l->rl[l->n++] = dp->rl_by_id[id];
		}
	}
	if (l->n)
		return true;
	xtr_dp_list_drop(dp, l);
	return false;
}

struct xtr_dp_mc_walk {
	struct xtr_dp *dp;
	uint8_t *keys;
	unsigned n, room;
	size_t size;
};

static int xtr_dp_mc_keep(void *arg, const void *key)
{
	struct xtr_dp_mc_walk *w = arg;

	if (w->n == w->room) {
		unsigned room = w->room ? w->room * 2 : 64;
		void *p = realloc(w->keys, room * w->size);

		if (!p)
			return -ENOMEM;
		w->keys = p;
		w->room = room;
	}
	memcpy(w->keys + w->n++ * w->size, key, w->size);
	return 0;
}

static int xtr_dp_mc_adopt_family(struct xtr_dp *dp, bool four)
{
	struct xtr_dp_mc_walk w = { .dp = dp,
				    .size = four ? sizeof(struct xtr_mc4) : sizeof(struct xtr_mc6) };
	int fd = dp->map[four ? XTR_M_MCAST4 : XTR_M_MCAST6];
	int r = xtr_dp_each_key(fd, w.size, xtr_dp_mc_keep, &w);

	for (unsigned i = 0; i < w.n && !r; i++) {
		const void *key = w.keys + i * w.size;
		struct xtr_dp_mc mc;
		struct xtr_mcast v;

		xtr_dp_mc_from(&mc, key, four);
		if (bpf_map_lookup_elem(fd, key, &v) || !xtr_dp_list_adopt(dp, &mc, &v))
			bpf_map_delete_elem(fd, key);
	}
	free(w.keys);
	return r;
}

/* Parts that no list has: left over by a crash between two writes. */
static int xtr_dp_parts_clean(struct xtr_dp *dp)
{
	struct xtr_dp_mc_walk w = { .dp = dp, .size = sizeof(struct xtr_repl_key) };
	int r = xtr_dp_each_key(dp->map[XTR_M_REPL], w.size, xtr_dp_mc_keep, &w);

	for (unsigned i = 0; i < w.n && !r; i++) {
		struct xtr_dp_list *l, *next;
		struct xtr_repl_key k;
		bool known = false;

		memcpy(&k, w.keys + i * w.size, sizeof(k));
		HASH_ITER(hh, dp->lists, l, next)
			known |= l->id == k.id && k.part < xtr_dp_parts(l->n);
		if (!known)
			bpf_map_delete_elem(dp->map[XTR_M_REPL], &k);
	}
	free(w.keys);
	return r;
}

int xtr_dp_mcast_adopt(struct xtr_dp *dp)
{
	int r = xtr_dp_mc_adopt_family(dp, true);

	if (!r)
		r = xtr_dp_mc_adopt_family(dp, false);
	if (!r)
		r = xtr_dp_parts_clean(dp);
	dp->adopted_until = dp->now + XTR_DP_ADOPTED_MS;
	dp->fan_stale = true;
	return r;
}

void xtr_dp_mcast_sweep(struct xtr_dp *dp)
{
	struct xtr_dp_list *l, *next;

	dp->adopted_until = 0;
	HASH_ITER(hh, dp->lists, l, next)
		if (l->adopted)
			xtr_dp_list_remove(dp, l);
	if (!dp->peers_known)
		xtr_dp_control_peers(dp, NULL, 0);
}

void xtr_dp_mcast_free(struct xtr_dp *dp)
{
	struct xtr_dp_list *l, *next;

	HASH_ITER(hh, dp->lists, l, next) {
		HASH_DEL(dp->lists, l);
		free(l->rl);
		free(l);
	}
	xtr_dp_fan_free(dp);
	free(dp->list_ids.used);
	free(dp->peers);
}

/* ---- sources of control messages */

static void xtr_dp_ctlsrc_key(struct xtr_ctlsrc *k, const struct xtr_ippfx *p)
{
	struct xtr_ippfx m = *p;

	xtr_ippfx_mask(&m);
	memset(k, 0, sizeof(*k));
	k->prefixlen = 32u + m.len;
	k->family = htonl(m.ip.family);
	memcpy(k->addr, m.ip.a, xtr_ip_bits(&m.ip) / 8);
}

/* Makes the map hold the configured prefixes and the peers. */
int xtr_dp_ctlsrc_sync(struct xtr_dp *dp)
{
	struct {
		struct xtr_ctlsrc k;
		__u32 flags;
	} *rec = calloc(dp->cfg.control_from_count + dp->peer_count + 1, sizeof(*rec));
	unsigned n = 0;
	uint64_t hash;
	int r = 0;

	if (!rec)
		return -ENOMEM;
	for (unsigned i = 0; i < dp->cfg.control_from_count; i++)
		xtr_dp_ctlsrc_key(&rec[n++].k, &dp->cfg.control_from[i]);
	for (unsigned i = 0; i < dp->peer_count; i++) {
		struct xtr_ippfx host = { .ip = dp->peers[i],
					  .len = (uint8_t)xtr_ip_bits(&dp->peers[i]) };

		xtr_dp_ctlsrc_key(&rec[n++].k, &host);
	}
	hash = (n ? xtr_hash(rec, n * sizeof(*rec)) : 0) | 1;
	if (dp->written[XTR_M_CTLSRC] != hash) {
		r = xtr_dp_map_sync(dp->map[XTR_M_CTLSRC], rec, n, sizeof(rec->k), sizeof(rec->flags),
				    !dp->peers_known);
		dp->written[XTR_M_CTLSRC] = r ? 0 : hash;
	}
	free(rec);
	return r;
}

int xtr_dp_control_peers(struct xtr_dp *dp, const struct xtr_ip *peers, unsigned n)
{
	struct xtr_ip *v = calloc(n + 1, sizeof(*v));
	unsigned u = 0;

	if (!v)
		return -ENOMEM;
	for (unsigned i = 0; i < n; i++)
		if (xtr_ip_bits(&peers[i]))
			v[u++] = peers[i];
	free(dp->peers);
	dp->peers = v;
	dp->peer_count = u;
	if (!dp->peers_known)
		dp->written[XTR_M_CTLSRC] = 0;
	dp->peers_known = true;
	return xtr_dp_ctlsrc_sync(dp);
}
