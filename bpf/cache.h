/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What lies in front of the maps. A lookup in a trie of a million prefixes takes microseconds, one in a hash tens of
 * nanoseconds; nearly all packets need what one needed a moment ago. So each CPU has small arrays of copies, each mapped
 * directly (one compare), for ports, templates, own locators, sources and destinations; for destinations that collide there,
 * or are too many, an LRU hash that all CPUs share; behind them the maps of the control plane.
 *
 * Right under change: each copy carries the generation of its shard (xtr_gen) that was read BEFORE the map. The daemon
 * writes the maps first and bumps the generation then. So a copy whose generation is still the shard's was read from maps
 * that had every change before it: no packet goes by what was replaced before the packet came. Any other order lets stale
 * copies live for ever. Copies end with time, too: those of destinations after some seconds, when the map-cache entry gets its
 * stamp of use, which idle timeouts go by; those of templates after one, when the heartbeat is seen. Generation 0 is never used
 * by the daemon: nothing is copied then.
 *
 * An element of an LRU hash is used for another key at once when it is pushed out, even while somebody reads it. So what was
 * copied from there is believed only if its check word says that it is whole, and this destination's.
 *
 * A scan may not push out what is in use: the shared hash takes a new destination only now and then.
 */
#ifndef XTR_BPF_CACHE_H
#define XTR_BPF_CACHE_H

#include "lookup.h"

#ifndef BPF_ANY
#define BPF_ANY 0
#endif

#define XTR_CPORT_BITS 6
#define XTR_CSELF_BITS 4
#define XTR_CTMPL_BITS 10
#define XTR_NEAR_BITS 12
#define XTR_DEST_LRU 131072
#define XTR_DEST_LRU_ODDS 4 /* one newcomer in so many gets into the shared hash */

struct xtr_cself {
	__u32  gen, family;
	__be32 addr[4];
};
struct xtr_ctmpl {
	__u32 gen, id, stamp, pad;
	struct xtr_rloc t;
};
/* What is known of a source: flags of xtr_local, and above them its map-version; 0: it is none of ours. */
struct xtr_near {
	__u32  gen;
	__u32  who;         /* instance and family */
	__be32 addr[4];
	__u32  known;
};
struct xtr_cport {
	__u32 gen, ifindex, vlan;
	__u32 singles;      /* gro.h */
	struct xtr_iface i; /* role none: there is none */
	/* The last of these at this port; mostly the next packet has the same. Both are made by XDP only. */
	union {
		struct xtr_near  near; /* EID port: source */
		struct xtr_cself self; /* underlay port: destination that is an own locator */
	};
} __attribute__((aligned(64)));
/* What is known of a destination EID. */
struct xtr_dest {
	__u32 gen;
	__u32 stamp;        /* jiffies */
	__u32 rset;
	__u32 rloc;         /* the only locator of the set; 0: several, the flow decides */
	__u16 map_version;
	__u8  action;       /* enum xtr_action */
	__u8  pad;
	__u32 is;           /* enum xtr_dest_is, and above its 8 bits what xtr_eid.hold says. In the shared hash: check word of all of
			     * it, and of whose it is */
};
struct xtr_dkey {
	__u32  who;         /* instance and family */
	__be32 addr[4];
};
/* Two ways a slot: of 8000 destinations in use 3 % have no place, of which there would be 39 % with one. Of IPv4 they are one
 * cache line. */
struct xtr_dest4 {
	__u32  iid;
	__be32 addr;
	struct xtr_dest d;
};
struct xtr_dest6 {
	__u32  iid;
	__be32 addr[4];
	struct xtr_dest d;
};
struct xtr_dests4 {
	struct xtr_dest4 way[2];
};
struct xtr_dests6 {
	struct xtr_dest6 way[2];
};

/*
 * Each CPU has its part of these arrays, one after the other; the loader makes them as large as there are CPUs (for one here).
 * Not arrays of the kernel's per-CPU kind: an element of those is reached by two more loads that wait for each other, and begins
 * anywhere in a cache line. What can be mapped begins a page.
 */
#define XTR_COPIES(name, bits, of)                       \
	struct {                                         \
		__uint(type, BPF_MAP_TYPE_ARRAY);        \
		__uint(map_flags, BPF_F_MMAPABLE);       \
		__uint(max_entries, 1 << (bits));        \
		__type(key, __u32);                      \
		__type(value, of);                       \
	} name SEC(".maps")

