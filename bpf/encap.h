/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Encapsulation (RFC 9300 4.2, 5.3): what becomes of a packet, and the outer header. Used by both hooks; nothing here
 * changes the packet except xtr_ttl_decrement and xtr_outer_write, which come last.
 */
#ifndef XTR_BPF_ENCAP_H
#define XTR_BPF_ENCAP_H

#include "cache.h"

/* What becomes of a packet. Negative: drop, for reason -verdict. */
enum xtr_verdict {
	XTR_V_ENCAP,
	XTR_V_PASS,    /* EID ports only: not ours, or the kernel has to answer (ICMP): untouched */
	XTR_V_NATIVE,  /* forward without LISP */
	XTR_V_MISS,
	XTR_V_REQUEST, /* ask the mapping system, the packet is dropped (RFC 9301 5.4) */
	XTR_V_GSO,     /* on to the peer end of the overlay device, where the kernel has segmented it. Of an EID port: with way.mc
			* a clone of it, as of XTR_V_GROUP */
	XTR_V_TOO_BIG, /* for its path: way.mtu is what would fit (icmp.h) */
	XTR_V_GROUP,   /* to a group that has a replication list: one copy to each member (mcast.h) */
};

/* The way of one packet that is to be encapsulated. */
struct xtr_way {
	struct xtr_rloc *t;
	__u32 hash;
	__u32 mtu;         /* XTR_V_TOO_BIG: of inner packets; 0: of none that makes sense */
	__u32 hold;        /* xtr_eid.hold */
	__u32 versions;    /* source and destination map-version as on the wire, 0: no V bit */
	bool  decrement;   /* we are the router hop */
	bool  cut;         /* routers on the way may fragment it */
	struct xtr_mcast *mc; /* XTR_V_GROUP: its list */
};

/* Not on an EID port: a packet there that is not LISP's business is the kernel's. */
XTR_INLINE int xtr_refuse(const struct xtr_iface *ifc, int reason)
{
	return ifc->role == XTR_ROLE_EID ? XTR_V_PASS : -reason;
}

/* LISP data from or to one of our own locators: encapsulating it again would never end. */
XTR_INLINE bool xtr_is_loop(const struct xtr_inner *p)
{
	if (p->proto != IPPROTO_UDP || p->dport != bpf_htons(XTR_PORT_DATA))
		return false;
	return xtr_is_self(p->family, &p->src) || xtr_is_self(p->family, &p->dst);
}

/* Is the packet any business of ours? Everything that holds for hits and misses alike. XTR_V_ENCAP: go on. */
XTR_INLINE int xtr_encap_admit(const struct xtr_ctx *c, const struct xtr_iface *ifc, struct xtr_inner *p)
{
	/* Kept whole it would be lost without a trace after decapsulation: see xtr_tc_encap */
	if (ifc->role == XTR_ROLE_OVERLAY && xtr_gso_size(c) && p->proto != IPPROTO_TCP)
		return XTR_V_GSO;
	if (xtr_addr_unfit(p->family, &p->dst) || xtr_addr_unfit(p->family, &p->src))
		return xtr_refuse(ifc, XTR_DROP_ENCAP_SCOPE);
	if (xtr_is_loop(p))
		return xtr_refuse(ifc, XTR_DROP_ENCAP_LOOP);
	/* at most two LISP headers: of routers behind us one (RFC 9300 4) */
	if (p->proto == IPPROTO_UDP && p->dport == bpf_htons(XTR_PORT_DATA) &&
	    xtr_is_lisp(c, xtr_l2(c) + p->l3len + UDP_HLEN + LISP_HLEN))
		return -XTR_DROP_ENCAP_NESTED;
	/* the kernel answers with time exceeded; on the overlay device it has decremented already */
	if (p->ttl <= !!(ifc->flags & XTR_IF_F_ROUTER_HOP))
		return xtr_refuse(ifc, XTR_DROP_ENCAP_TTL);
	return XTR_V_ENCAP;
}

/* Negative entries (RFC 9301 5.4). */
XTR_INLINE int xtr_encap_negative(__u8 action)
{
	switch (action) {
	case XTR_ACT_NATIVE:
		return XTR_V_NATIVE;
	case XTR_ACT_SEND_REQUEST:
		return XTR_V_REQUEST;
	case XTR_ACT_DROP:
		return -XTR_DROP_NEG_DROP;
	case XTR_ACT_DROP_POLICY:
		return -XTR_DROP_NEG_POLICY;
	case XTR_ACT_DROP_AUTH:
		return -XTR_DROP_NEG_AUTH;
	default:
		return -XTR_DROP_NEG_NO_ACTION;
	}
}

