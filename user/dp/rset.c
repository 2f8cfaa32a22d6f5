// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Locator-sets. Two mappings with the same locators and weights share one, so the map needs an
 * element per distinct set, not per EID-prefix. A set never changes its content under its id,
 * except which buckets point where when a locator goes up or down: flows on the others keep theirs.
 * set_by_id owns the sets; references are held by map-cache entries.
 */
#include "dp/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Deals count buckets, those for which take[] says so, to locators in proportion to weight: largest
 * remainder, then smoothly interleaved. */
static void xtr_dp_deal(uint8_t bucket[XTR_BUCKETS], const bool *take, unsigned count, unsigned n,
			const unsigned *weight)
{
	unsigned share[XTR_MAX_LOCATORS] = { 0 }, rest[XTR_MAX_LOCATORS] = { 0 }, total = 0,
		 given = 0;
	int credit[XTR_MAX_LOCATORS] = { 0 };

	for (unsigned i = 0; i < n; i++)
		total += weight[i];
	if (!total || !count)
		return;
	for (unsigned i = 0; i < n; i++) {
		share[i] = weight[i] * count / total;
		rest[i] = weight[i] * count % total;
		/* asked for something: gets something */
		if (!share[i] && weight[i] && count >= n) {
			share[i] = 1;
			rest[i] = 0;
		}
		given += share[i];
	}
	while (given < count) {
		unsigned best = 0;

		for (unsigned i = 1; i < n; i++)
			if (rest[i] > rest[best])
				best = i;
		share[best]++;
		rest[best] = 0;
		given++;
	}
	while (given > count) {
		unsigned most = 0;

		for (unsigned i = 1; i < n; i++)
			if (share[i] > share[most])
				most = i;
		share[most]--;
		given--;
	}
	for (unsigned b = 0; b < XTR_BUCKETS; b++) {
		unsigned best = 0;

		if (!take[b])
			continue;
		for (unsigned i = 0; i < n; i++) {
			credit[i] += (int)share[i];
			if (credit[i] > credit[best])
				best = i;
		}
		credit[best] -= (int)count;
		bucket[b] = (uint8_t)best;
	}
}

/* Buckets of a set. usable NULL: all. All weights 0 or equal: equal shares (RFC 9301 5.4). */
void xtr_dp_fill(uint8_t bucket[XTR_BUCKETS], unsigned n, const uint8_t *weight, const bool *usable)
{
	unsigned w[XTR_MAX_LOCATORS] = { 0 }, live[XTR_MAX_LOCATORS] = { 0 }, sum = 0, live_sum = 0,
		 orphans = 0;
	bool take[XTR_BUCKETS];

	memset(bucket, 0, XTR_BUCKETS);
	if (!n)
		return;
	for (unsigned i = 0; i < n; i++)
		sum += weight[i];
	for (unsigned i = 0; i < n; i++) {
		w[i] = sum ? weight[i] : 1;
		live[i] = !usable || usable[i] ? w[i] : 0;
		live_sum += live[i];
	}
	if (!live_sum) /* only those of weight 0 are left: rather these than nothing */
		for (unsigned i = 0; i < n; i++)
			live_sum += live[i] = !usable || usable[i];
	memset(take, true, sizeof(take));
	xtr_dp_deal(bucket, take, XTR_BUCKETS, n, w);
	if (!live_sum)
		return;
	for (unsigned b = 0; b < XTR_BUCKETS; b++) {
		take[b] = !live[bucket[b]];
		orphans += take[b];
	}
	xtr_dp_deal(bucket, take, orphans, n, live);
}

static int xtr_dp_set_write(struct xtr_dp *dp, struct xtr_dp_set *s)
{
	struct xtr_rset v = { .n = (__u8)s->key.n, .version = ++s->version };
	bool usable[XTR_MAX_LOCATORS];

	for (unsigned i = 0; i < s->key.n; i++) {
		v.rloc[i] = s->key.rl[i];
		usable[i] = xtr_dp_rl_usable(dp, s->key.rl[i]);
	}
	xtr_dp_fill(v.bucket, s->key.n, s->key.weight, usable);
	return bpf_map_update_elem(dp->map[XTR_M_RSET], &s->id, &v, BPF_ANY) ? -errno : 0;
}

/* Its locators are said once more, or once less, to take LISP-GPE. */
static void xtr_dp_set_gpe(struct xtr_dp *dp, const struct xtr_dp_set *s, bool more)
{
	for (unsigned i = 0; i < s->key.n; i++)
		if (s->key.gpe >> i & 1)
			xtr_dp_rl_gpe(dp, s->key.rl[i], more);
}

