// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The data plane. TC programs are complete; XDP programs do in front of them what they can finish alone. Which program is
 * attached where is said in headers/xtr/abi.h, what the maps mean too; the rules are in encap.h and decap.h.
 *
 * Invariants: a frame that is not LISP's business leaves every hook octet for octet as it came; every packet that dies
 * here is counted under exactly one reason; nothing here is ever changed by a packet except counters, stamps, limits.
 * No tail calls: an upgrade replaces one program in its link, and never runs a mix of old and new.
 */
#include "icmp.h"
#include "mcast.h"
#include "vlan.h"
#include "xdp.h"

/* Packets that an attached port hands to the stack. */
XTR_INLINE int xtr_tc_pass(struct __sk_buff *skb)
{
	xtr_stat(XTR_STAT_PASS, skb->len - ETH_HLEN);
	return TC_ACT_UNSPEC;
}

/* An entry is being filled behind packets that still wait in the daemon: this one goes there too, to keep the order. */
XTR_INLINE bool xtr_tc_hold(const struct xtr_ctx *c, const struct xtr_iface *ifc, const struct xtr_inner *p,
			    const struct xtr_way *w, __u64 now)
{
	struct xtr_report what = { .type = XTR_EV_MISS, .iid = ifc->iid, .hold = w->hold };
	struct xtr_hold *h = xtr_held(w->hold, now);

	/* When the ring has no room the packet goes direct: late is better than lost. */
	if (!h || xtr_capture(c->skb, p, &what))
		return false;
	__sync_fetch_and_add(&h->queued, 1);
	xtr_stat(XTR_STAT_HELD, p->len);
	return true;
}

XTR_INLINE int xtr_tc_native(struct __sk_buff *skb, const struct xtr_cfg *cfg, const struct xtr_iface *ifc,
			     const struct xtr_inner *p)
{
	__u32 iid = ifc->iid;
	struct xtr_inst *inst = bpf_map_lookup_elem(&xtr_inst, &iid);

	/* A tenant's addresses may be anybody's: the underlay is no place for them, nor are the host's routes. */
	if (!cfg->native_ifindex || (inst && (inst->flags & XTR_INST_F_APART)))
		return -XTR_DROP_NATIVE_NO_ROUTE;
	xtr_stat(XTR_STAT_NATIVE, p->len);
	skb->mark = cfg->mark;
	return xtr_tc_by_routes(skb, &p->src, p->family | XTR_BY_MAIN, xtr_tc_via(skb, ifc), cfg->native_ifindex);
}

/* Has the host's routing led a packet of one instance into the overlay device of another? Tenants must not meet. */
XTR_INLINE bool xtr_tc_crosses(const struct __sk_buff *skb, const struct xtr_iface *ifc)
{
	struct xtr_iface *in;

	if (ifc->role != XTR_ROLE_OVERLAY || !skb->ingress_ifindex || skb->mark == (XTR_MARK_DECAP | skb->ingress_ifindex))
		return false; /* the mark: not the host's routing, xtr_tc_segment */
	in = xtr_iface_get(skb->ingress_ifindex, 0);
	return in && in->role != XTR_ROLE_UNDERLAY && in->iid != ifc->iid;
}

/*
 * A frame that has no role here. Being detached, or another VLAN's: a port goes on as if we were gone; what was routed into the
 * overlay has no way. Behind a peer end is the host's own stack, and what a tenant puts a tag on, a priority tag even, which the
 * stack takes off, comes out there: it is not let in.
 */
XTR_INLINE int xtr_tc_nobodys(const struct __sk_buff *skb)
{
	struct xtr_iface *ifc;

	if (skb->ingress_ifindex != skb->ifindex)
		return -XTR_DROP_ENCAP_NO_IFACE;
	ifc = xtr_port_get(skb->ifindex, 0);
	return ifc && ifc->role == XTR_ROLE_PEER ? -XTR_DROP_ENCAP_SCOPE : -XTR_DROP_NONE;
}

/*
 * A UDP super-packet of an EID port: out by the overlay device of its instance, on whose way to the peer end the kernel segments,
 * as it does with what the host routes there. What does not fit is answered here, as no routing looks at it; 0: it is the stack's.
 * mc: of a group, a clone goes; the packet itself is the stack's, as it came (mcast.h).
 */
