/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Decapsulation (RFC 9300 4.2, 5.3; RFC 6040 4.2; RFC 9302 7): is the frame LISP data for us, may it come in, and what its
 * inner header becomes. Both hooks use all of it. Until xtr_decap_check says XTR_D_OK nothing is changed, so that
 * whatever is not ours goes on octet for octet.
 */
#ifndef XTR_BPF_DECAP_H
#define XTR_BPF_DECAP_H

#include "home.h"

/* Negative: drop, for reason -verdict. */
enum xtr_dverdict {
	XTR_D_OK,
	XTR_D_PASS,   /* not ours, or for the kernel to judge (fragments, options, bad header checksum) */
	XTR_D_SHORT,  /* headers are not all linear */
	XTR_D_CONTROL, /* a control message in a data packet (RFC 9962 4.1), from a source we know: for the daemon */
};

/* Octets a decapsulator may have to read: Ethernet, IPv6, UDP, LISP, IPv6, UDP ports. */
#define XTR_DECAP_MAX (ETH_HLEN + XTR_OUTER6 + IP6_HLEN + 4)

struct xtr_decap {
	struct xtr_inner in;     /* addresses, family, length of the inner packet */
	struct xtr_abi_ip src;   /* outer source */
	struct xtr_home *home;   /* of the inner destination */
	__u32 iid;
	__u32 nest;              /* where the inner packet would have a packet of its own, if it is LISP data; 0: it is not */
	__u32 word0;             /* LISP header, host order */
	__u8  family;            /* outer */
	__u8  tos;               /* outer */
	__u8  ttl;               /* outer */
	__u8  new_tos;           /* inner header as it leaves */
	__u8  new_ttl;
	__u8  ecn_odd;
	__u8  gpe;               /* Next Protocol of LISP-GPE; 0: P is not set, or means nothing */
};

/*
 * RFC 6040 4.2, index inner * 4 + outer (0 Not-ECT, 1 ECT(1), 2 ECT(0), 3 CE), two bits an entry; drop and "log" as one
 * bit an entry.
 */
#define XTR_ECN(i, o, e) ((__u64)(e) << (((i) * 4 + (o)) * 2))
#define XTR_ECN_RESULT                                                                                     \
	(XTR_ECN(1, 0, 1) | XTR_ECN(1, 1, 1) | XTR_ECN(1, 2, 1) | XTR_ECN(1, 3, 3) | XTR_ECN(2, 0, 2) |    \
	 XTR_ECN(2, 1, 1) | XTR_ECN(2, 2, 2) | XTR_ECN(2, 3, 3) | XTR_ECN(3, 0, 3) | XTR_ECN(3, 1, 3) |    \
	 XTR_ECN(3, 2, 3) | XTR_ECN(3, 3, 3))
#define XTR_ECN_DROP  (1u << (0 * 4 + 3))
#define XTR_ECN_LOG   (1u << (0 * 4 + 1) | 1u << (0 * 4 + 2) | 1u << (0 * 4 + 3) | 1u << (1 * 4 + 2) | 1u << (3 * 4 + 1))

/*
 * Bit P, where RFC 9305 is in use; else it is a reserved one, ignored (RFC 9300 5.3). N, E, V and what they announce mean
 * nothing then (3). Without UDP checksum over IPv6 only by configuration (4.3.1).
 */
XTR_INLINE int xtr_decap_gpe(const struct xtr_cfg *cfg, struct xtr_decap *d, const struct udphdr *udp)
{
	__u32 next = d->word0 & 0xff;

	if (next != XTR_GPE_NP_IP4 && next != XTR_GPE_NP_IP6)
		return -XTR_DROP_DECAP_PROTOCOL;
	if (d->family == XTR_FAMILY_IP6 && !udp->check && !(cfg->flags & XTR_CFG_F_GPE_ZERO6))
		return -XTR_DROP_DECAP_CHECKSUM;
	d->gpe = next;
	d->word0 &= XTR_LISP_I;
	return XTR_D_OK;
}

/* UDP and LISP headers of a packet whose outer destination is ours. room: octets after the outer IP header that the IP
 * length gives it. Sets in.len, word0 and iid. */
