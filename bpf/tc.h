/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The TC half: complete. It makes and removes room with super-packets kept whole (BPF_F_ADJ_ROOM_FIXED_GSO on both
 * sides, or gso_size would drift), and hands packets over by redirect.
 */
#ifndef XTR_BPF_TC_H
#define XTR_BPF_TC_H

#include "encap.h"
#include "decap.h"
#include "miss.h"

/*
 * Where generic XDP has copied a packet (kernel 6.9 and later do so for want of headroom), the copy has lost skb->mac_len,
 * and TC sees it without its Ethernet header. Put it in front again: change_head restores mac_len and mac_header too, and
 * the metadata then lie where they belong. No other frame has a type that differs from skb->protocol and is not at the
 * MAC header.
 */
XTR_FUNC int xtr_tc_repair(struct __sk_buff *skb)
{
	__u16 mac[ETH_HLEN / 2], here[ETH_HLEN / 2];

	if (bpf_skb_load_bytes_relative(skb, 0, mac, sizeof(mac), BPF_HDR_START_MAC) ||
	    bpf_skb_load_bytes(skb, 0, here, sizeof(here)))
		return 0;
	if (xtr_mac_equal((__u8 *)mac, (__u8 *)here) && xtr_mac_equal((__u8 *)(mac + 3), (__u8 *)(here + 3)) &&
	    mac[6] == here[6])
		return 0;
	if (bpf_skb_change_head(skb, ETH_HLEN, 0))
		return 0;
	return bpf_skb_store_bytes(skb, 0, mac, sizeof(mac), 0);
}

/* At the start of every program at an ingress. */
XTR_INLINE void xtr_tc_at_mac(struct __sk_buff *skb)
{
	struct ethhdr *eth = (void *)(long)skb->data;

	if ((void *)(eth + 1) <= (void *)(long)skb->data_end && eth->h_proto != skb->protocol)
		xtr_tc_repair(skb);
}

/* Ethernet padding must not travel: it would sit behind the outer packet. Failing is harmless, the lengths are right. */
XTR_INLINE void xtr_tc_trim(struct __sk_buff *skb, const struct xtr_inner *p)
{
	if (!skb->gso_size && skb->len > p->len + ETH_HLEN)
		bpf_skb_change_tail(skb, p->len + ETH_HLEN, 0);
}

XTR_INLINE int xtr_tc_decrement(const struct xtr_ctx *c, const struct xtr_inner *p)
{
	void *at = xtr_data(c) + ETH_HLEN, *end = xtr_data_end(c);

	if (p->family == XTR_FAMILY_IP4) {
		if (at + IP4_HLEN > end)
			return -1;
		xtr_ttl_decrement(at, XTR_FAMILY_IP4);
	} else {
		if (at + IP6_HLEN > end)
			return -1;
		xtr_ttl_decrement(at, XTR_FAMILY_IP6);
	}
	return 0;
}

/*
 * Room for the outer headers. The encapsulation flags tell the stack where the inner headers are (tunnel GSO) and set
 * skb->protocol. They are refused for a packet that is a tunnel's already (a nested one whose checksum is still to be
 * done); then, without segments to cut, plain room will do. Across families bpf_skb_change_proto sets the protocol: it
 * adds or removes the 20 octets between the two header lengths, always inside the room.
 */
