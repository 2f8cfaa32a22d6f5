/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The TC half: complete. It makes and removes room with super-packets kept whole (BPF_F_ADJ_ROOM_FIXED_GSO on both
 * sides, or gso_size would drift), and hands packets over by redirect.
 */
#ifndef XTR_BPF_TC_H
#define XTR_BPF_TC_H

#include "encap.h"
#include "gro.h"
#include "miss.h"
#include "mss.h"

/*
 * Where generic XDP has copied a packet (kernel 6.9 and later do so for want of headroom), the copy has lost skb->mac_len,
 * and TC sees it without its Ethernet header. Put it in front again: change_head restores mac_len and mac_header too, and
 * the metadata then lie where they belong. No other frame has a type that differs from skb->protocol and is not at the
 * MAC header.
 */
XTR_FUNC int xtr_tc_repair(struct __sk_buff *skb)
{
	__u16 mac[ETH_HLEN / 2], here[ETH_HLEN / 2];

	if (bpf_skb_load_bytes_relative(skb, 0, mac, sizeof(mac), BPF_HDR_START_MAC))
		return 0;
	if (!bpf_skb_load_bytes(skb, 0, here, sizeof(here)) && /* too short: not at the MAC header, for sure */
	    xtr_mac_equal((__u8 *)mac, (__u8 *)here) && xtr_mac_equal((__u8 *)(mac + 3), (__u8 *)(here + 3)) &&
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

	if ((void *)(eth + 1) > (void *)(long)skb->data_end || eth->h_proto != skb->protocol)
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
 * Out by the routes of the host as they are now: the port and next hop that the routing table names, and the kernel resolves
 * layer 2. For packets whose template nobody vouches for (a route may have moved to another port since), and for what is
 * forwarded natively. pair: source and destination; how: the family, XTR_BY_MAIN for packets that come from EIDs.
 *
 * The lookup is to pass by the EID routes: with the mark of the rule that says so; before 6.10, which takes no mark here, an
 * outer header does it by its source (rule "from RLOC lookup main"), an EID by reading the main table alone. As the input
 * device serves a peer end, which is in no VRF. Without an answer (forwarding is off, no route) the port it is, and the route
 * lookup of bpf_redirect_neigh, with the same mark: the interface alone would not do, with IPv6 an EID route of another
 * device is taken all the same, and its gateway looked for.
 */
#define XTR_BY_MAIN 0x100
XTR_FUNC int xtr_tc_by_routes(struct __sk_buff *skb, const struct xtr_abi_ip *pair, __u32 how, __u32 via, __u32 port)
{
	bool six = (how & 0xff) == XTR_FAMILY_IP6;
	struct bpf_fib_lookup f = {
		.family = six ? AF_INET6 : AF_INET, .l4_protocol = IPPROTO_UDP, .ifindex = via, .mark = skb->mark,
	};
	struct bpf_redir_neigh nh = {};
	long r;

	__builtin_memcpy(f.ipv6_src, pair, sizeof(f.ipv6_src));
	__builtin_memcpy(f.ipv6_dst, pair + 1, sizeof(f.ipv6_dst));
	r = bpf_fib_lookup(skb, &f, sizeof(f), BPF_FIB_LOOKUP_MARK);
	if (r == -EINVAL)
		r = bpf_fib_lookup(skb, &f, sizeof(f), how & XTR_BY_MAIN ? BPF_FIB_LOOKUP_DIRECT : 0);
	if (r != BPF_FIB_LKUP_RET_SUCCESS && r != BPF_FIB_LKUP_RET_NO_NEIGH && r != BPF_FIB_LKUP_RET_FRAG_NEEDED)
		return bpf_redirect_neigh(port, NULL, 0, 0);
	if (f.ifindex != port && !(how & XTR_BY_MAIN))
		xtr_stat(XTR_STAT_REROUTED, skb->len - ETH_HLEN - (six ? XTR_OUTER6 : XTR_OUTER4));
	nh.nh_family = f.family; /* an IPv4 route may have an IPv6 next hop */
	__builtin_memcpy(nh.ipv6_nh, f.ipv6_dst, sizeof(nh.ipv6_nh));
	return bpf_redirect_neigh(f.ifindex, &nh, sizeof(nh), 0);
}

/* The peer end of the overlay device that belongs to the port of a packet. */
XTR_INLINE __u32 xtr_tc_via(const struct __sk_buff *skb, const struct xtr_iface *ifc)
{
	__u32 iid = ifc->iid;
	struct xtr_inst *inst;

	if (ifc->role == XTR_ROLE_OVERLAY)
		return ifc->peer;
	if (ifc->role == XTR_ROLE_PEER)
		return skb->ifindex;
	inst = bpf_map_lookup_elem(&xtr_inst, &iid);
	return inst && inst->peer ? inst->peer : skb->ifindex;
}

/* An encapsulated packet, whose template nobody vouches for. The mark is that of the rule that leads past the EID routes. */
XTR_INLINE int xtr_tc_resolve(struct __sk_buff *skb, const struct xtr_cfg *cfg, const struct xtr_rloc *t, __u32 via)
{
	skb->mark = cfg->mark;
	return xtr_tc_by_routes(skb, &t->src, t->family, via, t->ifindex);
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
	if (p->syn && (cfg->flags & XTR_CFG_F_MSS_CLAMP))
		xtr_mss_encap(c, p, t);
	if (w->decrement && xtr_tc_decrement(c, p))
		return -XTR_DROP_ENCAP_ROOM;
	if (xtr_tc_room(skb, t, p) || !xtr_outer_write(c, cfg, w, p, ifc->iid))
		return -XTR_DROP_ENCAP_ROOM;
	if (w->cut)
		xtr_outer_cut(c);
	xtr_count_encap(t, XTR_STAT_ENCAP, p->len);
	if (!xtr_fresh(t, cfg, now)) {
		/* nobody vouches for the layer-2 header: the kernel resolves */
		xtr_stat(XTR_STAT_FALLBACK, p->len);
		return xtr_tc_resolve(skb, cfg, t, xtr_tc_via(skb, ifc));
	}
	eth = xtr_data(c);
	if ((void *)(eth + 1) > xtr_data_end(c))
		return -XTR_DROP_ENCAP_ROOM;
	__builtin_memcpy(eth->h_dest, t->dmac, ETH_ALEN);
	__builtin_memcpy(eth->h_source, t->smac, ETH_ALEN);
	return bpf_redirect(t->ifindex, 0);
}

/* Facts of the packet, whose headers are made linear when they are not: enum xtr_parse. */
XTR_GLOBAL int xtr_tc_parse(struct __sk_buff *skb, struct xtr_inner *p, __u32 verify)
{
	struct xtr_ctx c = { .skb = skb };
	int r = XTR_PARSE_SHORT;

	if (!p)
		return r;
	for (int i = 0; i < 2; i++) {
		__builtin_memset(p, 0, sizeof(*p));
		r = xtr_parse_frame(&c, p, verify);
		if (r != XTR_PARSE_SHORT || xtr_pull(&c, XTR_PARSE_MAX))
			break;
	}
	return r;
}

XTR_INLINE int xtr_tc_decide(const struct xtr_ctx *c, struct xtr_cfg *cfg, const struct xtr_iface *ifc,
			     struct xtr_inner *p, struct xtr_way *w, __u64 now)
{
	return xtr_encap_decide(c, cfg, ifc, p, xtr_tc_parse(c->skb, p, ifc->role == XTR_ROLE_EID), w, now);
}

/*
 * A decapsulated packet whose MAC is the overlay device's: into that device. One that is in another network namespace is
 * reached through its peer end only, never by its own ifindex, which means another device here. bpf_redirect_peer goes there
 * without a queue in between, but only from an ingress, and the packet keeps protocol and type as they are: direct says that
 * the protocol is right. Else the packet takes a turn at the peer end's ingress, where the kernel looks at the Ethernet header
 * again, and xtr_tc_carry does the rest. No way is limited by the MTU of the overlay device. Returns a TC action, or -reason.
 */
XTR_INLINE int xtr_tc_into(struct __sk_buff *skb, const struct xtr_inst *inst, bool direct)
{
	__u32 peer = inst->peer;
	struct xtr_iface *end;

	if (!(inst->flags & XTR_INST_F_ELSEWHERE)) {
		skb->mark = 0;
		return bpf_redirect(inst->overlay, BPF_F_INGRESS);
	}
	end = xtr_iface_get(peer, 0);
	if (!end || end->role != XTR_ROLE_PEER)
		return -XTR_DROP_OVERLAY_GONE;
	if (!direct) {
		skb->mark = XTR_MARK_DECAP | peer;
		return bpf_redirect(peer, BPF_F_INGRESS);
	}
	if (skb->pkt_type != PACKET_HOST)
		bpf_skb_change_type(skb, PACKET_HOST);
	skb->mark = 0; /* this namespace's */
	return bpf_redirect_peer(peer, 0);
}

/* At the ingress of a peer end: what xtr_tc_into has sent there. Nothing else has this mark: what comes out of another
 * network namespace has none. */
XTR_INLINE bool xtr_tc_carried(const struct __sk_buff *skb, const struct xtr_iface *ifc)
{
	return ifc->role == XTR_ROLE_PEER && skb->mark == (XTR_MARK_DECAP | skb->ifindex);
}

XTR_INLINE int xtr_tc_carry(struct __sk_buff *skb)
{
	bpf_skb_change_type(skb, PACKET_HOST); /* the MAC is that of the other end */
	skb->mark = 0;
	return bpf_redirect_peer(skb->ifindex, 0);
}

/*
 * Straight out of an EID port. Where its other end is in another network namespace (a container) the packet goes on there at
 * once, as if it had just been received: no queue in between. direct: as above.
 */
XTR_INLINE int xtr_tc_out(struct __sk_buff *skb, const struct xtr_home *h, bool direct)
{
	skb->mark = 0;
	if (!direct || !(h->port & XTR_IF_F_PEER))
		return bpf_redirect(h->oif, 0);
	if (skb->pkt_type != PACKET_HOST)
		bpf_skb_change_type(skb, PACKET_HOST);
	return bpf_redirect_peer(h->oif, 0);
}

/*
 * Cuts the outer headers off and delivers: straight out of an EID port, or on the overlay device. direct: this is an ingress.
 * Returns a TC action, or -reason.
 */
XTR_INLINE int xtr_tc_deliver(const struct xtr_ctx *c, const struct xtr_cfg *cfg, struct xtr_iface *ifc, struct xtr_decap *d,
			      bool direct)
{
	struct __sk_buff *skb = c->skb;
	__u32 cut = xtr_decap_cut(d), iid = d->iid, sum;
	bool right = feat_decap_l3 || d->family == d->in.family; /* only those flags set skb->protocol, which segmentation goes by */
	struct xtr_inst *inst = bpf_map_lookup_elem(&xtr_inst, &iid);
	__u64 flags = BPF_F_ADJ_ROOM_FIXED_GSO;
	bool gro, straight;
	struct ethhdr *eth;
	int r;

	if (!inst)
		return -XTR_DROP_DECAP_IID;
	gro = direct && xtr_gro_wants(skb, inst, &d->in, ifc);
	straight = !gro && right && xtr_home_straight(c, cfg, d->home, &d->in, ETH_HLEN + cut, d->new_ttl, bpf_jiffies64());
	if (feat_decap_l3)
		flags |= d->in.family == XTR_FAMILY_IP4 ? BPF_F_ADJ_ROOM_DECAP_L3_IPV4 : BPF_F_ADJ_ROOM_DECAP_L3_IPV6;
	else if (d->family == XTR_FAMILY_IP6 && d->in.len < IP6_HLEN)
		/* without those flags the kernel wants an IPv6 header's length to remain: Ethernet padding does */
		if (bpf_skb_change_tail(skb, ETH_HLEN + XTR_OUTER6 + IP6_HLEN, 0))
			return -XTR_DROP_DECAP_ROOM;
	d->new_ttl -= straight; /* we are the router hop */
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
	if (straight) {
		__builtin_memcpy(eth->h_dest, d->home->dmac, ETH_ALEN);
		__builtin_memcpy(eth->h_source, d->home->smac, ETH_ALEN);
	} else {
		__builtin_memcpy(eth->h_dest, inst->mac, ETH_ALEN); /* or the stack drops it as another host's */
	}
	eth->h_proto = xtr_ethertype(d->in.family);
	if (bpf_skb_adjust_room(skb, -(__s32)cut, BPF_ADJ_ROOM_MAC, flags))
		return -XTR_DROP_DECAP_ROOM;
	if ((cfg->flags & XTR_CFG_F_MSS_CLAMP) && d->in.proto == IPPROTO_TCP)
		xtr_mss_decap(skb, d->iid, d->family);
	if (straight) {
		xtr_count_decap(d, XTR_STAT_DECAP);
		xtr_stat(XTR_STAT_DIRECT, d->in.len);
		return xtr_tc_out(skb, d->home, direct);
	}
	if (gro)
		r = xtr_gro_send(skb, inst, &d->in);
	else
		r = xtr_tc_into(skb, inst, direct && right);
	if (r >= 0)
		xtr_count_decap(d, XTR_STAT_DECAP);
	return r;
}

/* xtr_decap_read, with the headers made linear when they are not and it may be ours. */
XTR_GLOBAL int xtr_tc_read(struct __sk_buff *skb, const struct xtr_cfg *cfg, struct xtr_decap *d)
{
	struct xtr_ctx c = { .skb = skb };
	int r = XTR_D_SHORT;

	if (!d || !cfg)
		return r;
	for (int i = 0; i < 2; i++) {
		__builtin_memset(d, 0, sizeof(*d));
		r = xtr_decap_read(&c, cfg, d, NULL);
		if (r != XTR_D_SHORT || skb->data_end - skb->data >= skb->len || xtr_pull(&c, XTR_DECAP_MAX))
			break;
	}
	return r;
}

/*
 * A LISP packet at TC, by the rules of the underlay port it came in at. direct: this is its ingress; else the daemon sends it
 * on. Returns a TC action, -reason, or XTR_TC_FOREIGN: it is not ours, and untouched.
 */
#define XTR_TC_FOREIGN 0x100
XTR_INLINE int xtr_tc_decap(const struct xtr_ctx *c, const struct xtr_cfg *cfg, struct xtr_decap *d, __u32 port, bool direct)
{
	struct __sk_buff *skb = c->skb;
	struct xtr_iface *ifc;
	int r;

	r = xtr_tc_read(skb, cfg, d);
	d->home = NULL; /* and whoever has one is to be delivered, also to a verifier that does not remember what r was (6.1) */
	if (r == XTR_D_OK)
		r = xtr_decap_check(c, cfg, d);
	if (r == XTR_D_PASS || r == XTR_D_SHORT)
		return XTR_TC_FOREIGN;
	ifc = xtr_port_get(port, 0);
	if (!ifc || ifc->role != XTR_ROLE_UNDERLAY)
		return XTR_TC_FOREIGN;
	if (r == XTR_D_OK && d->home)
		return xtr_tc_deliver(c, cfg, ifc, d, direct);
	if (r == XTR_D_CONTROL) {
		d->in.family = d->family;
		d->in.src = d->src;
		r = xtr_control(skb, cfg, ifc, &d->in, port);
		if (!r)
			return xtr_tc_taken();
	}
	return r;
}

/*
 * What is known of checksums was known of the outer packet. A verdict of the NIC ("good") says nothing of the inner one, and
 * a sum over the whole packet, which generic XDP does not keep up, is wrong: UDP would drop the packet for it, where the sum
 * was made in software (a tunnel below us). Growing and trimming by one octet is what makes the stack forget it.
 */
XTR_INLINE void xtr_tc_forget_csum(struct __sk_buff *skb, bool generic)
{
	__u32 len = skb->len;

	bpf_csum_level(skb, BPF_CSUM_LEVEL_RESET);
	if (!generic || bpf_csum_update(skb, 0) < 0) /* refused: there is no such sum */
		return;
	if (!bpf_skb_change_tail(skb, len + 1, 0))
		bpf_skb_change_tail(skb, len, 0);
}

/* The same for what XDP decapsulated and GRO may have put together since. -1: by the overlay device. */
XTR_FUNC XTR_NONNULL int xtr_tc_finish_straight(struct __sk_buff *skb, const struct xtr_cfg *cfg, struct xtr_inner *in, __u32 iid)
{
	struct xtr_ctx c = { .skb = skb };
	struct ethhdr *eth;
	struct xtr_home *h;

	if (xtr_parse_frame(&c, in, false) != XTR_PARSE_OK)
		return -1;
	h = xtr_home_get(iid, in);
	if (!h || !(h->flags & XTR_LOCAL_F_EID) || !xtr_home_straight(&c, cfg, h, in, ETH_HLEN, in->ttl, bpf_jiffies64()) ||
	    xtr_tc_decrement(&c, in))
		return -1;
	eth = xtr_data(&c);
	if ((void *)(eth + 1) > xtr_data_end(&c))
		return -1;
	__builtin_memcpy(eth->h_dest, h->dmac, ETH_ALEN);
	__builtin_memcpy(eth->h_source, h->smac, ETH_ALEN);
	xtr_stat(XTR_STAT_DIRECT, in->len);
	return xtr_tc_out(skb, h, true);
}

/*
 * A frame that xtr_xdp_under has decapsulated: its destination is nobody, so it dies unless this gives it the right one.
 * Returns a TC action, -reason, or 0 when there is no metadata of ours.
 */
XTR_INLINE int xtr_tc_finish_xdp(const struct xtr_ctx *c, const struct xtr_cfg *cfg, struct xtr_decap *d)
{
	struct xtr_meta *m = (void *)(long)c->skb->data_meta;
	struct ethhdr *eth = xtr_data(c);
	struct xtr_inst *inst;
	bool generic;
	int r;

	if ((void *)&m->version > (void *)eth || m->magic != XTR_META_MAGIC)
		return 0;
	if ((void *)(m + 1) > (void *)eth || m->version < XTR_META_OLDEST || m->version > meta_version)
		return -XTR_DROP_META_VERSION;
	d->iid = m->iid;
	generic = m->flags & XTR_META_F_GENERIC;
	m->magic = 0; /* for no program further on */
	inst = bpf_map_lookup_elem(&xtr_inst, &d->iid);
	if (!inst)
		return -XTR_DROP_DECAP_IID;
	if (!inst->overlay)
		return -XTR_DROP_DECAP_NO_OVERLAY;
	if ((void *)(eth + 1) > xtr_data_end(c))
		return -XTR_DROP_META_VERSION;
	__builtin_memcpy(eth->h_dest, inst->mac, ETH_ALEN);
	xtr_tc_forget_csum(c->skb, generic);
	if (cfg->flags & XTR_CFG_F_DIRECT) {
		r = xtr_tc_finish_straight(c->skb, cfg, &d->in, d->iid);
		if (r >= 0)
			return r;
	}
	return xtr_tc_into(c->skb, inst, true);
}

#endif
