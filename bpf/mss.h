/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Lowers the MSS option of TCP SYNs to what fits the path (data-plane.mss-clamp), for hosts that never learn of it: behind
 * a firewall that drops ICMP. An MSS counts neither IP options nor TCP options (RFC 6691), so only the fixed headers are
 * taken off. TC only: XDP leaves SYNs to it, because only the kernel knows whether a checksum is still to be done, in
 * which case the field must not change (bpf_l4_csum_replace looks).
 */
#ifndef XTR_BPF_MSS_H
#define XTR_BPF_MSS_H

#include "decap.h"
#include "encap.h"

#define XTR_TCP_HLEN    20
#define XTR_TCP_OPTIONS 40 /* at most */
#define XTR_MSS_LOOK    16 /* options looked at */
#define XTR_MSS_LEAST   64 /* less is no path, but a mistake */

/* Where in the options that of the MSS is; negative: there is none. opt is longer than any index that is used. */
XTR_INLINE int xtr_mss_find(const __u8 *opt, __u32 len)
{
	__u32 at = 0;

	for (int i = 0; i < XTR_MSS_LOOK; i++) {
		barrier_var(at);
		if (at > XTR_TCP_OPTIONS - 4 || at + 4 > len || !opt[at])
			return -1;
		if (opt[at] == 1) { /* no-operation has no length */
			at++;
			continue;
		}
		if (opt[at] == 2)
			return opt[at + 1] == 4 ? (int)at : -1;
		if (opt[at + 1] < 2)
			return -1;
		at += opt[at + 1];
	}
	return -1;
}

/* at: of the TCP header of a SYN. most: octets of a TCP segment. A packet that has not got all it says is left alone. */
int xtr_mss_clamp(struct __sk_buff *skb, __u32 at, __u32 most);
XTR_GLOBAL int xtr_mss_clamp(struct __sk_buff *skb, __u32 at, __u32 most)
{
	__u8 opt[XTR_TCP_OPTIONS + 8] = {}, doff;
	__u16 was, now;
	__u32 len;
	int i;

	if (most < XTR_MSS_LEAST || most > 0xffff || bpf_skb_load_bytes(skb, at + 12, &doff, 1))
		return 0;
	len = (doff >> 4) * 4;
	if (len < XTR_TCP_HLEN + 4)
		return 0;
	len -= XTR_TCP_HLEN;
	barrier_var(len);
	if (len > XTR_TCP_OPTIONS || len < 4 || bpf_skb_load_bytes(skb, at + XTR_TCP_HLEN, opt, len))
		return 0;
	i = xtr_mss_find(opt, len);
	barrier_var(i);
	if (i < 0 || i > XTR_TCP_OPTIONS - 4)
		return 0;
	was = opt[i + 2] << 8 | opt[i + 3];
	if (was <= most)
		return 0;
	now = most;
	/* the words of the checksum, as they lie in memory; behind an odd number of octets they lie across */
	if (bpf_l4_csum_replace(skb, at + 16, i & 1 ? was : bpf_htons(was), i & 1 ? now : bpf_htons(now), 2))
		return 0;
	was = bpf_htons(now);
	bpf_skb_store_bytes(skb, at + XTR_TCP_HLEN + i + 2, &was, 2, 0);
	xtr_stat(XTR_STAT_MSS_CLAMPED, skb->len - ETH_HLEN);
	return 0;
}

/* Octets of a TCP segment in the largest packet of the inner family that fits. */
XTR_INLINE __u32 xtr_mss_of(__u32 path, __u8 outer, __u8 inner)
{
	__u32 over = (outer == XTR_FAMILY_IP4 ? XTR_OUTER4 : XTR_OUTER6) + (inner == XTR_FAMILY_IP4 ? IP4_HLEN : IP6_HLEN) +
		     XTR_TCP_HLEN;

	return path > over ? path - over : 0;
}

XTR_INLINE void xtr_mss_encap(const struct xtr_ctx *c, const struct xtr_inner *p, const struct xtr_rloc *t)
{
	xtr_mss_clamp(c->skb, ETH_HLEN + p->l3len, xtr_mss_of(xtr_path_mtu(c, t), t->family, p->family));
}

/* Is this the inner packet of a SYN? off: of the inner IP header. */
XTR_INLINE bool xtr_mss_is_syn(const struct xtr_ctx *c, const struct xtr_inner *in, __u32 off)
{
	__u8 flags;

	return in->proto == IPPROTO_TCP && !xtr_load(c, off + in->l3len + 13, &flags, 1) && (flags & XTR_TCP_SYN);
}

/*
 * What a SYN that arrives says is for the other direction: of the paths to the locators of its source the narrowest; while
 * these are not known, what the port it came in at takes.
 */
XTR_INLINE __u32 xtr_mss_back(const struct xtr_ctx *c, const struct xtr_lpm6 *src, __u8 inner, __u8 outer)
{
	struct xtr_eid *e = xtr_eid_get(src);
	__u32 mtu = 0, most = 0xffff, mss;
	struct xtr_rset *set;
	struct xtr_rloc *t;

	set = e && e->action == XTR_ACT_ENCAP ? xtr_rset_get(e->rset) : NULL;
	for (__u32 i = 0; set && i < XTR_MAX_LOCATORS; i++) {
		if (i >= set->n)
			break;
		t = xtr_rloc_get(set->rloc[i]);
		if (!t || !(t->flags & XTR_RLOC_F_UP))
			continue;
		mss = xtr_mss_of(xtr_path_mtu(c, t), t->family, inner);
		if (mss < most)
			most = mss;
	}
	if (most != 0xffff)
		return most;
	bpf_check_mtu(c->skb, 0, &mtu, 0, 0);
	return xtr_mss_of(mtu, outer, inner);
}

/* A decapsulated packet with TCP: is it a SYN? outer: family of the header that it had. */
int xtr_mss_decap(struct __sk_buff *skb, __u32 iid, __u32 outer);
XTR_GLOBAL XTR_NONNULL int xtr_mss_decap(struct __sk_buff *skb, __u32 iid, __u32 outer)
{
	struct xtr_ctx c = { .skb = skb };
	struct xtr_inner p = { .proto = IPPROTO_TCP, .l3len = IP6_HLEN, .family = XTR_FAMILY_IP6 };
	struct xtr_lpm6 k;
	__u8 first;

	if (bpf_skb_load_bytes(skb, ETH_HLEN, &first, 1))
		return 0;
	if (first >> 4 == 4) {
		p.family = XTR_FAMILY_IP4;
		p.l3len = (first & 0x0f) * 4;
		if (bpf_skb_load_bytes(skb, ETH_HLEN + 12, &p.src, 4))
			return 0;
	} else if (bpf_skb_load_bytes(skb, ETH_HLEN + 8, &p.src, 16)) {
		return 0;
	}
	if (!xtr_mss_is_syn(&c, &p, ETH_HLEN))
		return 0;
	xtr_key(&k, iid, p.family, &p.src);
	return xtr_mss_clamp(skb, ETH_HLEN + p.l3len, xtr_mss_back(&c, &k, p.family, outer));
}

#endif
