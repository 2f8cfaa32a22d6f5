/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The XDP half: the accelerator. It does what it can finish alone; everything else goes up unmodified, and TC decides.
 */
#ifndef XTR_BPF_XDP_H
#define XTR_BPF_XDP_H

#include "encap.h"
#include "decap.h"
#include "miss.h"
#include "fan.h"

/*
 * A redirect loses an unfinished checksum. TCP and UDP show it; ICMP is always finished by its
 * sender; in SCTP (a CRC) and behind IPv6 extension headers it cannot be seen.
 */
XTR_INLINE bool xtr_csum_may_be_partial(const struct xtr_inner *p)
{
	if (p->proto == IPPROTO_TCP || p->proto == IPPROTO_UDP)
		return xtr_csum_is_partial(p);
	return p->proto != IPPROTO_ICMP && p->proto != IPPROTO_ICMPV6;
}

/* May XDP send this packet out by itself, as far as the packet goes? */
XTR_INLINE bool xtr_xdp_whole(const struct xtr_ctx *c, const struct xtr_iface *ifc, const struct xtr_inner *p)
{
	if (p->family == XTR_FAMILY_IP4 && p->l3len != IP4_HLEN)
		return false;
	/* every super-packet of generic mode has one, too */
	if ((ifc->flags & (XTR_IF_F_CSUM_PARTIAL | XTR_IF_F_XDP_GENERIC)) &&
	    xtr_csum_may_be_partial(p))
		return false;
	/* octets behind the packet: padding is trimmed, more buffers are not */
	return xtr_len(c) == p->len + xtr_l2(c) || xtr_len_all(c) == xtr_len(c);
}

/* ... and its way? */
XTR_INLINE bool xtr_xdp_can_send(const struct xtr_ctx *c, const struct xtr_cfg *cfg, const struct xtr_iface *ifc,
				 const struct xtr_inner *p, const struct xtr_way *w, __u64 now)
{
	if (!(w->t->flags & XTR_RLOC_F_XDP_TX) || !xtr_fresh(w->t, cfg, now) || xtr_settling(w->hold, cfg, now))
		return false;
	if (p->syn && (cfg->flags & XTR_CFG_F_MSS_CLAMP)) /* mss.h */
		return false;
	return xtr_xdp_whole(c, ifc, p);
}

/*
 * What ends here in any case, and most of a scan does: a negative entry drops it (RFC 9301 5.4), or it is a miss above the limits,
 * which XDP asks and TC charges. Made an skb first, each would cost as much as several packets of a flow. Generic XDP comes
 * too late for that, and does not see what is a super-packet. Returns whether it was dropped.
 */
XTR_INLINE bool xtr_xdp_refuse(const struct xtr_ctx *c, const struct xtr_cfg *cfg, const struct xtr_iface *ifc,
			       const struct xtr_inner *p, int verdict, __u64 now)
{
	int r = verdict;

	if (ifc->flags & XTR_IF_F_XDP_GENERIC)
		return false;
	if (r == XTR_V_MISS) {
		r = xtr_miss_admit(cfg, ifc, p, XTR_MISS_ASK | (xtr_len_all(c) - c->tag > XTR_EV_MEDIUM ? XTR_MISS_IS_LARGE : 0), now);
		if (r >= 0)
			return false;
		xtr_stat(XTR_STAT_MISS, p->len);
	} else if (r > -XTR_DROP_NEG_NO_ACTION || r < -XTR_DROP_NEG_AUTH) {
		return false;
	}
	xtr_drop(c, cfg, p, ifc->iid, -r);
	return true;
}

/* Encapsulates and sends. Returns an XDP action. */
XTR_INLINE int xtr_xdp_send(const struct xtr_ctx *c, const struct xtr_cfg *cfg, const struct xtr_iface *ifc,
			    const struct xtr_inner *p, const struct xtr_way *w)
{
	struct xtr_rloc *t = w->t;
	struct ethhdr *eth;
	void *at, *end;

	if (xtr_xdp_room(c, p, t->family == XTR_FAMILY_IP4 ? XTR_OUTER4 : XTR_OUTER6)) {
		xtr_stat(XTR_STAT_XDP_TO_TC, p->len);
		return XDP_PASS;
	}
	at = xtr_data(c) + ETH_HLEN + (t->family == XTR_FAMILY_IP4 ? XTR_OUTER4 : XTR_OUTER6);
	end = xtr_data_end(c);
	if (at + (p->family == XTR_FAMILY_IP4 ? IP4_HLEN : IP6_HLEN) > end)
		goto spoiled;
	if (w->decrement)
		xtr_ttl_decrement(at, p->family);
	if (!xtr_outer_write(c, cfg, w, p, ifc->iid))
		goto spoiled;
	if (w->cut)
		xtr_outer_cut(c);
	eth = xtr_data(c);
	if ((void *)(eth + 1) > end)
		goto spoiled;
	__builtin_memcpy(eth->h_dest, t->dmac, ETH_ALEN);
	__builtin_memcpy(eth->h_source, t->smac, ETH_ALEN);
	xtr_count_encap(t, XTR_STAT_BY_XDP_ENCAP, p->len);
	return xtr_xdp_out(t->ifindex);
spoiled:
	xtr_drop(c, cfg, p, ifc->iid, XTR_DROP_ENCAP_ROOM);
	return XDP_DROP;
}