XTR_COPIES(xtr_cports, XTR_CPORT_BITS, struct xtr_cport);
XTR_COPIES(xtr_cselfs, XTR_CSELF_BITS, struct xtr_cself);
XTR_COPIES(xtr_ctmpls, XTR_CTMPL_BITS, struct xtr_ctmpl);
XTR_COPIES(xtr_nears, XTR_NEAR_BITS, struct xtr_near);
/* The loader makes these smaller where there are many CPUs: copy_bits. */
XTR_COPIES(xtr_dests4, 14, struct xtr_dests4);
XTR_COPIES(xtr_dests6, 14, struct xtr_dests6);

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, XTR_DEST_LRU);
	__type(key, struct xtr_dkey);
	__type(value, struct xtr_dest);
} xtr_dlru SEC(".maps");

const volatile __u8 copy_bits = 14; /* slots for destinations, of a CPU, family and direction, as a power of two */

enum xtr_dest_is {
	XTR_DEST_NONE,      /* no map-cache entry */
	XTR_DEST_FOUND,
	XTR_DEST_OWN,       /* one of our prefixes or addresses */
};

/* This CPU's slot of so many. */
XTR_INLINE __u32 xtr_mine(__u32 slot, __u32 bits)
{
	return bpf_get_smp_processor_id() << bits | slot;
}

/* ---- generations */

/* The shard of an address. */
XTR_INLINE __u32 xtr_gen_of(__u32 iid, __u8 family, const struct xtr_abi_ip *a)
{
	return family == XTR_FAMILY_IP4 ? xtr_gen_shard4(iid, bpf_ntohl(a->w[0])) :
					  xtr_gen_shard6(iid, bpf_ntohl(a->w[0]), bpf_ntohl(a->w[1]));
}

/* What a copy was made with may be used now. 0: nothing may. */
XTR_INLINE __u32 xtr_gen_now(__u32 shard)
{
	return shard < XTR_GEN_SLOTS ? *(volatile __u32 *)&xtr_gen[shard] : 0;
}

/* For a new copy: read with a full barrier, so that it is before the map. 0: no copy may be made. */
XTR_INLINE __u32 xtr_gen_before(__u32 shard)
{
	return shard < XTR_GEN_SLOTS ? __sync_fetch_and_add(&xtr_gen[shard], 0) : 0;
}

/* The slot of an address, bits wide. */
XTR_INLINE __u32 xtr_spread(__u32 iid, const struct xtr_abi_ip *a, __u8 family, __u32 bits)
{
	__u64 h = xtr_flow_pair(a->w[0], iid) * 0x9e3779b97f4a7c15ull;

	if (family == XTR_FAMILY_IP6)
		h = xtr_flow_pair(a->w[0], a->w[1]) * 0x9e3779b97f4a7c15ull + xtr_flow_pair(a->w[2], a->w[3]) * 0xc2b2ae3d27d4eb4full +
		    iid * 0x165667b19e3779f9ull;
	h = (h ^ h >> 32) * 0xe7037ed1a0b428dbull;
	return h >> (64 - bits);
}

XTR_INLINE bool xtr_words_equal(const __be32 *a, const __be32 *b)
{
	return !((a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3]));
}

/*
 * ---- ports, templates, own locators. Even what may not be copied is looked at in the slot of this CPU, which no other packet
 * gets before this one has gone: so there is one place where it can be, and half as much for the verifier to look at.
 */

XTR_GLOBAL int xtr_cport_fill(struct xtr_cport *c, __u32 ifindex, __u32 vlan)
{
	struct xtr_iface *ifc;
	__u32 gen;

	if (!c)
		return 0;
	c->gen = 0;
	c->near.gen = 0;
	gen = xtr_gen_before(XTR_GEN_PORTS);
	ifc = xtr_iface_get(ifindex, vlan);
	if (ifc)
		c->i = *ifc;
	else
		c->i.role = XTR_ROLE_NONE;
	c->ifindex = ifindex;
	c->vlan = vlan;
	barrier();
	c->gen = gen;
	return 0;
}

/* The copy for a port. NULL: never. */
XTR_INLINE struct xtr_cport *xtr_cport_get(__u32 ifindex, __u32 vlan)
{
	__u32 i = xtr_mine((ifindex ^ vlan * 7) % (1 << XTR_CPORT_BITS), XTR_CPORT_BITS);
	struct xtr_cport *c = bpf_map_lookup_elem(&xtr_cports, &i);
	__u32 gen = xtr_gen_now(XTR_GEN_PORTS);

	if (c && (!gen || c->gen != gen || c->ifindex != ifindex || c->vlan != vlan))
		xtr_cport_fill(c, ifindex, vlan);
	return c;
}

