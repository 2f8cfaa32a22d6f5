// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Contents of the maps of another folder into new ones, of another size or ABI. What names something
 * is moved with what it names: replication lists first, then map-cache entries, those used last
 * first, each with its locator-set and the templates of that. So whatever does not fit into smaller
 * maps is what was idle longest; it is resolved again when it is needed. Numbers stay as they are
 * where the new maps are large enough for them; else they are given anew.
 *
 * The programs that run meanwhile use the old maps, and write the time of last use there: what they
 * write after an entry was read is lost, and not missed.
 */
#include "dp/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define XTR_DP_NONE UINT32_MAX

struct xtr_dp_move {
	struct xtr_dp *dp;
	const int *from;
	uint32_t old_rl, old_set;  /* sizes of the old maps */
	uint32_t *rl, *set;        /* old number -> new one; 0: not seen, XTR_DP_NONE: not moved */
	struct xtr_dp_ids rl_ids, set_ids;
	void *value;               /* room for one value of any map, on all CPUs */
	unsigned entries, all, rls;
	int r;
};

#define XTR_DP_MOVE_TURN 512

struct xtr_dp_moved_key {
	union xtr_dp_key key;
	struct xtr_eid v;
};
struct xtr_dp_moved {
	struct xtr_dp_moved_key *at;
	unsigned n, room;
	int fd;
	size_t key_size;
	/* what goes into the new map next */
	uint8_t keys[XTR_DP_MOVE_TURN * sizeof(struct xtr_lpm6)];
	struct xtr_eid values[XTR_DP_MOVE_TURN];
	unsigned waiting;
};

/* The same number where it is free, or another. 0: none left. */
static uint32_t xtr_dp_move_id(struct xtr_dp_ids *ids, uint32_t old)
{
	if (old < ids->max && !(ids->used[old / 64] >> (old % 64) & 1)) {
		xtr_dp_ids_mark(ids, old, true);
		return old;
	}
	return xtr_dp_ids_take(ids);
}

static uint32_t xtr_dp_move_rloc(struct xtr_dp_move *m, uint32_t old)
{
	int stat = m->from[XTR_M_RLSTAT];
	struct xtr_rloc t;
	uint32_t id;

	if (!old || old >= m->old_rl)
		return XTR_DP_NONE;
	if (m->rl[old])
		return m->rl[old];
	m->rl[old] = XTR_DP_NONE;
	if (bpf_map_lookup_elem(m->from[XTR_M_RLOC], &old, &t))
		return XTR_DP_NONE;
	id = xtr_dp_move_id(&m->rl_ids, old);
	t.stat = id;
	if (!id || bpf_map_update_elem(m->dp->map[XTR_M_RLOC], &id, &t, BPF_ANY))
		return XTR_DP_NONE;
	if (stat >= 0 && !bpf_map_lookup_elem(stat, &old, m->value))
		bpf_map_update_elem(m->dp->map[XTR_M_RLSTAT], &id, m->value, BPF_ANY);
	m->rls++;
	return m->rl[old] = id;
}

/* A set is moved with all its locators, or not at all. */
static uint32_t xtr_dp_move_set(struct xtr_dp_move *m, uint32_t old)
{
	struct xtr_rset v;
	uint32_t id;

	if (!old || old >= m->old_set)
		return XTR_DP_NONE;
	if (m->set[old])
		return m->set[old];
	m->set[old] = XTR_DP_NONE;
	if (bpf_map_lookup_elem(m->from[XTR_M_RSET], &old, &v) || v.n > XTR_MAX_LOCATORS)
		return XTR_DP_NONE;
	for (unsigned i = 0; i < v.n; i++) {
		v.rloc[i] = xtr_dp_move_rloc(m, v.rloc[i]);
		if (v.rloc[i] == XTR_DP_NONE)
			return XTR_DP_NONE;
	}
	id = xtr_dp_move_id(&m->set_ids, old);
	if (!id || bpf_map_update_elem(m->dp->map[XTR_M_RSET], &id, &v, BPF_ANY))
		return XTR_DP_NONE;
	return m->set[old] = id;
}

/* ---- entries of the map-cache */