XTR_INLINE int xtr_tc_room(struct __sk_buff *skb, const struct xtr_rloc *t, const struct xtr_inner *p)
{
	bool four = t->family == XTR_FAMILY_IP4;
	__u32 len = four ? XTR_OUTER4 : XTR_OUTER6;
	__u64 l3 = four ? BPF_F_ADJ_ROOM_ENCAP_L3_IPV4 : BPF_F_ADJ_ROOM_ENCAP_L3_IPV6;
	int r;

	r = bpf_skb_adjust_room(skb, len, BPF_ADJ_ROOM_MAC, l3 | BPF_F_ADJ_ROOM_ENCAP_L4_UDP | BPF_F_ADJ_ROOM_FIXED_GSO);
	if (!r || skb->gso_size)
		return r;
	if (t->family == p->family)
		return bpf_skb_adjust_room(skb, len, BPF_ADJ_ROOM_MAC, 0);
	if (!four && bpf_skb_change_proto(skb, bpf_htons(ETH_P_IPV6), 0))
		return r;
	r = bpf_skb_adjust_room(skb, XTR_OUTER4 + (four ? IP6_HLEN - IP4_HLEN : 0), BPF_ADJ_ROOM_MAC, 0);
	return !r && four ? bpf_skb_change_proto(skb, bpf_htons(ETH_P_IP), 0) : r;
}

/*
 * The packet was taken over by the daemon: gone, but not dropped. SHOT would tell a local sender so (ENOBUFS, a smaller TCP
 * window), and tcx knows no STOLEN. A redirect to nowhere frees the packet and says that all is well.
 */
XTR_INLINE int xtr_tc_taken(void)
{
	return bpf_redirect(0, 0);
}

/*
 * The kernel resolves and sends. Its route lookup carries the mark of the rule that leads past the EID routes; the
 * interface alone does not: with IPv6 an EID route of another device is taken all the same, and its gateway looked for.
 */
XTR_INLINE int xtr_tc_resolve(struct __sk_buff *skb, const struct xtr_cfg *cfg, __u32 ifindex)
{
	skb->mark = cfg->mark;
	return bpf_redirect_neigh(ifindex, NULL, 0, 0);
}

/* Encapsulates and sends. Returns a TC action, or -reason. */
XTR_INLINE int xtr_tc_send(const struct xtr_ctx *c, const struct xtr_cfg *cfg, const struct xtr_iface *ifc,
			   const struct xtr_inner *p, const struct xtr_way *w, __u64 now)
{
	struct __sk_buff *skb = c->skb;
	struct xtr_rloc *t = w->t;
	struct ethhdr *eth;

	/* segments get lengths of their own, so only a packet that stays whole can be too long */
	if (!skb->gso_size && p->len + (t->family == XTR_FAMILY_IP4 ? XTR_OUTER4 : UDP_HLEN + LISP_HLEN) > 0xffff)
		return -XTR_DROP_ENCAP_TOO_BIG;
	xtr_tc_trim(skb, p);
	if (w->decrement && xtr_tc_decrement(c, p))
		return -XTR_DROP_ENCAP_ROOM;
	if (xtr_tc_room(skb, t, p) || !xtr_outer_write(c, cfg, w, p, ifc->iid))
		return -XTR_DROP_ENCAP_ROOM;
	xtr_count_encap(t, p->len);
	if (!xtr_fresh(t, cfg, now)) {
		/* nobody vouches for the layer-2 header: the kernel resolves */
		xtr_stat(XTR_STAT_FALLBACK, p->len);
		return xtr_tc_resolve(skb, cfg, t->ifindex);
	}
	eth = xtr_data(c);
	if ((void *)(eth + 1) > xtr_data_end(c))
		return -XTR_DROP_ENCAP_ROOM;
	__builtin_memcpy(eth->h_dest, t->dmac, ETH_ALEN);
	__builtin_memcpy(eth->h_source, t->smac, ETH_ALEN);
	return bpf_redirect(t->ifindex, 0);
}

/* xtr_encap_decide, with the headers made linear when they are not. */
XTR_INLINE int xtr_tc_decide(const struct xtr_ctx *c, struct xtr_cfg *cfg, const struct xtr_iface *ifc,
			     struct xtr_inner *p, struct xtr_way *w, __u64 now)
{
	int r = XTR_V_SHORT;

