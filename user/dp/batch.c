// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Many elements of a map at once: a system call for each costs as much as the kernel's own work. Where a map
 * or a kernel has no batches (they came to tries with 5.13; what a kernel says is what counts), one by one.
 *
 * Writes to the map-cache of the kernel between begin and end are collected and go out together: the
 * entries first, then the generations of all that they touch. So a batch does for the readers what one
 * entry does, only later: until the end they see what was there before. Invariants: a batch holds writes
 * or deletions, never both, so the order of two changes of one entry stays; whoever reads the kernel's
 * entries meanwhile, or frees what they name, ends it first (xtr_dp_batch_flush). What the kernel refuses
 * is not in the mirror any more when refused() is told.
 */
#include "dp/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define XTR_DP_BATCH   512
#define XTR_DP_READ    1024
#define XTR_DP_ENOTSUP 524 /* ENOTSUPP of the kernel: this map has no such operation */

struct xtr_dp_batch {
	unsigned depth, n[2];
	bool del;
	struct xtr_lpm4 k4[XTR_DP_BATCH];
	struct xtr_lpm6 k6[XTR_DP_BATCH];
	struct xtr_eid v[2][XTR_DP_BATCH];
	bool gen_all, gen[XTR_GEN_SLOTS], gen_any;
};

bool xtr_dp_no_batch;

static bool xtr_dp_cannot(int e)
{
	return e == XTR_DP_ENOTSUP || e == EINVAL || e == EOPNOTSUPP || e == EPERM;
}

/* ---- reading */

struct xtr_dp_read {
	int fd;
	size_t key_size, value_size;
	int (*fn)(void *arg, const void *key, const void *value);
	void *arg;
};

static int xtr_dp_read_one(void *arg, const void *key)
{
	struct xtr_dp_read *r = arg;
	uint8_t value[512];

	return bpf_map_lookup_elem(r->fd, key, value) ? 0 : r->fn(r->arg, key, value);
}

/* 0, what fn returned, -errno; -EOPNOTSUPP: not by batches, and fn was not called. */
static int xtr_dp_read_batches(struct xtr_dp_read *r, uint8_t *keys, uint8_t *values)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts);
	struct bpf_map_info info;
	uint8_t at[64];
	uint64_t left;
	bool first = true;
	int e = xtr_dp_map_info(r->fd, &info), rc = 0;

	if (e)
		return e;
	/* Keys that are removed behind our back may make the kernel start again. */
	for (left = 2ull * info.max_entries + XTR_DP_READ; !e && !rc && left; first = false) {
		__u32 n = XTR_DP_READ;

		e = bpf_map_lookup_batch(r->fd, first ? NULL : at, at, keys, values, &n, &opts) ? errno : 0;
		if (e && e != ENOENT)
			return first && xtr_dp_cannot(e) ? -EOPNOTSUPP : -e;
		for (__u32 i = 0; i < n && !rc; i++)
			rc = r->fn(r->arg, keys + i * r->key_size, values + i * r->value_size);
		left = left > n ? left - n : 0;
	}
	return rc ? rc : e == ENOENT ? 0 : -e;
}

int xtr_dp_each_elem(int fd, size_t key_size, size_t value_size,
		     int (*fn)(void *arg, const void *key, const void *value), void *arg)
{
	struct xtr_dp_read r = { fd, key_size, value_size, fn, arg };
	uint8_t *keys = malloc(XTR_DP_READ * (key_size + value_size));
	int rc = -EOPNOTSUPP;

	if (key_size > 64 || value_size > 512 || value_size % 8) {
		free(keys);
		return -EINVAL;
	}
	if (keys && !xtr_dp_no_batch)
		rc = xtr_dp_read_batches(&r, keys, keys + XTR_DP_READ * key_size);
	free(keys);
	return rc == -EOPNOTSUPP ? xtr_dp_each_key(fd, key_size, xtr_dp_read_one, &r) : rc;
}

/* ---- writing */

/* The elements from *at on; 0, or why the element *at was not taken. */
static int xtr_dp_write_batch(int fd, const uint8_t *keys, size_t key_size, const struct xtr_eid *v,
			      unsigned n, unsigned *at)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts);
	__u32 count = n - *at;
	int e;

	if (xtr_dp_no_batch || count < 2)
		return -EOPNOTSUPP;
	if (v)
		e = bpf_map_update_batch(fd, keys + *at * key_size, v + *at, &count, &opts) ? errno : 0;
	else
		e = bpf_map_delete_batch(fd, keys + *at * key_size, &count, &opts) ? errno : 0;
	if (xtr_dp_cannot(e)) {
		xtr_dp_no_batch = true;
		return -EOPNOTSUPP;
	}
	*at += e ? (count < n - *at ? count : 0) : n - *at;
	return -e;
}

/* v NULL: deletes. bad: the numbers of those that were refused; how many. */
static unsigned xtr_dp_write_elems(int fd, const void *keys_, size_t key_size, const struct xtr_eid *v,
				   unsigned n, uint16_t *bad)
{
	const uint8_t *keys = keys_;
	unsigned at = 0, refused = 0;
	int r;

	while (at < n) {
		r = xtr_dp_write_batch(fd, keys, key_size, v, n, &at);
		if (r == -EOPNOTSUPP) {
			const uint8_t *key = keys + at * key_size;

			r = (v ? bpf_map_update_elem(fd, key, v + at, BPF_ANY) :
				 bpf_map_delete_elem(fd, key)) ?
				    -errno :
				    0;
			if (!r) {
				at++;
				continue;
			}
		}
		if (at == n)
			break;
		if (v) /* a deletion of what is not there is none */
			bad[refused++] = (uint16_t)at;
		at++;
	}
	return refused;
}