/* As xtr_iface_get, for the port that every packet asks for. */
XTR_INLINE struct xtr_iface *xtr_port_get(__u32 ifindex, __u32 vlan)
{
	struct xtr_cport *c = xtr_cport_get(ifindex, vlan);

	return c && c->i.role != XTR_ROLE_NONE ? &c->i : NULL;
}

/* Largest IP packet that fits out of a port. */
XTR_INLINE __u32 xtr_port_mtu(const struct xtr_ctx *c, __u32 ifindex)
{
	__u32 mtu = 0;

	/* asked for its answer in mtu, not for its verdict */
	bpf_check_mtu(c->skb ? (void *)c->skb : (void *)c->xdp, ifindex, &mtu, 0, 0);
	return mtu;
}

/* Largest IP packet that fits out of the underlay port towards the locator. */
XTR_INLINE __u32 xtr_path_mtu(const struct xtr_ctx *c, const struct xtr_rloc *t)
{
	return t->mtu ?: xtr_port_mtu(c, t->ifindex);
}

/* As xtr_rloc_get. Heartbeat and the port's MTU, which stands for that of a path where none is known, may be a second old. */
XTR_INLINE struct xtr_rloc *xtr_tmpl_get(const struct xtr_ctx *ctx, __u32 id, const struct xtr_cfg *cfg, __u64 now)
{
	__u32 i = xtr_mine(id % (1 << XTR_CTMPL_BITS), XTR_CTMPL_BITS);
	struct xtr_ctmpl *c = bpf_map_lookup_elem(&xtr_ctmpls, &i);
	__u32 gen = xtr_gen_now(XTR_GEN_RLOCS);
	struct xtr_rloc *t;

	if (!c)
		return NULL;
	if (!gen || c->gen != gen || c->id != id || (__u32)now - c->stamp >= cfg->hz) {
		c->gen = 0;
		if (gen)
			gen = xtr_gen_before(XTR_GEN_RLOCS);
		t = xtr_rloc_get(id);
		if (!t)
			return NULL;
		c->t = *t;
		if (!c->t.mtu)
			c->t.mtu = xtr_port_mtu(ctx, c->t.ifindex);
		c->id = id;
		c->stamp = now;
		barrier();
		c->gen = gen;
	}
	return &c->t;
}

XTR_INLINE void xtr_self_keep(struct xtr_cself *c, __u32 gen, __u8 family, const struct xtr_abi_ip *a)
{
	c->gen = 0;
	c->family = family;
	__builtin_memcpy(c->addr, a->w, sizeof(c->addr));
	barrier();
	c->gen = gen;
}

/* As xtr_is_self, for the destination of what comes in: mostly it is. */
XTR_INLINE bool xtr_self_get(__u8 family, const struct xtr_abi_ip *a)
{
	__u32 i = xtr_mine(bpf_ntohl(a->w[0] ^ a->w[3]) % (1 << XTR_CSELF_BITS), XTR_CSELF_BITS);
	struct xtr_cself *c = bpf_map_lookup_elem(&xtr_cselfs, &i);
	__u32 gen = xtr_gen_now(XTR_GEN_PORTS);

	if (!gen || !c)
		return xtr_is_self(family, a);
	if (c->gen == gen && c->family == family && xtr_words_equal(c->addr, a->w))
		return true;
	gen = xtr_gen_before(XTR_GEN_PORTS);
	if (!xtr_is_self(family, a))
		return false;
	xtr_self_keep(c, gen, family, a);
	return true;
}

/* The same at a port, which is asked first. */
XTR_INLINE bool xtr_self_at(struct xtr_cport *port, __u8 family, const struct xtr_abi_ip *a)
{
	__u32 gen = xtr_gen_now(XTR_GEN_PORTS);
	struct xtr_cself *c = &port->self;

	if (gen && c->gen == gen && c->family == family && xtr_words_equal(c->addr, a->w))
		return true;
	if (!xtr_self_get(family, a))
		return false;
	/* it was one in a generation that is not older than this */
	xtr_self_keep(c, port->i.role == XTR_ROLE_UNDERLAY ? gen : 0, family, a);
	return true;
}

/* ---- sources */