#define XTR_LEAST_MTU 68 /* RFC 791 */
#define XTR_LEAST_MTU6 1280 /* RFC 8200 5 */

/* Source rules and map-versions: both need our own mapping of the inner source. */
XTR_INLINE int xtr_encap_source(const struct xtr_ctx *c, const struct xtr_cfg *cfg, const struct xtr_iface *ifc,
				const struct xtr_inner *p, __u16 *version)
{
	/* with XDP it is always that of the copy */
	struct xtr_cport *port = c->xdp ? (void *)ifc - offsetof(struct xtr_cport, i) : NULL;
	__u32 near;

	if (!(cfg->flags & (XTR_CFG_F_CHECK_ENCAP_SOURCE | XTR_CFG_F_ACCEPT_VERSIONS)))
		return 0;
	near = xtr_near_get(port, ifc->iid, p->family, &p->src);
	if (near & XTR_LOCAL_F_EID)
		*version = near >> 16;
	else if (cfg->flags & XTR_CFG_F_CHECK_ENCAP_SOURCE)
		return -XTR_DROP_ENCAP_SOURCE;
	return 0;
}

/*
 * A packet to a group. Without a replication list it is refused, as ever. Replication is a router hop of ours on every port, so a
 * TTL of 1 ends here.
 */
XTR_INLINE int xtr_encap_group(const struct xtr_ctx *c, const struct xtr_cfg *cfg, const struct xtr_iface *ifc,
			       struct xtr_inner *p, struct xtr_way *w)
{
	bool super = xtr_gso_size(c);
	__u16 version;
	int r;

	if (super && p->proto != IPPROTO_TCP && ifc->role == XTR_ROLE_OVERLAY)
		return XTR_V_GSO;
	w->mc = xtr_group_on_link(p->family, &p->dst) ? NULL : xtr_mcast_get(ifc->iid, p);
	if (!w->mc || (super && (p->proto == IPPROTO_TCP || ifc->role != XTR_ROLE_EID)) || xtr_addr_unfit(p->family, &p->src))
		return xtr_refuse(ifc, XTR_DROP_ENCAP_SCOPE);
	if (xtr_is_loop(p))
		return xtr_refuse(ifc, XTR_DROP_ENCAP_LOOP);
	if (p->ttl <= 1)
		return xtr_refuse(ifc, XTR_DROP_ENCAP_TTL);
	if (ifc->iid != XTR_IID_MAX) { /* the source of a control message is an RLOC */
		r = xtr_encap_source(c, cfg, ifc, p, &version);
		if (r)
			return r;
	}
	return super ? XTR_V_GSO : XTR_V_GROUP;
}

/*
 * The overlay device's own MTU guards it, but what has been learned of a path may be less. Super-packets count by their
 * segments. IPv6 packets of up to 1280 octets have to get through, and whoever sends them can not be told to send less: where
 * only the path is too narrow, IPv4 routers on it may fragment the outer packet, as RFC 2473 7.1 (b) has it; the other end
 * reassembles. (IPv6 routers do not fragment.)
 */
XTR_INLINE int xtr_encap_fits(const struct xtr_ctx *c, const struct xtr_iface *ifc, const struct xtr_inner *p,
			      struct xtr_way *w)
{
	__u32 path = ifc->role == XTR_ROLE_EID ? xtr_path_mtu(c, w->t) : w->t->mtu ?: 0xffffffff;
	__u32 over = w->t->family == XTR_FAMILY_IP4 ? XTR_OUTER4 : XTR_OUTER6;

	if (p->seg + over <= path)
		return XTR_V_ENCAP;
	if (p->family == XTR_FAMILY_IP6 && p->seg <= XTR_LEAST_MTU6 && w->t->family == XTR_FAMILY_IP4 &&
	    p->seg + over <= xtr_port_mtu(c, w->t->ifindex)) {
		w->cut = true;
		return XTR_V_ENCAP;
	}
	w->mtu = path >= over + XTR_LEAST_MTU ? path - over : 0;
	return XTR_V_TOO_BIG;
}

/* The decision for a packet that entered at ifc. parsed: enum xtr_parse, of p. */
XTR_INLINE int xtr_encap_decide(const struct xtr_ctx *c, struct xtr_cfg *cfg, const struct xtr_iface *ifc,
				struct xtr_inner *p, int parsed, struct xtr_way *w, __u64 now)
{
	__u16 version = 0;
	struct xtr_dest copy = {};
	const struct xtr_dest *d = &copy;
	__u32 is;
	int r;