/*
 * Has the sender left the checksum to a NIC that is not there? A redirect would lose it. at: where layer 4 of the inner packet
 * begins.
 */
XTR_INLINE bool xtr_xdp_unfinished(const struct xtr_ctx *c, struct xtr_inner *in, __u32 at)
{
	if (in->proto != IPPROTO_TCP && in->proto != IPPROTO_UDP)
		return xtr_csum_may_be_partial(in);
	return xtr_parse_l4(in, xtr_data(c) + at, xtr_data_end(c), 0) != XTR_PARSE_OK || xtr_csum_is_partial(in);
}

/* Decapsulates and sends out of the EID port. Returns an XDP action. */
XTR_INLINE int xtr_xdp_direct(const struct xtr_ctx *c, const struct xtr_cfg *cfg, struct xtr_decap *d)
{
	__u32 cut = xtr_decap_cut(d), oif = d->home->oif;
	__s32 pad = d->in.len + cut + ETH_HLEN - xtr_len(c);
	struct ethhdr *eth;

	d->new_ttl--; /* we are the router hop */
	if (!xtr_decap_remark(c, d))
		goto spoiled;
	/* written before the head moves: no pointer has to be checked again */
	eth = xtr_data(c) + cut;
	if ((void *)(eth + 1) > xtr_data_end(c))
		goto spoiled;
	__builtin_memcpy(eth->h_dest, d->home->dmac, ETH_ALEN);
	__builtin_memcpy(eth->h_source, d->home->smac, ETH_ALEN);
	eth->h_proto = xtr_ethertype(d->in.family);
	if ((pad && bpf_xdp_adjust_tail(c->xdp, pad)) || bpf_xdp_adjust_head(c->xdp, cut))
		goto spoiled;
	xtr_count_decap(d, XTR_STAT_BY_XDP_DIRECT);
	return xtr_xdp_out(oif);
spoiled:
	xtr_drop(c, cfg, &d->in, d->iid, XTR_DROP_DECAP_ROOM);
	return XDP_DROP;
}

/*
 * A packet to a group with a replication list. Returns an XDP action; -1: it is TC's, as it came. By itself, as what it needs of the
 * stack is not to be there for every packet.
 */
XTR_FUNC XTR_NONNULL int xtr_xdp_group(struct xdp_md *xdp, const struct xtr_cfg *cfg, const struct xtr_iface *ifc,
				       const struct xtr_inner *p, struct xtr_mcast *mc)
{
	struct xtr_ctx c = { .xdp = xdp, .tag = p->tag };
	struct xtr_fan *fan;
	__u32 id;

	/* in generic mode the copies share their octets */
	if ((ifc->flags & XTR_IF_F_XDP_GENERIC) || !xtr_xdp_whole(&c, ifc, p))
		return -1;
	fan = xtr_fan_get(cfg, p, mc, &id);
	return fan ? xtr_fan_send(&c, ifc, p, mc, fan, id) : -1;
}

/*
 * Decapsulates in place and sends it up with the instance ID in metadata. The metadata come first: where a driver has
 * none, the packet is still untouched. The destination MAC is nobody's, so that without our TC program the packet dies
 * instead of entering a wrong instance.
 */
XTR_INLINE int xtr_xdp_deliver(const struct xtr_ctx *c, const struct xtr_cfg *cfg, const struct xtr_iface *ifc,
			       struct xtr_decap *d)
{
	const __u8 nobody[ETH_ALEN] = XTR_NOBODY_MAC;
	__u32 cut = xtr_decap_cut(d);
	struct xtr_meta *m;
	struct ethhdr *eth, *old;
	void *data;

	if (xtr_home_straight(c, cfg, d->home, &d->in, ETH_HLEN + cut, d->new_ttl, bpf_jiffies64()) &&
	    (!(ifc->flags & (XTR_IF_F_CSUM_PARTIAL | XTR_IF_F_XDP_GENERIC)) ||
	     !xtr_xdp_unfinished(c, &d->in, ETH_HLEN + cut + d->in.l3len)))
		return xtr_xdp_direct(c, cfg, d);
	if (bpf_xdp_adjust_meta(c->xdp, -(int)sizeof(*m))) {
		xtr_stat(XTR_STAT_XDP_TO_TC, d->in.len);
		return XDP_PASS;
	}
	data = xtr_data(c);
	m = (void *)(long)c->xdp->data_meta;
	old = data;
	eth = data + cut;
	if ((void *)(m + 1) > data || (void *)(eth + 1) > xtr_data_end(c) || !xtr_decap_remark(c, d))
		goto spoiled;
	*m = (struct xtr_meta){ .magic = XTR_META_MAGIC, .version = meta_version, .iid = d->iid };
	if (ifc->flags & XTR_IF_F_XDP_GENERIC)
		m->flags = XTR_META_F_GENERIC;
	__builtin_memcpy(eth->h_source, old->h_source, ETH_ALEN);
	__builtin_memcpy(eth->h_dest, nobody, ETH_ALEN);
	eth->h_proto = xtr_ethertype(d->in.family);
	if (bpf_xdp_adjust_head(c->xdp, cut))
		goto spoiled;
	xtr_count_decap(d, XTR_STAT_BY_XDP_DECAP);
	return XDP_PASS;
spoiled:
	xtr_drop(c, cfg, &d->in, d->iid, XTR_DROP_DECAP_ROOM);
	return XDP_DROP;
}

#endif