static struct xtr_dp_set *xtr_dp_set_add(struct xtr_dp *dp, const struct xtr_dp_setkey *key,
					 uint32_t id)
{
	struct xtr_dp_set *s = calloc(1, sizeof(*s)), *other;

	if (!s)
		return NULL;
	s->key = *key;
	s->id = id;
	HASH_FIND(hh, dp->sets, key, sizeof(*key), other);
	if (!other) {
		HASH_ADD(hh, dp->sets, key, sizeof(s->key), s);
		s->hashed = true;
	}
	dp->set_by_id[id] = s;
	dp->set_count++;
	xtr_dp_set_gpe(dp, s, true);
	return s;
}

static void xtr_dp_set_drop(struct xtr_dp *dp, struct xtr_dp_set *s)
{
	dp->set_by_id[s->id] = NULL;
	dp->set_count--;
	if (s->hashed)
		HASH_DEL(dp->sets, s);
	free(s);
}

static int xtr_dp_set_new(struct xtr_dp *dp, const struct xtr_dp_setkey *key,
			  struct xtr_dp_set **out)
{
	uint32_t id = xtr_dp_ids_take(&dp->set_ids);
	struct xtr_dp_set *s;
	int r;

	if (!id && xtr_dp_room(dp))
		id = xtr_dp_ids_take(&dp->set_ids);
	if (!id)
		return -ENOSPC;
	s = xtr_dp_set_add(dp, key, id);
	r = s ? xtr_dp_set_write(dp, s) : -ENOMEM;
	if (r) {
		if (s) {
			xtr_dp_set_gpe(dp, s, false);
			xtr_dp_set_drop(dp, s);
		}
		xtr_dp_ids_mark(&dp->set_ids, id, false);
		return r;
	}
	*out = s;
	return 0;
}

/* Takes a reference on the set of this mapping, made if need be. -ENOSPC: the maps of locators are
 * full. */
int xtr_dp_set_get(struct xtr_dp *dp, const struct xtr_dp_mapping *m, struct xtr_dp_set **out)
{
	struct xtr_dp_rl *rl[XTR_MAX_LOCATORS];
	struct xtr_dp_setkey key;
	struct xtr_dp_set *s;
	bool equal = true;
	unsigned n = 0;
	int r = 0;

	if (m->n > XTR_MAX_LOCATORS)
		return -EINVAL;
	memset(&key, 0, sizeof(key));
	for (; n < m->n && !r; n += !r) {
		r = xtr_dp_rl_get(dp, &m->rloc[n], &rl[n]);
		if (r)
			break;
		key.rl[n] = rl[n]->id;
		key.weight[n] = m->weight[n];
		equal &= m->weight[n] == m->weight[0];
	}
	for (unsigned i = 0; i < n && equal; i++)
		key.weight[i] = 1;
	key.n = m->n;
	key.gpe = m->gpe;
	HASH_FIND(hh, dp->sets, &key, sizeof(key), s);
	if (!r && !s) {
		r = xtr_dp_set_new(dp, &key, &s);
		if (!r) { /* the set keeps the references */
			s->refs = 1;
			*out = s;
			return 0;
		}
	}
	for (unsigned i = 0; i < n; i++)
		xtr_dp_rl_put(dp, rl[i]);
	if (r)
		return r;
	s->refs++;
	*out = s;
	return 0;
}

void xtr_dp_set_put(struct xtr_dp *dp, struct xtr_dp_set *s)
{
	if (!s || --s->refs)
		return;
	s->dead = dp->now;
	if (!dp->reap_at)
		dp->reap_at = dp->now + XTR_DP_GRACE_MS;
}

/* ---- adoption */

static int xtr_dp_set_adopt_one(void *arg, const void *key_)
{
	struct xtr_dp *dp = arg;
	uint32_t id = *(const uint32_t *)key_;
	unsigned share[XTR_MAX_LOCATORS] = { 0 };
	struct xtr_dp_setkey key;
	struct xtr_dp_set *s;
	struct xtr_rset v;
	bool equal = true;

	if (bpf_map_lookup_elem(dp->map[XTR_M_RSET], &id, &v))
		return 0;
	memset(&key, 0, sizeof(key));
	if (!id || id >= dp->set_ids.max || v.n > XTR_MAX_LOCATORS)
		return 0;
	for (unsigned b = 0; b < XTR_BUCKETS; b++)
		if (v.bucket[b] < XTR_MAX_LOCATORS)
			share[v.bucket[b]]++;
	for (unsigned i = 0; i < v.n; i++) {
		if (v.rloc[i] >= dp->rl_ids.max || !dp->rl_by_id[v.rloc[i]])
			return 0; /* torn by a crash: entries that name it are removed with it */
		key.rl[i] = v.rloc[i];
		key.weight[i] = (uint8_t)(share[i] > 255 ? 255 : share[i]);
		/* said by the mapping, unless the configuration says it anyway */
		if (dp->rl_by_id[v.rloc[i]]->t.flags & XTR_RLOC_F_GPE &&
		    !xtr_dp_gpe_peer(dp, &dp->rl_by_id[v.rloc[i]]->dst, false))
			key.gpe |= (uint8_t)(1u << i);
		/* 256 in three parts */
		equal &= share[i] + 1 >= share[0] && share[i] <= share[0] + 1;
	}
	for (unsigned i = 0; i < v.n && equal; i++)
		key.weight[i] = 1;
	key.n = v.n;
	s = xtr_dp_set_add(dp, &key, id);
	if (!s)
		return -ENOMEM;
	xtr_dp_ids_mark(&dp->set_ids, id, true);
	s->version = v.version;
	s->dead = dp->now;
	for (unsigned i = 0; i < v.n; i++)
		dp->rl_by_id[v.rloc[i]]->refs++;
	return 0;
}