XTR_FUNC XTR_NONNULL int xtr_tc_segment(struct __sk_buff *skb, const struct xtr_iface *ifc, const struct xtr_inner *p, bool group)
{
	__u32 iid = ifc->iid, mark = skb->mark, tci = ifc->vlan ? xtr_vlan_tci(skb) : 0;
	struct xtr_inst *inst = bpf_map_lookup_elem(&xtr_inst, &iid);
	struct xtr_iface *ov = inst && !(inst->flags & XTR_INST_F_ELSEWHERE) ? xtr_iface_get(inst->overlay, 0) : NULL;
	bool big = ov && p->l3len + UDP_HLEN + skb->gso_size > ov->mtu;
	struct xtr_ctx c = { .skb = skb };
	__u32 overlay;
	int r;

	if (!ov)
		return -XTR_DROP_OVERLAY_GONE;
	overlay = inst->overlay;
	if (big && group)
		return -XTR_DROP_REPL_TOO_BIG;
	if (big && p->proto == IPPROTO_UDP)
		return xtr_icmp_too_big(skb, ifc, p, ov->mtu, skb->ifindex);
	if (tci && bpf_skb_vlan_pop(skb))
		return -XTR_DROP_ENCAP_ROOM;
	if (!group && xtr_tc_decrement(&c, p))
		return -XTR_DROP_ENCAP_ROOM;
	xtr_stat(XTR_STAT_GSO_PEER, p->len);
	skb->mark = XTR_MARK_DECAP | skb->ifindex;
	if (!group)
		return bpf_redirect(overlay, 0);
	r = bpf_clone_redirect(skb, overlay, 0);
	skb->mark = mark;
	if (tci && bpf_skb_vlan_push(skb, bpf_htons(ETH_P_8021Q), tci))
		return -XTR_DROP_ENCAP_ROOM;
	return r ? -XTR_DROP_REPL_FAILED : 0;
}

/*
 * Egress of the overlay device, ingress of its peer end, ingress of EID ports.
 *
 * UDP super-packets that keep their segments through encapsulation are lost without a trace when TC decapsulates them
 * (from 6.1 on). So the overlay device has UDP segmentation offload off, this program lets them through to the peer end,
 * the kernel segments on the way, and this same program encapsulates the segments there. The like holds for every other
 * segmented protocol than TCP.
 */