XTR_INLINE int xtr_decap_lisp(const struct xtr_ctx *c, const struct xtr_cfg *cfg, struct xtr_cur *cur, struct xtr_decap *d,
			      const struct udphdr *udp, __u32 room)
{
	__u32 gso = xtr_gso_size(c), len = bpf_ntohs(udp->len);
	struct lisphdr *lisp;

	if (gso) { /* a super-packet may be longer than the field says */
		if ((len ^ room) & 0xffff)
			return -XTR_DROP_DECAP_TRUNCATED;
		len = room;
	}
	if (len < UDP_HLEN + LISP_HLEN || len > room)
		return -XTR_DROP_DECAP_TRUNCATED;
	lisp = xtr_take(cur, sizeof(*lisp));
	if (!lisp)
		return XTR_D_SHORT;
	d->in.len = len - UDP_HLEN - LISP_HLEN;
	d->word0 = bpf_ntohl(lisp->word[0]);
	if (d->word0 & XTR_LISP_KK)
		return -XTR_DROP_DECAP_KEY;
	if (d->word0 & XTR_LISP_P && cfg->flags & XTR_CFG_F_GPE) {
		int r = xtr_decap_gpe(cfg, d, udp);

		if (r)
			return r;
	}
	/* No I bit: the default instance (RFC 9300 8). The R bit, nonce and locator-status-bits are of no interest
	 * while those features are off. */
	if (d->word0 & XTR_LISP_I)
		d->iid = bpf_ntohl(lisp->word[1]) >> 8;
	/* Before any lookup of an instance: this one is nobody's, whatever the maps say. */
	if (d->iid == XTR_IID_MAX)
		return xtr_ctlsrc_has(d->family, &d->src) ? XTR_D_CONTROL : -XTR_DROP_DECAP_CONTROL;
	return XTR_D_OK;
}

/* Is it an own RLOC? XDP looks at the port first, for LISP data only: it is set then. */
XTR_INLINE bool xtr_decap_self(const struct xtr_ctx *c, __u8 family, const struct xtr_abi_ip *dst, struct xtr_cport **port)
{
	if (!c->xdp)
		return xtr_self_get(family, dst);
	*port = xtr_cport_get(c->xdp->ingress_ifindex, 0);
	return *port && xtr_self_at(*port, family, dst);
}

/* Outer headers. Everything up to "UDP to port 4341 of an own RLOC" that does not fit is not ours. */
XTR_INLINE int xtr_decap_outer4(const struct xtr_ctx *c, const struct xtr_cfg *cfg, struct xtr_cur *cur, struct xtr_decap *d,
				struct xtr_cport **port)
{
	struct iphdr *ip = xtr_take(cur, sizeof(*ip));
	struct xtr_abi_ip dst = {};
	struct udphdr *udp;
	__u32 total, room;

	if (!ip)
		return XTR_D_SHORT;
	/* options and fragments are the slow path's (RFC 9300 16) */
	if (*(__u8 *)ip != 0x45 || ip->protocol != IPPROTO_UDP || (ip->frag_off & bpf_htons(IP_MF_OFFSET)))
		return XTR_D_PASS;
	udp = xtr_take(cur, sizeof(*udp));
	if (!udp)
		return XTR_D_SHORT;
	if (udp->dest != bpf_htons(XTR_PORT_DATA))
		return XTR_D_PASS;
	dst.w[0] = ip->daddr;
	if (!xtr_decap_self(c, XTR_FAMILY_IP4, &dst, port))
		return XTR_D_PASS;
	if (!xtr_sum_good4(ip))
		return XTR_D_PASS;
	d->family = XTR_FAMILY_IP4;
	d->tos = ip->tos;
	d->ttl = ip->ttl;
	d->src.w[0] = ip->saddr;
	total = bpf_ntohs(ip->tot_len);
	room = xtr_len(c) - ETH_HLEN;
	if (xtr_gso_size(c)) {
		if ((total ^ room) & 0xffff)
			return -XTR_DROP_DECAP_TRUNCATED;
		total = room;
	}
	if (total > room) {
		if (c->xdp && total <= xtr_len_all(c) - ETH_HLEN)
			return XTR_D_SHORT;
		return -XTR_DROP_DECAP_TRUNCATED;
	}
	if (total < XTR_OUTER4)
		return -XTR_DROP_DECAP_TRUNCATED;
	return xtr_decap_lisp(c, cfg, cur, d, udp, total - IP4_HLEN);
}

XTR_INLINE int xtr_decap_outer6(const struct xtr_ctx *c, const struct xtr_cfg *cfg, struct xtr_cur *cur, struct xtr_decap *d,
				struct xtr_cport **port)
{
	struct ipv6hdr *ip = xtr_take(cur, sizeof(*ip));
	struct xtr_abi_ip dst;
	struct udphdr *udp;
	__u32 total, room;

