// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The small operations on maps that every other file here needs: keys, making a map equal to a list of
 * records, generations, the clock of the programs, the daemon's own drop counters. File descriptors
 * belong to the skeleton (load.c).
 */
#include "dp/internal.h"

#include "bpf/xtr.skel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* ---- small operations */

int xtr_dp_map_info(int fd, struct bpf_map_info *info)
{
	__u32 len = sizeof(*info);

	memset(info, 0, sizeof(*info));
	return bpf_obj_get_info_by_fd(fd, info, &len) ? -errno : 0;
}

void xtr_dp_key(union xtr_dp_key *k, uint32_t iid, const struct xtr_ippfx *p)
{
	memset(k, 0, sizeof(*k));
	k->k6.prefixlen = 32u + p->len;
	k->k6.iid = htonl(iid);
	if (p->ip.family == 4)
		memcpy(&k->k4.addr, p->ip.a, 4);
	else
		memcpy(k->k6.addr, p->ip.a, 16);
}

void xtr_dp_unkey4(const struct xtr_lpm4 *k, uint32_t *iid, struct xtr_ippfx *p)
{
	*iid = ntohl(k->iid);
	*p = (struct xtr_ippfx){ .ip.family = 4,
				 .len = k->prefixlen > 32 ? (uint8_t)(k->prefixlen - 32) : 0 };
	memcpy(p->ip.a, &k->addr, 4);
}

void xtr_dp_unkey6(const struct xtr_lpm6 *k, uint32_t *iid, struct xtr_ippfx *p)
{
	*iid = ntohl(k->iid);
	*p = (struct xtr_ippfx){ .ip.family = 6,
				 .len = k->prefixlen > 32 ? (uint8_t)(k->prefixlen - 32) : 0 };
	memcpy(p->ip.a, k->addr, 16);
}

void xtr_dp_abi_ip(struct xtr_abi_ip *out, const struct xtr_ip *ip)
{
	memset(out, 0, sizeof(*out));
	memcpy(out->w, ip->a, ip->family == 4 ? 4 : 16);
}

void xtr_dp_from_abi(struct xtr_ip *out, const struct xtr_abi_ip *in, unsigned family)
{
	*out = (struct xtr_ip){
		.family =
			(uint8_t)(family == XTR_FAMILY_IP4 || family == XTR_FAMILY_IP6 ? family : 0)
	};
	memcpy(out->a, in->w, out->family == 4 ? 4 : out->family == 6 ? 16 : 0);
}

int xtr_dp_each_key(int fd, size_t key_size, int (*fn)(void *arg, const void *key), void *arg)
{
	uint8_t key[64], next[64];
	bool first = true;
	int r;

	if (key_size > sizeof(key))
		return -EINVAL;
	while (!bpf_map_get_next_key(fd, first ? NULL : key, next)) {
		memcpy(key, next, key_size);
		first = false;
		r = fn(arg, key);
		if (r)
			return r;
	}
	return errno == ENOENT ? 0 : -errno;
}

struct xtr_dp_keys {
	uint8_t *at;
	size_t size;
	unsigned n, room;
};

static int xtr_dp_keep_key(void *arg, const void *key)
{
	struct xtr_dp_keys *k = arg;

	if (k->n == k->room) {
		unsigned room = k->room ? k->room * 2 : 256;
		void *p = realloc(k->at, (size_t)room * k->size);

		if (!p)
			return -ENOMEM;
		k->at = p;
		k->room = room;
	}
	memcpy(k->at + (size_t)k->n++ * k->size, key, k->size);
	return 0;
}

static int xtr_dp_key_cmp(const void *a, const void *b, void *size)
{
	return memcmp(a, b, *(size_t *)size);
}

/* Deletes every key that is not among the n sorted ones. */
static int xtr_dp_map_sweep(int fd, const uint8_t *sorted, unsigned n, size_t key_size)
{
	struct xtr_dp_keys have = { .size = key_size };
	int r = xtr_dp_each_key(fd, key_size, xtr_dp_keep_key, &have);

	for (unsigned i = 0; !r && i < have.n; i++) {
		const uint8_t *key = have.at + i * key_size;
		unsigned lo = 0, hi = n;

		while (lo < hi) {
			unsigned mid = (lo + hi) / 2;

			if (memcmp(sorted + mid * key_size, key, key_size) < 0)
				lo = mid + 1;
			else
				hi = mid;
		}
		if (lo == n || memcmp(sorted + lo * key_size, key, key_size))
			bpf_map_delete_elem(fd, key);
	}
	free(have.at);
	return r;
}

int xtr_dp_map_sync(int fd, const void *records, unsigned n, size_t key_size, size_t value_size,
		    bool keep)
{
	const uint8_t *rec = records;
	size_t step = key_size + value_size;
	uint8_t old[512], *keys;
	int r;

	if (value_size > sizeof(old))
		return -EINVAL;
	for (unsigned i = 0; i < n; i++) {
		const uint8_t *key = rec + i * step, *value = key + key_size;

		/* Of the maps with such short keys none is a longest-prefix map, whose answer may be a
		 * shorter prefix's. */
		if (key_size <= 8 && !bpf_map_lookup_elem(fd, key, old) &&
		    !memcmp(old, value, value_size))
			continue;
		if (bpf_map_update_elem(fd, key, value, BPF_ANY))
			return -errno;
	}
	if (keep)
		return 0;
	keys = malloc(n * key_size + 1);
	if (!keys)
		return -ENOMEM;
	for (unsigned i = 0; i < n; i++)
		memcpy(keys + i * key_size, rec + i * step, key_size);
	qsort_r(keys, n, key_size, xtr_dp_key_cmp, &key_size);
	r = xtr_dp_map_sweep(fd, keys, n, key_size);
	free(keys);
	return r;
}

