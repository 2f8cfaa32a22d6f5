// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What it costs to find where a packet goes: the product's own lookup (bpf/cache.h) for addresses at random among so many, and
 * the same program without it. The difference is the price. Maps are those of the product, of our own.
 */
#include "cache.h"

volatile __u32 hit_active = 1;

static __u32 seed = 0x1234567;

XTR_INLINE __u32 hit_mix(__u32 h)
{
	h ^= h >> 16;
	h *= 0x85ebca6b;
	h ^= h >> 13;
	h *= 0xc2b2ae35;
	return h ^ h >> 16;
}

/* Somewhere in 11.0.0.0/8. */
XTR_INLINE void hit_next(struct xtr_inner *p)
{
	__u32 x = seed;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	seed = x;
	p->family = XTR_FAMILY_IP4;
	p->dst.w[0] = bpf_htonl(11u << 24 | (hit_mix((__u64)x * hit_active >> 32) & 0xffffff));
}

SEC("xdp")
int hit_empty(struct xdp_md *xdp)
{
	struct xtr_cfg *cfg = &xtr_cfg;
	struct xtr_inner p = {};
	struct xtr_dest d = {};

	hit_next(&p);
	barrier_var(cfg);
	barrier_var(p.dst.w[0]);
	return d.rset == p.dst.w[0] ? XTR_DEST_NONE : XTR_DEST_FOUND;
}

SEC("xdp")
int hit_lookup(struct xdp_md *xdp)
{
	struct xtr_cfg *cfg = &xtr_cfg;
	struct xtr_inner p = {};
	const struct xtr_dest *d;

	hit_next(&p);
	d = xtr_dest_get(cfg, 0, &p, bpf_jiffies64());
	return d ? d->is & 0xff : XTR_DEST_NONE;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