	if (!ip)
		return XTR_D_SHORT;
	/* extension headers, the fragment header among them, are the slow path's */
	if (*(__u8 *)ip >> 4 != 6 || ip->nexthdr != IPPROTO_UDP)
		return XTR_D_PASS;
	udp = xtr_take(cur, sizeof(*udp));
	if (!udp)
		return XTR_D_SHORT;
	if (udp->dest != bpf_htons(XTR_PORT_DATA))
		return XTR_D_PASS;
	__builtin_memcpy(&dst, &ip->daddr, sizeof(dst));
	if (!xtr_decap_self(c, XTR_FAMILY_IP6, &dst, port))
		return XTR_D_PASS;
	d->family = XTR_FAMILY_IP6;
	d->tos = bpf_ntohs(*(__be16 *)ip) >> 4;
	d->ttl = ip->hop_limit;
	__builtin_memcpy(&d->src, &ip->saddr, sizeof(d->src));
	total = bpf_ntohs(ip->payload_len);
	room = xtr_len(c) - ETH_HLEN - IP6_HLEN;
	if (xtr_gso_size(c)) {
		if ((total ^ room) & 0xffff)
			return -XTR_DROP_DECAP_TRUNCATED;
		total = room;
	}
	if (total > room) {
		if (c->xdp && total <= xtr_len_all(c) - ETH_HLEN - IP6_HLEN)
			return XTR_D_SHORT;
		return -XTR_DROP_DECAP_TRUNCATED;
	}
	if (total < UDP_HLEN + LISP_HLEN)
		return -XTR_DROP_DECAP_TRUNCATED;
	return xtr_decap_lisp(c, cfg, cur, d, udp, total);
}

/*
 * The inner header: complete, and its length is the one the UDP length leaves (RFC 9300 5.3: UDP length = inner length + 16).
 * in.len is what the outer headers say.
 */
XTR_INLINE int xtr_decap_inner(const struct xtr_ctx *c, struct xtr_cur *cur, struct xtr_decap *d)
{
	struct xtr_inner *in = &d->in;
	__u32 gso = xtr_gso_size(c), len;
	void *at = cur->pos;
	struct ipv6hdr *ip6 = at;
	struct iphdr *ip = at;
	__u8 first;

	if (in->len < IP4_HLEN)
		return -XTR_DROP_DECAP_INNER;
	if (at + IP4_HLEN > cur->end)
		return XTR_D_SHORT;
	first = *(__u8 *)at;
	if (first >> 4 == 4) {
		len = bpf_ntohs(ip->tot_len);
		in->l3len = (first & 0x0f) * 4;
		if (in->l3len < IP4_HLEN || in->l3len > in->len)
			return -XTR_DROP_DECAP_INNER;
		in->family = XTR_FAMILY_IP4;
		in->proto = ip->frag_off & bpf_htons(IP_MF_OFFSET) ? 0 : ip->protocol;
		in->tos = ip->tos;
		in->ttl = ip->ttl;
		in->src.w[0] = ip->saddr;
		in->dst.w[0] = ip->daddr;
		at += IP4_HLEN;
	} else if (first >> 4 == 6) {
		if (in->len < IP6_HLEN)
			return -XTR_DROP_DECAP_INNER;
		if (at + IP6_HLEN > cur->end)
			return XTR_D_SHORT;
		len = bpf_ntohs(ip6->payload_len) + IP6_HLEN;
		in->l3len = IP6_HLEN;
		in->family = XTR_FAMILY_IP6;
		in->proto = ip6->nexthdr;
		in->tos = bpf_ntohs(*(__be16 *)ip6) >> 4;
		in->ttl = ip6->hop_limit;
		__builtin_memcpy(&in->src, &ip6->saddr, sizeof(in->src));
		__builtin_memcpy(&in->dst, &ip6->daddr, sizeof(in->dst));
		at += IP6_HLEN;
	} else {
		return -XTR_DROP_DECAP_INNER;
	}
	if (gso ? (len ^ in->len) & 0xffff : len != in->len)
		return -XTR_DROP_DECAP_INNER;
	if (d->gpe && d->gpe != xtr_gpe_protocol(in->family))
		return -XTR_DROP_DECAP_INNER;
	/* Is it LISP again? Not with IPv4 options: nobody stacks LISP on those. */
	if (in->proto == IPPROTO_UDP && at == cur->pos + in->l3len && in->len >= in->l3len + 4u) {
		if (at + 4 > cur->end)
			return XTR_D_SHORT;
		if (*(__be16 *)(at + 2) == bpf_htons(XTR_PORT_DATA))
			d->nest = (long)at - (long)xtr_data(c) + UDP_HLEN + LISP_HLEN;
	}
	return XTR_D_OK;
}