SEC("tc") XTR_NONNULL
int xtr_tc_encap(struct __sk_buff *skb)
{
	struct xtr_ctx c = { .skb = skb };
	struct xtr_iface *ifc = xtr_vlan_role(skb);
	struct xtr_cfg *cfg = &xtr_cfg;
	__u64 now = bpf_jiffies64();
	bool many = false; /* the frame is addressed to many: only a group's packet is our business */
	struct xtr_inner p;
	struct xtr_way w = {};
	int r;

	if (!ifc || (ifc->role != XTR_ROLE_EID && ifc->role != XTR_ROLE_OVERLAY && ifc->role != XTR_ROLE_PEER)) {
		r = xtr_tc_nobodys(skb);
		if (r == -XTR_DROP_NONE) {
			xtr_tc_at_mac(skb); /* for whoever comes after us */
			return xtr_tc_pass(skb);
		}
		__builtin_memset(&p, 0, sizeof(p));
		xtr_drop(&c, cfg, &p, 0, -r);
		return TC_ACT_SHOT;
	}
	if (xtr_tc_carried(skb, ifc))
		return xtr_tc_carry(skb);
	if (ifc->role == XTR_ROLE_EID) {
		struct ethhdr *eth;

		xtr_tc_at_mac(skb);
		eth = (void *)(long)skb->data;
		if ((void *)(eth + 1) > (void *)(long)skb->data_end)
			return xtr_tc_pass(skb);
		many = eth->h_dest[0] & 1;
		if (!many && !xtr_mac_equal(eth->h_dest, ifc->mac))
			return xtr_tc_pass(skb);
	}
	if (xtr_tc_crosses(skb, ifc)) {
		__builtin_memset(&p, 0, sizeof(p));
		xtr_drop(&c, cfg, &p, ifc->iid, XTR_DROP_ENCAP_CROSS);
		return TC_ACT_SHOT;
	}
	r = xtr_tc_decide(&c, cfg, ifc, &p, &w, now);
	if (many && r != XTR_V_GROUP && !(r == XTR_V_GSO && w.mc))
		return xtr_tc_pass(skb);
	switch (r) {
	case XTR_V_GROUP:
		if (ifc->role == XTR_ROLE_EID) {
			xtr_group_from_port(skb, ifc);
			return xtr_tc_pass(skb);
		}
		return xtr_group_onward(skb, ifc);
	case XTR_V_ENCAP:
		if (w.hold && xtr_tc_hold(&c, ifc, &p, &w, now))
			return xtr_tc_taken();
		if (ifc->vlan && bpf_skb_vlan_pop(skb)) {
			r = -XTR_DROP_ENCAP_ROOM;
			break;
		}
		r = xtr_tc_send(&c, cfg, ifc, &p, &w, now);
		if (r >= 0)
			return r;
		break;
	case XTR_V_PASS:
		return xtr_tc_pass(skb);
	case XTR_V_TOO_BIG:
		r = xtr_icmp_too_big(skb, ifc, &p, w.mtu, skb->ifindex);
		if (r >= 0)
			return r ?: xtr_tc_pass(skb);
		break;
	case XTR_V_GSO:
		if (ifc->role == XTR_ROLE_EID) {
			r = xtr_tc_segment(skb, ifc, &p, w.mc);
			if (r < 0 && w.mc)
				xtr_count_drop(-r);
			if (w.mc)
				return xtr_tc_pass(skb);
			if (r >= 0)
				return r ?: xtr_tc_pass(skb);
			break;
		}
		if (skb->mark == (XTR_MARK_DECAP | skb->ingress_ifindex))
			skb->mark = 0;
		xtr_stat(XTR_STAT_GSO_PEER, p.len);
		return TC_ACT_OK;
	case XTR_V_NATIVE:
		if (ifc->role == XTR_ROLE_EID) {
			xtr_stat(XTR_STAT_NATIVE, p.len);
			return TC_ACT_UNSPEC;
		}
		r = xtr_tc_native(skb, cfg, ifc, &p);
		if (r >= 0)
			return r;
		break;
	case XTR_V_MISS:
		r = xtr_miss(&c, cfg, ifc, &p, now);
		if (!r)
			return xtr_tc_taken();
		break;
	case XTR_V_REQUEST:
		xtr_ask(&c, cfg, ifc, &p, now);
		r = -XTR_DROP_NEG_REQUEST;
		break;
	}
	xtr_drop(&c, cfg, &p, ifc->iid, -r);
	return TC_ACT_SHOT;
}

/* What the kernel has put together, or the daemon freed of options: the same checks as at the port where it came in. */
XTR_FUNC XTR_NONNULL int xtr_tc_slow(struct __sk_buff *skb, const struct xtr_cfg *cfg, __u32 port)
{
	struct xtr_iface *ifc = xtr_iface_get(port, 0);
	struct xtr_ctx c = { .skb = skb };
	struct xtr_decap d = {};
	int r = -XTR_DROP_INJECT_MARK;

	if (ifc && ifc->role == XTR_ROLE_UNDERLAY)
		r = xtr_tc_decap(&c, cfg, &d, port, false);
	if (r == XTR_TC_FOREIGN)
		r = -XTR_DROP_SLOW_BAD;
	if (r >= 0) {
		xtr_stat(XTR_STAT_SLOW, d.in.len);
		return r;
	}
	xtr_drop(&c, cfg, &d.in, d.iid, -r);
	return TC_ACT_SHOT;
}

/* Back to the stack of the port where it came in, as it came in. */
XTR_INLINE int xtr_tc_to_port(struct __sk_buff *skb, __u32 port, __u32 tci)
{
	if (tci && bpf_skb_vlan_push(skb, bpf_htons(ETH_P_8021Q), tci))
		return -XTR_DROP_ENCAP_ROOM;
	return bpf_redirect(port, BPF_F_INGRESS);
}

/* A control message came in nowhere. */
static const struct xtr_iface xtr_control_port = { .role = XTR_ROLE_PEER, .iid = XTR_IID_MAX };