	if (parsed != XTR_PARSE_OK)
		return xtr_refuse(ifc, parsed == XTR_PARSE_NOT_IP ? XTR_DROP_ENCAP_SCOPE : XTR_DROP_ENCAP_MALFORMED);
	if (xtr_addr_group(p->family, &p->dst))
		return xtr_encap_group(c, cfg, ifc, p, w);
	r = xtr_encap_admit(c, ifc, p);
	if (r != XTR_V_ENCAP)
		return r;
	if (c->xdp)
		d = xtr_dest_get(cfg, ifc->iid, p, now);
	else
		xtr_dest_find(cfg, ifc->iid, p, &copy);
	if (!d)
		return XTR_V_MISS;
	is = d->is & 0xff;
	w->hold = d->is >> 8;
	if (is == XTR_DEST_OWN) /* RFC 9300 4.2: no lookup for our own prefixes */
		return xtr_refuse(ifc, XTR_DROP_ENCAP_LOOP);
	if (is == XTR_DEST_FOUND && d->action != XTR_ACT_ENCAP)
		return xtr_encap_negative(d->action);
	r = xtr_encap_source(c, cfg, ifc, p, &version);
	if (r)
		return r;
	/* Of a port: xtr_tc_segment. The stack may have no device for its VLAN, and routes that lead to anywhere */
	if (ifc->role == XTR_ROLE_EID && xtr_gso_size(c) && p->proto != IPPROTO_TCP)
		return XTR_V_GSO;
	if (is != XTR_DEST_FOUND)
		return XTR_V_MISS;
	w->hash = xtr_flow_hash(p);
	w->t = xtr_choose(c, d, w->hash, cfg, now, &r);
	if (!w->t)
		return -r;
	w->decrement = ifc->flags & XTR_IF_F_ROUTER_HOP;
	if (cfg->flags & XTR_CFG_F_ACCEPT_VERSIONS && version && d->map_version)
		w->versions = (version & 0xfff) << 12 | (d->map_version & 0xfff);
	return xtr_encap_fits(c, ifc, p, w);
}

/* Are packets of this entry still on their way through the daemon? Then this one has to go behind them. */
XTR_INLINE struct xtr_hold *xtr_held(__u32 hold, __u64 now)
{
	volatile struct xtr_hold *h;
	__u32 slot = hold - 1;

	if (!hold)
		return NULL;
	h = bpf_map_lookup_elem(&xtr_hold, &slot);
	if (!h || h->queued == h->drained || (__s64)(now - h->deadline) >= 0)
		return NULL;
	return (struct xtr_hold *)h;
}

/*
 * XDP stays away longer than that. What it leaves to the stack waits there for the end of the driver's round (GRO, lists
 * of packets), and what it sent itself in the same round would overtake it. So it begins a quarter of a second after the
 * deadline, or when the daemon takes the slot out of the entry about then: bursts are over by that time.
 */
XTR_INLINE bool xtr_settling(__u32 hold, const struct xtr_cfg *cfg, __u64 now)
{
	struct xtr_hold *h;
	__u32 slot = hold - 1;

	if (!hold)
		return false;
	h = bpf_map_lookup_elem(&xtr_hold, &slot);
	return h && (__s64)(now - h->deadline) <= (__s64)(cfg->hz / 4);
}

/* at: the inner IP header, bounds checked for its family. RFC 1624 for the IPv4 checksum. */
XTR_INLINE void xtr_ttl_decrement(void *at, __u8 family)
{
	if (family == XTR_FAMILY_IP4) {
		struct iphdr *ip = at;
		__u32 sum = ip->check;

		sum += bpf_htons(0x0100);
		ip->check = sum + (sum >= 0xffff);
		ip->ttl--;
	} else {
		((struct ipv6hdr *)at)->hop_limit--;
	}
}

/*
 * UDP and LISP headers (RFC 9300 5.3): checksum 0, instance ID, map-versions where they are in use. LISP-GPE has no room for
 * those (RFC 9305 3), and always an instance ID: so it is a VXLAN-GPE header, which the kernel's GRO knows.
 */
XTR_INLINE void xtr_outer_lisp(struct udphdr *udp, const struct xtr_rloc *t, const struct xtr_way *w, const struct xtr_inner *p,
			       __u32 iid)
{
	struct lisphdr *lisp = (void *)(udp + 1);
	__u32 first = 0;

	udp->source = (t->flags & XTR_RLOC_F_NAT) ? t->sport : bpf_htons(xtr_flow_port(w->hash));
	udp->dest = t->dport;
	udp->len = bpf_htons(p->len + UDP_HLEN + LISP_HLEN);
	udp->check = 0;
	if (t->flags & XTR_RLOC_F_GPE) {
		first = XTR_LISP_I | XTR_LISP_P | xtr_gpe_protocol(p->family);
	} else {
		if (w->versions)
			first = XTR_LISP_V | w->versions;
		if (iid)
			first |= XTR_LISP_I;
	}
	lisp->word[0] = bpf_htonl(first);
	lisp->word[1] = bpf_htonl(iid << 8);
}