/* Elements that were not adopted: of a larger geometry, or torn. */
struct xtr_dp_set_bad {
	struct xtr_dp *dp;
	bool rloc;
	uint32_t id[256];
	unsigned n;
};

static int xtr_dp_set_find_bad(void *arg, const void *key)
{
	struct xtr_dp_set_bad *b = arg;
	uint32_t id = *(const uint32_t *)key;
	bool known = b->rloc ? id < b->dp->rl_ids.max && b->dp->rl_by_id[id]
			     : id < b->dp->set_ids.max && b->dp->set_by_id[id];

	if (!known && b->n < 256)
		b->id[b->n++] = id;
	return 0;
}

static int xtr_dp_set_remove_bad(struct xtr_dp *dp, enum xtr_dp_map map)
{
	struct xtr_dp_set_bad bad;
	int r;

	do {
		bad = (struct xtr_dp_set_bad){ .dp = dp, .rloc = map == XTR_M_RLOC };
		r = xtr_dp_each_key(dp->map[map], sizeof(uint32_t), xtr_dp_set_find_bad, &bad);
		for (unsigned i = 0; i < bad.n; i++)
			bpf_map_delete_elem(dp->map[map], &bad.id[i]);
	} while (!r && bad.n == 256);
	return r;
}

int xtr_dp_set_adopt(struct xtr_dp *dp)
{
	int r = xtr_dp_each_key(dp->map[XTR_M_RSET], sizeof(uint32_t), xtr_dp_set_adopt_one, dp);

	if (!r)
		r = xtr_dp_set_remove_bad(dp, XTR_M_RSET);
	return r ? r : xtr_dp_set_remove_bad(dp, XTR_M_RLOC);
}

/* ---- all of them */

void xtr_dp_set_refill(struct xtr_dp *dp)
{
	bool any = false;

	for (uint32_t id = 1; id < dp->set_ids.top; id++) {
		struct xtr_dp_set *s = dp->set_by_id[id];
		bool moved = false;

		for (unsigned i = 0; s && i < s->key.n; i++)
			moved |= dp->rl_by_id[s->key.rl[i]] && dp->rl_by_id[s->key.rl[i]]->moved;
		if (moved)
			xtr_dp_set_write(dp, s);
		any |= moved;
	}
	if (any) /* the programs remember the only locator of a set */
		xtr_dp_gen_bump(dp, 0, NULL);
	for (uint32_t id = 1; id < dp->rl_ids.top; id++)
		if (dp->rl_by_id[id])
			dp->rl_by_id[id]->moved = false;
}

void xtr_dp_set_reap(struct xtr_dp *dp, bool now)
{
	xtr_dp_batch_flush(dp); /* entries that named them go first */
	for (uint32_t id = 1; id < dp->set_ids.top; id++) {
		struct xtr_dp_set *s = dp->set_by_id[id];

		if (!s || s->refs)
			continue;
		if (!now && dp->now - s->dead < XTR_DP_GRACE_MS) {
			if (!dp->reap_at || s->dead + XTR_DP_GRACE_MS < dp->reap_at)
				dp->reap_at = s->dead + XTR_DP_GRACE_MS;
			continue;
		}
		bpf_map_delete_elem(dp->map[XTR_M_RSET], &id);
		xtr_dp_ids_mark(&dp->set_ids, id, false);
		xtr_dp_set_gpe(dp, s, false);
		for (unsigned i = 0; i < s->key.n; i++)
			xtr_dp_rl_put(dp, dp->rl_by_id[s->key.rl[i]]);
		xtr_dp_set_drop(dp, s);
	}
}

void xtr_dp_set_free(struct xtr_dp *dp)
{
	for (uint32_t id = 1; dp->set_by_id && id < dp->set_ids.top; id++)
		if (dp->set_by_id[id])
			xtr_dp_set_drop(dp, dp->set_by_id[id]);
	free(dp->set_by_id);
	free(dp->set_ids.used);
}