/* A packet that waited, or a control message. */
XTR_FUNC XTR_NONNULL int xtr_tc_packet(struct __sk_buff *skb, struct xtr_cfg *cfg)
{
	struct xtr_ctx c = { .skb = skb };
	__u64 now = bpf_jiffies64();
	__u32 from = skb->mark, part = 0, tci = 0;
	const struct xtr_iface *ifc;
	struct xtr_inner p;
	struct xtr_way w = {};
	int r;

	if (from & XTR_MARK_CONTROL) {
		part = from & ~XTR_MARK_KIND;
		ifc = &xtr_control_port;
		goto decide;
	}
	tci = xtr_vlan_tci(skb);
	ifc = from ? xtr_iface_get(from, tci & 0xfff) : NULL;
	if (!ifc || (ifc->role != XTR_ROLE_EID && ifc->role != XTR_ROLE_OVERLAY && ifc->role != XTR_ROLE_PEER)) {
		/* the kernel's own chatter on the device, or a port that has gone meanwhile */
		__builtin_memset(&p, 0, sizeof(p));
		xtr_drop(&c, cfg, &p, 0, XTR_DROP_INJECT_MARK);
		return TC_ACT_SHOT;
	}
	if (tci && bpf_skb_vlan_pop(skb)) {
		__builtin_memset(&p, 0, sizeof(p));
		r = -XTR_DROP_ENCAP_ROOM;
		goto drop;
	}
decide:
	skb->mark = 0; /* not for the underlay to see */
	r = xtr_tc_decide(&c, cfg, ifc, &p, &w, now);
	if (ifc->iid == XTR_IID_MAX && r != XTR_V_GROUP) {
		if (r >= 0 || r == -XTR_DROP_ENCAP_SCOPE)
			r = -XTR_DROP_REPL_NO_LIST;
		goto drop;
	}
	switch (r) {
	case XTR_V_ENCAP:
		r = xtr_tc_send(&c, cfg, ifc, &p, &w, now);
		if (r >= 0) {
			xtr_stat(XTR_STAT_INJECT, p.len);
			return r;
		}
		break;
	case XTR_V_GROUP:
		r = xtr_replicate(skb, ifc->iid, &p, w.mc, part);
		if (r >= 0)
			return r;
		break;
	case XTR_V_PASS:
		r = xtr_tc_to_port(skb, from, tci);
		if (r >= 0)
			return r;
		break;
	case XTR_V_TOO_BIG:
		if (tci && bpf_skb_vlan_push(skb, bpf_htons(ETH_P_8021Q), tci)) {
			r = -XTR_DROP_ENCAP_MTU;
			break;
		}
		r = xtr_icmp_too_big(skb, ifc, &p, w.mtu, from);
		if (r >= 0)
			return r ?: bpf_redirect(from, BPF_F_INGRESS);
		break;
	case XTR_V_NATIVE:
		r = ifc->role == XTR_ROLE_EID ? xtr_tc_to_port(skb, from, tci) : xtr_tc_native(skb, cfg, ifc, &p);
		if (r >= 0)
			return r;
		break;
	case XTR_V_REQUEST:
		r = -XTR_DROP_NEG_REQUEST;
		break;
	case XTR_V_MISS:
		r = -XTR_DROP_MISS_INJECTED;
		break;
	case XTR_V_GSO: /* nothing segments behind this hook */
		r = -XTR_DROP_ENCAP_ROOM;
		break;
	}
drop:
	xtr_drop(&c, cfg, &p, ifc->iid, -r);
	return TC_ACT_SHOT;
}

/*
 * TC egress of the overlay device's peer end: packets that waited in the daemon for their mapping. skb->mark is the
 * ifindex where each came in, so it is treated by the rules of that port. What the stack of the port has to do (answer
 * with ICMP, forward natively) goes back to the port, whose TC program comes to the same verdict and lets it up.
 * Other marks: see abi.h.
 */
SEC("tc") XTR_NONNULL
int xtr_tc_inject(struct __sk_buff *skb)
{
	struct xtr_cfg *cfg = &xtr_cfg;
	__u32 from = skb->mark;

	if (from == XTR_MARK_GRO) {
		skb->mark = 0;
		return TC_ACT_OK;
	}
	if ((from & XTR_MARK_KIND) == XTR_MARK_RESOLVE)
		return xtr_copy_resolve(skb, cfg, from & ~XTR_MARK_KIND);
	if ((from & XTR_MARK_KIND) == XTR_MARK_DECAP)
		return xtr_tc_slow(skb, cfg, from & ~XTR_MARK_KIND);
	return xtr_tc_packet(skb, cfg);
}