/* Outer headers from the template. at: room for XTR_OUTER4, bounds checked. */
XTR_INLINE void xtr_outer_write4(void *at, const struct xtr_rloc *t, const struct xtr_way *w, const struct xtr_inner *p,
				 __u8 tos, __u8 ttl, __u32 iid)
{
	struct iphdr *ip = at;
	__u16 total = p->len + XTR_OUTER4;

	*(__be16 *)at = bpf_htons(0x4500 | tos);
	ip->tot_len = bpf_htons(total);
	ip->id = 0; /* atomic datagram: RFC 6864 */
	ip->frag_off = bpf_htons(IP_DF);
	ip->ttl = ttl;
	ip->protocol = IPPROTO_UDP;
	ip->check = ~xtr_fold(t->csum + bpf_htons(tos) + bpf_htons(total) + bpf_htons(ttl << 8));
	ip->saddr = t->src.w[0];
	ip->daddr = t->dst.w[0];
	xtr_outer_lisp((void *)(ip + 1), t, w, p, iid);
}

XTR_INLINE void xtr_outer_write6(void *at, const struct xtr_rloc *t, const struct xtr_way *w, const struct xtr_inner *p,
				 __u8 tos, __u8 ttl, __u32 iid)
{
	struct ipv6hdr *ip = at;

	/* RFC 6438: the flow label carries the hash for ECMP, of the same bits as the port */
	*(__be32 *)at = bpf_htonl(6u << 28 | (__u32)tos << 20 | (w->hash >> 8 & 0xfffff));
	ip->payload_len = bpf_htons(p->len + UDP_HLEN + LISP_HLEN);
	ip->nexthdr = IPPROTO_UDP;
	ip->hop_limit = ttl;
	__builtin_memcpy(&ip->saddr, &t->src, sizeof(ip->saddr));
	__builtin_memcpy(&ip->daddr, &t->dst, sizeof(ip->daddr));
	xtr_outer_lisp((void *)(ip + 1), t, w, p, iid);
}

/*
 * The whole frame header in front of the inner packet, once there is room. Outer TTL is the inner one as it leaves;
 * ECN is copied (RFC 6040 4.1 normal mode) unless compatibility mode is configured. The layer-2 addresses are left to
 * the caller. Returns false when the room is not there.
 */
XTR_INLINE bool xtr_outer_write(const struct xtr_ctx *c, const struct xtr_cfg *cfg, const struct xtr_way *w,
				const struct xtr_inner *p, __u32 iid)
{
	void *data = xtr_data(c), *end = xtr_data_end(c);
	__u8 tos = cfg->flags & XTR_CFG_F_ECN_COMPAT ? p->tos & 0xfc : p->tos;
	__u8 ttl = p->ttl - w->decrement;
	struct ethhdr *eth = data;

	if (w->t->family == XTR_FAMILY_IP4) {
		if (data + ETH_HLEN + XTR_OUTER4 > end)
			return false;
		eth->h_proto = bpf_htons(ETH_P_IP);
		xtr_outer_write4(data + ETH_HLEN, w->t, w, p, tos, ttl, iid);
	} else {
		if (data + ETH_HLEN + XTR_OUTER6 > end)
			return false;
		eth->h_proto = bpf_htons(ETH_P_IPV6);
		xtr_outer_write6(data + ETH_HLEN, w->t, w, p, tos, ttl, iid);
	}
	return true;
}

/* An outer IPv4 header as xtr_outer_write has made it: routers on the way may fragment the packet now (RFC 6864 4.1). */
XTR_INLINE void xtr_outer_cut(const struct xtr_ctx *c)
{
	struct iphdr *ip = xtr_data(c) + ETH_HLEN;

	if ((void *)(ip + 1) > xtr_data_end(c))
		return;
	ip->id = bpf_get_prandom_u32();
	ip->frag_off = 0;
	ip->check = ~xtr_fold((__u16)~ip->check + ip->id + (__u16)~bpf_htons(IP_DF)); /* RFC 1624 eqn. 3 */
}

/* stat: XTR_STAT_ENCAP, or what stands for it */
XTR_INLINE void xtr_count_encap(const struct xtr_rloc *t, __u32 stat, __u32 octets)
{
	struct xtr_count *n;
	__u32 i = t->stat;

	xtr_stat(stat, octets);
	n = bpf_map_lookup_elem(&xtr_rlstat, &i);
	if (n) {
		n->packets++;
		n->octets += octets;
	}
}

#endif