/* RFC 9302 7. own: version of our mapping. Only where versions are in use: on the public Internet the field means nothing. */
XTR_INLINE int xtr_decap_version(const struct xtr_cfg *cfg, const struct xtr_decap *d, __u16 own)
{
	__u16 theirs = d->word0 & 0xfff;

	if (!(cfg->flags & XTR_CFG_F_ACCEPT_VERSIONS))
		return 0;
	/* N and V together: a receiver treats the field as a nonce (RFC 9300 5.3) */
	if ((d->word0 & (XTR_LISP_N | XTR_LISP_V)) != XTR_LISP_V)
		return 0;
	if (!own || !theirs)
		return -XTR_DROP_DECAP_VERSION;
	if (theirs == own)
		return 0;
	if (theirs > own ? theirs - own <= 2048 : own - theirs > 2048)
		return -XTR_DROP_DECAP_VERSION;
	return 0; /* older: accepted */
}

/* Is the outer source a locator of the mapping of the inner source, and is its map-version not stale? */
XTR_INLINE int xtr_decap_source(const struct xtr_cfg *cfg, const struct xtr_decap *d)
{
	__u16 theirs = d->word0 >> 12 & 0xfff, known;
	struct xtr_rset *set;
	struct xtr_rloc *t;
	struct xtr_lpm6 k;
	struct xtr_eid *e;

	if (!(cfg->flags & (XTR_CFG_F_CHECK_DECAP_SOURCE | XTR_CFG_F_ACCEPT_VERSIONS)))
		return 0;
	xtr_key(&k, d->iid, d->in.family, &d->in.src);
	e = xtr_eid_get(&k);
	if ((cfg->flags & XTR_CFG_F_ACCEPT_VERSIONS) && (d->word0 & (XTR_LISP_N | XTR_LISP_V)) == XTR_LISP_V) {
		known = e ? e->map_version & 0xfff : 0;
		if (known && theirs && (known > theirs ? known - theirs <= 2048 : theirs - known > 2048))
			return -XTR_DROP_DECAP_VERSION;
	}
	if (!(cfg->flags & XTR_CFG_F_CHECK_DECAP_SOURCE))
		return 0;
	if (!e || e->action != XTR_ACT_ENCAP)
		return -XTR_DROP_DECAP_SOURCE;
	set = xtr_rset_get(e->rset);
	if (!set)
		return -XTR_DROP_DECAP_SOURCE;
	for (__u32 i = 0; i < XTR_MAX_LOCATORS; i++) {
		if (i >= set->n)
			break;
		t = xtr_rloc_get(set->rloc[i]);
		if (t && t->family == d->family && xtr_ip_equal(&t->dst, &d->src))
			return 0;
	}
	return -XTR_DROP_DECAP_SOURCE;
}

/* TTL, DSCP and ECN of the inner header as it leaves. */
XTR_INLINE int xtr_decap_marks(const struct xtr_cfg *cfg, struct xtr_decap *d)
{
	__u32 i = (d->in.tos & 3) * 4 + (d->tos & 3);
	__u8 dscp = (cfg->flags & XTR_CFG_F_KEEP_INNER_DSCP ? d->in.tos : d->tos) & 0xfc;

	if (!d->ttl)
		return -XTR_DROP_DECAP_TTL;
	if (XTR_ECN_DROP >> i & 1)
		return -XTR_DROP_DECAP_ECN;
	d->ecn_odd = XTR_ECN_LOG >> i & 1;
	d->new_tos = dscp | (XTR_ECN_RESULT >> i * 2 & 3);
	d->new_ttl = d->ttl < d->in.ttl ? d->ttl : d->in.ttl; /* never raised (RFC 9300 5.3) */
	return XTR_D_OK;
}

