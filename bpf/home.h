/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where a decapsulated packet belongs: its instance, whether the destination is one of our EID-prefixes, and the way to it.
 * One copy per CPU and destination has all of it (generations as in cache.h).
 *
 * The way is mostly the overlay device, out of which the stack routes. A host at an EID port is reached straight: the
 * kernel is asked once where it would send a packet to this host (bpf_fib_lookup: routes, rules and neighbours as they are),
 * and for XTR_HOME_SECONDS the answer is used again, as far as the port is one of this instance. What the kernel would treat
 * in any other way (own addresses, no forwarding, no neighbour yet, too big, TTL at its end) goes by the overlay device as
 * ever. The answer ends early when the daemon bumps the generation: own prefixes, the port, routes, rules, the neighbour. The
 * packet that finds it too old goes by the stack, so that the kernel sees the neighbour in use and confirms it, as it would
 * without us.
 */
#ifndef XTR_BPF_HOME_H
#define XTR_BPF_HOME_H

#include "cache.h"

#define XTR_HOME_SECONDS 4

/* One cache line. */
struct xtr_home {
	__u32  gen, ports;  /* of the address, of ports and instances */
	__u32  ways;        /* of routes and neighbours, when the kernel was asked */
	__u32  who;         /* instance and family */
	__be32 addr[4];
	__u32  stamp;       /* jiffies, when the kernel was asked for the way, or the copy was made */
	__u32  oif;         /* 0: by the overlay device */
	__u8   dmac[6];
	__u8   smac[6];
	__u16  mtu;
	__u16  port;        /* XTR_IF_F_* of the port */
	__u16  map_version;
	__u8   flags;       /* XTR_LOCAL_F_* */
	__u8   is;          /* enum xtr_home_is */
	__u32  overlay;     /* as in struct xtr_inst */
};
enum xtr_home_is {
	XTR_HOME_ASKED = 1 << 0, /* there was an answer */
	XTR_HOME_AWAY  = 1 << 1, /* the instance is not in the host's own routing */
};

XTR_COPIES(xtr_homes, 14, struct xtr_home); /* copy_bits */

/* Fills in what the maps say. Not 0: there is no such instance. */
XTR_GLOBAL int xtr_home_read(struct xtr_home *h, __u32 iid, __u32 family, const struct xtr_inner *in)
{
	__u32 gen, ports;
	struct xtr_local *own;
	struct xtr_inst *inst;
	struct xtr_lpm6 k;

	if (!h || !in)
		return -1;
	h->gen = h->oif = h->is = h->stamp = 0;
	gen = xtr_gen_before(xtr_gen_of(iid, family, &in->dst));
	ports = xtr_gen_before(XTR_GEN_PORTS);
	inst = bpf_map_lookup_elem(&xtr_inst, &iid);
	if (!inst)
		return -1;
	h->overlay = inst->overlay;
	if (inst->flags & (XTR_INST_F_ELSEWHERE | XTR_INST_F_APART))
		h->is = XTR_HOME_AWAY;
	xtr_key(&k, iid, family, &in->dst);
	own = xtr_local_get(&k);
	h->flags = own ? own->flags : 0;
	h->map_version = own ? own->map_version : 0;
	h->who = iid | family << 24;
	__builtin_memcpy(h->addr, in->dst.w, sizeof(h->addr));
	h->ports = ports;
	barrier();
	h->gen = gen;
	return 0;
}

/* The home of an inner destination. NULL: there is no such instance. */
XTR_INLINE struct xtr_home *xtr_home_get(__u32 iid, const struct xtr_inner *in)
{
	__u32 who = iid | (__u32)in->family << 24, i = xtr_mine(xtr_spread(iid, &in->dst, in->family, copy_bits), copy_bits);
	__u32 gen = xtr_gen_now(xtr_gen_of(iid, in->family, &in->dst)), ports = xtr_gen_now(XTR_GEN_PORTS);
	struct xtr_home *s = bpf_map_lookup_elem(&xtr_homes, &i);

	if (!s)
		return NULL;
	if (gen && ports && s->gen == gen && s->ports == ports && s->who == who && xtr_words_equal(s->addr, in->dst.w))
		return s;
	return xtr_home_read(s, iid, in->family, in) ? NULL : s;
}