/* TC ingress of underlay ports: finishes what XDP has decapsulated, and decapsulates the rest. */
SEC("tc") XTR_NONNULL
int xtr_tc_underlay(struct __sk_buff *skb)
{
	struct xtr_ctx c = { .skb = skb };
	struct xtr_cfg *cfg = &xtr_cfg;
	struct xtr_decap d = {};
	int r;

	xtr_tc_at_mac(skb);
	r = xtr_tc_finish_xdp(&c, cfg, &d);
	if (!r) {
		/* tagged: another network's; not to us: the bridge's or a capture's */
		if (skb->vlan_present || skb->pkt_type == PACKET_OTHERHOST)
			return TC_ACT_UNSPEC;
		r = xtr_tc_decap(&c, cfg, &d, skb->ifindex, true);
		if (r == XTR_TC_FOREIGN)
			return TC_ACT_UNSPEC;
	}
	if (r >= 0)
		return r;
	xtr_drop(&c, cfg, &d.in, d.iid, -r);
	return TC_ACT_SHOT;
}

/* XDP on underlay ports. xdp.frags: jumbo frames of several buffers go up instead of keeping the port from attaching. */
SEC("xdp.frags") XTR_NONNULL
int xtr_xdp_under(struct xdp_md *xdp)
{
	struct xtr_ctx c = { .xdp = xdp };
	struct xtr_cfg *cfg = &xtr_cfg;
	struct ethhdr *eth = (void *)(long)xdp->data;
	struct xtr_cport *port = NULL;
	struct xtr_decap d = {};
	bool leave;
	int r;

	if (!feat_meta)
		return XDP_PASS;
	r = xtr_decap_read(&c, cfg, &d, &port);
	if (r == XTR_D_OK)
		r = xtr_decap_check(&c, cfg, &d);
	if (r == XTR_D_PASS || (r == XTR_D_SHORT && xtr_len_all(&c) == xtr_len(&c)))
		return XDP_PASS;
	leave = r == XTR_D_SHORT || r == XTR_D_CONTROL;
	if (r == XTR_D_OK && (cfg->flags & XTR_CFG_F_MSS_CLAMP)) /* mss.h */
		leave = xtr_mss_is_syn(&c, &d.in, ETH_HLEN + xtr_decap_cut(&d));
	if (leave || !port || port->i.role != XTR_ROLE_UNDERLAY || (void *)(eth + 1) > (void *)(long)xdp->data_end ||
	    !xtr_mac_equal(eth->h_dest, port->i.mac)) {
		xtr_stat(XTR_STAT_XDP_TO_TC, d.in.len);
		return XDP_PASS;
	}
	if (r == XTR_D_OK)
		return xtr_xdp_deliver(&c, cfg, &port->i, &d);
	xtr_drop(&c, cfg, &d.in, d.iid, -r);
	return XDP_DROP;
}

/* XDP on EID ports. Misses that go up, and most drops, are TC's: it alone counts them. */
XTR_INLINE int xtr_xdp_port(struct xdp_md *xdp, struct xtr_cfg *cfg, __u32 vlan, const __u32 tag)
{
	struct xtr_ctx c = { .xdp = xdp, .tag = tag };
	struct xtr_iface *ifc = xtr_port_get(xdp->ingress_ifindex, vlan);
	struct ethhdr *eth = (void *)(long)xdp->data;
	__u64 now = bpf_jiffies64();
	struct xtr_inner p = {};
	struct xtr_way w = {};
	bool many;
	int r;

	if (!ifc && tag)
		goto leave;
	if (!ifc || ifc->role != XTR_ROLE_EID || (void *)(eth + 1) > (void *)(long)xdp->data_end)
		return XDP_PASS;
	many = eth->h_dest[0] & 1;
	if (!many && !xtr_mac_equal(eth->h_dest, ifc->mac))
		goto leave;
	r = xtr_encap_decide(&c, cfg, ifc, &p, xtr_parse_frame(&c, &p, true), &w, now);
	if (r == XTR_V_ENCAP && !many && xtr_xdp_can_send(&c, cfg, ifc, &p, &w, now))
		return xtr_xdp_send(&c, cfg, ifc, &p, &w);
	if (r == XTR_V_GROUP) {
		p.tag = tag;
		r = xtr_xdp_group(xdp, cfg, ifc, &p, w.mc);
		if (r >= 0)
			return r;
	}
	if (!many && xtr_xdp_refuse(&c, cfg, ifc, &p, r, now))
		return XDP_DROP;
leave:
	xtr_stat(XTR_STAT_XDP_TO_TC, xtr_len(&c) - xtr_l2(&c));
	return XDP_PASS;
}