/* The headers: is it LISP data to us, and are they whole? d is zeroed by the caller, and with XDP gets its port. */
XTR_INLINE int xtr_decap_read(const struct xtr_ctx *c, const struct xtr_cfg *cfg, struct xtr_decap *d, struct xtr_cport **port)
{
	struct xtr_cur cur = { .pos = xtr_data(c), .end = xtr_data_end(c) };
	struct ethhdr *eth = xtr_take(&cur, ETH_HLEN);
	__u32 iid;
	int r;

	if (!eth)
		return XTR_D_PASS;
	if (eth->h_proto == bpf_htons(ETH_P_IP))
		r = xtr_decap_outer4(c, cfg, &cur, d, port);
	else if (eth->h_proto == bpf_htons(ETH_P_IPV6))
		r = xtr_decap_outer6(c, cfg, &cur, d, port);
	else
		return XTR_D_PASS;
	if (r != XTR_D_OK)
		return r;
	r = xtr_decap_inner(c, &cur, d);
	iid = d->iid;
	if (r < 0 && !bpf_map_lookup_elem(&xtr_inst, &iid))
		return -XTR_DROP_DECAP_IID; /* that is the first thing to be said of it */
	return r;
}

/* All checks of what has been read, in the order of RFC 9300 4.2 as far as each needs what comes before. */
XTR_INLINE int xtr_decap_check(const struct xtr_ctx *c, const struct xtr_cfg *cfg, struct xtr_decap *d)
{
	int r;

	d->home = xtr_home_get(d->iid, &d->in);
	if (!d->home)
		return -XTR_DROP_DECAP_IID;
	/* The inner packet is LISP data again, which is allowed once: an RTR, or a site behind a site. */
	if (d->nest && xtr_is_lisp(c, d->nest))
		return -XTR_DROP_DECAP_NESTED;
	if (xtr_addr_unfit(d->in.family, &d->in.src))
		return -XTR_DROP_DECAP_ADDRESS;
	if (!(d->home->flags & XTR_LOCAL_F_GROUP)) {
		if (xtr_addr_unfit(d->in.family, &d->in.dst))
			return -XTR_DROP_DECAP_ADDRESS;
		if (!(d->home->flags & XTR_LOCAL_F_EID))
			return -XTR_DROP_DECAP_NOT_LOCAL;
	}
	r = xtr_decap_version(cfg, d, d->home->map_version);
	if (r)
		return r;
	r = xtr_decap_source(cfg, d);
	if (r)
		return r;
	if (!d->home->overlay)
		return -XTR_DROP_DECAP_NO_OVERLAY;
	return xtr_decap_marks(cfg, d);
}

XTR_INLINE __u32 xtr_decap_cut(const struct xtr_decap *d)
{
	return d->family == XTR_FAMILY_IP4 ? XTR_OUTER4 : XTR_OUTER6;
}

/* New traffic class and TTL into the inner header; at is bounds checked for the family. RFC 1624 eqn. 3. */
XTR_INLINE void xtr_decap_remark4(struct iphdr *ip, const struct xtr_decap *d)
{
	__u32 sum = (__u16)~ip->check;

	sum += (__u16)~bpf_htons(ip->tos) + bpf_htons(d->new_tos);
	sum += (__u16)~bpf_htons(ip->ttl << 8) + bpf_htons(d->new_ttl << 8);
	ip->check = ~xtr_fold(sum);
	ip->tos = d->new_tos;
	ip->ttl = d->new_ttl;
}

XTR_INLINE void xtr_decap_remark6(struct ipv6hdr *ip, const struct xtr_decap *d)
{
	__be16 *first = (__be16 *)ip;

	*first = (*first & bpf_htons(0xf00f)) | bpf_htons((__u16)d->new_tos << 4);
	ip->hop_limit = d->new_ttl;
}

/* Writes the inner header, while the outer ones are still there. */
XTR_INLINE bool xtr_decap_remark(const struct xtr_ctx *c, const struct xtr_decap *d)
{
	void *data = xtr_data(c), *end = xtr_data_end(c);
	void *at = data + ETH_HLEN + (d->family == XTR_FAMILY_IP4 ? XTR_OUTER4 : XTR_OUTER6);

	if (d->in.family == XTR_FAMILY_IP4) {
		if (at + IP4_HLEN > end)
			return false;
		xtr_decap_remark4(at, d);
	} else {
		if (at + IP6_HLEN > end)
			return false;
		xtr_decap_remark6(at, d);
	}
	return true;
}

XTR_INLINE __be16 xtr_ethertype(__u8 family)
{
	return family == XTR_FAMILY_IP4 ? bpf_htons(ETH_P_IP) : bpf_htons(ETH_P_IPV6);
}

/* stat: XTR_STAT_DECAP, or what stands for it */
XTR_INLINE void xtr_count_decap(const struct xtr_decap *d, __u32 stat)
{
	xtr_stat(stat, d->in.len);
	if (d->ecn_odd)
		xtr_stat(XTR_STAT_ECN_ODD, d->in.len);
}

#endif