	for (int i = 0; i < 2; i++) {
		__builtin_memset(p, 0, sizeof(*p));
		r = xtr_encap_decide(c, cfg, ifc, p, w, now);
		if (r != XTR_V_SHORT)
			return r;
		if (xtr_pull(c, XTR_PARSE_MAX))
			break;
	}
	return xtr_refuse(ifc, XTR_DROP_ENCAP_MALFORMED);
}

/* Cuts the outer headers off and delivers on the overlay device. Returns a TC action, or -reason. */
XTR_INLINE int xtr_tc_deliver(const struct xtr_ctx *c, const struct xtr_decap *d)
{
	struct __sk_buff *skb = c->skb;
	__u32 cut = xtr_decap_cut(d);
	__u64 flags = BPF_F_ADJ_ROOM_FIXED_GSO;
	struct ethhdr *eth;
	__u32 sum;

	if (feat_decap_l3)
		flags |= d->in.family == XTR_FAMILY_IP4 ? BPF_F_ADJ_ROOM_DECAP_L3_IPV4 : BPF_F_ADJ_ROOM_DECAP_L3_IPV6;
	else if (d->family == XTR_FAMILY_IP6 && d->in.len < IP6_HLEN)
		/* without those flags the kernel wants an IPv6 header's length to remain: Ethernet padding does */
		if (bpf_skb_change_tail(skb, ETH_HLEN + XTR_OUTER6 + IP6_HLEN, 0))
			return -XTR_DROP_DECAP_ROOM;
	if (!xtr_decap_remark(c, d))
		return -XTR_DROP_DECAP_INNER;
	if (d->in.family == XTR_FAMILY_IP6) {
		/* A checksum over the whole packet from the NIC has to follow the change; IPv4's is neutral. */
		sum = (__u16)~bpf_htons(d->in.tos << 4) + bpf_htons(d->new_tos << 4);
		sum += (__u16)~bpf_htons(d->in.ttl) + bpf_htons(d->new_ttl);
		bpf_csum_update(skb, sum);
	}
	eth = xtr_data(c);
	if ((void *)(eth + 1) > xtr_data_end(c))
		return -XTR_DROP_DECAP_ROOM;
	__builtin_memcpy(eth->h_dest, d->inst->mac, ETH_ALEN); /* or the stack drops it as another host's */
	eth->h_proto = xtr_ethertype(d->in.family);
	if (bpf_skb_adjust_room(skb, -(__s32)cut, BPF_ADJ_ROOM_MAC, flags))
		return -XTR_DROP_DECAP_ROOM;
	xtr_count_decap(d);
	return bpf_redirect(d->inst->overlay, BPF_F_INGRESS);
}

/*
 * A frame that xtr_xdp_under has decapsulated: its destination is nobody, so it dies unless this gives it the right one.
 * Returns a TC action, -reason, or 0 when there is no metadata of ours.
 */
XTR_INLINE int xtr_tc_finish_xdp(const struct xtr_ctx *c, struct xtr_decap *d)
{
	struct xtr_meta *m = (void *)(long)c->skb->data_meta;
	struct ethhdr *eth = xtr_data(c);

	if ((void *)&m->version > (void *)eth || m->magic != XTR_META_MAGIC)
		return 0;
	if ((void *)(m + 1) > (void *)eth || m->version != XTR_META_VERSION)
		return -XTR_DROP_META_VERSION;
	d->iid = m->iid;
	m->magic = 0; /* for no program further on */
	d->inst = bpf_map_lookup_elem(&xtr_inst, &d->iid);
	if (!d->inst)
		return -XTR_DROP_DECAP_IID;
	if (!d->inst->overlay)
		return -XTR_DROP_DECAP_NO_OVERLAY;
	if ((void *)(eth + 1) > xtr_data_end(c))
		return -XTR_DROP_META_VERSION;
	__builtin_memcpy(eth->h_dest, d->inst->mac, ETH_ALEN);
	return bpf_redirect(d->inst->overlay, BPF_F_INGRESS);
}

#endif