XTR_GLOBAL int xtr_near_fill(struct xtr_near *c, __u32 iid, __u32 family, const struct xtr_abi_ip *a)
{
	struct xtr_local *own;
	struct xtr_lpm6 k;
	__u32 gen;

	if (!c || !a)
		return 0;
	c->gen = 0;
	gen = xtr_gen_before(xtr_gen_of(iid, family, a));
	xtr_key(&k, iid, family, a);
	own = xtr_local_get(&k);
	c->who = iid | family << 24;
	__builtin_memcpy(c->addr, a->w, sizeof(c->addr));
	c->known = own ? (own->flags & 0xffff) | (__u32)own->map_version << 16 : 0;
	barrier();
	c->gen = gen;
	return 0;
}

XTR_INLINE bool xtr_near_is(const struct xtr_near *c, __u32 gen, __u32 who, const struct xtr_abi_ip *a)
{
	return gen && c->gen == gen && c->who == who && xtr_words_equal(c->addr, a->w);
}

/*
 * Flags (XTR_LOCAL_F_*) of an address of ours, and above them its map-version; 0: it is none. port: where the packet came in,
 * which is asked first, or NULL.
 */
XTR_INLINE __u32 xtr_near_get(struct xtr_cport *port, __u32 iid, __u8 family, const struct xtr_abi_ip *a)
{
	__u32 gen = xtr_gen_now(xtr_gen_of(iid, family, a)), who = iid | (__u32)family << 24, i;
	struct xtr_near *c;

	if (port && xtr_near_is(&port->near, gen, who, a))
		return port->near.known;
	i = xtr_mine(xtr_spread(iid, a, family, XTR_NEAR_BITS), XTR_NEAR_BITS);
	c = bpf_map_lookup_elem(&xtr_nears, &i);
	if (!c)
		return 0;
	if (!xtr_near_is(c, gen, who, a))
		xtr_near_fill(c, iid, family, a);
	if (port && port->i.role == XTR_ROLE_EID) {
		port->near.gen = 0;
		port->near.who = c->who;
		__builtin_memcpy(port->near.addr, c->addr, sizeof(c->addr));
		port->near.known = c->known;
		barrier();
		port->near.gen = c->gen;
	}
	return c->known;
}

/* ---- destinations */

/* Positive ones live for four seconds, others for one or two: routes are made and go by the stamps of native ones. */
XTR_INLINE bool xtr_dest_fresh(const struct xtr_dest *d, const struct xtr_cfg *cfg, __u64 now)
{
	_Static_assert(XTR_ACT_ENCAP >> 2 == 2 && XTR_ACT_DROP_AUTH >> 2 == 1, "a power of two by the action");
	return (__u32)now - d->stamp < cfg->hz << (d->action >> 2 & 3);
}

XTR_INLINE bool xtr_dest_young(const struct xtr_dest *d, __u32 gen, const struct xtr_cfg *cfg, __u64 now)
{
	return d->gen == gen && xtr_dest_fresh(d, cfg, now);
}

/* Products that do not wait for each other. */
XTR_INLINE __u32 xtr_dest_check(const struct xtr_dest *d, const struct xtr_dkey *k)
{
	return d->gen * 0x9e3779b1u + d->stamp * 0x85ebca6bu + d->rset * 0xc2b2ae35u + d->rloc * 0x27d4eb2fu +
	       (d->map_version | (__u32)d->action << 16) * 0x165667b1u + k->who * 0xcc9e2d51u + k->addr[0] * 0x1b873593u +
	       k->addr[1] * 0xe6546b65u + k->addr[2] * 0x2c1b3c6du + k->addr[3] * 0x297a2d39u + 0x4c495350u;
}

/* What the shared hash holds, if it is whole and may still be used. */
XTR_INLINE bool xtr_dest_take(struct xtr_dest *d, const struct xtr_dest *l, __u32 gen, const struct xtr_cfg *cfg, __u64 now,
			      const struct xtr_dkey *k)
{
	if (!l || !gen)
		return false;
	*d = *(const volatile struct xtr_dest *)l;
	return xtr_dest_young(d, gen, cfg, now) && d->is == xtr_dest_check(d, k);
}