static int xtr_dp_move_keep(void *arg, const void *key, const void *value)
{
	struct xtr_dp_moved *l = arg;

	if (l->n == l->room) {
		unsigned room = l->room ? l->room * 2 : 1024;
		void *p = realloc(l->at, room * sizeof(*l->at));

		if (!p)
			return -ENOMEM;
		l->at = p;
		l->room = room;
	}
	memset(&l->at[l->n], 0, sizeof(*l->at));
	memcpy(&l->at[l->n].key, key, l->key_size);
	memcpy(&l->at[l->n++].v, value, sizeof(struct xtr_eid));
	return 0;
}

static int xtr_dp_move_later(const void *a_, const void *b_)
{
	const struct xtr_dp_moved_key *a = a_, *b = b_;

	return a->v.used < b->v.used ? 1 : a->v.used > b->v.used ? -1 : 0;
}

static void xtr_dp_move_write(struct xtr_dp_move *m, enum xtr_dp_map map, struct xtr_dp_moved *l)
{
	int refused = xtr_dp_write_all(m->dp->map[map], l->keys, l->key_size, l->values, l->waiting);

	m->entries += l->waiting - (unsigned)refused;
	l->waiting = 0;
}

static void xtr_dp_move_entry(struct xtr_dp_move *m, enum xtr_dp_map map, struct xtr_dp_moved *l, unsigned i)
{
	struct xtr_eid v = l->at[i].v;

	m->all++;
	v.hold = 0; /* of the daemon before: its queue is gone */
	if (v.action == XTR_ACT_ENCAP) {
		v.rset = xtr_dp_move_set(m, v.rset);
		if (v.rset == XTR_DP_NONE)
			return;
	}
	memcpy(l->keys + l->waiting * l->key_size, &l->at[i].key, l->key_size);
	l->values[l->waiting++] = v;
	if (l->waiting == XTR_DP_MOVE_TURN)
		xtr_dp_move_write(m, map, l);
}

static int xtr_dp_move_cache(struct xtr_dp_move *m)
{
	struct xtr_dp_moved *l = calloc(2, sizeof(*l));
	unsigned at[2] = { 0, 0 };
	int r = l ? 0 : -ENOMEM;

	for (unsigned f = 0; f < 2 && !r; f++) {
		l[f].fd = m->from[f ? XTR_M_EID6 : XTR_M_EID4];
		l[f].key_size = f ? sizeof(struct xtr_lpm6) : sizeof(struct xtr_lpm4);
		if (l[f].fd >= 0)
			r = xtr_dp_each_elem(l[f].fd, l[f].key_size, sizeof(struct xtr_eid), xtr_dp_move_keep,
					     &l[f]);
		if (l[f].n)
			qsort(l[f].at, l[f].n, sizeof(*l[f].at), xtr_dp_move_later);
	}
	while (!r && (at[0] < l[0].n || at[1] < l[1].n)) { /* both families share sets and templates */
		unsigned f = at[0] < l[0].n ? 0 : 1;

		if (!f && at[1] < l[1].n && l[1].at[at[1]].v.used > l[0].at[at[0]].v.used)
			f = 1;
		xtr_dp_move_entry(m, f ? XTR_M_EID6 : XTR_M_EID4, &l[f], at[f]);
		at[f]++;
	}
	for (unsigned f = 0; l && f < 2; f++) {
		xtr_dp_move_write(m, f ? XTR_M_EID6 : XTR_M_EID4, &l[f]);
		free(l[f].at);
	}
	free(l);
	return r;
}

/* ---- replication lists */

static int xtr_dp_move_list(void *arg, const void *key)
{
	struct xtr_dp_move *m = arg;
	struct xtr_repl v;
	unsigned n = 0;

	if (bpf_map_lookup_elem(m->from[XTR_M_REPL], key, &v) || v.n > XTR_REPL_MAX)
		return 0;
	for (unsigned i = 0; i < v.n; i++) {
		uint32_t id = xtr_dp_move_rloc(m, v.rloc[i]);

		if (id != XTR_DP_NONE)
			v.rloc[n++] = id;
	}
	v.n = n;
	bpf_map_update_elem(m->dp->map[XTR_M_REPL], key, &v, BPF_ANY);
	return 0;
}