SEC("xdp.frags") XTR_NONNULL
int xtr_xdp_eid(struct xdp_md *xdp)
{
	struct ethhdr *eth = (void *)(long)xdp->data;
	struct xtr_ctx c = { .xdp = xdp };
	__u32 vlan = 0, tag = 0;

	if ((void *)(eth + 1) > (void *)(long)xdp->data_end)
		return XDP_PASS;
	if (eth->h_proto == bpf_htons(ETH_P_8021Q)) {
		vlan = xtr_vlan_xdp(&c);
		tag = VLAN_HLEN;
	}
	return xtr_xdp_port(xdp, &xtr_cfg, vlan, tag);
}

/* What XDP sends to an underlay port, as it leaves: copies of a replicated packet get their outer headers (fan.h). */
SEC("xdp/devmap") XTR_NONNULL
int xtr_xdp_copy(struct xdp_md *xdp)
{
	struct xtr_fan_meta *at = (void *)(long)xdp->data_meta, m;
	struct xtr_ctx c = { .xdp = xdp };
	struct xtr_cfg *cfg = &xtr_cfg;
	struct xtr_rloc *t;
	struct xtr_fan *fan;
	int r = XTR_DROP_REPL_FAILED;

	if ((void *)(at + 1) > (void *)(long)xdp->data || at->magic != XTR_FAN_MAGIC)
		return XDP_PASS;
	m = *at;
	fan = bpf_map_lookup_elem(&xtr_fan, &m.fan);
	t = fan ? xtr_fan_next(fan, xdp->egress_ifindex, m.packet) : NULL;
	if (t)
		r = xtr_fan_copy(&c, cfg, &m, t, fan->room);
	return r ? xtr_fan_lost(m.len, r) : XDP_PASS;
}

/* Run by BPF_PROG_TEST_RUN only: jiffies have no other way to user space. */
SEC("tc") XTR_NONNULL
int xtr_clock(struct __sk_buff *skb)
{
	struct xtr_cfg *cfg = &xtr_cfg;

	cfg->hz = xtr_hz;
	cfg->jiffies = bpf_jiffies64();
	return TC_ACT_OK;
}

/*
 * TC egress of EID ports, where there is more than one instance: what the host's routes lead out of a port of one instance that came
 * in from another. Tenants must not meet. What this host itself sends came in nowhere; what a bridge switches, whose ports are in
 * the instances they are in, is not ours to judge.
 */
SEC("tc") XTR_NONNULL
int xtr_tc_guard(struct __sk_buff *skb)
{
	struct xtr_iface *ifc, *in = skb->ingress_ifindex ? xtr_port_get(skb->ingress_ifindex, 0) : NULL;
	struct xtr_ctx c = { .skb = skb };
	struct xtr_inner p = {};
	__u32 iid;

	if (!in || in->role == XTR_ROLE_UNDERLAY || in->flags & XTR_IF_F_PART)
		return TC_ACT_UNSPEC;
	if (skb->ingress_ifindex == skb->ifindex && skb->mark == (XTR_MARK_DECAP | skb->ifindex)) { /* xtr_icmp_to_port */
		skb->mark = 0;
		return TC_ACT_UNSPEC;
	}
	iid = in->iid; /* the copy may be that of the next port soon */
	ifc = xtr_port_get(skb->ifindex, xtr_vlan_tci(skb) & 0xfff);
	if (!ifc || ifc->role != XTR_ROLE_EID || ifc->iid == iid)
		return TC_ACT_UNSPEC;
	xtr_drop(&c, &xtr_cfg, &p, iid, XTR_DROP_ENCAP_CROSS);
	return TC_ACT_SHOT;
}

/*
 * TC ingress of the helper device for LISP-GPE, which is there for the GRO of its UDP socket. Whatever the stack takes in
 * through it was refused, or not seen, by our own programs: with any instance ID it would be in the host.
 */
SEC("tc") XTR_NONNULL
int xtr_tc_fence(struct __sk_buff *skb)
{
	return TC_ACT_SHOT;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