/* Asks the kernel for the way. A function of its own: rare, and large on the stack. */
XTR_FUNC int xtr_home_ask(void *ctx, struct xtr_home *h, const struct xtr_inner *in)
{
	struct bpf_fib_lookup fib = {};
	struct xtr_iface *port;

	if (!h || !in)
		return 0;
	h->ways = xtr_gen_before(XTR_GEN_WAYS);
	h->is |= XTR_HOME_ASKED;
	h->oif = 0;
	/* without a daemon nobody looks whether this host has begun to filter what it forwards, or to route it by rules */
	if ((__u32)bpf_jiffies64() - *(volatile __u32 *)&xtr_gen[XTR_GEN_BEAT] + xtr_cfg.hz > xtr_cfg.heartbeat_max + xtr_cfg.hz)
		return 0;
	fib.ifindex = h->overlay;
	fib.l4_protocol = in->proto;
	/* The MTU is ours to judge, as of a super-packet the segments count, not the whole. Without a length the kernel would look
	 * at the packet itself, which still has its outer headers. */
	fib.tot_len = IP4_HLEN;
	if (in->family == XTR_FAMILY_IP4) {
		fib.family = AF_INET;
		fib.tos = in->tos & 0x1c;
		fib.ipv4_src = in->src.w[0];
		fib.ipv4_dst = in->dst.w[0];
	} else {
		fib.family = AF_INET6;
		__builtin_memcpy(fib.ipv6_src, in->src.w, 16);
		__builtin_memcpy(fib.ipv6_dst, in->dst.w, 16);
	}
	/* By rules and all tables; with IPv6 by the main table: the lookup for programs does not go on behind the throw route
	 * that our prefixes have in the table of EID routes. */
	if (bpf_fib_lookup(ctx, &fib, sizeof(fib), in->family == XTR_FAMILY_IP4 ? 0 : BPF_FIB_LOOKUP_DIRECT) !=
	    BPF_FIB_LKUP_RET_SUCCESS)
		return 0;
	port = xtr_iface_get(fib.ifindex, 0);
	if (!port || port->role != XTR_ROLE_EID || port->iid != (h->who & 0xffffff))
		return 0;
	__builtin_memcpy(h->dmac, fib.dmac, 6);
	__builtin_memcpy(h->smac, fib.smac, 6);
	h->mtu = port->mtu;
	h->port = port->flags;
	h->oif = fib.ifindex;
	return 0;
}

/*
 * Is it small enough for the port? Of a super-packet each segment has to be. at: where the inner packet begins. Those of UDP are not for
 * ports: the overlay device segments them.
 */
XTR_INLINE bool xtr_home_fits(const struct xtr_ctx *c, const struct xtr_home *h, const struct xtr_inner *in, __u32 at)
{
	__u32 gso = xtr_gso_size(c);
	__u8 offset;

	if (!gso)
		return in->len <= h->mtu;
	if (in->proto != IPPROTO_TCP || xtr_load(c, at + in->l3len + 12, &offset, 1))
		return false;
	return in->l3len + (offset >> 4) * 4 + gso <= h->mtu;
}

/*
 * May the packet go straight out of a port? new_ttl: of the inner header as it would leave the overlay device. at: where the
 * inner packet begins.
 */
XTR_INLINE bool xtr_home_straight(const struct xtr_ctx *c, const struct xtr_cfg *cfg, struct xtr_home *h,
				  const struct xtr_inner *in, __u32 at, __u8 new_ttl, __u64 now)
{
	bool old;

	if (!(cfg->flags & XTR_CFG_F_DIRECT) || !h->gen || h->is & XTR_HOME_AWAY)
		return false;
	if (h->flags & XTR_LOCAL_F_GROUP) /* who wants it, and where, is the stack's to know */
		return false;
	/* time exceeded, and IPv4 options: the stack's */
	if (new_ttl <= 1 || (in->family == XTR_FAMILY_IP4 && in->l3len != IP4_HLEN))
		return false;
	old = h->is & XTR_HOME_ASKED && (__u32)now - h->stamp >= cfg->hz * XTR_HOME_SECONDS;
	if (!(h->is & XTR_HOME_ASKED) || old || h->ways != xtr_gen_now(XTR_GEN_WAYS)) {
		xtr_home_ask(c->skb ? (void *)c->skb : (void *)c->xdp, h, in);
		/* where slots are too few, none ever gets old */
		old |= !(bpf_get_prandom_u32() & 15);
		h->stamp = now;
		if (old)
			return false;
	}
	if (!h->oif || (c->xdp && !(h->port & XTR_IF_F_XDP_TX)))
		return false;
	return xtr_home_fits(c, h, in, at);
}

#endif