/* ---- what names nothing */

struct xtr_dp_copy {
	int from, to;
	void *value;
	unsigned failed;
};

static int xtr_dp_copy_one(void *arg, const void *key)
{
	struct xtr_dp_copy *c = arg;

	if (!bpf_map_lookup_elem(c->from, key, c->value))
		c->failed += !!bpf_map_update_elem(c->to, key, c->value, BPF_ANY);
	return 0;
}

static void xtr_dp_move_plain(struct xtr_dp_move *m, enum xtr_dp_map map)
{
	struct xtr_dp_copy c = { .from = m->from[map], .to = m->dp->map[map], .value = m->value };
	struct bpf_map_info info;

	if (c.from < 0 || xtr_dp_map_info(c.from, &info))
		return;
	xtr_dp_each_key(c.from, info.key_size, xtr_dp_copy_one, &c);
	if (c.failed)
		xtr_warn("map %s: %u entries of the old one do not fit into the new one", xtr_dp_map_names[map],
			 c.failed);
}

/* ---- all of it */

static int xtr_dp_move_init(struct xtr_dp_move *m)
{
	struct bpf_map_info info;
	size_t most = 8;

	for (unsigned i = 0; i < XTR_M_MAX; i++) {
		if (m->from[i] < 0 || xtr_dp_map_info(m->from[i], &info))
			continue;
		if (info.value_size > most)
			most = info.value_size;
		if (i == XTR_M_RLOC)
			m->old_rl = info.max_entries;
		if (i == XTR_M_RSET)
			m->old_set = info.max_entries;
	}
	m->value = calloc(m->dp->cpus, (most + 7) / 8 * 8);
	m->rl = calloc(m->old_rl + 1, sizeof(*m->rl));
	m->set = calloc(m->old_set + 1, sizeof(*m->set));
	return !m->value || !m->rl || !m->set || xtr_dp_ids_init(&m->rl_ids, m->dp->cfg.rloc_entries) ||
			       xtr_dp_ids_init(&m->set_ids, m->dp->cfg.rloc_entries) ?
		       -ENOMEM :
		       0;
}

static void xtr_dp_move_tell(const struct xtr_dp_move *m, const char *dir)
{
	if (m->entries < m->all)
		xtr_warn("%s: %u of %u map-cache entries do not fit into the new maps (%u entries of each family, %u "
			 "locators): those that were idle longest are resolved again when they are used",
			 dir, m->all - m->entries, m->all, m->dp->cfg.cache_entries, m->dp->cfg.rloc_entries);
	if (m->all)
		xtr_info("%s: %u map-cache entries and %u locators taken over into %s", dir, m->entries, m->rls,
			 m->dp->dir);
}

int xtr_dp_move(struct xtr_dp *dp, const struct xtr_dp_source *src, struct xtr_err *err)
{
	struct xtr_dp_move m = { .dp = dp, .from = src->fd };
	int r;

	if (!src->found)
		return 0;
	r = xtr_dp_move_init(&m);
	if (!r && m.from[XTR_M_RLOC] >= 0) {
		if (m.from[XTR_M_REPL] >= 0) {
			r = xtr_dp_each_key(m.from[XTR_M_REPL], sizeof(struct xtr_repl_key), xtr_dp_move_list, &m);
			xtr_dp_move_plain(&m, XTR_M_MCAST4);
			xtr_dp_move_plain(&m, XTR_M_MCAST6);
		}
		if (!r && m.from[XTR_M_RSET] >= 0)
			r = xtr_dp_move_cache(&m);
	}
	if (!r) {
		xtr_dp_move_plain(&m, XTR_M_CTLSRC);
		xtr_dp_move_plain(&m, XTR_M_DROPS);
		xtr_dp_move_plain(&m, XTR_M_STATS);
		xtr_dp_move_tell(&m, src->dir);
	}
	free(m.value);
	free(m.rl);
	free(m.set);
	free(m.rl_ids.used);
	free(m.set_ids.used);
	return r ? xtr_fail(err, r, "%s: cannot take over its contents: %s", src->dir, strerror(-r)) : 0;
}