/* xtr_gen: the daemon is its only writer, so it knows what is in it, and writes where the programs read. 0 is never a generation. */
static void xtr_dp_gen_next(uint32_t *v)
{
	if (!++*v)
		*v = 1;
}

void xtr_dp_gen_shards(struct xtr_dp *dp, const __u32 *shards, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		xtr_dp_gen_next(&dp->gen[shards[i]]);
		__atomic_store_n(&dp->gen_at[shards[i]], dp->gen[shards[i]], __ATOMIC_SEQ_CST);
	}
}

void xtr_dp_gen_bump_one(struct xtr_dp *dp, __u32 shard)
{
	xtr_dp_gen_shards(dp, &shard, 1);
}

/* Of an entry: later, if entries are being collected, after them. */
void xtr_dp_gen_bump(struct xtr_dp *dp, uint32_t iid, const struct xtr_ippfx *p)
{
	__u32 all[XTR_GEN_BEAT], shard;
	uint32_t w[2];

	if (p && p->len >= (p->ip.family == 4 ? XTR_GEN_BITS4 : XTR_GEN_BITS6)) {
		memcpy(w, p->ip.a, sizeof(w));
		shard = p->ip.family == 4 ? xtr_gen_shard4(iid, ntohl(w[0]))
					  : xtr_gen_shard6(iid, ntohl(w[0]), ntohl(w[1]));
		if (!xtr_dp_batch_gen(dp, shard))
			xtr_dp_gen_shards(dp, &shard, 1);
		return;
	}
	if (p && xtr_dp_batch_gen(dp, XTR_GEN_SLOTS))
		return;
	for (shard = 0; shard < XTR_GEN_BEAT; shard++)
		all[shard] = shard;
	xtr_dp_gen_shards(dp, all, XTR_GEN_BEAT);
}

/* CONFIG_HZ: the coarse clock ticks once a jiffy. */
unsigned xtr_dp_hz(void)
{
	struct timespec ts;

	if (clock_getres(CLOCK_MONOTONIC_COARSE, &ts) || ts.tv_sec || ts.tv_nsec <= 0)
		return 250;
	return (unsigned)((1000000000L + ts.tv_nsec / 2) / ts.tv_nsec);
}

static uint64_t xtr_dp_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

int xtr_dp_clock(struct xtr_dp *dp)
{
	uint8_t frame[64] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	struct xtr_cfg cfg;
	__u32 zero = 0;

	if (bpf_program__type(dp->skel->progs.xtr_clock) != BPF_PROG_TYPE_SYSCALL) {
		opts.data_in = frame;
		opts.data_size_in = sizeof(frame);
	}
	if (bpf_prog_test_run_opts(dp->prog[XTR_P_CLOCK], &opts) ||
	    bpf_map_lookup_elem(dp->map[XTR_M_CFG], &zero, &cfg))
		return -errno;
	dp->jiffies = cfg.jiffies;
	dp->jiffies_ns = xtr_dp_ns();
	return 0;
}

uint64_t xtr_dp_jiffies(const struct xtr_dp *dp)
{
	return dp->jiffies + (xtr_dp_ns() - dp->jiffies_ns) / (1000000000 / dp->hz);
}

/* Reasons that no program uses. */
static bool xtr_dp_drop_ours(unsigned reason)
{
	return (reason >= XTR_DROP_QUEUE_EID_FULL && reason <= XTR_DROP_INJECT_FAILED) ||
	       reason == XTR_DROP_CONTROL_BAD || reason == XTR_DROP_NOT_ASKED ||
	       reason == XTR_DROP_SLOW_LIMITED;
}

/* Only reasons that no program uses come here, so this is the only writer of these elements. */
void xtr_dp_drop(struct xtr_dp *dp, enum xtr_drop_reason reason, unsigned n)
{
	dp->drops[reason] += n;
	dp->drop_dirty[reason] |= n > 0;
	dp->drops_dirty |= n > 0;
}

void xtr_dp_drops_flush(struct xtr_dp *dp)
{
	uint64_t *all;

	if (!dp->drops_dirty)
		return;
	all = calloc(dp->cpus, sizeof(*all));
	if (!all)
		return;
	for (__u32 i = 0; i < XTR_DROP_MAX; i++) {
		if (!dp->drop_dirty[i] || !xtr_dp_drop_ours(i))
			continue;
		dp->drop_dirty[i] = false;
		all[0] = dp->drops[i];
		bpf_map_update_elem(dp->map[XTR_M_DROPS], &i, all, BPF_ANY);
	}
	free(all);
	dp->drops_dirty = false;
}

/* Those of a daemon before. */
void xtr_dp_drops_read(struct xtr_dp *dp)
{
	uint64_t *all = calloc(dp->cpus, sizeof(*all));

	if (!all)
		return;
	for (__u32 i = 0; i < XTR_DROP_MAX; i++)
		if (xtr_dp_drop_ours(i) && !bpf_map_lookup_elem(dp->map[XTR_M_DROPS], &i, all))
			for (unsigned c = 0; c < dp->cpus; c++)
				dp->drops[i] += all[c];
	free(all);
}