int xtr_dp_write_all(int fd, const void *keys, size_t key_size, const struct xtr_eid *v, unsigned n)
{
	uint16_t bad[XTR_DP_BATCH];
	unsigned refused = 0;

	for (unsigned at = 0; at < n; at += XTR_DP_BATCH)
		refused += xtr_dp_write_elems(fd, (const uint8_t *)keys + at * key_size, key_size, v + at,
					      n - at < XTR_DP_BATCH ? n - at : XTR_DP_BATCH, bad);
	return (int)refused;
}

/* ---- the map-cache */

void xtr_dp_batch_begin(struct xtr_dp *dp)
{
	if (!dp->batch)
		dp->batch = calloc(1, sizeof(*dp->batch));
	if (dp->batch) /* else: one by one */
		dp->batch->depth++;
}

void xtr_dp_batch_end(struct xtr_dp *dp)
{
	struct xtr_dp_batch *b = dp->batch;

	if (!b || !b->depth)
		return;
	if (b->depth == 1)
		xtr_dp_batch_flush(dp);
	b->depth--;
}

/* Room for one more write, so that adding it will not end the batch. */
void xtr_dp_batch_ready(struct xtr_dp *dp, uint8_t family)
{
	const struct xtr_dp_batch *b = dp->batch;

	if (b && b->depth && (b->del || b->n[family == 6] == XTR_DP_BATCH))
		xtr_dp_batch_flush(dp);
}

/* True: it will be done. */
bool xtr_dp_batch_add(struct xtr_dp *dp, uint8_t family, const union xtr_dp_key *k, const struct xtr_eid *v)
{
	struct xtr_dp_batch *b = dp->batch;
	unsigned f = family == 6, *n;

	if (!b || !b->depth)
		return false;
	n = &b->n[f];
	if (b->del != !v || *n == XTR_DP_BATCH)
		xtr_dp_batch_flush(dp);
	b->del = !v;
	if (f)
		b->k6[*n] = k->k6;
	else
		b->k4[*n] = k->k4;
	if (v)
		b->v[f][*n] = *v;
	++*n;
	return true;
}

bool xtr_dp_batch_gen(struct xtr_dp *dp, uint32_t shard)
{
	struct xtr_dp_batch *b = dp->batch;

	if (!b || !b->depth)
		return false;
	b->gen_any = true;
	if (shard < XTR_GEN_SLOTS)
		b->gen[shard] = true;
	else
		b->gen_all = true;
	return true;
}

/* After the entries, never before (maps.c). */
static void xtr_dp_batch_gens(struct xtr_dp *dp)
{
	struct xtr_dp_batch *b = dp->batch;
	__u32 keys[XTR_GEN_SLOTS];
	unsigned n = 0;

	if (!b->gen_any)
		return;
	for (__u32 i = 0; i < XTR_GEN_BEAT; i++)
		if (b->gen_all || b->gen[i])
			keys[n++] = i;
	b->gen_any = b->gen_all = false;
	memset(b->gen, 0, sizeof(b->gen));
	xtr_dp_gen_shards(dp, keys, n);
}

static void xtr_dp_batch_refused(struct xtr_dp *dp, unsigned f, const union xtr_dp_key *k)
{
	struct xtr_ippfx eid;
	uint32_t iid;

	if (f)
		xtr_dp_unkey6(&k->k6, &iid, &eid);
	else
		xtr_dp_unkey4(&k->k4, &iid, &eid);
	xtr_dp_cache_forget(dp, iid, &eid);
	if (dp->cb.refused)
		dp->cb.refused(dp->cb.ctx, iid, &eid);
}

void xtr_dp_batch_flush(struct xtr_dp *dp)
{
	struct xtr_dp_batch *b = dp->batch;
	union xtr_dp_key lost[XTR_DP_BATCH];
	uint16_t bad[XTR_DP_BATCH];

	for (unsigned f = 0; b && f < 2; f++) {
		size_t size = f ? sizeof(b->k6[0]) : sizeof(b->k4[0]);
		const void *keys = f ? (const void *)b->k6 : (const void *)b->k4;
		unsigned n = b->n[f], refused;

		b->n[f] = 0;
		if (!n)
			continue;
		refused = xtr_dp_write_elems(dp->map[f ? XTR_M_EID6 : XTR_M_EID4], keys, size,
					     b->del ? NULL : b->v[f], n, bad);
		for (unsigned i = 0; i < refused; i++) {
			memset(&lost[i], 0, sizeof(lost[i]));
			memcpy(&lost[i], (const uint8_t *)keys + bad[i] * size, size);
		}
		if (refused)
			xtr_log_limited(XTR_LOG_WARN, dp->now / 1000,
					"map-cache of the kernel: %u entries are refused; raise data-plane.cache-entries or "
					"the memory limit",
					refused);
		for (unsigned i = 0; i < refused; i++) /* it may come back here: nothing of ours is read after */
			xtr_dp_batch_refused(dp, f, &lost[i]);
	}
	if (b)
		xtr_dp_batch_gens(dp);
}

void xtr_dp_batch_free(struct xtr_dp *dp)
{
	free(dp->batch);
	dp->batch = NULL;
}