/* From the tries; d->gen is the caller's. hold: of the entry; such a one is not to be copied. */
XTR_INLINE int xtr_dest_read(struct xtr_cfg *cfg, __u32 iid, const struct xtr_inner *p, __u64 now, struct xtr_dest *d, __u32 *hold)
{
	struct xtr_local *own;
	struct xtr_rset *set;
	struct xtr_eid *e;
	struct xtr_lpm6 k;

	xtr_key(&k, iid, p->family, &p->dst);
	own = xtr_local_get(&k);
	if (own && own->flags) /* RFC 9300 4.2: no lookup for our own prefixes */
		return XTR_DEST_OWN;
	e = xtr_eid_get(&k);
	if (!e)
		return XTR_DEST_NONE;
	xtr_eid_touch(e, cfg, now);
	*hold = e->hold;
	d->stamp = now;
	d->rset = e->rset;
	d->rloc = 0;
	d->map_version = e->map_version;
	d->action = e->action;
	d->pad = 0;
	if (e->action == XTR_ACT_ENCAP) {
		set = xtr_rset_get(e->rset);
		if (set && set->n == 1 && !set->bucket[0])
			d->rloc = set->rloc[0];
	}
	return XTR_DEST_FOUND;
}

/* Where a packet to p->dst goes. s: where it is kept. */
XTR_GLOBAL int xtr_dest_fill(struct xtr_cfg *cfg, __u32 iid, const struct xtr_inner *p, struct xtr_dest *s)
{
	__u64 now = bpf_jiffies64();
	struct xtr_dest d = {}, *l;
	__u32 hold = 0, shard, gen, is = XTR_DEST_FOUND;
	struct xtr_dkey k;

	if (!cfg || !p || !s)
		return 0;
	shard = xtr_gen_of(iid, p->family, &p->dst);
	s->gen = 0;
	k.who = iid | (__u32)p->family << 24;
	__builtin_memcpy(k.addr, p->dst.w, sizeof(k.addr));
	gen = xtr_gen_now(shard);
	l = gen ? bpf_map_lookup_elem(&xtr_dlru, &k) : NULL;
	if (!xtr_dest_take(&d, l, gen, cfg, now, &k)) {
		if (gen)
			gen = xtr_gen_before(shard);
		is = xtr_dest_read(cfg, iid, p, now, &d, &hold);
		d.gen = is != XTR_DEST_FOUND || hold ? 0 : gen;
		d.is = xtr_dest_check(&d, &k);
		if (d.gen && (l || bpf_get_prandom_u32() % XTR_DEST_LRU_ODDS == 0))
			bpf_map_update_elem(&xtr_dlru, &k, &d, BPF_ANY);
	}
	s->stamp = d.stamp;
	s->rset = d.rset;
	s->rloc = d.rloc;
	s->map_version = d.map_version;
	s->action = d.action;
	s->is = is | hold << 8;
	barrier();
	s->gen = d.gen;
	return 0;
}

XTR_INLINE bool xtr_dest_lives(const struct xtr_dest *d, const struct xtr_cfg *cfg, __u64 now)
{
	return d->gen && xtr_dest_fresh(d, cfg, now);
}

/*
 * The way of a slot that is a destination's, or gets it. What serves another destination stays mostly, or a scan would throw
 * everything out: then 2, which is slot 0, where nobody stays for long.
 */
XTR_INLINE __u32 xtr_dest_way(const struct xtr_dest *d0, bool same0, const struct xtr_dest *d1, bool same1,
			      const struct xtr_cfg *cfg, __u64 now)
{
	__u32 dice;

	if (same0 || same1)
		return !same0;
	if (!xtr_dest_lives(d0, cfg, now))
		return 0;
	if (!xtr_dest_lives(d1, cfg, now))
		return 1;
	dice = bpf_get_prandom_u32();
	return dice & 6 ? 2 : dice & 1;
}

XTR_INLINE const struct xtr_dest *xtr_dest_get4(struct xtr_cfg *cfg, __u32 iid, const struct xtr_inner *p, __u64 now)
{
	__u32 i = xtr_mine(xtr_spread(iid, &p->dst, XTR_FAMILY_IP4, copy_bits), copy_bits), w;
	__u32 gen = xtr_gen_now(xtr_gen_of(iid, XTR_FAMILY_IP4, &p->dst));
	struct xtr_dests4 *at = bpf_map_lookup_elem(&xtr_dests4, &i);
	__be32 a = p->dst.w[0];
	struct xtr_dest4 *s;

	if (!at)
		return NULL;
	s = at->way;
	if (gen && s->iid == iid && s->addr == a && xtr_dest_young(&s->d, gen, cfg, now)) /* nearly always */
		return &s->d;
	w = xtr_dest_way(&s[0].d, s[0].iid == iid && s[0].addr == a, &s[1].d, s[1].iid == iid && s[1].addr == a, cfg, now);
	if (w > 1) {
		i = xtr_mine(0, copy_bits);
		at = bpf_map_lookup_elem(&xtr_dests4, &i);
		if (!at)
			return NULL;
		s = at->way;
	} else {
		s += w & 1;
	}
	if (!gen || s->iid != iid || s->addr != a || !xtr_dest_young(&s->d, gen, cfg, now)) {
		s->d.gen = 0;
		s->iid = iid;
		s->addr = a;
		xtr_dest_fill(cfg, iid, p, &s->d);
	}
	return &s->d;
}

XTR_INLINE bool xtr_dest6_is(const struct xtr_dest6 *s, __u32 iid, const struct xtr_abi_ip *a)
{
	return s->iid == iid && xtr_words_equal(s->addr, a->w);
}

XTR_INLINE const struct xtr_dest *xtr_dest_get6(struct xtr_cfg *cfg, __u32 iid, const struct xtr_inner *p, __u64 now)
{
	__u32 i = xtr_mine(xtr_spread(iid, &p->dst, XTR_FAMILY_IP6, copy_bits), copy_bits), w;
	__u32 gen = xtr_gen_now(xtr_gen_of(iid, XTR_FAMILY_IP6, &p->dst));
	struct xtr_dests6 *at = bpf_map_lookup_elem(&xtr_dests6, &i);
	struct xtr_dest6 *s;

	if (!at)
		return NULL;
	s = at->way;
	if (gen && xtr_dest6_is(s, iid, &p->dst) && xtr_dest_young(&s->d, gen, cfg, now))
		return &s->d;
	w = xtr_dest_way(&s[0].d, xtr_dest6_is(&s[0], iid, &p->dst), &s[1].d, xtr_dest6_is(&s[1], iid, &p->dst), cfg, now);
	if (w > 1) {
		i = xtr_mine(0, copy_bits);
		at = bpf_map_lookup_elem(&xtr_dests6, &i);
		if (!at)
			return NULL;
		s = at->way;
	} else {
		s += w & 1;
	}
	if (!gen || !xtr_dest6_is(s, iid, &p->dst) || !xtr_dest_young(&s->d, gen, cfg, now)) {
		s->d.gen = 0;
		s->iid = iid;
		__builtin_memcpy(s->addr, p->dst.w, sizeof(s->addr));
		xtr_dest_fill(cfg, iid, p, &s->d);
	}
	return &s->d;
}

/* Where a packet to p->dst goes, by what this CPU remembers. NULL: never. */
XTR_INLINE const struct xtr_dest *xtr_dest_get(struct xtr_cfg *cfg, __u32 iid, const struct xtr_inner *p, __u64 now)
{
	const struct xtr_dest *d;

	if (p->family == XTR_FAMILY_IP4) {
		d = xtr_dest_get4(cfg, iid, p, now);
		barrier_var(d);
		return d;
	}
	return xtr_dest_get6(cfg, iid, p, now);
}

/* The same where it does not matter how long it takes, but what the verifier has to look at. is: as in struct xtr_dest. */
XTR_GLOBAL int xtr_dest_find(struct xtr_cfg *cfg, __u32 iid, const struct xtr_inner *p, struct xtr_dest *d)
{
	const struct xtr_dest *at;

	if (!cfg || !p || !d)
		return 0;
	at = xtr_dest_get(cfg, iid, p, bpf_jiffies64());
	if (at)
		*d = *at;
	return 0;
}

/* The locator of this flow. NULL with *reason set: the packet cannot go anywhere. */
XTR_INLINE struct xtr_rloc *xtr_choose(const struct xtr_ctx *c, const struct xtr_dest *d, __u32 hash, const struct xtr_cfg *cfg, __u64 now,
				       int *reason)
{
	struct xtr_rset *set;
	struct xtr_rloc *t;
	__u32 i, id = d->rloc;

	*reason = XTR_DROP_NO_LOCATOR;
	if (!id) {
		set = xtr_rset_get(d->rset);
		if (!set) {
			*reason = XTR_DROP_NO_RSET;
			return NULL;
		}
		i = set->bucket[hash % XTR_BUCKETS];
		if (i >= set->n || i >= XTR_MAX_LOCATORS)
			return NULL;
		id = set->rloc[i];
	}
	t = xtr_tmpl_get(c, id, cfg, now);
	if (!t || !(t->flags & XTR_RLOC_F_UP) || !t->ifindex)
		return NULL;
	return t;
}

#endif
